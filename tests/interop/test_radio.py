# SPDX-License-Identifier: BSD-2-Clause
"""Radios: stock Reticulum and warrend over one simulated ether."""

import os
import random
import re
import subprocess

import lib
from lib import check, config
from radio.ether import Ether
from radio.rnode import MCU_NRF52, NRF52, SX1262, SX1280
from test_relay import visit

FAST = {"frequency": 868200000, "bandwidth": 500000, "txpower": 7, "spreadingfactor": 7, "codingrate": 5}


def ether(ctx, **how):
    return ctx.keep(Ether(ctx.dir("ether"), **how))


def section(name, port, kind="RNodeInterface", keys=FAST, extra=""):
    lines = "".join(f"{k} = {v}\n" for k, v in keys.items())
    return f"[[{name}]]\ntype = {kind}\nenabled = yes\nport = {port}\n{lines}{extra}"
SHORT = ["announce", "packet", "open", "close"]
WHOLE = ["announce", "packet", "open", "identify", "resource20k", "close"]


def meet(ctx, a, b, steps=SHORT):
    """1.5.7 on the section a, 1.4.2 on b."""
    visit(ctx, ctx.stock_dir(config(a)), ctx.stock_dir(config(b)), ctx.args.python, ctx.args.python_old, 1,
          steps=steps)


def stock_and_stock(ctx, steps=SHORT):
    """1.4.2 - ether - 1.5.7: the simulator is a radio to both."""
    e = ether(ctx, speed=4)
    a, b = e.rnode("a"), e.rnode("b")
    meet(ctx, section("radio", a.path), section("radio", b.path), steps)
    kinds = e.air.by_kind()
    check({"announce", "data", "linkrequest", "proof"} <= set(kinds), f"on the air: {kinds}")
    check(all(len(f["heard"]) + len(f["lost"]) == 1 for f in e.air.frames), f"one other radio: {e.air.frames}")


def stock_tcp(ctx):
    """One of the two at the other end of TCP, with flow control."""
    e = ether(ctx, speed=4)
    address = f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"
    a, b = e.rnode("a", tcp=(address, 7633)), e.rnode("b")
    meet(ctx, section("radio", f"tcp://{address}"), section("radio", b.path, extra="flow_control = yes\n"), WHOLE)
    check(a.timeouts == 0, "the host says something in time")


def multi_section(port, extra=""):
    """Two radios of one device, 868 MHz and 2.4 GHz."""
    subs = ((0, {**FAST, "txpower": 14}), (1, {**FAST, "frequency": 2412000000, "bandwidth": 812500}))
    return f"[[multi]]\ntype = RNodeMultiInterface\nenabled = yes\nport = {port}\n" + "".join(
        f"[[[sub{v}]]]\ninterface_enabled = yes\nvport = {v}\n" + "".join(f"{k} = {w}\n" for k, w in keys.items()) + extra
        for v, keys in subs)


def multi_device(e, name):
    return e.rnode(name, chips=(SX1262, SX1280), platform=NRF52, mcu=MCU_NRF52)


def stock_multi(ctx):
    """Two of them hear each other on both channels, a plain RNode the one that it is tuned to."""
    e = ether(ctx, speed=4)
    a, b, d = (multi_device(e, n) for n in "abd")
    c = e.rnode("c")
    meet(ctx, multi_section(a.path), section("radio", c.path), WHOLE)
    check({f["from"] for f in e.air.frames} == {"a.0", "a.1", "c"}, "all radios have sent")
    meet(ctx, multi_section(d.path), multi_section(b.path), SHORT)


def stock_tncs(ctx):
    e = ether(ctx, speed=8)
    a, b = e.tnc("a"), e.tnc("b")
    keys = {"speed": 9600, "preamble": 100}
    meet(ctx, section("tnc", a.path, "KISSInterface", keys, "flow_control = yes\n"),
         section("tnc", b.path, "KISSInterface", keys), WHOLE)


def stock_weave(ctx):
    e = ether(ctx)
    a, b = e.weave("a"), e.weave("b")
    meet(ctx, *[section("weave", p.path, "WeaveInterface", {}) for p in (a, b)], WHOLE)


def stock_line(ctx):
    a, b = ether(ctx).cable("a", "b", rate=11520)
    meet(ctx, *[section("line", p.path, "SerialInterface", {"speed": 115200}) for p in (a, b)], WHOLE)


def rnodeconf(ctx):
    """What its own tool says of the device, of the packages' version."""
    e = ether(ctx)
    runs = []
    for i, python in enumerate((ctx.args.python, ctx.args.python_old)):
        argv = [os.path.join(os.path.dirname(python), "rnodeconf"), e.rnode(f"radio{i}").path, "--info"]
        home = ctx.dir("home")  # it keeps keys and firmware there
        runs.append(subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                     stdin=subprocess.DEVNULL, env={**os.environ, "HOME": home}))
    for run in runs:
        out, _ = run.communicate(timeout=lib.PATIENCE_S)
        for said in ("EEPROM checksum correct", "RNode 820 - 1020 MHz", r"Firmware version\s*: 1\.74",
                     "Serial number *: 00:00:00:01", "Modem chip *: SX1276", "Normal .host-controlled"):
            check(re.search(said, out), f"rnodeconf says nothing like {said!r}: {out}")
        check(run.returncode == 0, f"it ends with {run.returncode}: {out}")


TESTS = [
    ("radio: rnodeconf reads the device", rnodeconf),
    ("radio: stock 1.4.2 and 1.5.7 over the ether", stock_and_stock),
]
LONG = [
    ("radio long: stock, 20 kB over the ether", lambda ctx: stock_and_stock(ctx, WHOLE)),
    ("radio long: stock over TCP, flow control", stock_tcp),
    ("radio long: stock with two radios", stock_multi),
    ("radio long: stock on KISS TNCs", stock_tncs),
    ("radio long: stock on Weave devices", stock_weave),
    ("radio long: stock on a serial line", stock_line),
]
