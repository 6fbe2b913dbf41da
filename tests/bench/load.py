# SPDX-License-Identifier: BSD-2-Clause
"""A node at work: memory of all its programs, jobs a second, and what a relayed packet waits while jobs burn."""

import os
import statistics
import subprocess
import time

import ends
from wirelib import Dest, Sock, frame, packet_to, pss_kb, quiet, tree, until

# a peer's budgets are not what is measured here
FREE = """data_limit_per_minute: 10GB
limits: {jobs_running: 4, cpu: 2.0, memory: 2GB}
quotas: {jobs_queued: 1000, jobs_per_hour: 1000000, cpu_seconds_per_day: 10000000, requests_per_minute: 1000000}
"""
SERVER = """[[{name}]]
type = TCPServerInterface
enabled = yes
listen_ip = 127.0.0.1
listen_port = {port}
ingress_control = no
announce_cap = 100
"""
BURN = """image: bench/true:latest
command: ["/bin/sh", "-c", {what}]
cap_drop: [ALL]
limits: {{memory: 256MB, time: 10m, pids: 16, output: 64MB, log: 1MB, cpu: 0.5}}
network: isolated
deadline: 1h
"""
BURNS = {
    "cpu": "while :; do :; done",
    "memory": "while :; do busybox dd if=/dev/zero of=/tmp/a bs=1M count=48; done 2>/tmp/said",
    "disk": "while :; do busybox dd if=/dev/zero of=/tmp/a bs=4k count=8000; busybox rm /tmp/a; done 2>/tmp/said",
    "output": "while :; do echo a line of text that nobody reads; busybox sleep 0.01; done",
}


def sides(build):
    a = ends.port()
    j = ends.Jobs(build, SERVER.format(name="a", port=a) + SERVER.format(name="b", port=a + 1), FREE)
    where = j.path("node", "config")
    with open(where) as f:
        body = f.read().replace("enable_transport = no", "enable_transport = yes")
    ends.text(where, body)
    return j, a


def rate(j, build, lanes, n):
    """Jobs a second, of so many submitters at once."""
    argv = [os.path.join(build, "tests/bench/roundtrip"), j.conf, j.person, j.path("job.yaml"), j.dest, str(n)]
    t = time.monotonic()
    ps = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(lanes)]
    done = 0
    for p in ps:
        out, err = p.communicate(timeout=ends.LIMIT_S)
        done += out.count("job ")
        if p.returncode != 0:
            print("# load:", err.strip()[-300:], flush=True)
    return done / (time.monotonic() - t)


class Path:
    """From one side of the relay to the other."""

    def __init__(self, port):
        self.a, self.b = Sock(port), Sock(port + 1)
        self.dest = Dest()
        while set(self.dest.hash[:4]) & {0x7D, 0x7E}:
            self.dest = Dest()
        quiet(1, "nothing shows that both sides have been taken")
        self.b.send(frame(self.dest.announce()))
        self.via = None
        for raw in self.a.frames(10):
            if raw[0] & 0x40 and raw[18:34] == self.dest.hash:
                self.via = raw[2:18]
                break
        if self.via is None:
            raise SystemExit("the relay did not pass an announce on")

    def waits(self, n):
        """Milliseconds of each of n packets, one every 3 ms; what we ourselves would wait for a processor is not meant."""
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
        except PermissionError:
            print("# not root: the figure has our own waits in it")
        try:
            return self.timed(n)
        finally:
            try:
                os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
            except PermissionError:
                pass

    def timed(self, n):
        out = []
        for i in range(n):
            raw = frame(packet_to(self.dest.hash, self.via, 300, (time.time_ns() + i) & 0xFFFFFFFF))
            t = time.monotonic()
            self.a.send(raw)
            if self.b.count(1, 2, self.dest.hash[:4]) == 1:
                out.append((time.monotonic() - t) * 1000)
            quiet(0.003, "the pace of the packets")
        return out


def p99(v):
    return statistics.quantiles(v, n=100)[98] if len(v) > 1 else float("nan")


def running(j):
    out = j.run("jobs", "--here", "--json").stdout.decode()
    return out.count('"state": "running"') + out.count('"state":"running"')


def measure(build, quick):
    """figure -> values; "wait" and "wait-burning" are pairs of the same run."""
    r = {"pss": [], "rate": [], "wait": [], "burning": []}
    j, port = sides(build)
    with j:
        j.start()
        pids = tree(j.daemons[0].pid)
        try:
            r["pss"].append(pss_kb(pids) / 1024)
        except PermissionError:
            pass  # programs that dropped their rights are looked at by root only
        r["rate"].append(rate(j, build, 4, 50 if quick else 300))
        path = Path(port)
        for _ in range(1 if quick else 3):
            r["wait"].append(p99(path.waits(1000)))
            ids = []
            for k, what in BURNS.items():
                ends.text(j.path(k + ".yaml"), BURN.format(what='"%s"' % what))
                out = j.run("submit", k + ".yaml", "--to", j.dest, "--detach", "--out", f"out-{time.time_ns()}")
                ids.append(out.stdout.decode().split()[-1] if out.stdout.split() else "")
            if until(lambda: running(j) >= len(BURNS), "four jobs that run", 30):
                r["burning"].append(p99(path.waits(1000)))
            for i in ids:
                j.run("cancel", i, "--to", j.dest)
            until(lambda: running(j) == 0, "the end of the jobs", 30)
        j.good = True
    return r


BIG = "volumes: [./big:/in:ro]\n" + ends.JOB


def beside(build, quick):
    """Milliseconds of one peer's jobs: alone, and while another sends inputs and asks as fast as it may."""
    more = """quotas: {jobs_per_hour: 1000000, cpu_seconds_per_day: 10000000, requests_per_minute: 100000}
limits: {jobs_running: 4, cpu: 2.0, memory: 2GB}
"""
    j = ends.Jobs(build, more=more)
    other = j.path("other")
    urn = ends.shown(j.warren, "--identity", other)("urn")
    one = '    - {{id: "{urn}", level: 3}}\n'
    was, ends.NODE = ends.NODE, ends.NODE.replace(one, one + '    - {{id: "%s", level: 2}}\n' % urn)
    alone, busy = [], []
    try:
        with j:
            j.start()
            os.mkdir(j.path("big"))
            with open(j.path("big", "random"), "wb") as f:
                f.write(os.urandom(40 << 20))
            ends.text(j.path("big.yaml"), BIG)
            argv = [os.path.join(build, "tests/bench/roundtrip"), j.conf, j.person, j.path("job.yaml"), j.dest]
            n = 20 if quick else 60

            def trips():
                out = subprocess.run([*argv, str(n)], capture_output=True, text=True, timeout=ends.LIMIT_S).stdout
                return [int(w.split()[1]) / 1000 for w in out.splitlines() if w.startswith("job ")][1:]
            for _ in range(1 if quick else 3):
                alone += trips()
                loud = [subprocess.Popen([j.warren, "submit", "big.yaml", "--to", j.dest, "--config", j.conf, "--identity",
                                          other, "--out", f"big-{time.time_ns()}"], cwd=j.folder,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)]
                loud.append(subprocess.Popen([argv[0], j.conf, other, j.path("job.yaml"), j.dest, "100000"],
                                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
                try:
                    quiet(2, "the other is at work")
                    busy += trips()
                finally:
                    for p in loud:
                        p.kill()
                        p.wait()
                quiet(1, "what the other left is done")
            j.good = bool(busy)
    finally:
        ends.NODE = was
    return alone, busy
