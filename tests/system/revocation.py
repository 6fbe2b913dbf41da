# SPDX-License-Identifier: BSD-2-Clause
"""A board's list arrives while a job runs: what happens, and how soon. The
level of the submitter comes from a trust graph alone. With REVOCATION_LONG set,
while fifty jobs run, and audit and egress stand still or are gone."""
import json
import os
import re
import signal
import sys
import time

from lib import USER, done, result, skip, until
from libjob import IMAGE
from libruled import Held, Ruled, pids_of, processes

build = sys.argv[1]


def arrives(node, mode):
    """The submitter is revoked while his job runs."""
    name = mode + " revocation: "
    word = "%d.5" % (100000 + os.getpid())
    rc, out, err = node.warren("status")
    result(name + "status shows both documents, and that they are fresh",
           rc == 0 and len(re.findall(
               r"board\.test/\S+ version \d+, \d+ entries, fresh for", out))
           == 2, out)
    rc, last, s = node.run_job("true")
    result(name + "the graph alone lets him in", rc == 0,
           "%s %s %s" % (rc, last, s))
    s = node.submit(node.job_file("sleep " + word))
    if not s.reached("running") or \
            not until(lambda: processes(word) == 1, "the job's process"):
        result(name + "a job runs", False, str(s))
        return
    job = s.id()
    node.revoke(node.me["urn"], "--reason", "behavior_violation")
    begin = node.hup()
    gone = until(lambda: processes(word) == 0, "the job's end", step=.005)
    took = time.monotonic() - begin
    result(name + "its process is gone within 1 s of the signal",
           gone and took < 1, "%.3f s" % took)
    print("# killed %.3f s after SIGHUP" % took)
    until(lambda: "ended killed reason=revoked" in node.said(),
          "a word about it")
    s.process.kill()
    s.end()
    shown = node.here(job)
    result(name + "killed, revoked", "revoked" in shown.get("outcome", []),
           json.dumps(shown))
    result(name + "there is a receipt", shown.get("receipt"),
           json.dumps(shown))
    trail = until(lambda: '"revoked"' in node.trail() and node.trail(),
                  "a line of the trail")
    result(name + "the trail has it", trail and re.search(
        r'"kind": ?"revoked"', trail) and re.search(
            r'"code": ?"revoked"', trail), str(trail)[-1500:])
    # a link of his own: closed as soon as it is known whose it is
    t = node.submit(node.job_file("true"))
    drops = until(lambda: dropped(node), "a drop of transport's", 20)
    result(name + "he has no link any more", drops and t.state() is None,
           "%s %s" % (node.status(), t))
    said = until(lambda: [e for e in list(t.events)
                          if e["event"] == "link" and e.get("closed")],
                 "a word of why it waits", 20)
    result(name + "he is told why he waits", said and not said[0]["up"] and
           "revoked" in said[0]["why"] and "closes each link" in t.stderr(),
           t)
    t.process.kill()
    t.end()


def buried(node, mode):
    """His job's image is revoked: the job dies, and then its files go."""
    name = mode + " revoked image: "
    word = "%d.7" % (100000 + os.getpid())
    rc, out, err = node.warren("image", "list", "--json")
    digest = json.loads(out)["images"][0]["digest"].split(":")[1]
    roots = os.path.join(node.dir, "warren/images/roots")
    meta = os.path.join(node.dir, "warren/images/meta")
    s = node.submit(node.job_file("sleep " + word))
    if not s.reached("running") or \
            not until(lambda: processes(word) == 1, "the job's process"):
        result(name + "a job runs", False, str(s))
        return
    node.revoke(digest, "--kind", "artifact", "--reason", "policy")
    node.hup()
    gone = until(lambda: processes(word) == 0, "the job's end", step=.005)
    rc, last = s.end()
    shown = node.here(s.id())
    result(name + "its job dies", gone and rc == 5 and
           "revoked" in shown.get("outcome", []), "%s %s" % (rc, shown))
    away = until(lambda: not os.path.exists(os.path.join(roots, digest)),
                 "the end of its files", 60)
    result(name + "its files leave the disk", away, str(os.listdir(roots)))
    swept = until(lambda: not [n for n in os.listdir(os.path.dirname(roots))
                               if n.startswith("tmp-")], "the sweep", 60)
    tomb = os.path.join(meta, digest + ".gone")
    text = ""
    if os.path.exists(tomb):
        with open(tomb) as f:
            text = f.read()
    result(name + "a tombstone says why, and nothing else is left",
           text == "it is revoked (policy)\n" and
           [n for n in os.listdir(meta) if n.startswith(digest)] ==
           [digest + ".gone"] and swept,
           "%r %s" % (text, os.listdir(meta)))
    said = until(lambda: [x for x in node.trail().splitlines()
                          if digest in x and "its files were removed" in x],
                 "a line of the trail")
    result(name + "the trail has it once", said and len(said) == 1, said)
    rc, last, s = node.run_job("true")
    result(name + "a job that names it is refused: revoked", rc == 3 and
           "revoked" in str(s), "%s %s" % (rc, s))
    rc, out, err = node.warren("image", "list")
    result(name + "the list of images says that it was removed",
           rc == 0 and re.search(IMAGE + r" .* removed$", out, re.M), out)
    root = os.path.join(node.work, "rootfs")
    rc, out, err = node.warren("image", "import", root, "--name", "other:1")
    result(name + "an import of it is refused by name", rc == 1 and
           digest in err and "it is revoked (policy)" in err,
           "%s %s %s" % (rc, out, err))
    # what lists do not name is another image, under the old name too
    os.mkdir(os.path.join(root, "new"), 0o755)
    rc, out, err = node.warren("image", "import", root, "--name", IMAGE)
    ran, last, s = node.run_job("true")
    result(name + "another image runs under its name", rc == 0 and ran == 0,
           "%s %s %s" % (err, ran, s))
    rc, out, err = node.warren("audit", "check")
    result(name + "nobody misses it", rc == 0, out + err)


