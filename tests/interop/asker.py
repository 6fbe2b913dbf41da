# SPDX-License-Identifier: BSD-2-Clause
"""A stock RNS program that asks klp.node of a node; public API of RNS only.

  asker.py CONFIGDIR DEST      reads JSON commands, prints JSON lines
    {"do": "open"}  {"do": "identify"}  {"do": "close"}
    {"do": "ask", "path": P, "data": any, "seconds": n}   bytes as {"hex": …}
    {"do": "ask", "path": P, "size": n}                   n bytes of data
    {"do": "stream", "stream": n}                         read it until its end
"""

import hashlib
import json
import os
import sys
import threading
import time

import RNS

from peer import path_to, pattern, say, start, until


class Asker:
    def __init__(self, config, dest):
        start(config)
        self.hash = bytes.fromhex(dest)
        self.identity = RNS.Identity()
        say(event="ready", identity=self.identity.hash.hex(),
            public=self.identity.get_public_key().hex())

    def linked(self, to):
        def tried():  # its time may be over before the proof comes
            self.link = RNS.Link(to)
            until(lambda: self.link.status in (RNS.Link.ACTIVE, RNS.Link.CLOSED), "the link")
            return self.link.status == RNS.Link.ACTIVE
        up = until(tried, "a link that is active")
        self.link.set_link_closed_callback(lambda link: say(event="closed"))
        return up

    def open(self, c):
        if not path_to(self.hash):
            return say(event="open", ok=False, why="no path")
        to = RNS.Destination(RNS.Identity.recall(self.hash), RNS.Destination.OUT,
                             RNS.Destination.SINGLE, "klp", "node")
        app = RNS.Identity.recall_app_data(self.hash)
        say(event="open", ok=self.linked(to),
            link=self.link.link_id.hex(), app_data=app.hex() if app else None,
            public=to.identity.get_public_key().hex())

    def identify(self, c):
        self.link.identify(self.identity)

    def ask(self, c):
        data = pattern(c["size"]) if "size" in c else c.get("data")
        done = threading.Event()
        got = []

        def answer(receipt):
            got.append(receipt.response)
            done.set()
        started = time.time()
        self.link.request(c["path"], data, answer, lambda receipt: done.set(),
                          timeout=c.get("seconds", 20))
        done.wait(c.get("seconds", 20))
        r = got[0] if got else None
        if isinstance(r, bytes):
            r = {"size": len(r), "sha256": hashlib.sha256(r).hexdigest()}
        say(event="answer", ok=bool(got), response=r, took=time.time() - started)

    def stream(self, c):
        got = bytearray()
        channel = self.link.get_channel()
        lock = threading.Lock()

        def ready(n):
            with lock:
                data = reader.read(n)
                if data:
                    got.extend(data)
                if len(got) >= c["expect"]:
                    say(event="stream", size=len(got),
                        sha256=hashlib.sha256(bytes(got)).hexdigest())
        reader = RNS.Buffer.create_reader(c["stream"], channel, ready)
        self.reader = reader
        say(event="reading")

    def close(self, c):
        self.link.teardown()


if __name__ == "__main__":
    asker = Asker(sys.argv[1], sys.argv[2])
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "quit":
            break
        getattr(asker, command["do"])(command)
    os._exit(0)
