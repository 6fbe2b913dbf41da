# SPDX-License-Identifier: BSD-2-Clause
"""Jobs by letter: a submitter that has nothing but stock LXMF, and through a stock lxmd one that is never up with the node."""

import contextlib
import json
import os
import sqlite3
import subprocess

import lib
from lib import check, client, server
from test_jobs import Daemon, new_key, node, run_in, warren
from test_tools import Instance, extra

HERE = lib.HERE
WORK_S = 120  # a look at the node, a job, an answer


class Submitter(lib.Script):
    def __init__(self, ctx, python, folder, storage, secret):
        super().__init__([python, os.path.join(HERE, "letterpeer.py"), folder, storage, secret],
                         os.path.join(ctx.folder, "letters.log"))
        ctx.keep(self)
        self.dest = self.expect(event="ready")["dest"]


class Heard(lib.Script):
    """apppeer.py, for the announces that it prints."""

    def __init__(self, ctx, python, folder):
        super().__init__([python, os.path.join(HERE, "apppeer.py"), folder, ctx.dir("heard")],
                         os.path.join(ctx.folder, "apps.log"))
        ctx.keep(self)


def address(folder):
    """The lxmf.delivery of a node of ours."""
    return json.loads(warren_status(folder))["lxmf"]["address"]


def warren_status(folder):
    import socket
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(lib.PATIENCE_S)
    s.connect(os.path.join(folder, "warren/run/mesh.sock"))
    s.sendall(b'{"verb":"status"}\n')
    return s.makefile().readline()


def world(ctx):
    """A stock relay with lxmd on it: (python, port, its folder, lxmd's propagation address)."""
    python = extra(ctx, "apps")
    if python is None:
        return None
    run_in(ctx)
    port, instance = lib.free_port(), Instance("unix")
    folder = ctx.rnsd(python, instance.text(server("mesh", port), transport=True))
    lib.must(instance.up, "the relay")
    return python, port, folder, propagation(ctx, python, folder)[0]


def propagation(ctx, python, folder):
    """A stock lxmd on a relay: (its propagation address, its process)."""
    home = ctx.dir("lxmd")
    with open(os.path.join(home, "config"), "w") as f:
        f.write("[propagation]\nenable_node = yes\nannounce_at_start = yes\n"
                "propagation_stamp_cost_target = 13\npropagation_stamp_cost_flexibility = 13\n"
                "[lxmf]\ndisplay_name = node\n[logging]\nloglevel = 4\n")
    heard = Heard(ctx, python, folder)
    log = open(os.path.join(ctx.folder, "lxmd.log"), "ab")
    process = ctx.keep(lib.Process([os.path.join(os.path.dirname(python), "lxmd"), "--config", home, "--rnsconfig", folder, "-p"],
                                   log))
    where = heard.expect(event="announce", aspect="lxmf.propagation")["dest"]
    heard.end()
    return where, process


def jobs_of(folder):
    with contextlib.closing(sqlite3.connect(f"file:{os.path.join(folder, 'warren/node/ledger.db')}?mode=ro", uri=True)) as db:
        return db.execute("SELECT count(*) FROM jobs").fetchone()[0]


def start(ctx, folder, name):
    return Daemon(ctx, [os.path.join(ctx.args.build, "warrend"), "--config", folder], f"{name}.log")


def by_link(ctx):
    """Both are up: directly and opportunistically; what is asked twice runs once."""
    made = world(ctx)
    if made is None:
        return "lxmf could not be installed with pip"
    python, port, relay, _ = made
    secret, urn = new_key(ctx.args.python)
    _, _, folder = node(ctx, client("up", port), [(urn, 2)], "lxmf: {}\n")
    to = address(folder)
    s = Submitter(ctx, python, relay, ctx.dir("submitter"), secret)
    # the answers that are packets have to be encrypted to what it announces
    s.say("enforce")
    check(s.expect(event="enforced")["done"], "stock takes ratchets alone")
    s.say("announce")
    s.say(f"submit direct {to} test/busybox:1 echo by letter")
    job = s.expect(event="job")["id"]
    check(s.expect(WORK_S, event="sent")["ratchet"], "the node has announced a ratchet")
    a = s.expect(WORK_S, event="answer")
    check(a["path"] == "/klp/v1/job/result" and a["status"] == 0 and a["valid"] and a["job"] == job, f"the result: {a}")
    check(a["outcome"] == 0 and a["code"] == 0 and a["blobs"] == ["by letter\n"], f"what it ran: {a}")
    s.say(f"again direct {to}")
    s.expect(WORK_S, event="sent")
    check(s.expect(WORK_S, event="answer")["job"] == job, "the same job")
    s.say(f"ask opportunistic {to} /klp/v1/job/status {job}")
    a = s.expect(WORK_S, event="answer", path="/klp/v1/job/status")
    check(a["state"] == "done" and a["by"] == "packet" and a["ratchet"], f"its state, in a packet for a ratchet: {a}")
    s.say(f"submit direct {to} test/none:1 true")
    a = s.expect(WORK_S, event="answer", path="/klp/v1/job/submit")
    check(a["status"] == 5 and a["code"] == "image", f"a refusal: {a}")
    check(jobs_of(folder) == 1, "jobs in the ledger")
    return None


