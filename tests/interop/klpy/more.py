# SPDX-License-Identifier: BSD-2-Clause
"""What compute.md says beyond the plain job: a client's view, group by group. Each yields (name, passed,
and what was got)."""

import hashlib
import json
import os
import tempfile
import threading
import time

import RNS
from RNS.vendor import umsgpack as msgpack

from . import PATIENCE_S, client, codec, quiet, until

SH = ["/bin/sh", "-c"]


class Bench:
    """One client and how it makes jobs."""

    def __init__(self, c, d, image):
        self.c, self.d, self.image = c, d, image

    def payload(self, text, volumes=(), **kw):
        return codec.manifest(self.c.key, self.d["urn"], self.image, SH + [text], volumes, **kw)

    def envelope(self, payload, form="binary"):
        if form == "json":
            return codec.envelope_json(codec.T_MANIFEST, payload, self.c.key)
        return codec.envelope_binary(msgpack, codec.T_MANIFEST, payload, self.c.key)

    def offer(self, text="true", volumes=(), **kw):
        """Submits without an upload; the answer."""
        p, _ = self.payload(text, volumes, **kw)
        return self.c.submit_envelope(self.envelope(p))

    def job(self, text, volumes=(), **kw):
        return self.c.submit(*self.payload(text, volumes, **kw))["id"]

    def done(self, text, volumes=(), **kw):
        """(status, receipt, outputs, logs) of a job that ended, everything verified."""
        j = self.job(text, volumes, **kw)
        s = self.c.wait(j)
        return (s, *self.c.verified_result(j))

    def refused(self, payload, code, step, why=None):
        status, meta, _ = self.c.ask("job/submit", {"m": self.envelope(payload), "b": self.c.binding})
        ok = status == 5 and meta.get("code") == code and meta.get("step") == step and \
            (why is None or meta.get("why", "").startswith(why))
        if not ok:
            print("#", code, step, why, "but", status, meta, flush=True)
        return ok


def volume(content=b"x"):
    """A packed folder with one file."""
    with tempfile.TemporaryDirectory() as t:
        with open(t + "/f", "wb") as f:
            f.write(content)
        os.chmod(t + "/f", 0o644)
        return codec.tar_pack(t)


def changed(payload, without=(), **members):
    doc = json.loads(payload)
    doc.update(members)
    return codec.jcs({k: v for k, v in doc.items() if k not in without})


def empty():
    return bytes(1024)


def is_bad(c, path, data):
    status, meta, body = c.ask(path, data)
    ok = status == 6 and isinstance(meta.get("why"), str) and body is None
    if not ok:
        print("#", path, data if len(repr(data)) < 200 else "…", "gives", status, meta, flush=True)
    return ok


# ---- form ----

def forms(c, d, image):
    b = Bench(c, d, image)
    some = os.urandom(32)
    yield "a hex id", is_bad(c, "job/status", {"id": some.hex()})
    yield "a short id", is_bad(c, "job/status", {"id": some[:31]})
    yield "nil for an id", is_bad(c, "job/status", {"id": None})
    yield "no id", is_bad(c, "job/status", {})
    yield "no map", is_bad(c, "job/status", [some])
    yield "since as float", is_bad(c, "job/status", {"id": some, "since": 1.0})
    yield "since negative", is_bad(c, "job/status", {"id": some, "since": -1})
    yield "since as bool", is_bad(c, "job/status", {"id": some, "since": True})
    yield "since nil", is_bad(c, "job/status", {"id": some, "since": None})
    yield "offset over 2^53-1", is_bad(c, "job/log", {"id": some, "s": 1, "o": 1 << 53, "n": 1})
    yield "log n 0", is_bad(c, "job/log", {"id": some, "s": 1, "o": 0, "n": 0})
    yield "log o and n over 2^53-1", is_bad(c, "job/log", {"id": some, "s": 1, "o": (1 << 53) - 1, "n": 1})
    yield "get n 0", is_bad(c, "blob/get", {"d": some, "o": 0, "n": 0})
    yield "get o over 2^53-1 by the default n", is_bad(c, "blob/get", {"d": some, "o": (1 << 53) - 1})
    yield "stream 3", is_bad(c, "job/log", {"id": some, "s": 3, "o": 0})
    yield "list n 0", is_bad(c, "job/list", {"after": 0, "n": 0})
    yield "list n text", is_bad(c, "job/list", {"after": 0, "n": "1"})
    yield "put beyond n", is_bad(c, "blob/put", {"d": some, "o": 3, "n": 4, "b": b"12"})
    yield "put text", is_bad(c, "blob/put", {"d": some, "o": 0, "n": 4, "b": "12"})
    yield "have of text", is_bad(c, "blob/have", {"d": [some.hex()]})
    yield "have of 1025", is_bad(c, "blob/have", {"d": [some] * 1025})
    yield "challenge without w", is_bad(c, "challenge", {"n": some})
    yield "challenge short", is_bad(c, "challenge", {"n": some[:16], "w": "secp"})
    yield "binding short", is_bad(c, "describe", {"b": c.binding[:241]})
    long, brief = c.must("describe", {}), c.must("describe", {"k": 1})
    lim, per_minute = long["limits"], long.get("budget", {"bytes": 0})["bytes"]
    name, at, *rest, left, binding, slow = brief.pop("k")
    yield "describe in short", not brief and name == long["name"] and 0 <= at - long["time"] < 5 and left <= per_minute and \
        rest == [lim["slice"], lim["log"], lim["output"], per_minute] and binding == long["binding"] and slow is ("air" in long), (long, rest)
    yield "in short or not, as an integer", is_bad(c, "describe", {"k": True}) and "v" in c.must("describe", {"k": 0})
    yield "envelope text", is_bad(c, "job/submit", {"m": "{}"})
    a = c.must("blob/have", {"d": [os.urandom(32) for _ in range(11)]})
    yield "have is bits", a == bytes(2)
    status, meta, body = c.ask("job/status", {"id": some, "extra": [1.5, {1: None}], 7: 1})
    yield "unknown members are ignored", (status, meta, body) == (2, {}, None)
    try:
        c.ask("job/none", {}, timeout=3, tries=1)
        yield "unknown path: no answer", False
    except TimeoutError:
        yield "unknown path: no answer", True
    status, meta, _ = c.ask("job/submit", {"m": b"{}" + bytes(100 << 10)})
    yield "an envelope over 96 KiB", (status, meta.get("code"), meta.get("step")) == (5, "manifest", 7)
    p, _ = b.payload("true", x="y" * 66000)
    yield "a payload over 64 KiB", b.refused(p, "manifest", 7)
    def rejected():  # stock RNS may drop the rejection as it may an answer, and waits 90 s then
        done = threading.Event()
        over = c.link.request("/klp/v1/blob/put", {"d": some, "o": 0, "n": 300000, "b": os.urandom(270000)},
                              response_callback=lambda _r: None, failed_callback=lambda _r: done.set(),
                              timeout=PATIENCE_S)
        if done.wait(15):
            return over.response is None
        c.close()
        c.connect()
        return False
    yield "a request over 266,240 bytes is rejected", until(rejected, "a rejection")
    # a resource of its own on the link is not accepted
    plain = RNS.Resource(os.urandom(1000), c.link)
    quiet(1, "one that were accepted would be on its way by then")
    yield "a plain resource", plain.status in (RNS.Resource.ADVERTISED, RNS.Resource.REJECTED, RNS.Resource.FAILED)
    plain.cancel()
    yield "the link lives", c.status_of_nothing() == 2


