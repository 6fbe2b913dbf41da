# SPDX-License-Identifier: BSD-2-Clause
"""How a job ends: what the submitter is told (klpy/outcomes.py, by an independent reader of receipts), the node's trail, its
list and `warren show` agree, each job has one start and one end, and nothing of them is left."""

import glob
import json
import os
import shutil

import lib
from lib import check, client, config, server
from test_jobs import layers_given, new_key, node, run_in, warren

KINDS = ("job_admitted", "job_started", "job_exited", "job_cancelled")


def steps(ctx, folder, dest, secret, what):
    """The steps of a visit: [(name, id, outcome)]; fails with those that are not as they should be."""
    s = ctx.keep(lib.Script([ctx.args.python, "-m", "klpy.visit", "--config", folder, "--dest", dest, "--secret", secret,
                             "--image", "test/busybox:1", "--steps", what, "--layers", ctx.layers],
                            os.path.join(ctx.folder, "visit.log")))
    out, bad = [], []
    while True:
        line = s.lines.get(timeout=400)
        check(line is not None, f"the client ended early; {bad}")
        if ctx.args.verbose:
            print(f"# {line}", flush=True)
        if not line.get("ok"):
            bad.append(line)
        if line["step"] in ("end", "exception"):
            break
        out.append(line["step"].rsplit(" ", 2))
        if out[-1][1] == "-":
            out.pop()
    check(not bad, f"{len(bad)} ends: {bad[:4]}")
    return out


def of_trail(folder):
    """Job -> its lines of KINDS, in order."""
    out = {}
    for name in sorted(glob.glob(os.path.join(folder, "warren/trail/*.jsonl"))):
        with open(name) as f:
            for line in f:
                klp = json.loads(line).get("e", {}).get("unmapped", {}).get("klp", {})
                if klp.get("kind") in KINDS:
                    out.setdefault(klp.get("job"), []).append(klp)
    return out


def left(identity):
    """Processes of its jobs, and groups of theirs."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                line = f.read().split(b"\0")
        except OSError:
            continue
        if line[:2] == [b"sleep", b"7037"]:  # which nobody else has
            found.append(pid)
    return found + glob.glob(f"/sys/fs/cgroup/**/warren-{identity[:8]}/jobs/{'[0-9a-f]' * 16}*", recursive=True)


def agree(ctx, folder, ends):
    """The node's own side."""
    trail = of_trail(folder)
    listed = {j["id"]: j for j in json.loads(warren(ctx, "jobs", "--here", "--json", "--config", folder).stdout)["jobs"]}
    bad = []
    for name, job, want in ends:
        kind, _, detail = want.partition("/")
        lines = trail.get(job, [])
        kinds = [x["kind"] for x in lines]
        wanted = [kind, detail if kind == "killed" else int(detail)]
        if kind == "cancelled":
            if kinds != ["job_admitted", "job_cancelled"] or listed[job]["state"] != "cancelled":
                bad.append((name, kinds, listed[job]))
            continue
        said = lines[-1] if lines else {}
        word = detail if kind == "killed" else kind
        if kinds != ["job_admitted", "job_started", "job_exited"] or said.get("code") != word or \
                kind != "killed" and said.get("a", 0) != int(detail) or listed[job]["outcome"] != wanted:
            bad.append((name, want, kinds, said, listed.get(job)))
    check(not bad, f"{len(bad)} differ on the node's side: {bad[:3]}")


def under(runner, what):
    def run(ctx):
        if what == "modules" and not os.path.exists(os.path.join(ctx.args.build, "warren-wasm")):
            return "no modules in this build"
        if runner and shutil.which(runner[1]) is None:
            return f"no {runner[1]} here"
        run_in(ctx)
        secret, urn = new_key(ctx.args.python)
        port = lib.free_port()
        more = "quotas: {jobs_per_hour: 100000, jobs_queued: 64, requests_per_minute: 1000000}\ndata_limit_per_minute: 4GB\n"
        dest, _, folder = node(ctx, server("listen", port), [(urn, 2)], more + (f"runner: {runner[0]}\n" if runner else ""))
        ctx.layers = ",".join(layers_given(ctx, folder))
        ends = steps(ctx, ctx.stock_dir(config(client("up", port))), dest, secret, what)
        agree(ctx, folder, ends)
        identity = json.loads(warren(ctx, "identity", "show", "--json", "--config", folder).stdout)["rns"]
        lib.must(lambda: not left(identity), f"nothing of them is left: {left(identity)}")
        r = warren(ctx, "audit", "verify", "--config", folder)
        check("the chain is whole" in r.stdout, r.stdout)
    return run


TESTS = []
LONG = [
    ("outcomes: every exit code and signal", under(None, "outcomes")),
    ("outcomes: of modules", under(None, "modules")),
    ("outcomes: under bubblewrap", under(("bubblewrap", "bwrap"), "outcomes")),
    ("outcomes: under crun", under(("crun", "crun"), "outcomes")),
    ("outcomes: under podman", under(("podman", "podman"), "few")),
]
