#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`warren image import` of images as builders write them: each kind of odd
layer as OCI layout and as `docker save`, the tree that it must become, and the
tree that umoci makes of it; other transports; files that only their owner may
read; hostile layers."""
import json
import os
import shutil
import subprocess
import tarfile

from lib import USER, done, result, skip
from libimage import (ARCH, PACK, ROOT, Store, differ, docker, file, folder, hard,
                      judge, link, node, oci, put, refused, sha, tar, text,
                      tree, wanted, why, write)

LINK, X = "->", 0o755

# Name, layers, what becomes of them or, a text, why they are refused; False:
# umoci makes something else of them, and a comment says what.
CASES = [
    # ---- names through links ----
    ("below a relative link",
     [[folder("usr/bin"), link("bin", "usr/bin")], [file("bin/sh", "s", X)]],
     {"bin": (LINK, "usr/bin"), "usr/bin/sh": ("s", X)}),
    ("below an absolute link",
     [[folder("usr/bin"), link("bin", "/usr/bin")], [file("bin/sh", "s", X)]],
     {"bin": (LINK, "/usr/bin"), "usr/bin/sh": ("s", X)}),
    ("below links one behind the other",
     [[folder("c"), link("b", "/c"), link("a", "b"), link("d/e", "../a")],
      [file("d/e/f/g", "g")]],
     {"a": (LINK, "b"), "b": (LINK, "/c"), "d/e": (LINK, "../a"),
      "c/f/g": "g"}),
    ("below a link to nothing yet",
     [[link("bin", "usr/bin")], [file("bin/sh", "s")]],
     {"bin": (LINK, "usr/bin"), "usr/bin/sh": "s"}),
    ("below a link through nothing",
     [[link("bin", "no/../usr/bin")], [file("bin/sh", "s")]],
     {"bin": (LINK, "no/../usr/bin"), "usr/bin/sh": "s"}),
    ("a link that leads above the root",
     [[link("var/l", "../../../../../../tmp/x")], [file("var/l/f", "f")]],
     {"var/l": (LINK, "../../../../../../tmp/x"), "tmp/x/f": "f"}),
    ("a link to the root",
     [[link("l", "/"), link("m", "..")], [file("l/f", "f"), file("m/g", "g")]],
     {"l": (LINK, "/"), "m": (LINK, ".."), "f": "f", "g": "g"}),
    ("links round and round",
     [[link("a", "b"), link("b", "a")], [file("a/x", "x")]],
     "layer 2 of 2 (sha256:"),
    ("a link of the same layer",
     [[folder("r"), link("l", "r"), file("l/f", "f")]],
     {"l": (LINK, "r"), "r/f": "f"}),
    ("a folder instead of a link",
     [[folder("r"), file("r/f", "f"), link("l", "r")],
      [folder("l/"), file("l/g", "g")]],
     {"r/f": "f", "l/g": "g"}),
    # ---- one thing instead of another ----
    # umoci does not go on here; a layer of its own would hide the file
    ("beneath a file", [[file("a", "f")], [file("a/b/c", "c")]],
     {"a/b/c": "c"}, False),
    ("beneath a link to a file",
     [[file("f", "f"), link("l", "f")], [file("l/b", "b")]],
     {"l": (LINK, "f"), "f/b": "b"}, False),
    ("a folder instead of a file",
     [[file("a", "f")], [folder("a/"), file("a/b", "b")]], {"a/b": "b"}),
    ("a file instead of a folder",
     [[file("d/e/f", "f")], [file("d", "d")]], {"d": "d"}),
    ("a link instead of a folder",
     [[file("d/e/f", "f")], [link("d", "x")]], {"d": (LINK, "x")}),
    ("a file instead of a link",
     [[file("f", "f"), link("l", "f")], [file("l", "l")]],
     {"f": "f", "l": "l"}),
    ("a member twice", [[file("a", "1"), file("a", "22", X)]],
     {"a": ("22", X)}),
    ("one name of two", [[file("a", "1"), hard("b", "a")], [file("b", "2")]],
     {"a": "1", "b": "2"}),
    # ---- names ----
    ("an entry for the root",
     [[folder("/"), folder("./"), folder("."), file("./f", "f")]], {"f": "f"}),
    ("absolute names",
     [[folder("/a/"), file("/a/f", "f"), file("//b//./c", "c")]],
     {"a/f": "f", "b/c": "c"}),
    ("a root that is a link", [[link("./", "/tmp")]],
     "the root is no folder"),
    ("names in other alphabets",
     [[file("ä/日本", "x"), link("l", "ä/日本"), hard("ö", "ä/日本"),
       file(b"latin\xe4", "y")]],
     {"ä/日本": ("x", 0o644, "ä/日本"), "l": (LINK, "ä/日本"),
      "ö": ("x", 0o644, "ä/日本"), text(b"latin\xe4"): "y"}),
    ("long names",
     [[file("/".join(["d" * 100] * 8) + "/" + "f" * 200, "f"),
       link("l", "t" * 300)]],
     {"/".join(["d" * 100] * 8) + "/" + "f" * 200: "f",
      "l": (LINK, "t" * 300)}),
    ("odd names", [[file(" a b", "1"), file("-x", "2"), file("a\\b", "3"),
                    file("*", "4"), file("...", "5"), file("wh.a", "6")]],
     {" a b": "1", "-x": "2", "a\\b": "3", "*": "4", "...": "5", "wh.a": "6"}),
    ("no name for a folder on the way", [[file("a/b/c/d", "d")]],
     {"a/b/c/d": "d"}),
    # umoci takes these two as names inside the root
    ("names that lead up", [[file("a/../../evil", "x")]],
     "a/../../evil: its name leads up", False),
    ("control characters", [[file("a\nb", "x")]],
     "a\\x0ab: its name holds control characters", False),
    # ---- hard links ----
    ("an absolute hard link", [[file("/a/x", "x"), hard("/b", "/a/x")]],
     {"a/x": ("x", 0o644, "a/x"), "b": ("x", 0o644, "a/x")}),
    ("a hard link into the layer beneath",
     [[file("a", "x", X)], [hard("b", "./a")]],
     {"a": ("x", X, "a"), "b": ("x", X, "a")}),
    ("a hard link to a link",
     [[link("s", "/nowhere"), hard("h", "s")]],
     {"h": (LINK, "/nowhere", "h"), "s": (LINK, "/nowhere", "h")}),
    ("a hard link through a linked folder",
     [[file("real/f", "f"), link("l", "/real")], [hard("l/h", "l/f")]],
     {"l": (LINK, "/real"), "real/f": ("f", 0o644, "real/f"),
      "real/h": ("f", 0o644, "real/f")}),
    ("a hard link through a link that leads out",
     [[link("l", "../../../.."), file("f", "f")], [hard("h", "l/f")]],
     {"l": (LINK, "../../../.."), "f": ("f", 0o644, "f"),
      "h": ("f", 0o644, "f")}),
    ("a hard link to a folder", [[folder("d"), hard("h", "d")]],
     "h: a hard link to the folder d"),
    ("a hard link to nothing", [[file("a", "a")], [hard("h", "/etc/passwd")]],
     "h: a hard link to /etc/passwd, which is not there"),
    # umoci takes it as a name inside the root
    ("a hard link that leads up",
     [[file("a", "a")], [hard("h", "../../etc/passwd")]],
     "h: a hard link to ../../etc/passwd: its name leads up", False),
    # ---- whiteouts ----
    ("whiteouts",
     [[file("d/a", "a"), file("d/e/b", "b"), file("c", "c")],
      [file("d/.wh.a"), file("d/.wh.e"), file(".wh.none"),
       file("no/.wh.none"), file("c/.wh.none")]],
     {"d": None, "c": "c"}),
    ("a whiteout through a link",
     [[file("r/f", "f"), file("r/g", "g"), link("l", "r")],
      [file("l/.wh.f")]],
     {"r/g": "g", "l": (LINK, "r")}),
    ("a whiteout of a link",
     [[file("r/f", "f"), link("l", "r")], [file(".wh.l")]], {"r/f": "f"}),
    ("a whiteout above the root",
     [[link("l", "../../.."), file("f", "f")], [file("l/.wh.f")]],
     {"l": (LINK, "../../..")}),
    ("an opaque folder",
     [[file("d/old", "o"), file("d/e/old", "o")],
      [file("d/.wh..wh..opq"), file("d/new", "n")]], {"d/new": "n"}),
    ("an opaque folder, told last",
     [[file("d/old", "o"), file("d/e/old", "o")],
      [file("d/e/new", "n"), file("d/.wh..wh..opq")]], {"d/e/new": "n"}),
    ("an opaque folder, told again, in it and above it",
     [[file("d/old", "o"), file("d/e/old", "o"), file("f/old", "o")],
      [file("d/e/.wh..wh..opq"), file("d/e/new", "n"),
       file("d/.wh..wh..opq"), file("d/.wh..wh..opq"),
       file("d/e/.wh..wh..opq"), file("f/new", "n"), file(".wh.f"),
       file(".wh.f")],
      [file("d/e/.wh..wh..opq"), file("d/last", "l")]],
     {"d/e": None, "d/last": "l", "f/new": "n"}),
    ("an opaque folder through a link",
     [[file("r/f", "f"), link("l", "r")],
      [file("l/.wh..wh..opq"), file("l/y", "y")]],
     {"l": (LINK, "r"), "r/y": "y"}),
    ("an opaque folder instead of a link",
     [[file("r/f", "f"), link("l", "r")],
      [folder("l/"), file("l/.wh..wh..opq"), file("l/y", "y")]],
     {"r/f": "f", "l/y": "y"}),
    ("an opaque root",
     [[file("a", "a"), file("b/c", "c")],
      [file(".wh..wh..opq"), file("n", "n")]], {"n": "n"}),
    ("a whiteout of what the layer brings",
     [[file("d/old", "o"), file("a", "1")],
      [file("d/new", "n"), file(".wh.d"), file("a", "2"), file(".wh.a")]],
     {"d/new": "n", "a": "2"}),
    ("a file by another name",
     [[file("a", "1")], [hard("b", "a"), file(".wh.a")]], {"b": "1"}),
    ("what aufs left",
     [[file(".wh..wh.aufs"), folder(".wh..wh.orph"), file("f", "f")]],
     {"f": "f"}, False),  # umoci differs by version
    # umoci: nothing happens
    ("a whiteout of nothing", [[file("a", "a")], [file(".wh.")]],
     ".wh.: a whiteout of nothing", False),
    # ---- what is left out ----
    # umoci makes files of them for a user
    ("devices and pipes",
     [[node("char", "dev/null"), node("block", "dev/b"), node("fifo", "p"),
       hard("n", "dev/null"), file("a", "a")],
      [node("char", "a")]], {"dev": None}, ROOT),
    ("modes",
     [[file("s", "s", 0o4711), file("r", "r", 0o400), file("w", "?", 0o222),
       folder("d", 0o1700), file("d/f", "f", 0o600)]],
     {"s": ("s", 0o500), "r": ("r", 0o400), "w": ("?", 0o222), "d/f": "f"}),
    # ---- archives ----
    ("a layer of nothing", [[], [file("a", "a")], []], {"a": "a"}),
    ("a layer that comes again",
     [[file("a", "a")], [file(".wh.a")], [file("a", "a")]], {"a": "a"}),
]


def umoci(store, source, want):
    """What umoci makes of it is what we make of it."""
    out = store.path("bundle")
    try:
        p = subprocess.run(
            ["umoci", "unpack", *([] if ROOT else ["--rootless"]), "--image",
             source + ":latest", out], capture_output=True, timeout=120)
        if p.returncode != 0:
            return "" if isinstance(want, str) else \
                "umoci refuses: " + p.stderr.decode()[-200:]
        if isinstance(want, str):
            return "umoci takes it"
        return differ(tree(os.path.join(out, "rootfs")), wanted(want))
    finally:
        shutil.rmtree(out, ignore_errors=True)


def cases():
    there = shutil.which("umoci")
    packs = list(PACK)
    stores = [Store()] + ([Store(USER)] if ROOT else [])
    for i, (name, layers, want, *more) in enumerate(CASES):
        tars = [tar(l, tarfile.PAX_FORMAT if i % 2 else tarfile.GNU_FORMAT)
                for l in layers]
        layout, save = stores[0].path("layout"), stores[0].path("save.tar")
        write(layout, oci(tars, packs[i % 3]))
        with open(save, "wb") as f:
            f.write(tar(docker(tars, packs[(i + 1) % 3],
                               "hard" if i % 2 else "link")))
        store = stores[i % len(stores)]
        result("%s: OCI layout" % name, *why(judge(store, layout, want)))
        result("%s: docker save" % name, *why(judge(store, save, want)))
        shutil.rmtree(layout)
        if False in more or not there:
            continue
        write(layout, oci(tars, "gzip"))
        result("%s: as umoci has it" % name,
               *why(umoci(stores[0], layout, want)))
        shutil.rmtree(layout)
    for s in stores:
        s.remove()
    if not there:
        skip("layers as umoci has them", "umoci is not installed")


# ---- transports ----

LAYERS = [[folder("usr/bin"), file("usr/bin/sh", "s", X),
           link("bin", "usr/bin")],
          [file("bin/b", "b")],
          [folder("usr/bin"), file("usr/bin/sh", "s", X),
           link("bin", "usr/bin")]]
MADE = {"usr/bin/sh": ("s", X), "usr/bin/b": "b", "bin": (LINK, "usr/bin")}


def dir_transport(layers):
    """skopeo's dir: of an OCI layout."""
    files = oci(layers, "gzip")
    flat = {os.path.basename(n): d for n, d in files.items()
            if n.startswith("blobs/")}
    index = files["index.json"].decode()
    digest = index.split("sha256:")[1][:64]
    flat["manifest.json"] = flat.pop(digest)
    flat["version"] = b"Directory Transport Version: 1.1\n"
    return flat


