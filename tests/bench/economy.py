# SPDX-License-Identifier: BSD-2-Clause
"""What one small job costs on the air: every packet between a submitter's daemon and the node, and where its bytes go."""

import base64
import json
import os
import random
import shutil
import socket
import threading
import time

import ends
from wirelib import quiet, until

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
BINDING, RECEIPT, OUTPUT = 242, 205, 100
# what a packet is for, by its context; those of a link's beginning are not the job's
LINK = {0xFB: "identification", 0xFE: "round trip", 0xFF: "link proof", 0xFC: "end of the link", 0xFA: "keepalive"}
WORDS = {0x01: "parts", 0x02: "advertisements", 0x03: "part requests", 0x04: "hash maps", 0x05: "proofs of resources",
         0x06: "cancelled", 0x07: "rejected", 0x09: "requests", 0x0A: "answers", 0x0E: "streams", 0x00: "proofs"}


class Air:
    """
    TCP to a port of this machine; each frame of HDLC that passes is noted as (to the node?, what, bytes). With a rate
    both ways share it, one frame at a time, and so much of `loss` never arrives.
    """

    def __init__(self, target):
        self.packets = []
        self.rate, self.loss, self.chance, self.busy = 0, 0.0, random.Random(7), threading.Lock()
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
                *whole, buf = (buf + d).split(b"\x7e")
                for f in whole:
                    self.passes(y, f, there)
        except OSError:
            pass
        y.close()

    def passes(self, y, framed, there):
        f = framed.replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")
        if len(f) < HEADER:
            return
        with self.busy:
            if self.rate:
                quiet(len(f) * 8 / self.rate, "a frame is on the air")
            self.packets.append((there, *self.of(f)))
            if self.chance.random() < self.loss:
                return
        y.sendall(b"\x7e" + framed + b"\x7e")

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


BEGINNING = set(LINK.values()) | {"link request"}
OTHERS = {"announces", "paths and others"}


def requests(packets):
    """The packets of a job, by request: each begins with one, or with the advertisement of one, to the node."""
    out = []
    for there, what, n in packets:
        if what in BEGINNING | OTHERS:
            continue
        if there and what in ("requests", "advertisements"):
            out.append([])
        if out:
            out[-1].append((there, what, n))
    return out


def envelope_of(folder):
    """Bytes of the envelope as it travels, of its payload, and of what of that could be left out: (bytes, what)."""
    with open(os.path.join(folder, "manifest")) as f:
        m = json.load(f)
    text = base64.b64decode(m["payload"].replace("-", "+").replace("_", "/") + "==")
    payload = json.loads(text)

    def size(*keys):
        return sum(len(json.dumps({k: payload[k]}, separators=(",", ":"))) - 1 for k in keys if k in payload)
    # array, magic, type, head of the payload; of each signature 4 bytes of its key's print, 64, and heads
    around = len(m["payloadType"]) + 2 + 5 + 1 + 3 + 1 + 73 * len(m["signatures"])
    spare = [(size("submitter", "node") - 2 * len('"submitter":"",') - 64,
              "both names are 64 hex digits: 32 bytes each would do"),
             (size("_type", "cap_drop", "network", "read_only_fs", "retries"),
              "members of the payload that say what is so anyway"),
             (size("nonce") - 16 - len('"nonce":"",'), "the nonce is hex digits")]
    return len(text) + around, len(text), spare


class Bench:
    """A node, and a submitter behind a daemon of his own; the air between is `air`."""

    def __init__(self, build):
        self.build, where = build, ends.port()
        self.air = Air(where)
        self.jobs = ends.Jobs(build, ends.UP.format(port=self.air.port) + SLOW, "max_airtime: 1d\n")
        self.where, self.n = where, 0

    def __enter__(self):
        j = self.jobs.__enter__()
        self.hub = j.path("hub")
        os.mkdir(self.hub, 0o700)
        ends.text(j.path("hub", "config"), ends.CONFIG.format(n=random.randrange(1 << 30)) +
                  ends.HUB.format(port=self.where) + SLOW)
        ends.text(j.path("job.yaml"), SMALL)
        j.daemon([os.path.join(self.build, "warrend"), "--config", self.hub])
        j.start(self.hub)
        return self

    def __exit__(self, *e):
        self.air.s.close()
        return self.jobs.__exit__(*e)

    def forget(self):
        """The next job is a submitter's first: what is kept of the node goes."""
        shutil.rmtree(self.jobs.path("person", "contacts"), ignore_errors=True)

    def submit(self):
        """(packets, seconds, folder), or None."""
        self.n += 1
        out, began = f"out{self.n}", time.monotonic()
        self.air.packets.clear()
        p = self.jobs.run("submit", "job.yaml", "--to", self.jobs.dest, "--out", out, config=self.hub)
        took = time.monotonic() - began
        if p.returncode != 0:
            print("# economy:", p.stderr.decode().strip()[-400:], flush=True)
            return None
        until(lambda: any(what == "end of the link" for _, what, _ in self.air.packets), "the end of the link", 20)
        return list(self.air.packets), took, self.jobs.path(out)


