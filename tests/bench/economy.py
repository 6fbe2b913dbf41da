# SPDX-License-Identifier: BSD-2-Clause
"""What one small job costs on the air: every packet between a submitter's daemon and the node, and where its bytes go."""

import os
import random
import socket
import threading

import ends
from wirelib import until

# of a link that is too slow for larger packets than 500 bytes (reticulum-transport.md 8.3)
SLOW = "bitrate = 20000\n"
SMALL = """image: bench/true:latest
command: ["/bin/sh", "-c", "printf %0100d 0"]
cap_drop: [ALL]
limits: {memory: 16MB, time: 10s, pids: 4, output: 1MB, log: 4kB, cpu: 0.5}
network: isolated
deadline: 1h
"""
HEADER, TOKEN = 19, 48
# what a packet is for, by its context; those of a link's beginning are not the job's
LINK = {0xFB: "identification", 0xFE: "round trip", 0xFF: "link proof", 0xFC: "end of the link", 0xFA: "keepalive"}
WORDS = {0x01: "parts", 0x02: "advertisements", 0x03: "part requests", 0x04: "hash maps", 0x05: "proofs of resources",
         0x06: "cancelled", 0x07: "rejected", 0x09: "requests", 0x0A: "answers", 0x0E: "streams", 0x00: "proofs"}


class Air:
    """TCP to a port of this machine; each frame of HDLC that passes is noted as (to the node?, what, bytes)."""

    def __init__(self, target):
        self.packets = []
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
            for x, y, there in ((a, b, False), (b, a, True)):
                threading.Thread(target=self.pump, args=(x, y, there), daemon=True).start()

    def pump(self, x, y, there):
        buf = b""
        try:
            while d := x.recv(1 << 16):
                y.sendall(d)
                *whole, buf = (buf + d).split(b"\x7e")
                for f in whole:
                    f = f.replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")
                    if len(f) >= HEADER:
                        self.packets.append((there, *self.of(f)))
        except OSError:
            pass
        y.close()

    @staticmethod
    def of(f):
        kind, at = f[0] & 3, 34 if f[0] & 0x40 else 18
        if kind == 1:
            return "announces", len(f)
        if kind == 2:
            return "link request", len(f)
        if f[0] >> 2 & 3 != 3:
            return "paths and others", len(f)
        return LINK.get(f[at]) or WORDS.get(f[at], f"context {f[at]:02x}"), len(f)


def measure(build):
    """
    A job of 100 bytes of output, and the same again: of each {(to the node?, what): [packets, bytes]}; bytes of its
    envelope and of an announce of the node.
    """
    where = ends.port()
    air, out = Air(where), []
    announce = envelope = 0
    with ends.Jobs(build, ends.UP.format(port=air.port) + SLOW, "max_airtime: 1d\n") as j:
        hub = j.path("hub")
        os.mkdir(hub, 0o700)
        ends.text(j.path("hub", "config"), ends.CONFIG.format(n=random.randrange(1 << 30)) +
                  ends.HUB.format(port=where) + SLOW)
        ends.text(j.path("job.yaml"), SMALL)
        j.daemon([os.path.join(build, "warrend"), "--config", hub])
        j.start(hub)
        announce = max((n for _, what, n in air.packets if what == "announces"), default=0)
        for i in range(2):
            air.packets.clear()
            p = j.run("submit", "job.yaml", "--to", j.dest, "--out", f"out{i}", config=hub)
            if p.returncode != 0:
                print("# economy:", p.stderr.decode().strip()[-400:], flush=True)
                break
            until(lambda: any(what == "end of the link" for _, what, _ in air.packets), "the end of the link", 20)
            sums = {}
            for there, what, n in list(air.packets):
                s = sums.setdefault((there, what), [0, 0])
                s[0] += 1
                s[1] += n
            out.append(sums)
            envelope = os.path.getsize(j.path(f"out{i}", "manifest"))
        j.good = len(out) == 2
    air.s.close()
    return out, envelope, announce


def rows(t, build):
    """The table's rows of it."""
    runs, envelope, announce = measure(build)
    t.row("an announce of a node, bytes", [announce] if announce else [], aim="400", met=lambda x, y: x <= 400)
    beginning = set(LINK.values()) | {"link request", "announces", "paths and others"}
    for sums, name in zip(runs, ("a small job, the first of a submitter", "a small job, the next one")):
        of = {k: v for k, v in sums.items() if k[1] not in beginning}
        packets = [sum(v[0] for k, v in of.items() if k[0] == way) for way in (True, False)]
        total = sum(v[1] for v in of.values())
        t.row(name + ", bytes", [total], aim="2,000", met=lambda x, y: x <= 2000)
        t.row("  packets to the node", [packets[0]], aim="8", met=lambda x, y: x <= 8)
        t.row("  packets from the node", [packets[1]], aim="8", met=lambda x, y: x <= 8)
        t.row("  link, its beginning and end, bytes", [sum(v[1] for k, v in sums.items() if k[1] in beginning and
                                                           k[1] not in ("announces", "paths and others"))])
        t.row("  headers", [HEADER * sum(packets)])
        t.row("  encryption, without padding", [TOKEN * sum(v[0] for k, v in of.items() if k[1] not in (
            "parts", "proofs", "proofs of resources"))])
        for (there, what), (n, size) in sorted(of.items(), key=lambda kv: -kv[1][1]):
            t.row(f"  {what} {'to' if there else 'from'} the node, {n}, bytes", [size])
    if envelope:
        t.row("  of them the envelope as JSON, bytes", [envelope])
        # of 317: what the submitter knows is left out (compute.md 3.4)
        t.row("  of them the receipt, bytes", [205])
