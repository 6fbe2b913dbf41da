# SPDX-License-Identifier: BSD-2-Clause
"""Interfaces of other types than TCP, between warrend and stock Reticulum."""

import json
import os
import subprocess

import lib
import netns
from lib import CODES, check, config
from test_jobs import IN_GROUP, Daemon
from test_relay import visit

STEPS = ["announce", "packet", "open", "identify", "echo20k", "close"]


def warrend(ctx, interfaces, net=None, bad=(), wait=True, **how):
    """A relay; its folder, when all its interfaces are up but the bad ones (wait=False: who calls waits for up()).
    how: more for lib.config()."""
    folder = ctx.dir("warrend")
    os.chmod(folder, 0o700)
    with open(os.path.join(folder, "config"), "w") as f:
        f.write(config(interfaces, transport=True, **how))
    os.chmod(os.path.join(folder, "config"), 0o600)
    argv = [IN_GROUP, os.path.join(ctx.args.build, "warrend"), "--config", folder]
    Daemon(ctx, net.inside(*argv) if net else argv, "warrend.log")
    if wait:
        up(ctx, folder, bad)
    return folder


def up(ctx, folder, bad=()):
    lib.must(lambda: (of := interfaces_of(ctx, folder)) and all(i["online"] for i in of if i["section"] not in bad),
             "every interface is up")


def interfaces_of(ctx, folder):
    """What `warren status` says of that daemon; [] while nobody answers."""
    r = subprocess.run([os.path.join(ctx.args.build, "warren"), "status", "--json", "--config", folder],
                       capture_output=True, text=True, timeout=lib.PATIENCE_S)
    try:
        return [i for i in json.loads(r.stdout)["interfaces_list"] if "section" in i]
    except (ValueError, KeyError):
        return []


def udp(name, listen, forward, extra=""):
    return f"""[[{name}]]
type = UDPInterface
enabled = yes
listen_ip = 127.0.0.1
listen_port = {listen}
forward_ip = localhost
forward_port = {forward}
{extra}"""


def over_udp(ctx, old=True, steps=STEPS):
    """1.4.2 - UDP - warrend - UDP with access codes - 1.5.7"""
    p = [lib.free_port() for _ in range(4)]
    node = warrend(ctx, udp("one", p[0], p[1]) + udp("two", p[2], p[3], CODES))
    a = ctx.stock_dir(config(udp("up", p[1], p[0])))
    b = ctx.stock_dir(config(udp("up", p[3], p[2], CODES)))
    visit(ctx, a, b, ctx.args.python, ctx.args.python_old if old else ctx.args.python, 2, steps=steps)
    check(ctx.mtu == 500, f"a UDP interface takes no part in link MTU discovery: {ctx.mtu}")
    one, two = interfaces_of(ctx, node)
    for i in one, two:
        check(i["mtu"] == 1064 and i["rx_packets"] > 5 and i["tx_packets"] > 5 and i["tx_drops"] == 0, i)
    check(one["name"] == f"UDPInterface[one/127.0.0.1:{p[0]}]", one)


def between_tcp(ctx):
    """1.4.2 - TCP - warrend - UDP - warrend - TCP - 1.5.7: the link is of 500 bytes, and carries resources."""
    p = [lib.free_port() for _ in range(4)]
    warrend(ctx, lib.server("near", p[0]) + udp("out", p[1], p[2]))
    warrend(ctx, lib.server("far", p[3]) + udp("out", p[2], p[1]))
    a, b = (ctx.stock_dir(config(lib.client("up", port))) for port in (p[0], p[3]))
    visit(ctx, a, b, ctx.args.python, ctx.args.python_old, 3, steps=[*STEPS[:-1], "resource20k", "close"])
    check(ctx.mtu == 500, f"UDP takes the signalled size away: {ctx.mtu}")


def auto(name, extra=""):
    return f"[[{name}]]\ntype = AutoInterface\nenabled = yes\n{extra}"


