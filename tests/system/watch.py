# SPDX-License-Identifier: BSD-2-Clause
"""Jobs under the probes in the kernel, through a real node: what breaks a rule
stands in the trail, ends or freezes the job as the rule says and stands in its
receipt; what only looks like it is quiet. Without probes a node says so."""
import os
import signal
import sys

import lib
from lib import USER, done, result, skip, until
from libjob import Burrow, tell, until_told
from libtrail import each_once, receipt, trail

build = sys.argv[1]
BURST = """- rule: cpu_burst
  condition: cpu.burst >= 1
"""
RULES = """- rule: write_boot
  action: kill
- rule: nowhere
  desc: a place that nobody writes to but this test
  condition: evt.is_write and fd.name startswith /nowhere/
  action: freeze
""" + BURST
QUIET = ("echo x > /agent/tmp/f; cat /proc/self/status > /dev/null; "
         "echo y > /tmp/boot; ls /dev /proc > /dev/null; "
         "i=0; while [ $i -lt 40 ]; do /bin/true; i=$((i+1)); done")
# what each breaks; none of them ends a job as the house has it
BREAKS = [
    ("write_proc", "echo 1 > /proc/sys/kernel/core_pattern"),
    ("write_proc", "cd /proc; echo 1 > sysrq-trigger"),
    ("write_proc", "exec 3<>/proc/self/mem"),
    ("write_dev", "echo 1 > /dev/kmsg"),
    ("write_dev", "cd /dev; echo 1 > sda"),
    ("write_proc", "ln -s /proc/sysrq-trigger /tmp/t; echo b > /tmp/t"),
    ("write_proc", "ln -s / /tmp/r; mkdir /tmp/r/proc/x"),
    ("fork_refused", "i=0; while [ $i -lt 40 ]; do sleep 9 & i=$((i+1)); "
     "done"),
    ("out_of_memory", "head -c 150000000 /dev/zero | tail -c 140000000 "
     "> /dev/null"),
]
# what looks like it: links, names, processes, memory and time within bounds
QUIETER = ("ln -s /proc/self/status /tmp/s; cat /tmp/s > /dev/null; "
           "ln -s /dev/null /tmp/n; echo x > /tmp/n; mkdir -p /tmp/boot/dev; "
           "i=0; while [ $i -lt 9 ]; do sleep 1 & "
           "i=$((i+1)); done; head -c 9000000 /dev/zero | tail -c 9000000 "
           "> /dev/null; i=0; while [ $i -lt 9 ]; do sleep 0.2; "
           "i=$((i+1)); done; wait")
OUT = [("out", "/agent/tmp", "rw")]


def rules(node, job):
    return sorted({code for kind, code, _, _ in trail(node, job)
                   if kind == "rule"})


def quiet_job(node):
    rc, last, s = node.run_job(QUIET, volumes=OUT)
    r = receipt(node, s)
    result("quiet: ends well, and was watched", rc == 0 and
           "bpf" in r.get("layers", []), "%s %s %s" % (rc, r, s))
    said = trail(node, s.id())
    result("quiet: breaks nothing", not rules(node, s.id()), str(said))
    result("quiet: what it ran stands in the trail",
           any(k == "job_process" and "/bin/busybox" in t
               for k, _, t, _ in said), str(said))
    sums = [k for kind, _, _, k in said if kind == "job_watched"]
    result("quiet: and their number, none lost", len(sums) == 1 and
           sums[0].get("a", 0) > 80 and sums[0].get("b", 0) == 0, str(sums))


def breaking(node):
    for rule, command in BREAKS:
        rc, last, s = node.run_job(command + "; true")
        # a slow machine has it busy for a second as well
        found = [r for r in rules(node, s.id()) if r != "cpu_burst"]
        result("hostile: %s" % command, found == [rule],
               "%s %s" % (found, s))
    rc, last, s = node.run_job(QUIETER)
    result("quiet: beside them", rc == 0 and not rules(node, s.id()),
           "%s %s %s" % (rc, rules(node, s.id()), s))


def bursting(node):
    """So small a share that a busy machine has it as well."""
    s = node.submit(node.job_file("while :; do :; done",
                                  limits={"cpu": 0.02}))
    s.reached("running")
    until(lambda: rules(node, s.id()), "a burst", 40)
    result("hostile: all of its processor time",
           rules(node, s.id()) == ["cpu_burst"],
           "%s %s" % (rules(node, s.id()), s))
    node.warren("cancel", s.id())
    s.end()


def killed(node):
    rc, last, s = node.run_job("mkdir /boot; echo x > /boot/x; sleep 50")
    result("kill: its outcome names the rule", rc == 5 and
           last.get("outcome") == ["killed", "violation:write_boot"],
           "%s %s" % (rc, s))
    took = [k.get("b") for kind, code, _, k in trail(node, s.id())
            if kind == "rule"]
    result("kill: the trail has the rule, and when", took and
           0 < took[0] < 5000000, str(took))
    print("# from act to flag: %s us" % took)
    rc, out, err = node.warren("explain", s.id())
    result("kill: explain names it", "write_boot" in out, out + err)
    r = receipt(node, s)
    result("kill: the receipt has its number", r.get("code") == 6 + 256 * 34 and
           "bpf" in r.get("layers", []), str(r))
    # quicker than the kill, and found out all the same
    rc, last, s = node.run_job("echo x > /boot/x; exit 0")
    result("kill: one that is quicker has broken it too",
           last.get("outcome") == ["killed", "violation:write_boot"],
           "%s %s" % (rc, s))


