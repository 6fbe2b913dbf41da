# SPDX-License-Identifier: BSD-2-Clause
"""A node that reaches nobody says so, and of each interface that is down what
was tried, where, and why not; a listener's counters keep those who left."""
import os
import re
import socket
import sys

from lib import USER, Node, done, of, result, skip, status, until

build = sys.argv[1]


def client(name, host, port):
    return ("[[%s]]\ntype = TCPClientInterface\nenabled = yes\n"
            "target_host = %s\ntarget_port = %d\n" % (name, host, port))


def server(name, port):
    return ("[[%s]]\ntype = TCPServerInterface\nenabled = yes\n"
            "listen_ip = 127.0.0.1\nlisten_port = %d\n" % (name, port))


def bound():
    """A port of 127.0.0.1 that is taken, and where nobody listens."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    return s, s.getsockname()[1]


def named(mode, user):
    """listen_ip may be a name, as for the reference."""
    name = mode + " listen_ip as a name"
    host = socket.gethostname()
    try:
        address = socket.gethostbyname(host)
    except OSError:
        skip(name, "this machine's own name is not known")
        return
    s, port = bound()
    s.close()
    node = Node(build, "named-" + mode, user,
                config=server("Listen", port).replace("127.0.0.1", host))
    try:
        node.start()
        node.ready(["transport"])
        up = until(lambda: of(node, "Listen").get("online"), "it listens", 10)
        c = socket.socket()
        result(name, up and c.connect_ex((address, port)) == 0, node.said())
        c.close()
    finally:
        node.remove()


def alone(mode, user):
    name = mode + " no interface"
    node = Node(build, "alone-" + mode, user,
                config="[[Radio]]\ntype = RadioInterface\nenabled = yes\n"
                       "[[Off]]\ntype = TCPClientInterface\nenabled = no\n")
    try:
        node.start()
        node.ready(["transport"])
        result(name + ": said in the log", until(
            lambda: "reaches NOBODY" in node.said() and
            "interfaces=0" in node.said(), "the word", 5), node.said())
        s = status(node)
        skipped = {i["section"]: i["skipped"] for i in s.get(
            "interfaces_list", []) if "skipped" in i}
        result(name + ": said in status", "config" in s.get(
            "reaches_nobody", "") and skipped == {
                "Radio": "no such type", "Off": "off"}, s)
    finally:
        node.remove()


def down(mode, user):
    name = mode + " interfaces that are down"
    taken, port = bound()
    silent, other = bound()
    node = Node(build, "down-" + mode, user, config=server("Listen", port) +
                client("Refused", "localhost", other) +
                client("Nowhere", "no.such.host.invalid", 4242))
    want = [("Listen", "cannot listen on 127.0.0.1 port %d: Address already "
             "in use (another program has it" % port),
            ("Refused", "cannot connect to localhost port %d: " % other),
            ("Nowhere", "cannot connect to no.such.host.invalid port 4242: "
             "host not found")]
    try:
        node.start()
        node.ready(["transport"])
        result(name + ": the log has address, port, host and reason", until(
            lambda: all("%s: %s" % w in node.said() for w in want) and
            "no interface is up" in node.said(), "all reasons", 20),
            node.said())
        result(name + ": a name's address is told", re.search(
            r"localhost port %d: (127\.0\.0\.1|::1): Connection refused" %
            other, node.said()), node.said())
        result(name + ": status has the same", all(
            of(node, s).get("error", "").startswith(w) for s, w in want) and
            status(node).get("reaches_nobody") == "no interface is up",
            status(node))
        taken.close()
        up = until(lambda: of(node, "Listen").get("online"),
                   "the port is free")
        s = status(node)
        result(name + ": up when the port is free, and that is said", up and
               "reaches_nobody" not in s and "error" not in of(
                   node, "Listen") and "is up again" in node.said(), s)
        with socket.create_connection(("127.0.0.1", port)) as c:
            c.sendall(b"~" + b"x" * 40 + b"~")
            until(lambda: of(node, "Listen").get("rx_bytes") == 42,
                  "42 bytes")
        gone = until(lambda: of(node, "Listen").get("clients") == 0,
                     "it has left")
        n = of(node, "Listen")
        result(name + ": a listener's counters keep those who left", gone and
               n.get("rx_bytes") == 42 and n.get("accepted") == 1, n)
    finally:
        taken.close()
        silent.close()
        node.remove()


def panics(mode, user):
    """As rnsd with the same config: status 255, when it cannot listen."""
    taken, port = bound()
    node = Node(build, "panic-" + mode, user, config=server("Listen", port))
    try:
        with open(os.path.join(node.dir, "config")) as f:
            text = f.read()
        node.write("config", text.replace(
            "[reticulum]", "[reticulum]\npanic_on_interface_error = yes", 1))
        node.start()
        ended = until(lambda: node.process.poll() is not None, "it ends")
        result(mode + " panic_on_interface_error", ended and
               node.process.returncode == 255 and
               "Listen: has failed" in node.said(),
               "%s %s" % (node.process.returncode, node.said()))
    finally:
        taken.close()
        node.remove()


if os.geteuid() == 0:
    alone("root", None)
    down("root", None)
    named("root", None)
    panics("root", None)
    alone("user", USER)
else:
    skip("reach as root", "not started as root")
    alone("user", None)
    down("user", None)
    named("user", None)
done()