# ---- blobs ----

def blobs(c, d, image, other):
    """other(): a client of another key that may run jobs as well."""
    b = Bench(c, d, image)
    big = volume(os.urandom(700000))
    sha, size = codec.sha256(big), len(big)
    p, _ = b.payload("cat /in/f | wc -c", [("/in", "ro", big), ("/again", "ro", big)])
    a = c.submit_envelope(b.envelope(p))
    yield "one digest is asked for once", a["missing"] == [sha] and a["more"] is False and \
        (a["state"], a["reason"]) == ("queued", "inputs") and len(a["image"]) == 32
    put = lambda o, body, n=size: c.ask("blob/put", {"d": sha, "o": o, "n": n, "b": body}, timeout=30)
    yield "nothing yet", put(0, b"")[2] == {"have": 0}
    yield "another size", put(0, b"", size + 1)[0] == 6
    yield "the first slice", put(0, big[:262144])[2] == {"have": 262144}
    yield "behind a gap", put(300000, big[300000:300100])[2] == {"have": 262144}
    yield "overlap", put(262000, big[262000:300000])[2] == {"have": 300000}
    yield "the same again", put(0, big[:1000])[2] == {"have": 300000}
    yield "partial is not have", c.must("blob/have", {"d": [sha]}) == b"\0"
    yield "partial is not got", c.ask("blob/get", {"d": sha})[0] == 2
    c.close()
    c.connect()
    yield "kept over a broken link", put(0, b"")[2] == {"have": 300000}
    status, meta, body = put(300000, os.urandom(262144))
    yield "more", body == {"have": 562144}
    status, meta, body = put(562144, big[562144:])
    yield "a wrong digest", (status, meta.get("code"), body) == (5, "digest", {"have": 0})
    yield "all of it is gone", put(0, b"")[2] == {"have": 0}
    status, meta, _ = c.ask("job/submit", {"m": b.envelope(p)})
    yield "the job still waits", status == 0
    c.upload(sha, big, 262144)
    yield "have it", c.must("blob/have", {"d": [os.urandom(32), sha]}) == b"\x40"
    part = c.ask("blob/get", {"d": sha, "o": 5, "n": 7})
    yield "get", part[1] == {"size": size} and part[2] == big[5:12]
    yield "get no more than a slice", len(c.must("blob/get", {"d": sha, "n": 1 << 40}, timeout=40)) == 262144
    yield "get beyond the end", c.must("blob/get", {"d": sha, "o": size + 5}) == b""
    j = codec.sha256(p)
    s = c.wait(j)
    r, _, logs = c.verified_result(j)
    yield "it ran", logs[0] == b"700000\n" and r["bytes_in"] == 2 * size
    # knowing a digest is not having the content
    o = other()
    od = o.describe()
    ob = Bench(o, od, image)
    yield "another has it not", o.must("blob/have", {"d": [sha]}) == b"\0" and o.ask("blob/get", {"d": sha})[0] == 2
    status, meta, _ = o.ask("blob/put", {"d": sha, "o": 0, "n": size, "b": b""})
    yield "nor may it send it", (status, meta.get("code")) == (5, "not_wanted")
    yield "nor see the job", o.ask("job/status", {"id": j})[0] == 2 and o.ask("job/result", {"id": j})[0] == 2 and \
        o.ask("job/cancel", {"id": j})[0] == 2 and o.ask("job/log", {"id": j, "s": 1})[0] == 2 and \
        o.ask("job/follow", {"id": j, "s": 1})[0] == 2
    op, oblobs = ob.payload("cat /in/f | wc -c", [("/in", "ro", big)])
    oa = o.submit_envelope(ob.envelope(op))
    yield "is asked for it all the same", oa["missing"] == [sha] and oa["reason"] == "inputs"
    yield "from its beginning", o.must("blob/put", {"d": sha, "o": 0, "n": size, "b": b""}) == {"have": 0}
    o.submit(op, oblobs)
    yield "and runs", o.wait(codec.sha256(op))["outcome"] == ["exited", 0]
    o.close()
    yield from chunks(c, b)
    # volumes: what a ro and a rw one are
    v = volume(b"old\n")
    s, r, outs, logs = b.done("cat /w/f; echo new > /w/f; mkdir /w/d; ln -s ../f /w/d/l; chmod 750 /w/d;"
                              " echo no > /r/f 2>/dev/null || echo ro", [("/w", "rw", v), ("/r", "ro", v)])
    with tempfile.TemporaryDirectory() as t:
        codec.tar_unpack(outs["/w"], t + "/o")
        yield "a rw volume comes back", logs[0] == b"old\nro\n" and open(t + "/o/f").read() == "new\n" and \
            os.readlink(t + "/o/d/l") == "../f" and list(outs) == ["/w"] and \
            codec.tar_pack(t + "/o") == outs["/w"]
    bad = bytearray(v)
    bad[108] = ord("1")  # another owner, checksum wrong too
    j = b.job("true", [("/in", "ro", bytes(bad))])
    s = c.wait(j)
    yield "a bad volume", s["state"] == "refused" and s["reason"].startswith("volume: ") and \
        c.ask("job/result", {"id": j})[0] == 2
    s, _, outs, _ = b.done("mkfifo /w/p 2>/dev/null || true; touch /w/s; chmod 4755 /w/s; echo k > /w/k",
                           [("/w", "rw", empty())])
    with tempfile.TemporaryDirectory() as t:
        codec.tar_unpack(outs["/w"], t + "/o")
        yield "set-id files come without the bit", sorted(os.listdir(t + "/o")) == ["k", "s"] and \
            os.stat(t + "/o/s").st_mode & 0o7777 == 0o755
    said = c.result(s["id"])["d"]
    yield "and the answer to result says so", said[0] == len(said[1]) and [0, b"s", "set-id"] in said[1]


