#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""KTE-1 of trust/doc against the code of klp.md, Appendix A, on random graphs.

  kte1.py KTE1_LINES KLP.MD [GRAPHS [SEED]]

The code is taken from the specification's text itself, so that the text, the
oracle and the programs cannot part. Graphs are small and dense at the borders:
confidences, times, half-lives, depths, quotas and scopes one step to each side
of where a verdict turns; everybody is asked, at several times.
"""
import random
import re
import subprocess
import sys

NOW = 1800000000
DAY = 86400
SCOPES = {2: "job.submit", 0: "mesh.relay", 31: "*"}
CONF = [0, 1, 250, 499, 500, 501, 699, 700, 701, 849, 850, 851, 900, 999, 1000]


def oracle(path):
    text = open(path, encoding="utf-8").read()
    code = re.search(r"^## Appendix A\..*?^```python\n(.*?)^```", text, re.S | re.M).group(1)
    names = {}
    exec(compile(code, path, "exec"), names)
    return names["kte1"]


class Case:
    def __init__(self, r):
        self.r = r
        self.edges, self.anchors, self.revoked = [], {}, set()
        self.ids = []

    def people(self, n):
        self.ids = ["%064x" % self.r.getrandbits(256) for _ in range(n)]
        return self.ids

    def edge(self, s, t, level, c=900, auth=0, depth=1, iss=None, exp=None, hl=0, scopes=(2,)):
        iss = NOW - 10 * DAY if iss is None else iss
        exp = iss + self.r.choice([100, 399, 400]) * DAY if exp is None else exp
        if exp <= iss or exp - iss > 400 * DAY:
            exp = iss + DAY
        self.edges.append({"s": s, "t": t, "l": level, "c": c, "auth": auth, "d": depth,
                           "sc": [SCOPES[b] for b in scopes], "bits": sum(1 << b for b in scopes),
                           "iss": iss, "exp": exp, "hl": hl})

    def wild(self, s, t):
        """An edge with something near a border."""
        r = self.r
        hl = r.choice([0, 0, 0, 1, 7, 30, 365])
        iss = NOW - r.choice([0, 1, DAY, 7 * DAY, 30 * DAY, 60 * DAY, 300 * DAY, -299, -300, -301]) - \
            r.choice([0, 0, 1, DAY // 2])
        exp = r.choice([None, None, None, NOW - 1, NOW, NOW + 1])
        self.edge(s, t, r.choice([-3, -2, -1, 0, 1, 1, 2, 2, 2, 3, 3]), r.choice(CONF), r.random() < 0.6,
                  r.choice([0, 1, 1, 2, 3, 255]), iss, exp, hl, r.choice([(2,), (2,), (31,), (0,), (0, 2)]))

    def some_anchors(self, most):
        for a in self.r.sample(self.ids, min(len(self.ids), self.r.randint(0, most))):
            self.anchors[a] = self.r.choice([0, 1, 2, 3, 3, 3])
        if self.r.random() < 0.2:
            self.anchors["%064x" % self.r.getrandbits(256)] = 3  # counts for the quorum, says nothing

    def some_revoked(self):
        if self.r.random() < 0.4:
            self.revoked = set(self.r.sample(self.ids, self.r.randint(0, min(3, len(self.ids)))))


def random_graph(c):
    r = c.r
    ids = c.people(r.randint(2, 30))
    for _ in range(r.randint(0, 6 * len(ids))):
        s, t = r.choice(ids), r.choice(ids)
        for _ in range(r.choice([1, 1, 1, 2, 3])):
            c.wild(s, t)
    c.some_anchors(5)


def tiers(c):
    """Anchors, two rows of introducers, targets: what the three levels are for."""
    r = c.r
    ids = c.people(r.randint(8, 28))
    cut = sorted(r.sample(range(1, len(ids)), 3))
    rows = [ids[:cut[0]][:5], ids[cut[0]:cut[1]], ids[cut[1]:cut[2]], ids[cut[2]:]]
    c.anchors = {a: r.choice([0, 1, 2, 3, 3, 3]) for a in rows[0]}
    for above, below in ((0, 0), (0, 1), (1, 2), (2, 3), (1, 3), (0, 3)):
        for s in rows[above]:
            for t in rows[below]:
                if r.random() < 0.4:
                    last = below == 3
                    c.edge(s, t, r.choice([-3, -2, -1, 1, 2, 3] if last else [1, 2, 2, 2, 3, -2]), r.choice(CONF[6:]),
                           r.random() < 0.9, r.choice([0, 1, 1, 2]), NOW - r.randint(0, 40) * DAY,
                           hl=r.choice([0, 0, 30]))


def quota(c):
    """Sources with 60 to 70 vouchees, many at the same second."""
    r = c.r
    ids = c.people(90)
    a, i, j = ids[:3]
    c.anchors = {a: 3}
    if r.random() < 0.3:
        i = a  # an anchor has none
    if r.random() < 0.5:
        c.anchors[ids[3]] = 3
        c.edge(ids[3], j, 2, 900, 1, 1)
    c.edge(a, i, 2, 900, 1, 2)
    if r.random() < 0.5:
        c.edge(i, j, 2, 900, 1, 1)
    for s in (i, j) if r.random() < 0.5 else (i,):
        few = r.choice([0.0, 0.02, 0.05])
        for t in r.sample(ids, r.randint(64, 88)):
            if t != s:
                c.edge(s, t, r.choice([0, -1]) if r.random() < few else r.choice([1, 1, 2]),
                       499 if r.random() < few else 900, r.random() < 0.1, 1, NOW - r.choice([5, 5, 6, 7]) * DAY,
                       scopes=(0,) if r.random() < few else r.choice([(2,), (2,), (31,)]))


def crossed(c):
    """Matchings that a first choice spoils."""
    r = c.r
    ids = c.people(r.randint(6, 14))
    k = r.randint(2, 4)
    anchors, intro, target = ids[:k], ids[k:-1], ids[-1]
    c.anchors = {a: 3 for a in anchors}
    for a in anchors:
        for i in r.sample(intro, r.randint(1, min(2, len(intro)))):
            c.edge(a, i, 2, r.choice([700, 900]), 1, 1)
        if r.random() < 0.3:
            c.edge(a, target, r.choice([2, 2, 2, -2, -3]), 900)
        if r.random() < 0.3:
            c.edge(a, r.choice(anchors), r.choice([2, 2, -2, -3]), 900, 1, 1)
    for i in intro:
        if r.random() < 0.7:
            c.edge(i, target, r.choice([2, 2, -1, -2, -3]), r.choice([500, 700, 900]))


def chain(c):
    """Long lines and circles of introducers."""
    r = c.r
    ids = c.people(r.randint(4, 12))
    c.anchors = {ids[0]: 3}
    for n, s in enumerate(ids):
        c.edge(s, ids[(n + 1) % len(ids)], r.choice([2, 3]), r.choice([500, 900]), 1, r.choice([0, 1, 2, 3, 255]))
        if r.random() < 0.3:
            c.wild(s, r.choice(ids))


def times(c):
    """Now, and one second to each side of where an edge turns."""
    r, out = c.r, {NOW}
    for e in r.sample(c.edges, min(2, len(c.edges))):
        at = [e["exp"], e["iss"] - 300]
        if e["hl"]:
            h = e["hl"] * DAY
            at += [e["iss"] + r.choice([1, 2, 15, 16]) * h, e["iss"] + h // 2]
        t = r.choice(at) + r.choice([-1, 0, 1])
        if 0 < t < 2**32 - 1000:
            out.add(t)
    return sorted(out, key=lambda t: r.random())


def main():
    program, spec = sys.argv[1:3]
    graphs = int(sys.argv[3]) if len(sys.argv) > 3 else 500
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.SystemRandom().getrandbits(32)
    kte1, lines, want, seen = oracle(spec), [], [], {}
    shapes = [random_graph, random_graph, tiers, tiers, crossed, chain]
    for g in range(graphs):
        c = Case(random.Random(seed * 1000003 + g))
        (quota if g % 20 == 0 else shapes[g % len(shapes)])(c)
        c.some_revoked()
        c.r.shuffle(c.edges)
        for e in c.edges:
            lines.append("edge %(s)s %(t)s %(l)d %(c)d %(auth)d %(d)d %(bits)d %(iss)d %(exp)d %(hl)d" % e)
        for a, level in c.anchors.items():
            lines.append("anchor %s %d %d" % (a, level, 1 << 31))
        lines += ["revoked " + x for x in c.revoked]
        named = {x for e in c.edges for x in (e["s"], e["t"]) if e["s"] != e["t"]}
        for now in times(c):
            scope = c.r.choice([2, 2, 2, 0])
            at = {t: kte1(c.edges, c.anchors, t, SCOPES[scope], now, c.revoked) for t in c.ids}
            for t in c.ids:
                if t not in c.revoked and t not in c.anchors:  # the others are step 0's
                    lines.append("ask %s %d %d" % (t, scope, now))
                    want.append((g, str(at[t])))
                    seen[at[t]] = seen.get(at[t], 0) + 1
            good = [t for t in c.ids if at[t] >= 1 and t in named]
            lines.append("trusted %d %d" % (scope, now))
            want.append((g, "%d %d" % (len(good), sum(int(t[-1], 16) % 2 == 0 for t in good))))
        lines.append("end")
    run = subprocess.run([program], input="\n".join(lines) + "\n", capture_output=True, text=True)
    got = run.stdout.split("\n")[:-1]
    told = "seed %d, %d graphs, %d verdicts: %s" % (seed, graphs, sum(seen.values()), dict(sorted(seen.items())))
    for w, x in zip(want, got):
        if w[1] != x:
            sys.exit("not ok: graph %d: %s here, %s in Appendix A; %s" % (w[0], x, w[1], told))
    if run.returncode != 0 or len(got) != len(want):
        sys.exit("not ok: ended with %d after %d of %d answers: %s; %s" %
                 (run.returncode, len(got), len(want), run.stderr.strip(), told))
    if graphs >= 100 and any(seen.get(level, 0) < 10 for level in range(-3, 4)):
        sys.exit("not ok: a level that hardly occurs: " + told)
    print("ok: " + told)


if __name__ == "__main__":
    main()
