# SPDX-License-Identifier: BSD-2-Clause
"""RNodes of warrend, on the simulated ether, between stock Reticulum on theirs."""

import json
import os
import random
import subprocess

import lib
from lib import CODES, check, client, config, server
from radio.odd import ODD, STOCK_FAILS
from radio.rnode import DATA
from test_ifaces import interfaces_of, up, warrend
from test_radio import FAST, SHORT, WHOLE, ether, multi_device, multi_section, section
from test_relay import visit

OTHER = {**FAST, "frequency": 869525000}


def between(ctx, a, b, steps, node, bad=()):
    """1.4.2 on the section a, 1.5.7 on b, and the relay in between, which may still be starting."""
    visit(ctx, ctx.stock_dir(config(a)), ctx.stock_dir(config(b)), ctx.args.python, ctx.args.python_old, 2,
          steps=steps, up=lambda: up(ctx, node, bad))


def radios(ctx, node):
    return {i["name"]: i for i in interfaces_of(ctx, node)}


def busy(rows, *names):
    for n in names:
        i = rows[n]
        check(i["rx_packets"] > 1 and i["tx_packets"] > 1 and i["tx_drops"] == 0 and i["mtu"] == 508, i)


def shown(ctx, node, whole):
    """What both rnstatus say of the radios, from keys that they have alone; one says it to people, the other to
    programs, unless whole."""
    def asked(python, *words):
        r = subprocess.run([python, "-m", "RNS.Utilities.rnstatus", "--config", node, "RNodeInterface[one]", *words],
                           capture_output=True, text=True, timeout=lib.PATIENCE_S)
        return r.stdout, r.stderr
    both = ctx.args.python, ctx.args.python_old
    for python in both if whole else both[1:]:
        out, err = asked(python)
        for label in "Noise Fl.", "Airtime", "Ch. Load", "Mode", "Rate":
            check(f"    {label.ljust(10)}:" in out, f"no {label!r}: {out}{err}")
    for python in both if whole else both[:1]:
        out, err = asked(python, "-j")
        row = {i["short_name"]: i for i in json.loads(out[out.index("{"):])["interfaces"]}["one"]
        check(row["type"] == "RNodeInterface" and row["airtime_long"] > 0 and row["noise_floor"] < -50 and
              row["interference"] is None and "battery_percent" in row and "cpu_temp" in row, row)


def relayed(ctx, steps=SHORT):
    """1.4.2 - one channel - warrend - another, with access codes - 1.5.7"""
    e = ether(ctx, speed=4)
    os.chmod(ctx.folder, 0o755)
    a, b, one, two = (e.rnode(n) for n in ("a", "b", "one", "two"))
    node = warrend(ctx, section("one", one.path) + section("two", two.path, keys=OTHER, extra=CODES),
                   share=True, instance=f"interop{lib.free_port()}", wait=False)
    between(ctx, section("radio", a.path), section("radio", b.path, keys=OTHER, extra=CODES), steps, node)
    shown(ctx, node, steps is WHOLE)
    rows = radios(ctx, node)
    busy(rows, "RNodeInterface[one]", "RNodeInterface[two]")
    for i in rows.values():
        check(i["radio"]["sent_1h_percent"] > 0 and i["radio"]["noise_dbm"] < -50, i)
    check(all(i["bitrate"] == 21875 for i in rows.values()), rows)
    check({f["from"] for f in e.air.frames} == {"a", "b", "one", "two"}, "all radios have sent")


def over_tcp(ctx, steps=WHOLE):
    """A radio behind TCP, with flow control; the other one is several."""
    e = ether(ctx, speed=4)
    os.chmod(ctx.folder, 0o755)
    address = f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"
    a, b, far, two = e.rnode("a"), e.rnode("b"), e.rnode("far", tcp=(address, 7633)), multi_device(e, "two")
    node = warrend(ctx, section("far", f"tcp://{address}", keys=OTHER, extra="flow_control = yes\n") +
                   multi_section(two.path), wait=False)
    between(ctx, section("radio", a.path), section("radio", b.path, keys=OTHER), steps, node)
    rows = radios(ctx, node)
    busy(rows, "RNodeInterface[far]", "multi[sub0]")
    check(far.timeouts == 0, "it says something in time")


RESTART = ("esp32", "nrf52", "avr", "unknown-board")
AT_FAULT = {
    "mute": "no_answer", "bytes": "no_answer", "wrong-detect": "no_answer", "old": "firmware",
    "wrong-sf": "settings", "stays-off": "settings", "error-02": "device_errors", "restarts": "restart",
}