def frozen(node):
    s = node.submit(node.job_file("echo x > /nowhere/x; sleep 50"), timeout="300s")
    s.reached("running")
    stands = until(lambda: any(
        kind == "job_frozen" and code == "freeze" and "nowhere" in text
        for kind, code, text, _ in trail(node, s.id())),
        "a job that a rule freezes")
    result("freeze: it stands still, and the trail says why", stands,
           str(s.id() and trail(node, s.id())))
    row = [r for r in node.warren("jobs", "--here")[1].splitlines()
           if r.startswith(s.id()[:8])]
    show = node.warren("show", s.id(), "--here")[1]
    result("freeze: jobs and show say that it is frozen", len(row) == 1 and
           " frozen " in row[0] and "running" not in row[0] and
           "state     frozen, running since" in show, "%s %s" % (row, show))
    node.warren("cancel", s.id())
    rc, last = s.end()
    result("freeze: the operator ends it", last.get("outcome") ==
           ["killed", "operator"] or last.get("state") == "done", str(s))


def flooded(node):
    rc, last, s = node.run_job(
        "i=0; while [ $i -lt 400 ]; do /bin/true; i=$((i+1)); done; "
        "i=0; while [ $i -lt 3000 ]; do : > /no/such/$i; i=$((i+1)); done "
        "2>/dev/null; true")
    said = [k for kind, _, _, k in trail(node, s.id())
            if kind == "job_watched"]
    r = receipt(node, s)
    result("flood: what is lost is counted in the trail",
           any(k.get("b", 0) > 0 for k in said), str(said))
    result("flood: and said in the receipt", r.get("watched", {}).get("lost", 0)
           > 0, str(r))


def tier(node):
    """By which probes, and which ones the kernel refused."""
    def said():
        rc, out, err = node.warren("status")
        return [line for line in out.splitlines()
                if line.startswith("watched   by ")]
    until(said, "the tier in the status", 20)
    print("# %s" % said())
    result("tier: status names it", len(said()) == 1,
           node.warren("status")[1])


def audit_falls_under_load(node):
    """No job falls; what happened while audit was away is in the trail."""
    work = "i=0; while [ $i -lt 150 ]; do /bin/true; : > /tmp/f; " \
        "i=$((i+1)); done; " + until_told(node.top + " audit falls thrice")
    jobs = [node.submit(node.job_file(work)) for _ in range(2)]
    for s in jobs:
        s.reached("running")
    for _ in range(3):
        ready = node.readies("audit")
        audit = node.pids()["audit"]
        # what node says of this job lies unread in front of audit
        os.kill(audit, signal.SIGSTOP)
        jobs.append(node.submit(node.job_file("echo over")))
        os.kill(audit, signal.SIGKILL)
        until(lambda: node.readies("audit") > ready, "audit again", 40)
    tell(node.top + " audit falls thrice", len(jobs) - 3)
    ends = [s.end() for s in jobs]
    result("load: audit killed thrice, each job ends as it would",
           all(rc == 0 for rc, _ in ends) and
           all(node.output(s) == "over\n" for s in jobs),
           "\n".join(str(s) for s in jobs))
    whole = {"job_admitted", "job_started", "job_exited", "signed"}

    def told():
        return [whole - {kind for kind, _, _, _ in trail(node, s.id())}
                for s in jobs]
    until(lambda: not any(told()), "the events of all jobs", 20)
    result("load: nothing of node's is missing in the trail",
           not any(told()), str(told()))
    result("load: no receipt says that it was watched all the time",
           not any("bpf" in receipt(node, s).get("layers", ["bpf"])
                   for s in jobs[:2]))
    once, all_of = each_once(node)
    result("load: written, and said to be lost: all that was sent, once",
           once, str(all_of))
    print("# %s" % {n: (len(w), len(l)) for (n, _), (w, l) in all_of.items()})
    rc, out, err = node.warren("audit", "verify")
    result("load: the trail verifies", rc == 0, out + err)


