# SPDX-License-Identifier: BSD-2-Clause
"""A stranger's path: stock rnsd stops and warrend starts on its folder; a
daemon that ends while a job runs, and starts again, or is killed and starts at
once; programs that are killed while jobs run; the trail with one byte changed;
what the verbs exit with."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import lib
from lib import PATIENCE_S, USER, Node, done, quiet, result, skip, until
from libjob import Burrow, free_port, server
from libwire import Dest, Frames

build = sys.argv[1]
LONG = "%d" % (100000 + os.getpid() % 100000)  # a sleep that nobody else has
VENV = os.path.join(build, "venv-1.5.7/bin/python")


def person(node, *words):
    """A verb of the submitter, over the mesh."""
    return node.warren(*words, "--to", node.who["destination"], "--identity",
                       node.person)


def busy_until(end):
    """For a job: every attempt lasts until then, whenever it begins."""
    return "while [ $(date +%%s) -lt %d ]; do sleep 0.1; done" % end


def started(node, name):
    if node.up():
        return True
    result(name, False, "%s %s" % (node.problem, node.said()[-1500:]))
    return False


def restart_with_jobs(mode, user):
    """SIGTERM while one job runs, one with retries runs, and one waits."""
    name = mode + " end and start"
    node = Burrow(build, "life-" + mode, user,
                  more="limits: {jobs_running: 2}\n")
    try:
        if not started(node, name):
            return
        rc, last, first = node.run_job(
            "echo kept; echo data > /agent/tmp/f",
            volumes=[("out", "/agent/tmp", "rw")])
        result(name + ": a job before", rc == 0, "%s %s" % (rc, first))
        lost = node.submit(node.job_file("echo once; sleep 50"))
        retried = node.submit(node.job_file(
            "echo again; " + busy_until(time.time() + 8), retries=2))
        both = lost.reached("running") and retried.reached("running")
        waiting = node.submit(node.job_file("echo waited"), "--detach")
        rc, _ = waiting.end()
        result(name + ": two run, one waits", both and rc == 0,
               "%s / %s / %s" % (lost, retried, waiting))
        pids = node.pids()
        rc, took = node.stop()
        result(name + ": SIGTERM ends in order within 5 s", rc == 0 and
               took < 5, "status %s after %.1f s" % (rc, took))
        left = [n for n, p in pids.items() if os.path.exists("/proc/%d" % p)]
        result(name + ": no program is left", not left, str(left))
        for s in (lost, retried):
            s.process.terminate()
            s.end()
        with open(node.log, "w"):
            pass
        if not started(node, name + ": again"):
            return
        seen = {}

        def look(s):
            seen[s] = node.show(s.id())
            return seen[s].get("state")
        result(name + ": without retries it is lost", until(
            lambda: look(lost) == "lost", "a job that is lost"),
            str(seen.get(lost)))
        result(name + ": with retries it runs again and ends", until(
            lambda: look(retried) == "done", "the job with retries") and
            seen[retried].get("attempts") == 2, str(seen.get(retried)))
        result(name + ": what was queued runs", until(
            lambda: look(waiting) == "done", "the job that waited"),
            str(seen.get(waiting)))
        for s, said in ((waiting, "waited\n"), (retried, "again\n"),
                        (first, "kept\n")):
            out = os.path.join(node.work, "fetched-" + s.id()[:8])
            rc, _, err = person(node, "result", s.id(), "--out", out)
            try:
                with open(os.path.join(out, "stdout")) as f:
                    text = f.read()
            except OSError as e:
                text = str(e)
            result("%s: result of %s" % (name, said.strip()), rc == 0 and
                   text == said, "%s %s %s" % (rc, err, text))
        rc, _, err = node.warren("receipt", "verify", os.path.join(
            node.work, "fetched-" + first.id()[:8]), "--identity",
            node.person)
        result(name + ": its receipt verifies offline", rc == 0, err)
        trail(mode, node, first.id())
        verbs(mode, node, first, lost)
    finally:
        if lib.failed:
            sys.stderr.write(node.said()[-5000:])
        node.remove()


def trail(mode, node, job):
    name = mode + " trail"
    rc, out, err = node.warren("audit", "verify")
    result(name + " verifies", rc == 0, "%s %s %s" % (rc, out, err))
    key = [x for x in out.split() if x.startswith("pubkey:")][0]
    rc, out, err = node.warren("audit", "verify", "--receipt",
                               os.path.join(node.work, "fetched-" + job[:8]))
    result(name + " has the line of a receipt", rc == 0 and
           "its line is in this trail" in out, out + err)
    until(lambda: all(os.path.exists(os.path.join(
        node.dir, "warren", d, "checkpoint")) for d in ("keys", "trail")),
        "a checkpoint")
    copy = os.path.join(node.top, "copy")
    shutil.copytree(os.path.join(node.dir, "warren/trail"),
                    os.path.join(copy, "warren/trail"))
    shutil.copy(os.path.join(node.dir, "config"), copy)
    os.chmod(copy, 0o700)
    if node.user is not None:
        subprocess.run(["chown", "-R", str(node.user), copy], check=True)

    def verify(*more):
        return node.warren("audit", "verify", "--config", copy, *more,
                           config=False)
    rc, out, err = verify()
    result(name + " without the daemon and its keys: whole, not proven",
           rc == 6 and "nobody vouches" in err, "%s %s" % (rc, out + err))
    rc, out, err = verify("--key", key)
    result(name + " verifies under a key that was given", rc == 0, out + err)
    rc, out, err = verify("--key", key[:-1] + "%x" % (int(key[-1], 16) ^ 1))
    result(name + " does not verify under another key", rc == 1, out + err)
    segment = sorted(glob.glob(os.path.join(copy, "warren/trail/*.jsonl")))[0]
    with open(segment, "rb") as f:
        good = f.read()
    size, missed = len(good), []
    for at in (10, size // 3, size // 2, size - size // 4):
        with open(segment, "wb") as f:
            f.write(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        if verify()[0] != 1:
            missed.append(at)
    result(name + ": one changed byte is found", not missed, str(missed))
    lines = good.splitlines(True)
    with open(segment, "wb") as f:
        f.write(b"".join(lines[:2] + lines[3:]))
    rc, out, err = verify()
    result(name + ": a missing line is found", rc == 1, out + err)


def verbs(mode, node, ended, lost):
    name = mode + " exit status: "
    here = ["--config", node.dir]
    yaml = node.job_file("exit 7")
    broken = node.job_file("true", surprise="1")
    dest = node.who["destination"]
    idd = ["--identity", node.person]
    empty = os.path.join(node.top, "empty")
    os.mkdir(empty, 0o700)
    if node.user is not None:
        os.chown(empty, node.user, node.user)
    for want, argv in [
        (2, []), (2, ["frobnicate"]), (2, ["status", "--nonsense"]),
        (0, ["--help"]), (0, ["status", *here]), (0, ["peers", *here]),
        (0, ["jobs", "--here", *here]),
        (0, ["jobs", "--to", dest, *here, *idd]),
        (0, ["show", ended.id(), "--here", *here]),
        (0, ["show", ended.id(), "--to", dest, *here, *idd]),
        (1, ["show", "00" * 32, "--here", *here]),
        (0, ["logs", ended.id(), "--to", dest, *here, *idd]),
        (0, ["describe", dest, *here, *idd]),
        (0, ["nodes", "--wait", "100ms", *here, *idd]),
        (0, ["image", "list", *here]),
        (0, ["audit", "tail", "-n", "3", *here]),
        (0, ["check-config", *here]),
        (0, ["identity", *here]),
        (5, ["submit", yaml, "--to", dest, "--out",
             os.path.join(node.work, "seven"), *here, *idd]),
        (2, ["submit", broken, "--to", dest, *here, *idd]),
        (2, ["submit", yaml, *here, *idd]),
        (4, ["submit", yaml, "--to", "ab" * 16, "--timeout", "1s", "--out",
             os.path.join(node.work, "x"), *here, *idd]),
        (4, ["describe", dest, "--config", empty, *idd]),
        (4, ["status", "--config", empty]),
        (1, ["receipt", "verify", empty, *idd]),
        (5, ["result", lost.id(), "--to", dest, "--out",
             os.path.join(node.work, "lost"), *here, *idd]),
    ]:
        words = " ".join(w if "/" not in w else os.path.basename(w)
                         for w in argv if not w.startswith("--c"))
        rc, out, err = node.warren(*argv, config=False)
        result("%s%s %s" % (name, want, words[:60] or "(nothing)"),
               rc == want, "%s %s %s" % (rc, out[-300:], err[-300:]))
    rc, out, err = node.warren("submit", broken, "--to", dest, *idd)
    result(mode + " JOB.yaml with an unknown key: file, line, column",
           "job.yaml:4:1" in err and "surprise" in err, err)


def kills_under_a_job(mode, user):
    name = mode + " killed while a job runs: "
    node = Burrow(build, "kill-" + mode, user)
    try:
        if not started(node, name + "start"):
            return

        def strike(who):
            count = node.readies(who)
            os.kill(node.pids()[who], signal.SIGKILL)
            return until(lambda: node.readies(who) > count,
                         who + " is ready again")

        def begun(s, line):
            s.reached("running")
            until(lambda: person(node, "logs", s.id())[1] == line,
                  "the job's first line")

        # node: the job is found again, and ends with a receipt
        marks = [("out", "/agent/tmp", "rw")]
        s = node.submit(node.job_file(
            "echo a; echo $RANDOM > /agent/tmp/f; sleep 3; echo b; exit 4",
            volumes=marks))
        begun(s, "a\n")
        back = strike("node")
        rc, last = s.end()
        result(name + "node: found again, ends with a receipt", back and
               rc == 5 and last.get("outcome") == ["exited", 4] and
               last.get("attempts") == 1 and last.get("verified") is True and
               node.output(s) == "a\nb\n", "%s %s" % (rc, s))

        # node, while the job ends behind its back
        s = node.submit(node.job_file("echo a; sleep 0.4; echo b"))
        s.reached("running")
        strike("node")
        rc, last = s.end()
        result(name + "node: a job that ended meanwhile", rc == 0 and
               node.output(s) == "a\nb\n", "%s %s" % (rc, s))

        # jail: lost, once, and never run twice
        s = node.submit(node.job_file("echo ran; sleep %s" % LONG))
        begun(s, "ran\n")
        strike("jail")
        rc, last = s.end()
        result(name + "jail: lost, once", rc == 5 and
               last.get("state") == "lost" and last.get("attempts") == 1 and
               last.get("verified") is True and
               node.output(s) in ("ran\n", ""), "%s %s" % (rc, s))
        s = node.submit(node.job_file(
            "echo ran; " + busy_until(time.time() + 6), retries=1))
        begun(s, "ran\n")
        strike("jail")
        rc, last = s.end()
        result(name + "jail: with retries a second attempt", rc == 0 and
               last.get("attempts") == 2 and node.output(s) == "ran\n",
               "%s %s" % (rc, s))
        mine = "sleep\0%s\0" % LONG
        result(name + "jail: nothing of a job is left", until(
            lambda: not left_over(mine), "the end of the job's processes"),
            str(left_over(mine)))

        # keys: the receipt waits for it
        for who in ("keys", "audit", "trust", "transport"):
            s = node.submit(node.job_file("echo x; sleep 1.5; echo y"))
            s.reached("running")
            back = strike(who)
            rc, last = s.end()
            result(name + who + ": the job ends with its receipt", back and
                   rc == 0 and last.get("attempts") == 1 and
                   last.get("verified") is True and
                   node.output(s) == "x\ny\n", "%s %s" % (rc, s))
        # stopped, not dead: work waits and goes on
        for who in ("keys", "trust"):
            pid = node.pids()[who]
            os.kill(pid, signal.SIGSTOP)
            s = node.submit(node.job_file("echo z"))
            quiet(1, "who is stopped says nothing, and the job has to wait")
            early = s.process.poll()
            os.kill(pid, signal.SIGKILL)
            rc, last = s.end()
            result(name + who + ": silent and then killed, the job goes on",
                   rc == 0 and node.output(s) == "z\n", "%s %s %s" % (
                       early, rc, s))
        rc, out, err = node.warren("audit", "verify")
        result(name + "the trail still verifies", rc == 0, out + err)
    finally:
        if lib.failed:
            sys.stderr.write(node.said()[-8000:])
        node.remove()


def left_over(cmdline):
    found = []
    for p in os.listdir("/proc"):
        if not p.isdigit():
            continue
        try:
            with open("/proc/%s/cmdline" % p) as f:
                if f.read().endswith(cmdline) and os.readlink(
                        "/proc/%s/ns/pid" % p) != os.readlink(
                        "/proc/self/ns/pid"):
                    found.append(p)
        except OSError:
            continue
    return found


def rnsd_paths(folder):
    """The destinations that the rnsd on that folder has paths to."""
    p = subprocess.run([VENV, "-m", "RNS.Utilities.rnpath", "--config",
                        folder, "-t", "-j"], stdout=subprocess.PIPE)
    try:
        return {d["hash"] for d in json.loads(p.stdout)}
    except ValueError:
        return set()


def tell_rnsd(port, dests, folder):
    """Announces dests. One that has just begun to listen drops who comes."""
    f = Frames(port)
    try:
        for d in dests:
            f.send(d.announce())
        return until(lambda: {d.hash.hex() for d in dests} <=
                     rnsd_paths(folder), "announces in rnsd", 4)
    except OSError:
        return False
    finally:
        f.s.close()


def after_rnsd():
    """The folder of a stock rnsd; what it knew, ours knows."""
    name = "after a stock rnsd"
    if not os.access(VENV, os.X_OK):
        skip(name, "no RNS in the build folder; ./check interop makes it")
        return
    port = free_port()
    node = Node(build, "stock", config=server("listen", port) +
                "ingress_control = no\n")
    lines = []
    stock = None
    try:
        rnsd = [VENV, "-m", "RNS.Utilities.rnsd", "--config", node.dir]
        with open(node.log, "ab") as log:
            stock = subprocess.Popen(rnsd, stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=log)
        dests = [Dest("test.d%d" % i) for i in range(4)]
        until(lambda: tell_rnsd(port, dests, node.dir), "four paths of rnsd")
        identity = os.path.join(node.dir, "storage/transport_identity")
        stock.terminate()
        stock.wait(PATIENCE_S)
        had = open(identity, "rb").read() if os.path.exists(identity) else None
        with open(os.path.join(node.dir, "storage/known_destinations"),
                  "rb") as k:
            stored = k.read()
        lines = [d for d in dests if d.hash in stored]
        node.start()
        up = node.ready(["transport"])
        result(name + ": warrend starts on the folder", up is not None,
               node.said()[-800:])
        rc = subprocess.run([os.path.join(build, "warren"), "status",
                             "--json", "--config", node.dir],
                            stdout=subprocess.PIPE)
        known = 0
        try:
            known = json.loads(rc.stdout)["counts"]["known"]
        except (ValueError, KeyError):
            pass
        result(name + ": it knows its destinations", len(lines) == 4 and
               known >= 4, "%d stored, %d known" % (len(lines), known))
        result(name + ": the identity stays", had is None or
               open(identity, "rb").read() == had)
        rc, took = node.stop()
        with open(os.path.join(node.dir, "storage/known_destinations"),
                  "rb") as k:
            stored = k.read()
        result(name + ": ends, and they are stored still", rc == 0 and all(
            d.hash in stored for d in dests), "status %s" % rc)
        with open(node.log, "ab") as log:
            stock = subprocess.Popen(rnsd, stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=log)
        Frames(port).s.close()
        result(name + ": and rnsd starts on it again", stock.poll() is None)
    finally:
        if stock is not None and stock.poll() is None:
            stock.terminate()
            stock.wait(PATIENCE_S)
        node.remove()


def runs(pid):
    """Neither gone nor a zombie that nobody waits for."""
    try:
        with open("/proc/%s/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def parent_killed(mode, user):
    """kill -9 of warrend alone, and the next at once: its relay ends first."""
    name = mode + " warrend is killed"
    node = Node(build, "orphan-" + mode, user)
    try:
        node.start()
        for turn in range(3):
            up = until(lambda: node.readies("transport") > turn, "ready")
            orphan = node.pids().get("transport")
            node.process.kill()
            node.process.wait()
            node.start()
            up = up and until(lambda: node.readies("transport") > turn + 1 or
                              node.process.poll() is not None, "ready again")
            said = node.said()
            if not up or node.process.poll() is not None:
                break
        result(name + ": the next one starts at once", up and
               node.process.poll() is None and "is taken" not in said,
               said[-1500:])
        result(name + ": and waits for the relay of the one before",
               not runs(orphan), "%s" % orphan)
        rc, _ = node.stop()
        result(name + ": ends in order", rc == 0, node.said()[-800:])
    finally:
        node.remove()


if os.geteuid() == 0:
    parent_killed("root", None)
    parent_killed("user", USER)
    restart_with_jobs("root", None)
    restart_with_jobs("user", USER)
    kills_under_a_job("root", None)
    kills_under_a_job("user", USER)
else:
    skip("life as root", "not started as root")
    parent_killed("user", None)
    restart_with_jobs("user", None)
    kills_under_a_job("user", None)
after_rnsd()
done()
