# SPDX-License-Identifier: BSD-2-Clause
"""Each program is killed in turn, at random moments, or stopped for a while,
while twenty jobs are there: none is forgotten, none runs twice but after it was
lost, each ends as what it is, and the relay loses no packet but by transport's
end. For ./check long: STORM_KILLS strikes, STORM_STOP_S seconds of sleep."""
import glob
import itertools
import json
import os
import random
import signal
import sys

import lib
from lib import ALL, USER, done, quiet, result, until
from libjob import Burrow, free_port, server
from libwire import Traffic

KILLS = int(os.environ.get("STORM_KILLS", "0"))
STOP_S = float(os.environ.get("STORM_STOP_S", "30"))
JOBS = 20
VICTIMS = ["node", "jail", "trust", "keys", "audit"]
if KILLS == 0:
    sys.exit(0)
build = sys.argv[1]
moment = random.Random(int(os.environ.get("STORM_SEED", "1")))


class Storm(Burrow):
    def __init__(self, name, user):
        self.near, self.far = free_port(), free_port()
        super().__init__(build, name, user, server("near", self.near) +
                         server("far", self.far), relay=True,
                         more="limits: {jobs_running: 4}\n"
                              "quotas: {jobs_queued: 100, "
                              "jobs_per_hour: 100000, "
                              "requests_per_minute: 100000}\n")
        self.known = {}   # id -> what it is to be
        self.ended = {}   # id -> what it was
        self.number = 0

    def mesh(self, *words):
        """A verb of the submitter."""
        return self.warren(*words, "--to", self.who["destination"],
                           "--identity", self.person)

    def one_more(self):
        """Accepted, or not; what is accepted has an id that we know."""
        self.number += 1
        n, retries = self.number, self.number % 4
        path = self.job_file(
            "echo begin %d; i=0; while [ $i -lt 2000 ]; do echo $i; "
            "i=$((i+1)); done; sleep %.1f; echo end; exit %d" % (
                n, moment.uniform(0.1, 2), n % 3), retries=retries)
        s = self.submit(path, "--detach", timeout="20s")
        s.end(60)
        if s.id():
            self.known[s.id()] = (n, retries)

    def shown(self, job):
        rc, out, _ = self.mesh("show", job, "--json")
        try:
            return json.loads(out.splitlines()[-1]) if rc == 0 else {}
        except (ValueError, IndexError):
            return {}

    def look(self):
        """Who has ended meanwhile."""
        for job in [j for j in self.known if j not in self.ended]:
            seen = self.shown(job)
            if seen.get("state") == "lost" and \
                    seen.get("attempts", 0) <= self.known[job][1]:
                continue  # queued again with the same breath
            if seen.get("state") in ("done", "lost", "refused", "cancelled"):
                self.ended[job] = seen

    def feed(self):
        self.look()
        while len(self.known) - len(self.ended) < JOBS:
            before = len(self.known)
            self.one_more()
            if len(self.known) == before:
                break  # not taken now


def strikes(node, how):
    """One after the other, each when it is there again."""
    turn = itertools.cycle(VICTIMS)
    for k in range(KILLS if how == "killed" else len(VICTIMS)):
        node.feed()
        who = next(turn)
        pid = until(lambda: node.pids().get(who), who, 90)
        quiet(moment.uniform(0, 0.7), "the moment is the subject")
        try:
            if how == "killed":
                os.kill(pid, signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGSTOP)
                quiet(STOP_S, "it sleeps for that long")
                os.kill(pid, signal.SIGCONT)
        except (OSError, TypeError):
            pass


def started(node):
    """How often each job was started, as the trail has it."""
    count = {}
    for path in glob.glob(os.path.join(node.dir, "warren/trail/*.jsonl")):
        with open(path, errors="replace") as f:
            for line in f:
                if '"job_started"' not in line:
                    continue
                for job in node.known:
                    if job in line:
                        count[job] = count.get(job, 0) + 1
    return count


def judge(node, name):
    until(lambda: node.look() or len(node.ended) == len(node.known),
          "the end of all jobs", 300, step=0.5)
    lost = [j for j in node.known if j not in node.ended]
    result("%s: each of %d accepted jobs has its end" % (
        name, len(node.known)), len(node.known) >= JOBS and not lost,
        str([(j[:8], node.shown(j)) for j in lost[:3]]))
    wrong, counts = [], started(node)
    tally = {}
    for job, seen in node.ended.items():
        n, retries = node.known[job]
        state = seen["state"]
        tally[state] = tally.get(state, 0) + 1
        if seen.get("attempts", 0) > 1 + retries or \
                counts.get(job, 0) > seen.get("attempts", 0):
            wrong.append((job[:8], "started too often", seen, counts.get(job)))
        if state == "done":
            _, out, _ = node.mesh("logs", job)
            want = "begin %d\n" % n + "".join(
                "%d\n" % i for i in range(2000)) + "end\n"
            if out != want or seen.get("outcome") != ["exited", n % 3]:
                wrong.append((job[:8], seen.get("outcome"), len(out),
                              out[:20]))
        elif state != "lost":
            wrong.append((job[:8], seen))
    result("%s: none ran twice, each is what it was: %s" % (name, tally),
           not wrong and len(counts) >= len(node.ended) // 2,
           "%s, %d of the trail" % (wrong[:3], len(counts)))
    rc, out, err = node.warren("audit", "verify")
    result(name + ": the trail verifies", rc == 0, out + err)


def storm(mode, user):
    node = Storm("storm-" + mode, user)
    try:
        if not node.up():
            result(mode + " storm: start", False, node.said()[-1500:])
            return
        for how in ("killed", "stopped"):
            name = "%s storm: programs %s" % (mode, how)
            traffic = Traffic(node.near, node.far)
            strikes(node, how)
            traffic.more(75)
            sent, gone = traffic.end()
            result(name + ": not one packet of %d lost" % sent,
                   sent > 20 and gone == 0 and traffic.error is None,
                   "%d, error %s" % (gone, traffic.error))
            judge(node, name)
        before = node.pids()["transport"]
        os.kill(before, signal.SIGKILL)
        node.feed()
        until(lambda: node.ready(ALL) is not None, "all")
        judge(node, mode + " storm: transport killed")
    finally:
        if lib.failed:
            sys.stderr.write(node.said()[-6000:])
        node.remove()


storm(*(("root", None) if os.geteuid() == 0 else ("user", None)))
if os.geteuid() == 0 and KILLS > 50:
    storm("user", USER)
done()
