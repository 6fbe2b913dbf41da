# SPDX-License-Identifier: BSD-2-Clause
"""Fingerprints in a transparency log: what the node writes another reads by
the definitions alone; a trail that was rewritten, a log that forgets, forks or
is changed in any byte, and a witness that was lied to."""
import json
import os
import shutil
import sys

import lib
import libtlog
from lib import done, result, until
from libjob import Burrow

build = sys.argv[1]
ORIGIN = "log.example/warren"
ZERO = "sha256:" + "0" * 64


class Log:
    def __init__(self, node):
        self.node, self.dir = node, os.path.join(node.work, "log")
        self.key, self.vkey = self.path("key"), None
        self.keys = {}
        for name in ("key", "w1", "w2"):
            rc, out, err = node.warren("klp", "keygen", self.path(name),
                                       "--json", config=False)
            result("a key, " + name, rc == 0, out + err)

    def path(self, name):
        return os.path.join(self.node.work, name)

    def do(self, verb, *words, log=None, who="person", **kw):
        words = ["audit", verb, "--log", log or self.dir, *words,
                 "--identity", self.path(who)]
        return self.node.warren(*words, **kw)

    def anchor(self, *what, log=None, key=None, **kw):
        rc, out, err = self.do("anchor", "-k", key or self.key, *what,
                               "--json", log=log, **kw)
        if rc == 0:
            self.vkey = json.loads(out)["key"]
        return rc, out, err

    def verify(self, *words, **kw):
        return self.do("verify", "--log-key", self.vkey, *words, **kw)

    def agent(self, n):
        p = self.path("agent%d.json" % n)
        with open(p, "w") as f:
            f.write('{"_type":"klp.fingerprint","agent":"%s","contract":"%s",'
                    '"image":"%s","issued":%d,"manifest":"%s","version":1}' %
                    (self.node.me["urn"], ZERO, ZERO, 1800000000 + n, ZERO))
        return p


def shown(log, name):
    size, root, entries = libtlog.read(log.dir, libtlog.Vkey(log.vkey))
    kinds = [json.loads(e) for e in entries]
    result(name, True)
    return size, kinds


def writes(log):
    rc, out, err = log.anchor("trail")
    result("no log is begun without a name", rc == 1 and "--origin" in err,
           "%s %s" % (rc, err))
    rc, out, err = log.anchor("node", "trail", "images", log.agent(0),
                              "--origin", ORIGIN, "--proofs",
                              log.path("proofs"))
    result("node, trail, image and agent are anchored", rc == 0 and
           [e["of"] for e in json.loads(out)["entries"]] ==
           ["node", "trail", "image", "agent"], "%s %s%s" % (rc, out, err))
    size, records = shown(log, "another reads it")
    result("four records", size == 4 and records[0]["node"] ==
           log.node.who["urn"] == records[1]["node"] and
           records[1]["trail"]["size"] > 0, str(records))
    vkey = libtlog.Vkey(log.vkey)
    for n in range(4):
        with open(log.path("proofs/%d.tlog-proof" % n), "rb") as f, \
                open(log.path("proofs/%d.json" % n), "rb") as r:
            ok = libtlog.proof(f.read(), vkey, r.read()) == n
        result("another accepts proof %d" % n, ok)
    rc, out, err = log.anchor(log.agent(1), key=log.path("w1"))
    result("nobody else writes there", rc == 3 and "another's log" in err,
           "%s %s" % (rc, err))
    rc, out, err = log.anchor(log.agent(1), "--origin", "other")
    result("nor under another name", rc == 2, "%s %s" % (rc, err))


def grows(log):
    """Over the border of a tile."""
    for start, end in ((1, 251), (251, 253), (253, 300)):
        rc, out, err = log.anchor(*[log.agent(n) for n in range(start, end)])
        if rc != 0:
            break
        libtlog.read(log.dir, libtlog.Vkey(log.vkey))
    result("it grows beyond a tile, and another reads it", rc == 0,
           "%s %s" % (rc, err))
    rc, out, err = log.verify()
    result("it has only grown, and the trail is in it", rc == 0 and
           "anchored   the first" in out, "%s %s%s" % (rc, out, err))


