# SPDX-License-Identifier: BSD-2-Clause
"""Who may connect: the silent connections of one address keep nobody out, nor do
eight addresses that send what is of no use, addresses that flap are kept out, and
(with DOORS_LONG) we ourselves slow down when another throws us out, and who comes
and goes, or sends at full speed what is costly to refuse, or begins what he does
not end, has his share and no more. In a network of its own, whose addresses are
all ours."""
import multiprocessing
import os
import select
import signal
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

from lib import Node, Status, done, of, result, skip, until
from libwire import Dest, Frames, Traffic, frame, path_through

build = sys.argv[1]
ADDRESSES = ["10.77.0.%d" % n for n in range(1, 9)]
SILENT, FLAPPING, NEAR, FAR, CALLER, CODES, LIAR, HALF = ADDRESSES
JUNK = ["10.77.1.%d" % n for n in range(1, 9)]
MORE_JUNK = ["10.77.2.%d" % n for n in range(1, 131)]


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
    os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable] +
              sys.argv)


def run(*words):
    subprocess.run(words, check=True)


def make_net(folder):
    """Addresses, a device with a link of its own, and a name that has both
    families, IPv6 first."""
    run("ip", "link", "set", "lo", "up")
    for a in ADDRESSES:
        run("ip", "address", "add", a + "/32", "dev", "lo")
    for a in (JUNK, MORE_JUNK): # lo has all of such a network
        run("ip", "address", "add", a[0] + "/24", "dev", "lo")
    run("ip", "link", "add", "d0", "type", "veth", "peer", "name", "d1")
    run("ip", "link", "set", "d0", "up")
    run("ip", "link", "set", "d1", "up")
    run("ip", "address", "add", "fe80::77/64", "dev", "d0", "nodad")
    run("ip", "address", "add", "10.78.0.1/24", "dev", "d0")
    hosts = os.path.join(folder, "hosts")
    with open(hosts, "w") as f:
        f.write("127.0.0.1 localhost\n::1 both.test\n" + NEAR +
                " both.test\n")
    run("mount", "--bind", hosts, "/etc/hosts")


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


class Newcomers(Passing):
    """The same of two that were not here yet."""

    def _connect(self, near_port, far_port):
        return From(CALLER, near_port), From(CODES, far_port)


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


def junk(node, port, name, sources, each, all_places):
    """They take what they get, by good packets that are of no use to anybody;
    who was there and who comes after them is served."""
    t, lines = Passing(port, port), []
    was = of(node, "Door")
    for source in sources * each:
        s = call(source, port)
        s.sendall(frame(b"\x08\x00" + b"\x11" * 17 + os.urandom(20)))
        lines.append(s)
    until(lambda: of(node, "Door")["accepted"] + of(node, "Door")["refused"] >=
          was["accepted"] + was["refused"] + len(lines), "all came")
    said = of(node, "Door")
    result("%s have %d places" % (name, said["clients"]),
           said["clients"] == 512 if all_places else
           400 < said["clients"] < 480, str(said))
    other = Newcomers(port, port)
    result(name + ": who comes then is served", other.relay is not None)
    t.more(50)
    other.more(50)
    for what, (sent, lost) in (("was there", t.end()),
                               ("came", other.end())):
        result("%s: not one packet of who %s is lost" % (name, what),
               sent >= 50 and lost == 0, "%d of %d" % (lost, sent))
    said = of(node, "Door")
    result(name + ": they alone made room",
           said["put_out"] > was["put_out"] and said["put_out_useful"] == 0,
           str(said))
    for s in lines:
        s.close()
    until(lambda: of(node, "Door")["clients"] == 0, "they are gone")


def flapping(node, section, port):
    name = section + " that flap"
    before = of(node, section).get("clients")
    for n in range(6):
        s = call(FLAPPING, port)
        until(lambda: of(node, section).get("clients") == before + 1,
              "it is taken")
        s.close()
        until(lambda: of(node, section).get("clients") == before,
              "it is gone")
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
    until(lambda: of(node, section).get("clients") == before + 1, "it is in")
    result(name + ": another comes in",
           of(node, section).get("clients") == before + 1 and not closed(s))
    s.close()


CUT = ("[[Cut]]\ntype = BackboneInterface\nenabled = yes\nlisten_on = 0.0.0.0\n"
       "port = 4006\nfast_flapping_grace = 0\n")


