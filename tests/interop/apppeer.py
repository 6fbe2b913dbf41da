# SPDX-License-Identifier: BSD-2-Clause
"""A stock program with LXMF: what a messenger or a browser of pages does, by the public interface of its libraries.

  apppeer.py RNSDIR STORAGE

Prints JSON lines, reads words:
  announce                        itself
  direct|propagated HASH TEXT     send a message
  node HASH                       the propagation node from now on
  sync                            ask it for messages
  page HASH PATH                  fetch from a node of Nomad Network
"""

import os
import sys

import LXMF
import RNS

from apppeerlib import recalled, say, words


class Heard:
    def __init__(self, aspect):
        self.aspect_filter = aspect
        self.receive_path_responses = True

    def received_announce(self, destination_hash, announced_identity, app_data):
        say(event="announce", aspect=self.aspect_filter, dest=destination_hash.hex())


def send(router, source, dest, text, method):
    identity = recalled(dest)
    if identity is None:
        say(event="unknown", dest=dest.hex())
        return
    to = RNS.Destination(identity, RNS.Destination.OUT, RNS.Destination.SINGLE, "lxmf", "delivery")
    m = LXMF.LXMessage(to, source, text, desired_method=method)
    m.register_delivery_callback(lambda m: say(event="sent", text=text, state=m.state))
    m.register_failed_callback(lambda m: say(event="failed", text=text, state=m.state))
    router.handle_outbound(m)


def fetch(dest, path):
    identity = recalled(dest)
    if identity is None:
        say(event="unknown", dest=dest.hex())
        return
    to = RNS.Destination(identity, RNS.Destination.OUT, RNS.Destination.SINGLE, "nomadnetwork", "node")

    def done(receipt):
        value = receipt.response
        if not isinstance(value, bytes):  # a file: an open one, or name and data
            value = value.read() if hasattr(value, "read") else value[1]
        say(event="fetched", path=path, size=len(value), start=value[:64].decode(errors="replace"))

    link = RNS.Link(to)
    link.set_link_established_callback(lambda link: link.request(
        path, None, response_callback=done, failed_callback=lambda r: say(event="not fetched", path=path)))


def main():
    folder, storage = sys.argv[1:3]
    os.makedirs(storage, exist_ok=True)
    RNS.Reticulum(folder, loglevel=4)
    kept = os.path.join(storage, "identity")
    identity = RNS.Identity.from_file(kept) if os.path.exists(kept) else RNS.Identity()
    identity.to_file(kept)
    router = LXMF.LXMRouter(identity=identity, storagepath=storage)
    me = router.register_delivery_identity(identity, display_name="peer")
    router.register_delivery_callback(lambda m: say(event="message", text=m.content_as_string(),
                                                    source=m.source_hash.hex()))
    for aspect in ("lxmf.propagation", "nomadnetwork.node"):
        RNS.Transport.register_announce_handler(Heard(aspect))
    say(event="ready", dest=me.hash.hex())
    methods = {"direct": LXMF.LXMessage.DIRECT, "propagated": LXMF.LXMessage.PROPAGATED}
    for word, *more in words():
        if word == "announce":
            router.announce(me.hash)
        elif word in methods:
            send(router, me, bytes.fromhex(more[0]), more[1], methods[word])
        elif word == "node":
            recalled(bytes.fromhex(more[0]))
            router.set_outbound_propagation_node(bytes.fromhex(more[0]))
        elif word == "sync":
            router.request_messages_from_propagation_node(identity)
        elif word == "page":
            fetch(bytes.fromhex(more[0]), more[1])


if __name__ == "__main__":
    main()
