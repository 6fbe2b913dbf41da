# SPDX-License-Identifier: BSD-2-Clause
"""RNodes, RNodes with two radios and TNCs of a simulated ether that are pulled
out and plugged in again under traffic, 200 times of each kind: all come back,
the log stays short, and a TCP interface beside them loses nothing."""
import os
import sys
import threading

from lib import HERE, Node, done, of, result, skip, until
from libports import keepers, swaps
from libwire import Dest, Frames, Traffic

sys.path.insert(0, os.path.dirname(HERE))
from nets import free_port, server  # noqa: E402
from radio.ether import Ether  # noqa: E402
from radio.rnode import MCU_NRF52, NRF52, SX1262, SX1280  # noqa: E402

build = sys.argv[1]
PORTS, ROUNDS = 20, 10
LATE_S = 1.0  # shared cores; a stalled loop is late by all of its stall
LORA = "frequency = %d\nbandwidth = %d\ntxpower = 7\nspreadingfactor = 7\ncodingrate = 5\n"
TNC = "speed = 9600\npreamble = 100\nflow_control = yes\n"


def section(name, kind, port, keys):
    return "[[%s]]\ntype = %s\nenabled = yes\nport = %s\n%s" % (name, kind, port.path, keys)


class Device:
    """One of them, on a channel of its own, and somebody who is heard there."""

    def __init__(self, ether, kind, k):
        self.name, self.ether, self.dest = "%s%d" % (kind, k), ether, Dest()
        self.given = 0
        if kind == "Tnc":
            self.port = ether.tnc(self.name, frequency=144000000 + k * 25000)
            self.text = section(self.name, "KISSInterface", self.port, TNC)
        elif kind == "Radio":
            self.port = ether.rnode(self.name)
            self.text = section(self.name, "RNodeInterface", self.port, LORA % (863000000 + k * 1000000, 500000))
        else:
            self.port = ether.rnode(self.name, chips=(SX1262, SX1280), platform=NRF52, mcu=MCU_NRF52)
            self.text = section(self.name, "RNodeMultiInterface", self.port, "".join(
                "[[[%s-%d]]]\ninterface_enabled = yes\nvport = %d\n%s" % (self.name, v, v, LORA % hz)
                for v, hz in enumerate(((902000000 + k * 1000000, 500000), (2412000000 + k * 1000000, 812500)))))

    def hears(self, raw):
        """From the air, so that the host reads it."""
        device = self.port.device
        if hasattr(device, "radios"):
            self.ether.loop.call(device.heard, device.radios[0], raw, -80, 5.0)
        else:
            self.ether.loop.call(device.heard, raw, -80, 5.0, 0.0, 0.0)

    def ready(self):
        return all(r.on for r in getattr(self.port.device, "radios", []))

    def told(self):
        """Packets for who is there that the host has given it."""
        seen = self.port.device.seen
        self.given += sum(1 for c, d in seen if c & 0x0F == 0 and self.dest.hash in d[:34])
        seen.clear()
        return self.given


class Load:
    """Packets over TCP for everybody behind a device, all the time; whoever relays them is told by an announce."""

    def __init__(self, tcp, devices):
        self.near, self.devices = Frames(tcp), devices
        self.relay, self.going = None, True
        self.rest = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while self.going:
            for raw in self.near.receive(0) or []:
                if raw[0] & 0x43 == 0x41:
                    self.relay = raw[2:18]
            for d in self.devices if self.relay else []:
                self.near.send(b"\x50\x00" + self.relay + d.dest.hash + b"\0" + os.urandom(200))
            self.rest.wait(1)

    def reached(self):
        """Each device is told something new, once it has said who is behind it."""
        if not until(lambda: all(d.ready() for d in self.devices), "every radio is on"):
            return [d.name for d in self.devices if not d.ready()]
        before = {d: d.told() for d in self.devices}
        for d in self.devices:
            d.hears(d.dest.announce())
        until(lambda: all(d.told() > n for d, n in before.items()), "a packet for each device")
        return [d.name for d, n in before.items() if d.told() <= n]

    def end(self):
        self.going = False
        self.thread.join()


def replug(ether):
    tcp = free_port(), free_port(), free_port()
    devices = [Device(ether, kind, k) for kind in ("Radio", "Tnc", "Multi") for k in range(PORTS)]
    node = Node(build, "replug")
    with open(os.path.join(node.dir, "config")) as f:
        text = f.read().replace("[reticulum]\n", "[reticulum]\nenable_transport = yes\n")
    node.write("config", text + server("Near", tcp[0]) + server("Far", tcp[1]) + server("Third", tcp[2]) +
               "".join(d.text for d in devices))
    silent = []
    try:
        node.start()
        node.ready(["transport"])
        t, load = Traffic(tcp[0], tcp[1]), Load(tcp[2], devices)
        why = swaps(node, [d.name for d in devices], ROUNDS,
                    lambda: [ether.loop.call(d.port.unplug) for d in devices],
                    lambda: [ether.loop.call(d.port.plug) for d in devices], lambda: silent.append(load.reached()))
        result("replug: %d times each of RNodes, of those with two radios and of TNCs" % (PORTS * ROUNDS),
               why == "", why)
        result("replug: packets go both ways after each time", silent == [[]] * (ROUNDS + 1), silent)
        load.end()
        t.more(100)
        sent, lost = t.end()
        result("replug: the traffic beside them is whole and in time", sent and not lost and t.worst < LATE_S,
               "%d sent, %d lost, worst %.3f s" % (sent, lost, t.worst))
        lines = node.said().splitlines()
        most = max((sum(" %s: " % d.name in w for w in lines), d.name) for d in devices)
        result("replug: the log says it once", 2 <= most[0] <= 8, most)
        result("replug: who keeps a port does not fall", "has fallen" not in node.said(),
               [w for w in lines if "has fallen" in w][:3])
        result("replug: each port has one keeper", len(keepers(node)) == len(devices), len(keepers(node)))
        rows = [of(node, d.name) for d in devices]
        result("replug: nothing that a device said was odd", not any(
            r.get("too_long") or r.get("device_errors") or r.get("settings") or r.get("no_answer") for r in rows),
            [r for r in rows if r.get("settings") or r.get("no_answer")][:3])
    finally:
        node.stop()
        node.remove()


def main():
    with_ether = os.path.join(os.getcwd(), "ether")
    os.mkdir(with_ether)
    with Ether(with_ether, speed=8) as ether:
        replug(ether)


if "LINE_LONG" not in os.environ:
    skip("replug", "it waits for radios to start 600 times: ./check long")
elif os.geteuid() != 0:
    skip("replug", "not started as root")
else:
    main()
done()
