# SPDX-License-Identifier: BSD-2-Clause
"""The command line as people use it: a job without a file, its exit status
and its name; short ids; tables on terminals."""
import fcntl
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading

from lib import PATIENCE_S, USER, Node, done, result, until
from libjob import IMAGE, Burrow, client, free_port, server

build = sys.argv[1]


class Run:
    """A running `warren run`, in a folder of its own."""

    def __init__(self, node, *words):
        node.jobs += 1
        self.folder = os.path.join(node.work, "run%d" % node.jobs)
        os.makedirs(os.path.join(self.folder, "in"))
        with open(os.path.join(self.folder, "in", "words"), "w") as f:
            f.write("badger\nant\n")
        if node.user is not None:
            for d, _, names in os.walk(self.folder):
                for n in [""] + names:
                    os.chown(os.path.join(d, n), node.user, node.user)
        argv = node.argv("run", "--config", node.dir, "--identity",
                         node.person, "--timeout", "80s", *words)
        self.process = subprocess.Popen(
            argv, preexec_fn=node._drop, stdin=subprocess.DEVNULL,
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.out = self.err = b""
        self.threads = [
            threading.Thread(target=self._read, args=(name,), daemon=True)
            for name in ("stdout", "stderr")]
        for t in self.threads:
            t.start()

    def _read(self, name):
        for line in getattr(self.process, name):
            if name == "stdout":
                self.out += line
            else:
                self.err += line

    def end(self, seconds=PATIENCE_S):
        try:
            rc = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            rc = "still running after %d s" % seconds
        for t in self.threads:
            t.join(PATIENCE_S)
        return rc

    def __str__(self):
        return "%s; %s" % (self.out[-300:], self.err[-600:])


def runs(node):
    """Commands, what they say, and the exit status of `run`."""
    to = ["--to", node.who["destination"]]
    sh = [IMAGE, "--", "/bin/sh", "-c"]
    for what, words, want, out in (
            ("its output and 0", to + sh + ["echo one; echo two"], 0,
             b"one\ntwo\n"),
            ("the command's own status", to + sh + ["exit 3"], 3, b""),
            ("a status that is one of ours", to + sh + ["exit 125"], 125,
             b""),
            ("a signal", to + sh + ["kill -9 $$"], 137, b""),
            ("a limit", to + ["--time", "500ms"] + sh + ["sleep 20"], 124,
             b""),
            ("no such command", to + [IMAGE, "/bin/frobnicate"], 127, b""),
            ("a volume and the environment",
             to + ["-v", "./in:/data:ro", "-e", "WORD=ant"] + sh +
             ["cat /data/words; echo $WORD"], 0, b"badger\nant\nant\n"),
            ("an image that is not there",
             to + ["no/such:image", "/bin/true"], 121, b""),
            ("a name that is not pinned", ["--to", "burrow"] + sh + ["true"],
             121, b""),
            ("no node is trusted without a name", sh + ["true"], 125, b"")):
        r = Run(node, *words)
        rc = r.end()
        result("run: " + what, rc == want and r.out == out,
               "%s: %s" % (rc, r))
        if what == "a name that is not pinned":
            result("run: and the hash is said that would do",
                   ("--to " + node.who["destination"]).encode() in r.err,
                   str(r))


def streams(node):
    """What is written comes while it runs; an interrupt leaves the job."""
    r = Run(node, "--to", node.who["destination"], IMAGE, "--", "/bin/sh",
            "-c", "echo first; sleep 30; echo second")
    came = until(lambda: b"first" in r.out or r.process.poll() is not None,
                 "the first line", 20)
    result("run: lines come as they are written",
           came and r.process.poll() is None and b"second" not in r.out,
           str(r))
    r.process.send_signal(signal.SIGINT)
    rc = r.end(10)
    result("run: an interrupt ends with 130 and says how to go on",
           rc == 130 and b"warren result" in r.err, "%s: %s" % (rc, r))
    job = os.listdir(r.folder)
    job = [d for d in job if d != "in"]
    rc, out, err = node.warren(
        "cancel", os.path.join(r.folder, job[0]) if job else "?",
        "--identity", node.person)
    result("run: and the job can be cancelled", rc == 0, out + err)


def mine(node, *words):
    """A verb of the person's, over the mesh."""
    return node.warren(*words, "--identity", node.person)


def listed(node, *words):
    """Jobs as `jobs --json` has them."""
    rc, out, err = mine(node, "jobs", "--json", *words)
    try:
        return json.loads(out)["jobs"]
    except (ValueError, KeyError):
        return ["%s %s" % (rc, err)]


def holds(folder, text):
    """Files below a folder that hold a text."""
    found = []
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as f:
                    if text.encode() in f.read():
                        found.append(path)
    return found


def names(node):
    """A name is taken for an id, and the node never sees it."""
    name = "moleskin-%d" % os.getpid()
    dest = node.who["destination"]
    r = Run(node, "--name", name, "--label", "team=diggers", "--to", dest,
            IMAGE, "--", "/bin/sh", "-c", "echo dug; exit 4")
    rc = r.end()
    job = [j for j in listed(node, "--mine") if name in str(j)]
    result("names: a job is listed with name, label, image and outcome",
           rc == 4 and len(job) == 1 and job[0]["name"] == name and
           job[0]["labels"] == ["team=diggers"] and
           job[0]["image"] == IMAGE and job[0]["state"] == "done",
           "%s %s %s" % (rc, r, job))
    if not job:
        return
    on_node = [j for j in listed(node, "--to", dest)
               if j["id"] == job[0]["id"]]
    result("names: with the node's list too",
           [j["name"] for j in on_node] == [name], str(on_node))
    rc, out, err = mine(node, "logs", name)
    result("names: logs takes it", rc == 0 and out == "dug\n", out + err)
    rc, out, err = mine(node, "show", name)
    result("names: show takes and tells it", rc == 0 and name in out and
           "team=diggers" in out and "exited 4" in out, out + err)
    os.rename(os.path.join(r.folder, job[0]["id"][:16]),
              os.path.join(r.folder, "moved"))
    rc, out, err = mine(node, "result", os.path.join(r.folder, "moved"))
    result("names: the folder is taken still", rc == 5, out + err)
    rc, out, err = mine(node, "receipt", "verify", job[0]["id"][:8])
    result("names: a folder that is gone", rc == 1 and
           "No such file" in err, out + err)
    os.rename(os.path.join(r.folder, "moved"),
              os.path.join(r.folder, job[0]["id"][:16]))
    rc, out, err = mine(node, "receipt", "verify", name)
    result("names: a receipt is found by it", rc == 0 and "valid" in out,
           out + err)
    rc, out, err = mine(node, "show", "no-such-name")
    result("names: one that is nobody's", rc == 2 and
           "no job no-such-name" in err, out + err)
    # a small id that no note helps with
    other = os.path.join(node.top, "elsewhere")
    shutil.copytree(node.person, other,
                    ignore=shutil.ignore_patterns("jobs"))
    if node.user is not None:
        for top, _, files in os.walk(other):
            for n in [""] + files:
                os.chown(os.path.join(top, n), node.user, node.user)
    rc, out, err = node.warren("show", job[0]["id"][:6], "--to", dest,
                               "--identity", other)
    result("ids: a short one is enough where nothing is noted",
           rc == 0 and job[0]["id"] in out, out + err)
    rc, out, err = node.warren("show", job[0]["id"][:6], "--here")
    result("ids: and on the node's own machine", rc == 0 and
           job[0]["id"] in out, out + err)
    there = os.path.join(r.folder, "fetched")
    rc, out, err = node.warren("result", job[0]["id"], "--here", "--out",
                               there)
    result("operator: has what a job has left", rc == 5 and
           open(os.path.join(there, "stdout")).read() == "dug\n" and
           os.stat(os.path.join(there, "receipt")).st_size == 317,
           [rc, out, err])
    rc, out, err = mine(node, "describe", dest[:6])
    result("ids: a short one of a node that was dealt with", rc == 0 and
           dest in out, out + err)
    rc, out, err = node.warren("show", "00c0ffee", "--here")
    result("ids: one that no job has is named, and what lists them", rc == 1
           and "with 00c0ffee" in err and "warren jobs --here" in err,
           [rc, out, err])
    rc, out, err = node.warren("jobs", "--here", "--identity", other, "--json")
    seen = holds(node.dir, name)
    result("names: the node has none of them", rc == 0 and
           IMAGE in out and name not in out and not seen,
           "%s %s %s" % (rc, out[-300:], seen))


def on_terminal(node, columns, environ, *words):
    """What a verb writes to a terminal of so many columns."""
    main, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ,
                struct.pack("HHHH", 24, columns, 0, 0))
    env = {k: v for k, v in os.environ.items()
           if k not in ("COLUMNS", "NO_COLOR")}
    env.update({"TERM": "xterm"}, **environ)
    p = subprocess.Popen(node.argv(*words, "--config", node.dir,
                                   "--identity", node.person),
                         preexec_fn=node._drop, stdin=subprocess.DEVNULL,
                         stdout=end, stderr=subprocess.DEVNULL, env=env)
    os.close(end)
    text = b""
    try:
        while True:
            more = os.read(main, 65536)
            if not more:
                break
            text += more
    except OSError:
        pass  # the other end is closed
    os.close(main)
    p.wait(20)
    return text.decode().replace("\r\n", "\n")


