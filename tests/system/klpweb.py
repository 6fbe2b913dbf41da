# SPDX-License-Identifier: BSD-2-Clause
"""Documents of a board come from its web server alone, named by its pinned root:
they let somebody in and throw him out while his job runs; and a server that
lies gives nothing, whatever it tries."""
import base64
import gzip
import json
import os
import random
import shutil
import signal
import sys
import time

from lib import done, quiet, result, until
from libruled import BOARD, Ruled, processes
from libtrail import each_once, trail
from tlsweb import Web, authority, certificate, whole

build = sys.argv[1]
LONG = os.environ.get("KLPWEB_LONG")
NAMES = "DNS:localhost,IP:127.0.0.1"


class Board(Ruled):
    """Its root names the key of a log as well."""

    def text(self, name, value):
        if name == "root.json":
            value["roles"]["log"] = value["roles"]["root"]
        super().text(name, value)


class Server:
    """The board's folder over HTTPS, and what it says instead of a file."""

    def __init__(self, folder):
        self.ca, other = authority(folder, "ca"), authority(folder, "other")
        self.good = certificate(folder, self.ca, "good", NAMES)
        self.bad = certificate(folder, other, "bad", NAMES)
        self.www, self.lies, self.sent, self.told = None, {}, {}, []
        self.web = Web(self.answer, self.good)
        self.url = "https://127.0.0.1:%d/klp" % self.web.port

    def answer(self, path, send):
        name = path.split("/", 3)[-1] if path.startswith("/klp/%s/" % BOARD) else "?"
        lie_ = self.lies.get(name)
        if lie_ is not None:
            self.told.append(name)
            if callable(lie_):
                lie_(send)
            else:
                send(lie_)
            return False
        try:
            with open(os.path.join(self.www, name), "rb") as f:
                send(whole(f.read()))
            self.sent[name] = time.monotonic()
        except OSError:
            send(whole("no", "404 Not Found"))
        return False  # each question by a connection of its own


def shown(node):
    rc, out, err = node.warren("trust", "show", "--json")
    try:
        return {d["path"]: d for d in json.loads(out)["documents"]}
    except ValueError:
        return {}


def versions(node):
    return {k: d["version"] for k, d in shown(node).items()}


def fetched(node, mode, server):
    ok = until(lambda: versions(node) == {"graph.json": 1, "revoked.json": 1}, "both documents")
    d = shown(node)
    result(mode + " web: both are fetched from the server of the root, by hand nothing",
           ok and all(x["from"] == server.url and x["fresh"] == "fresh" and x["checked"] > 0 and x["failed"] == ""
                      for x in d.values()), "%s %s" % (d, node.said()[-1500:]))
    rc, out, err = node.warren("status")
    result(mode + " web: status says when and where", "ago in " + server.url in out, out)


def got(node, mode):
    """What the node has can be had, whole and in part, and is looked at again."""
    def get(*words):
        return node.warren("klp", "get", *words)
    name = "klp://%s/graph.json" % BOARD
    rc, out, err = get(name)
    result(mode + " web: klp get prints the document", rc == 0 and
           json.loads(out)["_type"] == "klp.trust-graph", "%s %s %s" % (rc, out, err))
    rc, out, err = get(name + "#/edges/0/trust_level")
    result(mode + " web: ... a part of it", rc == 0 and json.loads(out) == 2, "%s %s %s" % (rc, out, err))
    rc, out, err = get(name + "?v=1", "--json")
    result(mode + " web: ... and what it is", rc == 0 and json.loads(out)["fresh"] is True and
           json.loads(out)["version"] == 1, "%s %s %s" % (rc, out, err))
    rc, out, err = get(name, "--envelope", "-o", node.at("copy"))
    rc2, out2, err2 = node.warren("klp", "verify", node.at("copy"), "--root", node.at("root.json"), config=False)
    result(mode + " web: ... its envelope can be checked elsewhere", rc == 0 and rc2 == 0, "%s%s" % (err, err2))
    no = {name + "?v=2": "has version 1", name + "#/edges/7": "nothing is at", "klp://%s/x.json" % BOARD: "has no x.json",
          "klp://nobody.test/x": "no_authority", name + "?sha256=" + "0" * 64: "another digest"}
    bad = {u: get(u) for u, why in no.items() if get(u)[0] != 1 or why not in get(u)[2]}
    result(mode + " web: ... and nothing else", not bad, bad)
    kept = os.path.join(node.dir, "warren/trust/klp", json.loads(get(name, "--json")[1])["sha256"])
    with open(kept, "r+b") as f:
        byte = f.read(100)[-1:]
        f.seek(99)
        f.write(bytes([byte[0] ^ 1]))
        f.flush()
        rc, out, err = get(name)
        f.seek(99)
        f.write(byte)
    result(mode + " web: klp get finds a changed byte", rc == 1 and "not what was kept" in err and out == "", err)