def total(packets):
    return sum(n for _, what, n in packets if what not in BEGINNING | OTHERS)


def split(t, packets, names, envelope):
    """Rows of one job: by request, and where the bytes of all go."""
    by = requests(packets)
    for i, r in enumerate(by):
        name = names[i] if len(by) == len(names) else f"request {i + 1}"
        ways = [sum(there == way for there, _, _ in r) for way in (True, False)]
        t.row(f"  {name}, {ways[0]} + {ways[1]} packets, bytes", [sum(n for _, _, n in r)])
    mine = [x for r in by for x in r]
    proofs = sum(n - HEADER for _, what, n in mine if what.startswith("proofs"))
    moved = sum(n - HEADER for _, what, n in mine if what in ("advertisements", "part requests", "hash maps"))
    heads = HEADER * len(mine)
    # a resource is encrypted once, whatever its parts; proofs are not
    tokens = TOKEN * (sum(what in ("requests", "answers", "streams") for _, what, _ in mine) +
                      sum(what == "advertisements" for _, what, _ in mine))
    first = len(by) > 1
    content = {"the envelope": envelope, "the submitter's binding": BINDING * first,
               "the node's binding": BINDING * first, "the receipt": RECEIPT, "the output": OUTPUT}
    rest = total(packets) - heads - proofs - moved - tokens - sum(content.values())
    for name, n in (("headers of packets", heads), ("proofs of resources", proofs),
                    ("offers of resources, and what asks for parts", moved), ("encryption", tokens),
                    *((k, v) for k, v in content.items() if v),
                    ("the rest of describe, frames of requests, padding" if first else "frames of requests, padding",
                     rest)):
        t.row("    " + name, [n])


def rows(t, build, quick=False):
    """The table's rows of it."""
    with Bench(build) as b:
        announce = max((n for _, what, n in b.air.packets if what == "announces"), default=0)
        t.row("an announce of a node, bytes", [announce] if announce else [], aim="400", met=lambda x, y: x <= 400)
        spare = []
        for name, names in (("a small job, the first of a submitter", ["describe", "submit, to the receipt"]),
                            ("a small job, the next one", ["submit, to the receipt"])):
            if len(names) == 2:
                b.forget()
            got = b.submit()
            if got is None:
                t.row(name + ", bytes", [], aim="2,000", met=lambda x, y: x <= 2000)
                continue
            packets, _, folder = got
            mine = [x for x in packets if x[1] not in BEGINNING | OTHERS]
            envelope, payload, spare = envelope_of(folder)
            t.row(name + ", bytes", [total(packets)], aim="2,000", met=lambda x, y: x <= 2000)
            t.row("  packets to the node", [sum(x[0] for x in mine)], aim="8", met=lambda x, y: x <= 8)
            t.row("  packets from the node", [sum(not x[0] for x in mine)], aim="8", met=lambda x, y: x <= 8)
            t.row("  link, its beginning and end, bytes", [sum(n for _, w, n in packets if w in BEGINNING)])
            split(t, packets, names, envelope)
            t.row("    the payload of the envelope", [payload])
        print("  what could still be left out of an envelope, and is not, since it is signed as it stands:", flush=True)
        for n, what in spare:
            t.row(f"    {what}", [n])
        b.air.rate = 1000
        for loss in (0.0, 0.1):
            b.air.loss = loss
            for name, times in (("first", 1 if quick else 3), ("next", 1 if quick else 5)):
                runs = []
                for _ in range(times):
                    if name == "first":
                        b.forget()
                    runs.append(b.submit())
                runs = [r for r in runs if r]
                t.row(f"  1 kbit/s, {loss * 100:.0f} % lost, the {name} one, s", [r[1] for r in runs])
                t.row("    bytes, link and all", [sum(n for _, what, n in r[0] if what not in OTHERS) for r in runs])
        b.jobs.good = True
