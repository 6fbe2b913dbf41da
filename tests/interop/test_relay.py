# SPDX-License-Identifier: BSD-2-Clause
"""Two stock endpoints with Warren's relays between them."""

import lib
from lib import CODES, check, client, config, server

STEPS = ["announce", "packet", "open", "identify", "echo100", "echo20k", "size500k", "channel",
         "buffer", "resource2m", "resource2mtext", "close"]


def chain(ctx, n, extra):
    """n relays in a line; the ports of its two ends."""
    ports = [lib.free_port() for _ in range(n)]
    for i, port in enumerate(ports):
        parts = server("listen", port, extra)
        if i > 0:
            parts += client("next", ports[i - 1], extra)
        t = ctx.transport(config(parts, transport=True))
        lib.must(lambda: all(lib.online(t)), f"relay {i + 1} of {n} is up")
    return ports[0], ports[-1]


def visit(ctx, a, b, visitor_python, server_python, hops, ratchets=False, steps=STEPS, up=None):
    """a and b: configuration folders of the two endpoints. up(): what is between them may still be starting, as they
    may together; it waits for that."""
    host = ctx.peer(server_python, "serve", a, *(["ratchets"] if ratchets else []))
    dest = "-" if up else host.expect(event="ready")["dest"]
    guest = ctx.peer(visitor_python, "visit", b, dest, *steps, "path")
    who = guest.expect(event="ready")["identity"]
    if up:
        dest = host.expect(event="ready")["dest"]
        up()
    lib.quiet(1.2, "stock RNS drops what it hears right after its start, and shows nowhere when that is over")
    guest.say(f"go {dest}" if up else "go")
    for step in steps:
        line = None
        if step == "announce":
            def told():  # until it is heard: see above
                nonlocal line
                host.say("announce")
                host.expect(event="announced")
                line = guest.maybe(5, step=step)
                return line
            lib.must(told, "an announce")
        line = line or guest.expect(400, step=step)  # three resources, each with its time
        if ctx.args.verbose:
            print("#", line, flush=True)
        check(line["ok"], f"{step}: {line}; the other side: {host.rest()}")
        if step == "packet":
            got = host.expect(event="packet")
            check(got["data"] == b"a single packet".hex(), f"packet: {got}")
            check((got["ratchet"] is not None) == ratchets, f"ratchet: {got}")
        if step == "identify":
            got = host.expect(event="identified")
            check(got["hash"] == who, f"identified as {got}")
        if step.startswith("resource"):
            # one whose proof was lost is sent again, and so arrives twice
            host.expect(event="resource", ok=True, sha256=line["sha256"])
        if step == "open" and hops is not None:
            ctx.mtu = line["mtu"]
        if step == "open" and "identify" in steps:
            host.expect(event="link")  # and has its callbacks
            guest.say("go")
    line = guest.expect(step="path")
    check(line["ok"] and (hops is None or line["hops"] == hops), f"path: {line}")
    guest.expect(event="done")


def over_relays(n, codes=False, ratchets=False, old_visitor=False, old_server=False):
    def run(ctx):
        extra = CODES if codes else ""
        first, last = chain(ctx, n, extra)
        a = ctx.stock_dir(config(client("up", first, extra)))
        b = ctx.stock_dir(config(client("up", last, extra)))
        visit(ctx, a, b, ctx.args.python_old if old_visitor else ctx.args.python,
              ctx.args.python_old if old_server else ctx.args.python, n + 1, ratchets)
    return run


TESTS = [
    ("relay: one, plain", over_relays(1)),
    ("relay: one, access codes and ratchets", over_relays(1, codes=True, ratchets=True)),
    ("relay: three, plain", over_relays(3)),
    ("relay: three, access codes and ratchets", over_relays(3, codes=True, ratchets=True)),
    ("relay: one, 1.4.2 visits 1.5.7", over_relays(1, old_visitor=True)),
    ("relay: three, 1.5.7 visits 1.4.2, ratchets", over_relays(3, old_server=True, ratchets=True)),
]
