# SPDX-License-Identifier: BSD-2-Clause
"""Radios: stock Reticulum and warrend over one simulated ether."""

import json
import os
import random
import re
import subprocess

import lib
import test_jobs
import test_submit
from lib import check, config
from radio.ether import Ether
from radio.faults import FAULTS
from radio.rnode import MCU_NRF52, NRF52, SX1262, SX1280
from test_ifaces import interfaces_of, up, warrend
from test_relay import visit

SLOW = {"frequency": 868200000, "bandwidth": 125000, "txpower": 7, "spreadingfactor": 10, "codingrate": 5}  # 977 bit/s
FAST = {"frequency": 868200000, "bandwidth": 500000, "txpower": 7, "spreadingfactor": 7, "codingrate": 5}


def ether(ctx, **how):
    folder = ctx.dir("ether")
    return ctx.keep(Ether(folder, log=folder + ".log", **how))


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


def rnode_pair(e, one, two, extra=""):
    return [section(n, e.rnode(n).path, extra=extra) for n in (one, two)]


def slow_pair(e, one, two, extra=""):
    return [section(n, e.rnode(n).path, keys=SLOW, extra=extra) for n in (one, two)]


def kiss_pair(e, one, two, extra=""):
    return [section(n, e.tnc(n).path, "KISSInterface", {"speed": 9600, "preamble": 100}, extra) for n in (one, two)]


def serial_pair(e, one, two, extra=""):
    return [section(n, p.path, "SerialInterface", {"speed": 9600}, extra) for n, p in
            zip((one, two), e.cable(one, two, rate=960))]


def between(first, second, steps=WHOLE, speed=8, extra=""):
    """1.4.2 - first - warrend - second - 1.5.7"""
    def run(ctx):
        e, f = ether(ctx, speed=speed), ether(ctx, speed=speed)  # two airs: they do not hear each other
        here, near = first(e, "here", "near")
        far, there = second(f, "far", "there", extra)
        node = warrend(ctx, near + far, wait=False)
        visit(ctx, ctx.stock_dir(config(here)), ctx.stock_dir(config(there)), ctx.args.python, ctx.args.python_old, 2,
              steps=steps, up=lambda: up(ctx, node))
        for i in interfaces_of(ctx, node):
            check(i["rx_packets"] > 0 and i["tx_packets"] > 0, f"it carried something: {i}")
    return run


def multi_pair(e, one, two, extra=""):
    return [multi_section(multi_device(e, n).path, extra).replace("[[multi]]", f"[[{n}]]") for n in (one, two)]


def weave_pair(e, one, two, extra=""):
    return [section(n, e.weave(n).path, "WeaveInterface", {}, extra) for n in (one, two)]


def ax25_pair(e, one, two, extra=""):
    return [section(n, e.tnc(n).path, "AX25KISSInterface",
                    {"speed": 9600, "preamble": 100, "callsign": "WARREN", "ssid": i}, extra)
            for i, n in enumerate((one, two))]


def tcp_pair(e, one, two, extra=""):
    address = f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"
    e.rnode(one, tcp=(address, 7633))
    return [section(one, f"tcp://{address}", extra=extra), section(two, e.rnode(two).path, extra=extra)]


def chain(ctx):
    """1.4.2 - serial - warrend - RNodes - warrend - KISS - 1.5.7"""
    airs = [ether(ctx, speed=8) for _ in range(3)]
    here, near = serial_pair(airs[0], "here", "near")
    out, back = rnode_pair(airs[1], "out", "back")
    far, there = kiss_pair(airs[2], "far", "there")
    warrend(ctx, near + out)
    warrend(ctx, back + far)
    visit(ctx, ctx.stock_dir(config(here)), ctx.stock_dir(config(there)), ctx.args.python, ctx.args.python_old, 3,
          steps=SHORT)


class Person(test_submit.Setup):
    """Somebody who submits through a daemon with one interface."""

    def __init__(self, ctx, daemon, interfaces):
        self.ctx, self.daemon = ctx, daemon
        self.name = f"person-{os.getpid()}"
        self.hub_dir = ctx.stock_dir(config(interfaces, transport=True, share=True, instance=self.name))
        os.chmod(self.hub_dir, 0o700)
        self.person, self.work = ctx.dir("person"), ctx.dir("work")
        self.hub()

    def has_path(self, dest):
        lib.must(lambda: dest in lib.paths_of(self.ctx.args.python, self.hub_dir), "the node's announce")


def ours(ctx):
    return [os.path.join(ctx.args.build, "warrend")]


