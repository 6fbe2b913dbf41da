# SPDX-License-Identifier: BSD-2-Clause
"""Machines on which no job can run: said once, with the remedy, at the start
and to who asks; looked at again; and all is well when it is mended."""
import ctypes
import os
import signal
import struct
import subprocess
import sys

import lib
from lib import USER, done, result, skip, until
from libjob import Burrow

build = sys.argv[1]
SAID = "no job can run here: "
WELL = "jobs can run here now"
AS_USER = "exec setpriv --reuid %d --regid %d --clear-groups " % (USER, USER)
# as a container has it
MASKED = ("for f in /proc/kcore /proc/keys /proc/timer_list; do "
          "[ ! -e $f ] || mount --bind /dev/null $f || exit 1; done; "
          "[ ! -e /proc/acpi ] || mount -t tmpfs -o ro none /proc/acpi; "
          "mount --bind /proc/sys /proc/sys && "
          "mount -o remount,bind,ro /proc/sys && ")
# user.* is of the user namespace of who writes it, and of those below
NO_NAMESPACES = ("echo 0 > /proc/sys/user/max_user_namespaces && "
                 "exec setpriv --ambient-caps=-all --inh-caps=-all "
                 "--bounding-set=-all \"$@\"")


# unshare(2), which a container's filter forbids
UNSHARE = {"x86_64": 272, "aarch64": 97}.get(os.uname().machine)


def forbid_unshare():
    """In a child, before its exec."""
    code = b"".join(struct.pack("HBBI", *i) for i in (
        (0x20, 0, 0, 0),                  # ld [nr]
        (0x15, 0, 1, UNSHARE),            # jeq
        (0x06, 0, 0, 0x00050000 | 1),     # ret ERRNO(EPERM)
        (0x06, 0, 0, 0x7fff0000)))        # ret ALLOW
    buf = ctypes.create_string_buffer(code, len(code))
    prog = struct.pack("HxxxxxxP", 4, ctypes.addressof(buf))
    libc = ctypes.CDLL(None)
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, prog, 0, 0) != 0:
        os._exit(1)


class Odd(Burrow):
    """A Burrow whose warrend runs in surroundings of its own."""
    wrapped, filtered = (), False

    def command(self, *more):
        return [*self.wrapped, *super().command(*more)]

    def _drop(self):
        if not self.wrapped:
            super()._drop()
        if self.filtered:
            forbid_unshare()


def no_user(argv):
    return subprocess.run(argv, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode != 0


def lines(node, text):
    return [x for x in node.said().splitlines() if text in x]


def odd(name, user, wrapped=(), filtered=False):
    node = Odd(build, "odd", user)
    node.wrapped, node.filtered = wrapped, filtered
    node.start()
    node.wrapped, node.filtered = (), False
    if node.problem is None and node.ready(lib.ALL) is not None:
        return node
    result(name, False, "%s %s" % (node.problem, node.said()[-1500:]))
    node.remove()
    return None


def refused(node, name, layer, remedy):
    """At step 1, in status, in describe, and in one line of the log."""
    rc, last, s = node.run_job("true")
    result(name + ": refused at step 1, with the remedy", rc == 3 and
           last.get("step") == 1 and last.get("code") == "posture" and
           remedy in last.get("why", ""), str(s))
    missing = node.status().get("node", {}).get("missing", "")
    result(name + ": status says it", remedy in missing, missing)
    rc, out, err = node.warren("describe", node.who["destination"],
                               "--identity", node.person, "--json")
    result(name + ": describe does not list the layer", rc == 0 and
           '"seccomp"' in out and '"%s"' % layer not in out, out + err)
    ready = node.readies("jail")
    for i in range(2):
        node.process.send_signal(signal.SIGHUP)
        until(lambda: node.readies("jail") > ready + i,
              "jail looks again")
    result(name + ": looked at again, and said once",
           node.readies("jail") == ready + 2 and len(lines(node, SAID)) == 1
           and not lines(node, "starting it again"),
           "%d looks: %s" % (node.readies("jail") - ready, node.said()))


def masked():
    name = "masked /proc, as a user"
    wrapped = ["unshare", "-m", "--propagation", "private", "sh", "-c",
               MASKED + AS_USER + "\"$@\"", "sh"]
    if no_user([*wrapped, "true"]):
        skip(name, "/proc cannot be masked here")
        return
    node = odd(name, USER, wrapped)
    if node is None:
        return
    try:
        refused(node, name, "pid", "--security-opt unmask=ALL")
    finally:
        node.remove()
    name = "masked /proc, as root"
    node = odd(name, None, [*wrapped[:6], MASKED + "exec \"$@\"", "sh"])
    if node is None:
        return
    try:
        rc, last, s = node.run_job("echo runs")
        result(name + ": jobs run", rc == 0 and
               node.output(s) == "runs\n" and not lines(node, SAID), str(s))
    finally:
        node.remove()


def filtered(mode, user):
    name = "a filter over warrend, as " + mode
    if UNSHARE is None:
        skip(name, "no number of unshare for this machine")
        return
    node = odd(name, user, filtered=True)
    if node is None:
        return
    try:
        refused(node, name, "user",
                "--security-opt seccomp=unconfined")
    finally:
        node.remove()


def allow_namespaces(pid):
    """In that process's namespace; an exec would lose the right to."""
    libc = ctypes.CDLL(None, use_errno=True)
    child = os.fork()
    if child == 0:
        try:
            fd = os.open("/proc/%d/ns/user" % pid, os.O_RDONLY)
            if libc.setns(fd, 0) == 0:
                with open("/proc/sys/user/max_user_namespaces", "w") as f:
                    f.write("100")
                os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def without_namespaces():
    name = "no user namespaces"
    own = ["setpriv", "--reuid", str(USER), "--regid", str(USER),
           "--clear-groups", "unshare", "-U", "--map-user=%d" % USER,
           "--map-group=%d" % USER, "--keep-caps", "sh", "-c",
           NO_NAMESPACES, "sh"]
    if no_user([*own, "true"]):
        skip(name, "user.max_user_namespaces cannot be set here")
        return
    node = odd(name, USER, own)
    if node is None:
        return
    try:
        refused(node, name, "user", "user.max_user_namespaces")
        mended = allow_namespaces(node.process.pid)
        node.process.send_signal(signal.SIGHUP)
        until(lambda: lines(node, WELL), "jobs can run")
        rc, last, s = node.run_job("echo runs")
        result(name + ": mended, jobs run without a new start",
               mended and len(lines(node, WELL)) == 1 and rc == 0 and
               node.output(s) == "runs\n", str(s))
    finally:
        if lib.failed:
            sys.stderr.write(node.said()[-5000:])
        node.remove()


if os.geteuid() == 0:
    masked()
    without_namespaces()
    filtered("a user", USER)
else:
    skip("machines", "not started as root")
    filtered("a user", None)
done()
