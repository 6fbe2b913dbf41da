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
import subprocess
import sys
import zipfile

from lib import USER, done, result, skip, until
from libjob import Burrow

build = sys.argv[1]
TOOLS = {"bubblewrap": "bwrap", "crun": "crun", "nsjail": "nsjail", "runc": "runc", "podman": "podman"}
PLACES = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # where a node looks for them
# what it starts, and stays
WITH = {"podman": {"podman", "conmon"}}
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


def lines(runner, daemon=None):
    """Of node.yaml; daemon: libdocker's."""
    if runner == "native":
        return ""
    path = daemon.socket if daemon is not None else None if shutil.which(TOOLS[runner], path=PLACES) else shutil.which(TOOLS[runner])
    return "runner: %s\n%s" % (runner, "" if path is None else "runner_path: %s\n" % path)


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


def same(mode, runner, daemon=None):
    """What the job is told, what comes back, and what the receipt says."""
    what = "%s: profile A (%s)" % (runner, mode)
    with burrow(mode, lines(runner, daemon)) as node:
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
        told = [node.warren("status", "--json"), node.warren("describe", node.who["destination"], "--json", "--identity", node.person)]
        texts = [json.loads(t[1]) if t[0] == 0 else {"failed": t} for t in told]
        texts[0] = texts[0].get("node", texts[0])
        result("%s: status and describe name it as the receipt does (%s)" % (runner, mode),
               [t.get("runner") for t in texts] == [r.get("runner")] * 2, [sorted(t)[:40] for t in texts])
        result("%s: the receipt names it (%s)" % (runner, mode), named[0] == runner and
               (len(named) == 2 or runner in ("native", "nsjail")), r)
        return {"out": out, "layers": set(r.get("layers", []))}


def refused(mode):
    """A tool that cannot be had keeps the start, by name."""
    for more, word in (("runner: runc\nrunner_path: /nowhere/runc\n", "/nowhere/runc"),
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


def table():
    """Of each process: its parent, its name, when it began. What was executed by
    its descriptor has a number for a name before Linux 6.14: then argv[0]'s."""
    out = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as f:
                name, rest = f.read().split("(", 1)[1].rsplit(")", 1)
            if name.isdigit():
                with open("/proc/%s/cmdline" % pid, errors="replace") as f:
                    name = os.path.basename(f.read().split("\0")[0]) or name
        except OSError:
            continue
        out[int(pid)] = (int(rest.split()[1]), name, rest.split()[19])
    return out


def family(pid, jail):
    """A job's command, the tool around it, and all that the tool has started."""
    t = table()
    while pid in t and t[pid][0] != jail:
        pid = t[pid][0]
    mine, more = set(), {pid} & set(t)
    while more:
        mine |= more
        more = {p for p, row in t.items() if row[0] in mine} - mine
    return {(p, t[p][1], t[p][2]) for p in mine}


def alive(them):
    t = table()
    return [p for p in them if p[0] in t and t[p[0]][2] == p[2]]


def ends(mode, runner):
    """A cancelled job and a node that is killed leave no process of the tool."""
    what = "%s: nothing is left (%s)" % (runner, mode)
    with burrow(mode, lines(runner)) as node:
        if not node.up():
            result(what, False, node.problem or node.said()[-600:])
            return
        word = "sleep\0" + str(70000 + os.getpid())
        s = node.submit(node.job_file("sleep " + word[6:]))
        running = s.reached("running") and until(lambda: processes(word), "its command")
        them = family(processes(word)[0], node.pids()["jail"]) if running else set()
        names = {p[1] for p in them}
        result("%s: it is what contains the job (%s)" % (runner, mode),
               all(any(w in n for n in names) for w in WITH.get(runner, {TOOLS[runner]})), sorted(names))
        if s.id() is not None:
            node.warren("cancel", s.id(), "--to", node.who["destination"], "--identity", node.person)
        rc, last = s.end()
        result(what, running and until(lambda: not alive(them), "its end"), "%s %s %s" % (rc, alive(them), s))
        t = node.submit(node.job_file("sleep " + word[6:]))
        running = t.reached("running") and until(lambda: processes(word), "its command")
        them = family(processes(word)[0], node.pids()["jail"]) if running else set()
        os.kill(node.pids()["jail"], signal.SIGKILL)
        result("%s: jobs die with who contains them (%s)" % (runner, mode),
               running and them and until(lambda: not alive(them), "its end"), "%s %s" % (alive(them), t))
        t.process.kill()
        t.end()


# What is given to a runner as its tool: bubblewrap, but for jobs that ask it to
# hang: before anything is started, or with children that heed no signal.
STUCK = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
int
main(int argc, char *argv[])
{
	static char args[65536]; /* the job's words: sandbox/runner/inner.h */
	ssize_t n = pread(5, args, sizeof(args), 0);
	int fork_it = n > 0 && memmem(args, (size_t)n, "STUCK_FORKS", 11) != NULL;

	if (n <= 0 || memmem(args, (size_t)n, "STUCK", 5) == NULL) {
		execv(BWRAP, argv);
		return 127;
	}
	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_IGN);
	(void)prctl(PR_SET_NAME, MARK);
	for (int i = 0; fork_it && i < 2; i++)
		if (fork() == 0)
			(void)setsid();
	for (;;)
		(void)pause();
}
"""


def evidence(mode, runner):
    """A bundle of a job, as of one in the node's own: its memory, what it wrote."""
    word = "sleep\0" + str(70000 + os.getpid())
    with burrow(mode, lines(runner)) as node:
        if not node.up():
            result("%s: evidence of a job (%s)" % (runner, mode), False, node.problem or node.said()[-600:])
            return
        s = node.submit(node.job_file("echo mine > /tmp/left; sleep " + word[6:]))
        up = s.reached("running") and until(lambda: processes(word), "its command")
        rc, out, err = node.warren("forensics", s.id(), "--json", seconds=120)
        names, mine = [], b""
        if rc == 0:
            with zipfile.ZipFile(json.loads(out)["file"]) as z:
                names = z.namelist()
                for n in names:
                    mine += z.read(n) if n.endswith("/tmp/left") else b""
        node.warren("cancel", s.id(), "--to", node.who["destination"], "--identity", node.person)
        s.end()
        result("%s: evidence of a job (%s)" % (runner, mode), up and b"mine\n" in mine and
               any(n.endswith("/core") for n in names), "%s %s %s %s" % (rc, out, err, names))


