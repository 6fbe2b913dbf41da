# SPDX-License-Identifier: BSD-2-Clause
"""AutoInterface: devices that come, go and change; strangers on the link, floods
of peers, the same packet by two ways."""
import hashlib
import json
import os
import socket
import subprocess
import sys

from lib import HERE, PATIENCE_S, USER, Node, done, result, skip, until

sys.path.insert(0, os.path.dirname(HERE))
import netns  # noqa: E402

build = sys.argv[1]
SENDER = """
import socket, sys
index, port = socket.if_nametoindex(sys.argv[1]), int(sys.argv[3])
for line in sys.stdin:
    source, data = line[:-1].split(" ")
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind((source, 0, 0, index))
    s.sendto(bytes.fromhex(data), (sys.argv[2], port, 0, index))
    s.close()
    print("sent", flush=True)
"""


class Far:
    """The other end of a cable: datagrams to one port of the node's."""

    def __init__(self, net, device, to, port):
        self.proc = subprocess.Popen(net.inside(sys.executable, "-c", SENDER, device, to, str(port)),
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, source, data):
        self.proc.stdin.write("%s %s\n" % (source, data.hex()))
        self.proc.stdin.flush()
        return self.proc.stdout.readline() == "sent\n"

    def stop(self):
        self.proc.stdin.close()
        self.proc.wait(PATIENCE_S)


def token(address, group=b"reticulum"):
    return hashlib.sha256(group + address.encode()).digest()


def status(node):
    p = subprocess.run([os.path.join(build, "warren"), "status", "--json", "--config", node.dir],
                       preexec_fn=node._drop, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL, timeout=PATIENCE_S)
    try:
        return next(i for i in json.loads(p.stdout)["interfaces_list"] if i["type"] == "AutoInterface")
    except (ValueError, KeyError, StopIteration):
        return {}


def counts(node, **want):
    """Until the interface shows these; what it shows."""
    until(lambda: all(status(node).get(k) == v for k, v in want.items()), str(want), 15)
    now = status(node)
    return all(now.get(k) == v for k, v in want.items()), now


def strangers(mode, node, far, w):
    ours, theirs = netns.link_local(w, "left"), "fe80::%x" % 0xabc1
    for i in range(2, 152):
        far.run("ip", "addr", "add", "fe80::abc:%x/64" % i, "dev", "left", "nodad")
    far.run("ip", "addr", "add", theirs + "/64", "dev", "left", "nodad")
    find, data = Far(far, "left", ours, 29717), Far(far, "left", ours, 42671)
    try:
        for bad in token(theirs, b"another"), token(theirs)[:31], b"", os.urandom(1500):
            find.send(theirs, bad)
        result(mode + " a token of another group, torn, or none", *counts(node, wrong_tokens=4, clients=0))
        data.send(theirs, os.urandom(300))
        result(mode + " a packet of a stranger", *counts(node, from_strangers=1, rx_packets=0))
        find.send(theirs, token(theirs))
        result(mode + " a good token", *counts(node, clients=1))
        data.send(theirs, b"\x08\x00" + os.urandom(300))
        result(mode + " a packet of a peer", *counts(node, rx_packets=1, from_strangers=1))
        data.send(theirs, os.urandom(3000))
        result(mode + " a datagram that is too long", *counts(node, rx_packets=1, rx_drops=6))
        for i in range(2, 152):
            find.send("fe80::abc:%x" % i, token("fe80::abc:%x" % i))
        result(mode + " a flood of peers is bounded", *counts(node, clients=128, too_many_peers=23))
    finally:
        find.stop()
        data.stop()


def two_ways(mode, node, far, w):
    """The same peer behind two devices; its packets come by both."""
    theirs = "fe80::abc1"
    far.run("ip", "addr", "add", theirs + "/64", "dev", "right", "nodad")
    ours = {d: netns.link_local(w, d) for d in ("left", "right")}
    find, right = Far(far, "right", ours["right"], 29717), Far(far, "right", ours["right"], 42671)
    left = Far(far, "left", ours["left"], 42671)
    try:
        before = status(node)
        find.send(theirs, token(theirs))
        good, now = counts(node, clients=before["clients"] + 1)
        packet = b"\x08\x00" + os.urandom(300)
        for way in left, right:
            way.send(theirs, packet)
        result(mode + " the same packet by two ways", good and until(
            lambda: status(node).get("came_twice") == 1, "once", 15) and
            status(node)["rx_packets"] == before["rx_packets"] + 1, status(node))
    finally:
        for f in find, right, left:
            f.stop()


def devices(mode, node, far, w):
    w.run("ip", "link", "set", "left", "down")
    result(mode + " a device that goes", *counts(node, devices=1, online=True))
    w.run("ip", "link", "set", "right", "down")
    good, now = counts(node, devices=0, online=False)
    result(mode + " without devices it is down, and says so", good and "link-local" in now.get("error", ""), now)
    w.run("ip", "link", "set", "left", "up")
    result(mode + " a device that comes back", *counts(node, devices=1, online=True))
    old = netns.link_local(w, "left")
    w.run("ip", "addr", "add", "fe80::77/64", "dev", "left", "nodad")
    if old:
        w.run("ip", "addr", "del", old + "/64", "dev", "left")
    find = Far(far, "left", "fe80::77", 29717)
    try:
        before = status(node)["wrong_tokens"]
        result(mode + " another address of a device", until(
            lambda: find.send("fe80::abc1", b"x") and status(node)["wrong_tokens"] > before,
            "a datagram at the new address", 15), status(node))
    finally:
        find.stop()


def both(mode, user):
    far, w = netns.Net(), netns.Net()
    node = Node(build, "auto-" + mode, user, config="[[Lan]]\ntype = AutoInterface\nenabled = yes\n")
    try:
        netns.cable(w, "left", far, "left")
        netns.cable(w, "right", far, "right")
        command = node.command
        node.command = lambda *more: w.inside(*command(*more))
        drop, node._drop = node._drop, None  # nsenter is for root
        if user is not None:
            node.command = lambda *more: w.inside(
                "setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups", "--", *command(*more))
        node.start()
        node._drop = drop
        result(mode + " up on both devices", *counts(node, devices=2, online=True))
        strangers(mode, node, far, w)
        two_ways(mode, node, far, w)
        devices(mode, node, far, w)
    finally:
        node.remove()
        far.stop()
        w.stop()


if "AUTO_LONG" not in os.environ:
    skip("auto", "runs with ./check long")
elif os.geteuid() != 0 or not netns.possible():
    skip("auto", "needs root, and network namespaces")
else:
    both("root", None)
    both("user", USER)
done()