def dropped(node):
    """What transport has refused of identities that it is to drop."""
    text = json.dumps(node.status())
    found = re.search(r'"[^"]*blackhol[^"]*": ?(\d+)', text)
    return int(found.group(1)) if found else 0


def crowd(mode, user, many, how):
    """Many jobs at once, while those who write and fetch do nothing."""
    name = "%s revocation of %d jobs, audit and egress %s: " % (mode, many, how)
    word = "%d.9" % (100000 + os.getpid())
    node = Ruled(build, "crowd-" + mode, user, more="limits: {jobs_running: %d, memory: 4GB}\n"
                 "quotas: {jobs_queued: %d, jobs_per_hour: 1000}\n"
                 "klp: {gateways: ['https://192.0.2.1/klp']}\n" % (many, many))
    stopped, held = [], None
    try:
        node.found()
        if not node.up():
            result(name + "begins", False, "%s %s" % (node.problem, node.said()[-3000:]))
            return
        jobs = [node.submit(node.job_file("sleep " + word, limits={"cpu": 0.02, "memory": "16MB", "time": "500s"}),
                            timeout="500s") for _ in range(many)]
        all_ = until(lambda: processes(word) == many, "all jobs", 300)
        result(name + "all run", all_, "%d; %s" % (processes(word), jobs[-1]))
        pids = [node.pids()[n] for n in ("audit", "egress")]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP if how == "stand still" else signal.SIGKILL)
        stopped = pids if how == "stand still" else []
        node.revoke(node.me["urn"], "--reason", "key_compromise")
        held = Held(pids_of(word))
        begin = node.hup()
        gone = held.gone(60)
        took = time.monotonic() - begin
        result(name + "all are gone within 1 s of the signal", gone and took < 1, "%.3f s, %d left" % (
            took, processes(word)))
        print("# %d jobs killed %.3f s after SIGHUP" % (many, took))
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        stopped = []
        said = until(lambda: node.trail().count("killed reason=revoked") >= many or
                     sum('"revoked"' in x and '"job_exited"' in x for x in node.trail().splitlines()) >= many,
                     "the trail's lines", 60)
        result(name + "each end is in the trail", said, node.trail()[-1500:])
    finally:
        if held is not None:
            held.close()
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        node.remove()


def stale(node, mode):
    """The list gets old: no new job of somebody at +2."""
    name = mode + " revocation: "
    node.say("revoke", "f" * 32, "--kind", "rns", "--list",
             node.at("revoked.json"), "-k", node.at("key"), "--expires",
             "2s")
    node.publish("revoked.json")
    node.hup()
    ok = until(lambda: "revocation_list: has expired" in node.said(),
               "the end of the list")
    rc, last, s = node.run_job("true")
    result(name + "an expired list takes no new job of +2", ok and rc == 3 and
           "expired" in str(s), "%s %s %s" % (rc, last, s))
    node.revoke("e" * 32, "--kind", "rns", "--reason", "other")
    node.hup()
    until(lambda: "revocation_list: is fresh again" in node.said(),
          "a new list; %s" % node.problem)


def all_of(mode, user):
    node = Ruled(build, "revoke-" + mode, user)
    try:
        node.found()
        if not node.up():
            result(mode + " revocation", False, "%s %s" % (
                node.problem, node.said()[-3000:]))
            return
        if mode == "user":
            stale(node, mode)
        buried(node, mode)
        arrives(node, mode)
    finally:
        node.remove()


if os.geteuid() == 0:
    all_of("root", None)
    all_of("user", USER)
    if "REVOCATION_LONG" in os.environ:
        crowd("root", None, 50, "stand still")
        crowd("root", None, 50, "are killed")
else:
    skip("revocation as root", "not started as root")
    all_of("user", None)
done()