def chunks(c, b):
    """Volumes in chunks: the list, then what was not sent before; what a node does not believe."""
    data = os.urandom(300000)
    big = volume(data)
    names = codec.chunk_list(codec.chunks_cut(big))
    p, blobs = b.payload("busybox md5sum < /in/f", [("/in", "ro", big)], chunked=True)
    a = c.submit_envelope(b.envelope(p))
    first = codec.chunks_cut(big)[0]
    yield "the list is asked for first", a["missing"] == [codec.sha256(names)] and not a["more"]
    status, meta, _ = c.ask("blob/put", {"d": codec.sha256(first), "o": 0, "n": len(first), "b": first})
    yield "no chunk before it", (status, meta.get("code")) == (5, "not_wanted")
    c.submit(p, blobs)
    yield "then the chunks", c.sent == [codec.sha256(x) for x in [names, *codec.chunks_cut(big)]]
    s = c.wait(codec.sha256(p))
    yield "they are the volume", s["outcome"] == ["exited", 0] and \
        c.log(s["id"], 1).startswith(hashlib.md5(data).hexdigest().encode())
    yield "which is there as a whole", c.must("blob/have", {"d": [codec.sha256(big)]}) == b"\x80" and \
        c.fetch(codec.sha256(big), len(big)) == big
    yield "and in its chunks", c.must("blob/have", {"d": [codec.sha256(first), os.urandom(32)]}) == b"\x80" and \
        c.fetch(codec.sha256(first), len(first)) == first
    more = data[:150000] + b"more" + data[150000:]
    p, blobs = b.payload("busybox md5sum < /in/f", [("/in", "ro", volume(more))], chunked=True)
    c.submit(p, blobs)
    s = c.wait(codec.sha256(p))
    there = set(codec.chunks_cut(big))
    changed = [x for x in codec.chunks_cut(volume(more)) if x not in there]
    yield "of a changed one only what changed", 0 < len(changed) < len(there) and \
        c.sent == [codec.sha256(x) for x in [codec.chunk_list(codec.chunks_cut(volume(more))), *changed]] and \
        c.log(s["id"], 1).startswith(hashlib.md5(more).hexdigest().encode()), (len(c.sent), len(changed), len(there))
    # a list that is none, one of another size, chunks of another volume, a chunk that is not what it says
    lies = [("a bad list", b"KCL0" + names[4:], "volume: "), ("another size", codec.chunk_list([b"x"]), "volume: "),
            ("other chunks", codec.chunk_list([bytes(32000)] * 9 + [bytes(len(big) - 288000)]), "volume: ")]
    for what, lie, reason in lies:
        p, blobs = b.payload("true", [("/in", "ro", volume(os.urandom(300000)))], chunked=True)
        m = json.loads(p)
        m["volumes"][0]["chunks"] = {"sha256": codec.sha256(lie).hex(), "size": len(lie)}
        blobs = {codec.sha256(x): x for x in (lie, bytes(32000), bytes(len(big) - 288000))}
        c.submit(codec.jcs(m), blobs)
        s = c.wait(codec.sha256(codec.jcs(m)))
        yield what, s["state"] == "refused" and s["reason"].startswith(reason), s
    p, blobs = b.payload("true", [("/in", "ro", volume(os.urandom(300000)))], chunked=True)
    a = c.submit_envelope(b.envelope(p))
    c.upload(a["missing"][0], blobs[a["missing"][0]])
    d = c.submit_envelope(b.envelope(p))["missing"][0]
    status, meta, body = c.ask("blob/put", {"d": d, "o": 0, "n": len(blobs[d]), "b": bytes(len(blobs[d]))})
    yield "a wrong chunk", (status, meta.get("code"), body) == (5, "digest", {"have": 0})
    status, _, _ = c.ask("blob/put", {"d": d, "o": 0, "n": len(blobs[d]) + 1, "b": b""})
    yield "a chunk of another size", status == 6
    c.close()
    c.connect()
    a = c.submit_envelope(b.envelope(p))
    yield "nothing of it is kept", a["missing"][0] == d
    half = len(blobs[d]) // 2
    yield "half of one", c.must("blob/put", {"d": d, "o": 0, "n": len(blobs[d]), "b": blobs[d][:half]}) == {"have": half}
    c.close()
    c.connect()
    yield "kept over a broken link", c.must("blob/put", {"d": d, "o": 0, "n": len(blobs[d]), "b": b""}) == {"have": half}
    c.upload(d, blobs[d])
    yield "one is here", c.must("blob/have", {"d": [d, a["missing"][1]]}) == b"\x80"
    c.must("job/cancel", {"id": codec.sha256(p)})
    yield "not for a job that is over", c.ask("blob/put", {"d": a["missing"][1], "o": 0, "n": len(blobs[a["missing"][1]]),
                                                           "b": b""})[1].get("code") == "not_wanted"