def audit_falls(node):
    s = node.submit(node.job_file(until_told(node.top + " audit falls")))
    s.reached("running")

    def told():
        return len([1 for kind, _, _, _ in trail(node, s.id())
                    if kind == "job_process"])
    until(told, "what it runs", 40)
    ready = node.readies("audit")
    audit = node.pids()["audit"]
    # what it has not read yet is not written by the one that is killed
    os.kill(audit, signal.SIGSTOP)
    before = told()
    os.kill(audit, signal.SIGKILL)
    until(lambda: node.readies("audit") > ready, "audit again", 40)
    again = until(lambda: told() > before, "that it is found again", 40)
    result("audit killed: the job is found, and watched again", again,
           "%d of %s" % (told(), before))
    tell(node.top + " audit falls")
    rc, last = s.end()
    r = receipt(node, s)
    result("audit killed: the job ends as it would", rc == 0 and
           node.output(s) == "over\n", "%s %s" % (rc, s))
    result("audit killed: its receipt does not say that it was watched",
           "bpf" not in r.get("layers", ["bpf"]), str(r))
    sums = [t for kind, _, t, _ in trail(node, s.id())
            if kind == "job_watched"]
    result("audit killed: the sum says from when on it counts",
           len(sums) == 1 and sums[0].startswith("since it was found"),
           str(sums))
    rc, last, s = node.run_job("echo next")
    result("audit killed: the next one is watched", rc == 0 and
           "bpf" in receipt(node, s).get("layers", []), str(s))


# By counters alone: what is told, and "" where nobody sees it.
COUNTED = [
    ("", "exec 3<>/proc/self/mem; true"),
    ("", "echo 1 > /proc/sys/kernel/core_pattern; true"),
    ("fork_refused", BREAKS[-2][1] + "; true"),
    ("out_of_memory", BREAKS[-1][1] + "; true"),
    ("forbidden_call", "kill -SYS $$"),
    ("", "kill -TERM $$"),
]


def counted(user):
    """The lowest tier, asked for: what it sees is told as the others tell it,
    and what it does not see is named where people look for it."""
    node = Burrow(build, "watch-counted", user)
    try:
        with open(os.path.join(node.dir, "node.yaml")) as f:
            text = f.read()
        node.write("node.yaml", text + "probes: counters\n")
        node.write("rules.yaml", BURST)
        if not node.up():
            result("counters", False, "%s %s" % (node.problem, node.said()))
            return
        by = until(lambda: [line for line in
                            node.warren("status")[1].splitlines()
                            if line.startswith("watched ")],
                   "how jobs are watched", 20)
        rc, status, err = node.warren("status")
        result("counters: status names them, and what they do not see",
               by and "by counters" in by[0] and "not seen: write_proc "
               "write_dev write_boot" in by[0] and "missing" in status and
               "bpf: node.yaml says" in status, status + err)
        limits = "fork_refused" not in by[0] and "out_of_memory" not in by[0]
        for rule, command in COUNTED:
            if rule in ("fork_refused", "out_of_memory") and not limits:
                skip("counters: " + rule, "no such limit here")
                continue
            rc, last, s = node.run_job(command)
            found = [r for r in rules(node, s.id()) if r != "cpu_burst"]
            result("counters: %s" % command, found ==
                   ([rule] if rule else []), "%s %s" % (found, s))
            sums = [t for kind, _, t, _ in trail(node, s.id())
                    if kind == "job_watched"]
            result("counters: and its sum says by what", len(sums) == 1 and
                   "by counters alone" in sums[0], str(sums))
            r = receipt(node, s)
            result("counters: no receipt says that it was watched",
                   "bpf" not in r.get("layers", ["bpf"]), str(r))
        if "cpu_burst" not in by[0]:
            bursting(node)
    finally:
        node.stop()
        node.remove()


def required(user):
    """A node that must watch and cannot takes no job, and says why."""
    node = Burrow(build, "watch-user", user)
    with open(os.path.join(node.dir, "node.yaml")) as f:
        text = f.read()
    if "require_layers: [" in text:
        text = text.replace("require_layers: [", "require_layers: [bpf, ")
    else:
        text += "require_layers: [user, pid, bpf]\n"
    try:
        node.write("node.yaml", text)
        if not node.up():
            result("required", False, "%s %s" % (node.problem, node.said()))
            return
        rc, last, s = node.run_job("true")
        result("required: refused, and the layer is named",
               rc == 3 and "bpf" in str(s), "%s %s" % (rc, s))
    finally:
        node.stop()
        node.remove()


def reloaded(node):
    """That rules have changed is said, and that they have not is not."""
    node.write("rules.yaml", RULES + "- rule: cpu_burst\n  enabled: false\n")
    rc, out, err = node.warren("reload")
    again = node.warren("reload")[1]
    node.write("rules.yaml", RULES)
    back = node.warren("reload")[1]
    result("changed rules are said at a reload", rc == 0 and
           "rules.yaml: " in out and "rules.yaml" not in again and
           "rules.yaml: " in back, out + err + again + back)


def root():
    node = Burrow(build, "watch")
    try:
        node.write("rules.yaml", RULES)
        if not node.up():
            result("watch", False, "%s %s" % (node.problem, node.said()))
            return
        if "no job is watched" in node.said():
            skip("watch", node.said().split("counters alone: ")[1]
                 .split("\n")[0])
            return
        tier(node)
        reloaded(node)
        quiet_job(node)
        breaking(node)
        bursting(node)
        killed(node)
        frozen(node)
        flooded(node)
        audit_falls(node)
        audit_falls_under_load(node)
    finally:
        node.stop()
        node.remove()


if os.getuid() == 0:
    root()
    required(USER)
    counted(None)
    counted(USER)
else:
    required(None)
    counted(None)
done()