def lie(node, server, mode, what, why, **files):
    """A server that says this instead of these files."""
    was = versions(node)
    server.lies = {k.replace("_", "."): v for k, v in files.items()}
    told = len(server.told)
    node.hup()
    # the reason may be the last lie's, still
    ok = until(lambda: set(server.lies) <= set(server.told[told:]) and
               why in shown(node).get("revoked.json", {}).get("failed", ""), what + ": its reason")
    d = shown(node)
    result("%s web: %s gives nothing, and trust show says why" % (mode, what), ok and versions(node) == was and
           all(x["failed"].startswith(server.url) for x in d.values()), "%s %s" % (d, node.said()[-800:]))
    server.lies = {}


def liars(node, mode, server):
    def body(name):
        with open(os.path.join(server.www, name), "rb") as f:
            return f.read()

    old, other = body("head"), node.at("other")
    shutil.copytree(server.www, other)
    node.revoke("d" * 32, "--kind", "rns")
    node.hup()
    until(lambda: versions(node).get("revoked.json") == 2, "the second list")
    if node.user is not None:
        os.system("chown -R %d %s" % (node.user, other))
    node.say("klp", "publish", other, node.at("graph.json"), "-k", node.at("key"))
    with open(os.path.join(other, "head"), "rb") as f:
        twin = f.read()
    head = body("head")
    lie(node, server, mode, "an old head", "older", head=whole(old))
    lie(node, server, mode, "a second head of one version", "has signed both", head=whole(twin))
    lie(node, server, mode, "a head with another signature", "fewer keys",
        head=whole(head[:-1] + bytes([head[-1] ^ 1])))
    lie(node, server, mode, "a head without end", "more than the 4096", head=whole(b"K" * 5000))
    lie(node, server, mode, "a redirect to this machine", "redirects are not followed",
        head=whole("", "302 Found", "Location: https://127.0.0.1:%d/x\r\n" % server.web.port))
    server.web.context.load_cert_chain(*server.bad)
    lie(node, server, mode, "a certificate of nobody who is known", "certificate")
    server.web.context.load_cert_chain(*server.good)
    lie(node, server, mode, "an answer that is cut", "head: ", head=whole(head)[:-10])
    node.hup()
    result(mode + " web: an honest one is believed again",
           until(lambda: all(x["failed"] == "" for x in shown(node).values()), "no failure"), shown(node))
    kept = [n for n in os.listdir(os.path.join(node.dir, "warren/trust/klp")) if n.startswith("equivocation-")]
    result(mode + " web: the second head is kept as evidence", len(kept) == 1, kept)


def another(node):
    """The head of another authority, whose keys are the same."""
    place = node.at("another")
    if not os.path.isdir(place):
        node.folder(place)
        with open(node.at("root.json")) as f:
            root = json.loads(base64.b64decode(json.load(f)["payload"]))
        root["expires"] += 1  # another first root is another authority
        node.text("another/1.root.json", root)
        node.sign("another/1.root.json", "300d")
        node.say("klp", "publish", node.at("another/www"), node.at("another/1.root.json"), node.at("graph.json"),
                 node.at("revoked.json"), "-k", node.at("key"))
    with open(node.at("another/www/head"), "rb") as f:
        return f.read()


