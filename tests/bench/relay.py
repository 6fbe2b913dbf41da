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
import subprocess
import time

from wirelib import Dest, Program, Sock, connected, cpu_ns, frame, packet_to, pss_kb, quiet, tree, until

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
STEPS = 3  # times that packets one after the other are measured, ours and the floor, in each turn
COPIES = 3  # of an announce, by other neighbours
PIECES = 5
LIMIT_S = 6  # of one figure of another daemon, which is then told as far as it came; ours and the floor have more
OURS_LIMIT_S = 60


class Daemon(Program):
    """A relay with two ports: a, b; it has taken one connection on each. config=False: ports are its arguments."""

    def __init__(self, argv, config=True):
        a = self.port = random.randrange(20000, 30000)
        super().__init__(argv, CONFIG.format(n=random.randrange(1 << 30), a=a, b=a + 1))
        self.argv = argv + (["--config", self.dir] if config else [str(a), str(a + 1)])
        self.run()
        if config:
            until(lambda: connected(a), f"port {a}", 60).close()
            quiet(2, "stock rnsd is ready when its first job has run, and shows it nowhere")
        self.connect()

    def connect(self):
        self.a, self.b = Sock(self.port), Sock(self.port + 1)
        quiet(0.5, "stock rnsd shows nowhere that it has taken both")

    def pids(self):
        return tree(self.p.pid)

    def pss(self):
        """MiB; None: programs that dropped their rights are looked at by root only."""
        try:
            return pss_kb(self.pids()) / 1024
        except PermissionError:
            return None


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
        out = subprocess.run([rnpath, "-t", "-j", "--config", d.dir], capture_output=True, text=True, timeout=30).stdout
        return len(json.loads(out[out.index("["):]))
    except (ValueError, subprocess.TimeoutExpired):
        return None


class Announces:
    """New destinations, made once for all relays: HEADER_2, as neighbours that pass them on send them."""

    def __init__(self):
        self.raws = []

    def take(self, at, count, of=None):
        while len(self.raws) < at + count:
            self.raws.append(Dest(of and str(len(self.raws)), of).announce() if of else Dest().announce())
        return self.raws[at:at + count]


MADE = Announces()


def heard_of(raw, by):
    return frame(bytes([0x51, 1]) + by + raw[2:])


def feed(d, raws, socks, step=32, pace=PACE_S, limit=OURS_LIMIT_S):
    """
    Each announce from every one of socks, first from the first: (the hashes of what the relay passed on to a, how
    many it was given before time was out).
    """
    out, given, end = set(), 0, time.monotonic() + limit
    ids = [os.urandom(16) for _ in socks]

    def look(timeout):
        for raw in d.a.frames(timeout):
            if raw[0] & 3 == 1 and raw[0] & 0x40:
                out.add(raw[18:34])
    for i in range(0, len(raws), step):
        if time.monotonic() > end:
            break
        given += len(raws[i:i + step])
        for s, by in zip(socks, ids):
            s.send(b"".join(heard_of(r, by) for r in raws[i:i + step]))
        look(pace)
        for s in socks:  # what it passes on to them is of no interest
            drain(s)
    look(1.5)
    return out, given


def drain(s):
    while select.select([s.s], [], [], 0)[0]:
        if not s.s.recv(1 << 18):
            break
    s.buf = b""


def announces(d, at, count, socks, limit=OURS_LIMIT_S):
    """(us of CPU each, passed on, given) of so many that are new to it."""
    raws = MADE.take(at, count)
    c = cpu_ns(d.pids())
    quiet(2, "time idle, so that timers do not count")
    idle = (cpu_ns(d.pids()) - c) / 2
    c, t = cpu_ns(d.pids()), time.monotonic()
    got, given = feed(d, raws, socks, limit=limit)
    got |= settle(d)
    spent, took = cpu_ns(d.pids()) - c, time.monotonic() - t
    return (spent - idle * took) / given / 1000, len(got & {r[2:18] for r in raws}), given


