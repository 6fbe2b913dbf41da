# SPDX-License-Identifier: BSD-2-Clause
"""An interface of each kind is taken out of config under SIGHUP, the first of
the file first, so that all others change their place: nothing of it is left, in
no program, and the others live. (Those that a reload cut off are no flappers:
doors.py, since the loopback never is.)"""
import os
import signal
import socket
import sys

from lib import HERE, PATIENCE_S, USER, Node, connected, done, ended, lives, result, until

sys.path.insert(0, os.path.dirname(HERE))
from nets import backbone, free_port, server  # noqa: E402

build = sys.argv[1]


def fds(pid):
    """Numbers of the sockets that a program holds."""
    found = set()
    try:
        for fd in os.listdir("/proc/%d/fd" % pid):
            to = os.readlink("/proc/%d/fd/%s" % (pid, fd))
            if to.startswith("socket:["):
                found.add(to[8:-1])
    except OSError:
        pass
    return found


def main_of(node):
    """The parent itself: in-group has become it."""
    return node.process.pid


def table(pid, name, column):
    """Numbers of the sockets of that kind in a program's network."""
    with open("/proc/%d/net/%s" % (pid, name)) as f:
        return {line.split()[column] for line in f.readlines()[1:]}


def netlink(node):
    pid = main_of(node)
    return len(fds(pid) & table(pid, "netlink", 9))


def udp(node, port):
    pid = node.pids()["transport"]
    with open("/proc/%d/net/udp" % pid) as f:
        return any(line.split()[1].endswith(":%04X" % port) for line in f.readlines()[1:])


def running(word):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                if f.read() == b"sleep\0" + word.encode() + b"\0":
                    return True
        except OSError:
            pass
    return False


class World:
    """A node with one of each, and how each of them is seen from outside."""

    def __init__(self, mode, user):
        self.name = mode + " removed"
        self.ports = {n: free_port() for n in ("udp", "backbone", "keep")}
        self.long = "87654%d" % os.getpid()
        self.bridge = socket.create_server(("127.0.0.1", 0))
        os.environ["I2P_SAM_ADDRESS"] = "127.0.0.1:%d" % self.bridge.getsockname()[1]
        self.node = Node(build, "removed-" + mode, user)
        with open(os.path.join(self.node.dir, "config")) as f:
            self.head = f.read()
        self.sections = {
            "Udp": "[[Udp]]\ntype = UDPInterface\nenabled = yes\nlisten_ip = 127.0.0.1\nlisten_port = %d\n"
                   % self.ports["udp"],
            "Pipe": "[[Pipe]]\ntype = PipeInterface\nenabled = yes\ncommand = sleep %s\n" % self.long,
            "Backbone": backbone("Backbone", self.ports["backbone"]),
            "I2p": "[[I2p]]\ntype = I2PInterface\nenabled = yes\nconnectable = yes\npeers = a.b32.i2p, b.b32.i2p\n",
            "Auto": "[[Auto]]\ntype = AutoInterface\nenabled = yes\ndevices = nosuch0\n",
            "Keep": server("Keep", self.ports["keep"]),
        }
        self.there = {"Udp": lambda: udp(self.node, self.ports["udp"]), "Pipe": lambda: running(self.long),
                      "Auto": lambda: netlink(self.node) == 1}

    def config(self, but=()):
        return self.head + "".join(t for n, t in self.sections.items() if n not in but)

    def reload(self, but):
        before = self.node.said().count("configuration read again")
        self.node.write("config", self.config(but))
        self.node.process.send_signal(signal.SIGHUP)
        return until(lambda: self.node.said().count("configuration read again") > before, "a word about the file")

    def sam(self):
        """The section and its peers at the bridge."""
        self.bridge.settimeout(PATIENCE_S)
        out = []
        for _ in range(3):
            s = self.bridge.accept()[0]
            s.settimeout(PATIENCE_S)
            out.append(s)
            s.recv(100)
        return out


def run(mode, user):
    w = World(mode, user)
    node, name = w.node, w.name
    node.write("config", w.config())
    try:
        node.start()
        node.ready(["transport"])
        result(name + ": each is there", until(lambda: all(f() for f in w.there.values()), "one of each"),
               node.said()[-2000:])
        sam = w.sam()
        keep, caller = connected(w.ports["keep"]), connected(w.ports["backbone"])
        gone = []
        for n in ("Udp", "Pipe", "Backbone", "I2p", "Auto"):
            gone.append(n)
            said = w.reload(gone)
            if n == "Backbone":
                left = not (ended(caller) and until(lambda: connected(w.ports["backbone"]) is None, "it is closed"))
            elif n == "I2p":
                left = not all(ended(s) for s in sam)
            else:
                left = not until(lambda: not w.there[n](), "nothing of " + n)
            others = [k for k in w.there if k not in gone and not w.there[k]()]
            if n in ("Udp", "Pipe"):
                others += [] if lives(caller) else ["Backbone"]
            if "I2p" not in gone:
                others += [] if all(lives(s) for s in sam) else ["I2p"]
            result("%s: nothing of %s is left" % (name, n), said and not left, node.said()[-2000:])
            result("%s: without %s the others live" % (name, n), not others and lives(keep), others)
        rc, took = node.stop()
        result(name + ": ends in order", rc == 0, "%s %s" % (rc, took))
    finally:
        node.remove()


if os.geteuid() == 0 and "REMOVED_LONG" in os.environ:
    run("root", None)
run("user", USER if os.geteuid() == 0 else None)
done()
