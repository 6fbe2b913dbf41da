# SPDX-License-Identifier: BSD-2-Clause
"""Keys, signatures and envelopes of klp.md 0 and 2, from its text alone."""
import base64
import hashlib
import json
import struct
import sys

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
except ImportError:
    print("klp: no cryptography for python3")
    sys.exit(77)

TYPE = "application/vnd.klp."


def sha(b):
    return hashlib.sha256(b).digest()


def jcs(doc):
    """RFC 8785 for what is used here: ASCII names, integers, strings."""
    return json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


# ---- keys (klp.md 0, 2) ----

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)


def twice(p):
    x, y, z = p
    s, m = 4 * x * y * y % P, 3 * x * x % P
    x2 = (m * m - 2 * s) % P
    return x2, (m * (s - x2) - 8 * pow(y, 4, P)) % P, 2 * y * z % P


def plus(p, q):
    """Points as (X, Y, Z) with x = X/Z^2, y = Y/Z^3; Z 0: none."""
    if p[2] == 0 or q[2] == 0:
        return q if p[2] == 0 else p
    zp, zq = p[2] * p[2] % P, q[2] * q[2] % P
    u, v = p[0] * zq % P, q[0] * zp % P
    s, t = p[1] * zq * q[2] % P, q[1] * zp * p[2] % P
    if u == v:
        return twice(p) if s == t else (1, 1, 0)
    h, r = v - u, t - s
    hh = h * h % P
    x = (r * r - hh * h - 2 * u * hh) % P
    return x, (r * (u * hh - x) - s * hh * h) % P, h * p[2] * q[2] % P


def sum_of(a, p, b=0, q=None):
    """a * p + b * q, and no point: None."""
    p, q = (*p, 1), (*q, 1) if q else (1, 1, 0)
    both, r = plus(p, q), (1, 1, 0)
    for i in range(255, -1, -1):
        r = twice(r)
        one, two = a >> i & 1, b >> i & 1
        if one or two:
            r = plus(r, both if one and two else p if one else q)
    if r[2] == 0:
        return None
    i = pow(r[2], -1, P)
    return r[0] * i * i % P, r[1] * i * i * i % P


def tagged(tag, m):
    t = sha(tag.encode())
    return sha(t + t + m)


def pae(kind, payload):
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


