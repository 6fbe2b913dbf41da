# SPDX-License-Identifier: BSD-2-Clause
"""The relay must not notice. Steady traffic goes through a compute node that
also relays; meanwhile its programs are killed, jobs run wild, its disk is
full, an interface dies. Not one packet is lost, every program comes back and
that is counted."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys

import lib
from lib import ALL, PATIENCE_S, USER, done, result, skip, until
from libjob import Burrow, client, free_port, server
from libwire import Frames, Traffic

build = sys.argv[1]
KILLED = ["node", "trust", "keys", "jail", "audit"]


class Relay(Burrow):
    """near, far: where the traffic goes in and out; away: a peer to dial."""

    def __init__(self, name, user, **kw):
        self.near, self.far, self.away = (free_port() for _ in range(3))
        super().__init__(build, name, user, server("near", self.near) +
                         server("far", self.far) + client("away", self.away),
                         relay=True, **kw)


class Watched:
    """Traffic during a with block, and the result of it."""

    def __init__(self, node, name):
        self.node, self.name = node, name

    def __enter__(self):
        self.traffic = Traffic(self.node.near, self.node.far)
        self.ok = self.traffic.relay is not None
        return self.traffic

    def __exit__(self, kind, value, trace):
        self.traffic.more(75)
        sent, lost = self.traffic.end()
        result(self.name + ": not one packet lost", self.ok and sent > 20 and
               lost == 0 and self.traffic.error is None,
               "%d of %d lost, error %s, relay %s" % (
                   lost, sent, self.traffic.error, self.ok))
        print("# %s: %d packets, the slowest took %.0f ms" % (
            self.name, sent, self.traffic.worst * 1000), flush=True)


def killing(mode, node):
    name = mode + " killed programs"
    before = node.restarts()
    with Watched(node, name) as traffic:
        for victim in KILLED:
            pids = node.ready(ALL)
            if pids is None:
                result("%s: %s" % (name, victim), False, "not all are up")
                break
            count = node.readies(victim)
            mark = traffic.mark()
            os.kill(pids[victim], signal.SIGKILL)
            back = until(lambda: node.readies(victim) > count,
                         victim + " is ready again")
            result("%s: %s is back" % (name, victim), back,
                   node.said()[-800:])
            result("%s: the relay goes on without %s" % (name, victim),
                   traffic.flows_since(mark))
    after = node.restarts()
    result(name + ": counted in warren status", all(
        after.get(v) == before.get(v, 0) + 1 for v in KILLED) and
        after.get("transport") == before.get("transport") == 0,
        "%s, before %s" % (after, before))
    rc, last, s = node.run_job("echo fine")
    result(name + ": a job runs afterwards", rc == 0 and
           node.output(s) == "fine\n", "%s %s" % (rc, s))


def transport_killed(mode, node):
    """Links are lost then, but nothing else falls and it comes back."""
    before = node.pids()
    os.kill(before["transport"], signal.SIGKILL)
    name = mode + " transport killed"
    back = until(lambda: node.pids().get("transport") not in
                 (None, before["transport"]), "another transport")
    result(name + ": back at once, the others stay", back and all(
        node.pids().get(n) == before[n] for n in KILLED), str(node.pids()))
    result(name + ": counted", until(
        lambda: node.restarts().get("transport") == 1,
        "the restart in warren status"), str(node.restarts()))
    with Watched(node, name) as traffic:
        traffic.more(125)
    rc, last, s = node.run_job("echo fine")
    result(name + ": a job runs afterwards", rc == 0, "%s %s" % (rc, s))


def wild(mode, node):
    """name, command, limits, layer it needs, accepted outcomes"""
    jobs = [
        ("fork bomb", "f() { f | f & }; f; sleep 2; true", {"time": "5s"},
         "pids", None),
        ("memory hog", "dd if=/dev/zero of=/dev/null bs=200M count=9",
         {"memory": "32MB"}, "memory", ["killed", "memory"]),
        ("full volume", "dd if=/dev/zero of=/agent/tmp/x bs=64k && exit 9; "
         ": > /agent/tmp/x", {}, None, ["exited", 0]),
        ("volume left full", "dd if=/dev/zero of=/agent/tmp/x bs=64k", {},
         None, ["exited", 1]),
        # empty files take no room there, and a header each when packed
        ("too much output", "i=0; while [ $i -lt 3000 ]; do "
         ": > /agent/tmp/$i; i=$((i+1)); done", {}, None,
         ["killed", "output"]),
        ("full /tmp", "dd if=/dev/zero of=/tmp/x bs=64k; "
         "i=0; while touch /tmp/$i; do i=$((i+1)); done", {"time": "8s"},
         None, None),
        ("log flood", "yes", {}, None, ["killed", "output"]),
        ("spinning", "while :; do :; done", {"time": "1s"}, None,
         ["killed", "time"]),
    ]
    for name, command, limits, layer, outcome in jobs:
        name = "%s wild job: %s" % (mode, name)
        if layer is not None and layer not in node.layers:
            skip(name, "no control group limits %s here" % layer)
            continue
        pids = node.pids()
        with Watched(node, name):
            rc, last, s = node.run_job(
                command, limits=limits, volumes=[
                    ("in", "/agent/data", "ro"), ("out", "/agent/tmp", "rw")])
        result(name + ": ends, with a receipt", last.get("verified") is True
               and (outcome is None or last.get("outcome") == outcome),
               "%s %s" % (rc, s))
        result(name + ": no program fell", node.pids() == pids,
               "%s, before %s" % (node.pids(), pids))


def interface_dies(mode, node):
    """The peer that we dial goes and comes; so does one that dialled us."""
    name = mode + " interface"

    def listen():
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", node.away))
        s.listen(4)
        s.settimeout(PATIENCE_S)
        return s

    def online():
        return [i.get("online") for i in
                node.status().get("interfaces_list", [])
                if "away" in str(i.get("name"))]

    with Watched(node, name + " dies") as traffic:
        s = listen()
        try:
            c, _ = s.accept()
            result(name + " that was down comes up", until(
                lambda: online() == [True], "online"), str(online()))
            c.sendall(b"\x7e\x00\x01half a frame")
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         b"\1\0\0\0\0\0\0\0")
            c.close()  # a reset
            s.close()
            result(name + " that dies is down", until(
                lambda: online() == [False], "offline"), str(online()))
            other = Frames(node.far)
            other.s.sendall(b"\x7e\x00\x01half")
            other.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               b"\1\0\0\0\0\0\0\0")
            other.s.close()
            s = listen()
            c, _ = s.accept()
            result(name + " comes back", until(
                lambda: online() == [True], "online again"),
                str(online()))
            mark = traffic.mark()
            result(name + " is back and the traffic flows",
                   traffic.flows_since(mark))
            c.close()
        except socket.timeout:
            result(name + " comes back", False, "it was not dialled again")
        finally:
            s.close()


class OnTmpfs(Relay):
    """Its warren/ lies on a small tmpfs, in a mount namespace of its own."""

    def command(self, *more):
        plain = super().command(*more)
        if not getattr(self, "apart", False) or more:
            return plain
        sub = os.path.join(self.dir, "warren")
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                "mkdir -m 711 $1.new && mount -t tmpfs -o "
                "size=16m,nr_inodes=1500,mode=711 none $1.new && cp -a $1/. $1.new/ && "
                "mount --move $1.new $1 && shift && exec \"$@\"",
                "sh", sub, *plain]

    def argv(self, *words):
        plain = super().argv(*words)
        if self.process is None:
            return plain
        return ["nsenter", "--mount", "--target", str(self.process.pid),
                *plain]

    def inside(self, *path):
        return os.path.join("/proc/%d/root" % self.process.pid,
                            self.dir.lstrip("/"), "warren", *path)

    def fill(self):
        with open(self.inside("filler"), "wb", buffering=0) as f:
            block = b"\0" * 4096
            try:
                while True:
                    f.write(block)
            except OSError:
                pass
        s = os.statvfs(self.inside())
        return s.f_bavail * s.f_frsize


    def use_names_up(self):
        os.mkdir(self.inside("names"))
        try:
            for i in range(1500):
                open(self.inside("names", str(i)), "w").close()
        except OSError:
            pass

    def accepting(self):
        rc, out, err = self.warren("status", "--json")
        said = json.loads(out).get("node", {}) if rc == 0 else {}
        return said.get("accepting"), said.get("why") or err


def full_disk():
    name = "root full disk"
    node = OnTmpfs("full", None)
    node.apart = True
    try:
        if not node.up():
            result(name + ": start", False, "%s %s" % (
                node.problem, node.said()[-800:]))
            return
        rc, last, s = node.run_job("echo before")
        result(name + ": a job runs before", rc == 0, "%s %s" % (rc, s))
        done_before = s
        pids = node.pids()
        running = node.submit(node.job_file("sleep 4; echo through"))
        result(name + ": a job runs when it fills", running.reached("running"),
               str(running))
        with Watched(node, name) as traffic:
            left = node.fill()
            mark = traffic.mark()
            path = node.job_file("cat /agent/data/big | wc -c", volumes=[
                ("data", "/agent/data", "ro")])
            with open(os.path.join(os.path.dirname(path), "data/big"),
                      "wb") as f:
                f.write(os.urandom(1 << 20))
            sub = node.submit(path)
            until(lambda: sub.process.poll() is not None,
                  "an early refusal (it may wait as well)", 4)
            refused = sub.process.poll()
            result(name + ": a submission is refused, with the reason",
                   refused == 3 and sub.events and
                   sub.events[-1].get("code") == "not_accepting" and
                   "disk" in sub.events[-1].get("why", ""), str(sub))
            for verb in (["status"], ["describe", node.who["destination"],
                                      "--identity", node.person]):
                rc, out, err = node.warren(*verb, "--json")
                said = json.loads(out) if rc == 0 else {}
                said = said.get("node", said)
                result(name + ": " + verb[0] + " says so", rc == 0 and
                       said.get("accepting") is False and
                       "disk" in (said.get("why") or ""), out + err)
            result(name + ": the relay goes on", traffic.flows_since(mark),
                   "%d bytes are left" % left)
            result(name + ": no program fell", node.pids() == pids,
                   "%s %s" % (pids, node.pids()))
            os.unlink(node.inside("filler"))
            rc, last = running.end()
            result(name + ": the running job ends with its receipt",
                   rc == 0 and last.get("verified") is True and
                   node.output(running) == "through\n", "%s %s" % (
                       rc, running))
            rc, last = sub.end()
            result(name + ": the other waited, or was told why", (
                rc == 0 and node.output(sub).strip() == "1048576") or
                (refused is not None and rc in (1, 3) and any(
                    w in str(sub) for w in ("disk", "space", "full",
                                            "busy"))),
                "%s %s" % (rc, sub))
            rc, last, s = node.run_job("echo after")
            result(name + ": a job runs when there is room again", rc == 0 and
                   node.output(s) == "after\n", "%s %s" % (rc, s))
        node.use_names_up()
        status = node.accepting()
        result(name + ": no name left is a full disk as well",
               status[0] is False and "disk" in status[1], str(status))
        shutil.rmtree(node.inside("names"))
        until(lambda: node.accepting()[0] is True, "jobs are taken again", 10)
        result(name + ": and it is over with it", node.accepting()[0] is True,
               str(node.accepting()))
        rc, out, err = node.warren("result", done_before.id(), "--to",
                                   node.who["destination"], "--identity",
                                   node.person, "--out",
                                   os.path.join(node.work, "again"))
        result(name + ": what was done before is still there", rc == 0, err)
        # more than fits twice: once as it came, once laid out for the job
        path = node.job_file("true", volumes=[("data", "/agent/data", "ro")])
        with open(os.path.join(os.path.dirname(path), "data/big"), "wb") as f:
            f.write(os.urandom(9 << 20))
        rc, last = node.submit(path).end()
        result(name + ": a job that fills it itself does not run", rc != 0,
               "%s %s" % (rc, last))
        until(lambda: node.accepting()[0] is True, "jobs are taken again")
        rc, last, s = node.run_job("echo again")
        result(name + ": and leaves the room that it took", rc == 0 and
               node.output(s) == "again\n", "%s %s" % (rc, s))
        rc, out, err = node.warren("status", "--json")
        result(name + ": status answers", rc == 0, err)
    finally:
        node.remove()


def all_of(mode, user):
    node = Relay("relay-" + mode, user)
    try:
        if not node.up():
            result(mode + " relay and compute: start", False, "%s %s" % (
                node.problem, node.said()[-1500:]))
            return
        killing(mode, node)
        wild(mode, node)
        interface_dies(mode, node)
        transport_killed(mode, node)
        rc, took = node.stop()
        result(mode + " relay: SIGTERM ends it", rc == 0 and took < 5,
               "%s after %.1f s" % (rc, took))
    finally:
        if lib.failed:
            sys.stderr.write(node.said()[-6000:])
        node.remove()


if os.geteuid() == 0:
    all_of("root", None)
    all_of("user", USER)
    full_disk()
else:
    skip("relay as root", "not started as root")
    skip("full disk", "a small disk needs root")
    all_of("user", None)
done()