def terminals(node):
    """Tables fit; colour is for terminals that want it."""
    for verb in (["jobs", "--here"], ["peers"], ["status"],
                 ["nodes", "--wait", "0"]):
        text = on_terminal(node, 60, {"NO_COLOR": "1"}, *verb)
        wide = [x for x in text.splitlines() if len(x) > 60 and "  " in x]
        name = " ".join(verb[:1])
        # status has lines that are no table
        result("terminal: %s fits" % name, text != "" and
               (verb[0] == "status" or not wide), str(wide or text))
        result("terminal: %s without colour" % name, "\033[" not in text,
               repr(text))
    rc, out, err = node.warren("peers")
    rows = out.split("PERSON", 1)[-1].splitlines()[1:]
    result("no terminal: peers names who asks for work", rc == 0 and
           any(len(x.split()[0]) == 64 for x in rows), out + err)
    text = on_terminal(node, 100, {}, "jobs", "--here")
    result("terminal: colour where it is not refused", "\033[1m" in text and
           "\033[31m" in text, repr(text))
    rc, out, err = node.warren("jobs", "--here")
    ids = [x.split()[0] for x in out.splitlines()[1:]]
    result("no terminal: ids are whole, no colour", rc == 0 and ids and
           all(len(i) == 64 for i in ids) and "\033" not in out, out + err)