def cut_off(node):
    """A reload closes the listener and who is connected there: that is nobody's
    flap, where a second one that ends by itself is. Not from the loopback,
    which never flaps."""
    name = "who was cut off by a reload is no flapper"
    with open(os.path.join(node.dir, "config")) as f:
        whole = f.read()

    def reload(text):
        before = node.said().count("configuration read again")
        node.write("config", text)
        node.process.send_signal(signal.SIGHUP)
        until(lambda: node.said().count("configuration read again") > before,
              "the file is read")
    until(lambda: of(node, "Cut").get("online"), "it listens")
    s = call(CALLER, 4006)
    until(lambda: of(node, "Cut").get("clients") == 1, "it is in")
    reload(whole.replace(CUT, ""))
    result(name + ": it is cut off", until(lambda: closed(s), "closed"))
    reload(whole)
    until(lambda: of(node, "Cut").get("online"), "it listens again")
    s = call(CALLER, 4006)
    result(name, until(lambda: of(node, "Cut").get("clients") == 1, "in") and
           not of(node, "Cut").get("refused_flapping"), of(node, "Cut"))
    s.close()
    until(lambda: of(node, "Cut").get("clients") == 0, "it has left")
    s = call(CALLER, 4006)
    result(name + ", but who leaves is", until(lambda: closed(s), "closed") and
           of(node, "Cut").get("refused_flapping") == 1, of(node, "Cut"))
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


def visits(node):
    """Who comes, says something good and goes, 300 times, is served each time
    and does not fill the log."""
    name = "300 that come and go"
    before, served = len(node.said().splitlines()), 0
    was = of(node, "Others")
    for n in range(300):
        s = call(HALF, 4002)
        s.sendall(frame(b"\x08\x00" + b"\x11" * 17 + os.urandom(20)))
        s.shutdown(socket.SHUT_WR)
        served += closed_by_other(s)
        s.close()
    lines = node.said().splitlines()[before:]
    said = of(node, "Others")
    result(name + ": all are served", served == 300 and said["accepted"] ==
           was["accepted"] + 300 and said["refused"] == was["refused"],
           "%d %s" % (served, said))
    result(name + ": and fill no log", len(lines) <= 101 and sum(
        "many come and go" in w for w in lines) == 1, len(lines))


def closed_by_other(s):
    """It waits for it."""
    try:
        while s.recv(4096):
            pass
        return True
    except OSError:
        return False


def pump(source, port, data, count):
    """So many connections that always have something to be read."""
    lines = [call(source, port) for _ in range(count)]
    at = {s: 0 for s in lines}
    for s in lines:
        s.setblocking(False)
    while lines:
        for s in select.select([], lines, [])[1]:
            try:
                at[s] += s.send(data[at[s]:at[s] + (1 << 18)])
                at[s] %= len(data)
            except OSError:
                lines.remove(s)


def worked_ms(node):
    """Of a processor, by transport until now."""
    with open("/proc/%d/schedstat" % node.pids()["transport"]) as f:
        return int(f.read().split()[0]) / 1e6


def costly(node, source, section, port, what, data):
    """What is costly to refuse, from one address at full speed: how much of it
    comes before a packet of others, by the time of a processor."""
    name = "64 connections that send " + what
    near, far, dest = From(NEAR, 4001), From(FAR, 4001), Dest()
    relay = path_through(near, far, dest)
    before = of(node, section)
    p = multiprocessing.Process(target=pump, args=(source, port, data, 64))
    p.start()
    all_send = until(lambda: of(node, section)["clients"] >= before["clients"] +
                     64 and of(node, section)["rx_bytes"] >
                     before["rx_bytes"] + (4 << 20), "all send")
    worst, came = 0, 0
    for n in range(30):
        begin, mark = worked_ms(node), os.urandom(16)
        near.send(b"\x50\x00" + relay + dest.hash + b"\0" + mark)
        came += bool(until(lambda: any(
            r.endswith(mark) for r in far.receive(0.2) or []), "it comes"))
        worst = max(worst, worked_ms(node) - begin)
    p.terminate()
    p.join()
    # a read of each of them would be three seconds
    result("%s: %d packets pass, behind %d ms of work at most" % (
        name, came, worst), all_send and came == 30 and worst < 600)
    near.s.close()
    far.s.close()


def halves(node):
    """Frames of half a megabyte that are begun and not ended."""
    name = "64 that begin long frames"
    pid = node.pids()["transport"]
    t = Passing(4001, 4001)
    lines = [call(HALF, 4008) for _ in range(64)]
    half = b"\x7e" + b"\x01" * 520000
    for s in lines:
        s.settimeout(60)
        s.sendall(half)
    all_came = until(lambda: of(node, "Wide").get("rx_bytes") ==
                     64 * len(half), "all")
    most = int(Status(pid)["VmRSS"].split()[0]) / 1024
    result("%s: %d MiB are taken" % (name, most), all_came and most < 48)
    t.more(50)
    sent, lost = t.end()
    result(name + ": not one packet of the others is lost",
           sent >= 50 and lost == 0, "%d of %d" % (lost, sent))
    for s in lines:
        s.close()