def transports():
    s = Store()
    tars = [tar(l) for l in LAYERS]
    seen = {}
    for pack in PACK:
        for again in ("link", "hard"):
            members = docker(tars, pack, again)
            what = "docker save, %s layers, repeated by %s link" % (
                pack or "plain", again)
            path = put(s.path("save.tar"), tar(members))
            result(what, *why(judge(s, path, MADE)))
            seen[s.run(path)[0]] = what
    result("a layer's compression is no part of a docker image's digest",
           len(seen) == 1, str(seen))
    # the same archive, unpacked
    with tarfile.open(s.path("save.tar")) as t:
        t.extractall(s.path("saved"))
    result("docker save, unpacked", *why(judge(s, s.path("saved"), MADE)))
    write(s.path("D"), dir_transport(tars))
    result("skopeo's dir:", *why(judge(s, s.path("D"), MADE)))
    files = oci(tars, "zstd")
    members = [file(n, d) for n, d in files.items()]
    for pack in PACK:
        path = put(s.path("oci.tar"), PACK[pack](tar(members)))
        result("OCI archive %s" % pack, *why(judge(s, path, MADE)))
    by_skopeo(s)
    by_umoci(s)
    s.remove()


def by_umoci(s):
    """It writes blobs that their owner alone may read."""
    name = "as umoci writes it"
    if not shutil.which("umoci"):
        skip(name, "umoci is not installed")
        return
    write(s.path("in"), {"usr/bin/sh": b"s"}, X)
    at = s.path("U") + ":new"
    for words in (["init", "--layout", s.path("U")],
                  ["new", "--image", at],
                  ["insert", "--image", at, s.path("in"), "/"],
                  ["insert", "--image", at, s.path("in/usr"), "/opt"],
                  ["insert", "--image", at, "--whiteout", "/usr/bin"]):
        p = subprocess.run(["umoci", *words], capture_output=True,
                           timeout=120)
        if p.returncode != 0:
            result(name, False, p.stderr.decode())
            return
    result(name, *why(judge(s, s.path("U"),
                            {"opt/bin/sh": ("s", X), "usr": None})))


