# SPDX-License-Identifier: BSD-2-Clause
"""A stock RNS program that tells what compute nodes announce; public API of RNS only.

  listener.py CONFIGDIR      prints a JSON line for each announce of klp.node that it hears
"""

import struct
import sys

import RNS

from peer import say, start


def flags(app_data):
    """TLV 4: the capabilities of compute.md 1."""
    at = 0
    while at + 3 <= len(app_data or b""):
        kind, size = struct.unpack(">BH", app_data[at:at + 3])
        if kind == 4:
            return app_data[at + 3 + 5]
        at += 3 + size
    return None


class Handler:
    aspect_filter = "klp.node"

    def received_announce(self, destination_hash, announced_identity, app_data):
        say(event="announce", dest=destination_hash.hex(),
            accepting=bool((flags(app_data) or 0) & 1), binding=bool(app_data) and app_data[0] == 1)


start(sys.argv[1])
RNS.Transport.register_announce_handler(Handler())
say(event="ready")
sys.stdin.read()
