# SPDX-License-Identifier: BSD-2-Clause
"""
What a serial line at its full rate costs, and how soon a TNC is in use after a start: ours beside stock rnsd. The
line is a pty; bytes come as a port of that speed gives them.
"""

import os
import random
import sys
import tempfile
import time

from wirelib import Dest, Program, Sock, cpu_ns, frame, packet_to, quiet, tree, until

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from ptys import Port  # noqa: E402

CONFIG = """[reticulum]
  enable_transport = yes
  share_instance = yes
  instance_name = bench{n}
[logging]
  loglevel = 1
[interfaces]
  [[tcp]]
    type = TCPServerInterface
    enabled = yes
    listen_ip = 127.0.0.1
    listen_port = {tcp}
  [[line]]
    type = {kind}
    enabled = yes
    port = {port}
    speed = {speed}
    bitrate = 1000000
"""
SPEED = 115200
CHUNK = 16  # bytes that a UART gathers before it tells
SIZE = 400
# what the TNC is told last before it carries (reticulum-transport.md 10.7)
READY = b"\xc0\x0f\x01\xc0"


class Daemon(Program):
    def __init__(self, argv, kind):
        self.tcp = random.randrange(20000, 30000)
        self.room = tempfile.mkdtemp(prefix="warren-bench-")
        self.line = Port(os.path.join(self.room, "port"))
        super().__init__(argv, CONFIG.format(n=random.randrange(1 << 30), tcp=self.tcp, kind=kind,
                                             port=self.line.path, speed=SPEED))
        self.argv = argv + ["--config", self.dir]
        self.run()

    def stop(self):
        super().stop()
        self.line.unplug()
        os.rmdir(self.room)


def online(argv, times):
    """Milliseconds from each start until the TNC has its settings; the first start, which makes keys, is left out."""
    d, out = Daemon(argv, "KISSInterface"), []
    said = b""

    def told():
        nonlocal said
        said += d.line.read(0.002)
        return READY in said
    try:
        for k in range(times + 1):
            if k:
                d.end()
                said = b""
                d.run()
            if not until(told, "the TNC is told how to send", 30):
                break
            if k:
                out.append((time.monotonic() - d.began) * 1000)
    finally:
        d.stop()
    return out


def relay_of(d, sock, dest):
    """Who the line is told to send through for dest, which is announced over TCP."""
    told = b""

    def heard():
        nonlocal told
        sock.send(frame(dest.announce()))
        told += d.line.read(0.3)
        for raw in told.split(b"\x7e"):
            raw = raw.replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")
            if len(raw) > 34 and raw[0] & 0x43 == 0x41 and raw[18:34] == dest.hash:
                return raw[2:18]
        return None
    return until(heard, "an announce on the line", 60)


def full_rate(argv, seconds):
    """(CPU us of a frame, % of frames that came through, CPU ms a second at rest)"""
    d = Daemon(argv, "SerialInterface")
    try:
        Sock(d.tcp).s.close()
        quiet(2, "stock rnsd is ready when its first job has run, and shows it nowhere")
        sock, dest = Sock(d.tcp), Dest()
        relay = relay_of(d, sock, dest)
        if relay is None:
            return None
        quiet(1, "what the start has to do is not the line's")
        pids = tree(d.p.pid)
        rest = cpu_ns(pids)
        quiet(seconds, "at rest")
        rest = cpu_ns(pids) - rest
        count = int(seconds * SPEED / 10 / (SIZE + 40))
        data = b"".join(frame(packet_to(dest.hash, relay, SIZE, i)) for i in range(count))
        before, begin = cpu_ns(pids), time.monotonic()
        for at in range(0, len(data), CHUNK):
            d.line.write(data[at:at + CHUNK], 1)
            late = begin + at * 10 / SPEED - time.monotonic()
            if late > 0:
                quiet(late, "the pace of the line")
        came = 0
        for raw in sock.frames(3):
            came += raw[0] & 0x43 == 0 and raw[2:18] == dest.hash
            if came == count:
                break
        return (cpu_ns(pids) - before) / 1000 / count, 100 * came / count, rest / 1e6 / seconds
    finally:
        d.stop()


def measure(sides, quick):
    """{side: {figure: values}}, the sides by turns."""
    out = {name: {"online": online(argv, 1 if quick else 3), "frame": [], "came": [], "rest": []}
           for name, argv in sides.items()}
    for _ in range(1 if quick else 3):
        for name, argv in sides.items():
            r = full_rate(argv, 2 if quick else 5)
            for figure, value in zip(("frame", "came", "rest"), r or ()):
                out[name][figure].append(value)
    return out
