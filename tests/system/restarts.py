# SPDX-License-Identifier: BSD-2-Clause
"""A job survives its node: what it prints and what it leaves is whole however
often and whenever warren-node is killed; one that is asleep for longer than a
job's time does not keep the job alive. RESTARTS_LONG: more of it, as
tests/long.sh does."""
import hashlib
import os
import random
import signal
import sys

import lib
from lib import USER, done, quiet, result, skip, until
from libjob import Burrow

build = sys.argv[1]
LONG = "RESTARTS_LONG" in os.environ
LINES = 1000000 if LONG else 200000
KILLS = 6 if LONG else 3
LOG = 1 << 20  # what level 2 keeps


def alive(pid):
    """Neither gone nor a zombie."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def strike(node, who):
    """kill -9, and the next one is there; its pid."""
    count = node.readies(who)
    os.kill(node.pids()[who], signal.SIGKILL)
    return until(lambda: node.readies(who) > count and
                 node.pids().get(who), who + " is ready again")


def counter(node, name, seed):
    """It prints numbers as fast as it can, and more than is kept; then its
    output is packed. Killed at any moment of that."""
    moment = random.Random(seed)
    s = node.submit(node.job_file(
        "i=0; while [ $i -lt %d ]; do echo $i; i=$((i+1)); done; "
        "head -c 700000 /dev/zero > /agent/tmp/zeros; echo end >&2" % LINES,
        limits={"log": "1MB", "cpu": "0.5"},
        volumes=[("out", "/agent/tmp", "rw")]))
    s.reached("running")
    strikes = 0
    while s.process.poll() is None and strikes < KILLS:
        quiet(moment.uniform(0, 0.3), "the moment is the subject")
        if not strike(node, "node"):
            break
        strikes += 1
    rc, last = s.end()
    wrote = "".join("%d\n" % i for i in range(LINES))
    kept, err, gone = last.get("log") or (None, None, 0)
    text = node.output(s)
    result(name + ": killed %d times, its log is the sequence" % strikes,
           strikes >= 2 and rc == 0 and last.get("attempts") == 1 and
           last.get("verified") is True and kept == len(text) and
           text == wrote[:kept] and kept + (err or 0) <= LOG,
           "%s, %s bytes of %d, equal to %d: %s" % (rc, kept, len(wrote), len(
               os.path.commonprefix([text, wrote])), s))
    result(name + ": every byte is kept or counted",
           kept is not None and kept + err + gone == len(wrote) + 4,
           "%s of %d" % (last.get("log"), len(wrote) + 4))
    try:
        with open(os.path.join(s.folder, "volumes/agent/tmp/zeros"),
                  "rb") as f:
            zeros = hashlib.sha256(f.read()).hexdigest()
    except OSError as e:
        zeros = str(e)
    result(name + ": and its output is whole",
           zeros == hashlib.sha256(bytes(700000)).hexdigest(), zeros)


def jail_falls(node, name):
    """Whatever a job has started is dead when the next jail is there, also
    what has a session of its own, is stopped, and holds memory."""
    s = node.submit(node.job_file(
        "i=0; while [ $i -lt 20 ]; do busybox setsid sleep 500 & i=$((i+1)); done; "
        "dd if=/dev/zero of=/tmp/x bs=1k count=9000; "
        "kill -STOP $!; echo up; sleep 500"))
    s.reached("running")
    until(lambda: node.warren("logs", s.id() or "", "--to",
                              node.who["destination"], "--identity",
                              node.person)[1] == "up\n", "its last line")
    mine = children(node, "sleep")
    old = node.pids()["jail"]
    os.kill(old, signal.SIGKILL)
    new = until(lambda: node.pids().get("jail", old) not in (old, None),
                "another jail", step=0.001)
    left = [p for p in mine if alive(p)]
    rc, last = s.end()
    result(name + ": when another jail starts, nothing of a job is alive",
           new and len(mine) == 21 and not left and
           last.get("state") == "lost", "%s, %d of %d: %s" % (
               new, len(left), len(mine), s))


def asleep(node, name):
    """SIGSTOP for longer than the job's time: jail's clock ends it, 10 s
    after that."""
    s = node.submit(node.job_file("echo begun; sleep 500",
                                  limits={"time": "1s"}))
    s.reached("running")
    pid = node.pids()["node"]
    os.kill(pid, signal.SIGSTOP)
    sleeping = until(lambda: [p for p in children(node, "sleep")], "the job")
    gone = until(lambda: not [p for p in sleeping or [] if alive(p)],
                 "the end of the job's process", 30)
    os.kill(pid, signal.SIGCONT)
    rc, last = s.end()
    result(name + ": asleep, the job ends all the same", bool(sleeping) and
           gone, str(sleeping))
    result(name + ": and its outcome is its time", rc == 5 and
           last.get("outcome") == ["killed", "time"] and
           last.get("attempts") == 1 and
           last.get("usage", {}).get("wall_ms", 0) in range(10900, 13000),
           "%s %s" % (rc, s))


def parent(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return int(f.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def children(node, comm):
    """Processes of that name that this node's jail has started; others of the
    machine are nobody's here."""
    jail = node.pids()["jail"]
    found = []
    for p in os.listdir("/proc"):
        try:
            with open("/proc/%s/comm" % p) as f:
                if f.read().strip() != comm:
                    continue
        except OSError:
            continue
        up = int(p)
        while up not in (0, jail):
            up = parent(up)
        if up == jail:
            found.append(int(p))
    return found


def run(mode, user, work):
    node = Burrow(build, "restarts-" + mode, user,
                  more="levels: {2: {log: 1MB}}\n")
    name = mode + " restarts"
    try:
        if not node.up():
            result(name + ": start", False, "%s %s" % (
                node.problem, node.said()[-1500:]))
            return
        for what in work:
            what(node, name)
    finally:
        if lib.failed:
            sys.stderr.write(node.said()[-6000:])
        node.remove()


SEED = int(os.environ.get("RESTARTS_SEED", "1"))
if os.geteuid() == 0:
    run("user", USER, [lambda n, m: counter(n, m, SEED), jail_falls])
    if LONG:
        run("root", None, [jail_falls])
        run("root", None, [lambda n, m: counter(n, m, SEED + 1), asleep])
else:
    skip("restarts as root", "not started as root")
    run("user", None, [lambda n, m: counter(n, m, SEED), jail_falls])
done()