def settle(d, limit=30):
    """
    Until it sends nothing and spends nearly nothing, so that what it was given is behind it: the hashes of what it
    passed on to a meanwhile.
    """
    end, out = time.monotonic() + limit, set()
    while time.monotonic() < end:
        c, sent = cpu_ns(d.pids()), 0
        for raw in d.a.frames(0.5):
            sent += 1
            if raw[0] & 3 == 1 and raw[0] & 0x40:
                out.add(raw[18:34])
        sent += sum(1 for _ in d.b.frames(0.5))
        if sent == 0 and cpu_ns(d.pids()) - c < 5e7:
            return out
    print("# it is still busy with what it was given", flush=True)
    return out


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

    def steps(self, count, size=372, limit=OURS_LIMIT_S):
        """us of CPU a packet of 400 bytes, in steps of 128; packets a second; how many were sent, and came."""
        raws = list(self.packets(count, size))
        drain(self.d.b)
        c, t, got, sent = cpu_ns(self.d.pids()), time.monotonic(), 0, 0
        for i in range(0, count, 128):
            if time.monotonic() > t + limit:
                break
            sent += min(128, count - i)
            self.d.a.send(b"".join(raws[i:i + 128]))
            got += self.d.b.count(min(128, count - i), 1, self.dest.hash[:4])
            if got < i / 2:
                break
        return (cpu_ns(self.d.pids()) - c) / sent / 1000, got / (time.monotonic() - t), sent, got

    def burst(self, count, size=372, limit=OURS_LIMIT_S):
        """
        As fast as it takes them: (us of CPU a packet that came, how many came, how many it was given). What it has
        taken when time is out, it may still deliver.
        """
        data, mark = memoryview(b"".join(self.packets(count, size))), self.dest.hash[:4]
        end = time.monotonic() + limit
        c, at, got, tail, last = cpu_ns(self.d.pids()), 0, 0, b"", time.monotonic()
        while got < count and time.monotonic() - last < 5:
            more = at < len(data) and time.monotonic() < end
            if not more and got >= int(at * count / len(data)):
                break
            r, w, _ = select.select([self.d.b.s], [self.d.a.s] if more else [], [], 1)
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
        return (cpu_ns(self.d.pids()) - c) / max(got, 1) / 1000, got, round(at * count / len(data))


def measure(sides, rnpath, q, paced):
    """
    side -> figure -> values; figures that cannot be had are left out. paced(): what a check costs now. q: how
    much of each: rounds, step, burst, announces, paths. Packets one after the other are measured in each turn, beside
    the floor; the rest, and other daemons, in the first, and those have a limit of time.
    """
    rows = {s: {} for s in sides}

    def put(side, figure, value):
        if value is not None:
            rows[side].setdefault(figure, []).append(value)
    for turn in range(q["rounds"]):
        for side, argv in sides.items():
            if turn > 0 and side not in (FLOOR, "warrend"):
                continue
            d = None
            try:
                d = Daemon(argv, side != FLOOR)
                relay(Side(d, side, paced, lambda f, v, side=side: put(side, f, v)), turn, rnpath, q)
            except (OSError, SystemExit) as e:
                print(f"# {side}: {e}", flush=True)
            finally:
                if d:
                    d.stop()
    return rows


class Side:
    """One relay in one turn: figure after figure; one that fails is told and costs no other."""

    def __init__(self, d, side, paced, put):
        self.d, self.side, self.paced, self.put, self.way_ = d, side, paced, put, None
        self.limit = OURS_LIMIT_S if side in (FLOOR, "warrend") else LIMIT_S

    def way(self):
        if self.way_ is None:
            self.way_ = Way(self.d, self.side == FLOOR)
        return self.way_

    def told(self, what, given, of):
        if given < of:
            print(f"# {self.side}: {what}: {given:,} of {of:,} in {self.limit} s", flush=True)

    def figure(self, what, measure, *args):
        try:
            measure(self, *args)
        except (OSError, SystemExit) as e:
            print(f"# {self.side}: {what}: {e}", flush=True)
            if self.side == FLOOR:
                raise
            self.way_ = None
            self.d.connect()