def places(node):
    """Where a section may listen and connect to."""
    for section, want in (
            ("Zone", "TCPServerInterface[Zone/[fe80::77%d0]:4003]"),
            ("To zone", "TCPInterface[To zone/[fe80::77%d0]:4003]"),
            ("Brackets", "BackboneInterface[Brackets/[::1]:4004]"),
            ("To brackets", "BackboneInterface[To brackets/[::1]:4004]"),
            ("Device", "TCPServerInterface[Device/10.78.0.1:4005]"),
            ("Both", "TCPInterface[Both/both.test:4002]")):
        up = until(lambda: of(node, section).get("online"), section)
        said = of(node, section)
        result("%s is up and has its name" % section, up and
               said.get("name") == want, str(said))
    said = of(node, "No zone")
    result("a link that is not there is named", not said.get("online") and
           "no device of the name behind %" in said.get("error", ""),
           str(said))


def tunnel(node):
    """Where the I2P router's bridge is comes from the environment."""
    until(lambda: of(node, "Tunnel").get("error"), "it was tried")
    said = of(node, "Tunnel")
    result("an I2P router that is not there is named", not said["online"] and
           "SAM bridge" in said.get("error", "") and
           "Connection refused" in said["error"], str(said))


alone()
scratch = tempfile.mkdtemp(prefix="warren-doors.")
make_net(scratch)
thrower = Thrower()
thrower.start()
SERVER = ("[[%s]]\ntype = TCPServerInterface\nenabled = yes\n"
          "listen_ip = 0.0.0.0\nlisten_port = %d\n")
CLIENT = ("[[%s]]\ntype = TCPClientInterface\nenabled = yes\n"
          "target_host = %s\ntarget_port = %d\n")
BACKBONE = ("[[%s]]\ntype = BackboneInterface\nenabled = yes\n%s\n"
            "port = %d\n")
node = Node(build, "doors", None, config=(
    SERVER % ("Door", 4001) + SERVER % ("Others", 4002) +
    "[[Away]]\ntype = TCPClientInterface\nenabled = yes\n"
    "target_host = %s\ntarget_port = %d\n" % (NEAR, thrower.port) +
    SERVER.replace("0.0.0.0", "fe80::77%%d0") % ("Zone", 4003) +
    CLIENT % ("To zone", "fe80::77%d0", 4003) +
    BACKBONE % ("Brackets", "listen_on = [::1]", 4004) +
    BACKBONE % ("To brackets", "remote = [::1]", 4004) +
    SERVER.replace("listen_ip", "device = d0\nlisten_ip") %
    ("Device", 4005) +
    CLIENT % ("Both", "both.test", 4002) +
    CUT + "[[Tunnel]]\ntype = I2PInterface\nenabled = yes\npeers = x.b32.i2p\n" +
    CLIENT % ("No zone", "fe80::77%none", 4002) +
    SERVER % ("Coded", 4007) + "passphrase = another\n" +
    BACKBONE % ("Wide", "bitrate = 1000000000\nlisten_on = 0.0.0.0", 4008)))
node.write("config", open(os.path.join(node.dir, "config")).read().replace(
    "[reticulum]", "[reticulum]\nenable_transport = yes"))
os.environ["I2P_SAM_ADDRESS"] = FAR + ":1"
try:
    node.start()
    node.ready(["transport"])
    until(lambda: of(node, "Door").get("online"), "it listens", 10)
    places(node)
    tunnel(node)
    silent(node, 4001)
    until(lambda: of(node, "Door")["clients"] == 0, "they are gone")
    junk(node, 4001, "eight addresses of junk", JUNK, 64, False)
    junk(node, 4001, "130 addresses of junk", MORE_JUNK, 4, True)
    flapping(node, "Others", 4002)
    cut_off(node)
    if "DOORS_LONG" in os.environ:
        thrown_out(node, thrower)
        visits(node)
        costly(node, CODES, "Coded", 4007, "wrong access codes", b"".join(
            frame(b"\x80" + os.urandom(30)) for _ in range(4000)))
        lie = Dest().announce()[:-64]
        costly(node, LIAR, "Others", 4002, "announces with wrong signatures",
               b"".join(frame(lie + os.urandom(64)) for _ in range(2000)))
        halves(node)
finally:
    node.stop()
    node.remove()
    shutil.rmtree(scratch)
done()
