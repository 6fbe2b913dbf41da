# SPDX-License-Identifier: BSD-2-Clause
"""A disk that becomes read-only under a running node, or is full while a job
ends, and is mended, and a clock that is set, with the real programs: no
accepted job is forgotten or runs twice, refusals have a code and a reason, and
the node goes on by itself. The disk is one by weather.c: the kernel remounts
none on which files are open."""
import errno
import os
import shutil
import sys

import lib
from lib import done, result, skip, until
from libjob import tell, until_told
from libweather import Weathered
from libwire import Traffic

build = sys.argv[1]


def accepted(node, command, state):
    """A job that nobody waits for, in that state; its id."""
    sub = node.submit(node.job_file(command), "--detach")
    sub.end()
    until(lambda: node.show(sub.id()).get("state") == state, state, 20)
    return sub.id()


def whole(node, name, job, text, lost=0):
    """It has one end, and all that it said but so many bytes, as is told."""
    until(lambda: node.show(job).get("state") not in ("running", "queued"),
          "the end of a job")
    shown, folder = node.show(job), os.path.join(node.work, job)
    rc, out, err = node.warren("result", job, "--to", node.who["destination"],
                               "--identity", node.person, "--out", folder)
    with open(os.path.join(folder, "stdout")) as f:
        said = f.read()
    result(name, rc == 0 and shown.get("attempts") == 1 and said == text and
           shown.get("outcome") == ["exited", 0] and node.started(job) <= 1 and
           shown.get("log") == [len(text), 0, lost],
           "%s %s %s %s" % (rc, shown, said, err))


def readonly(node):
    name = "read-only disk"
    pids = node.pids()
    word = node.top + " read-only"
    runs = accepted(node, "echo a; " + until_told(word), "running")
    waits = accepted(node, "echo waited", "queued")
    until(lambda: node.show(runs).get("log", [0])[0] == 2, "what it says")
    traffic = Traffic(node.near, node.far)
    node.set(readonly=True)
    sub = node.submit(node.job_file("true"))
    rc, last = sub.end()
    result(name + ": a submission is refused, with the reason", rc == 3 and
           last.get("code") == "not_accepting" and
           "read-only" in last.get("why", ""), "%s %s" % (rc, sub))
    said = node.node()
    result(name + ": status says it", said.get("accepting") is False and
           "read-only" in said.get("why", ""), str(said))
    rc, out, err = node.warren("explain", waits)
    result(name + ": explain says why a job waits", rc == 0 and
           "read-only" in out, "%s %s %s" % (rc, out, err))
    until(lambda: "jobs: are not taken: the disk of the node is read-only" in
          node.said(), "the line in the log", 5)
    result(name + ": the log says it",
           "are not taken: the disk of the node is read-only" in node.said(),
           node.said()[-800:])
    told = tell(word)
    ended = until(lambda: node.node().get("running") == 0,
                  "the end of the job")
    result(name + ": a job ends meanwhile", told and ended, str(node.node()))
    rc, out, err = node.warren("explain", runs)
    result(name + ": explain says that its end waits for the ledger", rc == 0
           and "its end waits for the ledger: " in out, "%s %s %s" % (
               rc, out, err))
    result(name + ": no program fell", node.pids() == pids,
           "%s %s" % (pids, node.pids()))
    node.set()
    until(lambda: node.node().get("accepting"), "jobs are taken again")
    # no file takes what it said meanwhile
    whole(node, name + ": the job that ran has its end once", runs, "a\n",
          len("over\n"))
    whole(node, name + ": the one that waited runs once", waits, "waited\n")
    rc, last, s = node.run_job("echo after")
    result(name + ": jobs run again by themselves", rc == 0 and
           node.output(s) == "after\n", "%s %s" % (rc, s))
    sent, gone = traffic.end()
    result(name + ": the relay lost none of %d packets" % sent, sent > 20 and
           gone == 0 and traffic.error is None, "%d %s" % (gone,
                                                           traffic.error))
    rc, out, err = node.warren("audit", "verify")
    result(name + ": the trail verifies", rc == 0, out + err)


