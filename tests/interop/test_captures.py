# SPDX-License-Identifier: BSD-2-Clause
"""What devices behind a serial port are sent by stock rnsd and by warrend, byte for byte, on the same configuration."""

import os
import sys
import threading

import lib
from lib import check, config, server
from test_jobs import IN_GROUP, Daemon

sys.path[:0] = [os.path.join(lib.HERE, "..", "bench"), os.path.join(lib.HERE, "..")]
from ptys import Port  # noqa: E402
from wirelib import Dest, Sock, packet_to, sha  # noqa: E402
from radio.kiss import frame as kiss, hdlc  # noqa: E402

FEND, FLAG = 0xC0, 0x7E
ODD = [bytes(range(256)), b"\xc0" * 60 + b"\xdb" * 60 + b"\xdc\xdd" * 9, b"\x7e" * 50 + b"\x7d" * 50 + b"\x5e\x5d" * 5,
       b"\0", b"\xc0", b"\x7d", b"\xdb" * 400]  # of packets
PLAIN, ONE_HOP = 0x00, 1  # of the last one on the way
AX25 = bytes(c << 1 for c in b"APZRNS") + b"\x60" + bytes(c << 1 for c in b"N0CALL") + b"\x63\x03\xf0"
DETECT = b"\x08\x73"
# of a device with radios, when it is asked: what it is; everything else it says again
RNODE = {0x08: b"\x46", 0x50: b"\x01\x4a", 0x48: b"\x70", 0x49: b"\x71"}


class Device:
    """One end of a pty; answer(command, data) of those that speak KISS is what it says to a frame."""

    def __init__(self, path, flag, answer=None):
        self.port, self.flag, self.answer = Port(path), flag, answer
        self.got, self.seen, self.over = bytearray(), 0, False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.over:
            self.got += self.port.read(0.05)
            pieces = bytes(self.got).split(bytes([self.flag]))[:-1]
            for p in pieces[self.seen:]:
                if p and self.answer:
                    self.port.write(b"".join(kiss(c, d) for c, d in self.answer(p[0], p[1:])))
            self.seen = len(pieces)

    def frames(self):
        """As they stand on the line, escaped; the last may be cut."""
        return [p for p in bytes(self.got).split(bytes([self.flag]))[1:-1] if p]

    def stop(self):
        self.over = True
        self.thread.join()
        self.port.unplug()


def ready(command, data):
    """A TNC with flow control."""
    return [(0x0F, b"\x01")] if command == 0 else []


def radios(chips):
    """An RNode, or one with several radios; each command is said again."""
    def answer(command, data):
        if command == 0x71:
            return [(0x71, bytes([i, c])) for i, c in enumerate(chips)]
        return [] if command in (0, 0x41, 0x0A) else [(command, RNODE.get(command, unescaped(data)))]
    return answer


def unescaped(data):
    return data.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")


class Side:
    """One of the two daemons with its device; who comes by TCP sends packets through it to who is behind the device."""

    def __init__(self, ctx, stock, kind, keys, flag, answer, wrap, key):
        self.folder, self.wrap = ctx.dir("rnsd" if stock else "warrend"), wrap
        self.dev = ctx.keep(Device(os.path.join(ctx.dir("port"), "device"), flag, answer))
        os.makedirs(os.path.join(self.folder, "storage"), mode=0o700)
        self.tcp = lib.free_port()
        text = config(server("door", self.tcp) + f"[[device]]\ntype = {kind}\nenabled = yes\nport = {self.dev.port.path}\n{keys}",
                      transport=True)
        for name, data in (("config", text.encode()), ("storage/transport_identity", key)):
            path = os.path.join(self.folder, name)
            with open(path, "wb") as f:
                f.write(data)
            os.chmod(path, 0o600)
        argv = [ctx.args.python, "-m", "RNS.Utilities.rnsd", "--config", self.folder] if stock else \
            [IN_GROUP, os.path.join(ctx.args.build, "warrend"), "--config", self.folder]
        self.daemon = Daemon(ctx, argv, "rnsd.log" if stock else "warrend.log")

    def begin(self, n):
        """What it was told before its first packet; rnsd on a slow machine begins again when an answer is late."""
        frames = self.dev.frames()
        last = max((i for i, f in enumerate(frames) if f == DETECT), default=0)
        return frames[last:last + n]

    def learns(self, dest, announce, node):
        """Until a packet comes through; those are not compared. A connection that rnsd takes as it starts is of no use."""
        tries = 0

        def through():
            nonlocal tries
            tries += 1
            self.dev.port.write(self.wrap(announce))
            try:
                self.sock = Sock(self.tcp)
                self.sock.send(hdlc(packet_to(dest, node, 8, tries)))
            except OSError:
                pass
            lib.quiet(0.5, "the pace of what is tried")
            return self.data(dest)
        lib.must(through, "a path to who is behind the device")
        lib.quiet(1.5, "what else was tried comes as well")
        self.before = len(self.data(dest))

    def plain(self, frame):
        if self.dev.flag == FEND:
            return unescaped(frame)
        return frame.replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")

    def data(self, dest):
        """Frames with packets to it."""
        head = bytes([PLAIN, ONE_HOP]) + dest + b"\0"
        return [f for f in self.dev.frames() if head in self.plain(f)]

    def carries(self, dest, node):
        for i, data in enumerate(ODD):
            self.sock.send(hdlc(b"\x50\0" + node + dest + b"\0" + data))
            lib.must(lambda: len(self.data(dest)) == self.before + i + 1, f"packet {i}")


