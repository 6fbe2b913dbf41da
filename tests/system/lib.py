# SPDX-License-Identifier: BSD-2-Clause
"""What the system tests share: a folder, a warrend in it, and its programs."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from waiting import PATIENCE_S, quiet, until  # noqa: E402,F401

BASE = 0x70000000
NUMBERS = {"transport": 1, "node": 2, "trust": 3, "egress": 4, "jail": 5,
           "audit": 6, "keys": 7, "watchdog": 10}
USER = 65534  # somebody without rights, where root runs the tests
ALL = ["transport", "node", "trust", "keys", "jail", "audit"]

failed = 0


def result(name, good, why=""):
    global failed
    if good:
        print("ok " + name, flush=True)
        return
    failed += 1
    print("not ok %s: %s" % (name, why), flush=True)


def skip(name, why):
    print("skip %s: %s" % (name, why), flush=True)


def done():
    sys.exit(1 if failed else 0)


def connected(port):
    """A connection that was taken; None: nobody listens."""
    s = socket.socket()
    s.settimeout(PATIENCE_S)
    if s.connect_ex(("127.0.0.1", port)) != 0:
        s.close()
        return None
    return s


def lives(s):
    """Nothing has ended this connection, and what is sent is taken."""
    s.setblocking(False)
    try:
        return s.send(b"\x7e\x7e") == 2 and s.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def ended(s):
    """The other side closes this connection, whatever it sends before."""
    s.settimeout(PATIENCE_S)
    try:
        while s.recv(4096):
            pass
        return True
    except OSError as e:
        return not isinstance(e, socket.timeout)


def status(node):
    """`warren status --json`; {} while nobody answers."""
    p = subprocess.run([os.path.join(node.build, "warren"), "status",
                        "--json", "--config", node.dir],
                       preexec_fn=node._drop, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                       timeout=PATIENCE_S)
    try:
        return json.loads(p.stdout)
    except ValueError:
        return {}


def of(node, section):
    """What it says of an interface of config."""
    return next((i for i in status(node).get("interfaces_list", [])
                 if i.get("section") == section and "rx_bytes" in i), {})


class Status(dict):
    """/proc/PID/status."""

    def __init__(self, pid):
        super().__init__()
        with open("/proc/%d/status" % pid) as f:
            for line in f:
                k, _, v = line.partition(":")
                self[k] = v.strip()


class Node:
    """A configuration folder and the warrend that runs on it."""

    def __init__(self, build, name, user=None, node_yaml=None, config=""):
        self.build, self.user, self.name = build, user, name
        self.top = tempfile.mkdtemp(prefix="warren-test.")
        os.chmod(self.top, 0o755)
        self.dir = os.path.join(self.top, "conf")
        self.log = os.path.join(self.top, "log")
        self.looked = 0
        self.process = None
        os.mkdir(self.dir, 0o700)
        self.write("config", "[reticulum]\nshare_instance = yes\n"
                   "instance_name = %s-%d\n[logging]\nloglevel = 5\n"
                   "[interfaces]\n%s" % (name, os.getpid(), config))
        if node_yaml is not None:
            self.write("node.yaml", node_yaml)
        if user is not None:
            os.chown(self.dir, user, user)

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o600)
        if self.user is not None:
            os.chown(path, self.user, self.user)

    def _drop(self):
        if self.user is not None:
            os.setgroups([])
            os.setresgid(self.user, self.user, self.user)
            os.setresuid(self.user, self.user, self.user)

    def command(self, *more):
        group = os.path.join(self.build, "in-group")
        if not os.path.exists(group):
            group = os.path.join(HERE, "..", "in-group")
        return [group, os.path.join(self.build, "warrend"), "--config",
                self.dir, *more]

    def run(self, *more, seconds=PATIENCE_S):
        """To its end: status and what it said."""
        p = subprocess.run(self.command(*more), preexec_fn=self._drop,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=seconds)
        return p.returncode, p.stdout.decode(errors="replace")

    def start(self, *more):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(*more), preexec_fn=self._drop,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def pids(self):
        """Program name -> pid, of the direct children."""
        found = {}
        path = "/proc/%d/task/%d/children" % ((self.process.pid,) * 2)
        try:
            with open(path) as f:
                children = [int(p) for p in f.read().split()]
        except OSError:
            return found
        for pid in children:
            try:
                with open("/proc/%d/comm" % pid) as f:
                    comm = f.read().strip()
                # what a jail that fell has left is none of the programs
                if os.getsid(pid) != pid:
                    continue
            except OSError:
                continue
            for n in NUMBERS:
                if comm == ("warren-" + n)[:15]:
                    found[n] = pid
            if comm == "warren-runner": # it has jail's place
                found["jail"] = pid
        return found

    def ready(self, names, seconds=PATIENCE_S):
        """All of them say ready; their pids."""
        def look():
            text = self.said()
            return all(" %s: ready" % n in text for n in names) and \
                set(names) <= set(self.pids())
        return self.pids() if until(look, "ready: " + " ".join(names),
                                    seconds) else None

    def readies(self, name):
        """How often that program has said that it is ready."""
        return self.said().count(" %s: ready" % name)

    def stop(self):
        """SIGTERM; exit status and seconds it took."""
        if self.process is None:
            return None, 0
        begin = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            rc = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            rc = self.process.wait()
        self.process = None
        fell = [w for w in self.said()[self.looked:].splitlines() if "fell while it was to end" in w]
        self.looked = len(self.said())
        if fell:
            result("programs end in order", False, fell[0])
        return rc, time.monotonic() - begin

    def with_compute(self, more=""):
        """First start makes the key and says the line; it goes into
        node.yaml."""
        self.write("node.yaml", "accept_computation_requests: true\n" + more)
        self.start()
        line = until(lambda: [w for w in self.said().splitlines()
                              if "mesh_identity: pubkey:" in w],
                     "the line with the mesh identity")
        self.stop()
        if not line:
            return False
        key = line[0].split("mesh_identity: ")[1]
        self.write("node.yaml", "mesh_identity: %s\n"
                   "accept_computation_requests: true\n%s" % (key, more))
        return True

    def remove(self):
        self.stop()
        shutil.rmtree(self.top, ignore_errors=True)
