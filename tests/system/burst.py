# SPDX-License-Identifier: BSD-2-Clause
"""Bursts through a relay. When the daemon itself is the bottleneck, the sender
waits and nothing is lost; when one receiver is, the packets for it are dropped,
counted, and fairly among those who send to it, and nobody else waits. BURST is
the number of packets; with it, in the long run, slow receivers too."""
import os
import signal
import socket
import sys
import threading

from lib import PATIENCE_S, Node, done, of, quiet, result, status, until
from libjob import free_port, server
from libwire import Frames, Dest, path_through

build = sys.argv[1]
COUNT = int(os.environ.get("BURST", "40000"))
BODY = bytes(range(0x20, 0x60)) * 6 + b"{burst}"  # framing escapes none


def burst(relay, dest, first, count, body=BODY):
    """Frames whose packets differ."""
    head = b"\x7e\x50\x00" + relay + dest + b"\0"
    if b"\x7d" in head[1:] or b"\x7e" in head[1:]:
        raise ValueError("hashes with bytes that framing escapes")
    return b"".join(head + b"%012d" % n + body + b"\x7e"
                    for n in range(first, first + count))


class Reader(threading.Thread):
    """Reads at full speed, or so many bytes a second; counts packets of
    bursts, when slow also by the first digit of their number."""

    def __init__(self, line, rate=None):
        super().__init__(daemon=True)
        self.s, self.rate = line.s, rate
        self.s.settimeout(0.2)
        self.packets, self.going = 0, True
        self.by = {}
        self.start()

    def run(self):
        rest = b""
        while self.going:
            try:
                data = self.s.recv(1 << 20 if self.rate is None else
                                   self.rate // 20)
            except socket.timeout:
                continue
            except OSError:
                return
            if not data:
                return
            data = rest + data
            cut = data.rfind(b"{burst}") + 7
            if cut < 7:
                rest = data
                continue
            data, rest = data[:cut], data[cut:]
            self.packets += data.count(b"{burst}")
            if self.rate is not None:
                quiet(0.05, "the pace of a slow reader")
                for packet in data.split(b"{burst}")[:-1]:
                    who = packet[-len(BODY) - 12 + 7:][:1]
                    self.by[who] = self.by.get(who, 0) + 1

    def got(self):
        return self.packets


def clean(make):
    """One whose hash framing does not escape."""
    while True:
        d = make()
        if not {0x7d, 0x7e} & set(d.hash):
            return d


class Relay(Node):
    def __init__(self, name, doors):
        self.ports = [free_port() for _ in range(doors)]
        super().__init__(build, name, None, config="".join(
            server("Door%d" % n, p) for n, p in enumerate(self.ports)))
        self.write("config", open(os.path.join(self.dir, "config")).read()
                   .replace("[reticulum]",
                            "[reticulum]\nenable_transport = yes"))

    def __enter__(self):
        while True:
            self.start()
            self.ready(["transport"])
            self.lines = [Frames(p) for p in self.ports]
            self.dests = [clean(Dest) for _ in self.ports]
            for far, d in zip(self.lines[1:], self.dests[1:]):
                self.relay = path_through(self.lines[0], far, d)
            if self.relay is None or not {0x7d, 0x7e} & set(self.relay):
                return self
            self.stop()  # its identity has a byte that is escaped
            os.unlink(os.path.join(self.dir, "storage/transport_identity"))

    def __exit__(self, *why):
        self.stop()
        self.remove()

    def drops(self, n):
        return of(self, "Door%d" % n).get("tx_drops", 0)


def own_pace(node, reader):
    node.lines[0].s.settimeout(PATIENCE_S)
    node.lines[0].s.sendall(burst(node.relay, node.dests[1].hash, 0, COUNT))
    until(lambda: reader.got() >= COUNT, "all of the burst")
    result("a burst of %d packets is delivered whole" % COUNT,
           reader.got() == COUNT and node.drops(1) == 0,
           "%d, %d dropped" % (reader.got(), node.drops(1)))


def many(node, reader):
    """All that sixty senders have ready comes in at once: more packets than
    the core has places for."""
    senders, each, before = 60, 1300, reader.got()
    lines = [Frames(node.ports[0]) for _ in range(senders)]
    pid = node.pids()["transport"]
    os.kill(pid, signal.SIGSTOP)
    try:
        for k, line in enumerate(lines):
            line.s.sendall(burst(node.relay, node.dests[1].hash,
                                 10 ** 11 + k * each, each, b"{burst}"))
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: reader.got() - before >= senders * each, "all of them", 15)
    result("sixty that send at once: nothing is lost",
           reader.got() - before == senders * each, "%d of %d, %s" % (
               reader.got() - before, senders * each,
               status(node).get("drops")))


def of_ours():
    with Relay("burst", 2) as node:
        reader = Reader(node.lines[1])
        own_pace(node, reader)
        many(node, reader)
        reader.going = False


def one_slow():
    with Relay("slow", 4) as node:
        readers = [Reader(node.lines[1]), Reader(node.lines[2])]
        far = [d.hash for d in node.dests]
        rounds = COUNT // 400
        node.lines[0].s.sendall(b"".join(
            burst(node.relay, far[k], r * 1000 + k * 10 ** 8, count)
            for r in range(rounds)
            for k, count in ((1, 100), (2, 100), (3, 300))))
        until(lambda: all(r.got() >= rounds * 100 for r in readers),
              "all for those who read", 20)
        result("one of three does not read: the others get all",
               all(r.got() == rounds * 100 for r in readers) and
               node.drops(1) + node.drops(2) == 0,
               "%s of %d" % ([r.got() for r in readers], rounds * 100))
        result("... and what it lost is counted", node.drops(3) > 0,
               str(node.drops(3)))
        for r in readers:
            r.going = False


def fairly():
    """Door 0 sends as much as it can, door 2 a tenth of what door 1 takes."""
    with Relay("fair", 3) as node:
        rate = 4 << 20
        far = node.lines[1]
        far.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        reader = Reader(far, rate)
        going = [True]

        def flood():
            n = 0
            while going[0]:
                node.lines[0].s.sendall(burst(
                    node.relay, node.dests[1].hash, n, 2000))
                n += 2000
        t = threading.Thread(target=flood, daemon=True)
        t.start()
        until(lambda: node.drops(1) > 20000, "the heavy one is dropped")
        light = 0
        while light < 1500:
            node.lines[2].s.sendall(burst(
                node.relay, node.dests[1].hash, 10 ** 11 + light, 50))
            light += 50
            quiet(0.05, "the pace of a tenth")
        until(lambda: reader.by.get(b"1", 0) >= light * 0.97, "the light one", 8)
        result("a full queue is shared: who sends little loses little",
               reader.by.get(b"1", 0) >= light * 0.97, "%d of %d, heavy %d" % (
                   reader.by.get(b"1", 0), light, reader.by.get(b"0")))
        going[0] = False
        reader.going = False


of_ours()
if "BURST" in os.environ:
    one_slow()
    fairly()
done()
