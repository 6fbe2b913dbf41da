# SPDX-License-Identifier: BSD-2-Clause
"""A compute node with an image and a person who may use it; jobs submitted
through the node's own shared instance by the command line."""
import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading

from lib import ALL, PATIENCE_S, Node, Status, until
from nets import client, free_port, server  # noqa: F401

IMAGE = "test/busybox:1"
LAYERS = "user pid mount net ipc uts caps seccomp memory cpu pids".split()
COMMANDS = ("sh sort cat true false ls id wc sleep kill echo head tail dd yes "
            "mkdir touch date").split()


def until_told(word):
    """The command of a job that says `over` and ends well when tell() does: no
    other's word on this machine, so with the node's folder in it."""
    return ("trap 'echo over; exit 0' USR1; while :; do sleep 0.1; done; : " +
            word)


def tell(word, jobs=1):
    """Its shell hears it, as soon as so many listen; root's. Whether they do."""
    def listening():
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    argv = f.read().split(b"\0")
                caught = int(Status(int(pid))["SigCgt"], 16)
            except (OSError, KeyError):
                continue
            if argv[:2] == [b"/bin/sh", b"-c"] and \
                    argv[2].endswith(until_told(word).encode()) and \
                    caught >> signal.SIGUSR1 - 1 & 1:
                found.append(int(pid))
        return found if len(found) >= jobs else []
    found = until(listening, "a job that listens")
    for pid in found or []:
        os.kill(pid, signal.SIGUSR1)
    return bool(found)


class Submission:
    """A running `warren submit --json`; its events as they come."""

    def __init__(self, node, argv, folder):
        self.folder, self.events = folder, []
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            argv, preexec_fn=node._drop, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self.errors)
        # a broken link is waited out: a test that is over ends it
        atexit.register(self.process.kill)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            try:
                self.events.append(json.loads(line))
            except ValueError:
                self.events.append({"event": "garbage", "line": line})

    def state(self):
        s = [e for e in list(self.events) if e["event"] == "state"]
        return s[-1]["state"] if s else None

    def reached(self, state, seconds=PATIENCE_S):
        def seen():
            return state in [e.get("state") for e in list(self.events)]
        until(lambda: seen() or self.process.poll() is not None,
              "a job in state " + state, seconds)
        return seen()

    def id(self):
        ids = [e["id"] for e in list(self.events) if "id" in e]
        return ids[-1] if ids else None

    def end(self, seconds=PATIENCE_S):
        """Exit status and the last event."""
        try:
            rc = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            rc = "still running after %d s" % seconds
        self.thread.join(PATIENCE_S)
        return rc, self.events[-1] if self.events else {}

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def __str__(self):
        return "%s; %s" % (self.events[-3:], self.stderr()[-600:])