def pieces(s, figure, at, count, socks):
    """
    Announces piece by piece, a figure of each, and one check of this moment between them: what a check costs moves
    by a third with what the machine did just before. (passed on, given)
    """
    passed, given, of = 0, 0, PIECES if s.side == "warrend" else 1  # others are slow, and have so much time for each
    for i in range(of):
        s.put(figure + "-check", s.paced())
        first, end = (count * k // of for k in (i, i + 1))
        us, out, n = announces(s.d, at + first, end - first, socks, s.limit)
        s.put(figure, us)
        passed, given = passed + out, given + n
    s.put(figure + "-check", s.paced())
    return passed, given


def new_announces(s, q, rnpath):
    """The first eighth warms it and is not reckoned."""
    warm, n = q["announces"] // 8, q["announces"]
    _, first, given = announces(s.d, 0, warm, [s.d.b], s.limit)
    passed, more = pieces(s, "announce", warm, n - warm, [s.d.b])
    s.told("announces", given + more, n)
    s.put("passed", first + passed)
    s.put("learned", paths(s.d, rnpath))


def stepwise(s, q, times):
    """Several times: one of them moves by a third with what else the machine does."""
    for _ in range(times if s.side in (FLOOR, "warrend") else 1):
        us, rate, sent, got = s.way().steps(q["step"], limit=s.limit)
        s.told("packets", sent, q["step"])
        if got == sent:
            s.put("packet", us)
            s.put("rate", rate)
        else:
            print(f"# {s.side}: {sent - got} of {sent} packets were lost", flush=True)


def bursts(s, q):
    us, got, given = s.way().burst(q["burst"], limit=s.limit)
    s.told("burst", given, q["burst"])
    s.put("burst", us)
    s.put("burst-share", 100 * min(got, given) / max(given, 1))
    if s.side != FLOOR:
        s.put("after", s.d.pss())


def copies(s, q, at):
    others = [Sock(s.d.port + 1) for _ in range(COPIES)]
    try:
        quiet(1, "nothing shows that they have been taken")
        passed, given = pieces(s, "copies", at, q["announces"] // 4, [s.d.b] + others)
        s.told("announces with copies", given, q["announces"] // 4)
        s.put("copies-passed", passed)
    finally:
        for o in others:
            o.s.close()


def relay(s, turn, rnpath, q):
    side, at = s.side, q["announces"]
    if side != FLOOR and turn == 0:
        s.put("pss", s.d.pss())
        s.figure("announces", new_announces, q, rnpath)
    s.figure("packets", stepwise, q, STEPS if turn > 0 else 1)
    if turn > 0:
        return
    s.figure("burst", bursts, q)
    if side in (FLOOR, "warrend"):  # behind it: the memory after a burst is that of so many packets
        s.figure("packets", stepwise, q, STEPS - 1)
    if side == FLOOR:
        s.figure("packets", after_burst, q)
    if side != FLOOR:
        s.figure("copies", copies, q, at)
    if side == "warrend" and q["paths"]:
        s.figure("many paths", many, at + q["announces"] // 4, q)


def after_burst(s, q):
    """Packets one after the other again, where the hashes of a burst are remembered: nine times, as those grow."""
    for _ in range(9):
        us, _, sent, got = s.way().steps(q["step"])
        if got == sent:
            s.put("packet-many", us)


def many(s, n, q):
    """With so many paths known: what one takes, and what packets and announces cost then."""
    d, put = s.d, s.put
    before = d.pss()
    raws = MADE.take(n, q["paths"] - n, Dest())
    feed(d, raws, [d.b], 128, 0.02)
    quiet(7, "what it passes on a second time, and saves, has begun")
    settle(d, 120)
    after = d.pss()
    if before is not None:
        put("path-kb", (after - before) * 1024 / len(raws))
    after_burst(s, q)
    us, _, _ = announces(d, q["paths"], q["announces"] // 4, [d.b])
    put("announce-many", us)