def full(node):
    """No byte goes to the disk while a job ends."""
    name = "full disk at the end of a job"
    pids = node.pids()
    word = node.top + " full"
    path = node.job_file("trap 'echo data > /agent/tmp/f' EXIT; echo a; " +
                         until_told(word),
                         volumes=[("out", "/agent/tmp", "rw")])
    sub = node.submit(path)
    until(lambda: node.show(sub.id() or "").get("log", [0])[0] > 0,
          "what it says first")
    node.fault(errno.ENOSPC)
    told = tell(word)
    fails = until(lambda: node.acts()[0] > 6, "more that fails")
    result(name + ": a job ends, and acts fail", told and fails,
           str(node.acts()))
    node.set()
    rc, last = sub.end()
    why = [e["reason"] for e in sub.events if e.get("reason")][-1:]
    result(name + ": it has its outcome, a receipt, and what is lost is said",
           rc == 0 and last.get("verified") and last["outcome"] == [
               "exited", 0] and why == [
                   "lost outputs: /agent/tmp: No space left on device"] and
           last["log"][0] + last["log"][2] == len("a\nover\n"), "%s %s" % (rc, sub))
    result(name + ": no program fell", node.pids() == pids,
           "%s %s" % (pids, node.pids()))
    until(lambda: node.node().get("accepting"), "jobs are taken again")
    rc, last, s = node.run_job("echo after")
    result(name + ": jobs run again by themselves", rc == 0 and
           node.output(s) == "after\n", "%s %s" % (rc, s))


def clock(node):
    # by years no binding holds: what waits then is refused, what runs goes on
    for text, by, holds in (("a month on", 30 * 86400, True),
                            ("20 years on", 20 * 365 * 86400, False),
                            ("5 years back", -5 * 365 * 86400, False)):
        name = "clock set " + text
        pids = node.pids()
        word = node.top + " " + text
        runs = accepted(node, "echo a; " + until_told(word), "running")
        waits = accepted(node, "echo waited", "queued") if holds else None
        node.set(clock_s=by)
        tell(word)
        until(lambda: node.node().get("running") == 0 and
              node.node().get("queued") == 0, "the end of both")
        step = node.node().get("clock_stepped", {})
        result(name + ": status says it", abs(step.get("to", 0) - step.get(
            "from", 0) - by) < 3 and step.get("ago", 99) < 60, str(step))
        node.set()
        whole(node, name + ": the job that ran goes on", runs, "a\nover\n")
        if holds:
            whole(node, name + ": the one that waited runs once", waits,
                  "waited\n")
        rc, last, s = node.run_job("echo after")
        result(name + ": and set right, jobs run", rc == 0 and
               node.output(s) == "after\n", "%s %s" % (rc, s))
        result(name + ": no program fell", node.pids() == pids,
               "%s %s" % (pids, node.pids()))
    rc, out, err = node.warren("audit", "tail", "-n", "300", "--json")
    told = [x for x in out.splitlines() if '"clock_stepped"' in x]
    result("clock set: each step is in the trail and in the log", len(told) ==
           6 and node.said().count("clock: stepped from ") >= 6,
           "%d %s" % (len(told), err))


def weather():
    node = Weathered(build, "weather")
    try:
        if not node.made or not node.up():
            result("weather: start", False, "%s %s" % (
                node.problem, node.said()[-1500:]))
            return
        readonly(node)
        full(node)
        clock(node)
    finally:
        if lib.failed:
            sys.stderr.write(node.said()[-5000:])
        node.remove()


if os.geteuid() != 0:
    skip("weather", "mounts need root")
elif shutil.which("cc") is None:
    skip("weather", "no compiler")
else:
    weather()
done()
