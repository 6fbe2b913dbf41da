# SPDX-License-Identifier: BSD-2-Clause
"""Everything that a node makes in its folder stands in warren-files(5)."""
import os
import re
import sys

from lib import ALL, HERE, Node, done, result, until

build = sys.argv[1]
page = os.path.join(HERE, "..", "..", "man", "warren-files.5")


def told():
    """The paths that it names: files, and folders (with all in them)."""
    with open(page) as f:
        items = [s[len(".It Pa "):] for s in f if s.startswith(".It Pa ")]
    return [w for s in items for w in re.split(r"[ ,]+", s.strip()) if w]


def stands(path, names):
    return any(path == n or (n.endswith("/") and (path + "/").startswith(n))
               for n in names)


def made(folder):
    """What lies in it; of a folder that has something, that."""
    for top, folders, files in os.walk(folder):
        for n in files + [f for f in folders
                          if not os.listdir(os.path.join(top, f))]:
            yield os.path.relpath(os.path.join(top, n), folder)


node = Node(build, "files")
try:
    if not node.with_compute():
        result("files: a compute node", False, node.said())
        done()
    node.start("-s")
    log = os.path.join(node.dir, "logfile")

    def ready():
        with open(log) as f:
            text = f.read()
        return all(" %s: ready" % n in text for n in ALL)
    until(lambda: os.path.exists(log) and ready(), "all ready")
    node.stop()
    names = told()
    paths = sorted(made(node.dir))
    lack = [p for p in paths if not stands(p, names)]
    result("files: each that a node makes is in warren-files(5)",
           len(names) > 15 and "warren/lock" in paths and not lack, lack)
finally:
    node.remove()
done()
