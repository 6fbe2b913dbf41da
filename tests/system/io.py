# SPDX-License-Identifier: BSD-2-Clause
"""Limits of the disk: a job reads past the cache no faster than the node's
ceiling, the receipt names the layer; where no group bounds it, it is said."""
import glob
import os
import shutil
import sys

from lib import done, result, skip, until
from libjob import Burrow

build = sys.argv[1]
LIMITS = "limits: {io_read: 1MB, io_write: 10MB}\n"
SIZE = 2 << 20
READ = ("dd if=/in/data of=/dev/null bs=64k iflag=direct 2>/dev/null || "
        "echo cannot")


def disk(node):
    path = node.job_file(READ, volumes=[("in", "/in", "ro")])
    with open(os.path.join(os.path.dirname(path), "in/data"), "wb") as f:
        f.write(os.urandom(SIZE))
    s = node.submit(path)
    rc, last = s.end(60)
    named = "io" in last.get("layers", [])
    if "hold nothing" in node.said():
        if named:
            result("what cannot be bounded is not named", False, str(last))
        else:
            skip("two megabytes at one a second", "no group of ours has io "
                 "here, or no disk: it is said, and not named")
        return
    result("the receipt names the layer", named, str(s))
    if "cannot" in node.output(s):
        skip("two megabytes at one a second", "no reading past the cache here")
        return
    ms = last.get("usage", {}).get("wall_ms", 0)
    result("two megabytes at one a second", rc == 0 and ms >= 1500, str(s))


def own(node):
    """A job's own bound, below the node's: of version 2 alone; elsewhere it is
    not promised, whatever bounds all of them."""
    s = node.submit(node.job_file("echo on", limits={"io_read": "512kB"}))
    rc, last = s.end(60)
    there = "io" in last.get("layers", [])
    below = any("io" in open(p).read().split() for p in glob.glob(
        "/sys/fs/cgroup/**/warren-*/jobs/cgroup.subtree_control",
        recursive=True))
    result("a job's own bound is named where it holds", rc == 0 and
           there == below, "%s %s" % (below, s))
    s = node.submit(node.job_file("echo on", limits={"io_read": "2MB"}))
    rc, last = s.end(60)
    result("a bound above the node's is refused", rc != 0 and
           "io_read" in str(last) + str(s), "%s %s" % (last, s))


def bounds(node):
    """What is set on the groups of version 1 that jail is in, or above it."""
    with open("/proc/%d/cgroup" % node.pids()["jail"]) as f:
        at = [w.split(":", 2) for w in f.read().splitlines()]
    found = ""
    for _, names, path in at:
        if "blkio" not in names.split(","):
            continue
        while path.strip("/"):
            for what in ("read", "write"):
                name = "blkio.throttle.%s_bps_device" % what
                with open("/sys/fs/cgroup/blkio" + path + "/" + name) as f:
                    found += f.read()
            path = os.path.dirname(path)
    return found


def killed(node):
    """A node that was killed leaves its groups: nothing of them holds then."""
    if "hold nothing" in node.said() or not bounds(node):
        skip("limits of a node that was killed", "none in blkio here")
        return
    were = node.pids().values()
    node.process.kill()
    node.process.wait()
    until(lambda: not any(os.path.exists("/proc/%d" % p) for p in were),
          "the end of its programs")
    path = os.path.join(node.dir, "node.yaml")
    with open(path) as f:
        text = f.read()
    node.write("node.yaml", text.replace(LIMITS, ""))
    node.process = None
    with open(node.log, "w"):
        pass
    node.start()
    result("limits of a node that was killed are gone", node.ready(["jail"])
           and bounds(node) == "", node.said()[-600:])


def root():
    node, name = Burrow(build, "io", more=LIMITS), None
    try:
        if not node.up():
            result("io", False, "%s %s" % (node.problem, node.said()))
            return
        name = "warren-" + node.status()["identity"][:8]
        disk(node)
        own(node)
        killed(node)
    finally:
        node.stop()
        node.remove()
    left = glob.glob("/sys/fs/cgroup/**/" + name, recursive=True)
    result("no group is left", not left, str(left))


if os.geteuid() != 0:
    skip("io", "root alone has such groups")
elif shutil.which("busybox") is None:
    skip("io", "busybox is not installed")
else:
    root()
done()
