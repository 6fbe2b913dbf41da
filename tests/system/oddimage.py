#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""More images made to do harm, or that say one thing twice and differently,
beside those of badimage; and some that are odd and right. BADIMAGE_LONG=1:
those of many megabytes, too."""
import gzip
import hashlib
import json
import os
import shutil
import struct
import subprocess
import tarfile

from lib import done, result, skip
from libbadimage import (GOOD, NUL, OCI, behind, block, each, edit, ended, good_layer,
                         header, image, layer, old_sparse, num, packed, pax,
                         record, saved)
from libimage import (ARCH, PACK, ROOT, WARREN, Store, file, folder, hard,
                      judge, link, node, sha, tar, why, write)

LONG = os.environ.get("BADIMAGE_LONG")
GNU = b"ustar  \0"


def plain(name, data=b"x", kind=b"0", linkname=b""):
    return header(name, b"%011o\0" % len(data), kind, linkname) + block(data)


def folder_header(name):
    return header(name, b"00000000000\0", b"5")


def sparse_pax(version, *records):
    """A file of one byte with these records of a map of holes."""
    more = b"".join(record(k, v) for k, v in records)
    return layer(ended(pax(more), header(b"s"), block(b"x"))) if version else more


def layered(*layers):
    return image([tar(list(l)) for l in layers])


def frame(window, body=b"", flags=0x00, more=b""):
    """A frame of zstd with this byte of a window, and raw blocks of body."""
    out = struct.pack("<IB", 0xfd2fb528, flags) + bytes([window]) + more
    return out + struct.pack("<I", len(body) << 3 | 1)[:3] + body


def skippable(n, data=b""):
    return struct.pack("<II", 0x184d2a50, n) + data


def zstd(data):
    return PACK["zstd"](data)


def raw(name, data):
    """A layout with this file as well, or instead of one."""
    files = image([good_layer()])
    files[name] = data
    return files


def index_of(text):
    return image([good_layer()], index=lambda d: text)


def deep_objects(n):
    return b'{"a":' * n + b"1" + b"}" * n


def descriptor(**more):
    """What the index says of its one manifest, changed."""
    return image([good_layer()],
                 index=lambda d: d["manifests"][0].update(more))


def upper_digest():
    def do(d):
        d["digest"] = "sha256:" + d["digest"][7:].upper()
    return image([good_layer()], descs=do)


def config_as_layer():
    def do(d):
        d["layers"] = [dict(d["config"], mediaType=OCI + "layer.v1.tar")]
    return image([good_layer()], manifest=do)


def attested():
    """As buildx makes them: beside the image a manifest of an attestation."""
    files = image([good_layer()])
    statement = b'{"_type":"https://in-toto.io/Statement/v0.1"}'
    conf = b'{"architecture":"unknown","os":"unknown","config":{},"rootfs":' \
        b'{"type":"layers","diff_ids":["sha256:' + sha(statement).encode() + \
        b'"]}}'
    m = json.dumps({
        "schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
        "config": {"mediaType": OCI + "config.v1+json", "size": len(conf),
                   "digest": "sha256:" + sha(conf)},
        "layers": [{"mediaType": "application/vnd.in-toto+json",
                    "digest": "sha256:" + sha(statement),
                    "size": len(statement)}]}).encode()
    for data in (statement, conf, m):
        files["blobs/sha256/" + sha(data)] = data
    top = json.loads(files["index.json"])
    top["manifests"][0]["platform"] = {"architecture": ARCH, "os": "linux"}
    top["manifests"].insert(0, {
        "mediaType": OCI + "manifest.v1+json", "digest": "sha256:" + sha(m),
        "size": len(m), "platform": {"architecture": "unknown",
                                     "os": "unknown"},
        "annotations": {"vnd.docker.reference.type": "attestation-manifest",
                        "vnd.docker.reference.digest":
                        top["manifests"][0]["digest"]}})
    return behind(files, json.dumps(top).encode())


def saved_by_id(manifests):
    """Docker 25 and later, saved by its id: no name, and nothing in its
    index.json; Docker's own manifest.json says what there is."""
    return saved(lambda d, m: (d.update(RepoTags=None), m.append(file(
        "index.json", json.dumps({"schemaVersion": 2, "manifests": manifests}))),
        m.append(file("oci-layout", '{"imageLayoutVersion":"1.0.0"}'))))


