# SPDX-License-Identifier: BSD-2-Clause
"""Jobs in the containers of other programs (`runner` of node.yaml): the same
job gives the same under each that is there as under the node's own, its receipt
says what has contained it, a tool that is not there or of somebody else keeps
the start, one that never answers costs its own job alone, and nothing is left.
As root, and as an ordinary user."""
import contextlib
import json
import os
import shutil
import signal
import sys

from lib import USER, done, result, skip, until
from libjob import Burrow

build = sys.argv[1]
TOOLS = {"bubblewrap": "bwrap", "crun": "crun", "nsjail": "nsjail", "runc": "runc", "podman": "podman"}
# what `./check` has time for; the others with LONG
QUICK = ["bubblewrap"]
LONG = "LONG" in os.environ
PROFILE = """cap_drop:
  - ALL
seccomp_profile: /etc/seccomp/kai-default.json
read_only_fs: true
limits:
  memory: 256MB
  cpu: 0.5
volumes:
  - ./data:/agent/data:ro
  - ./tmp:/agent/tmp:rw
network: isolated
"""
COMMAND = ("id -u; id -g; cat /agent/data/told; echo own > /agent/tmp/own && cat /agent/tmp/own; "
           "cat /in/file; (echo x > /in/file) 2>/dev/null && echo written; (echo x > /bin/x) 2>/dev/null && echo root; "
           "ls -d /host /images /new /usr 2>/dev/null; cat /out/kept 2>/dev/null; echo made > /out/made; "
           "echo to-stderr >&2; exit 7")
WANTED = "1000\n1000\nof the operator\nown\nof the submitter\n"


def job(node):
    path = node.job_file(COMMAND, volumes=[("in", "/in", "ro"), ("out", "/out", "rw")])
    with open(os.path.join(os.path.dirname(path), "in", "file"), "w") as f:
        f.write("of the submitter\n")
    s = node.submit(path)
    rc, last = s.end()
    return rc, last, s, path


@contextlib.contextmanager
def burrow(mode, more):
    node = made(mode, more)
    try:
        yield node
    finally:
        node.remove()


def made(mode, more):
    node = Burrow(build, "runner " + mode, USER if mode == "user" else None, more=more)
    os.mkdir(os.path.join(node.dir, "profiles"), 0o755)
    for d in ("data", "tmp"):
        os.mkdir(os.path.join(node.dir, d), 0o755)
    with open(os.path.join(node.dir, "data", "told"), "w") as f:
        f.write("of the operator\n")
    node.write("profiles/default.yaml", PROFILE)
    if node.user is not None:
        for d, _, files in os.walk(node.dir):
            for f in files + ["."]:
                os.chown(os.path.join(d, f), node.user, node.user)
    return node


def receipt(node, s):
    rc, out, err = node.warren("receipt", "verify", s.folder, "--json", config=False)
    try:
        return json.loads(out) if rc == 0 else {"failed": err}
    except ValueError:
        return {"failed": out + err}


def rights(runner, mode, node):
    """warren-runner itself is as confined as warren-jail."""
    pid = node.pids()["jail"]

    def status():
        with open("/proc/%d/status" % pid) as f:
            return dict(line.split(":", 1) for line in f.read().splitlines())
    until(lambda: status()["Seccomp"].strip() == "2", "its filter")
    s = {k: v.strip() for k, v in status().items()}
    ids = set(s["Uid"].split() + s["Gid"].split())
    result("%s: warren-runner has no right outside its slots (%s)" % (runner, mode),
           s["Name"] == "warren-runner" and s["NoNewPrivs"] == "1" and int(s["CapEff"], 16) == 0 and
           int(s["CapPrm"], 16) == 0 and len(ids) == 1 and ids != {"0"} and
           os.stat("/proc/%d/fd" % pid).st_uid == 0, s)


