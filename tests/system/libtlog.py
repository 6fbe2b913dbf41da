# SPDX-License-Identifier: BSD-2-Clause
"""Transparency logs by their definitions alone: Ed25519 (RFC 8032), trees
(RFC 6962), notes and tiles (C2SP). Slow, and nothing of it is ours."""
import base64
import hashlib
import os

# ---- RFC 8032, 5.1 ----
P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def point(b):
    y = int.from_bytes(b, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if (x * x - x2) % P or y >= P:
        raise ValueError("no point")
    return (P - x if x & 1 != sign else x, y)


def plus(a, b):
    k = D * a[0] * b[0] * a[1] * b[1] % P
    return ((a[0] * b[1] + b[0] * a[1]) * pow(1 + k, P - 2, P) % P,
            (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, P - 2, P) % P)


def times(n, a):
    out = (0, 1)
    while n:
        if n & 1:
            out = plus(out, a)
        a, n = plus(a, a), n >> 1
    return out


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def verify(key, message, sig):
    s = int.from_bytes(sig[32:], "little")
    h = int.from_bytes(hashlib.sha512(sig[:32] + key + message).digest(),
                       "little") % Q
    return s < Q and times(s, BASE) == plus(point(sig[:32]),
                                            times(h, point(key)))


# ---- notes ----
class Vkey:
    def __init__(self, text):
        self.name, self.id, key = text.split("+", 2)
        raw = base64.b64decode(key)
        self.type, self.key = raw[0], raw[1:]
        digest = hashlib.sha256(self.name.encode() + b"\n" + raw).hexdigest()
        assert digest[:8] == self.id, text


def opened(note, vkey):
    """The text of a note that this key has signed, and when (a witness)."""
    text, _, lines = note.rpartition(b"\n\n")
    text += b"\n"
    for line in lines.splitlines():
        dash, name, b64 = line.decode().split(" ")
        raw = base64.b64decode(b64)
        if name != vkey.name or raw[:4].hex() != vkey.id:
            continue
        if vkey.type == 1:
            assert verify(vkey.key, text, raw[4:])
            return text, 0
        when = int.from_bytes(raw[4:12], "big")
        assert verify(vkey.key, b"cosignature/v1\ntime %d\n" % when + text,
                      raw[12:])
        return text, when
    raise ValueError("not signed by " + vkey.name)


# ---- trees ----
def leaf(data):
    return hashlib.sha256(b"\0" + data).digest()


def both(a, b):
    return hashlib.sha256(b"\1" + a + b).digest()


def mth(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return both(mth(leaves[:k]), mth(leaves[k:]))


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return path(m, leaves[:k]) + [mth(leaves[k:])]
    return path(m - k, leaves[k:]) + [mth(leaves[:k])]


# ---- files ----
def tile(log, level, n, width):
    index = "%03d" % (n % 1000)
    while n >= 1000:
        n //= 1000
        index = "x%03d/%s" % (n % 1000, index)
    name = os.path.join(log, "tile", str(level), index)
    if width < 256:
        name += ".p/%d" % width
    with open(name, "rb") as f:
        return f.read()


def read(log, vkey):
    """Size, root and entries of a log; each tile is compared."""
    with open(os.path.join(log, "checkpoint"), "rb") as f:
        origin, size, root = opened(f.read(), vkey)[0].split(b"\n")[:3]
    assert origin.decode() == vkey.name
    size, entries = int(size), []
    for n in range((size + 255) // 256):
        b = tile(log, "entries", n, min(256, size - 256 * n))
        while b:
            k = int.from_bytes(b[:2], "big")
            entries.append(b[2:2 + k])
            b = b[2 + k:]
    leaves = [leaf(e) for e in entries]
    assert len(leaves) == size and mth(leaves) == base64.b64decode(root)
    level, hashes = 0, leaves
    while hashes:
        for n in range((len(hashes) + 255) // 256):
            want = b"".join(hashes[256 * n:256 * n + 256])
            assert tile(log, level, n, len(want) // 32) == want
        hashes = [mth(hashes[i:i + 256])
                  for i in range(0, len(hashes) // 256 * 256, 256)]
        level += 1
    return size, mth(leaves), entries


def proof(text, vkey, record):
    """A proof (C2SP tlog-proof) of this record: its index and path."""
    head, _, note = text.partition(b"\n\n")
    lines = head.split(b"\n")
    assert lines[0] == b"c2sp.org/tlog-proof@v1"
    assert lines[1].startswith(b"index ")
    size = int(opened(note, vkey)[0].split(b"\n")[1])
    root = base64.b64decode(opened(note, vkey)[0].split(b"\n")[2])
    index, at = int(lines[1][6:]), leaf(record)
    hashes = [base64.b64decode(h) for h in lines[2:]]

    def up(m, n, rest):
        if n == 1:
            assert not rest
            return at
        k = 1
        while k * 2 < n:
            k *= 2
        if m < k:
            return both(up(m, k, rest[:-1]), rest[-1])
        return both(rest[-1], up(m - k, n - k, rest[:-1]))
    assert up(index, size, hashes) == root
    return index