def at_fault(ctx):
    """Eight devices of which none is as it should be, beside a relay that two stock programs use."""
    e = ether(ctx, speed=4)
    os.chmod(ctx.folder, 0o755)
    a, b, one, two = (e.rnode(n) for n in ("a", "b", "one", "two"))
    apart = {**FAST, "frequency": 867000000}
    bad = "".join(section(f, e.rnode(f"bad-{f}", fault=f).path, keys=apart) for f in AT_FAULT)
    node = warrend(ctx, section("one", one.path) + bad + section("two", two.path, keys=OTHER), wait=False)
    between(ctx, section("radio", a.path), section("radio", b.path, keys=OTHER), WHOLE, node, AT_FAULT)
    rows = {i["section"]: i for i in interfaces_of(ctx, node)}
    for f, reason in AT_FAULT.items():
        i = rows[f]
        # those of the third line carry packets until they are sent one
        check(i[reason] > 0 and (i["online"] or i["error"]), f"{f}: {i}")
    check(not any(rows[f]["online"] for f in list(AT_FAULT)[:6]), rows)
    for f in "one", "two":
        check(rows[f]["online"] and rows[f]["since_s"] > rows["mute"]["since_s"] - 60 and rows[f]["tx_drops"] == 0 and
              rows[f]["line_lost"] == 0, rows[f])
    with open(os.path.join(ctx.folder, "warrend.log"), encoding="utf-8") as f:
        said = f.read()
    # the same words once in ten minutes
    check(said.count("nothing answers there") <= 3 and "its firmware is 1.51 and 1.52 is needed" in said and
          "spreadingfactor 12 and does not take 7" in said and "could not send a packet (error 2)" in said, said)


def odd(ctx):
    """All odd devices in one relay: each comes up at once and carries packets both ways, and again after a restart."""
    e = ether(ctx, speed=2)
    os.chmod(ctx.folder, 0o755)
    ports = {n: e.rnode(n, fault=n, baud=None) for n in ODD}
    apart = "".join(section(n, p.path, keys={**FAST, "frequency": 430000000 + 1000000 * i})
                    for i, (n, p) in enumerate(ports.items()))
    tcp = lib.free_port()
    node = warrend(ctx, server("hub", tcp) + apart)
    words = bytes([0x08, 0x00]) + os.urandom(16) + bytes(40)

    def lacking():
        """Those that have not been given an announce, or that nothing was heard of."""
        host.say("announce")
        host.expect(event="announced")
        for p in ports.values():
            e.loop.call(p.device.heard, p.device.radios[0], words + os.urandom(8), -80, 5.0)
        rows = {i["section"]: i for i in interfaces_of(ctx, node)}
        return [n for n, p in ports.items() if not rows[n]["online"] or rows[n]["rx_packets"] <= heard[n] or
                not any(c == DATA and d[:1] in (b"\x01", b"\x51") for c, d in p.device.seen)]

    for again in ("", "restarted"):
        heard = {i["section"]: i["rx_packets"] for i in interfaces_of(ctx, node)}
        # another one each time: of one destination only so many announces are passed on
        host = ctx.peer(ctx.args.python, "serve", ctx.stock_dir(config(client("up", tcp))))
        host.expect(event="ready")
        lib.until(lambda: not lacking(), f"packets both ways {again}", step=2)
        check(not (names := lacking()), f"no packets both ways {again}: {names}")
        check(all(p.opens == 1 + bool(again and n in RESTART) for n, p in ports.items()),
              {n: p.opens for n, p in ports.items()})
        for n in RESTART:
            e.loop.call(ports[n].device.seen.clear)
            e.loop.call(ports[n].device.restart)
        lib.must(lambda: all(r["restart"] for r in interfaces_of(ctx, node) if r["section"] in RESTART), "restarts")
    with open(os.path.join(ctx.folder, "warrend.log"), encoding="utf-8") as f:
        lines = f.read().splitlines()
    check(len(lines) < 4 * len(ODD), f"a short log: {len(lines)} lines")