def never_together(ctx):
    """Each is stopped while the other runs, and the node is killed in between: once, with its receipt."""
    made = world(ctx)
    if made is None:
        return "lxmf could not be installed with pip"
    python, port, relay, where = made
    secret, urn = new_key(ctx.args.python)
    name = f"letters{os.getpid()}"
    _, d, folder = node(ctx, client("up", port), [(urn, 2)], instance=name, more=f"lxmf: {{propagation_node: {where}, look_every: 1m}}\n")
    to = address(folder)
    storage = ctx.dir("submitter")
    heard = Submitter(ctx, python, relay, storage, secret)
    heard.say(f"learn {to}")
    heard.expect(event="learned")
    lib.must(lambda: json.loads(warren_status(folder))["lxmf"]["looks"] > 0, "a look at the propagation node")
    heard.end()
    d.stop()
    s = Submitter(ctx, python, relay, storage, secret)
    s.say(f"node {where}")
    s.say(f"submit propagated {to} test/busybox:1 sleep 2; echo never together")
    job = s.expect(event="job")["id"]
    # sealed for what the node has to remember until it is there again
    check(s.expect(WORK_S, event="sent")["ratchet"], "it is sealed for a ratchet")
    s.end()
    log = os.path.join(ctx.folder, "again.log")
    d = start(ctx, folder, "again")
    lib.must(lambda: job[:8] in open(log, errors="replace").read(), "the job is taken", WORK_S)
    d.proc.kill()
    d.stop()
    lib.must(lambda: not lib.instance_up(name), "what it has left ends")
    d = start(ctx, folder, "last")
    lib.must(lambda: json.loads(warren(ctx, "status", "--json", "--config", folder, ok=False).stdout or "{}")
             .get("node", {}).get("letters", {}).get("became", {}).get("stored", 0) > 0, "an answer at the node", WORK_S)
    d.stop()
    check(jobs_of(folder) == 1, "jobs in the ledger")
    s = Submitter(ctx, python, relay, storage, secret)
    s.say(f"node {where}")
    found = []

    def fetched():  # lxmd looks at the stamp of what came before it gives it out
        s.say("sync")
        found.append(s.maybe(5, event="answer"))
        return found[-1] is not None
    lib.must(fetched, "the answer", WORK_S)
    a = found[-1]
    check(a["blobs"] == ["never together\n"], f"what it printed: {a}")
    check(a["path"] == "/klp/v1/job/result" and a["status"] == 0 and a["job"] == job, f"the result: {a}")
    return None


class Person:
    """warren of a person on the relay."""

    def __init__(self, ctx, relay):
        self.ctx, self.relay = ctx, relay
        self.person, self.work = ctx.dir("person"), ctx.dir("work")

    def warren(self, *words, want=0):
        r = subprocess.run([os.path.join(self.ctx.args.build, "warren"), *words, "--config", self.relay, "--identity", self.person],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=self.work, timeout=2 * WORK_S)
        check(r.returncode == want, f"warren {' '.join(words)}: {r.returncode} {r.stdout} {r.stderr}")
        return r

    def job(self, name, text, **keys):
        with open(os.path.join(self.work, name), "w") as f:
            json.dump({"image": "test/busybox:1", "command": ["/bin/sh", "-c", text], **keys}, f)
        return name


