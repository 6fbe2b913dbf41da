# SPDX-License-Identifier: BSD-2-Clause
"""
What a relay spends and what it did for it: ours, stock rnsd, another daemon and the floor, in turns, in one run.

Announces are admitted by all: ingress_control is off. Their signatures are not measured, so the clock of the
announces is this program's; the same announces go to every relay, each of which has not heard of them.
"""

import json
import os
import random
import select
import signal
import shutil
import subprocess
import tempfile
import time

from wirelib import Dest, Sock, connected, cpu_ns, frame, packet_to, pss_kb, quiet, tree, until

CONFIG = """[reticulum]
  enable_transport = yes
  share_instance = yes
  instance_name = bench{n}

[logging]
  loglevel = 1

[interfaces]
  [[a]]
    type = TCPServerInterface
    enabled = yes
    listen_ip = 127.0.0.1
    listen_port = {a}
    ingress_control = no
    announce_cap = 100
  [[b]]
    type = TCPServerInterface
    enabled = yes
    listen_ip = 127.0.0.1
    listen_port = {b}
    ingress_control = no
    announce_cap = 100
"""


FLOOR = "floor"
PACE_S = 0.02
COPIES = 3  # of an announce, by other neighbours


class Daemon:
    """A relay with two ports: a, b; it has taken one connection on each. config=False: ports are its arguments."""

    def __init__(self, argv, config=True):
        self.dir = tempfile.mkdtemp(prefix="warren-bench-")
        os.chmod(self.dir, 0o700)
        n = random.randrange(1 << 30)
        a = self.port = random.randrange(20000, 30000)
        with open(self.dir + "/config", "w") as f:
            f.write(CONFIG.format(n=n, a=a, b=a + 1))
        os.chmod(self.dir + "/config", 0o600)
        argv = argv + (["--config", self.dir] if config else [str(a), str(a + 1)])
        self.argv = argv
        self.run()
        if config:
            until(lambda: connected(a), f"port {a}", 60).close()
            quiet(2, "stock rnsd is ready when its first job has run, and shows it nowhere")
        self.a, self.b = Sock(a), Sock(a + 1)
        quiet(0.5, "stock rnsd shows nowhere that it has taken both")

    def run(self):
        self.began = time.monotonic()
        self.p = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end(self):
        self.p.send_signal(signal.SIGTERM)
        try:
            self.p.wait(10)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()

    def pids(self):
        return tree(self.p.pid)

    def pss(self):
        """MiB; None: programs that dropped their rights are looked at by root only."""
        try:
            return pss_kb(self.pids()) / 1024
        except PermissionError:
            return None

    def stop(self):
        self.end()
        shutil.rmtree(self.dir, ignore_errors=True)


def listening(argv, times):
    """
    Milliseconds from each start until it takes a connection, on a folder that it has: the first start there makes
    keys and syncs the disk. What both of us wait for a processor is not meant.
    """
    d, out = Daemon(argv), []
    try:
        for _ in range(times):
            d.end()
            first(10)
            d.run()
            first(5)
            while not (s := connected(d.port)):
                quiet(0.0005, "it shows nowhere that it listens")
            out.append((time.monotonic() - d.began) * 1000)
            s.close()
    except PermissionError:
        print("# not root: the time to listen would have waits for a processor in it")
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        d.stop()
    return out


def first(priority):
    """Before all others on this machine: this program, and those that it starts from now on."""
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(priority))


def paths(d, rnpath):
    """How many paths it knows, by stock rnpath; None: it does not say."""
    try:
        out = subprocess.run([rnpath, "-t", "-j", "--config", d.dir], capture_output=True, text=True, timeout=120).stdout
        return len(json.loads(out[out.index("["):]))
    except (ValueError, subprocess.TimeoutExpired):
        return None


class Announces:
    """New destinations, made once for all relays: HEADER_2, as neighbours that pass them on send them."""

    def __init__(self):
        self.raws = []

    def take(self, at, count):
        while len(self.raws) < at + count:
            self.raws.append(Dest().announce())
        return self.raws[at:at + count]


MADE = Announces()


def heard_of(raw, by):
    return frame(bytes([0x51, 1]) + by + raw[2:])


def feed(d, raws, socks, step=32, pace=PACE_S):
    """Each announce from every one of socks, first from the first; the hashes of what the relay passed on to a."""
    out = set()
    ids = [os.urandom(16) for _ in socks]

    def look(timeout):
        for raw in d.a.frames(timeout):
            if raw[0] & 3 == 1 and raw[0] & 0x40:
                out.add(raw[18:34])
    for i in range(0, len(raws), step):
        for s, by in zip(socks, ids):
            s.send(b"".join(heard_of(r, by) for r in raws[i:i + step]))
        look(pace)
        for s in socks:  # what it passes on to them is of no interest
            drain(s)
    look(1.5)
    return out


def drain(s):
    while select.select([s.s], [], [], 0)[0]:
        if not s.s.recv(1 << 18):
            break
    s.buf = b""


def announces(d, at, count, socks):
    """(us of CPU each, passed on) of so many that are new to it."""
    raws = MADE.take(at, count)
    c, t = cpu_ns(d.pids()), time.monotonic()
    got = feed(d, raws, socks)
    spent, took = cpu_ns(d.pids()) - c, time.monotonic() - t
    c = cpu_ns(d.pids())
    quiet(min(took, 3), "time idle, so that timers do not count")
    idle = (cpu_ns(d.pids()) - c) * took / min(took, 3)
    return (spent - idle) / count / 1000, len(got & {r[2:18] for r in raws})


