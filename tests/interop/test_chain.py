# SPDX-License-Identifier: BSD-2-Clause
"""Four nodes in a line in every order of stock rnsd and ours, with a program at
each end: all that programs do, both ways, and again after a node of the middle
was started anew."""

import itertools
import os

import lib
from lib import client, config, server
from test_relay import visit

STEPS = ["announce", "packet", "open", "identify", "echo20k", "channel", "close"]
HOPS = 3  # between four nodes; that a program is attached to one is none


class Node:
    """kind: W ours, R rnsd of 1.5.7, O rnsd of 1.4.2."""

    def __init__(self, ctx, kind, interfaces, end):
        self.ctx, self.kind = ctx, kind
        self.python = ctx.args.python_old if kind == "O" else ctx.args.python
        self.instance = f"chain{lib.free_port()}" if end else None
        self.text = config(interfaces, transport=True, share=end, instance=self.instance or "none")
        self.folder = ctx.dir("node")
        with open(self.folder + "/config", "w") as f:
            f.write(self.text)
        self.start()

    def start(self):
        if self.kind == "W":
            self.it = self.ctx.transport(self.text, folder=self.folder)
        else:
            log = open(os.path.join(self.ctx.folder, "rnsd.log"), "ab")
            self.it = self.ctx.keep(lib.Process([self.python, "-m", "RNS.Utilities.rnsd", "--config", self.folder],
                                                log))
        if self.instance is not None:
            lib.must(lambda: lib.instance_up(self.instance), f"the instance of {self.kind}")

    def again(self):
        self.it.stop()
        self.ctx.things.remove(self.it)
        self.start()


def both_ways(ctx, a, b):
    visit(ctx, a.folder, b.folder, b.python, a.python, HOPS, steps=STEPS)
    visit(ctx, b.folder, a.folder, a.python, b.python, HOPS, steps=STEPS)


def order(kinds, middle):
    def run(ctx):
        if "O" in kinds and not ctx.args.python_old:
            return "no RNS 1.4.2"
        ports = [lib.free_port() for _ in kinds]
        nodes = []
        for i, kind in enumerate(kinds):
            text = server("listen", ports[i]) + (client("up", ports[i - 1]) if i > 0 else "")
            nodes.append(Node(ctx, kind, text, i in (0, len(kinds) - 1)))
        both_ways(ctx, nodes[0], nodes[-1])
        nodes[middle].again()
        both_ways(ctx, nodes[0], nodes[-1])
    return run


ORDERS = ["".join(k) for k in itertools.product("WR", repeat=4)]
OLD = ["OWRW", "WORW", "RWOW", "WRWO"]
TESTS = []
LONG = [(f"chain: {k}", order(k, 1 + i % 2)) for i, k in enumerate(ORDERS + OLD)]
