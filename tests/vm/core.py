# SPDX-License-Identifier: BSD-2-Clause
"""A core_pattern that is a pipe: its handler runs as root of the machine and
would read the memory of whoever crashes, limit 0 or not. It is never started
for a job nor for one of our programs."""
import os
import resource
import signal
import subprocess
import sys

import lib
from lib import ALL, USER, done, result, until
from libjob import Burrow

build = sys.argv[1]
HANDLER, RECORD = "/run/handler", "/run/cores"
PATTERN = "/proc/sys/kernel/core_pattern"


def handler():
    with open(HANDLER, "w") as f:
        f.write("#!/bin/sh\necho \"$*\" >>%s\ncat >/dev/null\n" % RECORD)
    os.chmod(HANDLER, 0o755)
    open(RECORD, "w").close()
    with open(PATTERN, "w") as f:
        f.write("|%s %%P %%u %%s %%e" % HANDLER)


def called():
    with open(RECORD) as f:
        return [line.split() for line in f]


def crash(limit):
    """Of an ordinary process; its id."""
    def limited():
        resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
    p = subprocess.Popen(["sh", "-c", "kill -SEGV $$"], preexec_fn=limited)
    p.wait()
    return p.pid


def seen(pid):
    return any(c[0] == str(pid) for c in called())


def controls():
    """What the test would see; all ends before the next one begins, so that
    what is not there then has not been called."""
    for limit in (resource.RLIM_INFINITY, 0):
        pid = crash(limit)
        result("core: control, limit %d: the handler is called" % limit,
               until(lambda: seen(pid), "the handler", 20), str(called()))
    pid = crash(1)
    after = crash(0)
    until(lambda: seen(after), "the handler", 20)
    result("core: control, limit 1: it is not", not seen(pid), str(called()))
    open(RECORD, "w").close()


def silent(name):
    """Not called for anybody: a last control says that it would be."""
    pid = crash(0)
    until(lambda: seen(pid), "the handler", 20)
    got = [c for c in called() if c[0] != str(pid)]
    result(name + ": the handler is not called", not got, str(got))
    open(RECORD, "w").close()


def crashes(mode, user):
    node = Burrow(build, "core-" + mode, user)
    try:
        if not node.up(240):
            result("core, %s: start" % mode, False, "%s %s" % (
                node.problem, node.said()[-2500:]))
            return
        for name in ("SEGV", "ABRT", "BUS"):
            rc, last, s = node.run_job("ulimit -c unlimited; kill -%s $$" %
                                       name, seconds=200)
            number = getattr(signal, "SIG" + name)
            result("core, %s: a job ends by SIG%s" % (mode, name),
                   last.get("outcome") == ["signalled", number], str(s))
        silent("core, %s: jobs that crash" % mode)
        for name in ALL:
            pid, ready = node.pids()[name], node.readies(name)
            os.kill(pid, signal.SIGSEGV)
            until(lambda: node.readies(name) > ready, name + " again", 240)
        result("core, %s: each program fell by SIGSEGV" % mode,
               node.said().count("signal 11") >= len(ALL) or
               node.said().count("SIGSEGV") >= len(ALL), node.said()[-1500:])
        silent("core, %s: programs that crash" % mode)
        s = node.submit(node.job_file("sleep 60"))
        s.reached("running", 200)
        os.kill(s.process.pid, signal.SIGSEGV)
        s.process.wait()
        silent("core, %s: a submitter that crashes" % mode)
        os.kill(node.process.pid, signal.SIGSEGV)
        node.process.wait()
        silent("core, %s: warrend that crashes" % mode)
    finally:
        if lib.failed:
            for line in node.said()[-4000:].splitlines():
                print("# " + line)
        node.remove()


handler()
controls()
crashes("root", None)
crashes("user", USER)
done()