class Way:
    """From a to b; floor: the relay knows no paths and passes on whatever it is given."""

    def __init__(self, d, floor=False):
        self.d, self.dest, self.via = d, Dest(), os.urandom(16)
        while set(self.dest.hash[:4]) & {0x7D, 0x7E}:  # what is counted by must not be escaped
            self.dest = Dest()
        if floor:
            return
        self.via = None
        d.b.send(frame(self.dest.announce()))
        for raw in d.a.frames(10):
            if raw[0] & 0x40 and raw[18:34] == self.dest.hash:
                self.via = raw[2:18]
                break
        if self.via is None:
            raise SystemExit("the relay did not pass an announce on")
        quiet(7, "its second announce is behind us, whether it makes one or not")

    def packets(self, count, size):
        fill, self.n = os.urandom(size), getattr(self, "n", 0) + count
        for i in range(self.n - count, self.n):
            raw = packet_to(self.dest.hash, self.via, 8, i + (1 << 40)) + fill
            yield frame(raw)

    def steps(self, count, size=372):
        """us of CPU a packet of 400 bytes, in steps of 128; packets a second; how many came."""
        raws = list(self.packets(count, size))
        drain(self.d.b)
        c, t, got = cpu_ns(self.d.pids()), time.monotonic(), 0
        for i in range(0, count, 128):
            self.d.a.send(b"".join(raws[i:i + 128]))
            got += self.d.b.count(min(128, count - i), 1, self.dest.hash[:4])
            if got < i / 2:
                break
        return (cpu_ns(self.d.pids()) - c) / count / 1000, got / (time.monotonic() - t), got

    def burst(self, count, size=372):
        """As fast as it takes them: (us of CPU a packet that came, how many came)."""
        data, mark = memoryview(b"".join(self.packets(count, size))), self.dest.hash[:4]
        c, at, got, tail, last = cpu_ns(self.d.pids()), 0, 0, b"", time.monotonic()
        while got < count and time.monotonic() - last < 5:
            r, w, _ = select.select([self.d.b.s], [self.d.a.s] if at < len(data) else [], [], 1)
            if r:
                new = self.d.b.s.recv(1 << 20)
                if not new:
                    break
                tail += new
                got += tail.count(mark)
                tail, last = tail[-3:], time.monotonic()
            if w:
                at += self.d.a.s.send(data[at:at + (1 << 18)])
                last = time.monotonic()
        return (cpu_ns(self.d.pids()) - c) / max(got, 1) / 1000, got


def measure(sides, rnpath, q, before):
    """
    side -> figure -> values; figures that cannot be had are left out. before() is called before each turn. q: how
    much of each: rounds, step, burst, announces, paths.
    """
    rows = {s: {} for s in sides}

    def put(side, figure, value):
        if value is not None:
            rows[side].setdefault(figure, []).append(value)
    for turn in range(q["rounds"]):
        for side, argv in sides.items():
            before()
            d = None
            try:
                d = Daemon(argv, side != FLOOR)
                relay(d, side, turn, rnpath, q, lambda f, v, side=side: put(side, f, v))
            except (OSError, SystemExit) as e:
                print(f"# {side}: {e}", flush=True)
            finally:
                if d:
                    d.stop()
    return rows


def relay(d, side, turn, rnpath, q, put):
    if side != FLOOR:
        put("pss", d.pss())
        us, _ = announces(d, 0, q["announces"] // 8, [d.b])
        n = q["announces"] // 8
        us, passed = announces(d, n, q["announces"], [d.b])
        put("announce", us)
        put("passed", passed)
        n += q["announces"]
        learned = paths(d, rnpath)
        put("learned", learned and learned - q["announces"] // 8)
    way = Way(d, side == FLOOR)
    us, rate, got = way.steps(q["step"])
    if got == q["step"]:
        put("packet", us)
        put("rate", rate)
    else:
        print(f"# {side}: {q['step'] - got} of {q['step']} packets were lost", flush=True)
    if turn == 0:
        us, got = way.burst(q["burst"])
        put("burst", us)
        put("burst-share", 100 * got / q["burst"])
        if side != FLOOR:
            put("after", d.pss())
    if side != FLOOR:
        others = [Sock(d.port + 1) for _ in range(COPIES)]
        quiet(1, "nothing shows that they have been taken")
        us, passed = announces(d, n, q["announces"] // 4, [d.b] + others)
        put("copies", us)
        put("copies-passed", passed)
        for s in others:
            s.s.close()
    if side == "warrend" and turn == 0 and q["paths"]:
        many(d, way, n + q["announces"] // 4, q, put)


def many(d, way, n, q, put):
    """With so many paths known: what one takes, and what packets and announces cost then."""
    before = d.pss()
    raws = MADE.take(n, q["paths"] - n)
    feed(d, raws, [d.b], 64, 0.02)
    quiet(10, "what it passes on, and saves, is behind us")
    drain(d.a)
    after = d.pss()
    if before is not None:
        put("path-kb", (after - before) * 1024 / len(raws))
    us, _, got = way.steps(q["step"])
    if got == q["step"]:
        put("packet-many", us)
    us, _ = announces(d, q["paths"], q["announces"] // 4, [d.b])
    put("announce-many", us)
