# SPDX-License-Identifier: BSD-2-Clause
"""Devices that say what they like for ten minutes of the clock, at 115,200
baud, one that never answers, and ports that other programs have, beside a relay
under traffic: it loses nothing, each says why, the log stays short, and all of
them carry when the device comes to its senses."""
import fcntl
import os
import random
import sys
import termios
import threading
import time

from lib import HERE, Node, done, of, quiet, result, skip, until
from libwire import Dest, Traffic, frame

sys.path.insert(0, os.path.dirname(HERE))
from nets import free_port, server  # noqa: E402
from ptys import Port  # noqa: E402
from radio.ether import Ether  # noqa: E402
from radio.kiss import frame as kiss  # noqa: E402

build = sys.argv[1]
SECONDS = float(os.environ.get("GARBAGE_S", "600"))
RATE = 11520  # bytes a second
LATE_S = 1.0  # shared cores; a stalled loop is late by all of its stall
LINES = 22    # of one port in ten minutes: 20, and that it is open
LORA = "frequency = %d\nbandwidth = 500000\ntxpower = 7\nspreadingfactor = 7\ncodingrate = 5\n"


def any_bytes(r, n):
    return r.randbytes(n)


def too_slow(r, n):
    """What is made at 115,200 baud of somebody at 9600."""
    return bytes(r.choice(b"\x00\x80\xf8\xff\xe0\xfc") for _ in range(n))


def endless(_, n):
    return b"x" * n


# name, type, keys, what it says, what status must count of it
LOUD = (
    ("Serial", "SerialInterface", "speed = 115200\n", any_bytes, None),
    ("Slow", "SerialInterface", "speed = 115200\n", too_slow, "rx_noise"),
    ("Tnc", "KISSInterface", "speed = 115200\n", any_bytes, "rx_other_commands"),
    ("SlowTnc", "KISSInterface", "speed = 115200\n", too_slow, "rx_noise"),
    ("Radio", "RNodeInterface", LORA % 868000000, any_bytes, "no_answer"),
    ("Endless", "RNodeInterface", LORA % 869000000, endless, "no_answer"),
    ("Weave", "WeaveInterface", "", any_bytes, "no_answer"),
)


class Noise(threading.Thread):
    """At that rate, as long as nobody ends it."""

    def __init__(self, port, make, seed):
        super().__init__(daemon=True)
        self.port, self.make, self.random = port, make, random.Random(seed)
        self.said, self.over, self.since = 0, threading.Event(), time.monotonic()
        self.start()

    def run(self):
        due = 0
        while not self.over.wait(0.02):
            now = int((time.monotonic() - self.since) * RATE)
            self.said += self.port.write(self.make(self.random, now - due))
            due = now

    def end(self):
        self.over.set()
        self.join()
        return self.said


def section(name, kind, port, keys):
    return "[[%s]]\ntype = %s\nenabled = yes\nport = %s\n%s" % (name, kind, port, keys)


def cpu(pid):
    with open("/proc/%d/stat" % pid) as f:
        word = f.read().rsplit(")", 1)[1].split()
    return (int(word[11]) + int(word[12])) / os.sysconf("SC_CLK_TCK")


def senses(ether, ports, node):
    """Real devices in the place of each, those that had the ports let them go, and what does not come up then."""
    for name, kind, _, _, _ in LOUD:
        if kind in ("RNodeInterface", "WeaveInterface"):
            ports[name].unplug()
            (ether.rnode if kind[0] == "R" else ether.weave)(name)
    ports["Mute"].unplug()
    ether.rnode("Mute")
    fcntl.flock(ports["Locked"].slave, fcntl.LOCK_UN)
    fcntl.ioctl(ports["Taken"].slave, termios.TIOCNXCL)
    dest, heard = Dest(), {n: of(node, n).get("rx_packets", 0) for n in ("Serial", "Slow", "Tnc", "SlowTnc")}
    left = set()

    def carries():
        for n in heard:
            # a cable begins a new frame with any flag; a TNC's is its own
            ports[n].write(frame(dest.announce()) if n in ("Serial", "Slow") else kiss(0, dest.announce()))
        left.clear()
        left.update(n for n in heard if of(node, n).get("rx_packets", 0) <= heard[n])
        left.update(n for n in ("Radio", "Endless", "Weave", "Mute", "Locked", "Taken")
                    if not of(node, n).get("online"))
        return not left
    until(carries, "each carries", 90)
    return left


