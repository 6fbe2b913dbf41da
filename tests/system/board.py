# SPDX-License-Identifier: BSD-2-Clause
"""A board from its first key on, as the manual tells it: it says by a trust
graph whom a node takes jobs from, and takes it back while a job runs."""
import json
import os
import signal
import sys
import time

from lib import done, result, until
from libjob import Burrow

build = sys.argv[1]
NAME = "board.example"
LEVEL = 2


class Board:
    """Keys and documents of ann and ben in a folder."""

    def __init__(self, node):
        self.node, self.dir = node, os.path.join(node.work, "board")
        os.mkdir(self.dir, 0o755)
        if node.user is not None:
            os.chown(self.dir, node.user, node.user)
        self.folder = os.path.join(node.dir, "klp", "documents", NAME)
        self.keys = {n: self.key(n) for n in ("ann", "ben")}

    def path(self, name):
        return os.path.join(self.dir, name)

    def do(self, *words):
        rc, out, err = self.node.warren(*words, config=False)
        if rc != 0:
            raise RuntimeError("%s: %s %s%s" % (words, rc, out, err))
        return out

    def key(self, name):
        return json.loads(self.do("klp", "keygen", self.path(name), "--json"))

    def write(self, name, document):
        with open(self.path(name), "w") as f:
            json.dump(document, f, indent=1)
        os.chmod(self.path(name), 0o644)
        return self.path(name)

    def root(self):
        fps = [k["fp"] for k in self.keys.values()]
        document = self.write("root.json", {
            "_type": "klp.root", "authority": NAME, "version": 1, "issued": 0, "expires": 0,
            "keys": {k["fp"]: {"key": k["key"], "scheme": k["scheme"]} for k in self.keys.values()},
            "roles": {"root": {"keys": fps, "threshold": 2}, "head": {"keys": fps, "threshold": 1},
                      "graph": {"keys": fps, "threshold": 2}, "list": {"keys": fps, "threshold": 1}},
            "documents": {"graph.json": {"role": "graph", "type": "klp.trust-graph", "max": 4194304},
                          "revoked.json": {"role": "list", "type": "klp.revocation-list", "max": 1048576}}})
        self.do("klp", "sign", document, "--expires", "365d", "-k", self.path("ann"), "-o", self.path("root"))
        self.do("klp", "sign", self.path("root"), "-k", self.path("ben"), "-o", self.path("root"))
        self.do("klp", "verify", self.path("root"), "--root", self.path("root"))

    def graph(self, target):
        now = int(time.time())
        document = self.write("graph.json", {
            "_type": "klp.trust-graph", "uri": "klp://%s/graph.json" % NAME, "version": 1, "issued": 0,
            "expires": 0, "namespace": "kindai", "nodes": [],
            "edges": [{"source": k["urn"], "target": target, "trust_level": LEVEL, "confidence": 0.9,
                       "tags": ["submitter"], "issued": now - 60, "expires": now + 86400}
                      for k in self.keys.values()]})
        self.do("klp", "sign", document, "--expires", "30d", "-k", self.path("ann"), "-k", self.path("ben"),
                "-o", self.path("graph"))

    def revoke(self, who):
        self.do("revoke", who, "--list", self.path("list"), "--uri", "klp://%s/revoked.json" % NAME,
                "--reason", "behavior_violation", "-k", self.path("ben"))

    def publish(self, *names):
        self.do("klp", "publish", self.folder, *map(self.path, names), "-k", self.path("ann"))


def why(node, who):
    rc, out, err = node.warren("trust", "why", who, "--json")
    try:
        return json.loads(out)
    except ValueError:
        return {"failed": "%s %s" % (rc, err)}


def shown(node):
    rc, out, err = node.warren("trust", "show", "--json")
    try:
        return {d["path"]: d for d in json.loads(out)["documents"]}
    except ValueError:
        return {"failed": "%s %s" % (rc, err)}


def outcomes(node):
    rc, out, err = node.warren("jobs", "--here", "--json")
    return [j.get("outcome") for line in out.splitlines() for j in json.loads(line).get("jobs", [json.loads(line)])]


def board(mode, user):
    node = Burrow(build, "board-" + mode, user, more="trust:\n  floor: 0\n")
    try:
        b, me = Board(node), node.me.get("urn")
        for d in ("klp", "klp/authorities", "klp/documents"):
            os.mkdir(os.path.join(node.dir, d), 0o755)
            if user is not None:
                os.chown(os.path.join(node.dir, d), user, user)
        b.root()
        b.graph(me)
        b.revoke("urn:klp:kindai:human:" + "77" * 32)
        b.publish("root", "graph", "list")
        with open(b.path("root")) as f:
            node.write("klp/authorities/%s.root.json" % NAME, f.read())
        os.chmod(os.path.join(node.dir, "klp/authorities", NAME + ".root.json"), 0o644)
        with open(os.path.join(node.dir, "node.yaml")) as f:
            text = f.read().replace("trust:\n  floor: 0\n", "")
        node.write("node.yaml", text + "trust_graph: klp://%s/graph.json\nrevocation_list: klp://%s/revoked.json\n"
                   "trust:\n  anchors:\n%s" % (NAME, NAME, "".join(
                       "    - {id: \"%s\", max_level: 3, scopes: [\"*\"]}\n" % k["urn"] for k in b.keys.values())))
        if not node.up():
            result(mode + ": a node of a board", False, "%s %s" % (node.problem, node.said()[-1500:]))
            return
        until(lambda: shown(node).get("graph.json", {}).get("version") == 1, "the graph")
        s = shown(node)
        result(mode + ": trust show lists what the board has published",
               s.get("graph.json", {}).get("fresh") == "fresh" and s.get("revoked.json", {}).get("version") == 1, s)
        w = why(node, me)
        sources = sorted(p[0]["source"] for p in w.get("paths", []))
        result(mode + ": trust why names both who gave the level", w.get("level") == LEVEL and
               sources == sorted(k["fp"] for k in b.keys.values()) and all(len(p) == 1 for p in w["paths"]), w)
        rc, last, job = node.run_job("true")
        result(mode + ": who is in the graph may run jobs", rc == 0, "%s %s" % (last, job))
        job = node.submit(node.job_file("echo here; sleep 60"))
        started = until(lambda: any(e.get("event") == "state" and e.get("state") == "running"
                                    for e in job.events), "a job that runs")
        b.revoke(me)
        b.publish("list")
        node.process.send_signal(signal.SIGHUP)
        # his link is closed: what became of it, the operator sees
        ended = until(lambda: ["killed", "revoked"] in outcomes(node), "the end of his job")
        result(mode + ": revoked while a job runs, it ends", started and ended, outcomes(node))
        job.process.kill()
        w = why(node, me)
        result(mode + ": and trust why says so", w.get("level") == -3 and w.get("revoked") == "revoked" and
               w.get("paths") == [], w)
    finally:
        node.remove()


board(*(("root", None) if os.geteuid() == 0 else ("user", None)))
done()
