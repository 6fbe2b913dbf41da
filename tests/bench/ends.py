# SPDX-License-Identifier: BSD-2-Clause
"""Figures between two ends: links, resources, jobs; and the start of a sandbox."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from relay import Daemon
from wirelib import cpu_ns, quiet, until

TMP = tempfile.TemporaryDirectory(prefix="warren-bench-")  # of the ends; goes with this program
ENV = dict(os.environ, TMPDIR=TMP.name)
LIMIT_S = 300  # of any program started here


def port():
    return random.randrange(30000, 32000)


class Server:
    """An end that waits for visitors; its destination's hash."""

    def __init__(self, argv, where):
        self.p = subprocess.Popen([*argv, "serve", where], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  text=True, env=ENV)
        self.dest = self.p.stdout.readline().split()[1]

    def stop(self):
        self.p.kill()
        self.p.wait()
        self.p.stdout.close()


def visit(argv, where, dest, words):
    """Lines that the visitor printed, split."""
    p = subprocess.run([*argv, "visit", where, dest, *map(str, words)], capture_output=True, text=True,
                       timeout=LIMIT_S, env=ENV)
    if p.returncode != 0:
        print(f"# {argv[0]}: {p.stderr.strip()[-300:]}", flush=True)
    return [line.split() for line in p.stdout.splitlines()]


def direct(argv, words):
    for _ in range(3):  # a port may be taken
        n = port()
        s = Server(argv, f"listen:{n}")
        try:
            quiet(0.5, "a listener is not tried out: it takes one visitor only")
            lines = visit(argv, f"connect:{n}", s.dest, words)
            if lines:
                return lines
        finally:
            s.stop()
    return []


def relayed(argv, daemon, words):
    d = Daemon(daemon)
    try:
        s = Server(argv, f"connect:{d.port + 1}")
        try:
            quiet(1, "the daemon shows nowhere that it has taken the server")
            return visit(argv, f"connect:{d.port}", s.dest, words)
        finally:
            s.stop()
    finally:
        d.stop()


def link_cost(ours, daemon, n):
    """us of CPU that a relay spends on each link that is set up through it and closed; the ends are ours."""
    d = Daemon(daemon)
    try:
        s = Server(ours, f"connect:{d.port + 1}")
        try:
            quiet(1, "the daemon shows nowhere that it has taken the server")
            c, t = cpu_ns(d.pids()), time.monotonic()
            lines = visit(ours, f"connect:{d.port}", s.dest, ["links", n])
            spent, took = cpu_ns(d.pids()) - c, time.monotonic() - t
            c = cpu_ns(d.pids())
            quiet(2, "time idle, so that timers do not count")
            idle = (cpu_ns(d.pids()) - c) * took / 2
        finally:
            s.stop()
    finally:
        d.stop()
    got = sum(w[0] == "link" for w in lines)
    return [(spent - idle) / got / 1000] if got == n else []


def links(ours, stock, via, n):
    """Milliseconds from the command until the link is up; via: a relay of the same kind between."""
    out = {}
    for side, argv, daemon in (("warren", ours, "warrend"), ("stock", stock, "rnsd")):
        words = ["links", n]
        lines = direct(argv, words) if via is None else relayed(argv, via[daemon], words)
        out[side] = [int(w[1]) / 1000 for w in lines if w[0] == "link"]
    return out


def resources(ours, stock, sizes):
    """MB/s; kind "resource": as it is, "packed": bz2 is tried (it does not help: random bytes)."""
    out = {"warren": {}, "stock": {}}
    for kind, size, n in sizes:
        for side, argv in (("warren", ours), ("stock", stock)):
            out[side][kind, size] = [size / int(w[2]) for w in direct(argv, [kind, size, n]) if w[0] == kind]
    return out


# ---- sandbox ----

def rootfs(folder):
    root = os.path.join(folder, "rootfs")
    for d in ("bin", "tmp", "proc", "dev"):
        os.makedirs(os.path.join(root, d))
    shutil.copy(shutil.which("busybox"), os.path.join(root, "bin", "busybox"))
    for c in ("true", "sh"):
        os.symlink("busybox", os.path.join(root, "bin", c))
    return root


