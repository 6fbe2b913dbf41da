# SPDX-License-Identifier: BSD-2-Clause
"""Images of odd layers, written member by member, and trees to compare."""
import gzip
import hashlib
import io
import json
import os
import platform
import stat
import struct
import tarfile

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
            # which names are one file
            first = inodes.setdefault(st.st_ino, text(rel))
            if text(rel) in found:
                found[text(rel)] += " as " + first

    look(b"")
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