def twins():
    """Two images of one name."""
    files = image([good_layer()])
    other = image([tar([file("o", "o")])])
    top, more = (json.loads(f["index.json"]) for f in (files, other))
    top["manifests"] += more["manifests"]
    for m in top["manifests"]:
        m["annotations"] = {"org.opencontainers.image.ref.name": "1.0"}
    other["index.json"] = json.dumps(top).encode()
    return {**files, **other}


def tower():
    """A folder in a folder, as deep as tar likes."""
    return tar([folder("d/" * i) for i in range(1, 2000, 97)])


LINKS = [folder("a"), link("a/up", ".."), link("a/a", "up/a"),
         file("a/a/a/up/a/f", "f")]
CASES = [
    # ---- names and what they lead to ----
    ("a name behind a NUL", layer(ended(plain(b"ok\0/../../evil"))), None),
    ("a name behind a NUL in a record",
     layer(ended(pax(record(b"path", b"ok\0../../evil")), plain(b"x"))), None),
    ("a record of no name",
     layer(ended(pax(record(b"path", b"")), plain(b"x"))), None),
    ("a name of slashes", layer(ended(pax(record(b"path", b"/" * 3000)),
                                      plain(b"x"))), "Damaged"),
    ("a prefix that leads up",
     layer(ended(header(b"x", more=b"../../tmp"), block(b"x"))), "leads up"),
    ("a name that says its folder is a file", layer(ended(plain(b"a/"))),
     "Damaged"),
    ("a folder with content",
     layer(ended(header(b"d", b"%011o\0" % 600, b"5"),
                 block(b"x" * 600), plain(b"e"))), ""),
    ("a link with content",
     layer(ended(header(b"l", b"%011o\0" % 600, b"2", b"/etc"),
                 block(b"x" * 600), plain(b"e"))), ""),
    ("a hard link with content",
     layer(ended(plain(b"a"), header(b"h", b"%011o\0" % 1, b"1", b"a"),
                 block(b"y"))), "Damaged"),
    ("folders two thousand deep", layer(tower()), "folders deep"),
    ("links up and down again", layer(tar(LINKS)), None),
    ("a folder, a file, a link, a folder of one name",
     layer(folder("n"), file("n", "x"), link("n", "/tmp"), folder("n"),
           file("n/f", "f")), None),
    ("a folder that becomes a link out, between two files of it",
     layer(folder("d"), file("d/a", "a"), link("d", "../../../tmp"),
           file("d/b", "b")), None),
    ("a folder that becomes a link out in the next layer",
     layered([folder("d"), file("d/a", "a")], [link("d", "/../../../tmp")],
             [file("d/evil", "x"), file("d/.wh..wh..opq", "")]), None),
    ("a hard link to a link out, written through",
     layer(link("o", "/etc/passwd"), hard("h", "o"), file("h", "x")), None),
    ("a hard link to a link to a folder outside, gone into",
     layer(link("o", "/etc"), hard("h", "o"), file("h/passwd", "x")), None),
    ("a hard link through proc", layer(hard("h", "/proc/self/exe")),
     "not there"),
    ("a link to a link of proc, written through",
     layer(link("l", "/proc/self/root/tmp"), file("l/evil", "x")), None),
    ("a link to a descriptor",
     layer(link("fd", "/proc/self/fd/0"), file("fd", "x")), None),
    # ---- kinds ----
    ("devices, pipes, and files over them",
     layer(node("char", "dev/mem"), node("block", "dev/sda"),
           node("fifo", "p"), file("p", "x"), hard("q", "dev/mem")), None),
    ("a pipe for a folder", layer(node("fifo", "d"), file("d/f", "f")), None),
    ("set-id files", layer(file("su", "x", 0o6755), folder("d", 0o7777)),
     None),
    ("a volume's head, a folder's dump",
     layer(ended(header(b"V", b"00000000000\0", b"V", magic=GNU),
                 header(b"D", b"%011o\0" % 4, b"D", magic=GNU),
                 block(b"Yf\0\0"), plain(b"f"))), None),
    ("the second part of a file of several volumes",
     layer(ended(header(b"M", b"%011o\0" % 1, b"M", magic=GNU),
                 block(b"x"))), "the rest of a file of another"),
    # ---- whiteouts ----
    ("a whiteout of ..", layered([file("a", "a")], [file(".wh...", "")]),
     "whiteout of nothing"),
    ("a whiteout of a whiteout", layered(
        [file("a", "a")], [file(".wh..wh.a", "")]), None),
    ("an opaque folder through a folder that is a link up",
     layered([folder("d"), link("d/up", "../../.."), file("f", "f")],
             [file("d/up/.wh..wh..opq", "")]), None),
    ("a whiteout that is a device of overlay",
     layered([file("a", "a")], [node("char", "a")]), None),
    ("a whiteout that is a hard link to what it hides",
     layered([file("a", "a")], [hard(".wh.a", "a")]), None),
    # ---- records ----
    ("ten thousand records", layer(ended(pax(b"".join(
        record(b"k%d" % i, b"v") for i in range(10000))), plain(b"x"))), None),
    ("a path in a record, twice", layer(ended(
        pax(record(b"path", b"good") + record(b"path", b"../evil")),
        plain(b"x"))), "leads up"),
    ("a path of all that follow", layer(ended(
        pax(record(b"path", b"../evil"), b"g"), plain(b"x"))), None),
    ("a size in a record and another in the header", layer(ended(
        pax(record(b"size", b"512")), header(b"a", b"00000000001\0"),
        block(b"y" * 512), plain(b"b"))), None),
    ("a record of a length below nothing",
     layer(ended(pax(b"-5 path=x\n"), plain(b"x"))), "malformed pax"),
    ("a record of a length of 40 digits",
     layer(ended(pax(b"9" * 40 + b" path=x\n"), plain(b"x"))), "pax"),
    ("a record without its end",
     layer(ended(pax(b"12 path=evil!"), plain(b"x"))), "malformed pax"),
    ("records of records",
     layer(ended(*[pax(record(b"path", b"p%d" % i)) for i in range(200)],
                 plain(b"x"))), ""),
    ("a name of GNU behind names of GNU",
     layer(ended(*[header(b"././@LongLink", num(5), b"L", magic=GNU) +
                   block(b"n%03d\0" % i) for i in range(200)],
                 header(magic=GNU), block(b"x"))), ""),
    ("a target of GNU that leads up", layer(ended(
        header(b"././@LongLink", num(18), b"K", magic=GNU) +
        block(b"../../../etc/passwd"[:18]),
        header(b"h", b"00000000000\0", b"1", b"y", magic=GNU))), "leads up"),
    ("a capability in a record, and another in base64", layer(ended(
        pax(record(b"LIBARCHIVE.xattr.security.capability",
                   b"AQAAAgAgAAAAAAAAAAAAAAAAAAA=") +
            record(b"SCHILY.acl.access", b"user::rwx,user:0:rwx") +
            record(b"RHT.security.selinux", b"x:y:z")), plain(b"x"))), None),
    ("another character set", layer(ended(
        pax(record(b"hdrcharset", b"BINARY") + record(b"path", b"\xff\xfe")),
        plain(b"x"))), None),
    # ---- sizes and holes ----
    ("a size of 2^95", layer(ended(header(
        size=b"\x80" + b"\xff" * 11), block(b"x"))), ""),
    ("a size of blanks", layer(ended(header(size=b" " * 12), plain(b"x"))),
     None),
    ("a file of 8 GiB that has none", layer(ended(
        header(size=num(8 << 30)))), "f"),
    ("a map of holes of 20,000 parts", sparse_pax(
        True, (b"GNU.sparse.size", b"1099511627776"),
        (b"GNU.sparse.numblocks", b"20000"),
        (b"GNU.sparse.map", b",".join(b"%d,1" % (i << 20)
                                      for i in range(20000)))), ""),
    ("a map of holes of one number", sparse_pax(
        True, (b"GNU.sparse.map", b"1"), (b"GNU.sparse.size", b"5")), None),
    ("a map of holes below nothing", sparse_pax(
        True, (b"GNU.sparse.map", b"-1,-1"), (b"GNU.sparse.size", b"5")),
     "damaged"),
    ("a real size of 2^63", sparse_pax(
        True, (b"GNU.sparse.realsize", b"9223372036854775808"),
        (b"GNU.sparse.name", b"../../evil")), ""),
    ("a real size of 9 EiB of holes",
     layer(old_sparse([(0, 512)], (1 << 63) - 1)), ""),
    # ---- packed ----
    ("gzip in a thousand members", lambda: packed(good_layer(), b"".join(
        gzip.compress(good_layer()[i:i + 11], 1)
        for i in range(0, len(good_layer()), 11))), None),
    ("gzip of nothing, a hundred thousand times, then a layer",
     lambda: packed(good_layer(), gzip.compress(b"", 1) * 100000 +
                    gzip.compress(good_layer())), None),
    ("noise behind gzip", packed(
        good_layer(), gzip.compress(good_layer(), mtime=0) + b"noise" * 300),
     None),
    ("another layer behind the end", image([good_layer() + tar(
        [file("../evil", "x")])]), None),
    ("a name in the head of gzip", packed(good_layer(), (
        lambda z: z[:3] + b"\x08" + z[4:10] + b"../../evil\0" + z[10:])(
            gzip.compress(good_layer(), mtime=0))), None),
    ("a name without end in the head of gzip", packed(
        good_layer(), b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 100000), ""),
    ("a window of 128 TiB", packed(good_layer(), frame(0xff, b"x")), ""),
    ("a window of 2 GiB", packed(good_layer(), frame(21 << 3, b"x")), ""),
    ("a dictionary that nobody has", packed(
        good_layer(), frame(0x38, b"x", 0x03, b"\1\2\3\4")), ""),
    ("a content of 2^63 bytes in the head of zstd", packed(
        good_layer(), struct.pack("<IBQ", 0xfd2fb528, 0xe0, 1 << 63)), ""),
    ("a frame to skip, then a layer", packed(
        good_layer(), skippable(8, b"skipped!") + zstd(good_layer())), None),
    ("frames to skip alone", packed(good_layer(), skippable(4, b"nope") * 9),
     "layer 1 of 1"),
    ("a layer, then frames to skip", packed(
        good_layer(), zstd(good_layer()) + skippable(100, bytes(100)) * 50),
     None),
    ("a frame to skip of 4 GiB", packed(
        good_layer(), zstd(good_layer()) + skippable((1 << 32) - 1)), ""),
    ("gzip behind zstd", packed(good_layer(), zstd(good_layer()) +
                                gzip.compress(b"x" * 3000)),
     "Unknown frame"),
    # ---- digests ----
    ("a configuration that names layers by their packed digests",
     image([good_layer()], [gzip.compress(good_layer(), mtime=0)],
           config=edit(["rootfs", "diff_ids"], ["sha256:" + sha(
               gzip.compress(good_layer(), mtime=0))])),
     "than the configuration says"),
    ("a digest in capitals", upper_digest(), "no digest by sha256"),
    ("a digest of an unknown kind", image(
        [good_layer()], descs=lambda d: d.update(
            digest="blake3:" + d["digest"][7:])), "no digest by sha256"),
    ("a digest with more behind it", image(
        [good_layer()], descs=lambda d: d.update(
            digest=d["digest"] + "/../../x")), "no digest by sha256"),
    ("a digest with a NUL", image(
        [good_layer()], descs=lambda d: d.update(digest=d["digest"] + "\0")),
     "manifest: line 1"),
    ("diff_ids by sha512", image(
        [good_layer()], config=edit(["rootfs", "diff_ids"], [
            "sha512:" + hashlib.sha512(good_layer()).hexdigest()])),
     "than the configuration says"),
    ("the configuration as a layer", config_as_layer(), "layer 1 of 1"),
    ("the manifest as its own configuration", descriptor(), None),
    ("a size that is text", image(
        [good_layer()], descs=lambda d: d.update(size="5")), "its size"),
    ("a size that is half", image(
        [good_layer()], descs=lambda d: d.update(size=d["size"] + .5)),
     "its size"),
    # ---- documents ----
    ("an index ten thousand deep", index_of(deep_objects(10000)), "too deep"),
    ("an index of depth in text", index_of(
        b'{"a":"' + b"[" * 10000 + b'","manifests":[]}'), "no image"),
    ("an index of keys twice", index_of(b'{"manifests":[],"manifests":[]}'),
     "duplicate"),
    ("an index of nothing", index_of(b'{"manifests":null}'), "no image"),
    ("an index of numbers", index_of(b'{"manifests":[1,2,3]}'), "images"),
    ("a number of a thousand digits", index_of(
        b'{"schemaVersion":' + b"9" * 1000 + b',"manifests":[]}'), "index"),
    ("a mark of byte order", index_of(b"\xef\xbb\xbf{}"), "index.json: line"),
    ("one and a half documents", index_of(b'{"manifests":[]}{'),
     "index.json: line"),
    ("layers that are null", image(
        [good_layer()], manifest=edit(["layers"], [None])), "no digest"),
    ("a configuration that is null", image(
        [good_layer()], config=lambda d: b"null"), "configuration"),
    ("an environment that is text", image(
        [good_layer()], config=edit(["config", "Env"], "A=B")), "list"),
    ("a folder to work in that leads up", image(
        [good_layer()], config=edit(["config", "WorkingDir"],
                                    "../../../etc")), None),
    ("a folder to work in that is a file", image(
        [good_layer()], config=edit(["config", "WorkingDir"], "/etc/x/y")),
     None),
    ("a folder to work in behind a link out", image(
        [tar([link("o", "/../../../../tmp")])],
        config=edit(["config", "WorkingDir"], "/o/evil")), None),
    ("two images of one name", twins(), "sha256:"),
    ("an attestation beside the image", attested(), None),
    ("a manifest of schema 1", image(
        [good_layer()], manifest=lambda d: b'{"schemaVersion":1,"fsLayers":'
        b'[{"blobSum":"sha256:00"}],"history":[]}'), "schema 1"),
    # ---- archives ----
    ("an image without a name, as docker saves it", saved_by_id(None), None),
    ("the same, with an empty list", saved_by_id([]), None),
    ("manifest.json twice in an archive", saved(lambda d, m: m.append(
        file("./manifest.json", '[{"Config":"../../etc/passwd"}]'))),
     "configuration: ../../etc/passwd: Invalid"),
    ("a saved layer twice in Layers", saved(
        lambda d, m: d.update(Layers=d["Layers"] * 2)), "it has 2 layers"),
    ("a saved manifest of nothing", tar([file("manifest.json", "null")]),
     "manifest.json"),
    ("a saved manifest that is a link out", tar([
        link("manifest.json", "/etc/passwd")]), "manifest.json"),
    ("a saved layer that is a pipe", saved(lambda d, m: m.append(
        node("fifo", "p")) or d.update(Layers=["p"])), "No such file"),
    ("a ustar and a v7 of one root", tar(GOOD, tarfile.USTAR_FORMAT), None),
]
LONG_CASES = [
    ("a record of 100 MB", lambda: layer(gzip.compress(ended(
        pax(record(b"comment", b"c" * 100000000)), plain(b"x")), 1)), ""),
    ("an index of 100 MB", lambda: raw("index.json", b" " * 100000000),
     "too large"),
    ("an index of 100,000 manifests", lambda: index_of(
        b'{"manifests":[' + b",".join([b"{}"] * 100000) + b"]}"), "images"),
    ("a million layers", lambda: image(
        [good_layer()], manifest=lambda d: json.dumps(dict(
            d, layers=[7] * 1000000)).encode()), "more than 256"),
    ("a saved manifest of a million images", lambda: tar([file(
        "manifest.json", "[" + "{}," * 999999 + "{}]")]), "images"),
]


