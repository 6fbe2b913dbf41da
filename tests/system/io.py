# SPDX-License-Identifier: BSD-2-Clause
"""Limits of the disk: a job reads past the cache no faster than the node's
ceiling, the receipt names the layer; where no group bounds it, it is said."""
import os
import shutil
import sys

from lib import done, result, skip
from libjob import Burrow

build = sys.argv[1]
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
        result("what cannot be bounded is said, and not named", not named,
               str(last))
        return
    result("the receipt names the layer", named, str(s))
    if "cannot" in node.output(s):
        skip("two megabytes at one a second", "no reading past the cache here")
        return
    ms = last.get("usage", {}).get("wall_ms", 0)
    result("two megabytes at one a second", rc == 0 and ms >= 1500, str(s))


def root():
    before = groups()
    node = Burrow(build, "io", more="limits: {io_read: 1MB, io_write: 10MB}\n")
    try:
        if not node.up():
            result("io", False, "%s %s" % (node.problem, node.said()))
            return
        disk(node)
    finally:
        node.stop()
        node.remove()
    left = groups() - before
    result("no group is left", not left, str(left))


def groups():
    """Of nodes, beside our own in blkio."""
    try:
        return {n for n in os.listdir("/sys/fs/cgroup/blkio")
                if n.startswith("warren-")}
    except OSError:
        return set()


if os.geteuid() != 0:
    skip("io", "root alone has such groups")
elif shutil.which("busybox") is None:
    skip("io", "busybox is not installed")
else:
    root()
done()