def sandbox(build, idle_ms):
    """Milliseconds until /bin/true runs, and until it has ended, in a fresh sandbox: cold, after idling, in a root that was prepared."""
    return starts(build, ["40", str(idle_ms)], "sandbox")


def starts(build, words, name, env=None):
    """The lines of sandbox_start by their names, ms."""
    ours = ("cold", "idle", "warm", "warm-now", "warm-lent", "warm-filled")
    out = {k: [] for k in (*ours, *(k + "-runs" for k in ours), "other", "other-idle")}
    p = subprocess.run([os.path.join(build, "tests/bench/sandbox_start"), *words], capture_output=True, text=True,
                       timeout=LIMIT_S, cwd=build, env=env)
    for line in p.stdout.splitlines():
        w = line.split()
        if len(w) == 2 and w[0] in out:
            out[w[0]].append(float(w[1]) / 1000)
    if p.returncode != 0 or not out["cold"]:
        print("# %s:" % name, p.stderr.strip()[-300:], flush=True)
    return out


# ---- jobs ----

CONFIG = """[reticulum]
enable_transport = no
share_instance = yes
instance_name = bench-{n}
[interfaces]
"""
NODE = """mesh_identity: {key}
accept_computation_requests: true
name: bench
trust:
  pins:
    - {{id: "{urn}", level: 3}}
"""
JOB = """image: bench/true:latest
command: ["/bin/true"]
cap_drop: [ALL]
read_only_fs: true
limits: {memory: 64MB, time: 30s, pids: 16, output: 1MB, log: 64kB}
network: isolated
deadline: 1h
"""


def text(path, body):
    with open(path, "w") as f:
        f.write(body)
    os.chmod(path, 0o600)


def shown(warren, *words):
    out = subprocess.run([warren, "identity", "show", "--json", *words], capture_output=True, text=True, check=True,
                         timeout=30).stdout
    return lambda k: re.search(rf'"{k}": *"([^"]*)"', out).group(1)


class Jobs:
    """A node that takes jobs, a person, and an image with /bin/true in it."""

    def __init__(self, build, interfaces="", more=""):
        self.more = more
        self.build, self.warren = build, os.path.join(build, "warren")
        self.folder = tempfile.mkdtemp(prefix="warren-bench-")
        os.chmod(self.folder, 0o755)
        self.conf, self.person = self.path("node"), self.path("person")
        self.daemons, self.good = [], False
        os.mkdir(self.conf, 0o700)
        text(self.path("node", "config"), CONFIG.format(n=random.randrange(1 << 30)) + interfaces)
        text(self.path("job.yaml"), JOB)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def start(self, config=None):
        """The node; with the folder of another instance: until it answers through that."""
        subprocess.run([self.warren, "image", "import", rootfs(self.folder), "--name", "bench/true:latest", "--config",
                        self.conf], check=True, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        me, node = shown(self.warren, "--identity", self.person), shown(self.warren, "--config", self.conf)
        text(self.path("node", "node.yaml"), NODE.format(key=node("key"), urn=me("urn")) + self.more)
        self.dest = node("destination")
        in_group = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "in-group")
        self.daemon([in_group, os.path.join(self.build, "warrend"), "--config", self.conf])
        until(lambda: self.accepts(config), "a node that takes jobs", 60)

    def accepts(self, config):
        """It answers before its sandbox is up."""
        p = self.run("describe", self.dest, "--timeout", "5s", "--json", config=config)
        return p.returncode == 0 and re.search(rb'"accepting": *true', p.stdout) is not None

    def daemon(self, argv):
        with open(self.path("log"), "a") as log:
            self.daemons.append(subprocess.Popen(argv, stdout=log, stderr=log))

    def run(self, *words, config=None):
        return subprocess.run([self.warren, *words, "--config", config or self.conf, "--identity", self.person],
                              capture_output=True, timeout=120, cwd=self.folder)

    def __enter__(self):
        return self

    def __exit__(self, kind, e, trace):
        for d in reversed(self.daemons):
            d.send_signal(signal.SIGTERM)
            try:
                d.wait(10)
            except subprocess.TimeoutExpired:
                d.kill()
                d.wait()
        if isinstance(e, subprocess.CalledProcessError):
            print("# job:", (e.stderr or b"")[-300:], flush=True)
        if self.good or os.environ.get("BENCH_KEEP") is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print("# kept:", self.folder)
        return isinstance(e, subprocess.CalledProcessError)