def stuck_tool(node):
    """The program, and the name of its processes; None: no compiler."""
    cc, mark = shutil.which("cc"), "stuck%d" % os.getpid()
    if cc is None:
        return None, None
    path = os.path.join(node.dir, "stuck")
    p = subprocess.run([cc, "-static", "-O1", "-x", "c", "-", "-o", path, '-DBWRAP="%s"' % shutil.which("bwrap"),
                        '-DMARK="%s"' % mark], input=STUCK.encode(), stderr=subprocess.PIPE)
    if p.returncode != 0:
        return None, p.stderr.decode()
    os.chmod(path, 0o755)
    return path, mark


def named(mark):
    """Processes of this name."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/comm" % pid) as f:
                if f.read().strip() == mark:
                    found.append(int(pid))
        except OSError:
            pass
    return found


def stuck(mode):
    """A tool that hangs costs its own job alone, and not longer than that may."""
    with burrow(mode, "runner: bubblewrap\nlimits:\n  jobs_running: 2\n") as node:
        tool, mark = stuck_tool(node)
        if tool is None:
            skip("runner, a stuck tool", mark or "no compiler")
            return
        with open(os.path.join(node.dir, "node.yaml"), "a") as f:
            f.write("runner_path: %s\n" % tool)
        if not node.up():
            result("a tool that is stuck (%s)" % mode, False, node.problem or node.said()[-600:])
            return
        first = node.submit(node.job_file("echo STUCK"))
        until(lambda: len(named(mark)) == 1, "the tool")
        # it forks, as far as its group lets it, and has 1 s and jail's 10
        second = node.submit(node.job_file("echo STUCK_FORKS", limits={"time": "1s"}))
        many = until(lambda: len(named(mark)) > 2, "its children")
        third = node.submit(node.job_file("echo free"))
        queued = third.reached("queued") and third.state() != "running"
        rc, last = second.end()
        result("a stuck tool is killed when its job's time is up, with all that it made (%s)" % mode,
               many and rc == 5 and last.get("outcome") == ["lost", "took too long"] and until(lambda: len(named(mark)) == 1, "its end"),
               "%s %s %s" % (rc, last, second))
        rc3, last3 = third.end()
        result("its slot comes back, while another tool is stuck; and no more run than may (%s)" % mode,
               queued and rc3 == 0 and node.output(third) == "free\n" and len(named(mark)) == 1,
               "%s %s %s" % (queued, rc3, third))
        if first.id() is not None:
            node.warren("cancel", first.id(), "--to", node.who["destination"], "--identity", node.person)
        rc1, last1 = first.end()
        result("a stuck tool's job can be cancelled, and nothing is left (%s)" % mode,
               until(lambda: not named(mark), "its end"), "%s %s %s" % (rc1, last1, first))
        fourth = node.submit(node.job_file("echo again"))
        rc4, last4 = fourth.end()
        result("and that slot comes back (%s)" % mode, rc4 == 0 and node.output(fourth) == "again\n", str(fourth))


def main():
    modes = ["root", "user"] if os.geteuid() == 0 else ["user"]
    if shutil.which("busybox") is None:
        skip("runner", "busybox is not installed")
        return
    tools = [t for t in TOOLS if t in os.environ.get("RUNNERS", " ".join(TOOLS if LONG else QUICK)).split()]
    for t in list(tools):
        if shutil.which(TOOLS[t]) is None:
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
            if mode == "root" and LONG:
                evidence(mode, t)
        if mode == "root" or modes == ["user"]:
            refused(mode)
            no_tool(mode)
            if shutil.which("bwrap"):
                stuck(mode)


if __name__ == "__main__":
    main()
    done()
