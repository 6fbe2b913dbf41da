# SPDX-License-Identifier: BSD-2-Clause
"""Stock programs on Warren's shared instance."""

import lib
import test_relay
from lib import check, config


def two_programs(kind, old=False):
    def run(ctx):
        name = f"interop{lib.free_port()}"
        more = ""
        if kind == "tcp":
            more = (f"shared_instance_type = tcp\nshared_instance_port = {lib.free_port()}\n"
                    f"instance_control_port = {lib.free_port()}\n")
        # the programs read the daemon's own folder, as they do beside rnsd
        text = config("", share=True, instance=name, more=more)
        t = ctx.transport(text)
        test_relay.visit(ctx, t.folder, t.folder, ctx.args.python,
                         ctx.args.python_old if old else ctx.args.python, 0)
    return run


def program_and_relay(ctx):
    """A program on a shared instance, another behind a relay of its own."""
    port = lib.free_port()
    name = f"interop{port}"
    t = ctx.transport(config(lib.server("listen", port), share=True, instance=name))
    far = ctx.stock_dir(config(lib.client("up", port)))
    test_relay.visit(ctx, t.folder, far, ctx.args.python, ctx.args.python, 1)


TESTS = [
    ("shared: two programs, unix", two_programs("unix")),
    ("shared: two programs, tcp", two_programs("tcp")),
    ("shared: two programs, 1.4.2 serves", two_programs("unix", old=True)),
    ("shared: a program and a neighbour, transport off", program_and_relay),
]