def garbage(folder, ether):
    tcp = free_port(), free_port()
    ports = {n: Port(os.path.join(folder, n)) for n in [x[0] for x in LOUD] + ["Mute", "Locked", "Taken"]}
    fcntl.flock(ports["Locked"].slave, fcntl.LOCK_EX)
    fcntl.ioctl(ports["Taken"].slave, termios.TIOCEXCL)
    node = Node(build, "garbage")
    with open(os.path.join(node.dir, "config")) as f:
        text = f.read().replace("[reticulum]\n", "[reticulum]\nenable_transport = yes\n")
    node.write("config", text + server("Near", tcp[0]) + server("Far", tcp[1]) +
               "".join(section(n, kind, ports[n].path, keys) for n, kind, keys, _, _ in LOUD) +
               section("Mute", "RNodeInterface", ports["Mute"].path, LORA % 867000000) +
               "".join(section(n, "KISSInterface", ports[n].path, "") for n in ("Locked", "Taken")))
    noise = []
    try:
        node.start()
        node.ready(["transport"])
        until(lambda: all(of(node, n).get("online") for n in ("Serial", "Slow", "Tnc", "SlowTnc")), "lines are open")
        t = Traffic(tcp[0], tcp[1], interval=0.02)
        noise = [Noise(ports[x[0]], x[3], i) for i, x in enumerate(LOUD)]
        before, since = cpu(node.pids()["transport"]), time.monotonic()
        quiet(SECONDS, "the garbage")
        said = [n.end() for n in noise]
        used = (cpu(node.pids()["transport"]) - before) / (time.monotonic() - since)
        print("#   %d s, %d bytes of garbage, transport took %.1f %% of a processor" % (SECONDS, sum(said), 100 * used),
              flush=True)
        rows = {x[0]: of(node, x[0]) for x in LOUD}
        odd = {x[0]: rows[x[0]] for x in LOUD if x[4] is not None and not rows[x[0]].get(x[4])}
        result("garbage: each is counted by its reason", not odd, odd)
        result("garbage: a wrong speed is asked for", all("is the speed that" in rows[n].get("remark", "")
                                                          for n in ("Slow", "SlowTnc")), rows["Slow"])
        result("garbage: lines stay open, and what is no device is down", all(
            rows[n]["online"] for n in ("Serial", "Slow", "Tnc", "SlowTnc")) and not any(
            rows[n]["online"] for n in ("Radio", "Endless", "Weave")), rows)
        mute, held = of(node, "Mute"), [of(node, n).get("error", "") for n in ("Locked", "Taken")]
        result("garbage: one that never answers is asked again", not mute["online"] and
               mute["no_answer"] >= min(2, SECONDS / 20) and "nothing answers there" in mute["error"], mute)
        result("garbage: whose port another program has says so", all("another program has it" in e for e in held), held)
        lines = node.said().splitlines()
        count = {n: sum(" %s: " % n in w for w in lines) for n in ports}
        result("garbage: the log stays short", max(count.values()) <= LINES, count)
        left = senses(ether, ports, node)
        result("garbage: all carry when the device comes to its senses", not left, {n: of(node, n) for n in left})
        t.more(100)
        sent, lost = t.end()
        result("garbage: the traffic beside them is whole and in time", sent > SECONDS and not lost and t.worst < LATE_S,
               "%d sent, %d lost, worst %.3f s" % (sent, lost, t.worst))
        print("#   %d packets relayed, the latest after %.3f s" % (sent, t.worst), flush=True)
    finally:
        for n in noise:
            n.end()
        node.stop()
        for p in ports.values():
            p.unplug()
        node.remove()


def main():
    folder = os.path.join(os.getcwd(), "garbage")
    os.mkdir(folder)
    with Ether(folder, speed=8) as ether:
        garbage(folder, ether)


if "LINE_LONG" not in os.environ:
    skip("garbage", "it takes ten minutes of the clock: ./check long")
elif os.geteuid() != 0:
    skip("garbage", "not started as root")
else:
    main()
done()