def trusted(node):
    """submit.yaml pins the one node: it need not be named."""
    with open(os.path.join(node.person, "submit.yaml"), "w") as f:
        f.write("pins:\n  - {id: \"%s\", level: 1}\n" % node.who["urn"])
    os.chmod(os.path.join(node.person, "submit.yaml"), 0o644)
    r = Run(node, IMAGE, "/bin/echo", "here")
    rc = r.end()
    result("run: the one node that is trusted need not be named",
           rc == 0 and r.out == b"here\n", "%s: %s" % (rc, r))


def known(node):
    """The node of this machine is among those that are known."""
    rc, out, err = mine(node, "nodes", "--wait", "0", "--json")
    own = [n for n in json.loads(out or "{}").get("nodes", [])
           if n["destination"] == node.who["destination"]]
    result("nodes: this machine's own is listed", len(own) == 1 and
           own[0]["name"] == "burrow" and own[0]["hops"] == 0 and
           own[0]["accepting"] is True, "%s %s" % (out, err))
    rc, out, err = mine(node, "describe", "burrow")
    result("nodes: and is found by its name", rc == 0 and
           node.who["destination"] in out, out + err)
    rc, out, err = mine(node, "describe", "burow", "--timeout", "1s")
    result("nodes: a slip gets the name that was meant", rc == 4 and
           "did you mean burrow?" in err and "listening" in err, out + err)


def not_ours(node):
    """Somebody else's node: its socket is no answer, one's notes are."""
    if os.geteuid() != 0 or node.user is None:
        return
    other = os.path.join(node.top, "guest")
    os.mkdir(other, 0o700)
    os.chown(other, 65533, 65533)
    os.chmod(node.dir, 0o755)

    def guest(*words):
        p = subprocess.run(
            node.argv(*words, "--config", node.dir, "--identity", other),
            preexec_fn=lambda: (os.setgroups([]), os.setgid(65533),
                                os.setuid(65533)),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        return p.returncode, p.stdout.decode(), p.stderr.decode()
    rc, out, err = guest("jobs")
    result("jobs: where the node answers others, one's own", rc == 0 and
           err == "No jobs.\n", "%s %s" % (rc, out + err))
    rc, out, err = guest("jobs", "--here")
    result("jobs: and --here says whom it answers", rc == 4 and
           "owner" in err, "%s %s" % (rc, out + err))
    wrong = []
    for verb in (["status"], ["image", "list"], ["audit", "tail"],
                 ["forensics", "abcd"], ["reload"]):
        rc, out, err = guest(*verb)
        if rc in (0, 2) or "owner" not in err:
            wrong.append("%s: %s %s" % (verb, rc, out + err))
    result("what is the owner's alone is said to be", not wrong, wrong)
    os.chmod(node.dir, 0o700)


def heard(node, other):
    """What another machine's daemon has heard, before its folder has it."""
    def listed_there():
        rc, out, err = node.warren(
            "nodes", "--json", "--config", other.dir, "--identity",
            os.path.join(node.top, "stranger"), config=False)
        return [(n["name"], n["hops"])
                for n in json.loads(out or "{}").get("nodes", [])]
    seen = until(lambda: listed_there() == [("burrow", 1)],
                 "the node, heard by another machine", 20)
    stored = os.path.exists(os.path.join(other.dir, "storage",
                                         "known_destinations"))
    result("nodes: what the daemon has heard is listed at once",
           seen and not stored, "%s, stored %s; %s" % (
               listed_there(), stored, other.said()[-600:]))


def as_user(user):
    port = free_port()
    other = Node(build, "manners-other", user, config=server("door", port))
    node = Burrow(build, "manners", user, config=client("out", port))
    try:
        other.start()
        other.ready(["transport"])
        if not node.up():
            result("manners: a node", False,
                   "%s %s" % (node.problem, node.said()[-1500:]))
            return
        known(node)
        not_ours(node)
        heard(node, other)
        runs(node)
        streams(node)
        names(node)
        terminals(node)
        trusted(node)
    finally:
        for n in (node, other):
            n.stop()
            n.remove()


as_user(USER if os.geteuid() == 0 else None)
done()
