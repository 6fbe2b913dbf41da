# SPDX-License-Identifier: BSD-2-Clause
"""What trust asks of the klp.node of others, which are stock programs."""

import hashlib
import os
import random
import struct

import lib
import testparent
from lib import check, client, config, control, server
from test_engine import Node, packed

OK, NO_PATH, NO_LINK, TIMEOUT, TOO_LARGE, SLOW = range(6)


class Trust:
    """Stands where warren-trust is."""

    def __init__(self, t):
        self.c = t.neighbour("trust")
        name, build, _ = self.c.recv(lib.PATIENCE_S)
        check(name == "HELLO" and len(build) == 32, f"{name}")
        self.c.send("HELLO", build)
        self.seq = 0

    def ask(self, identity, path, body=b"", most=4096, ms=60000, identify=False, slow=False):
        self.seq += 1
        head = struct.pack(">I", self.seq) + identity + testparent.text(path) + \
            struct.pack(">IIBBBI", most, ms, identify, slow, False, len(body))
        if len(body) <= 3600:
            self.c.send("M_ASK", head + struct.pack(">H", len(body)) + body)
            return
        fd = testparent.sealed(body)
        self.c.send("M_ASK", head + struct.pack(">H", 0), [fd])
        os.close(fd)

    def answer(self):
        name, body, fds = self.c.recv(lib.PATIENCE_S)
        check(name == "M_ANSWER", f"{name}")
        seq, end, size, _ = struct.unpack(">IBIQ", body[:17])
        check(seq == self.seq and len(fds) == (size > 0), f"{seq} {end} {size} {len(fds)}")
        data = b""
        for fd in fds:
            data = os.pread(fd, size + 1, 0)
            os.close(fd)
        check(len(data) == size, "length of an answer")
        return end, data, body[19:].decode()

    def exchange(self, *args, **kw):
        self.ask(*args, **kw)
        return self.answer()


def stock_node(ctx, python, text):
    folder = ctx.stock_dir(text)
    p = ctx.keep(lib.Script([python, os.path.join(lib.HERE, "klpnode.py"), folder], ctx.folder + "/peers.log"))
    me = p.expect(event="ready")
    return p, bytes.fromhex(me["identity"])


def ask_stock(ctx, python, hostile=True):
    port = lib.free_port()
    t = ctx.transport(config(server("listen", port), transport=True))
    trust = Trust(t)
    p, who = stock_node(ctx, python, config(client("up", port)))
    # nobody has announced: it is asked for
    end, data, why = trust.exchange(who, "/klp/v1/head")
    check(end == OK and data == b"\x93\x00\x80\xc4\x28" + bytes(range(40)), f"{end} {data} {why}")
    check(p.expect(event="request")["who"] is None, "a stranger")
    # as this node; a large question, a large answer
    body = random.Random(2).randbytes(200000)
    end, data, why = trust.exchange(who, "/klp/v1/get", packed(body), most=1 << 20, identify=True)
    check(end == OK and data == packed(random.Random(1).randbytes(1000000)), f"{end} {len(data)} {why}")
    got = p.expect(event="request", path="/klp/v1/get")
    check(got["sha256"] == hashlib.sha256(body).hexdigest(), f"{got}")
    check(got["who"] is not None and got["who"] != who.hex(), f"{got}")
    check(control(t, "status")[0]["errands"]["links"] == 1, "one link for both")
    if not hostile:
        return
    # too large, never answered, hung up, nobody
    check(trust.exchange(who, "/klp/v1/get", most=999999)[0] == TOO_LARGE, "too large")
    check(trust.exchange(who, "/klp/v1/delta", ms=1000)[0] == TIMEOUT, "no answer in time")
    check(trust.exchange(who, "/klp/v1/set")[0] == NO_LINK, "the link is closed")
    check(trust.exchange(bytes(16), "/klp/v1/head", ms=1000)[0] == NO_PATH, "nobody")
    counts = control(t, "status")[0]["errands"]
    check(counts["asked"] == 6 and counts["too_large"] == 1 and counts["no_path"] == 1, f"{counts}")
    check(t.stop() == 0, "exit status")


def ask_slow(ctx):
    """Over an interface of 1,200 bit/s only what may go there is asked."""
    port = lib.free_port()
    ctx.transport(config(server("listen", port), transport=True))
    t = ctx.transport(config(client("up", port) + "  bitrate = 1200\n", transport=True))
    trust = Trust(t)
    p, who = stock_node(ctx, ctx.args.python, config(client("up", port)))
    p.say("announce")
    lib.must(lambda: len(control(t, "paths")[0]["paths"]) == 1, "a path")
    end, _, why = trust.exchange(who, "/klp/v1/head")
    check(end == SLOW, f"{end} {why}")
    end, _, why = trust.exchange(who, "/klp/v1/head", slow=True)
    check(end == OK, f"{end} {why}")


def passed_on(ctx):
    """What node passes on leaves by slow interfaces alone, and not where it came from."""
    ports = [lib.free_port() for _ in range(3)]
    fast, slow, back = [ctx.transport(config(server("listen", p), transport=True)) for p in ports]
    t = ctx.transport(config(client("fast", ports[0]) + client("slow", ports[1]) + "  bitrate = 1200\n" +
                             client("back", ports[2]) + "  bitrate = 1200\n"), compute=True)
    node = Node(t)

    lib.must(lambda: lib.online(t) == [True] * 3, "its interfaces")
    node.expect("T_HELLO")

    def say(data, slow, not_if):
        node.c.send("N_APP_DATA", struct.pack(">BH", 1, len(data)) + data + struct.pack(">BBBI", 0, 1, slow, not_if))

    def heard(x):
        return len(control(x, "paths")[0]["paths"])
    say(b"delta", True, 3)
    lib.must(lambda: heard(slow) == 1, "the announce")
    lib.quiet(.3, "nobody else hears it")
    check(heard(fast) == 0 and heard(back) == 0, "nobody else")
    say(b"delta", False, 0)
    lib.must(lambda: heard(fast) == 1 and heard(back) == 1, "one for all")


TESTS = [
    ("errands: a stock node is asked", lambda ctx: ask_stock(ctx, ctx.args.python)),
    ("errands: a stock node of 1.4.2 is asked", lambda ctx: ask_stock(ctx, ctx.args.python_old, False)),
    ("errands: over a slow interface", ask_slow),
    ("errands: passed on over slow interfaces", passed_on),
]