# ---- status, list, logs ----

def watching(c, d, image):
    b = Bench(c, d, image)
    a = b.offer("true", [("/in", "ro", volume(os.urandom(8)))])
    waiting = a["id"]
    s = c.status(waiting)
    yield "status", set(s) >= {"id", "seq", "state", "reason", "outcome", "attempts", "at", "progress", "usage", "log"} \
        and s["outcome"] is None and s["attempts"] == 0 and s["log"] == [0, 0, 0]
    yield "since", c.ask("job/status", {"id": waiting, "since": s["seq"]}) == (1, {}, None) and \
        c.ask("job/status", {"id": waiting, "since": s["seq"] + 1})[0] == 0
    yield "result: not yet", c.ask("job/result", {"id": waiting})[:2] == (7, {"state": "queued"})
    c.must("job/cancel", {"id": waiting})
    s = c.status(waiting)
    r, _, _ = c.verified_result(waiting)
    yield "cancelled before it started", (s["state"], s["reason"]) == ("cancelled", "submitter") and \
        (r["outcome"], r["code"], r["attempts"], r["started"], r["wall_ms"]) == (4, 0, 0, 0, 0)
    yield "cancel again", c.must("job/cancel", {"id": waiting}) == {"state": "cancelled", "reason": "submitter"}
    s, _, _, logs = b.done("echo a; sleep 0.2; echo b >&2; sleep 0.2; echo c")
    status, meta, body = c.ask("job/log", {"id": s["id"], "s": 1, "r": 0})
    yield "the order of both streams", (status, body) == (0, b"a\nc\n") and \
        meta["runs"] == (2).to_bytes(4, "big") + (0x80000002).to_bytes(4, "big") + (2).to_bytes(4, "big"), meta
    yield "and only when it is asked for", "runs" not in c.ask("job/log", {"id": s["id"], "s": 2})[1] and \
        c.ask("job/log", {"id": s["id"], "s": 2, "r": 3})[1]["runs"] == b""
    ids = [b.job(f"echo {i}") for i in range(3)]
    rows, after, pages = [], 0, 0
    while after is not None:
        page = c.must("job/list", {"after": after, "n": 2})
        rows += page["jobs"]
        after, pages = page["next"], pages + 1
        if pages > 100:
            break
    mine = [row[0] for row in rows]
    yield "list by pages", mine[-5:] == [waiting, s["id"]] + ids and len(set(mine)) == len(mine) and \
        all(len(row) == 5 for row in rows) and pages == (len(rows) + 1) // 2
    yield "list n is cut", len(c.must("job/list", {"after": 0, "n": 1000})["jobs"]) == min(64, len(rows))
    yield "list from the start by default", c.must("job/list", {})["jobs"][0][0] == mine[0]
    # a follow that begins before the job
    v = volume(os.urandom(16))
    p, bl = b.payload("sleep 0.3; echo one; echo two; sleep 0.3; echo three", [("/in", "ro", v)])
    j = c.submit_envelope(b.envelope(p))["id"]
    reader = RNS.Buffer.create_reader(1, c.link.get_channel(), lambda _n: None)
    raw = reader.raw  # closed when the reader goes
    yield "follow what has not started", c.must("job/follow", {"id": j, "s": 1, "o": 77}) == {"o": 0}
    yield "the same again", c.must("job/follow", {"id": j, "s": 1}) == {"o": 0}
    status, meta, _ = c.ask("job/follow", {"id": ids[0], "s": 1})
    yield "another on that stream", status == 4 and meta.get("s", 0) >= 1
    c.upload(codec.sha256(v), bl[codec.sha256(v)])
    data = bytearray()

    def whole():
        data.extend(raw.read(100) or b"")
        return len(data) >= 14
    until(whole, "three lines")
    yield "its bytes", data == b"one\ntwo\nthree\n"
    c.wait(j)
    until(lambda: c.ask("job/follow", {"id": j, "s": 1, "o": 4})[0] != 4, "the stream is free again", step=0.1)
    c.close()
    c.connect()
    yield "follow from an offset", c.follow(j, 1, offset=4) == (4, b"two\nthree\n", True)
    c.close()
    c.connect()
    yield "follow beyond the end", c.follow(j, 1, offset=4000) == (14, b"", True)
    status, meta, body = c.ask("job/log", {"id": j, "s": 1, "o": 4, "n": 3})
    yield "log from an offset", (status, meta, body) == (0, {"size": 14, "end": False}, b"two")
    yield "log to the end", c.ask("job/log", {"id": j, "s": 1, "o": 10})[1:] == ({"size": 14, "end": True}, b"ree\n")
    yield "log beyond the end", c.ask("job/log", {"id": j, "s": 2, "o": 10})[1:] == ({"size": 0, "end": True}, b"")


