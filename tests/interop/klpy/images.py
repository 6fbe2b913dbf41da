# SPDX-License-Identifier: BSD-2-Clause
"""Images for who pulls them (compute.md 3.7), independent of the C code; and each lie about one, by its name."""

import hashlib
import io
import json
import platform
import random
import struct
import tarfile

ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def sha(b):
    return hashlib.sha256(b).digest()


def layer(seed, n):
    r, out = random.Random(seed), io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for i in range(n):
            m = tarfile.TarInfo("opt/%d" % i)
            data = r.randbytes(r.randrange(20, 5000))
            m.size, m.mode = len(data), 0o755
            t.addfile(m, io.BytesIO(data))
    return out.getvalue()


def recipe(tar, contents, most=8999):
    """Cut as nobody else does: any cut gives the layer."""
    parts, steps, literal, at, r = [], [], b"", 0, random.Random(1)
    while at < len(tar):
        n, k = r.randrange(0, 700), r.randrange(1, 4)
        literal += tar[at:at + n]
        n = min(n, len(tar) - at)
        at += n
        some = []
        while at < len(tar) and len(some) < k:
            some.append(tar[at:at + r.randrange(1, most + 1)])
            at += len(some[-1])
        parts += some
        steps.append((n, len(some)))
        contents.update((sha(x), x) for x in some)
    return b"KIL1" + struct.pack(">QIII", len(tar), len(parts), len(steps), len(literal)) + b"".join(
        sha(x) + struct.pack(">H", len(x)) for x in parts) + b"".join(struct.pack(">II", *s) for s in steps) + literal


class Image:
    def __init__(self):
        tars = [layer(1, 40), layer(2, 5)]
        self.contents = {}
        self.recipes = [recipe(t, self.contents) for t in tars]
        self.config = json.dumps({"architecture": ARCH, "os": "linux", "config": {}, "rootfs": {
            "type": "layers", "diff_ids": ["sha256:" + sha(t).hex() for t in tars]}}).encode()
        kind = "application/vnd.oci.image.%s.v1+json"
        # of a compressed form that nobody has any more
        self.manifest = json.dumps({"schemaVersion": 2, "mediaType": kind % "manifest", "config": {
            "mediaType": kind % "config", "digest": "sha256:" + sha(self.config).hex(), "size": len(self.config)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "size": 7,
                        "digest": "sha256:" + sha(b"packed" + t).hex()} for t in tars]}).encode()
        self.id = sha(self.manifest)
        self.tars = tars

    def crumbs(self):
        return [recipe(t, {}, 9) for t in self.tars]

    def head(self, recipes=None, manifest=None, config=None, diff=None):
        recipes, manifest, config = recipes or self.recipes, manifest or self.manifest, config or self.config
        return b"KIH1" + struct.pack(">IIH", len(manifest), len(config), len(self.tars)) + b"".join(
            (diff or sha(t)) + struct.pack(">QI", len(t), len(r)) + sha(r) for t, r in zip(self.tars, recipes)) + manifest + config


class Giver:
    def __init__(self):
        self.image, self.lie = Image(), "good"

    def part(self, d):
        m = self.image
        if not d["i"].startswith("sha256:"):
            self.lie = d["i"].split("/")[-1].split(":")[0]
        recipes, part, off, n = m.recipes, d.get("l", 0), d.get("o", 0), d.get("n", 1 << 18)
        if self.lie == "sums":
            recipes = [r[:20] + bytes([r[20] ^ 1]) + r[21:] for r in recipes]
        elif self.lie == "order":  # every sum is right
            recipes = [r[:24] + r[58:92] + r[24:58] + r[92:] for r in recipes]
        elif self.lie == "crumbs":  # no lie, but files without end
            recipes = m.crumbs()
        more = {"wide": 300000, "manifest": 1}.get(self.lie, 0)  # it has another digest then
        head = m.head(recipes, m.manifest + b" " * more,
                      m.config.replace(b"linux", b"Linux") if self.lie == "config" else None,
                      bytes(32) if self.lie == "diff" else None)
        if part > len(recipes):
            return [2, {}, None]
        b = head if part == 0 else recipes[part - 1]
        size = len(b)
        if self.lie == "endless" and part == 0:
            b, size = bytes(off) + bytes(n), 1 << 40
        elif self.lie == "long" and part == 1:
            size += 1
        elif self.lie == "forever" and part == 1:  # what was said is over, and more comes
            b = bytes(off + n)
        elif self.lie == "stands" and part == 1:
            return [0, {"size": size, "sha": m.id}, b""]
        elif self.lie == "cut" and part == 1:  # a beginning of other bytes, and no more of it
            return [2, {}, None] if off > 0 else [0, {"size": size, "sha": m.id}, b"KIL1" + bytes(96)]
        elif self.lie == "other" and part == 1:
            return [0, {"size": size, "sha": bytes(32)}, b[off:off + n]]
        return [0, {"size": size, "sha": m.id}, b[off:off + n]]

    def get(self, d):
        out = b""
        for x in d["d"]:
            b = self.image.contents.get(x)
            if b is None or d["id"] != self.image.id or (out and len(out) + len(b) > d.get("n", 1 << 18)):
                break
            out += b
        if self.lie == "bytes":
            out = out[:50] + bytes([out[50] ^ 1]) + out[51:]
        elif self.lie == "more":
            out += b"and more"
        elif self.lie == "less":
            out = out[:-1]
        elif self.lie == "nothing":
            out = b""
        elif self.lie == "gone":
            return [2, {}, None]
        elif self.lie == "number":
            return [0, {}, 7]
        return [0, {}, out] if out or self.lie == "nothing" else [2, {}, None]


LIES = {"endless": "too large", "manifest": "manifest has another digest", "config": "No such file", "diff": "layer has another digest", "sums": "sums",
        "order": "layer has another digest", "long": "another length", "forever": "no part of an image",
        "stands": "no part of an image", "other": "another length", "bytes": "content has another digest", "more": "asked for",
        "less": "cut off", "nothing": "asked for", "gone": "no more", "number": "without bytes", "cut": "no such image"}
