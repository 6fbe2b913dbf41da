# SPDX-License-Identifier: BSD-2-Clause
"""Interfaces behind devices: who keeps their ports, that they come and go, and
what has no room in one that does not read."""
import hashlib
import os

from lib import PATIENCE_S, Status, of, status, until
from libwire import Frames


def keepers(node):
    """Children of the daemon that keep a port: (pid, status)."""
    found = []
    try:
        with open("/proc/%d/task/%d/children" % ((node.process.pid,) * 2)) as f:
            pids = f.read().split()
    except OSError:
        return found
    for pid in pids:
        try:
            with open("/proc/%s/comm" % pid) as f:
                if f.read().strip() == "warren-port":
                    found.append((int(pid), Status(int(pid))))
        except OSError:
            pass
    return found


def fill(node, port, section, dest, count, announce=lambda: None):
    """So many packets, over TCP, for a destination behind an interface that takes none: what had no room there.
    announce() tells of it, should nobody have."""
    near = Frames(port)
    relay = None

    def told():
        nonlocal relay
        announce()
        # "where is it", as a program asks (reticulum-transport.md 6.1)
        name = hashlib.sha256(b"rnstransport.path.request").digest()[:10]
        to = hashlib.sha256(name).digest()[:16]
        near.send(b"\x08\x00" + to + b"\0" + dest.hash + os.urandom(16))
        for raw in near.receive(0.5) or []:
            if raw[0] & 0x43 == 0x41 and raw[18:34] == dest.hash:
                relay = raw[2:18]
        return relay

    if not until(told, "a path to the device that does not read"):
        return None
    packet = b"\x50\x00" + relay + dest.hash + b"\0"
    for _ in range(count):
        near.send(packet + os.urandom(420))
    return until(lambda: of(node, section).get("tx_drops"), "packets that had no room")


def swaps(node, names, rounds, unplug, plug, meanwhile=lambda: None):
    """The interfaces of these sections lose their devices, all at once, and get them back, so often. meanwhile():
    while they are up. "", or what went wrong."""
    def all_are(online):
        rows = {i["section"]: i for i in status(node).get("interfaces_list", []) if "line_lost" in i}
        return all(n in rows and rows[n]["online"] == online for n in names)
    for n in range(rounds):
        if not until(lambda: all_are(True), "every device is up", PATIENCE_S):
            return "round %d: not up" % n
        meanwhile()
        unplug()
        if not until(lambda: all_are(False), "every device is gone", PATIENCE_S):
            return "round %d: not gone" % n
        plug()
    if not until(lambda: all_are(True), "every device is up again", PATIENCE_S):
        return "not up at the end"
    meanwhile()
    lost = {n: of(node, n).get("line_lost") for n in names}
    return "" if set(lost.values()) == {rounds} else str(lost)