class Key:
    def __init__(self, scheme, seed):
        self.scheme = scheme
        self.d = int.from_bytes(seed, "big") % N
        if scheme == "ed25519":
            self.secret = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
            self.public = self.secret.public_key()
            self.raw = self.public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            self.text, prefix = "pubkey:ed25519:" + self.raw.hex(), b"\xed\x01"
        else:
            self.secret = ec.derive_private_key(self.d, ec.SECP256K1())
            self.public = self.secret.public_key()
            self.raw = self.public.public_bytes(serialization.Encoding.X962,
                                                serialization.PublicFormat.CompressedPoint)
            self.text, prefix = "pubkey:ecc-secp256k1:" + self.raw.hex(), b"\xe7\x01"
        self.fp = sha(prefix + self.raw)
        self.seen = {}

    def sign(self, kind, payload):
        m = pae(kind, payload)
        if self.scheme == "ed25519":
            return self.secret.sign(m)
        if self.scheme == "ecdsa":
            r, s = utils.decode_dss_signature(self.secret.sign(m, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + min(s, N - s).to_bytes(32, "big")
        h = tagged("klp/dsse/v1", m)
        d = self.d if self.raw[0] == 2 else N - self.d
        k = int.from_bytes(tagged("BIP0340/nonce", d.to_bytes(32, "big") + self.raw[1:] + h), "big") % N
        point = sum_of(k, G)
        if point[1] & 1:
            k = N - k
        r = point[0].to_bytes(32, "big")
        e = int.from_bytes(tagged("BIP0340/challenge", r + self.raw[1:] + h), "big") % N
        return r + ((k + e * d) % N).to_bytes(32, "big")

    def holds(self, kind, payload, sig):
        at = (sha(pae(kind, payload)), sig)
        if at not in self.seen:
            self.seen[at] = self.check(pae(kind, payload), sig)
        return self.seen[at]

    def check(self, m, sig):
        try:
            if self.scheme == "ed25519":
                self.public.verify(sig, m)
                return True
            r, s = int.from_bytes(sig[:32], "big"), int.from_bytes(sig[32:], "big")
            if self.scheme == "ecdsa":
                if s > N // 2:
                    return False
                self.public.verify(utils.encode_dss_signature(r, s), m, ec.ECDSA(hashes.SHA256()))
                return True
        except (InvalidSignature, ValueError):
            return False
        h = tagged("klp/dsse/v1", m)
        x = int.from_bytes(self.raw[1:], "big")
        y = pow(x**3 + 7, (P + 1) // 4, P)
        e = int.from_bytes(tagged("BIP0340/challenge", sig[:32] + self.raw[1:] + h), "big") % N
        point = sum_of(s, G, N - e, (x, y if y % 2 == 0 else P - y))
        return r < P and s < N and point is not None and point[1] % 2 == 0 and point[0] == r


# ---- envelopes (klp.md 2) ----

class Bad(Exception):
    """Refused; any of these reasons will do, where the text gives no order."""


def mp(n):
    return bytes([0xc4, n]) if n < 256 else b"\xc5" + struct.pack(">H", n) if n < 65536 else b"\xc6" + struct.pack(">I", n)


def envelope(kind, payload, sigs, binary):
    if not binary:
        return jcs({"payloadType": kind, "payload": base64.b64encode(payload).decode(), "signatures": [
            {"keyid": k.hex(), "sig": base64.b64encode(s).decode()} for k, s in sigs]})
    name = kind.encode()
    head = b"\x94\xa3KE1" + (bytes([0xa0 | len(name)]) if len(name) < 32 else bytes([0xd9, len(name)])) + name
    tail = bytes([0x90 | len(sigs)]) if len(sigs) < 16 else b"\xdc" + struct.pack(">H", len(sigs))
    return head + mp(len(payload)) + payload + tail + b"".join(
        b"\x92" + mp(4) + k[:4] + mp(64) + s for k, s in sigs)


def unpack(b):
    """The binary form; IndexError or struct.error where it is none."""
    at = [6]
    if b[:5] != b"\x94\xa3KE1":
        raise IndexError

    def take(n):
        at[0] += n
        if at[0] > len(b):
            raise IndexError
        return b[at[0] - n:at[0]]

    def number(n):
        return int.from_bytes(take(n), "big")

    def binary():
        return take(number({0xc4: 1, 0xc5: 2, 0xc6: 4}[take(1)[0]]))
    at[0] = 5
    c = take(1)[0]
    kind = take(c & 31 if c >> 5 == 5 else number({0xd9: 1}[c])).decode()
    payload = binary()
    c = take(1)[0]
    sigs = []
    for _ in range(c & 15 if c >> 4 == 9 else number({0xdc: 2}[c])):
        if take(1) != b"\x92":
            raise IndexError
        sigs.append((binary(), binary()))
    if at[0] != len(b):
        raise IndexError
    return kind, payload, sigs


def opened(b, most):
    if len(b) > most:
        raise Bad("form")
    try:
        if b[:1] == b"{":
            doc = json.loads(b)
            kind, payload = doc["payloadType"], base64.b64decode(doc["payload"], validate=True)
            sigs = [(s["keyid"], base64.b64decode(s["sig"], validate=True)) for s in doc["signatures"]]
            if not all(isinstance(k, str) for k, _ in sigs):      # a hint, of whatever form
                raise Bad("form")
        else:
            kind, payload, sigs = unpack(b)
    except (ValueError, KeyError, TypeError, IndexError, struct.error):
        raise Bad("form") from None
    if not 1 <= len(sigs) <= 16 or any(len(s) != 64 for _, s in sigs):
        raise Bad("form")
    return kind, payload, [s for _, s in sigs]


def signers(keys, kind, payload, sigs):
    """Distinct keys of these that have signed: keyids are hints."""
    return sum(any(k.holds(kind, payload, s) for s in sigs) for k in keys)


def compact(frame, sigs):
    return frame + bytes([len(sigs)]) + b"".join(k[:4] + s for k, s in sigs)


def split(b, n):
    """A frame of n bytes and its signatures."""
    if len(b) < n + 1 or not 1 <= b[n] <= 16 or len(b) != n + 1 + 68 * b[n]:
        raise Bad("form")
    return b[:n], [b[n + 1 + 68 * i + 4:n + 1 + 68 * (i + 1)] for i in range(b[n])]


def payload_of(payload):
    """JSON in its canonical form, or not at all."""
    try:
        doc = json.loads(payload)
    except ValueError:
        raise Bad("form") from None
    if not isinstance(doc, dict) or jcs(doc) != payload or doc.get("crit", []) != []:
        raise Bad("form")
    return doc


def u32(doc, name):
    v = doc.get(name)
    if not isinstance(v, int) or isinstance(v, bool) or not 0 <= v < 2**32:
        raise Bad("form")
    return v
