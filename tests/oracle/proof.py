#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Proofs of transparency logs against the definitions alone (RFC 6962, RFC 9162,
C2SP signed-note, tlog-checkpoint, tlog-proof, tlog-cosignature; klp.md 8).

  proof.py PROOF_LINES [CASES [SEED]]

Logs of all small sizes and of some large ones tell the truth, and lie: other
hashes, more and fewer of them, another index or size, keys and names of others,
cosignatures over another state, lines too many, too long, in another order, cut
at every byte. What the program makes of each is what is written here.
"""
import base64
import hashlib
import random
import re
import subprocess
import sys

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519
except ImportError:
    print("proof: no cryptography for python3")
    sys.exit(77)

DASH = "\N{EM DASH} ".encode()
ORIGIN = "log.example/a"


def sha(b):
    return hashlib.sha256(b).digest()


def b64(b):
    return base64.b64encode(b)


def unb64(s):
    """Canonical, or ValueError."""
    out = base64.b64decode(s, validate=True)
    if b64(out) != s:
        raise ValueError("base64")
    return out


# ---- who signs ----

class Signer:
    def __init__(self, name, kind, seed):
        self.name, self.kind = name, kind
        self.secret = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self.secret.public_key()
        raw = self.public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.raw = bytes([kind]) + raw
        self.text = "%s+%s+%s" % (name, self.id().hex(), b64(self.raw).decode())

    def id(self, name=None):
        return sha((self.name if name is None else name).encode() + b"\n" + self.raw)[:4]

    def said(self, text, when):
        return text if self.kind == 1 else b"cosignature/v1\ntime %d\n" % when + text

    def line(self, text, when=0, name=None):
        sig = self.secret.sign(self.said(text, when))
        name = self.name if name is None else name
        return DASH + name.encode() + b" " + b64(self.id(name) + (
            when.to_bytes(8, "big") if self.kind == 4 else b"") + sig) + b"\n"

    def holds(self, text, sig):
        """When it was signed, or None."""
        when = 0
        if self.kind == 4:
            if len(sig) != 72:
                return None
            when, sig = int.from_bytes(sig[:8], "big"), sig[8:]
            if when >= 2**63:
                return None
        try:
            self.public.verify(sig, self.said(text, when))
            return when
        except (InvalidSignature, ValueError):
            return None


# ---- notes ----

class Note:
    """ValueError: it is none."""

    def __init__(self, b):
        if len(b) > 16384 or not b.endswith(b"\n"):
            raise ValueError
        text = b.decode()  # UTF-8, no surrogates
        if any(c < " " and c != "\n" for c in text):
            raise ValueError
        body, divider, lines = b.rpartition(b"\n\n")
        if not divider or not lines:
            raise ValueError
        self.text, self.lines = body + b"\n", []
        for line in lines[:-1].split(b"\n"):
            if not line.startswith(DASH):
                raise ValueError
            name, blank, code = line[len(DASH):].partition(b" ")
            name = name.decode()
            if not blank or not code or b" " in code or not name_ok(name):
                raise ValueError
            self.lines.append((name, code))
        if len(self.lines) > 64:
            raise ValueError

    def signed(self, who, name=None):
        """None: not; False: a line of its is forged; else when, of the last."""
        name, found = who.name if name is None else name, None
        for n, code in self.lines:
            try:
                raw = unb64(code)
            except ValueError:
                continue
            if n != name or raw[:4] != who.id(name):
                continue
            found = who.holds(self.text, raw[4:])
            if found is None:
                return False
        return found

    def cosigned(self, who):
        """By the key, under whatever name."""
        for n, _ in self.lines:
            is_ = self.signed(who, n)
            if is_ is not None:
                return is_
        return None


def name_ok(name):
    return 0 < len(name.encode()) <= 200 and "+" not in name and not any(
        c.isspace() or c < " " or c == "\x7f" for c in name)


def number(s):
    if not re.fullmatch(rb"0|[1-9][0-9]{0,18}", s) or int(s) >= 2**63:
        raise ValueError
    return int(s)


def root_of(s):
    out = unb64(s)
    if len(out) != 32:
        raise ValueError
    return out


def head(text):
    origin, size, root, *more = text[:-1].split(b"\n")
    if not name_ok(origin.decode()) or b"" in more:
        raise ValueError
    return origin.decode(), number(size), root_of(root)


# ---- trees ----

def both(a, b):
    return sha(b"\1" + a + b)


def under(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha(b"")
    k = under(len(leaves))
    return both(mth(leaves[:k]), mth(leaves[k:]))


def path(m, leaves):
    if len(leaves) < 2:
        return []
    k = under(len(leaves))
    return path(m, leaves[:k]) + [mth(leaves[k:])] if m < k else path(m - k, leaves[k:]) + [mth(leaves[:k])]


def growth_path(m, leaves, whole=True):
    n = len(leaves)
    if m == n:
        return [] if whole else [mth(leaves)]
    k = under(n)
    if m <= k:
        return growth_path(m, leaves[:k], whole) + [mth(leaves[k:])]
    return growth_path(m - k, leaves[k:], False) + [mth(leaves[:k])]


def included(m, n, leaf, proof):
    """The root that it leads to; IndexError: of another shape."""
    if n == 1:
        if proof:
            raise IndexError
        return leaf
    k, last = under(n), proof[-1]
    return both(included(m, k, leaf, proof[:-1]), last) if m < k else \
        both(last, included(m - k, n - k, leaf, proof[:-1]))


def grown(m, n, old, proof, whole=True):
    """Both roots that it leads to."""
    if m == n:
        if len(proof) != (0 if whole else 1):
            raise IndexError
        return (old, old) if whole else (proof[0], proof[0])
    k, last = under(n), proof[-1]
    if m <= k:
        a, b = grown(m, k, old, proof[:-1], whole)
        return a, both(b, last)
    a, b = grown(m - k, n - k, old, proof[:-1], False)
    return both(last, a), both(last, b)


# ---- the verdicts ----

def hashes(rest):
    """The lines up to an empty one, and what follows."""
    out = []
    while True:
        line, newline, rest = rest.partition(b"\n")
        if not newline:
            raise ValueError
        if not line:
            return out, rest
        out.append(root_of(line))
        if len(out) > 64:
            raise ValueError


def of_log(note, key):
    """The note, its head and None; or why not."""
    try:
        n = Note(note)
        h = head(n.text)
    except ValueError:
        return None, None, "form"
    if h[0] != key.name:
        return None, None, "origin"
    is_ = n.signed(key)
    return n, h, "unsigned" if is_ is None else "forged" if is_ is False else None


def told(is_):
    return " none" if is_ is None else " forged" if is_ is False else " %d" % is_


def prove(key, record, text, witness):
    try:
        magic, _, rest = text.partition(b"\n")
        line, _, rest = rest.partition(b"\n")
        if re.fullmatch(rb"extra .+", line, re.S):
            line, _, rest = rest.partition(b"\n")
        if magic != b"c2sp.org/tlog-proof@v1" or not line.startswith(b"index "):
            raise ValueError
        index = number(line[6:])
        proof, note = hashes(rest)
    except ValueError:
        return "form"
    n, h, why = of_log(note, key)
    if why:
        return why
    try:
        ok = index < h[1] and included(index, h[1], sha(b"\0" + record), proof) == h[2]
    except IndexError:
        ok = False
    out = "good %d %d" % (index, h[1]) if ok else "not"
    return out + (told(n.signed(witness)) + told(n.cosigned(witness)) if witness else "")


def grows(key, text):
    try:
        line, newline, rest = text.partition(b"\n")
        if not newline or not line.startswith(b"old "):
            raise ValueError
        if line == b"old 0":
            old, root = 0, None
        else:
            size, blank, root = line[4:].partition(b" ")
            old, root = number(size), root_of(root)
            if old == 0:
                raise ValueError
        proof, note = hashes(rest)
    except ValueError:
        return "form"
    n, h, why = of_log(note, key)
    if why:
        return why
    try:
        if old == 0:
            ok = not proof
        else:
            ok = old <= h[1] and grown(old, h[1], root, proof) == (root, h[2])
    except IndexError:
        ok = False
    return "good %d %d" % (old, h[1]) if ok else "not"


# ---- cases ----

class Logs:
    def __init__(self, r):
        self.r = r
        self.key = Signer(ORIGIN, 1, r.randbytes(32))
        self.other = Signer("log.example/b", 1, r.randbytes(32))
        self.twin = Signer(ORIGIN, 1, r.randbytes(32))
        self.witness = Signer("wit.example/w", 4, r.randbytes(32))
        self.second = Signer("wit.example/v", 4, r.randbytes(32))
        self.lines, self.want = [], []

    def ask(self, text, record, witness=None):
        self.lines.append("proof %s %s %s %s" % (self.key.text, record.hex() or "-", text.hex() or "-",
                                                 witness.text if witness else "-"))
        self.want.append(prove(self.key, record, text, witness))

    def ask_growth(self, text):
        self.lines.append("growth %s %s" % (self.key.text, text.hex() or "-"))
        self.want.append(grows(self.key, text))

    def note(self, size, root, more=b""):
        r = self.r
        origin = ORIGIN if r.random() > .05 else r.choice(["log.example/b", "log.example", ORIGIN + "/"])
        text = b"%s\n%d\n%s\n" % (origin.encode(), size, b64(root)) + more
        signs = [self.key.line(text)]
        x = r.random()
        if x < .04:
            signs = []
        elif x < .08:
            signs = [self.twin.line(text)]
        elif x < .12:
            signs = [self.other.line(text)]
        elif x < .16:
            signs.append(self.key.line(text + b"x\n"))
        for w in (self.witness, self.second):
            y = r.random()
            if y < .6:
                signs.append(w.line(text, r.choice([0, 1, 1800000000, 2**32, 2**63 - 1])))
            elif y < .65:
                signs.append(w.line(text.replace(b"\n", b"/\n", 1), 1800000000))  # of another origin
            elif y < .7:
                signs.append(w.line(text, 2**63))
            elif y < .8:
                signs.append(w.line(text, 1800000001, "somebody.else"))
        if r.random() < .1:
            signs.append(DASH + b"x " + b64(r.randbytes(r.choice([4, 5, 68, 76, 516, 600]))) + b"\n")
        if r.random() < .02:
            signs += [DASH + b"x%d " % i + b64(r.randbytes(68)) + b"\n" for i in range(r.choice([60, 61, 63, 64, 70]))]
        r.shuffle(signs)
        return text + b"\n" + b"".join(signs)

    def one(self):
        """A proof, true or nearly."""
        r = self.r
        records = [r.randbytes(r.choice([0, 1, 30])) + b"%d" % i for i in range(r.choice(
            [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65]))]
        leaves = [sha(b"\0" + x) for x in records]
        size, index = len(leaves), r.randrange(len(leaves))
        proof, root = path(index, leaves), mth(leaves)
        x, record = r.random(), records[index]
        if x < .05:
            record = r.choice(records)
        elif x < .1 and proof:
            proof.pop(r.randrange(len(proof)))
        elif x < .15:
            proof.insert(r.randint(0, len(proof)), r.choice(leaves + [root]))
        elif x < .2:
            r.shuffle(proof)
        elif x < .25:
            index = r.choice([0, size - 1, size, size + 1, index ^ 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64])
        elif x < .3:
            size = r.choice([0, 1, size - 1, size + 1, 2 * size, 2**63 - 1, 2**63, 2**64])
        elif x < .33:
            proof = [r.randbytes(32) for _ in range(r.choice([63, 64, 65]))]
        more = r.choice([b""] * 8 + [b"more\n", b"more\nmore\n", b"x" * 15000 + b"\n", b"x" * 17000 + b"\n", b"\n"])
        extra = r.choice([b""] * 8 + [b"extra " + b64(r.randbytes(20)) + b"\n", b"extra \n", b"extra\n"])
        text = b"c2sp.org/tlog-proof@v1\n" + extra + b"index %d\n" % index + b"".join(
            b64(h) + b"\n" for h in proof) + b"\n" + self.note(size, root, more)
        return text, record

    def growth(self):
        r = self.r
        leaves = [r.randbytes(32) for _ in range(r.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 33, 64, 65]))]
        old, size = r.randint(0, len(leaves)), len(leaves)
        proof, was, root = growth_path(old, leaves) if old else [], mth(leaves[:old]), mth(leaves)
        x = r.random()
        if x < .06:
            was = r.randbytes(32)
        elif x < .12 and proof:
            proof.pop(r.randrange(len(proof)))
        elif x < .18:
            proof.insert(r.randint(0, len(proof)), r.choice(leaves))
        elif x < .24:
            r.shuffle(proof)
        elif x < .3:
            old = r.choice([0, old + 1, max(0, old - 1), size, size + 1, 2**63 - 1, 2**63])
        elif x < .36:
            size = r.choice([0, size - 1, size + 1, 2**63 - 1])
        first = b"old 0\n" if old == 0 and r.random() < .8 else b"old %d %s\n" % (old, b64(was))
        return first + b"".join(b64(h) + b"\n" for h in proof) + b"\n" + self.note(size, root)

    def spoilt(self, text):
        """A byte, a line, a place of it is another."""
        r, x = self.r, self.r.random()
        if x < .3:
            b = bytearray(text)
            b[r.randrange(len(b))] ^= 1 << r.randrange(8)
            return bytes(b)
        if x < .4:
            return text[:r.randrange(len(text))]
        lines = text.split(b"\n")
        i, j = r.randrange(len(lines)), r.randrange(len(lines))
        if x < .5:
            lines[i], lines[j] = lines[j], lines[i]
        elif x < .6:
            lines.insert(i, lines[j])
        elif x < .7:
            del lines[i]
        elif x < .8:
            lines.insert(i, r.choice([b"", b" ", b"\r", b"\xff", "\N{NO-BREAK SPACE}".encode(), DASH, DASH + b"a b", b"a",
                                      b"=" * 44, b"A" * 43 + b"=", b"A" * 42 + b"B=", b"x" * 70000]))
        else:
            lines[i] = r.choice([lines[i] + b" ", b" " + lines[i], lines[i] + b"\r", lines[i] + b"\0", b"+" + lines[i],
                                 b"0" + lines[i], lines[i].replace(b"=", b""), lines[i].replace(b" ", b"  "),
                                 lines[i].replace(b"index ", b"index 0"), lines[i].replace(b"A", b"B"),
                                 lines[i].replace("\N{EM DASH}".encode(), b"-"), lines[i].upper(), lines[i] * 2])
        return b"\n".join(lines)


def main():
    program = sys.argv[1]
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 400
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().getrandbits(32)
    logs = Logs(random.Random(seed))
    r = logs.r
    for i in range(cases):
        text, record = logs.one()
        logs.ask(text, record, r.choice([None, logs.witness, logs.second]))
        logs.ask(logs.spoilt(text), record, r.choice([None, logs.witness]))
        text = logs.growth()
        logs.ask_growth(text)
        logs.ask_growth(logs.spoilt(text))
        if i % 500 == 0:
            text, record = logs.one()
            for n in range(min(len(text), 3000)):
                logs.ask(text[:n], record)
            text = logs.growth()
            for n in range(min(len(text), 3000)):
                logs.ask_growth(text[:n])
    run = subprocess.run([program], input="\n".join(logs.lines) + "\n", capture_output=True, text=True)
    got, seen = run.stdout.split("\n")[:-1], {}
    for i, want in enumerate(logs.want):
        seen[want.split()[0]] = seen.get(want.split()[0], 0) + 1
        if i >= len(got) or got[i] != want:
            sys.exit("not ok: seed %d case %d: %s here, %s by the definitions; %s; %s" % (
                seed, i, got[i] if i < len(got) else "nothing", want, logs.lines[i][:200], run.stderr[-300:]))
    if run.returncode != 0 or len(got) != len(logs.want):
        sys.exit("not ok: seed %d: ended with %d: %s" % (seed, run.returncode, run.stderr[-300:]))
    if cases >= 400 and any(seen.get(x, 0) < 20 for x in ("form", "origin", "unsigned", "forged", "not", "good")):
        sys.exit("not ok: a verdict that hardly occurs: %s" % seen)
    print("ok: seed %d, %d proofs: %s" % (seed, len(got), seen))


if __name__ == "__main__":
    main()