def working_folders():
    """Made as a container's start would, where nothing is in its way."""
    store, at = Store(), "a folder to work in: "
    for name, cwd, members, want, said in (
            ("no layer has it", "/srv/app", [file("a", "a")],
             {"a": "a", "srv/app": None}, ""),
            ("a file is in its way", "/etc/x/y", [file("etc/x", "x")],
             {"etc/x": "x"}, "working folder is none"),
            ("through a link", "/l/app", [link("l", "../../../srv")],
             {"l": ("->", "../../../srv"), "srv/app": None}, ""),
            ("it leads up", "/../../srv", [file("a", "a")], {"a": "a"},
             "leads up"),
            ("no job sees it", "/l/app", [link("l", "tmp")],
             {"l": ("->", "tmp")}, "a place of its own"),
            ("each job has it", "/tmp", [file("a", "a")],
             {"a": "a", "tmp": None}, "")):
        source = store.path("source")
        write(source, image([tar(members)],
                            config=edit(["config", "WorkingDir"], cwd)))
        result(at + name, *why(judge(store, source, want)))
        _, out, err = store.warren("image", "inspect", "odd/image:v1",
                                   "--json")
        note = (json.loads(out or "{}").get("note") or "")
        result(at + name + ", told", note == said or said and said in note,
               out + err)
        shutil.rmtree(source)
    store.remove()


