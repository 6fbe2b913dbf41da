# SPDX-License-Identifier: BSD-2-Clause
"""Images of odd layers, written member by member, and trees to compare."""
import gzip
import hashlib
import io
import json
import os
import platform
import stat
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile

from lib import result

WARREN = os.path.join(os.path.abspath(sys.argv[1]), "warren")
ROOT = os.geteuid() == 0
ARCH = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm",
        "riscv64": "riscv64"}.get(platform.machine(), "")
KINDS = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE,
         "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE,
         "char": tarfile.CHRTYPE, "block": tarfile.BLKTYPE,
         "fifo": tarfile.FIFOTYPE}


def text(b):
    """A name of any bytes, as tarfile and os take it."""
    return b.decode("utf-8", "surrogateescape") if isinstance(b, bytes) else b


# ---- members and layers ----

def file(name, data="", mode=0o644, **more):
    return dict(kind="file", name=name, data=data, mode=mode, **more)


def folder(name, mode=0o755):
    return dict(kind="dir", name=name, mode=mode)


def link(name, target):
    return dict(kind="link", name=name, target=target, mode=0o777)


def hard(name, target):
    return dict(kind="hard", name=name, target=target, mode=0o644)


def node(kind, name):
    return dict(kind=kind, name=name, mode=0o666)


def tar(members, form=tarfile.PAX_FORMAT):
    """The bytes of an archive; names and order as they are given."""
    out = io.BytesIO()
    # longer than one record, so that a cut is one
    with tarfile.open(fileobj=out, mode="w", format=form,
                      errors="surrogateescape") as t:
        for m in members:
            data = m.get("data", b"")
            data = data.encode() if isinstance(data, str) else data
            i = tarfile.TarInfo(text(m["name"]))
            i.type = KINDS[m["kind"]]
            i.mode = m["mode"]
            i.linkname = text(m.get("target", ""))
            i.size = len(data)
            i.pax_headers = m.get("pax", {})
            if m["kind"] in ("char", "block"):
                i.devmajor, i.devminor = 1, 3
            t.addfile(i, io.BytesIO(data))
    return out.getvalue()


# ---- compression ----

def zstd(data):
    """Frames of stored blocks (RFC 8878), two of them."""
    out = b""
    half = len(data) // 2
    for part in (data[:half], data[half:]):
        # no dictionary, no checksum, a window of 128 KiB
        out += struct.pack("<IBB", 0xfd2fb528, 0x00, 0x38)
        for at in range(0, max(len(part), 1), 65536):
            block = part[at:at + 65536]
            last = at + 65536 >= len(part)
            out += struct.pack("<I", len(block) << 3 | last)[:3] + block
    return out


def gz(data):
    """Two members, as parallel compressors write them."""
    half = len(data) // 2
    return gzip.compress(data[:half], mtime=0) + \
        gzip.compress(data[half:], mtime=0)


PACK = {"": lambda b: b, "gzip": gz, "zstd": zstd}


# ---- images ----

def sha(data):
    return hashlib.sha256(data).hexdigest()


def configuration(layers):
    return json.dumps({
        "architecture": ARCH, "os": "linux",
        "config": {"Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers",
                   "diff_ids": ["sha256:" + sha(l) for l in layers]},
    }).encode()


def oci(layers, pack="", tag="latest"):
    """Name -> bytes of an OCI layout of these archives."""
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def blob(kind, data):
        files["blobs/sha256/" + sha(data)] = data
        return {"mediaType": "application/vnd.oci.image." + kind,
                "digest": "sha256:" + sha(data), "size": len(data)}

    more = "+" + pack if pack else ""
    manifest = json.dumps({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob("config.v1+json", configuration(layers)),
        "layers": [blob("layer.v1.tar" + more, PACK[pack](l))
                   for l in layers]}).encode()
    entry = blob("manifest.v1+json", manifest)
    entry["annotations"] = {"org.opencontainers.image.ref.name": tag}
    files["index.json"] = json.dumps(
        {"schemaVersion": 2, "manifests": [entry]}).encode()
    return files


def docker(layers, pack="", again="link", name="odd:latest"):
    """The members of a `docker save`; a layer that comes again is a link."""
    config = configuration(layers)
    members, seen, paths = [], {}, []
    for i, data in enumerate(layers):
        folder_ = "%064x" % (i + 1)
        path = folder_ + "/layer.tar"
        members.append(folder(folder_ + "/"))
        members.append(file(folder_ + "/VERSION", "1.0"))
        if data not in seen:
            members.append(file(path, PACK[pack](data)))
        elif again == "link":
            members.append(link(path, "../" + seen[data]))
        else:
            members.append(hard(path, seen[data]))
        seen.setdefault(data, path)
        paths.append(path)
    members.append(file(sha(config) + ".json", config))
    members.append(file("manifest.json", json.dumps([
        {"Config": sha(config) + ".json", "RepoTags": [name],
         "Layers": paths}])))
    members.append(file("repositories", "{}"))
    return members


def write(top, files, mode=0o644, folders=0o755):
    """Name -> bytes, as files of a folder."""
    for name, data in files.items():
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, mode)
    for at, _, _ in os.walk(top):
        os.chmod(at, folders)


# ---- trees ----