def by_skopeo(s):
    if not shutil.which("skopeo"):
        skip("as skopeo writes them", "skopeo is not installed")
        return
    write(s.path("L"), oci([tar(l) for l in LAYERS], "gzip"))
    for kind, path in (("docker-archive", "s.tar"), ("oci-archive", "o.tar"),
                       ("dir", "SD"), ("oci", "SO")):
        p = subprocess.run(["skopeo", "--insecure-policy", "copy", "-q",
                            "oci:%s:latest" % s.path("L"),
                            "%s:%s" % (kind, s.path(path))],
                           capture_output=True, timeout=120)
        result("as skopeo writes it: %s" % kind,
               *why(p.stderr.decode() if p.returncode else
                    judge(s, s.path(path), MADE)))


def something_else():
    """What looks like a root folder, and is none."""
    s = Store()
    tars = [tar(l) for l in LAYERS]
    write(s.path("v"), {"version": b"Directory Transport Version: 1.1\n"})
    refused(s, "dir: without its manifest", s.path("v"), "manifest.json")
    write(s.path("j"), {"manifest.json": b'{"name":"app"}', "bin/sh": b""})
    refused(s, "a manifest.json of something else", s.path("j"),
            "of no image")
    write(s.path("b"), {"config.json": b"{}", "rootfs/bin/sh": b""})
    refused(s, "a bundle", s.path("b"), "its folder rootfs")
    write(s.path("up/L"), oci(tars))
    refused(s, "a layout one folder down", s.path("up"), "its folder L")
    path = put(s.path("b.tar"), tar([file("config.json", "{}"),
                                     folder("rootfs"), file("rootfs/a")]))
    refused(s, "a bundle in a tar", path, "rootfs")
    path = put(s.path("up.tar"), tar(
        [file("L/" + n, d) for n, d in oci(tars).items()]))
    refused(s, "a layout one folder down in a tar", path, "one folder down")
    path = put(s.path("old.tar"), tar([file("repositories", "{}"),
                                       file("x/layer.tar", tars[0])]))
    refused(s, "a docker save without manifest.json", path, "manifest.json")
    refused(s, "a tar of nothing", put(s.path("n.tar"), tar([])), "empty")
    for word, magic in (("bzip2", b"BZh91AY&SY"), ("xz", b"\xfd7zXZ\0\0")):
        path = put(s.path("other"), magic + b"\x55" * 2000)
        refused(s, "a tar in " + word, path, word)
    layers = [b"BZh91AY&SY" + b"\x55" * 2000]
    write(s.path("z"), oci(layers))
    refused(s, "a layer in bzip2", s.path("z"),
            "layer 1 of 1 (sha256:%s): compressed by bzip2" %
            sha(layers[0])[:12])
    cut = tars[:1] + [tars[1][:512]]
    write(s.path("c"), oci(cut))
    refused(s, "a layer that is cut off", s.path("c"), "layer 2 of 2 (sha256:")
    members = docker(tars[:2])
    members[2]["data"] = members[2]["data"][:-1] + b"x"
    path = put(s.path("bad.tar"), tar(members))
    refused(s, "a layer with another digest", path,
            "layer 1 of 2 (sha256:%s): " % sha(tars[0])[:12])
    # a plain root may have files of such names, elsewhere or otherwise
    write(s.path("r"), {"index.json": b"[]", "version": b"1.0\n",
                        "app/manifest.json": b"{}", "bin/sh": b"s"})
    digest, said = s.run(s.path("r"))
    result("a plain root with such names", digest is not None and
           "bin/sh" in s.tree(digest), said)
    s.remove()


