# SPDX-License-Identifier: BSD-2-Clause
"""Documents of a board over the mesh alone, through a stock rnsd: a node that the root names has them, another gets
them; a stock program is a mirror, honest and not; and an announce ends a job. In the long run (KLPMESH_LONG)."""
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from lib import done, result, skip, until
from libruled import BOARD, Ruled, processes

build = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(build, "venv-1.5.7/bin/python")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def interface(port):
    return "[[up]]\ntype = TCPClientInterface\nenabled = yes\ntarget_host = 127.0.0.1\ntarget_port = %d\n" % port


class Stock:
    """Stock programs: the relay in the middle, and a klp.node behind it."""

    def __init__(self, port):
        self.top = tempfile.mkdtemp(prefix="warren-test.")
        self.port, self.things = port, []
        relay = self.config("relay", "[[in]]\ntype = TCPServerInterface\nenabled = yes\nlisten_ip = 127.0.0.1\n"
                            "listen_port = %d\n" % port, "yes")
        self.run([VENV, "-m", "RNS.Utilities.rnsd", "--config", relay])

    def config(self, name, interfaces, transport="no"):
        folder = os.path.join(self.top, name)
        os.mkdir(folder)
        with open(os.path.join(folder, "config"), "w") as f:
            f.write("[reticulum]\nenable_transport = %s\nshare_instance = no\n[logging]\nloglevel = 2\n[interfaces]\n%s" % (
                transport, interfaces))
        return folder

    def run(self, argv, **kw):
        log = open(os.path.join(self.top, "log"), "ab")
        p = subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=log, **({"stdout": log} | kw))
        self.things.append(p)
        return p

    def node(self, www, atag):
        self.www = www
        p = self.run([VENV, os.path.join(HERE, "libklpnode.py"), self.config("node", interface(self.port)), www, BOARD,
                      atag, "revoked.json"], stdout=subprocess.PIPE)
        return json.loads(p.stdout.readline())["identity"]

    def end(self):
        for p in self.things:
            p.kill()
            p.wait()
        shutil.rmtree(self.top, ignore_errors=True)


def shown(node):
    rc, out, err = node.warren("trust", "show", "--json")
    try:
        return {d["path"]: d for d in json.loads(out)["documents"]}
    except ValueError:
        return {}


def version(node):
    return shown(node).get("revoked.json", {}).get("version")


def fetched(a, b):
    ok = until(lambda: all(d["version"] == 1 for d in shown(b).values()) and shown(b), "both documents")
    d = shown(b)
    result("klpmesh: graph and list come from the node that the root names, through a stock rnsd",
           ok and len(d) == 2 and all(x["from"] == "rns:" + a.who["rns"] and x["fresh"] == "fresh" for x in d.values()),
           "%s %s %s" % (d, b.said()[-1500:], a.said()[-500:]))
    rc, out, err = b.warren("klp", "get", "klp://%s/graph.json#/edges/0/trust_level" % BOARD)
    result("klpmesh: klp get shows it", rc == 0 and json.loads(out) == 2, "%s %s %s" % (rc, out, err))


def copied(a, b):
    """Somebody else's folder, by hand, through the shared instance of b."""
    out = b.at("copy")
    rc, text, err = b.warren("klp", "mirror", BOARD, "--out", out, "--identity", b.person, "--json")
    same = all(open(os.path.join(out, n), "rb").read() == open(a.at("www/" + n), "rb").read()
               for n in ("head", "graph.json", "revoked.json")) if rc == 0 else False
    result("klpmesh: klp mirror copies all of it", same and json.loads(text)["documents"] == 2, "%s %s %s" % (rc, text, err))
    name = "klp://%s/graph.json" % BOARD
    rc, text, err = b.warren("klp", "get", name + "#/edges/0/trust_level", "--via", a.who["destination"], "--identity",
                             b.person)
    result("klpmesh: klp get --via shows what another has", rc == 0 and json.loads(text) == 2, "%s %s %s" % (rc, text, err))
    no = [(u, w) for u, w in ((name + "?v=9", "version 1"), ("klp://%s/x.json" % BOARD, "publishes no")) if w not in
          b.warren("klp", "get", u, "--via", a.who["destination"], "--identity", b.person)[2]]
    result("klpmesh: ... and nothing else", not no, no)
    rc, text, err = b.warren("klp", "mirror", "nobody.test", "--identity", b.person)
    result("klpmesh: ... of an authority that is pinned", rc == 1 and "no_authority" in err, "%s %s" % (rc, err))
    rc, text, err = b.warren("klp", "mirror", BOARD, "--out", out, "--from", b.who["destination"], "--identity", b.person)
    result("klpmesh: ... from one that has got it itself as well", rc == 0, "%s %s %s" % (rc, text, err))