def over_auto(ctx, old=True, extra=CODES, steps=STEPS):
    """1.4.2 - a cable - warrend - a cable - 1.5.7, all with one AutoInterface"""
    if not netns.possible():
        return "this user may make no network namespace"
    a, w, b = (ctx.keep(netns.Net()) for _ in range(3))
    netns.cable(w, "left", a, "cable")
    netns.cable(w, "right", b, "cable")
    node = warrend(ctx, auto("lan", extra), w)
    pythons = [n.wrapper(os.path.join(ctx.folder, f"python{i}"), p) for i, (n, p) in enumerate(
        ((a, ctx.args.python_old if old else ctx.args.python), (b, ctx.args.python)))]
    visit(ctx, ctx.stock_dir(config(auto("lan", extra))), ctx.stock_dir(config(auto("lan", extra))),
          pythons[1], pythons[0], 2, steps=steps)
    check(ctx.mtu == 1196, f"an AutoInterface takes part in link MTU discovery: {ctx.mtu}")
    i = interfaces_of(ctx, node)[0]
    check(i["name"] == "AutoInterface[lan]" and i["clients"] == 2 and i["rx_packets"] > 5, i)


def pipe(name, command, extra=""):
    return f"[[{name}]]\ntype = PipeInterface\nenabled = yes\nrespawn_delay = 0.2\ncommand = {command}\n{extra}"


JOIN = """import os, select, socket, sys
s = socket.socket(socket.AF_UNIX)
path = sys.argv[1]
if sys.argv[2] == "listen":
    if os.path.exists(path):
        os.unlink(path)
    s.bind(path)
    os.chmod(path, 0o777)
    s.listen(1)
    s = s.accept()[0]
else:
    s.connect(path)
while True:
    for fd in select.select([0, s], [], [])[0]:
        data = os.read(0, 65536) if fd == 0 else s.recv(65536)
        if not data:
            sys.exit(0)
        s.sendall(data) if fd == 0 else os.write(1, data)
"""


def over_pipe(ctx):
    """1.4.2 - a pipe - warrend - a pipe - 1.5.7; each command carries the bytes over a socket"""
    os.chmod(ctx.folder, 0o755)
    room = ctx.dir("sockets")
    os.chmod(room, 0o777)
    script = os.path.join(room, "join.py")
    with open(script, "w") as f:
        f.write(JOIN)

    def end(name, role):
        # not this program's Python: the command's user may not be able to walk there
        return f"/usr/bin/python3 {script} '{room}/{name}' \"{role}\""
    a = ctx.stock_dir(config(pipe("up", end("a", "listen"))))
    b = ctx.stock_dir(config(pipe("up", end("b", "listen"), CODES)))
    node = warrend(ctx, pipe("one", end("a", "connect")) + pipe("two", end("b", "connect"), CODES))
    visit(ctx, a, b, ctx.args.python, ctx.args.python_old, 2, steps=STEPS)
    one, two = interfaces_of(ctx, node)
    check(one["name"] == "PipeInterface[one]" and one["mtu"] == 1064 and one["rx_packets"] > 5, one)


TESTS = [
    ("auto: 1.4.2 and 1.5.7 over a relay", over_auto),
]
LONG = [
    ("pipe: 1.4.2 and 1.5.7 over a relay", over_pipe),
    ("udp: 1.4.2 and 1.5.7 over a relay", over_udp),
    ("udp: between two relays with TCP", between_tcp),
    ("auto: 1.5.7 and 1.5.7, resources, no access code",
     lambda ctx: over_auto(ctx, False, "", ["announce", "open", "identify", "size500k", "resource2m", "close"])),
    ("udp: resources between 1.5.7 over a relay",
     lambda ctx: over_udp(ctx, old=False, steps=["announce", "open", "identify", "size500k", "resource2m", "close"])),
]