# a store on a disk of so many names; the same import again when there is room
SMALL_DISK = """mount -t tmpfs -o mode=700,nr_inodes=$1 none "$CONF" || exit 99
shift
"$@" 2>&1; echo "rc $?"; ls -A "$CONF/warren/images" | sed 's/^/has /'
mount -o remount,nr_inodes=0 "$CONF" || exit 99
"$@" 2>&1; echo "rc $?"; cd "$CONF"/warren/images/roots/* && ls -d "$CWD"
"""
CWD = "srv/a/b/c/d/e/f/g"


def on_small_disk(store, source, names):
    """Exit status and words of the import, what it left, and the second."""
    p = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", SMALL_DISK,
         "sh", str(names), WARREN, "image", "import", source, "--name",
         "odd/image:v1", "--config", store.conf],
        env=dict(os.environ, CONF=store.conf, CWD=CWD),
        stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    lines = p.stdout.decode(errors="replace").splitlines()
    at = [i for i, x in enumerate(lines) if x.startswith("rc ")]
    if p.returncode == 99 or len(at) != 2:
        return None
    return (int(lines[at[0]][3:]), "\n".join(lines[:at[0]]),
            [x[4:] for x in lines[at[0]:at[1]] if x.startswith("has ")],
            lines[at[1]:] == ["rc 0", CWD])