def revoked(a, b):
    word = "%d.75" % (300000 + os.getpid())
    s = b.submit(b.job_file("sleep " + word))
    if not s.reached("running") or not until(lambda: processes(word) == 1, "the job's process"):
        result("klpmesh: the fetched graph lets him run a job", False, "%s %s" % (s, b.said()[-1500:]))
        return
    result("klpmesh: the fetched graph lets him run a job", True)
    folder = os.path.join(a.dir, "klp/documents", BOARD)
    a.say("revoke", b.me["urn"], "--reason", "behavior_violation", "--list", a.at("revoked.json"), "-k", a.at("key"),
          "--delta", folder, "--root", a.at("1.root.json"))
    a.hup()
    begun = time.monotonic()
    came = until(lambda: "by a delta" in b.said(), "the delta", step=.005)
    came_at = time.monotonic()
    gone = until(lambda: processes(word) == 0, "the job's end", step=.005)
    took = time.monotonic() - came_at
    result("klpmesh: a delta in an announce ends his job within 1 s of its arrival", came and gone and took < 1,
           "%.3f s %s %s" % (took, b.said()[-1500:], a.said()[-1500:]))
    print("# killed %.3f s after the delta was published, %.3f s after it came" % (came_at + took - begun, took))
    s.process.kill()
    s.end()
    result("klpmesh: the list has the delta's version", version(b) == 2, shown(b))


def atag(a):
    import base64
    with open(a.at("1.root.json")) as f:
        return hashlib.sha256(base64.b64decode(json.load(f)["payload"])).hexdigest()[:16]


def mirrored(a, b, stock):
    """The board's own node is away; a stock program has its folder."""
    www = os.path.join(stock.top, "www")
    a.publish("revoked.json")  # the list with the delta in it
    before = os.path.join(stock.top, "before")
    shutil.copytree(a.at("www"), before)
    a.revoke("d" * 32, "--kind", "rns")
    shutil.copytree(a.at("www"), www)
    a.stop()
    who = stock.node(www, atag(a))
    with open(os.path.join(b.dir, "node.yaml")) as f:
        text = f.read()
    b.write("node.yaml", text.replace("klp: {", "klp: {mirrors: [%s], " % who))
    b.hup()
    result("klpmesh: a stock program is a mirror", until(
        lambda: version(b) == 3 and shown(b)["revoked.json"]["from"] == "rns:" + who, "the third list"),
        "%s %s" % (shown(b), b.said()[-2500:]))
    return www, who


def lie(b, who, what, why):
    b.hup()
    ok = until(lambda: why in shown(b).get("revoked.json", {}).get("failed", "") and
               who in shown(b)["revoked.json"]["failed"], what)
    result("klpmesh: %s gives nothing, and trust show says why" % what, ok and version(b) == 3,
           "%s %s" % (shown(b), b.said()[-1500:]))


def liars(a, b, stock, www, who):
    old = os.path.join(stock.top, "old")
    with open(os.path.join(www, "head"), "rb") as f:
        head = f.read()
    # another head of this version: the board's key has signed both
    os.rename(os.path.join(stock.top, "before"), old)
    a.say("klp", "publish", old, a.at("revoked.json"), "-k", a.at("key"))

    def put(name, data):
        with open(os.path.join(www, name), "wb") as f:
            f.write(data)

    with open(os.path.join(old, "head"), "rb") as f:
        twin = f.read()
    put("head", twin)
    lie(b, who, "another head of one version", "has signed both")
    put("head", head[:-1] + bytes([head[-1] ^ 1]))
    lie(b, who, "a head with another signature", "fewer keys")
    put("head", head)
    for word, why in (("noise", "cannot be read"), ("long", "too large")):
        put("lie", word.encode())
        lie(b, who, "a mirror that sends %s" % {"noise": "noise", "long": "a head without end"}[word], why)
    # something new, so that documents are asked for again
    a.revoke("e" * 32, "--kind", "rns")
    for n in ("head", "revoked.json"):
        shutil.copy(os.path.join(a.at("www"), n), www)
    put("lie", b"digest")
    lie(b, who, "a document with another digest", "not the bytes")
    put("lie", b"endless")
    lie(b, who, "a document without end", "too large")
    os.unlink(os.path.join(www, "lie"))
    b.hup()
    result("klpmesh: an honest mirror is believed again", until(
        lambda: version(b) == 4 and who not in shown(b)["revoked.json"]["failed"], "the fourth list"), shown(b))
    put("head", head)
    b.hup()
    result("klpmesh: an old head is a rollback", until(
        lambda: "older" in shown(b)["revoked.json"]["failed"], "a rollback") and version(b) == 4, shown(b))


