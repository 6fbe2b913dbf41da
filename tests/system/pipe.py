# SPDX-License-Identifier: BSD-2-Clause
"""Commands of PipeInterfaces: which user they are, that they end with the node,
and that one which dies at once, floods, or never reads, and interfaces that
cannot be opened, are nothing to a TCP interface beside them."""
import os
import sys

from lib import BASE, HERE, USER, Node, Status, done, of, result, skip, until
from libports import fill
from libwire import Dest, Traffic, frame

sys.path.insert(0, os.path.dirname(HERE))
from nets import free_port, server  # noqa: E402

build = sys.argv[1]
LATE_S = 1.0  # shared cores; a stalled loop is late by all of its stall


def pipe(name, command):
    return ("[[%s]]\ntype = PipeInterface\nenabled = yes\n"
            "respawn_delay = 0.1\ncommand = %s\n" % (name, command))


def running(words):
    """Those that run just this."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                if f.read() == b"\0".join(w.encode() for w in words) + b"\0":
                    found.append(int(pid))
        except OSError:
            pass
    return found


def neighbours(mode, user):
    ports = free_port(), free_port(), free_port()
    long_ago = "98765%d" % os.getpid()
    dest = Dest()
    node = Node(build, "pipe-" + mode, user)
    said = os.path.join(node.top, "announce")
    with open(said, "wb") as f:
        f.write(frame(dest.announce()))
    os.chmod(said, 0o644)
    with open(os.path.join(node.dir, "config")) as f:
        text = f.read().replace("[reticulum]\n", "[reticulum]\nenable_transport = yes\n")
    node.write("config", text + server("Near", ports[0]) + server("Far", ports[1]) + server("Third", ports[2]) +
               pipe("Deaf", "sh -c 'cat %s; exec sleep %s'" % (said, long_ago)) +
               pipe("Dies", "false") + pipe("Missing", "/no/such/program") +
               pipe("Flood", "sh -c 'exec cat /dev/zero'") +
               pipe("Loud", "sh -c 'while echo a word >&2; do :; done'") +
               "[[Nowhere]]\ntype = UDPInterface\nenabled = yes\ndevice = nosuch0\nport = 4242\n")
    try:
        node.start()
        node.ready(["transport"])
        t = Traffic(ports[0], ports[1])
        pid = until(lambda: running(["sleep", long_ago]), "the command")
        want = (BASE + 8 if user is None else user)
        result(mode + " a command has a number of its own, or is the user's",
               pid and Status(pid[0])["Uid"].split() == [str(want)] * 4, pid and Status(pid[0])["Uid"])
        result(mode + " a command that does not read: what has no room is counted",
               fill(node, ports[2], "Deaf", dest, 12000), of(node, "Deaf"))
        result(mode + " a command that ends is named, and started again later each time", until(
            lambda: "times in a row" in of(node, "Dies").get("error", ""), "more than one end", 20),
            of(node, "Dies"))
        result(mode + " a program that is not there", until(
            lambda: "Missing: the command says: cannot be started: /no/such/program: No such file" in node.said(),
            "its name and the reason"), node.said()[-2000:])
        result(mode + " a device that is not there", "broadcast" in of(node, "Nowhere").get("error", ""),
               of(node, "Nowhere"))
        lines = node.said().count("Loud: the command says: a word")
        result(mode + " standard error goes to the log, so much in a time", 0 < lines <= 100, lines)
        t.more(100)
        sent, lost = t.end()
        result(mode + " the traffic beside them is whole and in time", sent and not lost and t.worst < LATE_S,
               "%d sent, %d lost, worst %.3f s" % (sent, lost, t.worst))
        rc, took = node.stop()
        result(mode + " the commands end with the node", rc == 0 and until(
            lambda: not running(["sleep", long_ago]) and not running(["cat", "/dev/zero"]), "no command", 5),
            (rc, took, running(["sleep", long_ago])))
    finally:
        node.remove()


if os.geteuid() == 0:
    neighbours("root", None)
    if "PIPE_LONG" in os.environ:
        neighbours("user", USER)
else:
    skip("pipe as root", "not started as root")
    neighbours("user", None)
done()
