# SPDX-License-Identifier: BSD-2-Clause
"""Jobs that mean it badly or oddly, through a real node: what ends a job is
its outcome."""
import glob
import os
import signal
import sys
import time

import lib
from lib import USER, done, result, skip, until
from libjob import Burrow

build = sys.argv[1]
OUT = [("out", "/agent/tmp", "rw")]
# never so few that the limit does not kill, never so large that one is whole
CHILDREN = ("echo kept > /agent/tmp/f; i=0; while [ $i -lt 30 ]; do (while :; "
            "do dd if=/dev/zero of=/dev/null bs=8M count=9 2>/dev/null; done) "
            "& i=$((i+1)); done; wait")
# what earlier jobs leave in the groups of a slot
BEFORE = ("i=0; while [ $i -lt 1000 ]; do : > /agent/tmp/n$i; i=$((i+1)); "
          "done; (sleep 60) & head -c 900000 /dev/zero > /tmp/f")


def started(node, name):
    if node.up():
        return True
    result(name, False, "%s %s" % (node.problem, node.said()[-1500:]))
    return False


def kept(s, name="f"):
    try:
        with open(os.path.join(s.folder, "volumes/agent/tmp", name)) as f:
            return f.read()
    except OSError as e:
        return str(e)


def reasons(s):
    """What a job that is done has to say beside its outcome."""
    return [e["reason"] for e in s.events
            if e.get("state") == "done" and e.get("reason")]


def full_memory(mode, node):
    """Many children fill the memory, after others have used the slot."""
    name = mode + " memory full of children"
    if "memory" not in node.layers:
        skip(name, "no control group limits memory here")
        return
    for i in range(3):
        rc, last, s = node.run_job(BEFORE, volumes=OUT)
        result("%s: one before, %d" % (name, i), rc == 0, str(s))
    rc, last, s = node.run_job(CHILDREN, volumes=OUT, limits={
        "time": "2s", "memory": "32MB", "pids": 60})
    result(name + ": killed(memory), with its outputs", rc == 5 and
           last.get("outcome") == ["killed", "memory"] and
           not reasons(s) and kept(s) == "kept\n",
           "%s %s %s" % (rc, kept(s), s))
    result(name + ": its peak is not over its limit", 20000 <
           last.get("usage", {}).get("memory_kb", 0) <= 32768, str(last))
    rc, last, s = node.run_job("echo next > /agent/tmp/f", volumes=OUT)
    result(name + ": and the next one runs", rc == 0 and
           kept(s) == "next\n", str(s))


def many_names(mode, node):
    """A sparse file under many names: 90 GB to pack, and none to keep."""
    name = mode + " a sparse file of many names"
    rc, last, s = node.run_job(
        "cd /agent/tmp; dd if=/dev/zero of=f bs=1 seek=60000000 count=1 "
        "2>/dev/null; i=0; while [ $i -lt 1500 ]; do busybox ln f $i; "
        "i=$((i+1)); done", volumes=OUT, limits={"output": "61MB"})
    result(name + ": killed(output)", rc == 5 and
           last.get("outcome") == ["killed", "output"], str(s))
    begin = time.monotonic()
    rc, last, s = node.run_job("true")
    result(name + ": and its slot is free soon", rc == 0 and
           time.monotonic() - begin < 45, "%.1f s" % (
               time.monotonic() - begin))


def limit_left(mode, node):
    """A jail that falls under a small limit: the next one is not in it."""
    name = mode + " a limit that an earlier jail has left"
    group = glob.glob("/sys/fs/cgroup/memory/**/warren-%s/jobs/slot-1" %
                      node.status()["identity"][:8], recursive=True)
    if not group:
        skip(name, "memory is not limited by control groups of version 1")
        return
    for f in ("limit_in_bytes", "memsw.limit_in_bytes"):
        path = os.path.join(group[0], "memory." + f)
        if os.path.exists(path):
            with open(path, "w") as limit:
                limit.write("1048576")
    ready = node.readies("jail")
    os.kill(node.pids()["jail"], signal.SIGKILL)
    until(lambda: node.readies("jail") > ready, "jail is ready again")
    rc, last, s = node.run_job("true")
    result(name, rc == 0 and "no job can run" not in node.said(), str(s))


def least(mode, node):
    """What can never start is refused, and with the least it does."""
    name = mode + " the least of "
    rw = [("in", "/in", "ro"), ("out", "/out", "rw")]
    for volumes in ([], rw):
        need = (2 << 20) + (256 << 10) * len(volumes)
        for limit, at, below in (("memory", need, (1, need - 1)),
                                 ("output", 1024 if volumes else 1, (1,)),
                                 ("pids", 1, ()), ("time", "1ms", ()),
                                 ("log", 1, ()), ("cpu", 0.001, ())):
            rc, last, s = node.run_job("true", volumes=volumes,
                                       limits={limit: at})
            result("%s%s, %d volumes: starts" % (name, limit, len(volumes)),
                   last.get("state") == "done" and last["outcome"] in (
                       ["exited", 0], ["killed", "time"]), str(s))
            for v in below:
                if v == at:
                    continue
                rc, last, s = node.run_job("true", volumes=volumes,
                                           limits={limit: v})
                result("%s%s, %d volumes: %d is refused" % (
                    name, limit, len(volumes), v), rc == 3 and
                    last.get("code") == "limits" and last.get("step") == 9 and
                    last.get("why", "").startswith(limit), str(s))


def places(mode, node):
    """Whatever is admitted starts; the rest is refused, with its reason."""
    name = mode + " places of volumes: "
    rc, last, s = node.run_job("ls /tmp/in && echo new > /tmp/a/b/f && "
                               "echo x > /tmp/free", volumes=[
                                   ("in", "/tmp/in", "ro"),
                                   ("out", "/tmp/a/b", "rw")])
    result(name + "below /tmp", rc == 0 and os.path.exists(os.path.join(
        s.folder, "volumes/tmp/a/b/f")), str(s))
    for target, why in (
            ("/bin/sh", "/bin/sh: /bin/busybox is a file and no folder in "
             "this image"),
            ("/bin/busybox/x", "/bin/busybox/x: /bin/busybox is a file and no "
             "folder in this image")):
        rc, last, s = node.run_job("true", volumes=[("in", target, "ro")])
        result(name + target + " is refused", rc == 3 and
               last.get("code") == "volume" and last.get("step") == 8 and
               last.get("why") == why, str(s))
    for target in ("/", "/dev/shm", "/proc/x", "/sys"):
        rc, last, s = node.run_job("true", volumes=[("in", target, "ro")])
        result(name + target + " is a mistake of the file", rc == 2,
               str(s))


def all_of(mode, user):
    node = Burrow(build, "hostile-" + mode, user,
                  more="limits: {jobs_running: 1}\n")
    try:
        if started(node, mode + " hostile jobs"):
            full_memory(mode, node)
            places(mode, node)
            if mode == "root":
                many_names(mode, node)
            least(mode, node)
            result(mode + " hostile jobs: jail has never fallen",
                   node.restarts().get("jail") == 0, str(node.restarts()))
            if mode == "root":
                limit_left(mode, node)
    finally:
        if lib.failed:
            sys.stderr.write(node.said()[-5000:])
        node.remove()


if os.geteuid() == 0:
    all_of("root", None)
    all_of("user", USER)
else:
    all_of("user", None)
done()
