# SPDX-License-Identifier: BSD-2-Clause
"""Serial ports that are missing, none, taken, pulled out again and again, that
flood or never read: each says why, the log stays short, the traffic of other
interfaces passes, and nothing is left of them at the end."""
import fcntl
import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading

from lib import HERE, PATIENCE_S, USER, Node, Status, done, of, result, skip, status, until
from libwire import Dest, Frames, Traffic, frame

sys.path.insert(0, os.path.dirname(HERE))
from nets import free_port, server  # noqa: E402
from ptys import Port  # noqa: E402

build = sys.argv[1]
LONG = "LINE_LONG" in os.environ
LATE_S = 1.0  # shared cores; a stalled loop is late by all of its stall
PORTS, ROUNDS = (20, 10) if LONG else (4, 1)
NOISE = 6912000  # ten minutes at 115,200 baud
KEEPER = 0x70000000 + 11


def serial(name, port):
    return "[[%s]]\ntype = SerialInterface\nenabled = yes\nport = %s\nspeed = 115200\n" % (name, port)


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


def held_ports(node):
    """Devices that transport has open, but /dev/null."""
    pid, found = node.pids()["transport"], set()
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            to = os.readlink("/proc/%d/fd/%s" % (pid, fd))
            if stat.S_ISCHR(os.stat("/proc/%d/fd/%s" % (pid, fd)).st_mode) and to != "/dev/null":
                # seen from its own root it may have no name
                found.add("/dev/pts/%d" % os.minor(os.stat("/proc/%d/fd/%s" % (pid, fd)).st_rdev))
        except OSError:
            pass
    return found


