# SPDX-License-Identifier: BSD-2-Clause
"""librns as an endpoint, on a shared instance, against stock endpoints."""

import lib
import test_relay
from lib import config


def pair(daemon, visitor, server):
    """daemon: warren or stock; visitor, server: librns, stock or old."""
    def run(ctx):
        python = {"librns": None, "stock": ctx.args.python, "old": ctx.args.python_old}
        name = f"interop{lib.free_port()}"
        text = config("", share=True, instance=name)
        if daemon == "warren":
            folder = ctx.transport(text).folder
        else:
            folder = ctx.rnsd(ctx.args.python, text)
            lib.must(lambda: lib.instance_up(name), "rnsd")
        test_relay.visit(ctx, folder, folder, python[visitor], python[server], 0)
    return run


def over_relay(visitor, server):
    """Each on a daemon of its own, and a relay between."""
    def run(ctx):
        python = {"librns": None, "stock": ctx.args.python}
        port = lib.free_port()
        ctx.transport(config(lib.server("listen", port), transport=True))
        folders = []
        for i in range(2):
            name = f"interop{port}{i}"
            t = ctx.transport(config(lib.client("up", port), share=True, instance=name))
            lib.must(lambda: all(lib.online(t)), f"the daemon of end {i + 1} is up")
            folders.append(t.folder)
        test_relay.visit(ctx, folders[0], folders[1], python[visitor], python[server], 2)
    return run


def last_words(ctx):
    """Who closes a link and ends at once is heard, by a stock instance too."""
    name = f"interop{lib.free_port()}"
    folder = ctx.rnsd(ctx.args.python, config("", share=True, instance=name))
    lib.must(lambda: lib.instance_up(name), "rnsd")
    host = ctx.peer(ctx.args.python, "serve", folder)
    dest = host.expect(event="ready")["dest"]
    for _ in range(5):
        steps = ["path", "open", "echo100", "close"]
        guest = ctx.peer(None, "visit", folder, dest, *steps)
        guest.say("go")
        for step in steps:
            line = guest.expect(step=step)
            lib.check(line["ok"], f"{step}: {line}")
        guest.expect(event="done")
        host.expect(event="closed")


TESTS = [
    ("librns: visits stock on stock rnsd", pair("stock", "librns", "stock")),
    ("librns: serves stock on stock rnsd", pair("stock", "stock", "librns")),
    ("librns: visits stock on warren", pair("warren", "librns", "stock")),
    ("librns: serves stock on warren", pair("warren", "stock", "librns")),
    ("librns: visits 1.4.2 on warren", pair("warren", "librns", "old")),
    ("librns: serves 1.4.2 on warren", pair("warren", "old", "librns")),
    ("librns: both ends on warren", pair("warren", "librns", "librns")),
    ("librns: visits stock over a relay", over_relay("librns", "stock")),
    ("librns: a link that is closed at the end", last_words),
    ("librns: serves stock over a relay", over_relay("stock", "librns")),
]
