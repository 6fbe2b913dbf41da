# SPDX-License-Identifier: BSD-2-Clause
"""A stock RNS program that is a klp.node, and says what it is told; public API of RNS only.

  klpnode.py CONFIGDIR      prints JSON lines; reads words: announce, quit
    {"event": "ready", "identity": …, "dest": …}
    {"event": "request", "path": …, "size": …, "sha256": …, "who": identity hash or null}

Answers by the request path: /klp/v1/head: [0, {}, 40 bytes]; /klp/v1/get: 1,000,000 bytes
that do not compress; /klp/v1/delta: nothing, ever; /klp/v1/set: the link is closed.
"""

import hashlib
import random
import sys

import RNS

from peer import say, start

LARGE = random.Random(1).randbytes(1000000)


def answer(path, data, request_id, link_id, remote_identity, requested_at):
    raw = data if isinstance(data, bytes) else b""
    say(event="request", path=path, size=len(raw), sha256=hashlib.sha256(raw).hexdigest(),
        who=remote_identity.hash.hex() if remote_identity else None)
    if path == "/klp/v1/head":
        return [0, {}, bytes(range(40))]
    if path == "/klp/v1/get":
        return LARGE
    if path == "/klp/v1/set":
        for link in RNS.Transport.active_links:
            if link.link_id == link_id:
                link.teardown()
    return None


def main():
    start(sys.argv[1])
    identity = RNS.Identity()
    dest = RNS.Destination(identity, RNS.Destination.IN, RNS.Destination.SINGLE, "klp", "node")
    for path in ("root", "head", "get", "delta", "set", "events"):
        dest.register_request_handler("/klp/v1/" + path, answer, allow=RNS.Destination.ALLOW_ALL)
    say(event="ready", identity=identity.hash.hex(), dest=dest.hash.hex())
    for word in sys.stdin:
        if word.strip() == "announce":
            dest.announce()
            say(event="announced")
        else:
            break


if __name__ == "__main__":
    main()
