# SPDX-License-Identifier: BSD-2-Clause
"""Jobs by LXMF message through a stock lxmd: who submits and who computes are never up together."""

import json
import os
import subprocess

import lib
from lib import check, server
from test_apps import program
from test_tools import Instance, extra


class World:
    """A shared instance, stock or ours, a propagation node on it, a person, an independent node that reads mail."""

    def __init__(self, ctx, python, stock):
        self.ctx, self.python = ctx, python
        instance = Instance("unix")
        text = instance.text(server("mesh", lib.free_port()), transport=True)
        if stock:
            self.near = ctx.rnsd(python, text)
            lib.must(instance.up, "rnsd")
        else:
            self.near = ctx.transport(text).folder
        home = ctx.dir("lxmd")
        with open(os.path.join(home, "config"), "w") as f:
            f.write("[propagation]\nenable_node = yes\nannounce_at_start = yes\n"
                    "propagation_stamp_cost_target = 13\npropagation_stamp_cost_flexibility = 0\n"
                    "[lxmf]\ndisplay_name = node\n[logging]\nloglevel = 4\n")
        self.storage = ctx.dir("mailnode")
        self.person, self.work = ctx.dir("person"), ctx.dir("work")
        listener = self.up()
        program(ctx, "lxmd", [os.path.join(os.path.dirname(python), "lxmd"), "--config", home,
                              "--rnsconfig", self.near, "-p"])
        self.via = listener.expect(event="announce", aspect="lxmf.propagation")["dest"]
        listener.say("announce")
        self.dest = listener.ready["dest"]
        # from here on the person knows it; a relay forgets who is gone
        r = self.warren("describe", self.dest, "--timeout", "30s")
        check(r.returncode == 0, f"describe: {r.stderr}")
        listener.end()

    def up(self):
        p = lib.Script([self.python, os.path.join(lib.HERE, "mailnode.py"), self.near, self.storage],
                       os.path.join(self.ctx.folder, "mailnode.log"))
        self.ctx.keep(p)
        p.ready = p.expect(event="ready")
        return p

    def warren(self, *words):
        return subprocess.run([os.path.join(self.ctx.args.build, "warren"), *words, "--config", self.near,
                               "--identity", self.person], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              cwd=self.work, timeout=120)

    def submit(self, *words, **keys):
        with open(os.path.join(self.work, "job.yaml"), "w") as f:
            json.dump({"image": "host", **keys}, f)
        r = self.warren("submit", "job.yaml", "--to", self.dest, "--via-lxmf", self.via, "--detach", *words)
        check(r.returncode == 0, f"submit: {r.returncode} {r.stderr}")
        check("--json" in words or "the propagation node has" in r.stderr, r.stderr)
        return r.stdout.strip()

    def node_reads(self, *words):
        """The node comes up, reads its mail, answers, and goes."""
        p = self.up()
        for w in (f"node {self.via}", *words, "sync"):
            p.say(w)
        letter = p.expect(event="letter")
        check(letter["signed"] and letter["type"] == "klp/v1", letter)
        p.expect(event="answered")
        p.end()
        return letter


def apart(ctx, stock=True):
    """A job with inputs and outputs, its receipt; one that is refused. Each is stopped while the other runs."""
    python = extra(ctx, "apps")
    if python is None:
        return "lxmf could not be installed with pip"
    w = World(ctx, python, stock)
    os.makedirs(os.path.join(w.work, "in"))
    os.makedirs(os.path.join(w.work, "out"))
    with open(os.path.join(w.work, "in", "words"), "w") as f:
        f.write("b\na\n")
    job = w.submit(command=["/bin/sh", "-c", "sort /tmp/in/words > /tmp/out/sorted; echo said"],
                   volumes=["./in:/tmp/in:ro", "./out:/tmp/out:rw"])
    check(w.node_reads()["inputs"] == 2, "both volumes")
    r = w.warren("result", job, "--via-lxmf", w.via)
    check(r.returncode == 0 and r.stdout == "said\n", f"result: {r.returncode} {r.stdout} {r.stderr}")
    folder = os.path.join(w.work, job[:16])
    with open(os.path.join(folder, "volumes/tmp/out/sorted")) as f:
        check(f.read() == "a\nb\n", "the output")
    r = w.warren("receipt", "verify", job)
    check(r.returncode == 0, f"receipt verify: {r.stderr}")
    # it is filed: nobody need be asked again
    r = w.warren("result", job, "--via-lxmf", w.via)
    check(r.returncode == 0, f"once more: {r.returncode} {r.stderr}")
    said = json.loads(w.submit("--out", "no", "--json", command=["/bin/true"]))
    job = said["id"]
    check(said["event"] == "handed_over" and said["to"] == "propagation_node" and len(job) == 64, f"--json: {said}")
    w.node_reads("refuse")
    r = w.warren("result", job, "--via-lxmf", w.via)
    check(r.returncode == 3 and "not_accepting" in r.stderr, f"refused: {r.returncode} {r.stderr}")


TESTS = []
LONG = [
    ("lxmf: a job through lxmd, never up together, on rnsd", apart),
    ("lxmf: a job through lxmd, never up together, on ours", lambda ctx: apart(ctx, stock=False)),
]