def documents():
    """What an image says of itself, not as it should be."""
    s = Store()
    layer = tar([file("a", "a")])
    hexes = sha(layer)

    def saved(change):
        members = docker([layer])
        for m in members:
            if m["name"] == "manifest.json":
                m["data"] = change(m["data"])
        return members

    for what, change, words in (
            ("nothing", lambda d: "", "manifest.json: line 1"),
            ("cut off", lambda d: d[:-1], "manifest.json: line 1"),
            ("deep", lambda d: "[" * 100000, "manifest.json: too deep"),
            ("no image", lambda d: "[]", "0 images"),
            ("no configuration", lambda d: d.replace('"Config"', '"X"'),
             "no configuration"),
            ("its configuration elsewhere",
             lambda d: d.replace('"Config": "', '"Config": "../../'),
             "configuration: ../../"),
            ("no layers", lambda d: d.replace('"Layers"', '"X"'),
             "it has 0 layers, its configuration 1"),
            ("a layer elsewhere",
             lambda d: d.replace("%064x/layer.tar" % 1, "/etc/passwd"),
             "layer 1 of 1 (sha256:%s): /etc/passwd: " % hexes[:12]),
            ("a layer that is a number",
             lambda d: d.replace('"%064x/layer.tar"' % 1, "7"),
             "no name of its file")):
        path = put(s.path("save.tar"), tar(saved(change)))
        refused(s, "manifest.json: " + what, path, words)
    for what, old, new, words in (
            ("no manifests", '"manifests"', '"x"', "no digest by sha256"),
            ("another digest's kind", "sha256:", "sha512:", "sha512:"),
            ("a digest that leads out", "sha256:" , "sha256:../../",
             "no digest by sha256"),
            ("another machine", '"size"', '"platform": {"architecture": '
             '"s390x"}, "size"', "no image for linux/")):
        files = oci([layer])
        files["index.json"] = files["index.json"].replace(
            old.encode(), new.encode())
        write(s.path("L"), files)
        refused(s, "index.json: " + what, s.path("L"), words)
        shutil.rmtree(s.path("L"))
    s.remove()


