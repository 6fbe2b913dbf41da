# SPDX-License-Identifier: BSD-2-Clause
"""A stock RNS program that is a hub for events, and says what it is sent; public API of RNS only.

  hubpeer.py CONFIGDIR      prints JSON lines; reads words: announce, quit
    {"event": "ready", "identity": …}
    {"event": "lines", "text": …, "who": …}     /klp/v1/events, acknowledged
    {"event": "alarm", "frame": hex, "who": …}  /klp/v1/alert
    {"event": "packet", "frame": hex}           an alarm without a link, proved
"""

import json
import sys

import RNS

from peer import say, start


def answer(path, data, request_id, link_id, remote_identity, requested_at):
    who = remote_identity.hash.hex() if remote_identity else None
    body = data.get("b") if isinstance(data, dict) else None
    if not isinstance(body, bytes):
        return [6, {}, None]
    if path == "/klp/v1/alert":
        say(event="alarm", frame=body.hex(), who=who)
        return [0, {}, int.from_bytes(body[12:16], "big")]
    say(event="lines", text=body.decode(), who=who)
    return [0, {}, json.loads(body.split(b"\n")[-2])["seq"]]


def main():
    start(sys.argv[1])
    identity = RNS.Identity()
    dest = RNS.Destination(identity, RNS.Destination.IN, RNS.Destination.SINGLE, "klp", "node")
    for path in ("events", "alert"):
        dest.register_request_handler("/klp/v1/" + path, answer, allow=RNS.Destination.ALLOW_ALL)
    dest.set_proof_strategy(RNS.Destination.PROVE_ALL)
    dest.set_packet_callback(lambda data, packet: say(event="packet", frame=data.hex()))
    say(event="ready", identity=identity.hash.hex())
    for word in sys.stdin:
        if word.strip() == "announce":
            dest.announce()
            say(event="announced")
        else:
            break


if __name__ == "__main__":
    main()