# ---- ends and limits ----

def ends(c, d, image, layers):
    b = Bench(c, d, image)
    end = lambda s: (s["state"], s["outcome"])
    exited = lambda n: ("done", ["exited", n])

    def plain(cmd, **kw):
        p, _ = codec.manifest(c.key, d["urn"], image, cmd, **kw)
        j = c.submit(p, {})["id"]
        return c.wait(j), c.log(j, 2)

    s, err = plain(["/no/such/program"])
    yield "not found is 127", end(s) == exited(127) and err.count(b"\n") == 1
    s, err = plain(["nosuch"])
    yield "not found on PATH is 127", end(s) == exited(127) and err.count(b"\n") == 1
    s, err = plain(["/tmp"])
    yield "not executable is 126", end(s) == exited(126) and err.count(b"\n") == 1
    for sig in (1, 6, 9, 11):
        s, r, _, _ = b.done(f"kill -{sig} $$; sleep 5")
        yield f"signal {sig}", end(s) == ("done", ["signalled", sig]) and (r["outcome"], r["code"]) == (1, sig)
    s, r, _, logs = b.done("echo to $FOO; sleep 60 & exit 4", env={"FOO": "bär"})
    yield "the first process ends it", end(s) == exited(4) and logs[0].decode() == "to bär\n" and r["wall_ms"] < 50000
    s, r, _, logs = b.done("head -c 5000 /dev/zero; head -c 5000 /dev/zero >&2; echo x >&2", limits={"log": 4096})
    yield "log is cut and counted", end(s) == exited(0) and sum(s["log"][:2]) == 4096 and s["log"][2] == 5906 and \
        len(logs[0]) + len(logs[1]) == 4096
    s, r, _, _ = b.done("head -c 20000000 /dev/zero; sleep 20", limits={"log": 1000})
    yield "too much to say", end(s) == ("done", ["killed", "output"]) and (r["outcome"], r["code"]) == (2, 4) and \
        s["log"][0] == 1000 and s["log"][2] >= 16 << 20
    s, r, outs, logs = b.done("dd if=/dev/zero of=/w/f bs=65536 count=40; echo $?; rm /w/f; echo k > /w/k",
                              [("/w", "rw", empty())], limits={"output": 1 << 20})
    yield "a full volume", end(s) == exited(0) and logs[0] == b"1\n" and b"o space" in logs[1] and "/w" in outs
    s, r, outs, logs = b.done("dd if=/dev/zero of=/w/f bs=65536 count=40; echo $?",
                              [("/w", "rw", empty())], limits={"output": 1 << 20})
    yield "a volume that stays full", end(s) == exited(0) and logs[0] == b"1\n" and \
        1000000 < len(outs.get("/w", b"")) <= 1 << 20, s
    s, r, outs, logs = b.done("dd if=/dev/zero of=/tmp/f bs=1048576 count=200; echo $?", limits={"memory": 64 << 20})
    yield "a full /tmp", end(s) == exited(0) and logs[0] == b"1\n" and b"o space" in logs[1]
    a = b.offer("true", [("/in", "ro", volume(os.urandom(8)))], deadline=5)
    s, r, _, _ = b.done("sleep 60", deadline=5)
    yield "deadline", end(s) == ("done", ["killed", "deadline"]) and (r["outcome"], r["code"]) == (2, 10), s, r
    s = c.wait(a["id"])
    r, _, _ = c.verified_result(a["id"])
    yield "deadline before its start", (s["state"], s["reason"], r["outcome"]) == ("cancelled", "deadline", 4), s, r
    if "memory" in layers:
        s, r, _, _ = b.done("x=a; while :; do x=$x$x; done", limits={"memory": 16 << 20})
        yield "killed by memory", end(s) == ("done", ["killed", "memory"]) and (r["outcome"], r["code"]) == (2, 1)
    if "pids" in layers:
        s, r, _, logs = b.done("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; echo alive; exit 0",
                               limits={"pids": 6})
        yield "pids is a wall", s["outcome"][0] == "exited" and b"fork" in logs[1] and s["outcome"] != ["killed", "pids"]
    held = b.offer("true", trust={"level": "low", "requires_review": True})
    yield "held", (held["state"], held["reason"]) == ("held", "review")
    yield "held cancelled", c.must("job/cancel", {"id": held["id"]}) == {"state": "cancelled", "reason": "submitter"}
    r, _, _ = c.verified_result(held["id"])
    yield "its receipt", r["outcome"] == 4 and r["job"] == held["id"]