def documents(node, mode, server):
    """Under a head that is honest: no other document than it names, and no delta that is not of the list's signers."""
    def body(name):
        with open(os.path.join(server.www, name), "rb") as f:
            return f.read()

    def on_and_on(send):
        try:
            while True:
                send(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
        except OSError:
            pass  # it was given up

    old, head = body("revoked.json"), body("head")
    packed = gzip.compress(head)
    rows = [("a head that is packed", "head: no head", {"head": whole(packed, more="Content-Encoding: gzip\r\n")}),
            ("a head with a byte behind it", "bytes behind the signatures", {"head": whole(head + b"\0")}),
            ("a header line without end", "a header line that is too long",
             {"head": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300000 + b"\r\n\r\n"})]
    def trailers(send):
        try:
            send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(head) + head + b"\r\n0\r\n")
            while True:
                send(b"X-More: " + b"x" * 1000 + b"\r\n")
        except OSError:
            pass  # it was given up

    rows += [("nothing that has changed, of what nobody has kept", "answers 304: unchanged",
              {"head": b"HTTP/1.1 304 Not Modified\r\n\r\n"}),
             ("a redirect for good to a mirror with another authority's head", "redirects are not followed",
              {"head": whole(another(node), "308 Permanent Redirect", "Location: %s/mirror/head\r\n" % server.url)}),
             ("another authority's head, by the same key", "of another authority", {"head": whole(another(node))}),
             ("a head and then headers without end", "headers without end", {"head": trailers}),
             ("a head of two lengths", "head: ", {
                 "head": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Length: 10\r\n\r\n" % len(head) + head}),
             ("a head longer than is there", "head: ", {
                 "head": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(head) + 40) + head})]
    if LONG:
        bomb = gzip.compress(bytes(1 << 24))
        rows += [("a bomb for a head", "more than the 4096", {"head": whole(bomb, more="Content-Encoding: gzip\r\n")}),
                 ("a bomb on the way", "more than the 4096", {
                     "head": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n%x\r\n" % len(bomb) + bomb +
                     b"\r\n0\r\n\r\n"}),
                 ("an answer that is no HTTP", "HTTP/0.9", {"head": head}),
                 ("JSON for a head", "head: no head", {"head": whole('{"version":')}),
                 ("some of a head", "head: too short", {"head": whole(head[:20])}),
                 ("nothing for a head", "head: no head", {"head": whole("")}),
                 ("headers without end", "headers without end", {"head": on_and_on}),
                 ("an answer without content", "answers 204", {"head": b"HTTP/1.1 204 No\r\n\r\n"})]
    for what, why, files in rows:
        lie(node, server, mode, what, why, **files)
    # a version that the node has not
    node.revoke("e" * 32, "--kind", "rns")
    new, name = body("revoked.json"), "not the bytes that the head names"
    lie(node, server, mode, "an old list under a new head", name, revoked_json=whole(old))
    lie(node, server, mode, "a list of keys twice", name, revoked_json=whole(new[:-1] + b',"payload":""}'))
    if LONG:
        lie(node, server, mode, "a list that is cut, of the right length", name,
            revoked_json=whole(new[:-40] + b" " * 40))
        lie(node, server, mode, "a list that is deep", name, revoked_json=whole(b"[" * len(new)))
        lie(node, server, mode, "a list of 40 MiB", "more than the", revoked_json=whole(b"{" + b" " * (40 << 20)))
    before = versions(node)["revoked.json"]
    node.hup()
    until(lambda: versions(node).get("revoked.json") == before + 1, "the list")
    delta = "revoked.json.%d.delta" % (before + 1)
    lie(node, server, mode, "a delta that is none", delta, **{delta: whole("x" * 60)})
    if LONG:
        lie(node, server, mode, "a delta without end", delta, **{delta: whole(bytes(1 << 20))})
        lie(node, server, mode, "a list for a delta", delta, **{delta: whole(new)})
    node.hup()
    result(mode + " web: after all that, what is honest counts", until(lambda: all(
        x["failed"] == "" for x in shown(node).values()), "no failure") and versions(node)["revoked.json"] == before + 1,
        shown(node))


def slow(node, mode, server):
    """A head that begins, and goes on by a byte now and then; the lists go on meanwhile."""
    def drip(send):
        send(b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n")
        try:
            for _ in range(300):
                quiet(.5, "the pace of a server that means to hold on")
                send(b"K")
        except OSError:
            pass  # it was given up
    lie(node, server, mode, "a head by a byte now and then", "head: ", head=drip)
    node.hup()
    result(mode + " web: and it holds up nothing", until(lambda: all(x["failed"] == "" for x in shown(node).values()),
           "no failure"), shown(node))


def record(node, n):
    """A file that a log can have."""
    name, zero = node.at("record%d.json" % n), "sha256:" + "0" * 64
    with open(name, "w") as f:
        f.write('{"_type":"klp.fingerprint","agent":"%s","contract":"%s","image":"%s","issued":%d,"manifest":"%s",'
                '"version":1}' % (node.me["urn"], zero, zero, 1700000000 + n, zero))
    return name


def grow(node, folder, records):
    rc, out, err = node.warren("audit", "anchor", "--log", folder, "--origin", "log.test/board", "-k", node.at("key"),
                               *(record(node, n) for n in records))
    if rc != 0:
        node.problem = "anchor: " + err
    if node.user is not None:
        os.system("chown -R %d %s" % (node.user, folder))


def logs(node, mode, server):
    """Its log grows, and the tiles beside it are the proof; no other is one."""
    log, said = os.path.join(server.www, "log"), lambda: node.said().split(mark)[-1]
    mark, tiles = "log.test/board: entries=3 ", {}
    grow(node, log, range(3))
    node.hup()
    ok = until(lambda: mark in node.said(), "the log")
    result(mode + " web: a log is seen", ok and not any("tile" in n for n in server.sent), node.said()[-800:])
    with open(os.path.join(log, "checkpoint"), "rb") as f:
        old = f.read()
    grow(node, log, range(3, 300))
    for name in ("tile/1/000.p/1", "tile/0/001.p/44", "tile/0/000"):
        with open(os.path.join(log, name), "rb") as f:
            tiles["log/" + name] = f.read()
    edge, below = tiles["log/tile/0/001.p/44"], tiles["log/tile/0/000"]

    def drip(send):
        send(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                send(below)
        except OSError:
            pass  # it was given up
    for what, why, name, lie_ in (
            ("a tile of its end with another byte", "do not give the root", "0/001.p/44", whole(edge[:-1] + b"!")),
            ("a partial tile of another width", "not as wide", "0/001.p/44", whole(edge[:-32])),
            ("a partial tile that is another's", "do not give the root", "0/001.p/44", whole(below[:len(edge)])),
            ("a tile that is not there", "log/tile/0/000: answers 404", "0/000", whole("", "404 Not Found")),
            ("a tile with another byte", "not what the tile above it says", "0/000", whole(b"!" + below[1:])),
            ("a tile that is cut", "log/tile/0/000: ", "0/000", whole(below)[:-9]),
            ("a tile that is too long", "more than the 8192 bytes", "0/000", whole(below + b"!")),
            ("a redirect", "redirects are not followed", "0/000", whole("", "302 Found", "Location: /x\r\n")),
            ("a tile without end", "more than the 8192 bytes", "0/000", drip),
            ("an old checkpoint", "", None, whole(old))):
        server.lies = {"log/tile/" + name if name else "log/checkpoint": lie_}
        before = len(node.said())
        asked = len(server.web.asked)
        node.hup()
        ok = until(lambda: (why or server.url) in node.said()[before:] if name else "/klp/%s/log/checkpoint" % BOARD in
                   server.web.asked[asked:] and all(x["failed"] == "" for x in shown(node).values()), what)
        result("%s web: %s proves nothing of a log, and the rest counts" % (mode, what), ok and "entries=" not in said() and
               all(x["failed"] == "" for x in shown(node).values()), node.said()[-800:])
    server.lies = {}
    node.hup()
    ok = until(lambda: "log.test/board: entries=300 " in node.said(), "the proof")
    result(mode + " web: its tiles are the proof that it has grown", ok and set(tiles) <= set(server.sent),
           "%s %s" % (set(server.sent), node.said()[-800:]))
    shutil.rmtree(log)
    grow(node, log, range(1000, 1310))
    node.hup()
    result(mode + " web: another log under its name is found out, by its own tiles",
           until(lambda: "two states that cannot both be true" in node.said(), "the fork") and
           '"equivocation"' in node.trail(), node.said()[-800:])
    shutil.rmtree(log)


def falls(node, mode, server):
    """Egress is killed and comes back; so does what it is asked for."""
    count, pid = node.readies("egress"), node.pids()["egress"]
    node.revoke("c" * 32, "--kind", "rns")
    os.kill(pid, signal.SIGKILL)
    until(lambda: node.readies("egress") > count, "egress again")
    result(mode + " web: a new egress is asked at once",
           until(lambda: versions(node).get("revoked.json") == 3, "the third list"), shown(node))


def begins_and_ends(node, mode, server):
    """Egress runs as long as a web server is named, at SIGHUP too."""
    with open(os.path.join(node.dir, "node.yaml")) as f:
        text = f.read()
    unnamed = "".join(w for w in text.splitlines(True) if "klp://" not in w and "anchors_from" not in w and w != "trust:\n")
    node.write("node.yaml", unnamed)
    node.hup()
    ended = until(lambda: "egress" not in node.pids(), "the end of egress")
    count = node.readies("egress")
    node.write("node.yaml", text)
    node.hup()
    result(mode + " web: nothing named, egress ends; named again, it begins and is asked",
           ended and until(lambda: node.readies("egress") > count and all(
               x["failed"] == "" and x["checked"] > 0 for x in shown(node).values()) and
               versions(node).get("revoked.json") == 3, "egress and documents again"),
           "%s %s" % (shown(node), node.said()[-1200:]))


def struck(node, mode, server):
    """Audit, egress, trust and keys are killed while jobs run, begin and end, alone and together. Many strikes are
    further apart: what falls each few seconds comes again after a minute only, and nobody is there to be struck."""
    moment, who, jobs = random.Random(11), ("audit", "egress", "trust", "keys"), []
    strikes, done_, turn = int(os.environ.get("KLPWEB_STRIKES", "14")), 0, 0
    pace, together = (.5, 3) if strikes <= 14 else (40, 7)
    while done_ < strikes:
        jobs.append(node.submit(node.job_file(
            "i=0; while [ $i -lt 40 ]; do true; i=$((i+1)); done; sleep %d; echo over" %
            (turn % 4 if pace < 1 else moment.uniform(0, pace))), timeout="300s"))
        down = who if turn % together == 2 else (who[(turn // 2) % 4],)
        count = {name: node.readies(name) for name in down}
        quiet(moment.uniform(0, pace), "the moment is the subject")
        for name in down:
            os.kill(node.pids()[name], signal.SIGKILL)
        if not until(lambda: all(node.readies(name) > count[name] and node.pids().get(name) for name in down),
                     "the next ones", 80):
            result(mode + " web: killed: %s" % ", ".join(down), False, node.said()[-1500:])
        done_ += len(down)
        turn += 1
    ends = [s.end(200) for s in jobs]
    result(mode + " web: audit, egress, trust and keys killed: each job ends as it would", all(
        rc == 0 and last.get("outcome") == ["exited", 0] and node.output(s) == "over\n"
        for (rc, last), s in zip(ends, jobs)), "\n".join(str(s) for s in jobs))
    whole_ = {"job_admitted", "job_started", "job_exited", "signed"}

    def lacking():
        return [whole_ - {kind for kind, _, _, _ in trail(node, s.id())} for s in jobs]
    until(lambda: not any(lacking()), "the events of all jobs", 20)
    result(mode + " web: ... nothing of them is missing in the trail", not any(lacking()), str(lacking()))
    once, all_of = each_once(node)
    result(mode + " web: ... each event is in it once, or counted as lost", once, str(all_of))
    rc, out, err = node.warren("audit", "verify")
    result(mode + " web: ... and it verifies", rc == 0, out + err)
    node.hup()
    result(mode + " web: ... what was known of the authority stands", until(lambda: all(
        x["failed"] == "" for x in shown(node).values()), "no failure") and versions(node).get("revoked.json") == 3,
        shown(node))


def revoked(node, mode, server):
    word = "%d.25" % (200000 + os.getpid())
    s = node.submit(node.job_file("sleep " + word))
    if not s.reached("running") or not until(lambda: processes(word) == 1, "the job's process"):
        result(mode + " web: the fetched graph lets him run a job", False, str(s))
        return
    # a delta alone: no new list is there, nor a head that would name it
    node.say("revoke", node.me["urn"], "--reason", "behavior_violation", "--list", node.at("revoked.json"),
             "-k", node.at("key"), "--delta", node.at("www"), "--root", node.at("1.root.json"))
    server.sent.clear()
    node.hup()
    gone = until(lambda: processes(word) == 0, "the job's end", step=.005)
    took = time.monotonic() - server.sent.get("revoked.json.3.delta", 0)
    result(mode + " web: revoked by a delta, his job is gone within 1 s of its arrival", gone and took < 1 and
           "revoked.json" not in server.sent, "%.3f s %s %s" % (took, server.sent, node.problem))
    print("# killed %.3f s after the delta was sent" % took)
    s.process.kill()
    s.end()
    result(mode + " web: the list has the delta's version", versions(node).get("revoked.json") == 4, versions(node))
    count = node.readies("trust")
    os.kill(node.pids()["trust"], signal.SIGKILL)
    until(lambda: node.readies("trust") > count, "trust again")
    rc, out, err = node.warren("trust", "why", node.me["urn"], "--json")
    result(mode + " web: and a new trust knows it from its files", rc == 0 and
           json.loads(out).get("revoked") == "revoked", "%s %s" % (out, err))
    node.publish("revoked.json")
    node.hup()
    result(mode + " web: the whole list takes its place", until(lambda: "revoked.json" in server.sent and
           versions(node).get("revoked.json") == 4 and all(x["failed"] == "" for x in shown(node).values()), "the list"),
           shown(node))


def all_of(mode, user):
    node = None
    try:
        node = Board(build, "web-" + mode, user, by_hand=False, more="klp: {private_hosts: [127.0.0.1], ca: klp/ca.pem}\n")
        server = Server(node.work)
        server.www = node.at("www")
        node.transports = [{"https": server.url}]
        node.found()
        with open(server.ca) as f:
            node.write("klp/ca.pem", f.read())
        if not node.up():
            result(mode + " web", False, "%s %s" % (node.problem, node.said()[-3000:]))
            return
        fetched(node, mode, server)
        got(node, mode)
        liars(node, mode, server)
        logs(node, mode, server)
        if LONG:
            slow(node, mode, server)
        falls(node, mode, server)
        begins_and_ends(node, mode, server)
        if LONG:
            struck(node, mode, server)
        revoked(node, mode, server)
        documents(node, mode, server)
    finally:
        if node is not None:
            node.remove()


all_of(*(("root", None) if os.geteuid() == 0 else ("user", None)))
done()
