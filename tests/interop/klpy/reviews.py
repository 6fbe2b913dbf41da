# SPDX-License-Identifier: BSD-2-Clause
"""Jobs that wait for a reviewer (klp.md 6.1): a client's and a reviewer's view."""

import os
import time

from RNS.vendor import umsgpack as msgpack

from . import codec, until
from .more import Bench, changed, is_bad


def held(b, text="true", **trust):
    """A job that is held, and its id."""
    payload, _ = b.payload(text)
    payload = changed(payload, trust={"requires_review": True, **trust})
    a = b.c.submit_envelope(b.envelope(payload))
    return codec.sha256(payload), (a["state"], a["reason"]) == ("held", "review")


def approve(c, frame):
    status, meta, body = c.ask("job/approve", {"f": frame})
    return status, meta.get("code"), body and (body["state"], body["reason"])


def page(c, after=0, n=64):
    return c.ask("job/review", {"after": after, "n": n})


def reviews(c, d, image, other):
    """other(): a client of another key that may run jobs, and so may review."""
    b, r = Bench(c, d, image), other()
    r.describe()
    job, ok = held(b)
    yield "a job that asks for it is held", ok
    status, _, body = page(r)
    yield "a reviewer sees it", status == 0 and [j[0] for j in body["jobs"]] == [job] and body["next"] is None, body
    kind, payload, sigs = codec.envelope_open(msgpack, body["jobs"][0][1])
    yield "with the envelope as it was signed", kind == codec.T_MANIFEST and codec.sha256(payload) == job and \
        codec.secp_verify(c.key.public, kind, payload, sigs[0]) and abs(body["jobs"][0][2] - time.time()) < 60
    yield "its submitter's own word does not count", approve(c, codec.approval_make(job, c.key))[:2] == (5, "trust")
    yield "nor does a key that nobody knows", approve(r, codec.approval_make(job, codec.SecpKey()))[:2] == (5, "trust")
    good = codec.approval_make(job, r.key)
    for name, frame in (("another verdict", good[:3] + b"\0" + good[4:]), ("another job", good[:9] + b"x" + good[10:]),
                        ("a signature of a manifest", good[:49] + r.key.sign(codec.T_MANIFEST, good[:44]))):
        yield name + " is not signed", approve(r, frame)[:2] == (5, "trust")
    now = int(time.time())
    yield "one from the future", approve(r, codec.approval_make(job, r.key, issued=now + 1000))[:2] == (5, "trust")
    yield "one that has run out", approve(r, codec.approval_make(job, r.key, issued=now - 9, expires=now - 5))[:2] == \
        (5, "trust")
    for name, frame in (("empty", b""), ("short", good[:-1]), ("long", good + b"\0"), ("no signature", good[:44] + b"\0"),
                        ("17 signatures", good[:44] + b"\x11" + good[45:] * 17), ("version 2", b"KP\2" + good[3:])):
        yield "a frame that is none: " + name, is_bad(c, "job/approve", {"f": frame})
    yield "a frame as text", is_bad(c, "job/approve", {"f": "KP"})
    yield "no frame", is_bad(c, "job/approve", {})
    yield "a page of none", is_bad(c, "job/review", {"n": 0})
    yield "it is held still", c.status(job)["state"] == "held"
    # anybody may bring it, the submitter too, and as often as he likes
    yield "a reviewer's word lets it run", approve(c, good) in ((0, None, ("queued", "slots")),
                                                              (0, None, ("staging", None)), (0, None, ("running", None)))
    yield "and it ends as others do", c.wait(job)["state"] == "done"
    yield "once more changes nothing", approve(r, good) == (0, None, ("done", None))
    job, _ = held(b)
    yield "a reject ends it", approve(r, codec.approval_make(job, r.key, approve=False)) == (0, None, ("cancelled", "review"))
    yield "for good", approve(r, codec.approval_make(job, r.key)) == (0, None, ("cancelled", "review"))
    res = c.result(job)
    yield "with a receipt that says so", codec.receipt_open(res["r"], c.node_key)["outcome"] == 4
    # before the job comes
    payload, _ = b.payload("echo early")
    payload = changed(payload, trust={"requires_review": True})
    early = codec.sha256(payload)
    yield "an approval may come first", approve(r, codec.approval_make(early, r.key))[0] == 2
    b.c.submit_envelope(b.envelope(payload))
    yield "and then counts at once", c.wait(early)["state"] == "done" and c.log(early, 1) == b"early\n"
    # a job that waits for its inputs needs nobody's word, and a reject ends it
    a = b.offer("true", [("/in", "ro", b"y" * 1024)])
    yield "a reject ends one that waits for inputs", \
        approve(r, codec.approval_make(a["id"], r.key, approve=False)) == (0, None, ("cancelled", "review"))
    # several pages
    ids = [held(b)[0] for _ in range(3)]
    seen, after = [], 0
    while after is not None:
        status, _, body = page(r, after, 2)
        seen += [j[0] for j in body["jobs"]]
        after = body["next"]
    yield "pages, oldest first", seen == ids
    for i in ids:
        c.must("job/cancel", {"id": i})
    yield "what was cancelled is on none", page(r)[2]["jobs"] == []
    # an unmapped board is as if it were not there
    payload, _ = b.payload("true")
    payload = changed(payload, trust={"approved_by": "nobody's board"})
    b.c.submit_envelope(b.envelope(payload))
    yield "a board that nobody maps", c.wait(codec.sha256(payload))["state"] == "done"
    r.close()


def unreviewed(c, d, image):
    """A peer of level +1 is no reviewer."""
    b = Bench(c, d, image)
    status, meta, _ = page(c)
    yield "sees no page", (status, meta.get("code"), meta.get("step")) == (5, "trust", 0)
    s = approve(c, codec.approval_make(os.urandom(32), c.key))
    yield "and approves nothing", s[:2] == (5, "trust")
    job, ok = held(b)
    yield "its own job is held as well", ok
    c.must("job/cancel", {"id": job})
    yield "and can be cancelled", until(lambda: c.status(job)["reason"] == "submitter", "the end of it")