class Noise(threading.Thread):
    """Ten minutes of it, as fast as it is taken."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.sent, self.over = port, 0, False
        self.start()

    def run(self):
        while self.sent < NOISE and not self.over:
            self.sent += self.port.write(os.urandom(4096), 0.5)


def fill(node, port, deaf, dest):
    """More for a device that does not read than may wait for it."""
    near = Frames(port)
    relay = None

    def told():
        nonlocal relay
        deaf.write(frame(dest.announce()))
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
    for _ in range(600):
        near.send(packet + os.urandom(420))
    return until(lambda: of(node, "Deaf").get("tx_drops"), "packets that had no room")


def swaps(node, ports):
    """All are pulled out and plugged in again."""
    names = ["Swap%d" % k for k in range(len(ports))]

    def all_are(online):
        rows = {i.get("section"): i for i in status(node).get("interfaces_list", []) if "rx_bytes" in i}
        return all(n in rows and rows[n]["online"] == online for n in names)
    for n in range(ROUNDS):
        if not until(lambda: all_are(True), "every port is up", PATIENCE_S):
            return "round %d: not up" % n
        for p in ports:
            p.unplug()
        if not until(lambda: all_are(False), "every port is gone", PATIENCE_S):
            return "round %d: not gone" % n
        for p in ports:
            p.plug()
    if not until(lambda: all_are(True), "every port is up again", PATIENCE_S):
        return "not up at the end"
    lost = [of(node, n).get("line_lost") for n in names]
    return "" if lost == [ROUNDS] * len(ports) else str(lost)


def says(node, mode, section, words):
    result("%s %s says why" % (mode, section), until(lambda: words in of(node, section).get("error", ""),
           "its error"), of(node, section).get("error"))


def checked(node, mode, path):
    p = subprocess.run([os.path.join(build, "warren"), "check-config", "--config", node.dir],
                       preexec_fn=node._drop, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=PATIENCE_S)
    text = p.stdout + p.stderr
    result(mode + " check-config says what it sees of ports", p.returncode == 0 and
           'interface "Missing" cannot use /no/such/port now' in text and
           '"Folder" cannot use %s now: it is a folder' % path in text and
           '"Null"' in text and '"Swap0"' not in text, text)


def reload_one(node, mode, room):
    """Another port for one of them, another speed for one, and one that goes, under SIGHUP; their neighbour,
    whose place is another one then, is not touched."""
    kept, new = of(node, "Swap1"), Port(os.path.join(room, "new"))
    with open(os.path.join(node.dir, "config")) as f:
        text = f.read()
    text = text.replace(serial("Gone", os.path.join(room, "gone")), "")
    faster = serial("Swap2", os.path.join(room, "swap2"))
    node.write("config", text.replace("%s/swap0\n" % room, new.path + "\n").replace(
        faster, faster.replace("115200", "57600")))
    node.process.send_signal(signal.SIGHUP)
    dest = Dest()

    def heard():
        new.write(frame(dest.announce()))
        return of(node, "Swap0").get("rx_packets")
    good = until(heard, "the new port is read")
    now = of(node, "Swap1")
    result(mode + " a reload changes one port alone", good and now.get("online") and
           now["line_lost"] == kept["line_lost"] and now["rx_packets"] >= kept["rx_packets"], now)
    result(mode + " a reload sets a port anew without a wait", until(
        lambda: of(node, "Swap2").get("bitrate") == 57600 and of(node, "Swap2")["online"], "the new speed") and
        "Swap2: cannot use" not in node.said(), of(node, "Swap2"))
    result(mode + " a port that is gone from config is nobody's", until(
        lambda: len(keepers(node)) == PORTS + 2, "its keeper ends"), keepers(node))
    return new


def ports(mode, user):
    tcp = free_port(), free_port(), free_port()
    dest = Dest()
    node = Node(build, "line-" + mode, user)
    room = os.path.join(node.top, "by-id")
    os.mkdir(room)
    swap = [Port(os.path.join(room, "swap%d" % k)) for k in range(PORTS)]
    gone, deaf, loud, busy, closed = (Port(os.path.join(room, n)) for n in ("gone", "deaf", "loud", "busy", "closed"))
    fcntl.flock(busy.slave, fcntl.LOCK_EX)
    os.chmod(os.ttyname(closed.slave), 0o600)
    with open(os.path.join(node.dir, "config")) as f:
        text = f.read().replace("[reticulum]\n", "[reticulum]\nenable_transport = yes\n")
    node.write("config", text + server("Near", tcp[0]) + server("Far", tcp[1]) + server("Third", tcp[2]) +
               serial("Gone", gone.path) + "".join(serial("Swap%d" % k, p.path) for k, p in enumerate(swap)) +
               serial("Deaf", deaf.path) + serial("Loud", loud.path) + serial("Busy", busy.path) +
               serial("Missing", "/no/such/port") + serial("Folder", room) +
               serial("File", node.log) + serial("Null", "/dev/null") +
               (serial("Closed", closed.path) if user else ""))
    new = None
    try:
        checked(node, mode, room)
        node.start()
        node.ready(["transport"])
        for section, words in (("Missing", "cannot use /no/such/port: there is no such port (is it plugged in?"),
                               ("Folder", "it is a folder, not a serial port"), ("File", "it is a file, not"),
                               ("Null", "it is another kind of device"),
                               ("Busy", "another program has it (`fuser -v")) + \
                ((("Closed", "no right to open it"),) if user else ()):
            says(node, mode, section, words)
        t = Traffic(tcp[0], tcp[1])
        until(lambda: of(node, "Loud").get("online"), "the port that floods is up")
        noise = Noise(loud)
        want = str(KEEPER) if user is None else str(user)

        def rights():
            """uid, capabilities, no_new_privs of each; one that has just begun to open its port is still to drop them"""
            return [(s["Uid"].split(), int(s["CapEff"], 16), s["NoNewPrivs"]) for _, s in keepers(node)]
        result(mode + " who keeps a port has a number of its own and no right, or is the user", until(
            lambda: rights() == [([want] * 4, 0, "1")] * (PORTS + 3), "every port is kept"), rights())
        if os.geteuid() == 0:
            open_ports = {os.ttyname(p.slave) for p in swap + [gone, deaf, loud]}
            result(mode + " transport holds these ports and no other file of /dev", until(
                lambda: held_ports(node) == open_ports, "every port is open"), held_ports(node))
        result(mode + " a device that does not read: what has no room is counted",
               fill(node, tcp[2], deaf, dest), of(node, "Deaf"))
        why = swaps(node, swap)
        result(mode + " ports that are pulled out and plugged in %d times" % (PORTS * ROUNDS), why == "", why)
        lines = [w for w in node.said().splitlines() if " Swap0: " in w or " Missing: " in w]
        result(mode + " the log says it once", 3 <= len(lines) <= 5, lines)
        noise.join(60)
        result(mode + " ten minutes of noise are read, and counted", noise.sent >= NOISE and
               until(lambda: of(node, "Loud").get("wrong_size", 0) > 1000, "noise that was dropped"),
               (noise.sent, of(node, "Loud")))
        new = reload_one(node, mode, room)
        t.more(100)
        sent, lost = t.end()
        result(mode + " the traffic beside them is whole and in time", sent and not lost and t.worst < LATE_S,
               "%d sent, %d lost, worst %.3f s" % (sent, lost, t.worst))
        left = [p for p, _ in keepers(node)]
        rc, took = node.stop()
        result(mode + " nobody keeps a port after the end", rc == 0 and until(
            lambda: not any(os.path.exists("/proc/%d" % p) for p in left), "no keeper", 5) and
            " stays: " not in node.said(), (rc, took, left, node.said()[-500:]))
    finally:
        node.stop()
        for p in swap + [gone, deaf, loud, busy, closed] + ([new] if new else []):
            p.unplug()
        node.remove()


if os.geteuid() == 0:
    ports("root", None)
    if LONG:
        ports("user", USER)
else:
    skip("ports as root", "not started as root")
    ports("user", None)
done()
