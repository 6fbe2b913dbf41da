# SPDX-License-Identifier: BSD-2-Clause
"""Jobs in containers of Docker's daemon: the same job gives the same as under
the node's own; its end is the container's, and the other way round; nothing is
left of any, whoever falls; a daemon that lies, babbles or says nothing costs the
job that it was asked for, and no other."""
import contextlib
import glob
import os
import signal
import subprocess
import sys
import threading

from lib import done, result, skip, until
from libdocker import Between, docker, missing
from runner import WANTED, burrow, job, lines, processes, receipt, same

LONG = "LONG" in os.environ
HTTP = b"HTTP/1.1 200 OK\r\n"
LIES = {
    "what is no HTTP": b"SSH-2.0-dropbear\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "a head without an end": b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 4096,
    "two lengths": HTTP + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    "a chunk without an end": HTTP + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n",
    "17 MB": HTTP + b"\r\n" + b"x" * (17 << 20),
    "nothing": b"",
    "a refusal": b'HTTP/1.1 500 No\r\nConnection: close\r\n\r\n{"message":"full \\u001b[2J disk"}',
}


def cancel(node, s):
    node.warren("cancel", s.id(), "--to", node.who["destination"], "--identity", node.person)


def running(node, word):
    """A job that sleeps, when its command is there."""
    s = node.submit(node.job_file("sleep " + word[6:]))
    return s, s.reached("running") and until(lambda: processes(word), "its command")


def ends(d):
    word = "sleep\0" + str(80000 + os.getpid())
    with burrow("root", lines("docker", d)) as node:
        if not node.up():
            result("docker: its jobs end", False, node.problem or node.said()[-600:])
            return
        s, up = running(node, word)
        names = d.containers()
        result("docker: the job is in a container of this node's", up and names is not None and len(names) == 1 and
               names[0].startswith("/warren-"), "%s %s" % (names, s))
        cancel(node, s)
        rc, last = s.end()
        result("docker: a cancelled job is dead when that is told, and its container goes",
               up and last.get("outcome") == ["killed", "cancelled"] and not processes(word) and
               until(lambda: d.containers() == [], "no container"), "%s %s %s" % (rc, s, d.containers()))
        s, up = running(node, word)
        for name in d.containers():
            d.get("/containers%s/kill" % name, "POST")
        rc, last = s.end()
        result("docker: a container that somebody else kills is its job's end",
               up and last.get("outcome") == ["signalled", 9] and not processes(word), "%s %s" % (rc, s))
        s, up = running(node, word)
        os.kill(node.pids()["jail"], signal.SIGKILL)
        result("docker: jobs die with who contains them, and no container is left",
               up and until(lambda: not processes(word), "its end") and
               until(lambda: d.containers() == [], "no container"), d.containers())
        s.process.kill()
        s.end()
        # one that no life of ours takes away is swept at the next start; this one's trial is over
        until(lambda: node.readies("jail") > 1 and d.containers() == [], "another jail")
        name = subprocess.run(["docker", "-H", "unix://" + d.socket, "create", "--network", "none", "--label",
                               "warren.node=" + names[0].split("-")[1], "--name", "stale", image(d), "arrive"],
                              stdout=subprocess.PIPE).stdout
        before = d.containers()
        os.kill(node.pids()["jail"], signal.SIGKILL)
        result("docker: what an earlier life has left is removed at the start",
               name and before == ["/stale"] and until(lambda: d.containers() == [], "no container"), "%s %s" % (before, name))


def image(d):
    return subprocess.run(["docker", "-H", "unix://" + d.socket, "images", "-q"],
                          stdout=subprocess.PIPE).stdout.decode().split()[0]


def broken(d):
    """A daemon that is not as it should be, for one job."""
    b = Between(d)
    try:
        with burrow("root", lines("docker", b) + "limits:\n  jobs_running: 2\n") as node:
            if not node.up():
                result("docker: a daemon that lies", False, node.problem or node.said()[-600:])
                return
            for what, bytes_ in LIES.items():
                for word in ("create", "start"):
                    b.does = lambda line, bytes_=bytes_, word=word: bytes_ if word in line else None
                    s = node.submit(node.job_file("echo never"))
                    rc, last = s.end()
                    result("docker: one that answers %s with %s: that job is lost" % (word, what),
                           rc == 5 and last.get("outcome", [""])[0] == "lost" and "\033" not in s.stderr(), "%s %s" % (rc, s))
            b.does = lambda line: None
            rc, last, s, _ = job(node)
            result("docker: and the next job runs", rc == 5 and last.get("outcome") == ["exited", 7] and
                   receipt(node, s).get("runner", "").startswith("docker "), "%s %s" % (rc, s))
            silent(b, node)
        result("docker: no container is left of them", until(lambda: d.containers() == [], "no container"), d.containers())
    finally:
        b.stop()