def same(mode, runner):
    """What the job is told, what comes back, and what the receipt says."""
    what = "%s: profile A (%s)" % (runner, mode)
    more = "" if runner == "native" else "runner: %s\n" % runner
    with burrow(mode, more) as node:
        if not node.up():
            result(what, False, node.problem or node.said()[-600:])
            return None
        if runner != "native":
            rights(runner, mode, node)
            if os.path.exists(os.path.join(build, "warren-wasm")):
                result("%s: that it runs no modules is said (%s)" % (runner, mode),
                       "no modules are run: %s " % runner in node.said(), node.said()[-600:])
        rc, last, s, path = job(node)
        out, err = node.output(s), node.output(s, "stderr")
        r = receipt(node, s)
        result(what, rc == 5 and last.get("code", 7) == 7 and err == "to-stderr\n" and
               out == WANTED, "%s %s %r %r %s %s" % (
                   rc, last, out, err, s, node.said()[-300:]))
        named = r.get("runner", "").split(" ")
        result("%s: the receipt names it (%s)" % (runner, mode), named[0] == runner and
               (len(named) == 2 or runner in ("native", "nsjail")), r)
        return {"out": out, "layers": set(r.get("layers", []))}


def refused(mode):
    """A tool that cannot be had keeps the start, by name."""
    for more, word in (("runner: docker\n", "docker"), ("runner: runc\nrunner_path: /nowhere/runc\n", "/nowhere/runc"),
                       ("runner: bubblewrap\nrunner_path: bwrap\n", "runner_path")):
        with burrow(mode, more) as node:
            rc, out, err = node.warren("check-config")
            result("no start: %s (%s)" % (more.split("\n")[-2], mode), rc not in (0, None) and word in out + err,
                   "%s %s %s" % (rc, out, err))


def no_tool(mode):
    """A program that contains nothing: no job is taken, and what it said is."""
    with burrow(mode, "runner: bubblewrap\nrunner_path: %s\n" % os.path.realpath("/bin/ls")) as node:
        node.start()
        result("a tool that does not work: no job can run, and why (%s)" % mode,
               until(lambda: "no job can run here" in node.said() and "bubblewrap: " in node.said(),
                     "the reason"), node.said()[-400:])


def processes(word):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                if word.encode() in f.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def ends(mode, runner):
    """A cancelled job and a node that is killed leave no process of the tool."""
    what = "%s: nothing is left (%s)" % (runner, mode)
    with burrow(mode, "runner: %s\n" % runner) as node:
        if not node.up():
            result(what, False, node.problem or node.said()[-600:])
            return
        word = "sleep\0" + str(70000 + os.getpid())
        s = node.submit(node.job_file("sleep " + word[6:]))
        running = s.reached("running") and until(lambda: processes(word), "its command")
        if s.id() is not None:
            node.warren("cancel", s.id(), "--to", node.who["destination"], "--identity", node.person)
        rc, last = s.end()
        result(what, running and until(lambda: not processes(word), "its end"), "%s %s" % (rc, s))
        t = node.submit(node.job_file("sleep " + word[6:]))
        running = t.reached("running") and until(lambda: processes(word), "its command")
        os.kill(node.pids()["jail"], signal.SIGKILL)
        result("%s: jobs die with who contains them (%s)" % (runner, mode),
               running and until(lambda: not processes(word), "its end"), str(t))
        t.process.kill()
        t.end()


def main():
    modes = ["root", "user"] if os.geteuid() == 0 else ["user"]
    if shutil.which("busybox") is None:
        skip("runner", "busybox is not installed")
        return
    tools = [t for t in TOOLS if t in os.environ.get("RUNNERS", " ".join(TOOLS if LONG else QUICK)).split()]
    for t in list(tools):
        if shutil.which(TOOLS[t], path="/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") is None:
            skip("runner " + t, TOOLS[t] + " is not installed")
            tools.remove(t)
    for mode in modes:
        own = same(mode, "native")
        for t in tools:
            theirs = same(mode, t)
            if own is not None and theirs is not None:
                result("%s: the same result, no layer less (%s)" % (t, mode),
                       theirs["out"] == own["out"] and own["layers"] <= theirs["layers"], "%s\n%s" % (own, theirs))
            if mode == "root" or LONG:
                ends(mode, t)
        if mode == "root" or modes == ["user"]:
            refused(mode)
            no_tool(mode)


main()
done()
