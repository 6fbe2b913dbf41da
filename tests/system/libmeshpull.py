# SPDX-License-Identifier: BSD-2-Clause
"""Two nodes, of which one gives its images to the other, and images for them."""
import gzip
import hashlib
import io
import json
import os
import platform
import random
import socket
import subprocess
import tarfile

from lib import PATIENCE_S, USER, result, until
from libjob import Burrow

ROOT = os.geteuid() == 0
ARCH = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}.get(platform.machine(), platform.machine())
HOLD = "[[%s]]\ntype = %s\nenabled = yes\n%s"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def files(seed, n, most=9000):
    r = random.Random(seed)
    return {"usr/%d/%d" % (i % 7, i): r.randbytes(r.randrange(1, most)) for i in range(n)}


def layer(what, gone=()):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name, data in what.items():
            m = tarfile.TarInfo(name)
            m.size, m.mode, m.mtime = len(data), 0o755, 1000
            t.addfile(m, io.BytesIO(data))
        for name in gone:
            t.addfile(tarfile.TarInfo(os.path.join(os.path.dirname(name), ".wh." + os.path.basename(name))))
    return out.getvalue()


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def configuration(layers):
    return json.dumps({"architecture": ARCH, "os": "linux", "config": {"Cmd": ["/bin/sh"]},
                       "rootfs": {"type": "layers", "diff_ids": [sha(x) for x in layers]}}).encode()


def put(path, members):
    with tarfile.open(path, "w") as t:
        for name, data in members:
            m = tarfile.TarInfo(name)
            m.size = len(data)
            t.addfile(m, io.BytesIO(data))
    return path


def layout(path, layers):
    """An OCI layout, as a tar, of layers in gzip."""
    blobs, kind = {}, "application/vnd.oci.image."

    def blob(what, data):
        blobs[sha(data)[7:]] = data
        return {"mediaType": kind + what, "digest": sha(data), "size": len(data)}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind + "manifest.v1+json", "config": blob(
        "config.v1+json", configuration(layers)), "layers": [blob("layer.v1.tar+gzip", gzip.compress(x)) for x in layers]})
    index = json.dumps({"schemaVersion": 2, "manifests": [blob("manifest.v1+json", manifest.encode())]})
    return put(path, [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", index.encode())] + [
        ("blobs/sha256/" + n, data) for n, data in blobs.items()])


def save(path, layers):
    """As `docker save` writes it."""
    doc = json.dumps([{"Config": "c.json", "RepoTags": ["x:1"], "Layers": ["%d.tar" % i for i in range(len(layers))]}])
    return put(path, [("manifest.json", doc.encode()), ("c.json", configuration(layers))] + [
        ("%d.tar" % i, x) for i, x in enumerate(layers)])


class Pair:
    """a gives, b pulls; a connection between them."""

    def __init__(self, build, more):
        port = free_port()
        user = USER if ROOT else None
        self.a = Burrow(build, "giver", user, HOLD % ("in", "TCPServerInterface", "listen_ip = 127.0.0.1\nlisten_port = "
                                                      "%d\n" % port), more="data_limit_per_minute: 500MB\n" + more)
        self.b = Burrow(build, "taker", user, HOLD % ("out", "TCPClientInterface", "target_host = 127.0.0.1\n"
                                                      "target_port = %d\n" % port))
        # b's person is known to a
        text = open(os.path.join(self.a.dir, "node.yaml")).read()
        self.text = text.replace("level: 2}\n", "level: 2}\n    - {id: \"%s\", level: 2}\n" % self.b.me["urn"])
        self.a.write("node.yaml", self.text)

    def give(self, name, layers, *words, form=save):
        """layers: or a folder."""
        path = layers if isinstance(layers, str) else form(os.path.join(self.a.work, "image.tar"), layers)
        rc, out, err = self.a.warren("image", "import", path, "--name", name, "--json", *words, seconds=4 * PATIENCE_S)
        return json.loads(out) if rc == 0 else {"failed": "%s %s" % (rc, err)}

    def argv(self, name, *words):
        return self.b.argv("image", "pull", name, "--from", self.a.who["destination"], "--config", self.b.dir,
                           "--identity", self.b.person, "--json", *words)

    def pull(self, name, *words):
        p = subprocess.run(self.argv(name, *words), preexec_fn=self.b._drop, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=6 * PATIENCE_S)
        try:
            said = json.loads(p.stdout.decode().splitlines()[-1])
        except (IndexError, ValueError):
            said = {}
        return p.returncode, said, p.stdout.decode() + p.stderr.decode(errors="replace")

    def store(self, node, *parts):
        return os.path.join(node.dir, "warren/images", *parts)

    def tree(self, node, digest):
        top, out = self.store(node, "roots", digest[7:]), {}
        for at, folders, names in os.walk(top):
            for n in names:
                p = os.path.join(at, n)
                with open(p, "rb") as f:
                    out[os.path.relpath(p, top)] = (os.stat(p).st_mode, hashlib.sha256(f.read()).hexdigest())
        return out

    def reload(self, text):
        self.a.write("node.yaml", text)
        if not until(lambda: self.a.warren("reload")[0] == 0, "node.yaml is taken anew"):
            result("meshpull: node.yaml is taken anew", False, self.a.warren("reload"))

    def end(self):
        for n in (self.a, self.b):
            n.remove()