def gapped(a, b, port):
    """b is behind a slow way, where the list is too long, and its deltas are older than what a has: pages of the set."""
    def listed(version, n):
        now = int(time.time())
        a.text("revoked.json", {
            "_type": "klp.revocation-list", "uri": "klp://%s/revoked.json" % BOARD, "version": version, "issued": 0,
            "expires": 0, "set_digest": digest(n), "entries": [
                {"kind": "rns", "id": "%032x" % (i << 64 | 1), "state": "revoked", "reason": "other", "revoked_at": now}
                for i in range(n)]})
        a.sign("revoked.json", "30d")
        a.publish("revoked.json")

    def digest(n):
        h = hashlib.sha256(b"klp/revset/v1")
        for i in range(n):
            h.update(b"\x01" + (i << 64 | 1).to_bytes(16, "big") + b"\x00\x0f")
        return h.hexdigest()

    old, n = version(b), 700
    b.stop()
    if a.process is None and not a.up():
        result("klpmesh: the board's node again", False, a.said()[-1500:])
        return
    with open(os.path.join(b.dir, "config")) as f:
        text = f.read()
    b.write("config", text.replace("target_port = %d\n" % port, "target_port = %d\nbitrate = 9600\n" % port))
    for v in (old + 40, old + 41):
        listed(v, n)
        a.hup()
        if not until(lambda: version(a) == v, "the list at its mirror"):
            result("klpmesh: a long list", False, "%s %s %s" % (a.problem, shown(a), a.said()[-1500:]))
            return
    a.say("revoke", "f" * 32, "--kind", "rns", "--list", a.at("revoked.json"), "-k", a.at("key"), "--delta",
          os.path.join(a.dir, "klp/documents", BOARD), "--root", a.at("1.root.json"))
    a.hup()
    until(lambda: version(a) == old + 42, "its delta")
    b.up()
    came = until(lambda: version(b) == old + 42, "the set", 180)
    d = shown(b).get("revoked.json", {})
    result("klpmesh: over a slow way a long list's set comes in pages", came and d["entries"] == n + 1 and
           "as a set" in b.said(), "%s %s" % (d, b.said()[-2500:]))


def main():
    if not os.environ.get("KLPMESH_LONG"):
        skip("klpmesh", "./check long")
        return
    if not os.path.exists(VENV):
        skip("klpmesh", "no stock RNS in " + VENV)
        return
    a = b = stock = None
    port = free_port()
    try:
        stock = Stock(port)
        a = Ruled(build, "mesh-a", None)
        b = Ruled(build, "mesh-b", None, by_hand=False, more="klp: {refresh: 1m}\n")
        for n in (a, b):
            with open(os.path.join(n.dir, "config"), "a") as f:
                f.write(interface(port))
        a.me = b.me
        a.transports = [{"rns": {"identity": a.who["rns"], "aspect": "klp.node"}}]
        a.found()
        shutil.copy(a.at("root.json"), os.path.join(b.dir, "klp/authorities", BOARD + ".root.json"))
        if not a.up() or not b.up():
            result("klpmesh", False, "%s %s %s %s" % (a.problem, b.problem, a.said()[-1500:], b.said()[-1500:]))
            return
        fetched(a, b)
        copied(a, b)
        revoked(a, b)
        www, who = mirrored(a, b, stock)
        liars(a, b, stock, www, who)
        gapped(a, b, port)
    finally:
        for n in (a, b):
            if n is not None:
                n.remove()
        if stock is not None:
            stock.end()


main()
done()
