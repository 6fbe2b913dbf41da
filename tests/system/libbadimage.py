# SPDX-License-Identifier: BSD-2-Clause
"""Archives and images that no tool makes, and what an import of one may leave
behind: nothing."""
import gzip
import io
import json
import struct
import subprocess
import time

from lib import USER, done, result, skip
from libimage import (ARCH, ROOT, Store, docker, file, link, put, sha, tar,
                      write)

GOOD = [file("bin/sh", "s", 0o755), file("etc/x", "x"), link("lib", "usr")]
OCI = "application/vnd.oci.image."
NUL = b"\0" * 512


# ---- members that no writer makes ----

def header(name=b"x", size=b"00000000001\0", kind=b"0", linkname=b"",
           magic=b"ustar\0" + b"00", more=b"", bad_sum=False):
    """A tar header of these bytes, with the right sum."""
    h = bytearray(512)
    h[0:len(name)] = name
    h[100:108] = b"0000644\0"
    h[108:116] = h[116:124] = b"0000000\0"
    h[124:124 + len(size)] = size
    h[136:148] = b"00000000000\0"
    h[148:156] = b" " * 8
    h[156:157] = kind
    h[157:157 + len(linkname)] = linkname
    h[257:265] = magic
    h[345:345 + len(more)] = more
    s = sum(h) + (1 if bad_sum else 0)
    h[148:156] = b"%06o\0 " % s
    return bytes(h)


def block(data):
    return data + b"\0" * (-len(data) % 512)


def ended(*parts):
    return b"".join(parts) + NUL + NUL


def pax(records, kind=b"x"):
    """A PAX header with these records as they are."""
    return header(b"PaxHeader", b"%011o\0" % len(records), kind) + \
        block(records)


def record(key, value):
    """One of the right length."""
    body = b" %s=%s\n" % (key, value)
    n = len(body) + 1
    while len(str(n)) + len(body) != n:
        n = len(str(n)) + len(body)
    return str(n).encode() + body


def old_sparse(entries, real, size=b"00000001000\0", data=b"d" * 512):
    """GNU's old form: up to four pairs in the header."""
    m = bytearray(168)
    # offset 386 of the header: pairs of 12 digits each; 483: the real size
    for i, (off, n) in enumerate(entries):
        m[41 + 24 * i:41 + 24 * i + 12] = num(off)
        m[53 + 24 * i:53 + 24 * i + 12] = num(n)
    m[138:150] = num(real)
    return ended(header(b"s", size, b"S", magic=b"ustar  \0",
                        more=bytes(m)[:167]), block(data))


def num(v):
    if 0 <= v < 8 ** 11:
        return b"%011o\0" % v
    return (v & ((1 << 96) - 1) | 1 << 95).to_bytes(12, "big")


def sparse_1(map_, real, data):
    """PAX's form 1.0: the map in front of the data."""
    m = block(map_)
    return ended(
        pax(record(b"GNU.sparse.major", b"1") +
            record(b"GNU.sparse.minor", b"0") +
            record(b"GNU.sparse.name", b"s") +
            record(b"GNU.sparse.realsize", real)),
        header(b"GNUSparseFile.0/s", b"%011o\0" % (len(m) + len(data))),
        m, block(data))


