# SPDX-License-Identifier: BSD-2-Clause
"""CPU per announce and per relayed packet, idle memory: a relay of ours beside stock rnsd, in turns, in one run."""

import os
import random
import signal
import shutil
import subprocess
import tempfile
import time

from wirelib import Dest, Sock, cpu_ns, frame, packet_to, pss_kb, quiet, tree

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


class Daemon:
    def __init__(self, argv):
        self.dir = tempfile.mkdtemp(prefix="warren-bench-")
        os.chmod(self.dir, 0o700)
        n = random.randrange(1 << 30)
        a = self.port = random.randrange(20000, 30000)
        with open(self.dir + "/config", "w") as f:
            f.write(CONFIG.format(n=n, a=a, b=a + 1))
        os.chmod(self.dir + "/config", 0o600)
        self.p = subprocess.Popen(argv + ["--config", self.dir], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.a, self.b = Sock(a), Sock(a + 1)
        quiet(2, "stock rnsd is ready when its first job has run, and shows it nowhere")
        self.a.s.close()
        self.b.s.close()
        self.a, self.b = Sock(a), Sock(a + 1)
        quiet(0.5, "stock rnsd shows nowhere that it has taken both")

    def pids(self):
        return tree(self.p.pid)

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        try:
            self.p.wait(10)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def announces(d, count):
    """Microseconds of CPU for each announce that is heard for the first time and passed on once."""
    raws = [frame(Dest().announce()) for _ in range(count)]
    c = cpu_ns(d.pids())
    quiet(count / 32 * 0.02 + 1.0, "the same time idle, so that timers do not count")
    c0 = cpu_ns(d.pids())
    idle = c0 - c
    for i in range(0, count, 32):
        d.b.send(b"".join(raws[i:i + 32]))
        quiet(0.02, "the pace of the announces")
    quiet(1.0, "as long as the idle time that is taken off")
    return (cpu_ns(d.pids()) - c0 - idle) / count / 1000


def relayed(d, count, size):
    """Microseconds of CPU for each packet forwarded from a to b."""
    dest = Dest()
    while set(dest.hash[:4]) & {0x7D, 0x7E}:  # what is counted by must not be escaped
        dest = Dest()
    d.b.send(frame(dest.announce()))
    transport_id = None
    for raw in d.a.frames(10):
        if raw[0] & 0x40 and raw[18:34] == dest.hash:
            transport_id = raw[2:18]
            break
    if transport_id is None:
        raise SystemExit("the relay did not pass an announce on")
    quiet(7, "its second announce is behind us, whether it makes one or not")
    raws = [frame(packet_to(dest.hash, transport_id, size, i)) for i in range(count)]
    c0, t0, got = cpu_ns(d.pids()), time.time(), 0
    for i in range(0, count, 128):
        d.a.send(b"".join(raws[i:i + 128]))
        got += d.b.count(min(128, count - i), 1, dest.hash[:4])
        if got < i / 2:
            break
    return (cpu_ns(d.pids()) - c0) / count / 1000, got / (time.time() - t0), got


def measure(sides, rounds, packets, count, before):
    """side -> figure -> values; figures that cannot be had are left out. before() is called before each turn."""
    rows = {s: {"announce": [], "packet": [], "rate": [], "pss": []} for s in sides}
    for _ in range(rounds):
        for side, argv in sides.items():
            before()
            d, r = Daemon(argv), rows[side]
            try:
                try:
                    r["pss"].append(pss_kb(d.pids()) / 1024)
                except PermissionError:
                    pass  # programs that dropped their rights are looked at by root only
                r["announce"].append(announces(d, count))
                us, rate, got = relayed(d, packets, 300)
                if got < packets:
                    print(f"# {side}: {packets - got} of {packets} packets were lost", flush=True)
                else:
                    r["packet"].append(us)
                    r["rate"].append(rate)
            finally:
                d.stop()
    return rows
