# SPDX-License-Identifier: BSD-2-Clause
"""warren-transport is killed at random moments under load: it starts each time, with the tables of the last save."""

import glob
import os
import random
import re
import socket
import struct
import subprocess
import threading

import lib
from lib import check, client, config, control, server

# Announces of destinations that nobody has, and a tunnel's packets, in hex.
MAKE = r"""
import os, sys
import RNS
n = int(sys.argv[1])
class Owner:
    is_connected_to_shared_instance = False
RNS.Transport.owner = Owner
RNS.Transport.identity = RNS.Identity()
for i in range(n):
    d = RNS.Destination(RNS.Identity(), RNS.Destination.IN, RNS.Destination.SINGLE, "interop", "kills")
    p = d.announce(send=False)
    p.pack()
    print(p.raw.hex())
    RNS.Transport.destinations.clear()
who = RNS.Identity()
dest = RNS.Destination.hash_from_name_and_identity("rnstransport.tunnel.synthesize", None)
for i in range(n):
    body = who.get_public_key() + bytes(32) + os.urandom(16)
    print((bytes([8, 0]) + dest + bytes([0]) + body + who.sign(body)).hex())
"""


def framed(raw):
    return b"\x7e" + raw.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e") + b"\x7e"


class Load:
    """Whoever dials the port hears announces without end, and junk between."""

    def __init__(self, announces):
        self.announces = announces
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(4)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        rng = random.Random(1)
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(s, rng.randbytes(200)), daemon=True).start()

    def _talk(self, s, junk):
        try:
            for a in self.announces:
                s.sendall(framed(a))
            while True:
                s.sendall(framed(b"\x00\x00" + junk) * 100)
        except OSError:
            pass

    def stop(self):
        self.listener.close()


def count_of(path):
    """How many entries a msgpack list has; 0: no file."""
    try:
        head = open(path, "rb").read(5)
    except FileNotFoundError:
        return 0
    if head[0] >> 4 == 9:
        return head[0] & 15
    return struct.unpack(">H", head[1:3])[0] if head[0] == 0xdc else struct.unpack(">I", head[1:5])[0]


def lines(log, name):
    return re.findall(name + r": read=(\d+) skipped=(\d+)", open(log).read())


def kills(n):
    def run(ctx):
        rng = random.Random(7)
        made = subprocess.run([ctx.args.python, "-c", MAKE, "60"], capture_output=True, text=True, timeout=60)
        made = [bytes.fromhex(x) for x in made.stdout.split()]
        check(len(made) == 120, "announces")
        announces, shown = made[:50], made[60:]
        load = ctx.keep(Load(announces))
        port = lib.free_port()
        text = config(client("up", load.port, "ingress_control = no\n") +
                      server("listen", port, "ingress_control = no\n"), transport=True)
        folder = ctx.dir("warren")
        s, log = folder + "/storage/", folder + "/log"

        def live(i, end):
            """One life; end(t) is how it ends."""
            t = ctx.transport(text, folder=folder)
            ctx.things.remove(t)
            try:
                with socket.create_connection(("127.0.0.1", port)) as peer:
                    peer.sendall(framed(shown[i % len(shown)]) + b"".join(framed(a) for a in made[50:60]))
                    end(t)
            finally:
                t.proc.kill()
                t.proc.wait()
                t.channel.sock.close()

        def has_all(t):
            lib.must(lambda: control(t, "status")[0]["counts"]["paths"] == 60, "something to save")

        def in_order(t):
            has_all(t)
            check(t.stop() == 0, "exit status")

        def in_the_save(t):
            has_all(t)
            t.channel.send("STOP")
            lib.quiet(0.1 + rng.random() * 0.3, "the moment of the kill is a random one")

        def somewhere(t):
            lib.quiet(rng.random() * 0.1, "the moment of the kill is a random one")

        live(0, in_order)
        for i in range(n + 1):
            want = count_of(s + "destination_table"), count_of(s + "tunnels")
            check(want == (50, 1), f"after kill {i}: {want}")
            starts = len(lines(log, "destination_table"))
            live(i, in_order if i == n else in_the_save if i % 4 else somewhere)
            for name, paths in (("destination_table", 50), ("tunnels", 10)):
                said = lines(log, name)
                check(len(said) == starts + 1 and said[-1] == (str(paths), "0"), f"after kill {i}: {name} {said[-1:]}")
            check(not os.path.exists(s + "damaged"), f"after kill {i}: {os.listdir(s)}")
        check(not glob.glob(s + "**/.*.tmp", recursive=True), "left over")
    return run


TESTS = [
    ("kills: 10 at random", kills(10)),
]
LONG = [
    ("kills: 200 at random", kills(200)),
]
