# SPDX-License-Identifier: BSD-2-Clause
"""Runs every kind of job against a node and prints one JSON line a step; for the interop tests."""

import argparse
import json
import os
import time

import RNS

from . import PATIENCE_S, client, codec, contracts, more, outcomes, reviews, selftest


START = time.time()


def say(**line):
    print(json.dumps(dict(line, at=round(time.time() - START, 1))), flush=True)


def said(name, ok, *got, group=""):
    """A step; one that failed with what it got, where that is given."""
    say(step=group + name, ok=bool(ok), **({} if ok or not got else {"got": repr(got)[:2000]}))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--config", required=True)
    ap.add_argument("--dest", required=True)
    ap.add_argument("--secret", required=True, help="hex of the secp256k1 key")
    ap.add_argument("--image", required=True)
    ap.add_argument("--steps", default="all", help="all; refused: a peer that must not run anything; unbound; closed: "
                    "one whose link must not last; or groups of more.py")
    ap.add_argument("--rns", help="hex of the private Reticulum identity")
    ap.add_argument("--other", help="hex of the key of somebody else who may run jobs")
    ap.add_argument("--lossy", action="store_true", help="every answer has to be asked for twice")
    ap.add_argument("--layers", default="", help="those that the node has")
    a = ap.parse_args()
    client.start(a.config)
    key = codec.SecpKey(bytes.fromhex(a.secret))
    if a.steps == "closed":
        # somebody else is heard at the same time, so that silence proves something; a node that has just
        # started hears him before it takes jobs
        control = client.Client(bytes.fromhex(a.dest), identify=False, send_binding=False)
        say(step="control", ok="accepting" in control.describe())
        identity = RNS.Identity.from_bytes(bytes.fromhex(a.rns)) if a.rns else None
        c = client.Client(bytes.fromhex(a.dest), key, identity)
        try:
            if not c.closed.wait(2):
                d = c.describe()
                p, blobs = codec.manifest(key, d["urn"], a.image, ["/bin/true"])
                c.submit(p, blobs)
            say(step="submit", ok=c.closed.is_set())
        except client.Refused as e:
            say(step="submit", ok=e.status == 5 and e.meta.get("code") == "revoked", code=e.meta.get("code"))
        except (ConnectionError, TimeoutError, AttributeError) as e:  # RNS: of a request on a closed link
            say(step="submit", ok=c.closed.wait(PATIENCE_S), why=repr(e))
        say(step="control again", ok="accepting" in control.describe())
        say(step="end", ok=True)
        return
    me = RNS.Identity.from_bytes(bytes.fromhex(a.rns)) if a.rns else None
    c = client.Client(bytes.fromhex(a.dest), key, me, send_binding=a.steps != "pinned", lossy=a.lossy)
    if a.steps == "unbound":
        d = c.describe()
        say(step="describe", ok=True)
        other = client.Client(bytes.fromhex(a.dest), key, send_binding=False)
        p, blobs = codec.manifest(key, d["urn"], a.image, ["/bin/true"])
        try:
            other.submit(p, blobs)
            say(step="submit", ok=False)
        except client.Refused as e:
            say(step="submit", ok=e.status == 5 and e.meta.get("code") == "binding")
        other.close()
    elif a.steps == "refused":
        d = c.describe()
        say(step="describe", ok=True, level=d["level"])
        p, blobs = codec.manifest(key, d["urn"], a.image, ["/bin/true"])
        try:
            c.submit(p, blobs)
            say(step="submit", ok=False)
        except client.Refused as e:
            say(step="submit", ok=e.status == 5, meta={k: v for k, v in e.meta.items() if not isinstance(v, bytes)})
    elif a.steps != "all":
        d = c.describe()
        other = [lambda: client.Client(c.dest_hash, codec.SecpKey(bytes.fromhex(a.other)))]
        args = {"blobs": other, "reviews": other, **dict.fromkeys(("ends", "outcomes", "few", "modules"), [a.layers.split(",")])}
        for group in a.steps.split(","):
            for step in next(getattr(m, group) for m in (more, outcomes, reviews, contracts) if hasattr(m, group))(c, d, a.image, *args.get(group, [])):
                said(*step, group=f"{group}: ")
    else:
        d = c.describe()
        say(step="describe", ok=d["accepting"] and d["v"] == 1, level=d["level"], layers=d["layers"])
        for step in selftest.exercise(c, d, a.image):
            said(*step)
        for step in selftest.refusals(c, d, a.image):
            said(*step)
    say(step="end", ok=True)
    c.close()


if __name__ == "__main__":
    try:
        main()
    except Exception as e:
        say(step="exception", ok=False, why=repr(e))
        raise
    os._exit(0)