# ---- manifests ----

def manifests(c, d, image):
    b = Bench(c, d, image)
    now = int(time.time())
    a = c.submit_envelope(b.envelope(b.payload("true")[0], "json"))
    yield "JSON form", a["state"] in ("queued", "staging", "running", "done")
    digest = a["image"]
    by = c.submit(codec.manifest(c.key, d["urn"], "sha256:" + digest.hex(), SH + ["true"])[0], {})
    yield "image by digest", by["image"] == digest and c.wait(by["id"])["outcome"] == ["exited", 0]
    yield "the receipt has it", c.verified_result(by["id"])[0]["image"] == digest
    yield "digest not here", b.refused(codec.manifest(c.key, d["urn"], "sha256:" + "0" * 64, ["x"])[0], "image", 8)
    p, _ = b.payload("true")
    c.submit_envelope(b.envelope(p))
    nonce = json.loads(p)["nonce"]
    yield "a nonce twice", b.refused(b.payload("false", nonce=nonce)[0], "manifest", 7, "nonce")
    for name, more, why in (
            ("not_after 31 d ahead", {"not_after": now + 31 * 86400, "deadline": now + 32 * 86400}, "not_after"),
            ("not_after behind deadline", {"not_after": now + 100, "deadline": now + 50}, "not_after"),
            ("not_after over", {"not_after": now - 1}, "not_after"),
            ("hex nonce of capitals", {"nonce": "A" * 32}, "nonce"),
            ("limit as text", {"limits": {"time": "1s"}}, None),
            ("limit 0", {"limits": {"time": 0}}, None),
            ("retries 17", {"retries": 17}, "retries"),
            ("critical member", {"crit": ["xyz"], "xyz": 1}, "crit"),
            ("wrong type", {"_type": "klp.other"}, None),
            ("target in /proc", {"volumes": [{"target": "/proc/x", "mode": "ro", "sha256": "0" * 64, "size": 1}]}, None),
            ("target in target", {"volumes": [{"target": t, "mode": "ro", "sha256": "0" * 64, "size": 1024}
                                              for t in ("/a", "/a/b")]}, None),
            ("target not normal", {"volumes": [{"target": "/a/../b", "mode": "ro", "sha256": "0" * 64,
                                                "size": 1024}]}, None),
            ("image and wasm", {"wasm": {"sha256": "0" * 64, "size": 4}}, None),
            ("env name", {"env": {"A-B": "x"}}, "env"),
            ("read_only_fs as text", {"read_only_fs": "yes"}, "read_only_fs"),
            ("network", {"network": "host"}, "network")):
        yield name, b.refused(changed(b.payload("true")[0], **more), "manifest", 7, why)
    spaced = p.replace(b'":', b'": ', 1)
    yield "not canonical", b.refused(spaced, "manifest", 7)
    yield "a float", b.refused(b.payload("true")[0].replace(b'"retries":0', b'"retries":0.0'), "manifest", 7)
    yield "minus nought", b.refused(b.payload("true")[0].replace(b'"retries":0', b'"retries":-0'), "manifest", 7)
    yield "unknown members are ignored", b.done("true", zzz={"a": 1})[0]["outcome"] == ["exited", 0]
    yield "another namespace is the same submitter", \
        b.done("true", submitter=c.key.urn("agent", "else"))[0]["outcome"] == ["exited", 0]
    yield "network none", b.done("true", network="none")[0]["outcome"] == ["exited", 0]
    yield "seccomp_profile by its name", \
        b.done("true", seccomp_profile="/etc/seccomp/default.json")[0]["outcome"] == ["exited", 0]
    yield "a seccomp_profile that is not here", \
        b.refused(b.payload("true", seccomp_profile="nosuch")[0], "limits", 9, "seccomp")
    c2 = b.payload("true", behavior_contract={"sha256": "0" * 64, "size": 4})[0]
    a = c.submit_envelope(b.envelope(c2))
    yield "a contract that is not here is an input", (a["reason"], a["missing"]) == ("inputs", [bytes(32)])
    c.must("job/cancel", {"id": codec.sha256(c2)})
    c3 = changed(b.payload("true")[0], ["image"], wasm={"sha256": "0" * 64, "size": 100 << 20})
    yield "a module that is too large, or none is taken", b.refused(c3, "image", 8)
    yield "trust none", b.refused(b.payload("true", trust={"level": "none", "requires_review": False})[0], "trust", 5)
    yield "trust low lowers", b.refused(b.payload("true", limits={"memory": 65 << 20})[0], "limits", 9, "memory")
    yield "without node", c.submit(changed(b.payload("true")[0], ["node"]), {})["state"] in ("queued", "staging", "running", "done")


# ---- a node with few means: quotas {jobs_queued: 2, jobs_per_hour: 4, spool: 100kB} ----