def proofs(log):
    proof, record = log.path("proofs/3.tlog-proof"), log.path("proofs/3.json")
    rc, out, err = log.verify("--record", record, log=proof, config=False)
    result("a proof alone is enough", rc == 0 and "entry 3" in out,
           "%s %s%s" % (rc, out, err))
    rc, out, err = log.verify("--record", log.agent(7), log=proof,
                              config=False)
    result("not for another record", rc == 3, "%s %s" % (rc, out + err))
    with open(proof, "rb") as f:
        good = f.read()
    missed, bad = [], log.path("bad.tlog-proof")
    for at in range(0, len(good), 7):
        with open(bad, "wb") as f:
            f.write(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        if log.verify("--record", record, log=bad, config=False)[0] == 0:
            missed.append(at)
    result("a changed byte of it is found", not missed, str(missed))
    rc, out, err = log.do("verify", "--record", record, log=proof,
                          config=False)
    result("without the log's key nothing is proven", rc == 6, out + err)


def witnesses(log):
    keys = []
    for w in ("w1", "w2"):
        rc, out, err = log.do(
            "witness", "--log-key", log.vkey, "-k", log.path(w), "--name",
            w + ".example", "--json", who=w + "-seen", config=False)
        result(w + " signs", rc == 0, "%s %s" % (rc, err))
        keys.append(json.loads(out)["witness"])
    with open(os.path.join(log.dir, "checkpoint"), "rb") as f:
        note = f.read()
    for k in keys:
        result("another accepts it",
               libtlog.opened(note, libtlog.Vkey(k))[1] > 1700000000)
    both = [x for k in keys for x in ("--witness", k)]
    rc, out, err = log.verify(*both)
    result("both count", rc == 0 and "witnesses  2" in out, out + err)
    rc, out, err = log.anchor(log.agent(300))
    result("a new state", rc == 0, err)
    rc, out, err = log.verify(*both)
    result("has no witness yet", rc == 3 and "0 of 2" in err, out + err)
    log.do("witness", "--log-key", log.vkey, "-k", log.path("w1"), "--name",
           "w1.example", who="w1-seen", config=False)
    rc, out, err = log.verify(*both)
    result("one of two is not enough", rc == 3 and "1 of 2" in err, out + err)
    rc, out, err = log.verify(*both, "--witnesses", "1")
    result("one is when one is asked for", rc == 0, out + err)
    rc, out, err = log.verify("--witness", keys[0].replace("w1.", "w9."))
    result("a key under another name is none", rc == 2, out + err)


def lies(log, old):
    """old: the log as it was with fewer entries."""
    fork = log.path("fork")
    shutil.copytree(old, fork)
    rc, out, err = log.anchor(log.agent(900), log=fork)
    result("a log is forked by its own key", rc == 0, err)
    for n in range(901, 1300, 100):
        log.anchor(*[log.agent(k) for k in range(n, n + 100)], log=fork)
    rc, out, err = log.verify(log=fork)
    result("who has seen the other one refuses it", rc == 3 and
           "before, with more behind it" in err and "split-" in err, err)
    rc, out, err = log.do("witness", "--log-key", log.vkey, "-k",
                          log.path("w1"), "--name", "w1.example", log=fork,
                          who="w1-seen", config=False)
    result("a witness does not sign it", rc == 3, "%s %s" % (rc, err))
    seen = os.path.join(log.path("person"), "logs")
    evidence = [f for f in os.listdir(seen) if ".split-" in f]
    with open(os.path.join(seen, evidence[0]), "rb") as f:
        text = f.read()
    result("both states are kept, signed", len(evidence) == 1 and
           text.count(ORIGIN.encode() + b"\n") == 2, str(evidence))
    rc, out, err = log.verify(log=old)
    result("an older state is said to be one", rc == 0 and
           "an older state" in err, "%s %s" % (rc, err))


def damage(log):
    """A byte of any file that the last state needs."""
    size = libtlog.read(log.dir, libtlog.Vkey(log.vkey))[0]
    needed = ["checkpoint", "tile/0/000", "tile/0/001.p/%d" % (size - 256),
              "tile/1/000.p/1", "tile/entries/000",
              "tile/entries/001.p/%d" % (size - 256)]
    for name in needed:
        path, missed = os.path.join(log.dir, name), []
        with open(path, "rb") as f:
            good = f.read()
        for at in {0, 1, len(good) // 3, len(good) // 2, len(good) - 1}:
            with open(path, "wb") as f:
                f.write(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
            if log.verify()[0] not in (1, 3):
                missed.append(at)
        os.remove(path)
        if log.verify()[0] != 1:
            missed.append("gone")
        with open(path, "wb") as f:
            f.write(good)
        result("a changed byte of %s is found" % name, not missed, str(missed))
    rc, out, err = log.verify()
    result("put back, it is whole", rc == 0, err)


def rewritten(log, backup):
    """Keys and trail of an earlier day: whole in itself, and not what it was."""
    rc, out, err = log.node.warren("audit", "verify", "--config", backup,
                                   config=False)
    result("an older trail is whole", rc == 0, out + err)
    rc, out, err = log.verify("--config", backup, config=False)
    result("it is not what was anchored", rc == 1 and
           "anchored are gone" in err, "%s %s" % (rc, err))


def main():
    node = Burrow(build, "anchor")
    try:
        if not node.up():
            result("starts", False, node.problem or node.said()[-3000:])
            return
        node.stop() # before anything of the trail is signed
        backup = os.path.join(node.top, "backup")
        shutil.copytree(node.dir, backup, symlinks=True,
                        ignore=lambda d, names: [n for n in names
                                                 if n in ("run", "images")])
        node.start()
        node.ready(lib.ALL)
        log = Log(node)
        kept = os.path.join(node.dir, "warren/keys/checkpoint")
        until(lambda: os.path.exists(kept), "a checkpoint")
        node.stop()
        writes(log)
        grows(log)
        proofs(log)
        old = log.path("old")
        shutil.copytree(log.dir, old)
        witnesses(log)
        lies(log, old)
        damage(log)
        rewritten(log, backup)
    finally:
        node.remove()


main()
done()
