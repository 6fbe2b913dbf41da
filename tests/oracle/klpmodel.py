# SPDX-License-Identifier: BSD-2-Clause
"""What a node knows of an authority: klp.md 1.2 to 1.8, 4.1 to 4.3, from its text alone."""
import struct

from klpkeys import TYPE, Bad, jcs, opened, payload_of, sha, signers, split, u32

DAY = 86400
NAME = "test.kos"
LIST = "core.json"
KINDS = ["key", "rns", "artifact", "token"]
REASONS = ["unspecified", "key_compromise", "behavior_violation", "policy", "superseded", "retired",
           "score_below_threshold", "impersonation", "integrity_failure", "resource_abuse", "operator"]
GRACE = DAY


class Role:
    def __init__(self, keys, threshold):
        self.keys, self.threshold = keys, threshold

    def signed(self, kind, payload, sigs):
        return signers(self.keys, kind, payload, sigs) >= self.threshold


class Root:
    def __init__(self, doc, pool):
        if doc.get("_type") != "klp.root":
            raise Bad("form")
        self.version, self.issued, self.expires = (u32(doc, m) for m in ("version", "issued", "expires"))
        self.authority = doc.get("authority")
        self.roles = {}
        for name, r in doc["roles"].items():
            self.roles[name] = Role([pool[bytes.fromhex(k)] for k in r["keys"]], r["threshold"])
        if self.expires <= self.issued or self.version < 1:
            raise Bad("form")
        self.documents = doc["documents"]


class Head:
    def __init__(self, b):
        if len(b) > 4096 or b[:3] != b"KH\x01" or len(b) < 28:
            raise Bad("form")
        n = b[3]
        self.atag, self.root, self.version, self.issued, self.expires = struct.unpack(">8sIIII", b[4:28])
        self.frame, self.sigs = split(b, 28 + 44 * n)
        self.docs = {}
        for i in range(n):
            tag, v, length, digest = struct.unpack(">4sII32s", b[28 + 44 * i:72 + 44 * i])
            if tag in self.docs or n > 64:
                raise Bad("form")
            self.docs[tag] = (v, length, digest)


class Revoked:
    """A list: (kind, id16) to (state, reason)."""

    def __init__(self, version=0, entries=None, issued=0, expires=0):
        self.version, self.entries, self.issued, self.expires = version, entries or {}, issued, expires

    def digest(self):
        return sha(b"klp/revset/v1" + b"".join(
            bytes([k]) + i + bytes(self.entries[k, i]) for k, i in sorted(self.entries)))

    @classmethod
    def parse(cls, doc):
        out, seen = cls(u32(doc, "version"), {}, u32(doc, "issued"), u32(doc, "expires")), {}
        if doc.get("_type") != "klp.revocation-list":
            raise Bad("form")
        for e in doc["entries"]:
            names = REASONS + [None] * 4 + ["other"]
            try:
                at = (KINDS.index(e["kind"]), bytes.fromhex(e["id"])[:16])
                word = (["revoked", "suspended"].index(e["state"]), names.index(e["reason"]))
            except ValueError:
                raise Bad("form") from None
            if at in seen or len(e["id"]) != (32 if at[0] == 1 else 64):
                raise Bad("form")
            seen[at] = word
        out.entries = seen
        if out.digest().hex() != doc.get("set_digest"):
            raise Bad("digest")
        return out

    def after(self, b, now, model):
        """What a delta makes of it (4.3)."""
        if len(b) < 60 or b[:3] != b"KD\x01" or b[3] < 1:
            raise Bad("form")
        n = b[3]
        atag, ptag, a, to, issued, digest = struct.unpack(">8s4sIII32s", b[4:60])
        frame, sigs = split(b, 60 + 17 * n)
        why = set()
        if to != a + 1 or any(frame[60 + 17 * i] >> 6 == 3 for i in range(n)):
            raise Bad("form")
        if not model.list_role().signed(TYPE + "delta", frame, sigs):
            raise Bad("threshold")
        if atag != model.id[:8] or ptag != sha(LIST.encode())[:4]:
            why.add("list")
        if issued > now + 300:
            why.add("future")
        if a != self.version:
            why.add("gap")
        if why:
            raise Bad(*why)
        out = Revoked(to, dict(self.entries), issued, self.expires)
        for i in range(n):
            op, at = frame[60 + 17 * i], frame[61 + 17 * i:77 + 17 * i]
            at = (op >> 4 & 3, at)
            had = out.entries.get(at)
            if had is not None and had[0] == 0:
                raise Bad("op")
            if op >> 6 == 2:
                if had is None:
                    raise Bad("op")
                del out.entries[at]
                continue
            if had is not None and op >> 6 == 1:
                raise Bad("op")
            out.entries[at] = (op >> 6, op & 15)
        if out.digest() != digest:
            raise Bad("digest")
        return out