def both_ours(ctx):
    """warren submit and warrend with a stock lxmd between them, never up together; what a message cannot hold goes over a link."""
    made = world(ctx)
    if made is None:
        return "lxmf could not be installed with pip"
    _, port, relay, where = made
    name = f"letters{os.getpid()}"
    p = Person(ctx, relay)
    urn = json.loads(p.warren("identity", "show", "--json").stdout)["urn"]
    to, d, folder = node(ctx, client("up", port), [(urn, 2)], instance=name, more=f"lxmf: {{propagation_node: {where}, look_every: 1m}}\n")
    p.warren("describe", to, "--timeout", "60s")
    lib.must(lambda: json.loads(warren_status(folder))["lxmf"]["looks"] > 0, "a look at the propagation node")
    d.stop()
    os.makedirs(os.path.join(p.work, "in"))
    with open(os.path.join(p.work, "in", "blob"), "wb") as f:
        f.write(os.urandom(200000))
    os.makedirs(os.path.join(p.work, "out"))
    small = p.job("small.yaml", "echo kept > /tmp/out/file; echo by message", volumes=["./out:/tmp/out:rw"])
    large = p.job("large.yaml", "wc -c < /tmp/in/blob", volumes=["./in:/tmp/in:ro"])
    mail = ("--to", to, "--via-lxmf", where, "--detach", "--out")
    p.warren("submit", small, "--to", to, "--via-lxmf", "11" * 16, "--timeout", "1s", "--out", "small", want=4)
    one = p.warren("submit", small, *mail, "small").stdout.strip()
    two = p.warren("submit", large, *mail, "large").stdout.strip()
    d = start(ctx, folder, "again")
    lib.must(lambda: json.loads(warren(ctx, "status", "--json", "--config", folder, ok=False).stdout or "{}")
             .get("node", {}).get("letters", {}).get("became", {}).get("stored", 0) > 1, "both answers at the node", WORK_S)
    d.stop()
    lib.must(lambda: not lib.instance_up(name), "the node is gone")
    r = p.warren("result", one, "--via-lxmf", where)
    check(r.stdout == "by message\n", f"the small one: {r.stdout} {r.stderr}")
    with open(os.path.join(p.work, "small/volumes/tmp/out/file")) as f:
        check(f.read() == "kept\n", "its output")
    p.warren("receipt", "verify", one)
    r = p.warren("result", two, "--via-lxmf", where, want=1)
    check("too large for a message" in r.stderr and "without --via-lxmf" in r.stderr, f"the large one: {r.stderr}")
    d = start(ctx, folder, "last")
    r = p.warren("submit", large, "--to", to)
    check(r.stdout.strip() == "200000" and "going on" in r.stderr, f"over a link: {r.stdout} {r.stderr}")
    p.warren("receipt", "verify", two)
    d.stop()
    check(jobs_of(folder) == 2, "jobs in the ledger")
    check(len(os.listdir(os.path.join(p.person, "jobs"))) == 2, "jobs that were noted")
    return None


def several(ctx):
    """Two propagation nodes are named by both, the first is down: `explain` says so, and the job goes through the second."""
    made = world(ctx)
    if made is None:
        return "lxmf could not be installed with pip"
    python, port, relay, second = made
    first, process = propagation(ctx, python, relay)
    p = Person(ctx, relay)
    urn = json.loads(p.warren("identity", "show", "--json").stdout)["urn"]
    name = f"letters{os.getpid()}"
    to, d, folder = node(ctx, client("up", port), [(urn, 2)], instance=name,
                         more=f"lxmf: {{propagation_node: [{first}, {second}], look_every: 1m}}\n")
    p.warren("describe", to, "--timeout", "60s")
    lib.must(lambda: json.loads(warren_status(folder))["lxmf"]["looks"] > 0, "a look at the propagation nodes")
    d.stop()
    process.stop()

    def letter():
        return json.loads(p.warren("explain", "far", "--json").stdout)["letter"]
    file = p.job("far.yaml", "echo by the second")
    submit = subprocess.Popen(
        [os.path.join(ctx.args.build, "warren"), "submit", file, "--to", to, "--via-lxmf", f"{first},{second}", "--name", "far",
         "--out", "far", "--config", relay, "--identity", p.person],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=p.work)
    ctx.keep(lib.Ends(submit))
    lib.must(lambda: os.path.isdir(os.path.join(p.person, "letters")) and os.listdir(os.path.join(p.person, "letters")),
             "the first word of it", WORK_S)
    lib.must(lambda: letter()["step"] == "asks" and letter()["looks"] > 0, "it is handed over, and asked for", 2 * WORK_S)
    said = letter()
    check(said["through"] == 1 and said["tried"][0]["to"] == "node" and said["tried"][1]["to"] == first and
          said["tried"][1]["failed"] > 0 and said["tried"][1]["why"] and said["tried"][2] ==
          {"to": second, "failed": 0, "why": None}, f"what was tried: {said}")
    text = p.warren("explain", "far").stdout
    check(f"{first}: " in text and "in vain" in text and "there is none yet" in text, text)
    d = start(ctx, folder, "again")
    out, err = submit.communicate(timeout=4 * WORK_S)
    check(submit.returncode == 0 and out == "by the second\n", f"{submit.returncode} {out} {err}")
    check(not any(f.endswith(".way") for f in os.listdir(os.path.join(p.person, "letters"))), "nothing is left to explain")
    d.stop()
    check(jobs_of(folder) == 1, "jobs in the ledger")
    return None


TESTS = []
LONG = [
    ("letters: a job directly and opportunistically", by_link),
    ("letters: through lxmd, never up together", never_together),
    ("letters: warren submit through lxmd, never up together", both_ours),
    ("letters: two propagation nodes, the first is down", several),
]
