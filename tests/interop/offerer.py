# SPDX-License-Identifier: BSD-2-Clause
"""A stock program that announces whatever interface it is told: a JSON line each on stdin.

Makes the stamp itself (reticulum-endpoint.md 11.2), since the reference's code for it lies in another package.
"""

import hashlib
import hmac
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from waiting import until  # noqa: E402

import RNS  # noqa: E402
from RNS.vendor import umsgpack  # noqa: E402


def hkdf(length, material, salt):
    key, block, out, i = hmac.new(salt, material, hashlib.sha256).digest(), b"", b"", 1
    while len(out) < length:
        block = hmac.new(key, block + bytes([i]), hashlib.sha256).digest()
        out, i = out + block, i + 1
    return out[:length]


def stamp(packed, cost):
    """Worth `cost` bits; less than one for 0."""
    info = hashlib.sha256(packed).digest()
    work = hashlib.sha256(b"".join(hkdf(256, info, hashlib.sha256(info + umsgpack.packb(n)).digest())
                                   for n in range(20)))
    while True:
        s, h = os.urandom(32), work.copy()
        h.update(s)
        product = int.from_bytes(h.digest(), "big")
        if product >> (256 - cost) == 0 if cost else product >> 255:
            return s


def announce(app_data):
    # an identity each: announces of one destination have a second between them
    RNS.Destination(RNS.Identity(), RNS.Destination.IN, RNS.Destination.SINGLE, "rnstransport", "discovery",
                    "interface").announce(app_data=app_data)


def main():
    RNS.Reticulum(sys.argv[1], loglevel=2)
    transport = os.urandom(16)
    until(lambda: any(i.online for i in RNS.Transport.interfaces), "an interface")
    print(json.dumps({"event": "ready"}), flush=True)
    for line in sys.stdin:
        o = json.loads(line)
        if "raw" in o:
            for _ in range(o.get("times", 1)):
                announce(bytes.fromhex(o["raw"]))
            print(json.dumps({"event": "announced"}), flush=True)
            continue
        info = {0: o["type"], 1: True, 0xFE: transport, 0xFF: o["name"], 3: None, 4: None, 5: None}
        if "impl" in o:
            info.update({0xFD: o["impl"], 0xFC: o["version"]})
        if "host" in o:
            info.update({2: o["host"], 6: o["port"]})
        for i, n in enumerate(o.get("numbers", [])):
            info[9 + i] = n
        packed = umsgpack.packb(info)
        announce(b"\0" + packed + stamp(packed, o["cost"]))
        print(json.dumps({"event": "announced"}), flush=True)


main()
