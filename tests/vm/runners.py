# SPDX-License-Identifier: BSD-2-Clause
"""AppArmor around jobs that another program contains: the label, and the layer
in the receipt and in the node's posture; jobs that want it and have none."""
import contextlib
import os
import shutil
import subprocess
import sys

from lib import done, result, skip, until
from libdocker import docker, missing
from libjob import Burrow

build = sys.argv[1]
PARSER = build + "/vm/tools/sbin/apparmor_parser"
SECURITY = "/sys/kernel/security"
PATIENCE = 240
TOOLS = {"crun": "crun", "bubblewrap": "bwrap"}


class Labelled(Burrow):
    def end(self):
        """A stop of as long as it takes: this machine is slow."""
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.stop()


def job(name, text):
    node = Labelled(build, "runners", None, more="require_layers: [lsm]\n" + text)
    try:
        if not node.up(PATIENCE):
            result("apparmor: %s: start" % name, False, "%s %s" % (node.problem, node.said()[-2500:]))
            return
        until(lambda: node.readies("jail") > 0, "jail", PATIENCE)
        rc, last, s = node.run_job("cat /proc/self/attr/current", seconds=200)
        label, status = node.output(s).strip(), node.status().get("node", {})
        result("apparmor: a job in a container of %s is under its label" % name,
               label.startswith("warren-") and label.endswith(" (enforce)") and "lsm" in last.get("layers", []),
               "%r %s %s %s" % (label, s, status, node.said()[-1500:]))
        result("apparmor: posture of a node with %s" % name, "lsm" in status.get("layers", ""), str(status))
        rc, last, s = node.run_job("echo changeprofile unconfined >/proc/self/attr/current", seconds=200)
        result("apparmor: a job in a container of %s keeps its label" % name,
               last.get("outcome") not in (None, ["exited", 0]), str(s))
        node.end()
    finally:
        node.remove()


def main():
    subprocess.run(["mount", "-t", "securityfs", "none", SECURITY], check=False, stderr=subprocess.DEVNULL)
    if not os.path.exists(SECURITY + "/apparmor/profiles"):
        skip("apparmor with runners", "this kernel has booted without it")
        return
    if not os.path.exists(PARSER):
        skip("apparmor with runners", "its parser could not be downloaded")
        return
    shutil.copy(PARSER, "/sbin/apparmor_parser")
    for name, program in TOOLS.items():
        if shutil.which(program):
            job(name, "runner: %s\n" % name)
        else:
            skip("apparmor with " + name, "it is not installed")
    why = missing()
    if why is not None:
        skip("apparmor with docker", why)
        return
    with contextlib.ExitStack() as stack:
        d = stack.enter_context(docker())
        if d.up:
            job("docker", "runner: docker\nrunner_path: %s\n" % d.socket)
        else:
            skip("apparmor with docker", "dockerd does not start here: " + d.said())


main()
done()
