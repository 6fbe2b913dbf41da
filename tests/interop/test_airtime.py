# SPDX-License-Identifier: BSD-2-Clause
"""What a node says that a transfer over a radio will take, and what the ether
shows: warren submit - warrend - RNodes - warrend with a node."""

import json
import os
import random

import lib
import test_jobs
from lib import check
from test_radio import Person, ether, ours, section

RADIO = {"frequency": 868200000, "bandwidth": 125000, "txpower": 7, "spreadingfactor": 9, "codingrate": 5}
ADVERTISED, ASKED, ANSWER = 0x02, 0x09, 0x0A  # contexts of packets
LIMITS = {"memory": "16MB", "time": "30s", "pids": 4, "output": "64kB", "log": 1, "cpu": 0.5}


class Pair:
    """A person and a node, each behind a radio."""

    def __init__(self, ctx, radio=RADIO, more="max_airtime: 1d\n", **air):
        self.e = ether(ctx, **air)
        os.chmod(ctx.folder, 0o755)
        here, there = (section(n, self.e.rnode(n).path, keys=radio) for n in ("here", "there"))
        self.p = Person(ctx, ours(ctx), here)
        who = json.loads(self.p.warren("identity", "show", "--json").stdout)
        self.p.dest, _, _ = test_jobs.node(ctx, there, [(who["urn"], 2)], more)
        self.jobs = 0

    def start(self, size):
        """A job with an input of so many random bytes, and an output of one byte at most."""
        self.jobs += 1
        name = f"job{self.jobs}"
        os.mkdir(self.p.path(name))
        with open(self.p.path(name, "data"), "wb") as f:
            f.write(random.randbytes(size))
        job = self.p.job("true", name=name + ".yaml", image="test/busybox:1", limits=LIMITS, volumes=[f"./{name}:/data:ro"])
        return self.p.start("submit", job, "--to", self.p.dest, "--json", "--timeout", "10m", "--out", name + ".out")

    def now(self):
        return self.e.loop.call(lambda: self.e.loop.now)

    def frames(self, since):
        return self.e.loop.call(lambda: [f for f in self.e.air.frames if f["start"] >= since])

    def upload(self, size):
        """(s that were said of it, s that nine of ten take at most, s from the first question to the last answer)"""
        run, said, most, began, last = self.start(size), None, None, None, None
        for line in run.stdout:
            last = json.loads(line)
            if last["event"] == "state" and last["reason"] == "inputs" and said is None:
                said, most, began = last["airtime_s"], last["airtime_p90_s"], self.now()
        check(run.wait(lib.PATIENCE_S) == 0, f"{last} {run.stderr.read()}")
        # a question of one packet and its answer, which the output is reckoned with, and the input
        frames = self.frames(began)
        first = next(f for f in frames if f["from"] == "here" and f.get("context") in (ASKED, ADVERTISED))
        end = answered(frames)[-1]
        return said, most, end["start"] + end["air"] - first["start"]

    def refused(self, size):
        """What a job that needs too long is told, and bytes that moved."""
        began, run = self.now(), self.start(size)
        out, err = run.communicate(timeout=4 * lib.PATIENCE_S)
        check(run.returncode == 3, f"{run.returncode} {out} {err}")
        return json.loads(out.splitlines()[-1]), sum(f["bytes"] for f in self.frames(began) if f["kind"] == "link")


def answered(frames):
    """The answers to the slices: to all that is offered, but not to the job, which is handed over again at the end."""
    answers, offered = [], False
    for f in frames:
        if f["from"] == "here" and f.get("context") == ADVERTISED:
            offered = True
        elif offered and f["from"] == "there" and f.get("context") == ANSWER and "here" in f["heard"]:
            answers.append(f)
            offered = False
    # unanswered: that was the job, whose answer is all of it
    return answers if offered else answers[:-1]


def off(said, took):
    print(f"#   said {said} s, took {took:.1f} s ({100 * (said - took) / took:+.1f} %)", flush=True)
    return abs(said - took) / took


def without_loss(ctx):
    """2 and 9.5 kB at 1.8 kbit/s; and a job that would need longer than max_airtime is told so before it moves."""
    pair = Pair(ctx, more="max_airtime: 3m\n", seed=random.randrange(1 << 30))
    for size in 2000, 9500:
        said, _, took = pair.upload(size)
        check(off(said, took) < 0.1, f"{size} bytes: said {said}, took {took}")
    told, moved = pair.refused(30000)
    check(told["code"] == "airtime" and told["step"] == 11 and told["limit"] == 180 and told["value"] > 270, told)
    check(moved < 6000, f"{moved} bytes were on the air")


def with_loss(ctx):
    """One frame of ten is lost, which the node finds out by a first transfer. One run says little, the sum of seven more."""
    pair = Pair(ctx, more="max_airtime: 1d\n", seed=random.randrange(1 << 30), loss=0.1)
    pair.upload(9500)
    runs = [pair.upload(size) for size in (2000, 9500, 2000, 2000, 9500, 2000, 2000)]
    for said, most, took in runs:
        print(f"#   said {said} s, {most} s at most, took {took:.1f} s", flush=True)
    said, took = sum(r[0] for r in runs), sum(r[2] for r in runs)
    # such a sum differs by a seventh from its mean, as often as not
    check(off(said, took) < 0.35, f"said {said}, took {took}")
    check(sum(r[2] <= r[1] for r in runs) >= 4, f"more than was said to be the most: {runs}")


TESTS = []
LONG = [
    ("airtime: said before, without loss", without_loss),
    ("airtime: said before, with loss", with_loss),
]
