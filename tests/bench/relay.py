"""CPU per announce and per relayed packet, idle memory: a relay of ours beside stock rnsd, in turns, in one run."""

import argparse
import os
import random
import signal
import statistics
import subprocess
import tempfile
import time

from wirelib import Dest, Sock, cpu_ns, frame, packet_to, pss_kb, sha, tree

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
  [[b]]
    type = TCPServerInterface
    enabled = yes
    listen_ip = 127.0.0.1
    listen_port = {b}
    ingress_control = no
"""


class Daemon:
    def __init__(self, argv):
        self.dir = tempfile.mkdtemp(prefix="warren-bench-")
        os.chmod(self.dir, 0o700)
        n = random.randrange(1 << 30)
        a = random.randrange(20000, 50000)
        with open(self.dir + "/config", "w") as f:
            f.write(CONFIG.format(n=n, a=a, b=a + 1))
        os.chmod(self.dir + "/config", 0o600)
        self.p = subprocess.Popen(argv + ["--config", self.dir], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.a, self.b = Sock(a), Sock(a + 1)
        time.sleep(2)  # stock rnsd is ready when its first job has run
        self.a.s.close()
        self.b.s.close()
        self.a, self.b = Sock(a), Sock(a + 1)
        time.sleep(0.5)

    def pids(self):
        return tree(self.p.pid)

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        try:
            self.p.wait(10)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()


def announces(d, count):
    """Microseconds of CPU for each announce that is heard for the first time."""
    raws = [frame(Dest().announce()) for _ in range(count)]
    c0 = cpu_ns(d.pids())
    for i in range(0, count, 32):
        d.b.send(b"".join(raws[i:i + 32]))
        time.sleep(0.02)
    time.sleep(1.0)
    c1 = cpu_ns(d.pids())
    # the same time idle, so that timers do not count
    time.sleep(count / 32 * 0.02 + 1.0)
    idle = cpu_ns(d.pids()) - c1
    return (c1 - c0 - idle) / count / 1000


def relayed(d, count, size):
    """Microseconds of CPU for each packet forwarded from a to b."""
    dest = Dest()
    d.b.send(frame(dest.announce()))
    transport_id = None
    for raw in d.a.frames(10):
        if raw[0] & 0x40 and raw[18:34] == dest.hash:
            transport_id = raw[2:18]
            break
    if transport_id is None:
        raise SystemExit("the relay did not pass an announce on")
    time.sleep(7)  # its second announce is behind us
    raws = [frame(packet_to(dest.hash, transport_id, size, i)) for i in range(count)]
    c0, t0, got = cpu_ns(d.pids()), time.time(), 0
    for i in range(0, count, 128):
        d.a.send(b"".join(raws[i:i + 128]))
        got += d.b.count(min(128, count - i), 1, dest.hash[:4])
        if got < i / 2:
            break
    return (cpu_ns(d.pids()) - c0) / count / 1000, got / (time.time() - t0), got


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--build", required=True)
    ap.add_argument("--rnsd", required=True)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--packets", type=int, default=8192)
    ap.add_argument("--announces", type=int, default=1024)
    a = ap.parse_args()
    sides = {"warrend": [os.path.join(a.build, "warrend")], "rnsd": [a.rnsd]}
    rows = {s: {"announce": [], "packet": [], "rate": [], "pss": []} for s in sides}
    for _ in range(a.rounds):
        for side, argv in sides.items():
            d = Daemon(argv)
            try:
                r = rows[side]
                r["pss"].append(pss_kb(d.pids()))
                r["announce"].append(announces(d, a.announces))
                us, rate, got = relayed(d, a.packets, 300)
                if got < a.packets:
                    print(f"# {side}: {a.packets - got} of {a.packets} packets were lost")
                r["packet"].append(us)
                r["rate"].append(rate)
            finally:
                d.stop()
    med = statistics.median
    floor = float(subprocess.run([os.path.join(a.build, "tests/bench/floor")], capture_output=True, text=True,
                                 check=True).stdout.split()[1])
    w, s = rows["warrend"], rows["rnsd"]
    print(f"{'median of ' + str(a.rounds) + ' rounds':34} {'warrend':>12} {'rnsd':>12}   ratio")
    for key, label, unit in (("announce", "CPU per announce", "us"), ("packet", "CPU per relayed packet", "us"),
                             ("rate", "packets/s, one sender", ""), ("pss", "idle memory, PSS", "KiB")):
        x, y = med(w[key]), med(s[key])
        print(f"{label + (', ' + unit if unit else ''):34} {x:12.1f} {y:12.1f}   {x / y:.3f}")
    print(f"{'one Ed25519 check (libsodium), us':34} {floor:12.1f}   announce / check: {med(w['announce']) / floor:.2f}"
          f" (aim 1.5)")


if __name__ == "__main__":
    main()