class Burrow(Node):
    """A Node that computes."""

    def __init__(self, build, name, user=None, config="", more="",
                 relay=False):
        super().__init__(build, name, user, None, config)
        if relay:
            with open(os.path.join(self.dir, "config")) as f:
                text = f.read()
            self.write("config", text.replace(
                "[reticulum]", "[reticulum]\nenable_transport = yes", 1))
        self.person = os.path.join(self.top, "person")
        self.work = os.path.join(self.top, "work")
        for d in (self.work,):
            os.mkdir(d, 0o755)
            if user is not None:
                os.chown(d, user, user)
        if user is not None:
            os.chown(self.top, user, user)
        self.jobs = 0
        self.layers = set(self._layers())
        lacking = {"memory", "cpu", "pids"} - self.layers
        self.problem = None
        for argv in (["image", "import", self._rootfs(), "--name", IMAGE],):
            rc, out, err = self.warren(*argv)
            if rc != 0:
                self.problem = "image import: %s %s" % (rc, err)
        self.who = self._identity("--config", self.dir)
        self.me = self._identity("--identity", self.person)
        text = ("mesh_identity: %s\naccept_computation_requests: true\n"
                "name: burrow\n" % self.who.get("key"))
        if "trust:" not in more:
            text += ("trust:\n  pins:\n    - {id: \"%s\", level: 2}\n" %
                     self.me.get("urn"))
        if lacking:
            text += "require_layers: [%s]\n" % ", ".join(
                x for x in LAYERS if x not in lacking)
        self.write("node.yaml", text + more)

    def _layers(self):
        p = subprocess.run(self.command("--layers"), preexec_fn=self._drop,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL)
        return p.stdout.decode().split()

    def _rootfs(self):
        root = os.path.join(self.work, "rootfs")
        for d in ("bin", "tmp", "proc", "dev"):
            os.makedirs(os.path.join(root, d))
        shutil.copy(shutil.which("busybox"), os.path.join(root, "bin/busybox"))
        for c in COMMANDS:
            os.symlink("busybox", os.path.join(root, "bin", c))
        return root

    def _identity(self, *words):
        rc, out, err = self.warren("identity", "show", "--json", *words,
                                   config=False)
        if rc != 0:
            self.problem = "identity: %s %s" % (rc, err)
            return {}
        return json.loads(out)

    def argv(self, *words):
        return [os.path.join(self.build, "warren"), *words]

    def warren(self, *words, config=True, seconds=PATIENCE_S):
        """Exit status, standard output, standard error."""
        words = list(words)
        if config:
            words += ["--config", self.dir]
        try:
            p = subprocess.run(self.argv(*words), preexec_fn=self._drop,
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               timeout=seconds)
        except subprocess.TimeoutExpired:
            return "no end within %d s" % seconds, "", ""
        return p.returncode, p.stdout.decode(errors="replace"), \
            p.stderr.decode(errors="replace")

    def status(self):
        """`warren status --json`, or what it said instead."""
        rc, out, err = self.warren("status", "--json")
        try:
            return json.loads(out)
        except ValueError:
            return {"failed": "%s %s" % (rc, err)}

    def restarts(self):
        return {p["name"]: p["restarts"] if p["running"] else "down"
                for p in self.status().get("programs", [])}

    def job_file(self, command, limits=None, volumes=(), **more):
        """JOB.yaml in a folder of its own; its path."""
        self.jobs += 1
        folder = os.path.join(self.work, "job%d" % self.jobs)
        os.mkdir(folder, 0o755)
        if self.user is not None:
            os.chown(folder, self.user, self.user)
        given = {"time": "60s", "pids": 32, "output": "1MB", "log": "64kB",
                 "memory": "64MB"}
        given.update(limits or {})
        lines = ["image: " + IMAGE,
                 "command: " + json.dumps(["/bin/sh", "-c", command]),
                 "limits: {%s}" % ", ".join(
                     "%s: %s" % kv for kv in given.items())]
        if volumes:
            lines.append("volumes:")
        for source, target, mode in volumes:
            path = os.path.join(folder, source)
            os.makedirs(path, exist_ok=True)
            if self.user is not None:
                os.chown(path, self.user, self.user)
            lines.append("  - ./%s:%s:%s" % (source, target, mode))
        lines += ["%s: %s" % kv for kv in more.items()]
        path = os.path.join(folder, "job.yaml")
        with open(path, "w") as f:
            f.write("\n".join(lines) + "\n")
        return path

    def submit(self, path, *words, timeout="80s"):
        out = os.path.join(os.path.dirname(path), "result")
        argv = self.argv("submit", path, "--to", self.who["destination"],
                         "--config", self.dir, "--identity", self.person,
                         "--out", out, "--timeout", timeout, "--json", *words)
        return Submission(self, argv, out)

    def run_job(self, command, seconds=PATIENCE_S, **kw):
        """To its end: (exit status, last event, Submission)."""
        s = self.submit(self.job_file(command, **kw))
        rc, last = s.end(seconds)
        return rc, last, s

    def output(self, s, name="stdout"):
        try:
            with open(os.path.join(s.folder, name), errors="replace") as f:
                return f.read()
        except OSError as e:
            return str(e)

    def show(self, job):
        """The submitter's view of a job, over the mesh."""
        rc, out, err = self.warren("show", job, "--to",
                                   self.who["destination"], "--identity",
                                   self.person, "--json")
        try:
            return json.loads(out.splitlines()[-1])
        except (ValueError, IndexError):
            return {"failed": "%s %s" % (rc, err)}

    def up(self, seconds=PATIENCE_S):
        """Started, every program ready. False: it is not."""
        self.start()
        return self.problem is None and self.ready(ALL, seconds) is not None
