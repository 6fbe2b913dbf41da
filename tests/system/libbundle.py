# SPDX-License-Identifier: BSD-2-Clause
"""Bundles of evidence, checked by nothing of Warren's: the zip's comment by
klp.md 7.1, the signature by the arithmetic of the curve."""
import base64
import hashlib
import struct

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)
TYPE = b"application/vnd.klp.bundle"


def sha256(b):
    return hashlib.sha256(b).digest()


def add(a, b):
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        m = 3 * a[0] * a[0] * pow(2 * a[1], -1, P) % P
    else:
        m = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (m * m - a[0] - b[0]) % P
    return x, (m * (a[0] - x) - a[1]) % P


def times(k, point):
    out = None
    while k:
        if k & 1:
            out = add(out, point)
        point = add(point, point)
        k >>= 1
    return out


def ecdsa(public, digest, sig):
    """Does a compressed key verify r || s of a digest, with a low s?"""
    x = int.from_bytes(public[1:], "big")
    y = pow(x**3 + 7, (P + 1) // 4, P)
    if len(public) != 33 or y * y % P != (x**3 + 7) % P:
        return False
    if y & 1 != public[0] & 1:
        y = P - y
    r, s = int.from_bytes(sig[:32], "big"), int.from_bytes(sig[32:], "big")
    if not 0 < r < N or not 0 < s <= N // 2:
        return False
    w = pow(s, -1, N)
    z = int.from_bytes(digest, "big")
    at = add(times(z * w % N, G), times(r * w % N, (x, y)))
    return at is not None and at[0] % N == r


def check(path, public):
    """"" when the bundle is whole and signed by this key, else what is wrong."""
    with open(path, "rb") as f:
        data = f.read()
    at = data.rfind(b"PK\5\6")
    if at < 0 or struct.unpack("<H", data[at + 20:at + 22])[0] != \
            len(data) - at - 22:
        return "no comment"
    head, frame, binding, end = data[at + 22:].split(b"\n")
    frame, binding = base64.b64decode(frame), base64.b64decode(binding)
    if head != b"klp-bundle 1" or end != b"" or len(frame) != 182 or \
            len(binding) != 242 or public not in binding:
        return "comment"
    magic, version, kind, _, made, size, digest, sums, later, n, hint, sig = \
        struct.unpack(">2sBB32sIQ32s32sBB4s64s", frame)
    if (magic, version, later, n) != (b"KF", 1, 0, 1) or kind not in (1, 2):
        return "frame"
    if size != at + 22 or sha256(data[:size]) != digest:
        return "bytes"
    if hint != sha256(b"\xe7\x01" + public)[:4]:
        return "hint"
    signed = b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE, 113, frame[:113])
    return "" if ecdsa(public, sha256(signed), sig) else "signature"
