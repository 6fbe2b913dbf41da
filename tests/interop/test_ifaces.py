# SPDX-License-Identifier: BSD-2-Clause
"""Interfaces of other types than TCP, between warrend and stock Reticulum."""

import json
import os
import subprocess

import lib
from lib import CODES, check, client, config, server
from test_jobs import Daemon
from test_relay import visit

STEPS = ["announce", "packet", "open", "identify", "echo20k", "close"]


def warrend(ctx, interfaces):
    """A relay; its folder, when all its interfaces are up."""
    folder = ctx.dir("warrend")
    os.chmod(folder, 0o700)
    with open(os.path.join(folder, "config"), "w") as f:
        f.write(config(interfaces, transport=True))
    os.chmod(os.path.join(folder, "config"), 0o600)
    Daemon(ctx, [os.path.join(ctx.args.build, "warrend"), "--config", folder], "warrend.log")
    lib.must(lambda: (of := interfaces_of(ctx, folder)) and all(i["online"] for i in of), "every interface is up")
    return folder


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


TESTS = [
    ("udp: 1.4.2 and 1.5.7 over a relay", over_udp),
]
LONG = [
    ("udp: resources between 1.5.7 over a relay",
     lambda ctx: over_udp(ctx, old=False, steps=["announce", "open", "identify", "size500k", "resource2m", "close"])),
]