def for_all(mode):
    """An image's files: r and x of the owner for all, nothing else."""
    return (0o444 if mode & 0o400 else 0) | (0o111 if mode & 0o100 else 0)


def tree(top):
    """Path -> what lies there, modes as an image has them."""
    top = os.fsencode(top)
    found, inodes = {}, {}

    def look(rel):
        path = os.path.join(top, rel)
        st = os.lstat(path)
        if stat.S_ISDIR(st.st_mode):
            if rel:
                found[text(rel)] = "dir"
            for name in sorted(os.listdir(path)):
                look(os.path.join(rel, name) if rel else name)
        elif stat.S_ISLNK(st.st_mode):
            found[text(rel)] = "link " + text(os.readlink(path))
        elif stat.S_ISREG(st.st_mode):
            was = stat.S_IMODE(st.st_mode)
            if was & 0o400 == 0 and os.geteuid() != 0:
                data = b"?"  # its owner cannot read it either
            else:
                with open(path, "rb") as f:
                    data = f.read()
            found[text(rel)] = "file %o %s" % (for_all(was), sha(data)[:16])
        if not stat.S_ISDIR(st.st_mode) and st.st_nlink > 1:
            inodes.setdefault(st.st_ino, []).append(text(rel))

    look(b"")
    for names in inodes.values():
        # which names are one file; those of other images do not count
        for name in names if len(names) > 1 else []:
            if name in found:
                found[name] += " as " + names[0]
    return found


def wanted(spec):
    """The same from short words: path -> data, or (data, mode) or ("->",
    target), maybe with the first name of the file that it is."""
    out = {}
    for path, v in spec.items():
        if isinstance(v, str):
            v = (v, 0o644)
        if v is None:
            out[path] = "dir"
        elif v[0] == "->":
            out[path] = "link " + v[1]
        else:
            out[path] = "file %o %s" % (for_all(v[1]),
                                        sha(v[0].encode())[:16])
        if v is not None and len(v) > 2:
            out[path] += " as " + v[2]
    for path in list(out):
        while "/" in path:
            path = path[:path.rindex("/")]
            out.setdefault(path, "dir")
    return out


# ---- imports ----

class Store:
    """A configuration folder that images are imported into."""

    def __init__(self, user=None):
        self.top = tempfile.mkdtemp(prefix="warren-test.")
        os.chmod(self.top, 0o755)
        self.user = user
        self.conf = os.path.join(self.top, "conf")
        os.mkdir(self.conf, 0o700)
        self.own(self.conf)

    def own(self, path):
        if self.user is not None:
            os.chown(path, self.user, self.user)

    def _drop(self):
        if self.user is not None:
            os.setgroups([])
            os.setresgid(self.user, self.user, self.user)
            os.setresuid(self.user, self.user, self.user)

    def path(self, name):
        return os.path.join(self.top, name)

    def run(self, source, *before):
        """Digest or None, and what was said."""
        p = subprocess.run(
            [*before, WARREN, "image", "import", source, "--name",
             "odd/image:v1", "--config", self.conf], preexec_fn=self._drop,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        said = p.stderr.decode(errors="replace").strip()
        if p.returncode != 0:
            return None, said
        return p.stdout.decode().strip()[7:], said

    def tree(self, digest):
        return tree(os.path.join(self.conf, "warren/images/roots", digest))

    def warren(self, *words):
        """Exit status, what was printed, and what was said."""
        p = subprocess.run([WARREN, *words, "--config", self.conf],
                           preexec_fn=self._drop, stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=120)
        return (p.returncode, p.stdout.decode(),
                p.stderr.decode(errors="replace").strip())

    def all(self):
        """Path -> what lies there, of the whole store, as it is."""
        top, found = os.path.join(self.conf, "warren/images"), {}
        for at, folders, names in os.walk(top):
            for n in folders + names:
                path = os.path.join(at, n)
                st = os.lstat(path)
                found[os.path.relpath(path, top)] = (
                    st.st_mode, st.st_nlink if n in names else 0,
                    os.readlink(path) if stat.S_ISLNK(st.st_mode) else
                    st.st_size if n in names else 0)
        return found

    def left(self):
        """Unfinished imports."""
        return [n for n in os.listdir(os.path.join(self.conf,
                                                   "warren/images"))
                if n.startswith("tmp-")]

    def remove(self):
        # no write bit is left in a store; links of images are not followed
        for at, _, _ in os.walk(self.conf):
            os.chmod(at, 0o700)
        shutil.rmtree(self.top, ignore_errors=True)


def differ(got, want):
    for k in sorted(set(got) | set(want)):
        if got.get(k) != want.get(k):
            return "%r is %r, not %r" % (k, got.get(k), want.get(k))
    return ""


def judge(store, source, want):
    """What is wrong with this import, or nothing."""
    digest, said = store.run(source)
    if store.left():
        return "left behind: %s" % store.left()
    if isinstance(want, str):
        if digest is not None:
            return "it is not refused"
        return "" if want in said and "layer " in said else said
    return said if digest is None else differ(store.tree(digest),
                                              wanted(want))


def why(text_):
    return text_ == "", text_


def put(path, data, mode=0o644):
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, mode)
    return path


def refused(s, name, source, words):
    digest, said = s.run(source)
    result(name, digest is None and words in said, said)