def several():
    """Several images in one place: the one that is named."""
    s = Store()
    a, b = ([tar([file(n, n)])] for n in "ab")
    one, two = oci(a, tag="one"), oci(b, tag="two")
    index = one["index.json"].decode().replace(
        "]", "," + two["index.json"].decode().split("[", 1)[1], 1)
    index = index[:index.index("]") + 1] + "}"
    write(s.path("L"), {**one, **two, "index.json": index.encode()})
    refused(s, "several images: none named", s.path("L"), "one, two")
    refused(s, "several images: another name", s.path("L:three"),
            "one, two")
    result("several images: the first", *why(judge(s, s.path("L:one"),
                                                    {"a": "a"})))
    result("several images: the second", *why(judge(s, s.path("L:two"),
                                                     {"b": "b"})))
    two = two["index.json"].decode().split("sha256:")[1][:12]
    result("several images: one by its digest", *why(
        judge(s, s.path("L:sha256:" + two), {"b": "b"})))
    put(s.path("L/index.json"), index.replace("ref.name", "x").encode())
    refused(s, "several images: without names", s.path("L"), "sha256:" + two)
    first, second = docker(a, name="x/a:1"), docker(b, name="x/b:1")
    both = [m for m in first + second if m["name"] != "manifest.json"]
    docs = [m["data"][1:-1] for m in first + second
            if m["name"] == "manifest.json"]
    for m in second:  # folders of their own
        if "layer.tar" in m["name"]:
            m["name"] = "second/layer.tar"
    docs[1] = docs[1].replace("%064x" % 1, "second")
    path = put(s.path("save.tar"), tar(
        both + [file("manifest.json", "[%s]" % ",".join(docs))]))
    refused(s, "several saved images: none named", path, "x/a:1, x/b:1")
    result("several saved images: the second",
           *why(judge(s, path + ":x/b:1", {"b": "b"})))
    s.remove()


