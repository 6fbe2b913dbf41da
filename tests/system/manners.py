# SPDX-License-Identifier: BSD-2-Clause
"""The command line as people use it: a job without a file, and its exit
status."""
import os
import signal
import subprocess
import sys
import threading

from lib import USER, done, result, until
from libjob import IMAGE, Burrow

build = sys.argv[1]


class Run:
    """A running `warren run`, in a folder of its own."""

    def __init__(self, node, *words):
        node.jobs += 1
        self.folder = os.path.join(node.work, "run%d" % node.jobs)
        os.makedirs(os.path.join(self.folder, "in"))
        with open(os.path.join(self.folder, "in", "words"), "w") as f:
            f.write("badger\nant\n")
        if node.user is not None:
            for d, _, names in os.walk(self.folder):
                for n in [""] + names:
                    os.chown(os.path.join(d, n), node.user, node.user)
        argv = node.argv("run", "--config", node.dir, "--identity",
                         node.person, "--timeout", "20s", *words)
        self.process = subprocess.Popen(
            argv, preexec_fn=node._drop, stdin=subprocess.DEVNULL,
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.out = self.err = b""
        self.threads = [
            threading.Thread(target=self._read, args=(name,), daemon=True)
            for name in ("stdout", "stderr")]
        for t in self.threads:
            t.start()

    def _read(self, name):
        for line in getattr(self.process, name):
            if name == "stdout":
                self.out += line
            else:
                self.err += line

    def end(self, seconds=40):
        try:
            rc = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            rc = "still running after %d s" % seconds
        for t in self.threads:
            t.join(5)
        return rc

    def __str__(self):
        return "%s; %s" % (self.out[-300:], self.err[-600:])


def runs(node):
    """Commands, what they say, and the exit status of `run`."""
    to = ["--to", node.who["destination"]]
    sh = [IMAGE, "--", "/bin/sh", "-c"]
    for what, words, want, out in (
            ("its output and 0", to + sh + ["echo one; echo two"], 0,
             b"one\ntwo\n"),
            ("the command's own status", to + sh + ["exit 3"], 3, b""),
            ("a status that is one of ours", to + sh + ["exit 125"], 125,
             b""),
            ("a signal", to + sh + ["kill -9 $$"], 137, b""),
            ("a limit", to + ["--time", "500ms"] + sh + ["sleep 20"], 124,
             b""),
            ("no such command", to + [IMAGE, "/bin/frobnicate"], 127, b""),
            ("a volume and the environment",
             to + ["-v", "./in:/data:ro", "-e", "WORD=ant"] + sh +
             ["cat /data/words; echo $WORD"], 0, b"badger\nant\nant\n"),
            ("an image that is not there",
             to + ["no/such:image", "/bin/true"], 121, b""),
            ("no node is trusted without a name", sh + ["true"], 125, b"")):
        r = Run(node, *words)
        rc = r.end()
        result("run: " + what, rc == want and r.out == out,
               "%s: %s" % (rc, r))


def streams(node):
    """What is written comes while it runs; an interrupt leaves the job."""
    r = Run(node, "--to", node.who["destination"], IMAGE, "--", "/bin/sh",
            "-c", "echo first; sleep 30; echo second")
    came = until(lambda: b"first" in r.out or r.process.poll() is not None,
                 "the first line", 20)
    result("run: lines come as they are written",
           came and r.process.poll() is None and b"second" not in r.out,
           str(r))
    r.process.send_signal(signal.SIGINT)
    rc = r.end(10)
    result("run: an interrupt ends with 130 and says how to go on",
           rc == 130 and b"warren result" in r.err, "%s: %s" % (rc, r))
    job = os.listdir(r.folder)
    job = [d for d in job if d != "in"]
    rc, out, err = node.warren(
        "cancel", os.path.join(r.folder, job[0]) if job else "?",
        "--identity", node.person)
    result("run: and the job can be cancelled", rc == 0, out + err)


def trusted(node):
    """submit.yaml pins the one node: it need not be named."""
    with open(os.path.join(node.person, "submit.yaml"), "w") as f:
        f.write("pins:\n  - {id: \"%s\", level: 1}\n" % node.who["urn"])
    os.chmod(os.path.join(node.person, "submit.yaml"), 0o644)
    r = Run(node, IMAGE, "/bin/echo", "here")
    rc = r.end()
    result("run: the one node that is trusted need not be named",
           rc == 0 and r.out == b"here\n", "%s: %s" % (rc, r))


def as_user(user):
    node = Burrow(build, "manners", user)
    try:
        if not node.up():
            result("manners: a node", False,
                   "%s %s" % (node.problem, node.said()[-1500:]))
            return
        runs(node)
        streams(node)
        trusted(node)
    finally:
        node.stop()
        node.remove()


as_user(USER if os.geteuid() == 0 else None)
done()
