# SPDX-License-Identifier: BSD-2-Clause
"""SIGHUP and `warren reload` while the node runs: what the files say is in
effect for the next request; a bad file changes nothing; nobody is started anew,
and no job is lost but those of a peer who is below the floor now."""
import glob
import json
import os
import re
import signal
import sys
import time

from lib import USER, done, quiet, result, skip, until
from libjob import Burrow, tell, until_told
from libtrail import trail

build = sys.argv[1]


def read(node):
    with open(os.path.join(node.dir, "node.yaml")) as f:
        return f.read()


def reload(node, text):
    """Write node.yaml, SIGHUP; what was said until it was read (or not)."""
    before = len(node.said())
    node.write("node.yaml", text)
    node.process.send_signal(signal.SIGHUP)
    until(lambda: re.search("read again|nothing was changed",
                            node.said()[before:]), "a word about the file")
    time_of_trust(node)
    return node.said()[before:]


def time_of_trust(node):
    """Node asks trust anew; one answer to a question comes behind that."""
    node.warren("status", "--json")


def verdict(node):
    """Exit status and last word of a job that does nothing."""
    rc, last, s = node.run_job("true")
    return rc, "%s %s" % (last, s.stderr())


def pins(mode, user):
    name = mode + " SIGHUP"
    node = Burrow(build, "reload-" + mode, user)
    try:
        if not node.up():
            result(name, False, "%s %s" % (node.problem, node.said()[-1500:]))
            return
        text = read(node)
        low = text.replace("level: 2", "level: 0")
        rc, why = verdict(node)
        result(name + ": a pin of 2 may run jobs", rc == 0, why)
        pids = node.pids()
        said = reload(node, low + "nonsense: 1\n")
        rc, why = verdict(node)
        result(name + ": a bad file changes nothing", rc == 0 and
               "nothing was changed" in said, said + why)
        running = node.submit(node.job_file("echo; sleep 60"))
        running.reached("running")
        waiting = [node.submit(node.job_file("echo; sleep 60")) for _ in (0, 1)]
        until(lambda: all(s.state() for s in waiting), "three jobs")
        said = reload(node, low)
        rc, last = running.end()
        result(name + ": and ends his jobs like a revocation", rc == 5 and
               last.get("outcome") == ["killed", "revoked"], str(running))
        for s in waiting:  # one runs, one waits
            rc, last = s.end()
            result(name + ": each of them", rc in (3, 5) and
                   ("trust" in str(last) or "revoked" in str(last)), str(s))
        rc, why = verdict(node)
        result(name + ": a pin that was lowered refuses the next job",
               rc == 3 and "level" in why, "%s %s %s" % (rc, why, said))
        result(name + ": what is in effect is said",
               "trust.pins is in effect" in said, said)
        os.kill(pids["trust"], signal.SIGKILL)
        os.kill(pids["node"], signal.SIGKILL)
        again = until(lambda: node.restarts().get("trust") == 1 and
                      node.restarts().get("node") == 1,
                      "trust and node again")
        rc, why = verdict(node)
        result(name + ": a program that starts anew knows it too",
               again and rc == 3 and "level" in why, "%s %s" % (rc, why))
        said = reload(node, text)
        rc, why = verdict(node)
        result(name + ": and raised again, it runs", rc == 0, why + said)
        if mode == "user":
            shut(node, name, text)
        same = node.pids()
        result(name + ": nobody else was started anew", all(
            same.get(n) == p for n, p in pids.items()
            if n not in ("trust", "node")), "%s %s" % (pids, same))
    finally:
        node.remove()


def shut(node, name, text):
    """Distrusted: each link is closed on him. He says so, and goes on."""
    reload(node, text.replace("level: 2", "level: -2"))
    s = node.submit(node.job_file("true"))

    def links(up):
        return [e for e in list(s.events)
                if e["event"] == "link" and e["up"] == up]
    told = until(lambda: links(False) or s.process.poll() is not None,
                 "a word of why it waits", 20)
    said = reload(node, text)
    rc, last = s.end()
    result(name + ": a pin of -2 closes his links, which he is told",
           told and links(False) and links(False)[0]["closed"] == 3 and
           "-2 or below" in links(False)[0]["why"], str(s))
    result(name + ": taken back, the same submit goes on", rc == 0 and
           links(True), "%s %s" % (s, said))


def told(node):
    """`warren reload --json`: its exit status, what it said by kind. One that
    comes at once behind another waits for its turn."""
    rc, out, err = node.warren("reload", "--json")
    try:
        said = json.loads(out)["said"]
    except (ValueError, KeyError):
        return rc, {"failed": out + err}
    kinds = {}
    for o in said:
        kinds[o["kind"]] = kinds.get(o["kind"], "") + o["text"] + "\n"
    return rc, kinds