class Model:
    """What a node knows, and what it may be told next."""

    def __init__(self, pool, pins, servers):
        self.pool, self.pins, self.servers = pool, pins, servers
        self.root = self.first = self.head = None
        self.id = b""
        self.doc = None        # the list's (version, sha256, expires)
        self.list = Revoked()
        self.self_revoked = set()
        self.floor = self.since = self.time = self.floor_kept = 0
        self.delta_times = []
        self.untrusted = False
        self.restart()

    def restart(self):
        # a delta was at most so far ahead of the clock when it came
        self.floor = max([self.floor_kept] + [b - 300 for b in self.delta_times])
        self.started = True

    def list_role(self):
        return self.root.roles[self.root.documents[LIST]["role"]]

    # -- 1.7 --

    def now(self, wall):
        self.untrusted = wall < self.floor
        return self.floor + self.time - self.since if self.untrusted else wall

    def raise_floor(self, at):
        if at > self.floor:
            self.floor, self.since = at, self.time

    # -- 1.2 --

    def pin(self, b):
        if b is None or self.first == b:
            return
        kind, payload, sigs = opened(b, 16384)
        root = Root(payload_of(payload), self.pool)
        if kind != TYPE + "root+json" or not root.roles["root"].signed(kind, payload, sigs) or root.version != 1 or \
                root.authority != NAME:
            raise Bad("form")
        self.first, self.id, self.root = b, sha(payload), root

    # -- 1.4 --

    def walk(self, read):
        root, new = self.root, False
        for _ in range(64):
            name = "%d.root.json" % (root.version + 1)
            b = read(name)
            if b is None:
                break
            try:
                kind, payload, sigs = opened(b, 16384)
                if kind != TYPE + "root+json" or not root.roles["root"].signed(kind, payload, sigs):
                    raise Bad("old")
                nxt = Root(payload_of(payload), self.pool)
                why = set()
                if nxt.version != root.version + 1:
                    why.add("follows")
                if nxt.authority != root.authority:
                    why.add("authority")
                if not nxt.roles["root"].signed(kind, payload, sigs):
                    why.add("own")
                if why:
                    raise Bad(*why)
            except Bad as e:
                raise Bad("at", name, *e.args) from None
            root, new = nxt, True
        return root, new

    def take_head(self, b, root, stored, now):
        h = Head(b)
        why = set()
        if not 0 < h.expires - h.issued <= 14 * DAY:
            raise Bad("life")
        if h.issued > now + 300:
            why.add("future")
        if not root.roles["head"].signed(TYPE + "head", h.frame, h.sigs):
            raise Bad("threshold", *why)
        if h.atag != self.id[:8]:
            raise Bad("authority", *why)
        if h.root != root.version:
            raise Bad("rootv", *why)
        # a lie is one whatever its age (1.4)
        if stored is not None and h.version < stored.version:
            raise Bad("rollback", *why)
        if stored is not None and h.version == stored.version and h.frame != stored.frame:
            raise Bad("equivocation", *why)
        if h.expires <= now:
            raise Bad("expired", *why)
        if why:
            raise Bad(*why)
        return h

    def take_doc(self, read, root, head, stored, now, same_root):
        want = root.documents.get(LIST)
        named = head.docs.get(sha(LIST.encode())[:4])
        if want is None or named is None:
            raise Bad("named")
        version, length, digest = named
        if stored is not None and version < stored[0]:
            raise Bad("rollback")
        if stored is not None and same_root and stored[:2] == (version, digest):
            return stored, None
        b = read(LIST)
        if b is None:
            raise Bad("missing")
        if len(b) > min(want["max"], 1 << 20):
            raise Bad("form", "bytes", "failed")
        if len(b) != length or sha(b) != digest:
            raise Bad("bytes")
        kind, payload, sigs = opened(b, len(b))
        if kind != "application/vnd." + want["type"] + "+json" or not root.roles[want["role"]].signed(kind, payload, sigs):
            raise Bad("threshold")
        doc = payload_of(payload)
        new = Revoked.parse(doc)
        why = set()
        if doc.get("uri") != "klp://%s/%s" % (NAME, LIST):
            why.add("uri")
        if new.version != version:
            why.add("docv")
        if new.expires <= new.issued:
            why.add("form")
        if new.expires <= now:
            why.add("expired")
        if new.issued > now + 300:
            why.add("future")
        if self.braked(new):
            why.add("held")
        if why:
            raise Bad(*why)
        return (version, digest, new.expires), new

    def braked(self, new):
        """4.2"""
        if self.list.version == 0:
            return False
        union = set(self.list.entries) | {(0, f[:16]) for f in self.self_revoked}
        fresh = set(new.entries) - union
        # pins put them there, whatever became of them since
        good = [p for p in self.pins if p[2] >= 1]
        hit = sum(not p[3] and (KINDS.index(p[0]), p[1][:16]) in fresh for p in good)
        if not (hit >= 3 and 5 * hit > len(good)):
            return False
        return self.confirm != new.digest().hex()

    def update(self, read, now):
        """(how it ended, file, reasons)"""
        name = ""
        try:
            root, new = self.walk(read)
            name = "root"
            if root.issued > now + 300:
                raise Bad("future", *(["expired"] if root.expires <= now else []))
            if root.expires <= now:
                raise Bad("expired")
            name = "head"
            b = read("head")
            if b is None:
                if not new:
                    return "none", "", set()
                raise Bad("nohead")

            def keys(r):
                return {k.fp for k in r.roles["head"].keys}
            forgets = keys(root) != keys(self.root) or \
                root.roles["head"].threshold != self.root.roles["head"].threshold
            head = self.take_head(b, root, None if forgets else self.head, now)
            name = LIST
            doc, lst = self.take_doc(read, root, head, None if forgets else self.doc, now, not new)
        except Bad as e:
            why = set(e.args)
            if "at" in why:
                name = next(x for x in why if x.endswith(".json"))
                why -= {"at", name}
            return "bad", name, why
        same = self.head is not None and not new and head.frame == self.head.frame and doc == self.doc
        if same:
            return "same", "", set()
        self.root, self.head, self.doc = root, head, doc
        if lst is not None:
            self.read_list(lst)
        self.floor_kept = max(self.floor_kept, min(max(root.issued, head.issued, (lst or self.base).issued), now))
        self.raise_floor(min(max(root.issued, head.issued, (lst or self.base).issued), now))
        return "new", "", set()

    def read_list(self, lst):
        """Deltas on top are kept until the list has their version (4.3)."""
        self.base = lst
        kept = getattr(self, "kept", [])
        self.list, self.kept, self.delta_times = lst, [], []
        for frame in kept:
            try:
                self.list = self.list.after(frame, 2**33, self)
                self.kept.append(frame)
                self.delta_times.append(self.list.issued)
            except Bad:
                pass

    def deltas(self, read, now):
        """Those that follow; the reasons of the one that does not count."""
        for i in range(32):
            b = read("%s.%d.delta" % (LIST, self.list.version))
            if b is None:
                return i, None
            try:
                nxt = self.list.after(b, now, self)
                if self.braked(nxt):
                    raise Bad("held")
            except Bad as e:
                return i, set(e.args)
            self.list = nxt
            self.kept.append(b)
            self.raise_floor(min(nxt.issued, now))
            self.delta_times.append(nxt.issued)
        return 32, None

    # -- 1.8, 3.4 step 0 --

    def fresh(self, now):
        if self.doc is None:
            return 2
        end = min(self.head.expires, self.doc[2])
        return 0 if now < end else 1 if now - end < GRACE else 2

    def ask(self, kind, who, now):
        e = self.list.entries.get((KINDS.index(kind), who[:16]))
        revoked = 0 if e is None else 2 if e[0] == 0 else 1
        if kind == "key" and who in self.self_revoked:
            revoked = 2
        pin = next((p for p in self.pins if p[0] == kind and p[1] == who), None)
        if pin is not None and pin[3]:
            level, revoked = pin[2], 0
        elif revoked:
            level = {1: -2, 2: -3}[revoked]
        else:
            level = pin[2] if pin else 0
        fresh = self.fresh(now)
        taken = fresh == 0 or (level >= 3 and (fresh == 1 or pin is not None))
        return "is %d %d %d" % (level, revoked, 0 if taken else 1)