def silent(b, node):
    """It takes a request and never answers: another job is not kept waiting."""
    for word in ("create", "start"):
        held, wait = [], threading.Event()

        def does(line):
            if word in line and not held:
                held.append(line)
                return wait
            return None
        b.does = does
        first = node.submit(node.job_file("echo never", limits={"time": "1s"}))
        until(lambda: held, "that it is asked")
        second = node.submit(node.job_file("echo free"))
        rc2, last2 = second.end()
        result("docker: while it is silent on %s, another job runs" % word, rc2 == 0 and node.output(second) == "free\n", str(second))
        rc, last = first.end()
        result("docker: that one is lost when its time is up", rc == 5 and last.get("outcome") == ["lost", "took too long"], str(first))
        wait.set()


def outlives(d):
    """A container that stands still, and a daemon that does not take it away."""
    b, word, wait = Between(d), "sleep\0" + str(80000 + os.getpid()), threading.Event()
    try:
        with burrow("root", lines("docker", b)) as node:
            if not node.up():
                result("docker: a job whose processes stay", False, node.problem or node.said()[-600:])
                return
            s, up = running(node, word)
            name = (d.containers() or [""])[0]
            b.does = lambda line: wait if line.startswith("DELETE") else None
            paused = d.get("/containers%s/pause" % name, "POST")[:3] == b"204"
            cancel(node, s)
            rc, last = s.end()
            left, outcome = processes(word), last.get("outcome", [""])[0]
            wait.set()
            b.does = lambda line: None
            result("docker: a job whose processes stay is lost, and never told to have ended", up and paused and
                   outcome == ("lost" if left else "killed"), "%s %s %s %s" % (paused, left, rc, s))
            result("docker: they go, and the next job runs", until(lambda: not processes(word), "their end") and
                   until(lambda: node.submit(node.job_file("echo next")).end()[0] == 0, "another job"), node.said()[-600:])
    finally:
        wait.set()
        b.stop()


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return [int(p) for p in f.read().split()]


def askers(node):
    """Who asks the daemon, and the errands of one that has fallen: children of
    who watches over it, which is a child of jail's."""
    for pid in children(node.pids()["jail"]):
        with contextlib.suppress(OSError):
            with open("/proc/%d/comm" % pid) as f:
                if f.read() == "warren-envoy\n":
                    return children(pid)
    return []


def others(d):
    """Images of nodes: one is gone, one is not, and some are no node's."""
    gone = os.path.join(d.folder, "gone").encode().hex()
    for name, labels in (
            ("warren-inner:0000000a", {"warren.node": "0000000a", "warren.meet": gone}),
            ("warren-inner:0000000b", {"warren.node": "0000000b", "warren.meet": d.folder.encode().hex()}),
            ("warren-inner:0000000c", {}),
            ("somebody:0000000d", {"warren.node": "0000000d", "warren.meet": gone})):
        d.put_image(name, labels)
    return ["somebody:0000000d", "warren-inner:0000000b", "warren-inner:0000000c"]


def jail_falls(b, node, word):
    """Who asked the daemon for the last one has ended when the next one's does."""
    held, early, wait = [], [], threading.Event()
    release = threading.Timer(2, wait.set)

    def does(line):
        if line.startswith("DELETE") and not held:
            held.append(line)
            release.start()
            return wait
        if "/version" in line and not wait.is_set():
            early.append(line)
        return None
    _, up = running(node, word)
    old = node.pids()["jail"]
    b.does = does
    os.kill(old, signal.SIGKILL)
    again = until(lambda: node.pids().get("jail", old) != old, "another jail")
    result("docker: a jail that falls is followed when its containers are gone", up and again and held and not early and
           until(lambda: node.submit(node.job_file("echo next")).end()[0] == 0, "another job"), "%s %s" % (held, node.said()[-600:]))
    wait.set()
    b.does = lambda line: None


def held(line, wait):
    """The daemon takes its time over the node's image."""
    if wait.is_set() or not line.startswith("DELETE /images/"):
        return None
    threading.Timer(2, wait.set).start()
    return wait


def groups(identity):
    return glob.glob("/sys/fs/cgroup/**/warren-" + identity[:8], recursive=True)


def bounded(pids):
    """Which of them are in a group of blkio that bounds all jobs of a node."""
    found = set()
    for pid in pids:
        with open("/proc/%d/cgroup" % pid) as f:
            at = [w.split(":", 2) for w in f.read().splitlines()]
        for _, names, path in at:
            if "blkio" in names.split(",") and path.endswith("/jobs") and "/warren-" in path:
                found.add(pid)
    return found