def forms():
    """What builders make of an image besides: an index for several machines,
    attestations, layers each in its own compression, two forms in one."""
    s = Store()
    tars = [tar(l) for l in LAYERS]
    files = oci(tars)
    # each layer in another compression
    top = json.loads(files["index.json"])["manifests"][0]["digest"]
    manifest = json.loads(files["blobs/sha256/" + top[7:]])
    mixed = {n: d for n, d in files.items() if n == "oci-layout"}
    for i, pack in enumerate(("", "gzip", "zstd")):
        data = PACK[pack](tars[i])
        mixed["blobs/sha256/" + sha(data)] = data
        manifest["layers"][i].update(digest="sha256:" + sha(data),
                                     size=len(data))
    conf = "blobs/sha256/" + manifest["config"]["digest"][7:]
    mixed[conf] = files[conf]
    one = json.dumps(manifest).encode()
    mixed["blobs/sha256/" + sha(one)] = one

    def entry(data, **more):
        return dict({"digest": "sha256:" + sha(data), "size": len(data)},
                    **more)

    def index(*entries):
        return json.dumps({"schemaVersion": 2,
                           "manifests": list(entries)}).encode()
    mixed["index.json"] = index(entry(one))
    write(s.path("M"), mixed)
    result("three compressions in one image", *why(judge(s, s.path("M"),
                                                         MADE)))
    # beneath an index: other machines, this one, what is no image
    other = oci([tar([file("other", "o")])])
    top = json.loads(other["index.json"])["manifests"][0]["digest"]
    bad = other["blobs/sha256/" + top[7:]]

    def machine(arch, os_="linux", variant=None):
        p = {"architecture": arch, "os": os_}
        return {"platform": dict(p, variant=variant) if variant else p}
    many = index(entry(bad, **machine("s390x")),
                 entry(bad, **machine("unknown", "unknown")),
                 entry(bad, **machine(ARCH, "windows")),
                 entry(bad, **machine(ARCH, variant="v99")),
                 entry(one, **machine(ARCH)))
    inner = index(entry(many))
    for n, top in (("an index for several machines", index(entry(many))),
                   ("an index within one", index(entry(inner))),
                   ("several machines at the top", many)):
        write(s.path("I"), {**other, **mixed, "index.json": top,
                            "blobs/sha256/" + sha(many): many,
                            "blobs/sha256/" + sha(inner): inner})
        result(n, *why(judge(s, s.path("I"), MADE)))
        shutil.rmtree(s.path("I"))
    # docker 25 and later: a layout that has manifest.json as well
    doc = [{"Config": conf, "RepoTags": ["new:1"], "Layers": [
        d["digest"].replace("sha256:", "blobs/sha256/")
        for d in manifest["layers"]]}]
    named = index(entry(one, annotations={
        "io.containerd.image.name": "docker.io/library/new:1",
        "org.opencontainers.image.ref.name": "1"}))
    path = put(s.path("new.tar"), tar(
        [file(n, d) for n, d in {**mixed, "index.json": named,
                                 "manifest.json": json.dumps(doc),
                                 "repositories": "{}"}.items()]))
    result("docker save, of two forms", *why(judge(s, path, MADE)))
    result("docker save, of two forms, named", *why(
        judge(s, path + ":new:1", MADE)))
    result("by a whole reference", *why(judge(
        s, "%s:docker.io/library/new:1@sha256:%s" % (path, sha(one)), MADE)))
    write(s.path("N"), oci([]))
    result("an image without layers", *why(judge(s, s.path("N"), {})))
    digest, said = s.run(s.path("N"))
    code, out, _ = s.warren("image", "import", path, "--name",
                            "reg.example:5000/ns/new:1", "--json")
    code2, listed, _ = s.warren("image", "list")
    result("a name with a registry and its port", code == code2 == 0 and
           "reg.example:5000/ns/new:1" in listed, out + listed)
    code, out, _ = s.warren("image", "inspect", "reg.example:5000/ns/new@" +
                            json.loads(out)["digest"], "--json")
    result("a name and a digest", code == 0 and
           json.loads(out)["names"] == ["reg.example:5000/ns/new:1"], out)
    s.remove()