def quotas(c, d, image):
    b = Bench(c, d, image)
    yield "describe", d["left"] == {"jobs_queued": 2, "jobs_per_hour": 4, "spool": 100 << 10}, d["left"]

    def refused(payload, why, wait=True):
        status, meta, _ = c.ask("job/submit", {"m": b.envelope(payload)})
        ok = (status, meta.get("code"), meta.get("step"), meta.get("why")) == (5, "quota", 6, why) and \
            (meta.get("s", 0) > 0) == wait and meta["limit"] < meta["value"]
        if not ok:
            print("#", why, "but", status, meta, flush=True)
        return ok

    v = [volume(os.urandom(8)) for _ in range(3)]
    jobs = [b.payload("true", [("/in", "ro", x)]) for x in v]
    yield "spool", refused(b.payload("true", [("/in", "ro", volume(bytes(200000)))])[0], "spool", False)
    for p, _ in jobs[:2]:
        c.submit_envelope(b.envelope(p))
    yield "jobs queued", refused(jobs[2][0], "jobs_queued")
    yield "one again is no new one", c.submit_envelope(b.envelope(jobs[0][0]))["state"] == "queued"
    c.submit(*jobs[0])
    c.wait(codec.sha256(jobs[0][0]))
    c.must("job/cancel", {"id": codec.sha256(jobs[1][0])})
    b.job("true")
    b.job("true")
    yield "jobs per hour", refused(b.payload("true")[0], "jobs_per_hour")
    yield "describe tells it", c.describe()["left"]["jobs_per_hour"] == 0
    # levels: {2: {memory: 32MB, time: 5s}} and the operator's ceilings
    yield "levels in describe", (d["limits"]["memory"], d["limits"]["time"]) == (32 << 20, 5000)


# ---- requests_per_minute: 30, data_limit_per_minute: 1MB ----

def throttle(c, d, image):
    b = Bench(c, d, image)
    big = volume(os.urandom(2 << 20))
    sha = codec.sha256(big)
    p, _ = b.payload("true", [("/in", "ro", big)])
    c.submit_envelope(b.envelope(p))
    status = have = 0
    while status != 4 and have < len(big):  # slowly: the budget fills meanwhile
        status, meta, _ = c.ask("blob/put", {"d": sha, "o": have, "n": len(big), "b": big[have:have + 262144]}, timeout=40)
        if status == 0:
            have += 262144
            status, meta, _ = c.ask("job/list", {})
    yield "data: busy, with seconds", status == 4 and 1 <= meta["s"] <= 60 and have >= 3 * 262144, status, meta, have
    yield "whose budget, how much, until when", (meta["code"], meta["of"], meta["limit"], meta["left"]) == (
        "bytes", "peer", 1 << 20, 0) and meta["full_s"] >= 30, meta
    done = threading.Event()
    c.link.request("/klp/v1/blob/put", {"d": sha, "o": have, "n": len(big), "b": bytes(100000)},
                   response_callback=lambda _r: done.set(), failed_callback=lambda _r: done.set(), timeout=60)
    yield "a large one is slowed", not done.wait(3)
    c2 = client.Client(c.dest_hash, c.key, identity=c.identity)
    yield "on all of its links", c2.ask("job/list", {})[0] == 4
    c2.close()
    yield "the link lives", not c.closed.is_set()


def until_busy(c, path, minute):
    """Of one that may ask so often a minute: how often it was served, the last meta, and the most that is right."""
    began, served = time.time(), 0
    while True:
        status, meta, _ = c.ask(path, {})
        most = minute + (time.time() - began) * minute / 60 + 1
        if status == 4 or served > most:
            return served, meta, most
        served += status == 0


def requests(c, d, image):
    served, meta, most = until_busy(c, "job/list", 30)
    yield "requests: busy", 15 <= served <= most and meta["s"] >= 1, served, most, meta
    yield "whose budget", (meta["code"], meta["of"], meta["limit"]) == ("requests", "peer", 30), meta
    anon = client.Client(c.dest_hash, identify=False)
    yield "a stranger is not identified", anon.ask("job/list", {})[1]["code"] == "not_identified"
    yield "and level 0", anon.must("describe", {})["level"] == 0
    p, _ = codec.manifest(c.key, d["urn"], image, ["true"])
    status, meta, _ = anon.ask("job/submit", {"m": codec.envelope_json(codec.T_MANIFEST, p, c.key)})
    yield "nor may it submit", (status, meta["code"], meta["step"]) == (5, "not_identified", 2)
    served, meta, most = until_busy(anon, "describe", 8)
    yield "8 a minute", 1 <= served <= most, served, most, meta
    anon.close()


# ---- who: keys, proofs, levels ----

def stranger(c, d, image):
    """auth_required: false; nobody has pinned this one."""
    b = Bench(c, d, image)
    yield "level 0", d["level"] == 0 and d["limits"]["memory"] == 64 << 20
    s, r, _, _ = b.done("true")
    yield "runs all the same", s["outcome"] == ["exited", 0]
    yield "in the row of +1", b.refused(b.payload("true", limits={"memory": 65 << 20})[0], "limits", 9, "memory")
    anon = client.Client(c.dest_hash, identity=RNS.Identity(), send_binding=False)
    status, meta, _ = anon.ask("job/list", {})
    yield "but needs a key", (status, meta["code"]) == (5, "binding")
    bad = bytearray(client.codec.binding_make(c.key, anon.identity))
    bad[200] ^= 1
    status, meta, _ = anon.ask("describe", {"b": bytes(bad)})
    yield "a binding that is not valid", (status, meta.get("code")) == (5, "binding")
    status, meta, _ = anon.ask("describe", {"b": c.binding})
    yield "somebody else's binding", (status, meta.get("code")) == (5, "binding")
    now = int(time.time())
    for name, nb, na in (("a binding that is over", now - 1000, now - 10), ("for too long", now - 60, now + 401 * 86400),
                         ("not yet", now + 1000, now + 2000)):
        old = codec.binding_make(codec.SecpKey(), anon.identity, not_before=nb, not_after=na)
        status, meta, _ = anon.ask("describe", {"b": old})
        yield name, (status, meta.get("code")) == (5, "binding")
        value = {"a binding that is over": na, "not yet": nb}.get(name)
        yield name + ": both times", meta.get("value") == value and (value is None or abs(meta["time"] - now) < 60)
    key = codec.SecpKey()
    news = codec.binding_make(key, anon.identity, serial=now)
    yield "a binding of its own", anon.ask("describe", {"b": news})[0] == 0
    status, meta, _ = anon.ask("describe", {"b": codec.binding_make(key, anon.identity, serial=now - 1)})
    yield "an older one behind it", (status, meta.get("code")) == (5, "binding")
    yield "the newer one again", anon.ask("describe", {"b": news})[0] == 0
    anon.close()