def same(kind, keys, flag, answer=None, wrap=None, start=0, beacon=None):
    """start: frames before the first packet; beacon: one that is to come, too."""
    def run(ctx):
        import cryptography.hazmat.primitives.asymmetric.ed25519 as ed
        import cryptography.hazmat.primitives.asymmetric.x25519 as x
        key = os.urandom(64)
        pub = x.X25519PrivateKey.from_private_bytes(key[:32]).public_key().public_bytes_raw() + \
            ed.Ed25519PrivateKey.from_private_bytes(key[32:]).public_key().public_bytes_raw()
        node, far = sha(pub)[:16], Dest()
        announce = far.announce()
        os.chmod(ctx.folder, 0o755)
        sides = [Side(ctx, stock, kind, keys, flag, answer, wrap or hdlc, key) for stock in (True, False)]
        for s in sides:  # stock falls over packets of radios that it has not yet
            lib.must(lambda: len(s.begin(start)) == start, "the device is set up")
        lib.quiet(1, "it is up a while after that")
        for s in sides:
            s.learns(far.hash, announce, node)
        for s in sides:
            s.carries(far.hash, node)
            if beacon:
                lib.must(lambda: beacon in s.dev.frames(), "a beacon")
        ends = []
        for s in sides:
            held = len(s.dev.frames())
            s.daemon.stop()
            lib.quiet(0.3, "the last words are read")
            ends.append([f for f in s.dev.frames()[held:] if f != beacon])
        a, b = sides
        check(a.begin(start) == b.begin(start), f"at the start rnsd says {a.begin(start)}, we {b.begin(start)}")
        one, two = (s.data(far.hash)[s.before:] for s in sides)
        check(one == two and len(one) == len(ODD), f"rnsd sent {one}, we {two}")
        for f in two:  # with both its flags
            check(bytes([flag]) + f + bytes([flag]) in b.dev.got, f"{f} between its flags")
        check(ends[0] == ends[1], f"at the end rnsd says {ends[0]}, we {ends[1]}")
    return run


def radio(vport, frequency, bandwidth, power):
    return f"[[[of{vport}]]]\ninterface_enabled = yes\nvport = {vport}\nfrequency = {frequency}\nbandwidth = {bandwidth}\n" \
        f"txpower = {power}\nspreadingfactor = 7\ncodingrate = 5\n"


def tnc(packet):
    return kiss(0, packet)


def behind_radio(packet):
    return kiss(0x1F, b"\1") + kiss(0, packet)


TESTS = []
LONG = [
    ("captures: a cable", same("SerialInterface", "speed = 115200\n", FLAG)),
    ("captures: a TNC, times out of range, a beacon without a callsign",
     same("KISSInterface", "preamble = -10\ntxtail = 2551\npersistence = 300\nslottime = 49\nid_interval = 2\n", FEND, None, tnc, 5,
          bytes(16))),
    ("captures: AX.25 with flow control",
     same("AX25KISSInterface", "callsign = n0call\nssid = 1\nflow_control = yes\n", FEND, ready,
          lambda p: kiss(0, AX25 + p), 5)),
    ("captures: an RNode", same("RNodeInterface", "frequency = 868200000\nbandwidth = 500000\ntxpower = 7\nspreadingfactor = 7\n"
     "codingrate = 5\nairtime_limit_short = 99.29\nairtime_limit_long = 100\n", FEND, radios([]), tnc, 12)),
    ("captures: radios whose sections are not in their order",
     same("RNodeMultiInterface", radio(1, 2412000000, 1625000, -3) + radio(0, 868200000, 500000, 14), FEND,
          radios([0x11, 0x21]), behind_radio, 29)),
]