def jobs(build, n):
    """Milliseconds from a signed job to its verified receipt, over one link; node and submitter on one warrend."""
    out = []
    with Jobs(build) as j:
        j.start()
        p = subprocess.run([os.path.join(build, "tests/bench/roundtrip"), j.conf, j.person, j.path("job.yaml"), j.dest,
                            str(n)], capture_output=True, text=True, timeout=LIMIT_S)
        if p.returncode != 0:
            print("# job:", p.stderr.strip()[-400:], flush=True)
        out = [int(w.split()[1]) / 1000 for w in p.stdout.splitlines() if w.startswith("job ")]
        j.good = out != []
    return out


HUB = """[[bench]]
type = TCPServerInterface
enabled = yes
listen_ip = 127.0.0.1
listen_port = {port}
"""
UP = """[[bench]]
type = TCPClientInterface
enabled = yes
target_host = 127.0.0.1
target_port = {port}
"""


def submits(build, rnsd, n):
    """Milliseconds of the whole command `warren submit`, its program attached to a stock rnsd, the node behind that."""
    out, where = [], port()
    with Jobs(build, UP.format(port=where)) as j:
        hub = j.path("hub")
        os.mkdir(hub, 0o700)
        text(j.path("hub", "config"), CONFIG.format(n=random.randrange(1 << 30)) + HUB.format(port=where))
        j.daemon([rnsd, "--config", hub])
        j.start(hub)
        for i in range(n + 1):
            t = time.monotonic()
            p = j.run("submit", "job.yaml", "--to", j.dest, "--out", f"out{i}", config=hub)
            if p.returncode != 0:
                print("# submit:", p.stderr.decode().strip()[-400:], flush=True)
                break
            out.append((time.monotonic() - t) * 1000)
        j.good = len(out) == n + 1
    return out


class Counter:
    """TCP to a port of this machine, its bytes counted."""

    def __init__(self, target):
        self.moved = 0
        self.s = socket.create_server(("127.0.0.1", 0))
        self.port, self.target = self.s.getsockname()[1], target
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                a, _ = self.s.accept()
                b = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            for x, y in ((a, b), (b, a)):
                threading.Thread(target=self.pump, args=(x, y), daemon=True).start()

    def pump(self, x, y):
        try:
            while d := x.recv(1 << 20):
                y.sendall(d)
                self.moved += len(d)
        except OSError:
            pass
        y.close()


def inputs(build, megabytes):
    """
    A volume that is submitted, then changed in a hundredth of it in 1, 10 and 100 places, then not at all: for each
    (what, bytes on the wire both ways, seconds).
    """
    out, where = [], port()
    count = Counter(where)
    with Jobs(build, UP.format(port=count.port), "data_limit_per_minute: 10GB\n") as j:
        hub = j.path("hub")
        os.mkdir(hub, 0o700)
        text(j.path("hub", "config"), CONFIG.format(n=random.randrange(1 << 30)) + HUB.format(port=where))
        j.daemon([os.path.join(build, "warrend"), "--config", hub])
        j.start(hub)
        os.mkdir(j.path("data"))
        text(j.path("job.yaml"), JOB + "volumes: [./data:/in:ro]\n")
        blob = bytearray(os.urandom(megabytes * 1000000))
        for places in (None, 1, 10, 100, 0):
            size = len(blob) // 100 // (places or 1)
            for i in range(places or 0):
                at = (2 * i + 1) * len(blob) // (2 * places)
                blob[at:at + size] = os.urandom(size)
            with open(j.path("data", "blob"), "wb") as f:
                f.write(blob)
            was, t = count.moved, time.monotonic()
            p = j.run("submit", "job.yaml", "--to", j.dest, "--out", f"out{places}", config=hub)
            if p.returncode != 0:
                print("# inputs:", p.stderr.decode().strip()[-400:], flush=True)
                break
            out.append((places, count.moved - was, time.monotonic() - t))
        j.good = len(out) == 5
    count.s.close()
    return out
