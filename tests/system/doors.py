# SPDX-License-Identifier: BSD-2-Clause
"""Who may connect: the silent connections of one address keep nobody out,
addresses that flap are kept out, and we ourselves slow down when another
throws us out. In a network of its own, whose addresses are all ours."""
import os
import select
import socket
import struct
import subprocess
import sys
import threading

from lib import Node, done, of, result, skip, until
from libwire import Frames, Traffic

build = sys.argv[1]
ADDRESSES = ["10.77.0.%d" % n for n in range(1, 9)]
SILENT, FLAPPING, NEAR, FAR = ADDRESSES[:4]


def alone():
    """This program again, where nobody else is."""
    if "DOORS_ALONE" in os.environ:
        return
    probe = subprocess.run(["unshare", "--net", "ip", "link", "show", "lo"],
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    if os.geteuid() != 0 or probe.returncode != 0:
        skip("doors", "a network of its own needs root and `ip`")
        done()
    os.environ["DOORS_ALONE"] = "1"
    os.execvp("unshare", ["unshare", "--net", sys.executable] + sys.argv)


def call(source, port, to=NEAR):
    s = socket.socket()
    s.bind((source, 0))
    s.settimeout(10)
    s.connect((to, port))
    return s


def closed(s):
    """Whether the other end has closed it."""
    if not select.select([s], [], [], 0)[0]:
        return False
    try:
        return s.recv(1) == b""
    except OSError:
        return True


class From(Frames):
    def __init__(self, source, port):
        self.s = call(source, port)
        self.rest = b""


class Passing(Traffic):
    """Traffic between addresses of its own."""

    def _connect(self, near_port, far_port):
        return From(NEAR, near_port), From(FAR, far_port)


def silent(node, port):
    name = "520 that say nothing"
    lines = [call(SILENT, port) for _ in range(520)]
    # over the share, each new one costs the oldest its place
    until(lambda: of(node, "Door").get("clients", 0) +
          of(node, "Door").get("put_out", 0) >= 520, "all were looked at")
    t = Passing(port, port)
    result(name + ": others come in and are served", t.relay is not None)
    t.more(50)
    sent, lost = t.end()
    result(name + ": not one packet of the others is lost",
           sent >= 50 and lost == 0, "%d of %d" % (lost, sent))
    said = of(node, "Door")
    result(name + ": they have the share of one address",
           said.get("clients", 999) <= 66 and said.get("put_out", 0) >= 456,
           str(said))
    for s in lines:
        s.close()


def flapping(node, section, port):
    name = section + " that flap"
    for n in range(6):
        s = call(FLAPPING, port)
        until(lambda: of(node, section).get("clients") == 1, "it is taken")
        s.close()
        until(lambda: of(node, section).get("clients") == 0, "it is gone")
    s = call(FLAPPING, port)
    result(name + " are closed at once",
           until(lambda: closed(s), "it is closed", 5),
           str(of(node, section)))
    s.close()
    said = of(node, section)
    result(name + " are counted and named",
           said.get("refused_flapping") == 1 and
           FLAPPING in said.get("blocked", []) and
           NEAR not in said.get("blocked") and
           "ended soon after they began" in node.said(), str(said))
    s = call(NEAR, port)
    until(lambda: of(node, section).get("clients") == 1, "another comes in")
    result(name + ": another comes in",
           of(node, section).get("clients") == 1 and not closed(s))
    s.close()


class Thrower(threading.Thread):
    """Takes each connection and closes it."""

    def __init__(self):
        super().__init__(daemon=True)
        self.s = socket.socket()
        self.s.bind((NEAR, 0))
        self.s.listen(8)
        self.port = self.s.getsockname()[1]
        self.count = 0

    def run(self):
        while True:
            c, _ = self.s.accept()
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("ii", 1, 0))
            c.close()
            self.count += 1


def thrown_out(node, thrower):
    name = "thrown out after each connect"
    until(lambda: of(node, "Away").get("thrown_out", 0) >= 2, "twice", 20)
    said = of(node, "Away")
    result(name + ": the next try waits longer, and status says so",
           said.get("thrown_out") == 2 and
           "next try is in 10 s" in said.get("error", ""), str(said))


alone()
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
for a in ADDRESSES:
    subprocess.run(["ip", "address", "add", a + "/32", "dev", "lo"],
                   check=True)
thrower = Thrower()
thrower.start()
SERVER = ("[[%s]]\ntype = TCPServerInterface\nenabled = yes\n"
          "listen_ip = 0.0.0.0\nlisten_port = %d\n")
node = Node(build, "doors", None, config=(
    SERVER % ("Door", 4001) + SERVER % ("Others", 4002) +
    "[[Away]]\ntype = TCPClientInterface\nenabled = yes\n"
    "target_host = %s\ntarget_port = %d\n" % (NEAR, thrower.port)))
node.write("config", open(os.path.join(node.dir, "config")).read().replace(
    "[reticulum]", "[reticulum]\nenable_transport = yes"))
try:
    node.start()
    node.ready(["transport"])
    until(lambda: of(node, "Door").get("online"), "it listens", 10)
    silent(node, 4001)
    flapping(node, "Others", 4002)
    thrown_out(node, thrower)
finally:
    node.stop()
    node.remove()
done()
