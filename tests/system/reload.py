# SPDX-License-Identifier: BSD-2-Clause
"""SIGHUP while the node runs: whom it trusts is taken over, and the next
request is judged by it; a bad file changes nothing; nobody is started anew."""
import os
import re
import signal
import sys

from lib import USER, done, result, skip, until
from libjob import Burrow

build = sys.argv[1]


def read(node):
    with open(os.path.join(node.dir, "node.yaml")) as f:
        return f.read()


def reload(node, text):
    """Write node.yaml, SIGHUP; what was said until it was read (or not)."""
    before = len(node.said())
    node.write("node.yaml", text)
    node.process.send_signal(signal.SIGHUP)
    until(lambda: re.search("next start|nothing was changed",
                            node.said()[before:]), "a word about the file")
    return node.said()[before:]


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
        said = reload(node, low)
        rc, why = verdict(node)
        result(name + ": a pin that was lowered refuses the next job",
               rc == 3 and "level" in why, "%s %s %s" % (rc, why, said))
        result(name + ": what waits for a start is said",
               "next start" in said, said)
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
        same = node.pids()
        result(name + ": nobody else was started anew", all(
            same.get(n) == p for n, p in pids.items()
            if n not in ("trust", "node")), "%s %s" % (pids, same))
    finally:
        node.remove()


if os.geteuid() == 0:
    pins("root", None)
    pins("user", USER)
else:
    skip("reload as root", "not started as root")
    pins("user", None)
done()
