# SPDX-License-Identifier: BSD-2-Clause
"""Serial ports that are missing, none, taken, pulled out again and again, that
flood or never read: each says why, the log stays short, the traffic of other
interfaces passes, and nothing is left of them at the end."""
import fcntl
import os
import signal
import stat
import subprocess
import sys
import threading

from lib import HERE, PATIENCE_S, USER, Node, done, of, result, skip, until
from libports import fill, keepers, swaps
from libwire import Dest, Traffic, frame

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


class Crowd:
    """Somebody of a number of whose descriptors more are on their way than one of that number may have open."""

    def __init__(self, number):
        code = ("import os, socket, sys\nos.setgroups([])\nos.setresuid(*[%d] * 3)\na, b = socket.socketpair()\n"
                "for _ in range(40):\n    socket.send_fds(a, [b'x'], [0])\nprint('there', flush=True)\n"
                "sys.stdin.read()" % number)
        if os.geteuid() != 0:
            code = code.replace("os.setgroups([])\n", "")
        self.process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def leave(self):
        self.process.communicate()


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
        crowd = Crowd(KEEPER if user is None else user)
        node.start()
        node.ready(["transport"])
        until(lambda: len(keepers(node)) >= PORTS + 3, "those that keep ports")
        crowd.leave()
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
        result(mode + " who keeps a port does not fall", "has fallen" not in node.said(), node.said()[-2000:])
        if os.geteuid() == 0:
            open_ports = {os.ttyname(p.slave) for p in swap + [gone, deaf, loud]}
            result(mode + " transport holds these ports and no other file of /dev", until(
                lambda: held_ports(node) == open_ports, "every port is open"), held_ports(node))
        result(mode + " a device that does not read: what has no room is counted",
               fill(node, tcp[2], "Deaf", dest, 600, lambda: deaf.write(frame(dest.announce()))), of(node, "Deaf"))
        why = swaps(node, ["Swap%d" % k for k in range(PORTS)], ROUNDS, lambda: [p.unplug() for p in swap],
                    lambda: [p.plug() for p in swap])
        result(mode + " ports that are pulled out and plugged in %d times" % (PORTS * ROUNDS), why == "", why)
        lines = [w for w in node.said().splitlines() if " Swap0: " in w or " Missing: " in w]
        result(mode + " and the log's last word of one is that it is open again", lines[-1:] and
               lines[-1].endswith("is open"), lines)
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