def full_disk():
    """A disk with names for all but the folder to work in: no image without
    it, nothing stays, and there is one when there is room."""
    what = "a folder to work in: no room for it"
    if not ROOT:
        skip(what, "mounts need root")
        return
    store = Store()
    source = store.path("source")
    write(source, image([tar([file("a", "a")])],
                        config=edit(["config", "WorkingDir"], "/" + CWD)))
    enough, seen, bad = 0, [], []
    for bit in (64, 32, 16, 8, 4, 2, 1):  # the most that is too little
        got = on_small_disk(store, source, enough + bit)
        if got is None:
            skip(what, "no small disk here")
            store.remove()
            return
        enough += bit if got[0] != 0 else 0
    for names in range(enough, max(enough - 25, 1), -1 if LONG else -4):
        rc, said, left, again = on_small_disk(store, source, names)
        seen.append("working folder: No space" in said)
        stays = [n for n in left if n.startswith("tmp-")]
        if rc == 0 or stays or not again or "No space" not in said:
            bad.append((names, rc, said, left, again))
        if seen[-1] and not LONG:
            break
    result(what, not bad and any(seen), "%s %s" % (bad[:3], seen))
    store.remove()


def main():
    each(CASES + (LONG_CASES if LONG else []))
    working_folders()
    full_disk()
    done()


main()
