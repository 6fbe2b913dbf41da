#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes lxmf.json with the public lxmf package (pip install rns==1.5.7 lxmf==1.2.1) as a program would use it."""

import json
import os
import sys
import tempfile

import LXMF
import RNS


def text(b):
    return None if b is None else b.hex()


def ours(fields, kind, data):
    """Whether Warren writes such a message with the same bytes."""
    return (not set(fields) - {0xFB, 0xFC} and list(fields) == sorted(fields)
            and isinstance(kind, (str, type(None))) and isinstance(data, (bytes, type(None))))


def message(dst, src, title, content, fields, cost):
    m = LXMF.LXMessage(dst, src, content, title, fields=fields, stamp_cost=cost,
                       desired_method=LXMF.LXMessage.DIRECT)
    m.timestamp = 1800000000.25
    m.defer_stamp = False
    m.pack()
    data = fields.get(0xFC)
    kind = fields.get(0xFB)
    return {"title": title.encode().hex(), "content": content.encode().hex(),
            "type": text(kind.encode() if isinstance(kind, str) else kind),
            "data": text(data.encode() if isinstance(data, str) else data),
            "time": m.timestamp, "cost": cost or 0, "stamp": text(m.stamp), "id": m.hash.hex(),
            "ours": ours(fields, kind, data), "packed": m.packed.hex()}


def propagated(dst, src, content, cost):
    m = LXMF.LXMessage(dst, src, content, desired_method=LXMF.LXMessage.PROPAGATED)
    m.defer_propagation_stamp = False
    m.pack()
    stamp = m.get_propagation_stamp(target_cost=cost)
    plain = m.propagation_packed
    m.packed = None
    m.pack()
    return {"packed": m.packed.hex(), "id": m.hash.hex(), "transient": m.transient_id.hex(), "cost": cost,
            "stamp": stamp.hex(), "node_put": m.propagation_packed.hex(), "before": plain.hex()}


def main(out):
    home = tempfile.mkdtemp()
    with open(os.path.join(home, "config"), "w") as f:
        f.write("[reticulum]\nenable_transport=no\nshare_instance=no\n[interfaces]\n")
    RNS.Reticulum(home, loglevel=1)
    keys = [bytes((i + k) & 0xFF for i in range(64)) for k in (1, 101)]
    a, b = (RNS.Identity.from_bytes(k) for k in keys)
    src = RNS.Destination(a, RNS.Destination.IN, RNS.Destination.SINGLE, "lxmf", "delivery")
    dst = RNS.Destination(b, RNS.Destination.OUT, RNS.Destination.SINGLE, "lxmf", "delivery")
    many = {k: "x" * k for k in range(20)}
    nested = {1: [[b"a", {"k": [1, 2.5, None, True]}]], 0xFB: "t", 0xFC: b"d", 0xFD: {1: {2: {3: 4}}}}
    messages = [message(dst, src, *v) for v in (
        ("", "", {}, None), ("", "hello", {}, None), ("Title", "Grüße", {}, None),
        ("", "x" * 300, {}, None), ("t" * 300, "y" * 300, {}, None),
        ("", "", {0xFB: "klp/v1", 0xFC: b"\x00\x01"}, None), ("", "", {0xFB: b"klp/v1", 0xFC: "text"}, None),
        ("", "", {0xFC: bytes(range(256)) * 4, 0xFB: "klp/v1"}, None), ("", "", many, None), ("", "n", nested, None),
        ("", "stamped", {0xFB: "klp/v1", 0xFC: b"s"}, 8), ("", "stamped", {}, 10))]
    router = LXMF.LXMRouter(storagepath=os.path.join(home, "r"))
    announces = []
    for name, cost in (("bob", None), ("bob", 8), ("", 16), ("Grüße", 254)):
        router = LXMF.LXMRouter(storagepath=os.path.join(home, "d%s%s" % (name, cost)))
        d = router.register_delivery_identity(RNS.Identity(), display_name=name, stamp_cost=cost)
        announces.append({"name": name.encode().hex(), "cost": cost or 0,
                          "app_data": router.get_announce_app_data(d.hash).hex()})
    nodes = [{"app_data": router.get_propagation_node_app_data().hex(), "active": False, "message_kb": 256,
              "sync_kb": 10240, "cost": 16, "flexibility": 3}]
    with open(out, "w") as f:
        json.dump({"about": "LXMF of the public lxmf 1.2.1 on rns 1.5.7; private keys of source and destination",
                   "source_private": keys[0].hex(), "dest_private": keys[1].hex(),
                   "source": src.hash.hex(), "dest": dst.hash.hex(), "messages": messages,
                   "propagated": [propagated(dst, src, "over a node", 13), propagated(dst, src, "z" * 2000, 8)],
                   "announces": announces, "nodes": nodes}, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
    os._exit(0)
