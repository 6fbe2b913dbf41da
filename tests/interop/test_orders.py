# SPDX-License-Identifier: BSD-2-Clause
"""Nodes in a line on one channel of one simulated ether, each with one radio
that hears its neighbours alone, in orders of stock rnsd and ours. Between the
two ends: all that programs do, both ways, and a job."""

import json
import os
import subprocess

import lib
import test_jobs
import test_submit
from lib import config
from test_ifaces import warrend
from test_radio import FAST, Person, done, ether, ours, section
from test_relay import visit

STEPS = ["announce", "packet", "open", "identify", "resource20k", "close"]


def line_of(ctx, kinds, speed=8):
    """Radios of which each hears the next alone."""
    e = ether(ctx, speed=speed)
    names = [f"{k}{i}" for i, k in enumerate(kinds)]
    names[0], names[-1] = "here", "there"  # as done() has them
    ports = [e.rnode(n) for n in names]
    for i, a in enumerate(names):
        for b in names[i + 2:]:
            e.loop.call(e.air.cut, a, b)
    return e, ports


def on_air(ports):
    lib.must(lambda: all(r.on for p in ports for r in p.device.radios), "every radio is on the air")


def python_of(ctx, kind):
    return ctx.args.python_old if kind == "O" else ctx.args.python


class Far:
    """The other end: a node that takes jobs, and an instance that programs attach to."""

    def __init__(self, ctx, kind, interfaces, key):
        self.python = python_of(ctx, kind)
        self.name = f"far-{os.getpid()}-{lib.free_port()}"
        if kind == "W":
            self.image = "test/busybox:1"
            self.dest, _, self.folder = test_jobs.node(ctx, interfaces, [(key, 2)], instance=self.name)
            lib.must(lambda: lib.instance_up(self.name), "its shared instance")
            return
        self.image = "host"
        self.folder = ctx.rnsd(self.python, config(interfaces, transport=True, share=True, instance=self.name))
        lib.must(lambda: lib.instance_up(self.name), "rnsd")
        node = ctx.keep(test_submit.Process(
            [self.python, "-m", "klpy.node", "--config", self.folder, "--name", "far"],
            os.path.join(ctx.folder, "far.log"), cwd=lib.HERE, stdout=subprocess.PIPE,
            env={**os.environ, "TMPDIR": ctx.folder}))
        ready = node.proc.stdout.readline().split()
        lib.check(ready[:1] == ["READY"], "the node does not start")
        self.dest = ready[1]


def order(kinds):
    """kinds: W ours, R rnsd of 1.5.7, O rnsd of 1.4.2."""
    def run(ctx):
        if "O" in kinds and not ctx.args.python_old:
            return "no RNS 1.4.2"
        e, ports = line_of(ctx, kinds)
        parts = [section("radio", p.path, keys=FAST) for p in ports]
        p = Person(ctx, ours(ctx) if kinds[0] == "W" else [python_of(ctx, kinds[0]), "-m", "RNS.Utilities.rnsd"],
                   parts[0])
        for kind, part in list(zip(kinds, parts))[1:-1]:
            if kind == "W":
                warrend(ctx, part)
            else:
                ctx.rnsd(python_of(ctx, kind), config(part, transport=True))
        who = json.loads(p.warren("identity", "show", "--json").stdout)
        far = Far(ctx, kinds[-1], parts[-1], who["key"])
        on_air(ports)
        near = python_of(ctx, kinds[0])
        visit(ctx, p.hub_dir, far.folder, far.python, near, len(kinds) - 1, steps=STEPS)
        visit(ctx, far.folder, p.hub_dir, near, far.python, len(kinds) - 1, steps=STEPS)
        p.dest = far.dest
        done(p, e, far.image)
        lib.check({f["from"] for f in e.air.frames} == {r.name for r in e.air.radios}, "all radios have sent")
    return run


TESTS = []
LONG = [(f"orders: {k} on one channel", order(k)) for k in
        ("WRW", "RWR", "WOW", "OWO", "WRRW", "RWWR", "WRWR", "RWRW", "WWRR", "RRWW")]
