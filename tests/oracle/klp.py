#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The judge's files of authorities against a second implementation of klp.md.

  klp.py LAW_LINES [HISTORIES [SEED]]

Written from the text alone (klp.md 0, 1.2 to 1.8, 2, 4.1 to 4.3): an authority
publishes, rotates its keys, revokes, errs and lies; its files reach a node in
part, late, from servers that are behind, ahead or false, under clocks that are
wrong; the node falls and comes back. After each look the model here and the
program say what they know and why they refuse what they refuse.
"""
import random
import struct
import subprocess
import sys

from klpkeys import TYPE, Key, compact, envelope, jcs, sha
from klpmodel import DAY, KINDS, LIST, NAME, REASONS, Model, Revoked

T0 = 1800000000


# What the program's words say.
WORDS = [("old", "of the version before have signed"), ("own", "fewer of its own root keys"),
         ("follows", "not the version that follows"), ("authority", "of another authority"),
         ("rootv", "of another version of the root"), ("future", "issued in the future"),
         ("expired", "has expired"), ("life", "14 days"), ("nohead", "there is none for the new root"),
         ("missing", "is not here"), ("bytes", "not the bytes"), ("threshold", "fewer keys"),
         ("named", "does not name it"), ("uri", "of another document"), ("docv", "than the head says"),
         ("digest", "set_digest"), ("list", "of another list"), ("gap", "for another version of the list"),
         ("op", "is about one that"), ("op", "lifts what"), ("op", "suspends what"), ("held", "would take")]
KIND = {"51": "rollback", "52": "equivocation", "54": "held"}
# What occurs in each run, and in each of some hundred histories.
FEW = [("new", ""), ("same", ""), ("none", ""), ("delta", ""), ("bad", "expired"), ("bad", "future"), ("bad", "threshold")]
MANY = [("bad", x) for x in ("authority", "bytes", "digest", "docv", "equivocation", "form", "life", "missing", "named",
                             "old", "rollback", "rootv")]


def reason(text):
    return next((r for r, w in WORDS if w in text), "form")


# ---- histories ----

class World:
    """An authority, what it has published, and a node that hears of it."""

    def __init__(self, r, pool, out):
        self.r, self.pool, self.lines = r, pool, out
        keys = list(pool.values())
        r.shuffle(keys)
        self.keys = keys
        self.roles = {"root": keys[0:3], "head": keys[3:5], "lists": keys[4:7]}
        self.need = {"root": r.choice([1, 2, 2, 3]), "head": r.choice([1, 1, 2]), "lists": r.choice([1, 2])}
        self.time = T0
        self.people = [("key", r.randbytes(32)) for _ in range(8)] + [("rns", r.randbytes(16)) for _ in range(4)] + \
            [("artifact", r.randbytes(32)) for _ in range(2)] + [("key", keys[5].fp), ("token", r.randbytes(32))]
        self.pins = [(k, i, r.choice([-1, 0, 1, 2, 3]), r.random() < .1) for k, i in self.people[:12]
                     if r.random() < .7]
        self.servers = r.choice([0, 0, 1, 2])
        self.model = Model(pool, self.pins, self.servers)
        self.folder = {}
        self.web = [{}, {}]
        self.published = []    # snapshots of all files
        self.files = {}
        self.version = self.head_version = 0
        self.roots = {}
        self.entries = {}
        self.confirm = None
        self.bad_clock = r.random() < .3
        self.expect = []

    def sign(self, role, kind, payload, keys=None, need=None):
        r, keys = self.r, list(keys or self.roles[role])
        n = need if need is not None else self.need[role]
        few = r.random() < .06
        r.shuffle(keys)
        who = keys[:max(0, n - 1) if few else min(len(keys), n + (r.random() < .2))]
        if few and n > 1 and r.random() < .5:
            who += who[:1]         # one key twice is one key
        if not who or (few and r.random() < .3):
            who = who + [self.keys[7]]
        sigs = [(k.fp, k.sign(kind, payload)) for k in who]
        if r.random() < .04:
            sigs = [(r.randbytes(32), s) for _, s in sigs]     # keyids are hints
        if r.random() < .03:
            i = r.randrange(len(sigs))
            s = bytearray(sigs[i][1])
            s[r.randrange(64)] ^= 1 << r.randrange(8)
            sigs[i] = (sigs[i][0], bytes(s))
        if r.random() < .03:
            sigs.append((self.keys[7].fp, r.randbytes(64)))
        return sigs

    def life(self, usual, most=None):
        return self.r.choice([usual] * 9 + [usual // 8, 60, most or usual * 2])

    def issued(self):
        return self.time + self.r.choice([0] * 20 + [-30, 299, 300, 301, 400, -DAY])

    # -- publishing --

    def root(self, version):
        r = self.r
        old = list(self.roles["root"]), self.need["root"]
        if version > 1:
            what = r.choice(["root", "head", "lists", "nothing", "need", "swap"])
            if what in self.roles:
                self.roles[what] = r.sample(self.keys[:7], r.choice([2, 3]))
                self.need[what] = min(self.need[what], len(self.roles[what]))
            if what == "need":
                self.need["head"] = r.randint(1, len(self.roles["head"]))
        else:
            self.roles["root"] = self.roles["root"][:3]
        said = version if version == 1 or r.random() > .04 else version + r.choice([-1, 1])
        issued = self.issued() if version > 1 else T0 - r.choice([0, 100 * DAY])
        doc = {"_type": "klp.root", "authority": NAME if r.random() > .02 or version == 1 else "other.kos",
               "version": said, "issued": issued, "expires": issued + (400 * DAY if version == 1 else
                                                                      self.life(365 * DAY)),
               "keys": {k.fp.hex(): {"key": k.text, "scheme": k.scheme} for k in self.pool.values()},
               "roles": {n: {"keys": [k.fp.hex() for k in self.roles[n]], "threshold": self.need[n]}
                         for n in self.roles},
               "documents": {LIST: {"role": "lists", "type": "klp.revocation-list", "max": 1 << 20}},
               "transports": []}
        payload = jcs(doc)
        kind = TYPE + "root+json"
        if version == 1:
            sigs = [(k.fp, k.sign(kind, payload)) for k in self.roles["root"]]
        else:
            a = self.sign("root", kind, payload, *old)
            b = self.sign("root", kind, payload)
            sigs = a + [s for s in b if s[0] not in {x[0] for x in a}]
        b = envelope(kind, payload, sigs, r.random() < .2)
        if version == 1:
            self.id = sha(payload)
        self.roots[version] = b
        self.root_version = version
        if version > 1:
            self.files["%d.root.json" % version] = b

    def change(self):
        """Entries of the next version."""
        r, e = self.r, dict(self.entries)
        for _ in range(r.choice([0, 1, 1, 2, 5])):
            kind, who = r.choice(self.people)
            at = (KINDS.index(kind), who[:16])
            if at in e and e[at][0] == 1 and r.random() < .5:
                del e[at]
            elif at not in e or e[at][0] == 1:
                e[at] = (r.choice([0, 0, 1]), r.randrange(11))
        self.entries = e

    def publish(self, fresh=True):
        r = self.r
        if fresh:
            self.change()
            self.version += r.choice([1, 1, 1, 1, 2])
            version = self.version
            if r.random() < .03:
                version = max(1, version - r.randint(1, 3))
            issued = self.issued()
            ids = {(KINDS.index(k), i[:16]): i for k, i in self.people}
            names = REASONS + [None] * 4 + ["other"]
            entries = [{"kind": KINDS[k], "id": ids[k, i].hex(), "state": ["revoked", "suspended"][s],
                        "reason": names[why], "revoked_at": issued} for (k, i), (s, why) in self.entries.items()]
            r.shuffle(entries)
            lst = Revoked(version, self.entries)
            digest = lst.digest().hex()
            if r.random() < .03:
                digest = r.randbytes(32).hex()
            if r.random() < .03 and entries:
                entries.append(entries[0])
            doc = {"_type": "klp.revocation-list", "uri": "klp://%s/%s" % (
                NAME if r.random() > .02 else "other.kos", LIST), "version": version, "issued": issued,
                "expires": issued + self.life(30 * DAY), "set_digest": digest, "entries": entries}
            payload = jcs(doc)
            if r.random() < .02:
                payload = payload.replace(b",", b", ", 1)
            kind = TYPE + ("revocation-list+json" if r.random() > .02 else "trust-graph+json")
            self.files[LIST] = envelope(kind, payload, self.sign("lists", kind, payload), r.random() < .2)
            self.list_version = version
            self.list_issued = issued
        b = self.files[LIST]
        self.head_version += r.choice([1, 1, 1, 1, 0, 2])
        said = max(1, self.head_version)
        self.head_version = said
        issued = self.issued()
        digest = sha(b) if r.random() > .02 else self.r.randbytes(32)
        docs = [(sha(LIST.encode())[:4], self.list_version if r.random() > .03 else self.list_version + 1,
                 len(b) if r.random() > .01 else len(b) + 1, digest)]
        if r.random() < .3:
            docs.append((r.randbytes(4), 1, 10, r.randbytes(32)))
        if r.random() < .02:
            docs = docs[1:]
        frame = b"KH\x01" + struct.pack(">B8sIIII", len(docs), self.id[:8] if r.random() > .02 else r.randbytes(8),
                                        self.root_version if r.random() > .02 else self.root_version + 1, said,
                                        issued, issued + self.life(DAY, r.choice([14 * DAY, 14 * DAY + 1])))
        frame += b"".join(struct.pack(">4sII32s", *d) for d in docs)
        self.files["head"] = compact(frame, self.sign("head", TYPE + "head", frame))
        self.snapshot()

    def delta(self):
        r, had = self.r, dict(self.entries)
        self.change()
        ops = []
        for at, word in self.entries.items():
            if had.get(at) != word:
                ops.append(((word[0] << 6) | at[0] << 4 | word[1], at[1]))
        for at in had:
            if at not in self.entries:
                ops.append((0x80 | at[0] << 4, at[1]))
        if not ops:
            return
        if r.random() < .05:
            bad = r.choice(ops)
            ops.append(r.choice([bad, (0x80, r.randbytes(16)), (0xc0, r.randbytes(16))]))
        a = self.version
        self.version += 1
        digest = Revoked(0, self.entries).digest() if r.random() > .04 else r.randbytes(32)
        frame = b"KD\x01" + struct.pack(">B8s4sIII32s", len(ops), self.id[:8] if r.random() > .02 else bytes(8),
                                        sha(LIST.encode())[:4], a if r.random() > .03 else a + 1,
                                        a + 1 if r.random() > .02 else a + 2, self.issued(), digest)
        frame += b"".join(bytes([op]) + at for op, at in ops)
        b = compact(frame, self.sign("lists", TYPE + "delta", frame))
        self.files["%s.%d.delta" % (LIST, a)] = b
        self.snapshot()

    def snapshot(self):
        self.published.append(dict(self.files))

    # -- how it travels --

    def carry(self, place):
        """What a folder or a server has from now on."""
        r = self.r
        old = dict(place)
        have = dict(r.choice(self.published[-3:]) if r.random() < .25 else self.published[-1])
        if r.random() < .1:
            other = r.choice(self.published)
            name = r.choice(list(have))
            if name in other:
                have[name] = other[name]
        if r.random() < .1:
            have.pop(r.choice(list(have)))
        if r.random() < .05:
            name = r.choice(list(have))
            b = bytearray(have[name])
            if r.random() < .5:
                b[r.randrange(len(b))] ^= 1 << r.randrange(8)
            else:
                b = b[:r.randrange(len(b))]
            have[name] = bytes(b)
        place.clear()
        place.update(have)
        return old

    def tell(self, place, old, prefix, verbs):
        for name in old:
            if name not in place:
                self.lines.append("%s %s%s" % (verbs[1], prefix, name))
        for name, b in place.items():
            if old.get(name) != b:
                self.lines.append("%s %s%s %s" % (verbs[0], prefix, name, b.hex() or "-"))

    def bring(self):
        for i in range(self.servers):
            if self.r.random() < .6:
                old = self.carry(self.web[i])
                self.tell(self.web[i], old, "%d " % i, ("web", "webdel"))
        if self.servers == 0 or self.r.random() < .4:
            old = self.carry(self.folder)
            self.tell(self.folder, old, "documents/%s/" % NAME, ("put", "del"))

    def leave_self(self):
        """A key's own last word (4.2)."""
        r = self.r
        key = r.choice(self.keys[:7])
        frame = b"KX\x01" + bytes([r.choice([0, 1, 4, 10, 15, 12])]) + key.fp + struct.pack(">II", self.time, self.time)
        by = key if r.random() > .2 else r.choice(self.keys)
        b = compact(frame, [(by.fp, by.sign(TYPE + "self-revocation", frame))])
        if frame[3] != 12 and by is key:
            self.model.self_pending.add(key.fp)
        self.lines.append("put self-revoked/%d %s" % (len(self.lines), b.hex()))

    # -- what follows --

    def look(self, fetch):
        r, m = self.r, self.model
        passed = r.choice([0, 1, 60, 3600, DAY // 2]) if r.random() < .5 else 0
        m.time += passed
        if m.started:
            m.since, m.started = m.time, False
        wrong = r.choice([0] * 8 + [-DAY, -2 * DAY, 2 * DAY, 60 - self.time, 50 * 365 * DAY, -301] if self.bad_clock else [0])
        wall = max(0, min(self.time + wrong, 2**32 - 1000))
        self.lines.append("%s %d %d" % ("fetch" if fetch else "look", wall, passed))
        want = []
        m.confirm = self.confirm
        now = m.now(wall)
        m.pin(self.roots[1])
        m.self_revoked |= m.self_pending
        end = m.update(self.folder.get, now)
        want.append(("folder",) + end)
        if m.list.version > 0:
            want.append(("delta",) + m.deltas(self.folder.get, now))
        for i in range(self.servers if fetch else 0):
            now = m.now(wall)
            end = m.update(self.web[i].get, now)
            want.append((i,) + end)
            if end[0] in ("new", "same") and m.list.version > 0:
                want.append(("delta%d" % i,) + m.deltas(self.web[i].get, now))
        now = m.now(wall)
        self.expect.append(("look", want, "root=%d head=%d list=%d set=%s fresh=%d now=%d untrusted=%d" % (
            m.root.version, m.head.version if m.head else 0, m.list.version,
            m.list.digest().hex() if m.list.version else "-", m.fresh(now), now, m.untrusted)))
        for kind, who in r.sample(self.people[:12], 3) + [("key", self.keys[5].fp)]:
            self.lines.append("ask %s %s" % (kind, who.hex()))
            self.expect.append(("ask", m.ask(kind, who, now)))

    def run(self):
        r = self.r
        yaml = "revocation_list: klp://%s/%s\n" % (NAME, LIST)
        yaml += "".join(["trust:\n  pins:\n"] + ["    - {id: %s, level: %d%s}\n" % (
            ("%s" if k == "rns" else "\"urn:klp:x:agent:%s\"") % i.hex(), level,
            ", ignore_revocation: true" if ign else "") for k, i, level, ign in self.pins]) if self.pins else ""
        if self.servers:
            yaml += "klp:\n  gateways: [%s]\n" % ", ".join("https://%d.test/klp" % i for i in range(self.servers))
        self.lines.append("open " + yaml.encode().hex())
        self.model.self_pending = set()
        self.root(1)
        self.lines.append("put authorities/%s.root.json %s" % (NAME, self.roots[1].hex()))
        self.publish()
        for _ in range(r.randint(4, 12)):
            self.bring()
            if r.random() < .12:
                self.lines.append("again")
                self.expect.append(("again",))
                self.model.restart()
            if self.model.list.version and r.random() < .5:
                self.maybe_confirm()
            self.look(self.servers > 0 and r.random() < .8)
            self.time += r.choice([1, 60, 600, 3600, 3600, 3 * 3600, 10 * 3600, 20 * 3600, DAY, 3 * DAY])
            what = r.random()
            if what < .12:
                self.root(self.root_version + 1)
                self.publish(r.random() < .5)
            elif what < .45:
                self.publish()
            elif what < .6:
                self.publish(False)
            elif what < .9:
                self.delta()
            elif what < .95:
                self.leave_self()
        self.lines.append("end")

    def maybe_confirm(self):
        """The operator's word for what is published last (4.2)."""
        self.confirm = Revoked(0, self.entries).digest().hex()
        self.lines.append("put documents/%s/%s.confirm %s" % (NAME, LIST, self.confirm.encode().hex()))


def compare(world, answers, at):
    """The next answer to go on from; raises where both do not agree."""
    told = {}    # place: the refusal that was told last, until all is well
    for e in world.expect:
        if e[0] == "again":
            told.clear()
            continue
        events = []
        while answers[at].startswith("event "):
            events.append(answers[at].split(" ", 3)[1:])
            at += 1
        got = answers[at]
        at += 1
        if e[0] == "ask":
            if got != e[1]:
                raise AssertionError("%s here, %s by the text" % (got, e[1]))
            continue
        fields = dict(f.split("=") for f in got.split()[1:])
        fields["fresh"] = fields["fresh"].split(",")[0]
        mine = dict(f.split("=") for f in e[2].split())
        wrong = {k: (fields[k], v) for k, v in mine.items() if fields[k] != v}
        if wrong:
            raise AssertionError("(here, by the text): %s; %s; events %s" % (wrong, e[1], events))
        judge_events(told, e[1], events, world.servers)
    return at


def judge_events(told, want, events, servers):
    """Each refusal is told with a reason that the text gives, and no other is."""
    new = {}
    for kind, code, text in events:
        if code in ("taken", "delta", "self-revoked", "source", "no_authority"):
            continue
        why = KIND.get(kind) or reason(text)
        where = "folder" if ", from " not in text else int(text.split("https://")[1][0])
        whys = {why, "form"} if why == "life" else {why}
        good = [w for w in want if len(w) == 4 and w[0] == where and w[1] == "bad" and whys & w[3]]
        if good:
            new[where] = whys
        good += [w for w in want if str(w[0]).startswith("delta") and w[2] and why in w[2]]
        if not good:
            raise AssertionError("told %s (%s), by the text %s" % (text, why, want))
    for w in want:
        if len(w) != 4:
            continue
        where = w[0]
        if w[1] != "bad":
            told.pop(where, None)
        elif where in new:
            told[where] = new[where]
        elif where == "folder" and servers and "rollback" in w[3]:
            told.pop(where, None)    # what came by hand once may be older than what is fetched
        elif not told.get(where, set()) & w[3]:
            raise AssertionError("not told: %s; told before %s; events %s" % (w, told, events))


def main():
    program = sys.argv[1]
    histories = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().getrandbits(32)
    schemes = ["ed25519", "ecdsa", "ed25519", "ecdsa", "ed25519", "ecdsa", "bip340", "ed25519"]
    r = random.Random(seed)
    pool = {k.fp: k for k in (Key(s, r.randbytes(32)) for s in schemes)}
    lines, worlds = [], []
    for h in range(histories):
        w = World(random.Random(seed * 1000003 + h), pool, [])
        w.run()
        worlds.append(w)
        lines += w.lines
    run = subprocess.run([program], input="\n".join(lines) + "\n", capture_output=True, text=True)
    answers, at, seen = run.stdout.split("\n")[:-1], 0, {}
    for h, w in enumerate(worlds):
        try:
            at = compare(w, answers, at)
        except (AssertionError, IndexError) as e:
            sys.exit("not ok: seed %d history %d: %s; %s" % (seed, h, e, run.stderr[-300:] if run.returncode else ""))
        for e in w.expect:
            for x in e[1] if e[0] == "look" else ():
                name = x[1] if len(x) == 4 else "delta"
                for why in (x[3] if name == "bad" else [""]) if len(x) == 4 else (x[2] or [""]):
                    seen[name, why] = seen.get((name, why), 0) + 1
    if run.returncode != 0 or at != len(answers):
        sys.exit("not ok: ended with %d: %s; seed %d" % (run.returncode, run.stderr[-400:], seed))
    often = FEW if histories < 300 else FEW + MANY
    if histories >= 30 and any(seen.get(x, 0) < 5 for x in often):
        sys.exit("not ok: a verdict that hardly occurs: seed %d, %s" % (seed, {x: seen.get(x, 0) for x in often}))
    told = ", ".join("%s %d" % (" ".join(k).strip(), n) for k, n in sorted(seen.items()))
    print("ok: seed %d, %d histories: %s" % (seed, histories, told))


if __name__ == "__main__":
    main()
