# SPDX-License-Identifier: BSD-2-Clause
"""Modes of interfaces, path requests and the share of announces, in a relay of ours and in a stock rnsd: who hears what
(reticulum-transport.md 5.3 and 6.2). The neighbours are raw connections, one to an interface of each mode."""

import os
import sys
import threading
import time

import lib
from lib import check, config, server

sys.path.insert(0, os.path.join(lib.HERE, "..", "system"))
import libwire  # noqa: E402

PATH_REQUEST = libwire.sha(libwire.sha(b"rnstransport.path.request")[:10])[:16]
MODES = ["full", "pointtopoint", "access_point", "roaming", "boundary", "gateway", "internal"]
OPEN = "ingress_control = no\negress_control = no\nannounce_cap = 100\nrecursive_prs = no\n"
STARTS = "stock rnsd drops what it hears right after its start, and shows nowhere when that is over"


class Neighbour(libwire.Frames):
    """Keeps all that comes, with the time."""

    def __init__(self, port):
        super().__init__(port)
        self.came = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while (got := self.receive(1)) is not None:
            self.came += [(time.monotonic(), raw) for raw in got]

    def announces(self, context=0):
        """Destinations in the order in which they came, and when each came first."""
        out = {}
        for at, raw in list(self.came):
            if raw[0] & 0x43 == 0x41 and raw[34] == context:
                out.setdefault(raw[18:34], at)
        return out

    def asked_for(self):
        return {raw[19:35] for _, raw in list(self.came) if raw[0] & 0x43 == 0 and raw[2:18] == PATH_REQUEST}

    def ask(self, dest, tag=None):
        self.send(b"\x08\0" + PATH_REQUEST + b"\0" + dest + (tag or os.urandom(16)))


def log_of(ctx):
    with open(os.path.join(ctx.folder, "rnsd.log"), encoding="utf-8") as f:
        return f.read()


def relay(ctx, stock, sections):
    """sections: name to lines. A neighbour at each of its interfaces."""
    ports = {name: lib.free_port() for name in sections}
    text = config("".join(server(n, ports[n], lines) for n, lines in sections.items()), transport=True)
    if stock:
        ctx.rnsd(ctx.args.python, text)
        # who connects before that is never served by 1.5.7
        lib.must(lambda: "Started rnsd" in log_of(ctx), "rnsd is up")
    else:
        t = ctx.transport(text)
        lib.must(lambda: all(lib.online(t)), "the relay is up")
    out = {name: Neighbour(port) for name, port in ports.items()}
    if stock:
        lib.quiet(3, STARTS)
    return out


def both(row):
    def run(ctx):
        seen = [row(ctx, stock) for stock in (False, True)]
        check(seen[0] == seen[1], f"ours: {seen[0]}\nrnsd: {seen[1]}")
    return run


def each(row):
    """What it says is its own: which announce finds the interface free, and goes first, is chance."""
    def run(ctx):
        for stock in (False, True):
            row(ctx, stock)
    return run


def in_all_modes(ctx, stock):
    return relay(ctx, stock, {m: f"mode = {m}\n" + OPEN for m in MODES})


def heard(to, of):
    """5.3, of one that was passed on."""
    if to == "access_point":
        return False
    if to == "roaming":
        return of not in ("roaming", "boundary")
    if to == "boundary":
        return of != "roaming"
    return to != "internal" or of != "boundary"


def announces(ctx, stock):
    """A destination announced at each interface: those at which it comes out are those of the matrix."""
    at = in_all_modes(ctx, stock)
    dests = {m: libwire.Dest() for m in MODES}
    want = {(to, of) for to in MODES for of in MODES if heard(to, of)}
    for m in MODES:
        at[m].send(dests[m].announce())

    def got():
        return {(to, of) for to in MODES for of in MODES if dests[of].hash in at[to].announces()}
    lib.must(lambda: got() >= want, f"each is heard: {sorted(want - got())}", 20)
    lib.quiet(2, "others are not heard")
    check(got() == want, f"{'rnsd' if stock else 'ours'}: {sorted(got() ^ want)}")
    return sorted(got())


def searches(to, of):
    """6.2 step 5: a request of one at `of` for what nobody knows goes on to `to`."""
    if to == of or of in ("full", "pointtopoint"):
        return False
    return to in ("boundary", "gateway") if of == "boundary" else True


def requests(ctx, stock):
    """What is known is answered after its time; what is not is looked for as the mode says; a tag counts once."""
    at = in_all_modes(ctx, stock)
    known, other = libwire.Dest(), libwire.Dest()
    for d in known, other:
        at["full"].send(d.announce())
    lib.must(lambda: len(at["gateway"].announces()) == 2, "both are known")
    waits = {}
    for m in MODES[1:]:
        asked = time.monotonic()
        at[m].ask(known.hash)
        lib.must(lambda: known.hash in at[m].announces(context=11), f"an answer at {m}")
        waits[m] = at[m].announces(context=11)[known.hash] - asked
        check(waits[m] >= (1.9 if m == "roaming" else 0.4), f"{m}: answered after {waits[m]} s")
    tag = os.urandom(16)
    for m in "pointtopoint", "gateway":
        at[m].ask(other.hash, tag)
    unknown = {m: os.urandom(16) for m in MODES}
    for m in MODES:
        at[m].ask(unknown[m])
        lib.quiet(0.3, "the pace of requests")
    want = {(to, of) for to in MODES for of in MODES if searches(to, of)}

    def got():
        return {(to, of) for to in MODES for of in MODES if unknown[of] in at[to].asked_for()}
    lib.must(lambda: got() >= want, f"each is looked for: {sorted(want - got())}", 20)
    lib.must(lambda: any(other.hash in at[m].announces(context=11) for m in ("pointtopoint", "gateway")),
             "an answer for one of two with the same tag")
    lib.quiet(2, "others are not looked for, and the other is not answered")
    check(got() == want, f"{'rnsd' if stock else 'ours'}: {sorted(got() ^ want)}")
    answers = [m for m in MODES if other.hash in at[m].announces(context=11)]
    check(len(answers) == 1, f"the same tag is answered at {answers}")
    return sorted(got())


def share(ctx, stock):
    """On a slow interface announces wait for their share of it, those of fewest hops first."""
    at = relay(ctx, stock, {"in": OPEN, "out": "bitrate = 100000\nannounce_cap = 2\negress_control = no\n"})
    dests = {n: libwire.Dest() for n in range(6)}
    for n in reversed(dests):  # the farthest first
        raw = dests[n].announce()
        at["in"].send(bytes([raw[0] | 0x50, n]) + b"\x11" * 16 + raw[2:])
    lib.must(lambda: len(at["out"].announces()) == 6, "all come in the end")
    came = at["out"].announces()
    times = list(came.values())
    pauses = [b - a for a, b in zip(times, times[1:])]
    size = len(dests[0].announce()) + 16
    least = size * 8 / 100000 / 0.02 * 0.9
    check(min(pauses) > least, f"pauses {pauses}, at least {least}")
    order = [next(n for n, d in dests.items() if d.hash == h) for h in came]
    check(order[1:] == sorted(order[1:]), f"hops {order}")


TESTS = [("modes: who hears whose announces", lambda ctx: announces(ctx, False) and None)]
LONG = [
    ("modes: who hears whose announces, ours and rnsd", both(announces)),
    ("modes: who is asked and answered, ours and rnsd", both(requests)),
    ("modes: announces have their share, ours and rnsd", each(share)),
]