def archives():
    """What stands behind the last member's content may be missing, content
    may not; holes are part of a file."""
    s = Store()
    whole = tar([file("a", "a" * 700), file("b", "b" * 700)])
    want = {"a": "a" * 700, "b": "b" * 700}
    ends = 512 + 1024 + 512 + 700
    for pack in PACK:
        for n, good in ((ends, True), (ends + 100, True), (ends + 324, True),
                        (ends + 324 + 512, True), (ends - 1, False),
                        (512 + 1024 + 512, False), (1024, False)):
            write(s.path("L"), oci([whole[:n]], pack))
            result("a layer of %d bytes %s" % (n, pack),
                   *why(judge(s, s.path("L"), want if good else "b: " if
                              n > 1024 else "a: ")))
            shutil.rmtree(s.path("L"))
    with open(s.path("holes"), "wb") as f:
        f.truncate(3 << 20)
        f.seek(1 << 20)
        f.write(b"x" * 10)
    with open(s.path("holes"), "rb") as f:
        data = f.read().decode()
    for form in ("gnu", "posix"):
        p = subprocess.run(["tar", "-C", s.top, "-cS", "--format=" + form,
                            "holes"], capture_output=True)
        path = put(s.path("root.tar"), p.stdout)
        result("a file with holes, %s" % form, *why(
            judge(s, path, {"holes": data}) or
            ("" if len(p.stdout) < 1 << 20 else "there are none")))
    s.remove()


def plain_tar():
    s = Store()
    members = [folder("./"), folder("./bin"), file("./bin/sh", "s", X),
               hard("./bin/h", "./bin/sh"), link("./l", "/bin/sh"),
               node("char", "./dev/null")]
    want = {"bin/sh": ("s", X, "bin/h"), "bin/h": ("s", X, "bin/h"),
            "l": (LINK, "/bin/sh"), "dev": None}
    seen = set()
    for pack in PACK:
        path = put(s.path("root.tar"), PACK[pack](tar(members)), 0o600)
        result("a tar of a root folder %s" % pack, *why(judge(s, path, want)))
        seen.add(s.run(path)[0])
    result("its digest is of the tar inside", len(seen) == 1, str(seen))
    digest, said = s.run(path)
    result("what was left out is named", "dev/null" in said, said)
    os.mkdir(s.path("root"))
    os.symlink("t" * 150, s.path("root/l"))
    refused(s, "a folder beyond its bounds", s.path("root"), "a tar of the")
    p = subprocess.run(["tar", "-C", s.path("root"), "-c", "."],
                       capture_output=True)
    result("a tar of it", *why(judge(s, put(s.path("root.tar"), p.stdout),
                                     {"l": (LINK, "t" * 150)})))
    path = put(s.path("bad.tar"), tar([file("a", "a"), file("../b", "b")]))
    refused(s, "a tar that leads out", path, "../b: its name leads up")
    s.remove()