def sleeps(node, seconds, limit):
    """A job that waits for its own clock, in steps that standing still shows."""
    return node.submit(node.job_file(
        "i=0; while [ $i -lt %d ]; do sleep 0.1; i=$((i+1)); done; echo done"
        % (seconds * 10), limits={"time": "%ds" % limit}))


def verb(mode, user):
    name = mode + " warren reload"
    node = Burrow(build, "reload-verb-" + mode, user)
    try:
        if not node.up():
            result(name, False, "%s %s" % (node.problem, node.said()[-1500:]))
            return
        text = read(node)
        pids = node.pids()
        rc, said = told(node)
        result(name + ": nothing is other", rc == 0 and
               "changed" not in said and "mistake" not in said, said)
        node.write("node.yaml", text + "limits: {memory: 5x}\n")
        rc, said = told(node)
        line = "node.yaml:%d:" % (text.count("\n") + 1)
        result(name + ": a mistake with its place, and exit status 2",
               rc == 2 and line in said.get("mistake", ""), "%s %s" % (rc, said))
        job = sleeps(node, 3, 60)
        job.reached("running")
        more = ("limits: {memory: 128MB, jobs_running: 64}\n"
                "quotas: {jobs_queued: 3}\nkeep_results: 1d\n")
        node.write("node.yaml", text.replace("burrow", "warmer") + more)
        os.makedirs(os.path.join(node.dir, "profiles"), exist_ok=True)
        node.write("profiles/default.yaml",
                   "limits: {pids: 9}\nnetwork: isolated\n")
        rc, said = told(node)
        result(name + ": says what is in effect", rc == 0 and all(
            x + " is in effect" in said.get("changed", "") for x in
            ("name", "limits.memory", "quotas.jobs_queued", "keep_results",
             "container profile")), said)
        result(name + ": and what waits, and for what", "limits.jobs_running "
               "takes effect at the next start: jail makes its slots" in
               said.get("waits", ""), said)
        rc, out, err = node.warren("describe", node.who["destination"],
                                   "--identity", node.person, "--json")
        d = json.loads(out) if rc == 0 else {}
        result(name + ": the next request is judged by it",
               d.get("name") == "warmer" and d.get("limits", {}).get("memory")
               == 128 << 20, out + err)
        big = node.submit(node.job_file("true", limits={"memory": "200MB"}))
        rc, last = big.end()
        result(name + ": a lower ceiling", rc == 3 and
               last.get("code") == "limits", str(big))
        rc, last = job.end()
        result(name + ": the job that ran was not lost", rc == 0, str(job))
        same = node.pids()
        result(name + ": nobody was started anew", same == pids,
               "%s %s" % (pids, same))
        stands_still(node, name, text)
    finally:
        node.remove()


def shown(node, job):
    """What the node says of it."""
    rc, out, err = node.warren("show", job.id(), "--here", "--json")
    return json.loads(out) if rc == 0 else {"failed": out + err}


def lend(node, text):
    """Other hours; until the machine is, or is not, lent by them."""
    def changes():
        return len([1 for row in trail(node) if row[0] == "lending"])
    before = changes()
    node.write("node.yaml", text)
    rc, said = told(node)
    until(lambda: changes() > before, "other hours")
    return said


def stands_still(node, name, text):
    """It is told to end while it stands still, and so ends when it goes on."""
    hour = (time.localtime().tm_hour + 2) % 24
    other = text + ("compute_when: {hours: \"%02d:00-%02d:30\", "
                    "running: freeze}\n" % (hour, hour))
    # a slow machine: its time was over before it stood still
    for limit in (3, 6, 12, 24):
        job = node.submit(node.job_file(until_told(node.top + " it goes on"),
                                        limits={"time": "%ds" % limit}))
        job.reached("running")
        lend(node, other)
        s = shown(node, job)
        if s.get("frozen") or s.get("state") == "running":
            break
        job.end()
        lend(node, text)
    groups = glob.glob("/sys/fs/cgroup/**/warren-%s/**/job-*/cgroup.freeze" %
                       node.status()["identity"][:8], recursive=True)
    tell(node.top + " it goes on")
    if not s.get("frozen"):
        if groups:
            result(name + ": a job stands still", False, "%s %s" % (s, job))
        else:
            skip(name + ": a job stands still",
                 "no control groups of version 2")
        job.end()
        return
    quiet(limit + 0.5, "more than its whole time")
    result(name + ": a job stands still beyond its time",
           job.process.poll() is None, str(job))
    said = lend(node, text)
    rc, last = job.end()
    result(name + ": and ends as it would", rc == 0 and
           last.get("usage", {}).get("wall_ms", 0) <= limit * 1000,
           "%s %s" % (said, job))


if os.geteuid() == 0:
    pins("root", None)
    verb("root", None)
    pins("user", USER)
else:
    skip("reload as root", "not started as root")
    pins("user", None)
done()
