# SPDX-License-Identifier: BSD-2-Clause
"""Each act by which a node changes its disk, from a job's submission to its
result, fails once, or from there on for two seconds: no program falls, the job
has an end that its submitter is told, with a receipt or a reason, and runs once
at most; the next one runs, and the trail is whole. For ./check long."""
import errno
import os
import shutil
import sys
import threading

import lib
from lib import done, quiet, result, skip, until
from libweather import Weathered

build = sys.argv[1]
LANES = 6  # they wait for what a busy node says, for most of the time
MOST = 200  # more acts than there are
AWAY_S = 2
PATIENCE_S = 200


def submitted(node, text):
    path = node.job_file("cat /in/f; echo err >&2; cat /in/f > /agent/tmp/f",
                         volumes=[("in", "/in", "ro"),
                                  ("out", "/agent/tmp", "rw")])
    with open(os.path.join(os.path.dirname(path), "in/f"), "w") as f:
        f.write(text)
    return node.submit(path, timeout="180s")


def reasons(s):
    return [e["reason"] for e in s.events if e.get("reason")]


def told(node, s, rc, last, text):
    """What is wrong with an end; None: nothing."""
    if rc == 3 and last.get("code") == "not_accepting":
        # nobody else may have it
        shown = node.show(s.id()) if s.id() else {}
        return None if "not_found" in str(shown) or \
            "no such job" in str(shown) or not s.id() else \
            "refused, and there: %s" % shown
    if last.get("event") != "end" or not last.get("verified"):
        return "no end"
    if last["attempts"] != 1 or node.started(s.id()) > 1:
        return "more than once"
    if last["state"] != "done" or last["outcome"] != ["exited", 0]:
        return "another end"
    said = node.output(s)
    kept = os.path.join(s.folder, "volumes/agent/tmp/f")
    lost = [r for r in reasons(s) if r.startswith("lost outputs: ")]
    if not os.path.exists(kept):
        return None if lost else "its output is away, and no word of it"
    with open(kept) as f:
        if f.read() != text:
            return "another output"
    # what no file took is counted
    if said not in (text, "") or said == "" and not last["log"][2]:
        return "logs: %r %s" % (said, last["log"])
    return None


class Lane:
    """A node, and every LANES-th act of its jobs from `first` on."""

    def __init__(self, how, error, first):
        self.how, self.error, self.first = how, error, first
        self.bad, self.acts = [], 0
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        node = Weathered(build, "faults-%s-%d" % (self.how, self.first))
        try:
            if not node.made or not node.up():
                self.bad.append((node.problem, node.said()[-1000:]))
                return
            submitted(node, "first").end()
            for nth in range(self.first, MOST, LANES):
                if not self.one(node, nth):
                    break
            rc, out, err = node.warren("audit", "verify")
            if rc not in (0, 6) or "the chain is whole" not in out:
                self.bad.append(("the trail", rc, out, err))
        except Exception as e:  # of the thread
            self.bad.append(repr(e))
        finally:
            if self.bad:
                sys.stderr.write(node.said()[-3000:])
            node.remove()

    def one(self, node, nth):
        text = "%s %d" % (self.how, nth)
        pids = node.pids()
        once = self.how == "once"
        node.fault(self.error, nth, 1 if once else 1 << 62)
        s = submitted(node, text)
        if not once:
            until(lambda: node.acts()[0] > 0 or s.process.poll() is not None,
                  "the first that fails", 20)
            quiet(AWAY_S, "the disk is as it is")
            failed = node.acts()
            node.set()
        rc, last = s.end(PATIENCE_S)
        if once:
            failed = node.acts()
            node.set()
        if failed[0] == 0:
            return False
        self.acts += 1
        wrong = told(node, s, rc, last, text)
        if wrong:
            self.bad.append((nth, failed, wrong, rc, last, s.stderr()[-300:]))
        if node.pids() != pids:
            self.bad.append((nth, failed, "a program fell", pids,
                             node.pids()))
        # who was refused once is refused while the node looks again
        until(lambda: node.node().get("accepting"), "jobs are taken", 60)
        s = submitted(node, "next")
        rc, last = s.end(PATIENCE_S)
        if rc != 0 or node.output(s) != "next":
            self.bad.append((nth, failed, "the next", str(s)))
        return True


def sweep(how, error):
    lanes = [Lane(how, error, n) for n in range(LANES)]
    for x in lanes:
        x.thread.join()
    bad = [b for x in lanes for b in x.bad]
    acts = sum(x.acts for x in lanes)
    result("%s at each of %d acts, %s" % (errno.errorcode[error], acts, how),
           not bad and acts > 40, "%d: %s" % (len(bad), bad[:3]))


if os.geteuid() != 0:
    skip("faults", "mounts need root")
elif shutil.which("cc") is None:
    skip("faults", "no compiler")
elif "LONG" not in os.environ:
    skip("faults", "a part of ./check long")
else:
    for e in (errno.ENOSPC, errno.EIO):
        sweep("once", e)
        sweep("for %d s" % AWAY_S, e)
done()
