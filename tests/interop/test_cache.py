# SPDX-License-Identifier: BSD-2-Clause
"""Cache requests (reticulum-transport.md 7.2): what relays, and programs behind them, do with one."""

import os
import socket
import sys
import threading

import lib
from lib import check, client, config, server

sys.path.insert(0, os.path.join(lib.HERE, "..", "system"))
import libwire  # noqa: E402

CACHE_REQUEST = b"\x08"
PATH_REQUEST = libwire.sha(libwire.sha(b"rnstransport.path.request")[:10])[:16]


def packet_hash(raw):
    return libwire.sha(bytes([raw[0] & 0x0f]) + raw[2:])


def forms(dest, relay, wanted):
    """Every form that the request may come in."""
    tail = CACHE_REQUEST + wanted
    return [flags + b"\0" + to + tail for flags, to in (
        (b"\x08", os.urandom(16)), (b"\x00", dest), (b"\x00", os.urandom(16)), (b"\x0c", os.urandom(16)),
        (b"\x50", relay + os.urandom(16)), (b"\x58", relay + os.urandom(16)), (b"\x5c", relay + os.urandom(16)),
        (b"\x50", os.urandom(16) + dest))]


def asked_for_announce(relay):
    """Nobody answers from the announces that are kept with the paths; one for a known destination goes on to it."""
    def run(ctx):
        near_port, far_port = lib.free_port(), lib.free_port()
        relay(ctx, config(server("near", near_port) + server("far", far_port), transport=True))
        near, far = libwire.Frames(near_port), libwire.Frames(far_port)
        dest = libwire.Dest()
        announce = dest.announce()
        far.send(announce)

        def told():
            for raw in near.receive(0.2) or []:
                if raw[0] & 0x43 == 0x41 and raw[18:34] == dest.hash:
                    return raw[2:18]
            return None
        via = lib.must(told, "the announce at the near side")
        wanted = packet_hash(announce)
        for raw in forms(dest.hash, via, wanted):
            near.send(raw)
        near.send(b"\x50\0" + via + dest.hash + CACHE_REQUEST + wanted)
        passed = lib.must(lambda: [r for r in far.receive(0.2) or [] if r[0] & 0x43 == 0 and r[18:19] == CACHE_REQUEST],
                          "the one that goes on to the destination")
        check(passed == [b"\0\x01" + dest.hash + CACHE_REQUEST + wanted], f"went on: {passed}")
        # whatever the relay does with them comes before its answer to this one
        near.send(b"\x08\0" + PATH_REQUEST + b"\0" + dest.hash + os.urandom(16))
        came = []

        def answered():
            came.extend(near.receive(0.2) or [])
            return any(r[0] & 0x43 == 0x41 and r[34:35] == b"\x0b" for r in came)
        lib.must(answered, "the answer to a path request")
        check(all(r[0] & 0x03 == 1 for r in came), f"other than announces: {[r[:40].hex() for r in came]}")
        ours = [r for r in came if r[34:35] != b"\x0b"]
        # the relay repeats an announce by itself, a retry of the first
        check(len(ours) <= 1, f"{len(ours)} announces for {len(forms(b'', b'', b'')) + 1} requests")
    return run


class Tap:
    """A way to a port; the contexts of the packets that came from there."""

    def __init__(self, port):
        self.port, self.seen = port, []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.own = self.listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                a, _ = self.listening.accept()
                b = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                return
            threading.Thread(target=self._pump, args=(a, b, None), daemon=True).start()
            threading.Thread(target=self._pump, args=(b, a, self.seen), daemon=True).start()

    def _pump(self, a, b, seen):
        rest = b""
        try:
            while data := a.recv(65536):
                parts = (rest + data).split(b"\x7e")
                rest = parts.pop()
                for p in parts if seen is not None else []:
                    p = p.replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")
                    if len(p) > 18 and p[0] & 0x40 == 0:
                        seen.append(p[18])
                b.sendall(data)
        except OSError:
            pass

    def stop(self):
        self.listening.close()


RESOURCE_PRF = 5


def asked_for_proof(relay, answered):
    """A program on the relay's folder has proved a resource; the proof is asked for."""
    def run(ctx):
        port = lib.free_port()
        name = f"interop{port}"
        folder = relay(ctx, config(server("listen", port), share=True, instance=name))
        lib.must(lambda: lib.instance_up(name), "the shared instance")
        tap = ctx.keep(Tap(port))
        p = ctx.peer(ctx.args.python, "serve", folder)
        dest = p.expect(event="ready")["dest"]
        far = ctx.stock_dir(config(client("up", tap.own)))
        v = ctx.peer(ctx.args.python, "visit", far, dest, "announce", "path", "open", "proofagain")
        v.expect(event="ready")
        v.say("go")

        def told():  # stock RNS drops what it hears right after its start
            p.say("announce")
            return v.maybe(2, step="announce", ok=True)
        lib.must(told, "an announce")
        proof = v.expect(step="proofagain", ok=True)["proof"]
        kept = os.path.join(folder, "storage", "cache", proof)
        check(os.path.exists(kept), f"the program keeps its proof in {kept}")
        check(tap.seen.count(RESOURCE_PRF) == 1 + answered, f"proofs: {tap.seen}")
    return run


def ours(ctx, text):
    return ctx.transport(text).folder


def stock(ctx, text):
    return ctx.rnsd(ctx.args.python, text)


def stock_old(ctx, text):
    return ctx.rnsd(ctx.args.python_old, text)


TESTS = [("cache: a program's proof is asked for, ours", asked_for_proof(ours, True))]
LONG = TESTS + [
    ("cache: an announce is asked for, ours", asked_for_announce(ours)),
    ("cache: an announce is asked for, rnsd", asked_for_announce(stock)),
    ("cache: an announce is asked for, rnsd 1.4.2", asked_for_announce(stock_old)),
    # rnsd takes the request itself, and what it finds in the folder reaches nobody
    ("cache: a program's proof is asked for, rnsd", asked_for_proof(stock, False)),
]
