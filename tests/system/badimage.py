#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Images and layers made to do harm, or cut, or lying: each is refused with its
reason, or taken and taken away again, and the store is what it was before, to
the last file. BADIMAGE_LONG=1: those that take minutes, too."""
import functools
import gzip
import json
import os
import random
import signal
import subprocess
import zlib

from lib import done, result, until
from libbadimage import (GOOD, NUL, OCI, block, each, edit, ended, good_layer,
                         header, image, kept, layer, layers_at, nested, num,
                         old_sparse, only, packed, pax, platform, record,
                         saved, sparse_1, twisted, without, zeros, zstd_zeros)
from libimage import (ARCH, PACK, WARREN, Store, file, folder, hard, link,
                      sha, tar, write)

LONG = os.environ.get("BADIMAGE_LONG")
GZ = gzip.compress(tar(GOOD), mtime=0)
CHAIN = [link("l%d" % i, "l%d" % (i + 1)) for i in range(60)]

# Name, a layout's files or an archive's bytes, and the words of its refusal;
# None: it is taken, and does no harm.
CASES = [
    # ---- names ----
    ("a name that leads up", layer(file("../evil", "x")), "leads up"),
    ("a name that leads up from a folder", layer(file("a/../../evil", "x")),
     "leads up"),
    ("an absolute name that leads up", layer(file("/../evil", "x")),
     "leads up"),
    ("a folder ..", layer(folder("..")), "leads up"),
    ("a name with escapes", layer(file("a\x1b[2Jb", "x")),
     "control characters"),
    ("a name with DEL", layer(file("a\x7f", "x")), "control characters"),
    ("a deep name", layer(file("d/" * 70 + "f", "x")), "folders deep"),
    ("a component of 300 bytes", layer(file("f" * 300, "x")), "too long"),
    ("a name of 5,000 bytes", layer(file("/".join(["d" * 99] * 50), "x")),
     "too long"),
    ("no name", layer(file("", "x")), "the root is no folder"),
    ("a root that is a file", layer(file(".", "x")), "the root is no folder"),
    ("a root that is a link", layer(link(".", "/etc")),
     "the root is no folder"),
    # ---- links ----
    ("a link to itself", layer(link("l", "l"), file("l/f", "x")),
     "round and round"),
    ("links round and round", layer(link("a", "b"), link("b", "c/../a"),
                                    file("a/f", "x")), "round and round"),
    ("sixty links one behind the other", layer(*CHAIN, file("l0/f", "x")),
     "round and round"),
    ("a link that doubles", layer(link("a", "b/b"), link("b", "a/a"),
                                  file("a/f", "x")), "round and round"),
    ("a link out, written through",
     layer(link("out", "../../../../../../../tmp"), file("out/evil", "x")),
     None),
    ("an absolute link, written through",
     layer(link("out", "/etc"), file("out/passwd", "x")), None),
    ("a link of 4,095 bytes", layer(link("l", "t" * 4095)), None),
    ("a hard link up", layer(hard("h", "../../../etc/passwd")), "leads up"),
    ("a hard link to nothing", layer(hard("h", "/etc/passwd")), "not there"),
    ("a hard link through a link out",
     layer(link("o", "/../../.."), hard("h", "o/etc/passwd")), "not there"),
    ("a hard link to a folder", layer(folder("d"), hard("h", "d")),
     "to the folder"),
    ("a hard link to the root", layer(hard("h", "/")), "not there"),
    ("a hard link to itself", layer(hard("h", "h")), "not there"),
    ("a hard link without a name to be linked to",
     layer(ended(header(b"h", b"00000000000\0", b"1"))),
     "h: a hard link to nothing"),
    # ---- whiteouts ----
    ("a whiteout of nothing", layer(file(".wh.", "")), "whiteout of nothing"),
    ("a whiteout of .", layer(file(".wh..", "")), "whiteout of nothing"),
    ("a whiteout of ..", layer(folder("d"), file("d/.wh...", "")), "whiteout of nothing"),
    ("an opaque root", layer(file("/.wh..wh..opq", "")), None),
    ("a whiteout through a link out",
     layer(link("o", "../../.."), file("o/.wh.etc", "")), None),
    ("an opaque folder through a link out",
     layer(link("o", "/../.."), file("o/.wh..wh..opq", "")), None),
    ("a whiteout that is a folder", layer(folder(".wh.a"), file("a", "x")),
     None),
    ("a whiteout that is a link", layer(link(".wh.a", "/"), file("a", "x")),
     None),
    ("beneath a whiteout", layer(file(".wh.a/b", "x")), None),
    # ---- headers ----
    ("a size below nothing",
     layer(ended(header(size=num(-5)), block(b"x"))), "layer 1 of 1"),
    ("a size of 8 EiB", layer(ended(header(size=num((1 << 63) - 1)))),
     "layer 1 of 1"),
    ("a size of a terabyte", layer(ended(header(size=num(1 << 40)))),
     "too large"),
    ("a size that is no number",
     layer(ended(header(size=b"zzzzzzzzzzz\0"), block(b"x"))),
     "layer 1 of 1"),
    ("a sum that is wrong", layer(ended(header(bad_sum=True), block(b"x"))),
     "layer 1 of 1"),
    ("a PAX size below nothing",
     layer(ended(pax(record(b"size", b"-1")), header(), block(b"x"))),
     "layer 1 of 1"),
    ("a PAX size of a terabyte",
     layer(ended(pax(record(b"size", b"1099511627776")), header(),
                 block(b"x"))), "layer 1 of 1"),
    ("a PAX path that leads up",
     layer(ended(pax(record(b"path", b"../../evil")), header(), block(b"x"))),
     "leads up"),
    ("a PAX link that leads up",
     layer(ended(pax(record(b"linkpath", b"../../etc/passwd")),
                 header(b"h", b"00000000000\0", b"1", b"y"))), "leads up"),
    # libarchive passes these over, and what they say of the member with them
    ("a PAX record longer than its header",
     layer(ended(pax(b"999 path=x\n"), header(), block(b"x"))),
     "malformed pax"),
    ("a PAX record of length 0",
     layer(ended(pax(b"0 path=x\n"), header(), block(b"x"))),
     "malformed pax"),
    ("a PAX map of holes below nothing",
     layer(ended(pax(record(b"GNU.sparse.map", b"-5,10,0,5") +
                     record(b"GNU.sparse.size", b"20") +
                     record(b"GNU.sparse.numblocks", b"2")), header(),
                 block(b"x"))), "damaged"),
    ("a PAX header without a member", layer(ended(pax(record(b"path", b"x")))),
     "layer 1 of 1"),
    ("times out of range",
     layer(ended(pax(record(b"mtime", b"-99999999999999")), header(b"a"),
                 block(b"x"), pax(record(b"mtime", b"1e99")), header(b"b"),
                 block(b"x"))), None),
    ("ids out of range",
     layer(ended(pax(record(b"uid", b"99999999999999999999")), header(),
                 block(b"x"))), None),
    ("attributes", layer(ended(
        pax(record(b"SCHILY.xattr.security.capability",
                   b"\1\0\0\2\0\0\0\0" + b"\xff" * 12) +
            record(b"SCHILY.xattr.user.overlay.opaque", b"y")),
        header(), block(b"x"))), None),
    ("a long name of GNU that is cut",
     layer(header(b"././@LongLink", num(5000), b"L", magic=b"ustar  \0") +
           b"d/" * 256), "layer 1 of 1"),
    ("a long name of GNU of 2 MiB",
     layer(ended(header(b"././@LongLink", num(2 << 20), b"L",
                        magic=b"ustar  \0"), b"n" * (2 << 20), header(),
                 block(b"x"))), "layer 1 of 1"),
    ("a member of no known kind",
     layer(ended(header(kind=b"Z"), block(b"x"))), None),
    # ---- maps of holes ----
    ("holes that overlap", layer(old_sparse([(0, 512), (256, 512)], 1024)),
     None),
    ("holes in front of the start", layer(old_sparse([(-512, 512)], 1024)),
     "layer 1 of 1"),
    ("holes behind the end", layer(old_sparse([(1 << 33, 512)], 1024)),
     "layer 1 of 1"),
    ("a terabyte of holes",
     layer(old_sparse([(0, 512)], 1 << 40)), "too large"),
    ("a map that ends nowhere",
     layer(sparse_1(b"99999999\n0\n1\n", b"10", b"x")), "layer 1 of 1"),
    ("a map of no numbers",
     layer(sparse_1(b"x\ny\nz\n", b"10", b"x")), "layer 1 of 1"),
    ("a map beyond the file",
     layer(sparse_1(b"1\n4096\n1\n", b"10", b"x")), "layer 1 of 1"),
    # ---- cut, packed ----
    ("a layer cut in a header", layer(good_layer()[:300]), "cut off in a"),
    ("a layer cut in a file",
     layer(tar([file("f", "x" * 4000)])[:2048]), "f: "),
    ("a layer of one NUL", layer(b"\0"), None),
    ("a layer of noise", layer(random.Random(7).randbytes(5000)),
     "layer 1 of 1"),
    ("gzip cut off", packed(good_layer(), GZ[:len(GZ) // 2]), "layer 1 of 1"),
    ("a root in gzip that lacks its last byte", GZ[:-1],
     "damaged, or cut off"),
    ("gzip with a wrong sum",
     packed(good_layer(), GZ[:-8] + b"\1\2\3\4" + GZ[-4:]), None),
    ("gzip within gzip",
     packed(good_layer(), gzip.compress(GZ, mtime=0)), "more than once"),
    ("gzip thirty times",
     packed(good_layer(), functools.reduce(
         lambda d, _: gzip.compress(d, mtime=0), range(30), GZ)),
     "too many filters"),
    ("zstd within gzip",
     packed(good_layer(), gzip.compress(PACK["zstd"](good_layer()))),
     "more than once"),
    ("zstd cut off", packed(good_layer(), PACK["zstd"](good_layer())[:2000]),
     "layer 1 of 1"),
    ("bzip2", layer(b"BZh91AY&SY" + b"\x55" * 900), "compressed by bzip2"),
    ("a zip", layer(b"PK\3\4" + b"\x55" * 900), "compressed by zip"),
    ("gzip of 300 MiB of nothing", lambda: layer(zeros(300 << 20, 1)),
     "stand for ever so many"),
    ("zstd of 4 GiB of nothing", lambda: layer(zstd_zeros(4 << 30)),
     "stand for ever so many"),
    # ---- digests and sizes ----
    ("a manifest that is another", twisted("manifest"), "another digest"),
    ("a configuration that is another", twisted("config"), "another digest"),
    ("a layer that is another", twisted("layer"), "another digest"),
    ("a folder in the place of its index",
     {**{n: d for n, d in image([good_layer()]).items() if n != "index.json"},
      "index.json/x": b""}, "Is a directory"),
    ("no manifest", without("manifest"), "No such file"),
    ("no configuration", without("config"), "No such file"),
    ("no layer", without("layer"), "No such file"),
    ("a layer of another size",
     image([good_layer()], descs=lambda d: d.update(size=5)), "its size"),
    ("a layer of a size below nothing",
     image([good_layer()], descs=lambda d: d.update(size=-1)), "its size"),
    ("a configuration of another size",
     image([good_layer()], manifest=edit(["config", "size"], 1 << 60)),
     "its size"),
    ("a digest by sha512",
     image([good_layer()],
           descs=lambda d: d.update(digest="sha512:" + "0" * 128)),
     "no digest by sha256"),
    ("a digest that is a path",
     image([good_layer()],
           descs=lambda d: d.update(digest="sha256:../../../../etc/passwd")),
     "no digest by sha256"),
    ("a digest that is too short",
     image([good_layer()], descs=lambda d: d.update(digest="sha256:00")),
     "no digest by sha256"),
    ("no digest", image([good_layer()], descs=lambda d: d.pop("digest")),
     "no digest by sha256"),
    ("another content than the configuration says",
     image([good_layer()], config=edit(["rootfs", "diff_ids"],
                                       ["sha256:" + "0" * 64])),
     "than the configuration says"),
    ("more layers than the configuration says",
     image([good_layer(), tar([])],
           config=edit(["rootfs", "diff_ids"],
                       ["sha256:" + sha(good_layer())])),
     "its configuration 1"),
    ("layers in another order than the configuration says",
     image([good_layer(), tar([])],
           config=lambda d: d["rootfs"]["diff_ids"].reverse()),
     "than the configuration says"),
    ("what the configuration says is no text",
     image([good_layer()], config=edit(["rootfs", "diff_ids"], [7])),
     "than the configuration says"),
    # ---- documents ----
    ("a document without end",
     image([good_layer()], index=lambda d: b"[" * 100000), "too deep"),
    ("a document of 5 MiB",
     image([good_layer()],
           config=edit(["config", "Labels"], {"x": "y" * (5 << 20)})),
     "too large"),
    ("a document with keys twice",
     image([good_layer()],
           manifest=lambda d: json.dumps(d)[:-1].encode() +
           b',"layers":[]}'), "duplicate"),
    ("a configuration with keys twice",
     image([good_layer()],
           config=lambda d: b'{"os":"linux","os":"windows"}'), "duplicate"),
    ("a document of four million lists",
     image([good_layer()],
           config=lambda d: b"[" + b"[]," * 1300000 + b"[]]"),
     "it is no object"),
    ("a document that is no UTF-8",
     image([good_layer()], config=lambda d: b'{"os":"\xff\xfe"}'),
     "configuration"),
    ("a manifest that is a list",
     image([good_layer()], manifest=lambda d: b"[]"), "no digest"),
    ("layers that are no list",
     image([good_layer()], manifest=edit(["layers"], {})), "no list"),
    ("300 layers", image([tar([file("f%d" % i, "x")]) for i in range(300)]),
     "more than 256"),
    ("an index in an index in an index in an index", nested(4),
     "an index within an index"),
    ("a command of 300 words",
     image([good_layer()], config=edit(["config", "Cmd"], ["x"] * 300)),
     "a list of text"),
    ("a command with a NUL",
     image([good_layer()], config=edit(["config", "Cmd"], ["a\0b"])),
     "configuration: line 1"),
    ("an environment of 100 KiB",
     image([good_layer()],
           config=edit(["config", "Env"], ["A%d=%s" % (i, "x" * 1000)
                                           for i in range(100)])),
     "too large"),
    ("labels without end",
     image([good_layer()],
           config=edit(["config", "Labels"],
                       {"k%d" % i: "v" * 300 for i in range(2000)})), None),
    # ---- what is no layer, what is for others ----
    ("a layer that its vendor alone hands out",
     image([good_layer()],
           types=OCI + "layer.nondistributable.v1.tar+gzip"),
     "its vendor's and lie elsewhere"),
    ("a foreign layer of Docker",
     image([good_layer()],
           types="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
     "its vendor's and lie elsewhere"),
    ("an encrypted layer",
     image([good_layer()], types=OCI + "layer.v1.tar+gzip+encrypted"),
     "no layer of files, but"),
    ("a module", image([good_layer()],
                       types="application/vnd.wasm.content.layer.v1+wasm"),
     "no layer of files, but"),
    ("a chart", image([good_layer()],
                      manifest=edit(["config", "mediaType"],
                                    "application/vnd.cncf.helm.config")),
     "no image, but"),
    ("for other machines",
     only(platform("arm" if ARCH != "arm" else "s390x", variant="v7"),
          platform("mips64le"), platform("unknown", "unknown")),
     "there is: linux/"),
    ("for a variant that there is not",
     only(platform(ARCH, variant="v9")), "there is: linux/%s/v9" % ARCH),
    ("for another system", only(platform(ARCH, "windows")),
     "there is: windows/"),
    ("a configuration for another machine",
     image([good_layer()], config=edit(["architecture"], "mips64le")),
     "image for mips64le"),
    # ---- archives ----
    ("a saved layer that lies elsewhere", layers_at("../../../etc/passwd"),
     "Invalid argument"),
    ("a saved layer by an absolute name", layers_at("/etc/passwd"),
     "No such file"),
    ("a saved layer that is a folder", layers_at("blobs"), ""),
    ("a saved layer that is no text", layers_at(7), "no name of its file"),
    ("a saved layer behind a link out",
     saved(lambda d, m: m.insert(0, link("out", "/")) or
           d.update(Layers=["out/etc/passwd"])), "No such file"),
    ("a saved layer behind links round and round",
     saved(lambda d, m: m.insert(0, link("l", "l")) or
           d.update(Layers=["l"])), "symbolic links"),
    ("a saved configuration that lies elsewhere",
     saved(lambda d, m: d.update(Config="../../etc/hostname")),
     "Invalid argument"),
    ("a saved image without its layers",
     saved(lambda d, m: d.update(Layers=[])), "it has 0 layers"),
    ("a saved member that leads up",
     saved(lambda d, m: m.insert(0, file("../evil", "x"))), "leads up"),
    ("an archive cut in the midst", saved()[:4000], ""),
    ("an archive of noise", random.Random(8).randbytes(9000), ""),
    ("an archive of nothing", b"", ""),
    ("an archive twice in gzip",
     gzip.compress(gzip.compress(saved(), mtime=0), mtime=0),
     "more than once"),
    ("a saved image in gzip, 300 MiB of nothing behind it",
     lambda: gzip.compress(saved(), mtime=0) + zlib_zeros(300), None),
]


def zlib_zeros(mib):
    z = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([z.compress(b"\0" * (1 << 20)) for _ in range(mib)] +
                    [z.flush()])


def many(n):
    """So many empty files, in gzip."""
    z = zlib.compressobj(1, zlib.DEFLATED, 31)
    out = [z.compress(header(b"%07d" % i, b"00000000000\0"))
           for i in range(n)]
    return b"".join(out + [z.compress(NUL + NUL), z.flush()])


def cleared(n):
    """So many files in a folder, and so many marks that it is opaque."""
    empty = b"00000000000\0"
    plain = ended(*[header(b"d/%07d" % i, empty) for i in range(n)],
                  *[header(b"d/.wh..wh..opq", empty)] * n)
    return packed(plain, gzip.compress(plain, 1, mtime=0))


LONG_CASES = [
    ("twenty thousand opaque marks over as many files",
     lambda: cleared(20000), None),
    ("a million empty files and one", lambda: layer(many(1000001)),
     "more than 1000000 members"),
    ("fifteen gigabytes that are small in gzip", lambda: layer(
        zeros(15 << 30, 9)), "stand for ever so many"),
]


def killed():
    """A command that is killed somewhere leaves a store that verifies."""
    store = Store()
    ok, said = kept(store)
    files = [file("f%03d" % i, "%d" % i * 2000) for i in range(300)]
    write(store.path("big"), image([tar(files)]))
    bad, rng = "" if ok else said, random.Random(3)
    store.warren("image", "import", store.path("big"), "--name", "big:1")
    whole = store.all()
    for i in range(12):
        words = ["image", "import", store.path("big"), "--name", "big:1"] \
            if i % 2 else ["image", "remove", "big:1"]
        if not i % 2:
            store.warren("image", "import", store.path("big"), "--name",
                         "big:1")
        else:
            store.warren("image", "remove", "big:1")
        p = subprocess.Popen([WARREN, *words, "--config", store.conf],
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        try:  # the moment is by chance
            p.wait(timeout=rng.uniform(0, 0.15 if i % 2 else 0.03))
        except subprocess.TimeoutExpired:
            p.send_signal(signal.SIGKILL)
            p.wait()
        code, out, said = store.warren("image", "verify", "kept:1")
        bad = bad or ("" if code == 0 else said)
        code, out, said = store.warren("image", "list", "--json")
        here = [n["name"] for n in json.loads(out)["images"] if n["here"]]
        if "big:1" in here:
            code, out, said = store.warren("image", "verify", "big:1")
            bad = bad or ("" if code == 0 else said)
    store.warren("image", "import", store.path("big"), "--name", "big:1")
    # hand of one that was killed last holds its folder until it is dead
    until(lambda: store.warren("image", "gc", "--json")[0] == 0 and
          not store.left(), "gc has all")
    if not bad and store.all() != whole:
        now = store.all()
        bad = "not as it was: %s" % sorted(
            k for k in set(now) | set(whole) if now.get(k) != whole.get(k))
    result("a command killed at any moment", bad == "", bad)
    store.remove()


def main():
    each(CASES + (LONG_CASES if LONG else []))
    killed()
    done()


main()