def zeros(n, level=9):
    """So many NULs as the content of a file, in gzip."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=level,
                       mtime=0) as z:
        z.write(header(b"zeros", num(n)))
        for _ in range(n >> 20):
            z.write(b"\0" * (1 << 20))
        z.write(NUL + NUL)
    return out.getvalue()


def zstd_zeros(n):
    """The same in zstd: blocks of one byte that stand for 128 KiB each."""
    out = struct.pack("<IBB", 0xfd2fb528, 0x00, 0x38)
    head = header(b"zeros", num(n))
    out += struct.pack("<I", len(head) << 3)[:3] + head
    for _ in range(n >> 17):
        out += struct.pack("<I", (1 << 17) << 3 | 1 << 1)[:3] + b"\0"
    return out + struct.pack("<I", 1024 << 3 | 1)[:3] + NUL + NUL


# ---- images that are changed in one place ----

def image(layers, blobs=None, config=None, manifest=None, index=None,
          types=None, descs=None):
    """Files of a layout. blobs: bytes of the layers as they lie there; config,
    manifest, index: functions that change these documents, or return their
    bytes; descs: one that changes the descriptor of a layer."""
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def changed(doc, how):
        out = how(doc) if how else None
        return out if isinstance(out, bytes) else json.dumps(doc).encode()

    def blob(kind, data):
        files["blobs/sha256/" + sha(data)] = data
        return {"mediaType": OCI + kind, "digest": "sha256:" + sha(data),
                "size": len(data)}

    conf = {"architecture": ARCH, "os": "linux", "config": {},
            "rootfs": {"type": "layers",
                       "diff_ids": ["sha256:" + sha(l) for l in layers]}}
    ds = []
    for i, l in enumerate(layers if blobs is None else blobs):
        d = blob("layer.v1.tar", l)
        if types:
            d["mediaType"] = types
        if descs:
            descs(d)
        ds.append(d)
    m = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
         "config": blob("config.v1+json", changed(conf, config)),
         "layers": ds}
    top = {"schemaVersion": 2, "manifests": [
        blob("manifest.v1+json", changed(m, manifest))]}
    files["index.json"] = changed(top, index)
    return files


def layer(*members):
    """A layout of one layer with these members, or these bytes."""
    data = members[0] if isinstance(members[0], bytes) else tar(list(members))
    return image([data])


def packed(plain, data):
    """One whose layer lies there as data, and is said to be plain."""
    return image([plain], [data])


def edit(path, value):
    """A function that sets this of a document."""
    def do(doc):
        for k in path[:-1]:
            doc = doc[k]
        doc[path[-1]] = value
    return do


def good_layer():
    return tar(GOOD)


def behind(files, data):
    """The layout with these bytes as an index that its index.json names."""
    files["blobs/sha256/" + sha(data)] = data
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [
        {"mediaType": OCI + "index.v1+json", "size": len(data),
         "digest": "sha256:" + sha(data)}]}).encode()
    return files


def nested(depth):
    """An index within an index."""
    files = image([good_layer()])
    for _ in range(depth):
        files = behind(files, files["index.json"])
    return files


def twisted(which):
    """A blob whose content is another than its name says."""
    files = image([good_layer()])
    sizes = sorted((len(d), n) for n, d in files.items() if "blobs/" in n)
    name = {"layer": sizes[-1][1], "config": sizes[0][1],
            "manifest": sizes[1][1]}[which]
    data = bytearray(files[name])
    data[len(data) // 2] ^= 1
    files[name] = bytes(data)
    return files


def without(which):
    files = image([good_layer()])
    sizes = sorted((len(d), n) for n, d in files.items() if "blobs/" in n)
    del files[{"layer": sizes[-1][1], "config": sizes[0][1],
               "manifest": sizes[1][1]}[which]]
    return files


def platform(arch, os_="linux", variant=None):
    p = {"architecture": arch, "os": os_}
    if variant:
        p["variant"] = variant
    return p


def only(*platforms):
    """An index of the same image, said to be for these."""
    files = image([good_layer()])
    top = json.loads(files["index.json"])
    one = top["manifests"][0]
    top["manifests"] = [dict(one, platform=p) for p in platforms]
    return behind(files, json.dumps(top).encode())


def saved(change=None, **more):
    """A docker save, its members changed."""
    members = docker([good_layer()], **more)
    doc = json.loads(next(m["data"] for m in members
                          if m["name"] == "manifest.json"))
    if change:
        change(doc[0], members)
    for m in members:
        if m["name"] == "manifest.json":
            m["data"] = json.dumps(doc)
    return tar(members)


def layers_at(path):
    return saved(lambda d, m: d.update(Layers=[path]))


# ---- each of them ----

def one(store, name, what, words, before):
    source = store.path("source")
    what = what() if callable(what) else what
    if isinstance(what, bytes):
        put(source, what)
    else:
        write(source, what)
    digest, said = store.run(source)
    bad = ""
    if words is None:
        if digest is None:
            bad = "it is refused: " + said
        else:
            code, _, more = store.warren("image", "verify", "odd/image:v1")
            bad = "" if code == 0 else more
            code, _, more = store.warren("image", "remove", "odd/image:v1")
            bad = bad or ("" if code == 0 else more)
    elif digest is not None:
        bad = "it is taken"
        store.warren("image", "remove", "odd/image:v1")
    elif words not in said:
        bad = said
    subprocess.run(["rm", "-rf", source], check=True)
    now = store.all()
    if not bad and now != before:
        bad = "left behind: %s" % sorted(
            k for k in set(now) | set(before) if now.get(k) != before.get(k))
    result(name, bad == "", bad)


def kept(store):
    """An image that is there, and must stay as it is."""
    write(store.path("good"), image([good_layer()]))
    digest, said = store.run(store.path("good"))
    code, _, more = store.warren("image", "import", store.path("good"),
                                 "--name", "kept:1")
    code, _, more = store.warren("image", "remove", "odd/image:v1")
    return digest is not None and code == 0, said + more


def each(cases):
    """Each of (name, a layout's files or an archive's bytes, the words of its
    refusal; None: it is taken, and does no harm), by root and a user in turn."""
    stores = [Store()] + ([Store(USER)] if ROOT else [])
    write(stores[0].path("r"), {"a": b"a"})
    digest, said = stores[0].run(stores[0].path("r"))
    if digest is None and "namespace" in said:
        skip("bad images", said)
        done()
    stores[0].warren("image", "remove", "odd/image:v1")
    for s in stores:
        ok, said = kept(s)
        result("an image that stays", ok, said)
    before = [s.all() for s in stores]
    begin = time.monotonic()
    for i, (name, what, words) in enumerate(cases):
        at = i % len(stores)
        one(stores[at], name, what, words, before[at])
    print("# %d images in %.1f s" % (len(cases), time.monotonic() - begin))
    for s in stores:
        code, _, said = s.warren("image", "verify", "kept:1")
        result("the image that stays is as it was", code == 0, said)
        s.remove()
