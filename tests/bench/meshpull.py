# SPDX-License-Identifier: BSD-2-Clause
"""MB/s of an image's layers from one node to another over a connection on this machine, and how many bytes more than the
layers have come: of answers, and at the interface, where they are compressed."""
import json
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MB = 48


def received(node):
    """Bytes that have come over the interfaces of a node."""
    rc, out, err = node.warren("interfaces", "--json")
    try:
        return sum(i.get("rx_bytes", i.get("rxb", 0)) for i in json.loads(out)["interfaces"])
    except (ValueError, KeyError, TypeError):
        return 0


def measure(build, n):
    """{"fetch": MB/s, "all": MB/s with the import, "answers": bytes of answers for 100 of layers, "wire": bytes at the
    interface for 100 of layers}, lists; or why there are none."""
    from images import layer  # of this folder, whatever the others have
    sys.path[:0] = [os.path.join(HERE, "..", "system"), os.path.join(HERE, "..")]
    from libmeshpull import Pair
    out = {"fetch": [], "all": [], "answers": [], "wire": []}
    p = Pair(build, "image_serve: {level: 2, per_day: 100GB}\n")
    try:
        if not (p.a.up() and p.b.up()):
            return out, "two nodes do not come up: %s %s" % (p.a.problem, p.b.problem)
        for i in range(n):
            tar = layer(random.Random(i), MB)
            p.give("bench/mesh:%d" % i, [tar], "--share")
            before, begin = received(p.b), time.monotonic()
            rc, said, text = p.pull("bench/mesh:%d" % i)
            if rc != 0:
                return out, text[-200:]
            out["all"].append(len(tar) / 1e6 / (time.monotonic() - begin))
            out["fetch"].append(len(tar) / 1e3 / said["fetch_ms"])
            out["answers"].append(100 * said["fetched"] / len(tar))
            out["wire"].append(100 * (received(p.b) - before) / len(tar))
    finally:
        p.end()
    return out, None