def odd_with_stock(ctx):
    """The same devices with stock Reticulum, but those that it cannot use: they are radios to it."""
    e = ether(ctx, speed=2)
    names = [n for n in ODD if n not in STOCK_FAILS]
    ports = {n: e.rnode(n, fault=n, baud=None) for n in names}
    for k in range(3):  # it opens one after the other
        ctx.rnsd(ctx.args.python, config("".join(
            section(n, ports[n].path, keys={**FAST, "frequency": 430000000 + 1000000 * i})
            for i, n in enumerate(names) if i % 3 == k), transport=True))
    lib.until(lambda: all(p.device.radios[0].on for p in ports.values()), "each radio is on", 2 * lib.PATIENCE_S)
    off = [n for n, p in ports.items() if not p.device.radios[0].on]
    check(not off, f"not on the air with stock: {off}")


def offered(ctx):
    """Its own place in the air, to a stock rnsd over TCP: in the air an access point announces nothing."""
    if subprocess.run([ctx.args.python, "-c", "import LXMF"], capture_output=True, check=False).returncode != 0:
        return "stock Reticulum hears offers only with lxmf beside it"
    e = ether(ctx, speed=4)
    os.chmod(ctx.folder, 0o755)
    name, port = f"interop{lib.free_port()}", lib.free_port()
    node = warrend(ctx, section("Mast", e.rnode("ours").path, extra="discoverable = yes\ndiscovery_stamp_value = 8\n"
                                "height = 12\n") +
                   section("Hub", port, "TCPServerInterface", {"listen_ip": "127.0.0.1"}))
    mode = {i["section"]: i["mode"] for i in interfaces_of(ctx, node)}
    check(mode == {"Mast": "access_point", "Hub": "full"}, mode)
    stock = ctx.rnsd(ctx.args.python, config(client("up", port), transport=True, share=True, instance=name,
                                             more="discover_interfaces = yes\nrequired_discovery_value = 8\n"))
    lib.must(lambda: lib.instance_up(name), "rnsd")
    path = os.path.join(stock, "storage", "discovery", "interfaces")
    lib.must(lambda: os.path.isdir(path) and os.listdir(path), "rnsd has heard of our radio", 120)
    r = subprocess.run([ctx.args.python, "-m", "RNS.Utilities.rnstatus", "--config", stock, "-d", "-j"],
                       capture_output=True, text=True, timeout=lib.PATIENCE_S)
    found, = json.loads(r.stdout[r.stdout.index("[{"):])
    check(found["type"] == "RNodeInterface" and found["name"] == "Mast" and found["transport"] and
          [found[k] for k in ("frequency", "bandwidth", "sf", "cr")] == [868200000, 500000, 7, 5] and
          found["height"] == 12, found)


def weave(ctx, steps=WHOLE):
    """1.4.2 - Weave - warrend - RNode - 1.5.7"""
    e = ether(ctx, speed=4)
    os.chmod(ctx.folder, 0o755)
    a, one, two, b = e.weave("a"), e.weave("one"), e.rnode("two"), e.rnode("b")
    node = warrend(ctx, section("weave", one.path, "WeaveInterface", {}) + section("radio", two.path),
                   wait=False)
    between(ctx, section("weave", a.path, "WeaveInterface", {}), section("radio", b.path), steps, node)
    peers = [i for i in interfaces_of(ctx, node) if i["type"] == "WeaveInterfacePeer"]
    check(peers and sum(c["tx_ms"] for c in peers[0]["airtime"]["classes"]) > 0, f"airtime of a peer: {peers}")
    row, = [i for i in interfaces_of(ctx, node) if i["type"] == "WeaveInterface"]
    check(row["rx_packets"] > 1 and row["tx_packets"] > 1 and row["malformed"] == 0 and row["of_no_peer"] == 0, row)
    # it restarts, and has forgotten who its host is: the line stays open
    e.loop.call(one.device.powered)
    lib.must(lambda: one.device.host is not None, "the device is joined again")
    lib.must(lambda: any(i["type"] == "WeaveInterfacePeer" for i in interfaces_of(ctx, node)), "its peer is back")
    row, = [i for i in interfaces_of(ctx, node) if i["type"] == "WeaveInterface"]
    check(row["online"] and one.opens == 1 and row["lost"] == 0 and row["line_lost"] == 0, row)


TESTS = [
    ("rnode: 1.4.2 and 1.5.7 over a relay", relayed),
]
LONG = [
    ("rnode long: 20 kB over a relay", lambda ctx: relayed(ctx, WHOLE)),
    ("rnode long: devices at fault beside a relay", at_fault),
    ("rnode long: devices that have their own way", odd),
    ("rnode long: the same devices with stock", odd_with_stock),
    ("rnode long: a radio that is offered", offered),
    ("rnode long: Weave on the other side", weave),
    ("rnode long: TCP, flow control, two radios", over_tcp),
]
