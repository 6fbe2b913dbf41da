# SPDX-License-Identifier: BSD-2-Clause
"""Applications, unmodified, over our relay: LXMF with a propagation node, and Nomad Network."""

import os

import lib
from lib import check, client, server
from test_tools import Instance, extra

HERE = os.path.dirname(os.path.abspath(__file__))


class Peer(lib.Script):
    """apppeer.py on that folder of Reticulum; .dest is where messages for it go."""

    def __init__(self, ctx, python, folder, storage):
        super().__init__([python, os.path.join(HERE, "apppeer.py"), folder, storage],
                         os.path.join(ctx.folder, "apps.log"))
        ctx.keep(self)
        self.dest = self.expect(event="ready")["dest"]


def program(ctx, name, argv):
    log = open(os.path.join(ctx.folder, f"{name}.log"), "ab")
    return ctx.keep(lib.Process(argv, log))


def relay(ctx, kind):
    """Our daemon, and a stock one behind it; their folders, the Python with applications, and what starts ours anew."""
    python = extra(ctx, "apps")
    if python is None:
        return None
    port, near, far = lib.free_port(), Instance(kind), Instance("unix")
    text = near.text(server("mesh", port), transport=True)
    t = ctx.transport(text)

    def again():
        check(t.stop() == 0, "exit status")
        ctx.things.remove(t)
        ctx.transport(text, folder=t.folder)
    folder = ctx.rnsd(python, far.text(client("up", port), transport=True))
    lib.must(far.up, "the far rnsd")
    return python, t.folder, folder, again


def messages(kind):
    """Two messages directly, one through lxmd's propagation node while its receiver is away."""
    def run(ctx):
        made = relay(ctx, kind)
        if made is None:
            return "lxmf could not be installed with pip"
        python, near, far, again = made
        home = ctx.dir("lxmd")
        with open(os.path.join(home, "config"), "w") as f:
            # the cheapest stamp that there is: what it costs is not looked at here
            f.write("[propagation]\nenable_node = yes\nannounce_at_start = yes\n"
                    "propagation_stamp_cost_target = 13\npropagation_stamp_cost_flexibility = 13\n"
                    "[lxmf]\ndisplay_name = node\n[logging]\nloglevel = 4\n")
        a, b_storage = Peer(ctx, python, near, ctx.dir("a")), ctx.dir("b")
        b = Peer(ctx, python, far, b_storage)
        program(ctx, "lxmd", [os.path.join(os.path.dirname(python), "lxmd"), "--config", home,
                              "--rnsconfig", near, "-p"])
        node = a.expect(event="announce", aspect="lxmf.propagation")["dest"]
        for p in (a, b):
            p.say("announce")
        a.say(f"direct {b.dest} one")
        check(b.expect(event="message", text="one")["source"] == a.dest, "who wrote it")
        a.expect(event="sent", text="one")
        b.say(f"direct {a.dest} two")
        check(a.expect(event="message", text="two")["source"] == b.dest, "who wrote it")
        b.expect(event="sent", text="two")
        b.end()
        a.say(f"node {node}")
        a.say(f"propagated {b.dest} three")
        a.expect(event="sent", text="three")
        b = Peer(ctx, python, far, b_storage)
        b.say(f"node {node}")
        b.say("sync")
        check(b.expect(event="message", text="three")["source"] == a.dest, "who wrote it")
        again()
        # what was attached attaches again, and is reached without a word of ours
        b.say(f"direct {a.dest} four")
        a.expect(event="message", text="four")
        b.end()
        a.say(f"propagated {b.dest} five")
        a.expect(event="sent", text="five")
        b = Peer(ctx, python, far, b_storage)
        b.say(f"node {node}")
        b.say("sync")
        b.expect(event="message", text="five")
    return run


def pages(ctx):
    """Nomad Network serves a page and a file on our instance; a program beyond our relay fetches both."""
    made = relay(ctx, "unix")
    if made is None:
        return "nomadnet could not be installed with pip"
    python, near, far, _ = made
    home = ctx.dir("nomadnet")
    for name, text in (("pages/index.mu", ">A page of Warren\n"), ("files/data.bin", "x" * 40000)):
        os.makedirs(os.path.join(home, "storage", os.path.dirname(name)), exist_ok=True)
        with open(os.path.join(home, "storage", name), "w") as f:
            f.write(text)
    with open(os.path.join(home, "config"), "w") as f:
        f.write("[logging]\nloglevel = 4\ndestination = file\n[client]\nenable_client = yes\nuser_interface = none\n"
                "[node]\nenable_node = yes\nnode_name = warren\nannounce_at_start = yes\n"
                "disable_propagation = yes\n")
    reader = Peer(ctx, python, far, ctx.dir("reader"))
    program(ctx, "nomadnet", [os.path.join(os.path.dirname(python), "nomadnet"), "--config", home,
                              "--rnsconfig", near, "-d", "-c"])
    node = reader.expect(event="announce", aspect="nomadnetwork.node")["dest"]
    reader.say(f"page {node} /page/index.mu")
    check("A page of Warren" in reader.expect(event="fetched", path="/page/index.mu")["start"], "the page")
    reader.say(f"page {node} /file/data.bin")
    check(reader.expect(event="fetched", path="/file/data.bin")["size"] == 40000, "the file")


TESTS = []
LONG = [
    ("apps: LXMF and a propagation node, unix", messages("unix")),
    ("apps: LXMF and a propagation node, tcp", messages("tcp")),
    ("apps: pages and files of Nomad Network", pages),
]