def job_for_stock(pair, speed):
    """warren submit - warrend - the air - a node on stock Reticulum"""
    def run(ctx):
        e = ether(ctx, speed=speed)
        here, there = pair(e, "here", "there")
        p = Person(ctx, ours(ctx), here)
        node = ctx.keep(test_submit.Process([ctx.args.python, "-m", "klpy.node", "--config", ctx.stock_dir(config(there)),
                                             "--name", "far"], os.path.join(ctx.folder, "node.log"), cwd=lib.HERE,
                                            stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": ctx.folder}))
        ready = node.proc.stdout.readline().split()
        check(ready[:1] == ["READY"], "the node does not start")
        p.dest = ready[1]
        done(p, e, "host")
    return run


def job_for_us(pair, speed, **air):
    """warren submit - stock rnsd 1.4.2 - the air - warren-node"""
    def run(ctx):
        e = ether(ctx, speed=speed, **air)
        here, there = pair(e, "here", "there")
        p = Person(ctx, [ctx.args.python_old, "-m", "RNS.Utilities.rnsd"], here)
        who = json.loads(p.warren("identity", "show", "--json").stdout)
        p.dest, _, _ = test_jobs.node(ctx, there, [(who["key"], 2)])
        # without it 64 KiB of log are reckoned with, a quarter of an hour at 1 kbit/s
        done(p, e, "test/busybox:1", limits={"log": "4KB"})
    return run


def done(p, e, image, **keys):
    """A job with an output of 100 bytes, and its receipt; what it cost on the air."""
    job = p.job("echo over the air; head -c 87 /dev/zero", image=image, **keys)
    r = p.submit(job, "--out", "a", seconds=4 * lib.PATIENCE_S)
    check(r.stdout == b"over the air\n" + bytes(87), f"{r.stdout} {r.stderr}")
    for sender in ("here", "there"):
        for kind, k in sorted(e.air.by_kind(sender).items()):
            print(f"#   {sender} {kind}: {k['packets']} packets, {k['bytes']} bytes, {k['air']:.1f} s", flush=True)
    p.warren("receipt", "verify", "a")


# What becomes of each device at fault: on the air and stays there, off it after
# the first packet to it, never on it. All as with stock Reticulum, but that it
# ends when it does not like a firmware, wants to be told one, and falls where a
# device's queue is full.
STAYS = {"error-04", "error-05", "error-06", "never-ready", "short-version", "slow", "stalled", "wrong-cr"}
FALLS = {"error-01", "error-02", "error-03", "error-77", "restarts"}
NEVER = set(FAULTS) - STAYS - FALLS


def at_fault(ctx):
    """All devices at fault in one relay: two honest ones carry on, and each of the others stands as with stock."""
    e = ether(ctx, speed=4)
    bad = "".join(section(n, e.rnode(n, fault=n).path) for n in FAULTS)
    f, g = ether(ctx, speed=8), ether(ctx, speed=8)
    here, near = serial_pair(f, "here", "near")
    far, there = rnode_pair(g, "far", "there")
    node = warrend(ctx, near + far + bad, bad=FAULTS)
    visit(ctx, ctx.stock_dir(config(here)), ctx.stock_dir(config(there)), ctx.args.python, ctx.args.python_old, 2,
          steps=SHORT)
    lib.must(lambda: all(e.ports[n].opens > 1 for n in NEVER | FALLS), "each is tried again")
    rows = {i["section"]: i for i in interfaces_of(ctx, node)}
    for n in FAULTS:
        if n not in FALLS:  # those may just be up again
            check(rows[n]["online"] == (n in STAYS), f"not as with stock: {rows[n]}")
        if n in STAYS:
            check(e.ports[n].opens == 1, f"it was not left alone: {rows[n]}")
        if n in NEVER:
            check(isinstance(rows[n].get("error"), str), f"it says why: {rows[n]}")
    check(all(e.ports[n].opens < 30 for n in FAULTS), "none is tried all the time")
    with open(os.path.join(ctx.folder, "warrend.log")) as log:
        lines = log.read().splitlines()
    check(len(lines) < 20 * len(FAULTS), f"a short log: {len(lines)} lines")
    for code in 4, 5, 6:  # it goes on, and says what it was told: once in ten minutes
        said = f"(error {code})"
        check(said in rows[f"error-0{code}"]["remark"], f"what it complained of: {rows[f'error-0{code}']}")
        check(sum(said in line for line in lines) == 1, f"{said} is in the log once")


LOUD = """import sys, threading, RNS
RNS.Reticulum(sys.argv[1])
d = RNS.Destination(None, RNS.Destination.OUT, RNS.Destination.PLAIN, "warren", "loud")
while True:
    RNS.Packet(d, bytes(200)).send()
    threading.Event().wait(1)
"""


def most_of_any(frames, window):
    """The most seconds that a sender was on the air in any window."""
    spans = [(f["start"], f["start"] + f["air"]) for f in frames]
    return max(sum(max(0.0, min(b, end) - max(a, end - window)) for a, b in spans) for _, end in spans)


def quiet_tnc(ctx):
    """A TNC that does not say when it has sent, on a channel that others use: no window holds more than it may."""
    window, share = 60, 0.2
    e = ether(ctx)
    ports = [e.tnc(n, flow=False) for n in ("ours", "other", "third")]
    name = f"loud{os.getpid()}"
    folder = ctx.dir("warrend")
    os.chmod(folder, 0o700)
    for file, text in (("config", config(section("tnc", ports[0].path, "KISSInterface", {"speed": 9600, "preamble": 100}),
                                         transport=True, share=True, instance=name)),
                       ("node.yaml", f"airtime:\n  tnc: {{duty_cycle: {share:.0%}, window: {window}s}}\n")):
        with open(os.path.join(folder, file), "w") as f:
            f.write(text)
        os.chmod(os.path.join(folder, file), 0o600)
    test_jobs.Daemon(ctx, [os.path.join(ctx.args.build, "warrend"), "--config", folder], "warrend.log")
    up(ctx, folder)
    test_jobs.Daemon(ctx, [ctx.args.python, "-c", LOUD, ctx.stock_dir(config("", share=True, instance=name))], "loud.log")
    dice = random.Random(7)

    def others():
        """Half of the channel's time, and a part of that no TNC understands, for two of them at once."""
        for p in ports[1:]:
            if p.device.queued_bytes < 300:
                p.device.put(dice.randbytes(dice.randrange(60, 400)))
        e.loop.after(dice.expovariate(1 / 4), others)
    e.loop.call(others)

    def mine():
        return [f for f in e.air.frames if f["from"] == "ours"]
    lib.quiet(4 * window, "four windows")
    frames = mine()
    most = most_of_any(frames, window)
    busy = sum(f["air"] for f in e.air.frames if f["from"] != "ours") / e.loop.now
    print(f"#   {most:.3f} s of {share * window:.1f} s, {len(frames)} frames; others {busy:.0%} of the time", flush=True)
    check(most <= share * window, f"{most:.3f} s in one window")
    check(most > share * window / 2, f"it hardly sends: {most:.3f} s")


TESTS = [
    ("radio: serial - warrend - KISS", between(serial_pair, kiss_pair, SHORT)),
]
LONG = [
    ("radio: serial - warrend - RNodes - warrend - KISS", chain),
    ("radio: every device at fault beside honest ones", at_fault),
    ("radio: a TNC without flow control, its duty cycle", quiet_tnc),
    ("radio: rnodeconf reads the device", rnodeconf),
    ("radio: stock over the ether", lambda ctx: stock_and_stock(ctx, WHOLE)),
    ("radio: stock over TCP, flow control", stock_tcp),
    ("radio: stock with two radios", stock_multi),
    ("radio: stock on KISS TNCs", stock_tncs),
    ("radio: stock on Weave devices", stock_weave),
    ("radio: stock on a serial line", stock_line),
    ("radio: 20 kB, serial - warrend - serial", between(serial_pair, serial_pair)),
    ("radio: 20 kB, RNode - warrend - RNode", between(rnode_pair, rnode_pair)),
    ("radio: 20 kB, KISS - warrend - AX.25", between(kiss_pair, ax25_pair)),
    ("radio: 20 kB, TCP - warrend - RNode, flow control", between(tcp_pair, rnode_pair, extra="flow_control = yes\n")),
    ("radio: 20 kB, two radios - warrend - serial", between(multi_pair, serial_pair)),
    ("radio: 20 kB, Weave - warrend - serial", between(weave_pair, serial_pair)),
    ("radio: job over serial to stock", job_for_stock(serial_pair, 1)),
    ("radio: job over serial to us", job_for_us(serial_pair, 1)),
    ("radio: job over KISS to stock", job_for_stock(kiss_pair, 8)),
    ("radio: job over RNodes to stock", job_for_stock(rnode_pair, 4)),
    ("radio: job over RNodes to us", job_for_us(rnode_pair, 4)),
    ("radio: job at 1 kbit/s to stock", job_for_stock(slow_pair, 1)),
    ("radio: job at 1 kbit/s to us, a tenth lost", job_for_us(slow_pair, 1, loss=0.1)),
]