def short(d):
    """What `./check` has time for: one node, a job, a kill, a lie."""
    word, b = "sleep\0" + str(80000 + os.getpid()), Between(d)
    stay = others(d)
    try:
        with burrow("root", lines("docker", b) + "limits: {io_read: 100MB, io_write: 100MB}\n") as node:
            if not node.up():
                result("docker: profile A", False, node.problem or node.said()[-600:])
                return
            rc, last, s, _ = job(node)
            r = receipt(node, s)
            result("docker: profile A", last.get("outcome") == ["exited", 7] and node.output(s) == WANTED and
                   node.output(s, "stderr") == "to-stderr\n", "%s %r %s %s" % (last, node.output(s), s, node.said()[-300:]))
            result("docker: the receipt names it", r.get("runner", "").startswith("docker "), r)
            own = "warren-inner:" + node.status()["identity"][:8]
            result("docker: the image of a node that is gone goes, and no other", d.images() == sorted(stay + [own]),
                   "%s %s" % (d.images(), node.said()[-300:]))
            s, up = running(node, word)
            names, old = d.containers(), askers(node)
            if os.path.isdir("/sys/fs/cgroup/blkio") and "hold nothing" not in node.said():
                pids = processes(word)
                result("docker: on groups of version 1 the disk's limit is a layer, and the job is in the group that has it",
                       pids and bounded(pids) == set(pids) and "io" in last.get("layers", []), "%s %s %s" % (pids, bounded(pids), last))
            os.kill(old[0], signal.SIGKILL)
            result("docker: who asks the daemon is started again, and the job runs on", len(old) == 1 and
                   until(lambda: set(askers(node)) - set(old) and "starting it anew" in node.said(), "another") and
                   processes(word) and d.containers() == names, "%s %s %s" % (old, askers(node), node.said()[-300:]))
            cancel(node, s)
            rc, last = s.end()
            result("docker: a cancelled job is dead when that is told", up and len(names or []) == 1 and
                   last.get("outcome") == ["killed", "cancelled"] and not processes(word), "%s %s %s" % (names, rc, s))
            b.does = lambda line: LIES["two lengths"] if "create" in line else None
            s = node.submit(node.job_file("echo never"))
            rc, last = s.end()
            result("docker: a daemon that lies costs that job", last.get("outcome", [""])[0] == "lost", "%s %s" % (rc, s))
            b.does = lambda line: None
            s = node.submit(node.job_file("echo next"))
            rc, last = s.end()
            result("docker: and the next one runs", rc == 0 and node.output(s) == "next\n", "%s %s" % (rc, s))
            jail_falls(b, node, word)
            wait, identity = threading.Event(), node.status()["identity"]
            there = groups(identity)
            b.does = lambda line: held(line, wait)
        result("docker: the node has ended when who asks the daemon has, and no group of it is left",
               there and wait.is_set() and not groups(identity), "%s %s" % (there, groups(identity)))
        result("docker: no container is left", until(lambda: d.containers() == [], "no container"), d.containers())
        result("docker: nor the node's image", until(lambda: d.images() == stay, "no image"), d.images())
    finally:
        b.stop()


def absent():
    """No daemon: no job, and why; the rest of the node is there."""
    with burrow("root", "runner: docker\nrunner_path: /nowhere/docker.sock\n") as node:
        rc, out, err = node.warren("check-config")
        result("docker: that there is no socket is said", rc == 0 and "/nowhere/docker.sock" in out + err, "%s %s" % (rc, out + err))
        # Docker makes a folder of a mount's source that has gone
        os.makedirs(os.path.join(node.dir, "warren/run/docker/gone"), 0o700)
        up = node.up()
        result("docker: a node starts without it, and takes no job", up and until(
            lambda: "no job can run here" in node.said(), "that it is said"), node.problem or node.said()[-600:])
    with burrow("root", "runner: docker\nrunner_path: /dev/null\n") as node:
        rc, out, err = node.warren("check-config")
        result("docker: no start with what is no socket", rc not in (0, None) and "is no socket" in out + err, out + err)


def systemd():
    """Where no systemd runs, a daemon that has it make groups is named."""
    with open("/proc/1/comm") as f:
        if f.read() == "systemd\n":
            skip("docker: groups by a systemd that is not there", "it is here")
            return
    with docker({"exec-opts": ["native.cgroupdriver=systemd"]}) as d, burrow("root", lines("docker", d)) as node:
        if d.up and node.up():
            until(lambda: "no job can run here" in node.said(), "that it is said")
        result("docker: groups by a systemd that is not there: no job, and the remedy", d.up and
               "native.cgroupdriver=cgroupfs" in node.said() and "anceled" not in node.said(), "%s %s" % (d.said(), node.said()[-600:]))


def main():
    why = missing()
    if why is not None:
        skip("docker", why)
        return
    if LONG:
        absent()
        systemd()
    with docker() as d:
        if not d.up:
            skip("docker", "dockerd does not start here: " + d.said())
            return
        if not LONG:
            short(d)
            return
        theirs, own = same("root", "docker", d), same("root", "native")
        result("docker: the same result, no layer less", own is not None and theirs is not None and
               theirs["out"] == own["out"] and own["layers"] <= theirs["layers"], "%s\n%s" % (own, theirs))
        ends(d)
        outlives(d)
        broken(d)


main()
done()
