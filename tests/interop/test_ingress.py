# SPDX-License-Identifier: BSD-2-Clause
"""The same announces into stock rnsd and into Warren's relay: what comes out, what is held, what is let in later."""

import os
import sys
import threading
import time

import lib
from lib import check, config, free_port, server

sys.path.insert(0, os.path.join(os.path.dirname(lib.HERE), "bench"))
from wirelib import Dest, Sock, frame  # noqa: E402

CAP = "announce_cap = 100\n"
# one release with each job, which comes every 5 s
BURST = CAP + """ic_burst_hold = 3
ic_burst_penalty = 3
ic_held_release_interval = 1
ic_max_held_announces = 10
announce_rate_target = 3600
announce_rate_grace = 9
"""
RATE = CAP + "ingress_control = no\nannounce_rate_target = 30\nannounce_rate_grace = 2\nannounce_rate_penalty = 5\n"
MANY = 30
SOME = 6  # what is let through before the burst is noticed
RELEASES_S = 26
RATED = 7
RATED_S = 2.2  # an announce carries its second, and is passed on within 1.5 s


class Relay:
    """One that gets announces at two servers, and what it passes on at a third."""

    def __init__(self, ctx, stock):
        self.ports = [free_port() for _ in range(3)]
        text = config(server("burst", self.ports[0], BURST) + server("rate", self.ports[1], RATE) +
                      server("out", self.ports[2], CAP), transport=True)
        if stock:
            ctx.rnsd(ctx.args.python, text)
            self.burst, self.rate, self.out = (Sock(p) for p in self.ports)
            lib.quiet(3, "stock rnsd drops what it hears right after its start, and shows nowhere when that is over")
        else:
            t = ctx.transport(text)
            lib.must(lambda: all(lib.online(t)), "the relay is up")
            self.burst, self.rate, self.out = (Sock(p) for p in self.ports)
        self.heard = []  # destination and random hash, in order
        self.done = False
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while not self.done:
            for raw in self.out.frames(0.5):
                if raw[0] & 3 == 1 and raw[0] & 0x40 and (raw[18:34], raw[109:119]) not in self.heard:
                    self.heard.append((raw[18:34], raw[109:119]))


def far(raw, hops):
    """As if a neighbour had passed it on."""
    return bytes([raw[0] | 0x50, hops]) + b"\x11" * 16 + raw[2:]


def burst(relays, dests):
    """All of them within a second and a half, the last ones from nearest; others carry on after that."""
    raws = [far(d.announce(), MANY + 10 - i) for i, d in enumerate(dests)]
    for raw in raws:
        for r in relays:
            r.burst.send(frame(raw))
        lib.quiet(0.05, "the pace of the burst")


def rated(relays, dest):
    """One destination, far too often; what it was announced with."""
    sent = []
    for _ in range(RATED):
        raw = dest.announce()
        sent.append(raw[93:103])
        for r in relays:
            r.rate.send(frame(raw))
        lib.quiet(RATED_S, "an announce carries its second")
    return sent


def same_admission(ctx):
    relays = [Relay(ctx, True), Relay(ctx, False)]
    dests = [Dest() for _ in range(MANY)]
    number = {d.hash: i for i, d in enumerate(dests)}
    loud = Dest()
    began = time.time()
    burst(relays, dests)
    sent = rated(relays, loud)
    lib.quiet(max(0, began + RELEASES_S - time.time()), "one held announce comes every 5 s")
    seen = []
    for r in relays:
        r.done = True
        seen.append({"burst": [number[d] for d, _ in r.heard if d in number],
                     "rate": [sent.index(b) for d, b in r.heard if d == loud.hash]})
    stock, ours = seen
    print("# stock", stock, flush=True)
    print("# ours ", ours, flush=True)
    for who, s in (("stock", stock), ("ours", ours)):
        first = [i for i in s["burst"] if i < SOME]
        let_in = [i for i in s["burst"] if i >= SOME]
        check(first and len(let_in) >= 2, f"{who}: {s['burst']}")
        # the nearest of those that are held, which are the first ones of the burst
        check(let_in == sorted(let_in, reverse=True) and max(let_in) < SOME + 11, f"{who}: {s['burst']}")
        check(s["rate"] == [0, 1, 2], f"{who}: {s['rate']}")
    a, b = ([i for i in s["burst"] if i >= SOME] for s in seen)
    both = min(len(a), len(b))
    check(abs(len(a) - len(b)) <= 1 and abs(a[0] - b[0]) <= 1, f"let in: stock {a}, ours {b}")
    check([x - a[0] for x in a[:both]] == [x - b[0] for x in b[:both]], f"let in: stock {a}, ours {b}")


TESTS = []
LONG = [("ingress: the same announces into rnsd and into the relay", same_admission)]
