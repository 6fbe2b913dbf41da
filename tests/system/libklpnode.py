# SPDX-License-Identifier: BSD-2-Clause
"""A klp.node made of stock RNS that has documents in a folder (klp.md 1.6); public API of RNS only.

  libklpnode.py CONFIGDIR FOLDER AUTHORITY ATAG LIST

FOLDER has head, N.root.json, documents and LIST.N.delta. A file `lie` in it names what is done instead:
digest (of other bytes), long (bytes without end), noise. Prints a line of JSON when it is ready and at each request.
"""
import hashlib
import json
import os
import sys

import RNS

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from waiting import until  # noqa: E402

SLICE = 262144


class Node:
    def __init__(self, config, folder, name, atag, revlist):
        RNS.Reticulum(configdir=config, loglevel=2)
        until(lambda: all(i.online for i in RNS.Transport.interfaces), "every interface is up")
        self.folder, self.name, self.atag, self.list = folder, name, bytes.fromhex(atag), revlist
        self.identity = RNS.Identity()
        self.dest = RNS.Destination(self.identity, RNS.Destination.IN, RNS.Destination.SINGLE, "klp", "node")
        for p in ("root", "head", "get", "delta"):
            self.dest.register_request_handler("/klp/v1/" + p, self.answer, allow=RNS.Destination.ALLOW_ALL)
        self.say(event="ready", identity=self.identity.hash.hex(), dest=self.dest.hash.hex())
        self.dest.announce()

    @staticmethod
    def say(**kw):
        print(json.dumps(kw), flush=True)

    def file(self, name):
        try:
            with open(os.path.join(self.folder, name), "rb") as f:
                return f.read()
        except OSError:
            return None

    def answer(self, path, data, request_id, link_id, remote_identity, requested_at):
        what = path.rsplit("/", 1)[1]
        self.say(event="request", path=what, who=remote_identity.hash.hex() if remote_identity else None)
        if what != "get" and data.get("a") != self.atag:
            return [2, {}, None]
        name = {"root": "%s.root.json" % data.get("v"), "head": "head",
                "delta": "%s.%s.delta" % (self.list, data.get("f"))}.get(what) or data["u"].split("/", 3)[3]
        whole, lie = self.file(name), self.file("lie") or b""
        if what == "head" and lie == b"noise":
            return b"\xff" * 50
        if whole is None:
            return [2, {}, None]
        if what == "delta":
            return [0, {}, [whole]]
        if what != "get":
            return [0, {}, whole * 400 if lie == b"long" and what == "head" else whole]
        if lie == b"digest":
            whole = bytes([whole[0]]) + whole[1:-9] + b"x" + whole[-8:]
        sha, size = hashlib.sha256(whole).digest(), len(whole)
        if lie == b"endless":
            size = 1 << 40
        if size > data.get("m", 1 << 60):
            return [3, {"max": data["m"], "len": size, "v": 1, "sha": sha}, None]
        o = data.get("o", 0)
        return [0, {"v": 1, "len": size, "sha": sha}, whole[o:o + min(data.get("n", SLICE), SLICE)]]


if __name__ == "__main__":
    Node(*sys.argv[1:6])
    for line in sys.stdin:
        break
