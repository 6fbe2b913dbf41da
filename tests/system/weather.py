# SPDX-License-Identifier: BSD-2-Clause
"""A disk that becomes read-only under a running node and is mended, and a clock
that is set, with the real programs: no accepted job is forgotten or runs twice,
refusals have a code and a reason, and the node goes on by itself. The disk is
one by weather.c: the kernel remounts none on which files are open."""
import glob
import json
import mmap
import os
import shutil
import struct
import subprocess
import sys

import lib
from lib import done, result, skip, until
from libjob import Burrow, free_port, server
from libwire import Traffic

build = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))
# the folder on a disk of its own, and what stands between all programs and
# their C library
AROUND = ("mkdir -m 700 $1.new && mount -t tmpfs -o mode=700 none $1.new && "
          "cp -a $1/. $1.new/ && mount --move $1.new $1 && "
          "mount -t overlay -o lowerdir=$2:/etc none /etc && "
          "shift 2 && exec \"$@\"")


class Weathered(Burrow):
    """A Burrow in weather of its own."""

    def __init__(self, name):
        self.apart = False
        self.near, self.far = free_port(), free_port()
        super().__init__(build, name, None, server("near", self.near) +
                         server("far", self.far), relay=True,
                         more="limits: {jobs_running: 1}\n")
        self.etc = os.path.join(self.top, "etc")
        os.mkdir(self.etc)
        page = os.path.join(self.top, "weather")
        with open(page, "wb") as f:
            f.write(b"\0" * 4096)
        with open(page, "r+b") as f:
            self.page = mmap.mmap(f.fileno(), 4096)
        self.made = subprocess.run(
            ["cc", "-O1", "-shared", "-fPIC", "-DWEATHER=\"%s\"" % page, "-o",
             page + ".so", os.path.join(HERE, "weather.c")],
            stdin=subprocess.DEVNULL).returncode == 0
        with open(os.path.join(self.etc, "ld.so.preload"), "w") as f:
            f.write(page + ".so\n")
        self.apart = True

    def command(self, *more):
        plain = super().command(*more)
        if not self.apart or more:
            return plain
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                AROUND, "sh", self.dir, self.etc, *plain]

    def argv(self, *words):
        plain = super().argv(*words)
        if self.process is None:
            return plain
        return ["nsenter", "--mount", "--target", str(self.process.pid),
                *plain]

    def inside(self, *path):
        return os.path.join("/proc/%d/root" % self.process.pid,
                            self.dir.lstrip("/"), *path)

    def set(self, readonly=False, clock_s=0):
        dev = os.stat(self.inside()).st_dev if readonly else 0
        self.page[:16] = struct.pack("Qq", dev, clock_s)

    def node(self):
        return self.status().get("node", {})

    def started(self, job):
        """How often it was started, as the trail has it."""
        count = 0
        for path in glob.glob(self.inside("warren/trail/*.jsonl")):
            with open(path, errors="replace") as f:
                count += sum('"job_started"' in x and job in x for x in f)
        return count


def accepted(node, command, state):
    """A job that nobody waits for, in that state; its id."""
    sub = node.submit(node.job_file(command), "--detach")
    sub.end()
    until(lambda: node.show(sub.id()).get("state") == state, state, 20)
    return sub.id()


def whole(node, name, job, text):
    """It has one end, and all that it said."""
    until(lambda: node.show(job).get("state") not in ("running", "queued"),
          "the end of a job")
    shown, folder = node.show(job), os.path.join(node.work, job)
    rc, out, err = node.warren("result", job, "--to", node.who["destination"],
                               "--identity", node.person, "--out", folder)
    with open(os.path.join(folder, "stdout")) as f:
        said = f.read()
    result(name, rc == 0 and shown.get("attempts") == 1 and said == text and
           shown.get("outcome") == ["exited", 0] and node.started(job) <= 1,
           "%s %s %s %s" % (rc, shown, said, err))


def readonly(node):
    name = "read-only disk"
    pids = node.pids()
    runs = accepted(node, "echo a; sleep 1.5; echo through", "running")
    waits = accepted(node, "echo waited", "queued")
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
    until(lambda: node.node().get("running") == 0, "the end of the job", 10)
    result(name + ": no program fell", node.pids() == pids,
           "%s %s" % (pids, node.pids()))
    node.set()
    until(lambda: node.node().get("accepting"), "jobs are taken again")
    whole(node, name + ": the job that ran has its end once", runs,
          "a\nthrough\n")
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


def clock(node):
    for text, by in (("half a day on", 43200), ("a day back", -86400)):
        name = "clock set " + text
        pids = node.pids()
        runs = accepted(node, "echo a; sleep 1; echo through", "running")
        waits = accepted(node, "echo waited", "queued")
        node.set(clock_s=by)
        until(lambda: node.node().get("running") == 0 and
              node.node().get("queued") == 0, "the end of both")
        node.set()
        whole(node, name + ": the job that ran goes on", runs, "a\nthrough\n")
        whole(node, name + ": the one that waited runs once", waits,
              "waited\n")
        rc, last, s = node.run_job("echo after")
        result(name + ": and set right, jobs run", rc == 0 and
               node.output(s) == "after\n", "%s %s" % (rc, s))
        result(name + ": no program fell", node.pids() == pids,
               "%s %s" % (pids, node.pids()))


def weather():
    node = Weathered("weather")
    try:
        if not node.made or not node.up():
            result("weather: start", False, "%s %s" % (
                node.problem, node.said()[-1500:]))
            return
        readonly(node)
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