# ---- who may read what ----

def rights():
    tars = [tar(l) for l in LAYERS]
    s = Store()
    write(s.path("L"), oci(tars, "gzip"), 0o600, 0o700)
    who = "root's" if ROOT else "a user's"
    result("a layout that only its owner may read: " + who,
           *why(judge(s, s.path("L"), MADE)))
    with tarfile.open(put(s.path("save.tar"), tar(docker(tars)))) as t:
        t.extractall(s.path("saved"))
    for at, folders, names in os.walk(s.path("saved")):
        os.chmod(at, 0o700)
        for n in names:
            if not os.path.islink(os.path.join(at, n)):
                os.chmod(os.path.join(at, n), 0o600)
    result("a docker save, unpacked, that only its owner may read: " + who,
           *why(judge(s, s.path("saved"), MADE)))
    result("a tar that only its owner may read: " + who, *why(
        judge(s, put(s.path("o.tar"), tar(
            [file(n, d) for n, d in oci(tars).items()]), 0o600), MADE)))
    # a layout whose files lead elsewhere: nothing of that is read
    write(s.path("E"), oci(tars, "gzip"))
    put(s.path("elsewhere"), b"{}")
    os.unlink(s.path("E/index.json"))
    os.symlink("../elsewhere", s.path("E/index.json"))
    refused(s, "a document that lies elsewhere", s.path("E"), "index.json")
    os.unlink(s.path("E/index.json"))
    os.mkfifo(s.path("E/index.json"))
    refused(s, "a document that is a pipe", s.path("E"), "index.json")
    s.remove()
    if not ROOT:
        return
    s = Store(USER)
    write(s.path("L"), oci(tars, "gzip"), 0o600, 0o700)
    digest, said = s.run(s.path("L"))
    result("another's layout is not read", digest is None and
           "ermission denied" in said, said)
    for at, folders, names in os.walk(s.path("L")):
        for n in [at] + [os.path.join(at, n) for n in names]:
            s.own(n)
    result("a layout that only its owner may read: a user's",
           *why(judge(s, s.path("L"), MADE)))
    s.remove()


def namespaces():
    """Root of a user namespace that has no ids of ours, or few."""
    name = "root of a user namespace without ids"
    if subprocess.run(["unshare", "-Ur", "true"],
                      capture_output=True).returncode != 0:
        skip(name, "no user namespaces here")
        return
    s = Store()
    write(s.path("L"), oci([tar(l) for l in LAYERS], "gzip"), 0o600, 0o700)
    digest, said = s.run(s.path("L"), "unshare", "-Ur")
    result(name, digest is not None and
           not differ(s.tree(digest), wanted(MADE)), said)
    path = put(s.path("root.tar"), tar([file("a", "a")]), 0o600)
    digest, said = s.run(path, "unshare", "-Ur")
    result(name + ": a tar", digest is not None, said)
    write(s.path("r"), {"a": b"a"})
    digest, said = s.run(s.path("r"), "unshare", "-Ur")
    result(name + ": a folder", digest is not None, said)
    digest, said = s.run(
        path, "unshare", "-Ur", "sh", "-c",
        "echo 0 >/proc/sys/user/max_user_namespaces && exec \"$@\"", "sh")
    result("where no user namespace can be had", digest is None and
           "cannot be confined here" in said and
           "user.max_user_namespaces" in said, said)
    s.remove()


def main():
    probe = Store()
    write(probe.path("r"), {"a": b"a"})
    digest, said = probe.run(probe.path("r"))
    probe.remove()
    if digest is None and "namespace" in said:
        skip("image import", said)
        done()
    cases()
    transports()
    something_else()
    documents()
    several()
    forms()
    archives()
    plain_tar()
    rights()
    namespaces()
    done()


main()
