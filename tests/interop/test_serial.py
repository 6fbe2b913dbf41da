# SPDX-License-Identifier: BSD-2-Clause
"""Interfaces behind a serial port, between warrend and stock Reticulum: both have one end of a cable."""

import os
import sys

import lib
from lib import CODES, check, config
from test_ifaces import STEPS, interfaces_of, up, warrend
from test_jobs import IN_GROUP, Daemon
from test_relay import visit
from test_tools import Instance, answers, sorted_types, tool

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from ptys import Cable  # noqa: E402
from radio.ether import Ether  # noqa: E402


def serial(name, port, extra="", kind="SerialInterface", speed=115200):
    return f"[[{name}]]\ntype = {kind}\nenabled = yes\nport = {port}\nspeed = {speed}\n{extra}"


def cables(ctx, n):
    os.chmod(ctx.folder, 0o755)
    room = ctx.dir("ports")
    made = [Cable(room, f"cable{i}") for i in range(n)]
    for c in made:
        ctx.keep(c)
    return made


def over_serial(ctx):
    """1.4.2 - a cable - warrend - a cable with access codes - 1.5.7"""
    left, right = cables(ctx, 2)
    a = ctx.stock_dir(config(serial("up", left.paths[0])))
    b = ctx.stock_dir(config(serial("up", right.paths[0], CODES)))
    node = warrend(ctx, serial("one", left.paths[1]) + serial("two", right.paths[1], CODES), wait=False)
    visit(ctx, a, b, ctx.args.python, ctx.args.python_old, 2, steps=STEPS, up=lambda: up(ctx, node))
    one, two = interfaces_of(ctx, node)
    for i in one, two:
        check(i["mtu"] == 564 and i["bitrate"] == 115200 and i["rx_packets"] > 5 and i["tx_packets"] > 5 and
              i["tx_drops"] == 0 and i["line_lost"] == 0, i)
    check(one["name"] == "SerialInterface[one]", one)


def over_kiss(ctx):
    """1.4.2 - AX.25 - warrend - KISS with access codes - 1.5.7: TNCs without air between them"""
    left, right = cables(ctx, 2)
    a = ctx.stock_dir(config(serial("up", left.paths[0], "callsign = N0CALL\nssid = 1\n", "AX25KISSInterface")))
    b = ctx.stock_dir(config(serial("up", right.paths[0], CODES, "KISSInterface")))
    node = warrend(ctx, serial("one", left.paths[1], "callsign = n0call\nssid = 2\n", "AX25KISSInterface") +
                   serial("two", right.paths[1], "persistence = 255\n" + CODES, "KISSInterface"), wait=False)
    visit(ctx, a, b, ctx.args.python, ctx.args.python_old, 2, steps=STEPS, up=lambda: up(ctx, node))
    one, two = interfaces_of(ctx, node)
    for i in one, two:
        check(i["mtu"] == 564 and i["bitrate"] == 1200 and i["rx_packets"] > 5 and i["tx_packets"] > 5 and
              i["tx_drops"] == 0 and i["line_lost"] == 0 and i["rx_other_commands"] >= 4, i)
    check(one["name"] == "AX25KISSInterface[one]" and two["name"] == "KISSInterface[two]", one)


def over_air(ctx):
    """1.4.2 - a line of 115,200 baud - warrend - TNCs in the air, with flow control - 1.5.7"""
    e = ctx.keep(Ether(ctx.dir("ether"), speed=8))
    near, far = e.tnc("near"), e.tnc("far")
    left, right = e.cable("left", "right", rate=11520)
    tnc = "flow_control = yes\npreamble = 100\n"
    a = ctx.stock_dir(config(serial("up", left.path)))
    b = ctx.stock_dir(config(serial("up", far.path, tnc, "KISSInterface", 9600)))
    node = warrend(ctx, serial("line", right.path) +
                   serial("tnc", near.path, tnc + "id_callsign = N0CALL\nid_interval = 20\n", "KISSInterface", 9600))
    visit(ctx, a, b, ctx.args.python, ctx.args.python_old, 2,
          steps=["announce", "packet", "open", "identify", "resource20k", "close"])
    line, tnc = interfaces_of(ctx, node)
    check(tnc["flow_timeouts"] == 0 and tnc["tx_drops"] == 0 and line["tx_drops"] == 0 and
          line["wrong_size"] == line["rx_partial"] == 0, (line, tnc))
    who = [f["from"] for f in e.air.frames]
    check({"near", "far"} <= set(who), f"both TNCs have sent: {sorted(set(who))}")


def as_rnsd_says(old):
    """The same folder served by rnsd, then by us: rnstatus says the same of what is behind a serial port."""
    def run(ctx):
        python = ctx.args.python_old if old else ctx.args.python
        made = cables(ctx, 3)
        instance = Instance("unix")
        text = instance.text(
            serial("Cable", made[0].paths[0], CODES) + serial("TNC", made[1].paths[0], "", "KISSInterface", 9600) +
            serial("Amateur", made[2].paths[0], "callsign = N0CALL\nssid = 1\n", "AX25KISSInterface", 9600))
        folder = ctx.rnsd(python, text)
        lib.must(instance.up, "rnsd is up")
        lib.must(lambda: tool(python, folder, "rnstatus", "-a").stdout.count("Up") >= 4, "its ports are open")
        want, want_json = answers(python, folder, (["-a"], ["-a", "-A"]))
        ctx.things.pop().stop()
        os.chmod(folder, 0o700)
        Daemon(ctx, [IN_GROUP, os.path.join(ctx.args.build, "warrend"), "--config", folder], "warrend.log")
        lib.must(lambda: (of := interfaces_of(ctx, folder)) and all(i["online"] for i in of), "our ports are open")
        got, got_json = answers(python, folder, (["-a"], ["-a", "-A"]))
        for args in want:
            check(got[args] == want[args], f"rnstatus {args}: {got[args]}\n--- rnsd says:\n{want[args]}")
        theirs, ours = sorted_types(want_json), sorted_types(got_json)
        for t in theirs:
            lack = {k: v for k, v in theirs[t].items() if ours.get(t, {}).get(k) != v}
            check(not lack, f"{t}: rnsd has {lack}")
        ours = {i["name"]: i for i in got_json["interfaces"]}
        ports = [i for i in want_json["interfaces"] if "[rns/" not in i["name"]]
        check(len(ports) == 3, ports)
        for i in ports:
            for k in ("hash", "short_name", "bitrate", "mtu", "ifac_size", "ifac_signature", "mode", "status"):
                check(k not in i or ours[i["name"]].get(k) == i.get(k), f"{i['name']}: {k} {ours[i['name']].get(k)}, rnsd {i.get(k)}")
    return run


TESTS = [
    ("serial: 1.4.2 and 1.5.7 over a relay", over_serial),
]
LONG = [
    ("kiss: 1.4.2 and 1.5.7 over a relay", over_kiss),
    ("kiss: in the air, with flow control and a beacon", over_air),
    ("serial: rnstatus, 1.5.7", as_rnsd_says(False)),
    ("serial: rnstatus, 1.4.2", as_rnsd_says(True)),
]
