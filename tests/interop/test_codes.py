# SPDX-License-Identifier: BSD-2-Clause
"""Access codes of every size and form between a relay of ours and stock programs (reticulum-transport.md 8.4)."""

import lib
from lib import check, client, config, control, server
from test_relay import visit

FORMS = [
    "passphrase = specpass\nifac_size = 8\n", "network_name = specnet\nifac_size = 512\n",
    "network_name = specnet\npassphrase = specpass\nifac_size = 64\n", "passphrase = specpass\n",
    "network_name = specnet\nifac_size = 136\n", "network_name = specnet\npassphrase = specpass\nifac_size = 256\n",
]
STEPS = ["announce", "packet", "open", "echo20k", "close"]
RIGHT = "passphrase = specpass\nifac_size = 64\n"
WRONG = ["", "passphrase = other\nifac_size = 64\n", "network_name = x\npassphrase = specpass\nifac_size = 64\n",
         "passphrase = specpass\nifac_size = 72\n"]


def shown(t, n):
    of = control(t, "interfaces")[0]["interfaces"]
    return next(i for i in of if i["name"].startswith(f"TCPServerInterface[s{n}/"))


def every_form(ctx):
    """In pairs: from one to the other, with the relay taking each code away and putting the other on."""
    ports = [lib.free_port() for _ in FORMS]
    t = ctx.transport(config("".join(server(f"s{i}", p, FORMS[i]) for i, p in enumerate(ports)), transport=True))
    for i in range(0, len(FORMS), 2):
        a, b = (ctx.stock_dir(config(client("up", ports[k], FORMS[k]))) for k in (i, i + 1))
        old = ctx.args.python_old if i == 2 else ctx.args.python
        visit(ctx, a, b, ctx.args.python, old, 2, steps=STEPS)
        for k in i, i + 1:
            check(shown(t, k)["rx_packets"] > 5, f"{FORMS[k]}: {shown(t, k)}")


def wrong_key(ctx):
    """Who has no code, another one, or another size of it is not heard and hears nothing; each packet is counted."""
    port = lib.free_port()
    t = ctx.transport(config(server("s0", port, RIGHT), transport=True))
    strangers = [ctx.peer(ctx.args.python, "serve", ctx.stock_dir(config(client("up", port, extra))))
                 for extra in WRONG]
    dests = [s.expect(event="ready")["dest"] for s in strangers]

    def refused():
        return sum(i["ifac_violations"] for i in control(t, "interfaces")[0]["interfaces"])

    for k, s in enumerate(strangers):
        lib.quiet(1, "what the others still send")
        before = refused()
        s.say("announce")
        s.expect(event="announced")
        lib.must(lambda: refused() > before, f"what a stranger with {WRONG[k]!r} sends is counted")
    known = {p["destination"] for line in control(t, "paths") for p in line.get("paths", [])}
    heard = [WRONG[i] for i, d in enumerate(dests) if d in known]
    check(not heard, f"heard with {heard}")
    a, b = (ctx.stock_dir(config(client("up", port, RIGHT))) for _ in range(2))
    visit(ctx, a, b, ctx.args.python, ctx.args.python, 2, steps=STEPS)


TESTS = []
LONG = [("codes: every size and form", every_form), ("codes: a wrong key beside a right one", wrong_key)]