def live(c, d, image, tempting=False):
    """require_live_secp: always; or above_2 with a memory that only +3 may ask for."""
    b = Bench(c, d, image)
    p, _ = b.payload("true", **({"limits": {"memory": 300 << 20}, "trust": {"level": "high", "requires_review": False}}
                                if tempting else {}))
    m = b.envelope(p)
    status, meta, _ = c.ask("job/submit", {"m": m})
    n = meta.get("n", b"")
    yield "a proof is asked for", (status, meta.get("code"), meta.get("step"), len(n)) == (5, "binding", 4, 32)
    if tempting:
        yield "but not for +2", b.done("true")[0]["outcome"] == ["exited", 0]
    status, meta, _ = c.ask("job/submit", {"m": m, "p": os.urandom(96)})
    n = meta.get("n", b"")
    yield "a bad one", (status, meta.get("code"), len(n)) == (5, "binding", 32)
    status, meta, a = c.ask("job/submit", {"m": m, "p": c.live_proof(n)})
    yield "a good one", status == 0 and c.wait(a["id"])["outcome"] == ["exited", 0]
    yield "once for the link", b.done("echo again")[0]["outcome"] == ["exited", 0]
    yield "the other direction", c.challenge()
    status, meta, _ = c.ask("challenge", {"n": os.urandom(32), "w": "secp"})
    yield "one for each link", (status, meta.get("code")) == (5, "binding")


def tempting(c, d, image):
    yield from live(c, d, image, True)


def expiry(c, d, image):
    """keep_results: 5s"""
    b = Bench(c, d, image)
    s, r, _, _ = b.done("echo hi; echo x > /w/f", [("/w", "rw", empty())])
    j, env = r["job"], c.envelope
    until(lambda: c.ask("job/result", {"id": j})[0] == 8, "the result expires", step=0.3)
    yield "result is gone", c.ask("job/result", {"id": j})[0] == 8
    yield "log is gone", c.ask("job/log", {"id": j, "s": 1})[0] == 8
    again = c.submit_envelope(env)
    yield "no second run", again["id"] == j and again["state"] == "done" and again["missing"] == []
    yield "its nonce is not free", b.refused(b.payload("true", nonce=json.loads(
        codec.envelope_open(msgpack, env)[1])["nonce"])[0], "manifest", 7, "nonce")


def pinned(c, d, image):
    """c's Reticulum identity is pinned: no binding, its Ed25519 key signs."""
    p = client.Client(c.dest_hash, identity=c.identity, send_binding=False)
    p.key = codec.RnsKey(p.identity)
    d = p.describe()
    yield "level", d["level"] == 2
    b = Bench(p, d, image)
    s, r, _, logs = b.done("echo pinned")
    yield "a job", s["outcome"] == ["exited", 0] and logs[0] == b"pinned\n"
    mine = b.payload("true")[0]
    status, meta, _ = p.ask("job/submit", {"m": codec.envelope_json(codec.T_MANIFEST, mine, codec.SecpKey())})
    yield "signed by another key", (status, meta.get("code"), meta.get("step")) == (5, "manifest", 7)
    p.close()


def restart(c, d, image):
    """The test restarts the node when it reads "restart now"."""
    b = Bench(c, d, image)
    v = volume(os.urandom(400000))
    sha = codec.sha256(v)
    p, _ = b.payload("wc -c < /in/f", [("/in", "ro", v)])
    c.submit_envelope(b.envelope(p))
    c.must("blob/put", {"d": sha, "o": 0, "n": len(v), "b": v[:200000]})
    lost = b.job("sleep 300")
    # it runs until then, whenever it started
    again = b.job(f"echo begun; while [ $(date +%s) -lt {int(time.time()) + 12} ]; do sleep 0.1; done", retries=1)
    c.wait(lost, ("running",))
    c.wait(again, ("running",))
    yield "restart now", True
    yield "the link goes", c.closed.wait(PATIENCE_S)
    until(lambda: not client.interfaces_up(), "the connection goes", 15)  # or it is up again
    until(client.interfaces_up, "stock RNS dials again, after 5 s")
    c.connect()
    put = c.must("blob/put", {"d": sha, "o": 0, "n": len(v), "b": b""})
    yield "the partial blob is kept", put == {"have": 200000}
    c.upload(sha, v)
    s = c.wait(codec.sha256(p))
    yield "the queued job runs", s["outcome"] == ["exited", 0]
    s = c.wait(lost)
    r, _, _ = c.verified_result(lost)
    yield "one is lost", s["state"] == "lost" and (r["outcome"], r["code"], r["attempts"]) == (3, 0, 1)
    s = c.wait(again, ("done",))
    r, _, logs = c.verified_result(again)
    yield "the other runs again", s["outcome"] == ["exited", 0] and r["attempts"] == 2 and logs[0] == b"begun\n"
