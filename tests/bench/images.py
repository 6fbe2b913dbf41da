# SPDX-License-Identifier: BSD-2-Clause
"""Import of an image beside skopeo with umoci, and beside podman: from an OCI
layout of three layers in gzip to files that a container can run in."""
import gzip
import hashlib
import io
import json
import os
import platform
import random
import shutil
import subprocess
import tarfile
import tempfile
import time

ARCH = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "riscv64": "riscv64"}.get(platform.machine(), "")
WORDS = [b"%x" % n for n in random.Random(1).sample(range(1 << 30), 4000)]


def content(rng, size):
    """As compressible as programs and texts are, about 3 to 1."""
    parts, n = [], 0
    while n < size:
        parts.append(rng.choice(WORDS) * rng.randrange(1, 4) + (rng.randbytes(8) if rng.random() < 0.3 else b" "))
        n += len(parts[-1])
    return b"".join(parts)[:size]


def layer(rng, mb):
    """Many small files, and a few that hold most of it."""
    out, left, k = io.BytesIO(), mb << 20, 0
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as t:
        while left > 0:
            size = min(left, rng.choice([900, 3000, 9000, 9000, 30000, 120000, 1 << 20]))
            i = tarfile.TarInfo("usr/lib/d%02d/%x/f%d" % (k % 40, rng.randrange(1 << 24), k))
            i.size, i.mode, i.mtime = size, 0o755 if k % 5 == 0 else 0o644, 1700000000 + k
            t.addfile(i, io.BytesIO(content(rng, size)))
            left, k = left - size, k + 1
    return out.getvalue()


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layout(top, layers):
    blobs = os.path.join(top, "blobs/sha256")
    os.makedirs(blobs)

    def blob(kind, data):
        with open(os.path.join(blobs, sha(data)[7:]), "wb") as f:
            f.write(data)
        return {"mediaType": "application/vnd.oci.image." + kind, "digest": sha(data), "size": len(data)}
    config = blob("config.v1+json", json.dumps({
        "architecture": ARCH, "os": "linux", "config": {"Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [sha(x) for x in layers]}}).encode())
    manifest = blob("manifest.v1+json", json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
        "layers": [blob("layer.v1.tar+gzip", gzip.compress(x, 6, mtime=0)) for x in layers]}).encode())
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "1"}
    for name, doc in (("oci-layout", {"imageLayoutVersion": "1.0.0"}),
                      ("index.json", {"schemaVersion": 2, "manifests": [manifest]})):
        with open(os.path.join(top, name), "w") as f:
            json.dump(doc, f)


def timed(*argvs):
    """Seconds, seconds of processors, and why there are none."""
    begin, was = time.monotonic(), os.times()
    for argv in argvs:
        p = subprocess.run(argv, capture_output=True, text=True, check=False)
        if p.returncode != 0:
            return None, None, (p.stderr or p.stdout)[-300:]
    now = os.times()
    return time.monotonic() - begin, (now.children_user + now.children_system -
                                      was.children_user - was.children_system), ""


def measure(build, quick):
    """{name: [MB/s]}, {name: [ms of processors a MB]}, and what could not be measured."""
    mb = 60 if quick else 240
    rng = random.Random(7)
    got = {name: [] for name in ("warren", "shared", "skopeo", "podman")}
    cpu, notes = {name: [] for name in got}, []
    with tempfile.TemporaryDirectory(prefix="warren-bench.") as top:
        def at(n):
            return os.path.join(top, n)
        base, more, other = layer(rng, mb * 3 // 4), layer(rng, mb // 4), layer(rng, 2)
        layout(at("L"), [base, more])
        layout(at("S"), [base, more, other])
        subprocess.run(["tar", "-C", at("L"), "-cf", at("L.tar"), "."], check=True)
        os.mkdir(at("conf"), 0o700)
        warren = [os.path.join(build, "warren"), "image"]
        conf = ["--config", at("conf")]
        podman = ["podman", "--root", at("podman"), "--runroot", at("run"), "--storage-driver",
                  "overlay" if os.path.exists("/sys/module/overlay") else "vfs"]
        os.sync()  # what was written for it costs no one of them
        for _ in range(1 if quick else 3):
            for name, argvs in (
                    ("warren", [warren + ["import", at("L"), "--name", "a:1"] + conf]),
                    ("shared", [warren + ["import", at("S"), "--name", "b:1"] + conf]),
                    ("skopeo", [["skopeo", "--insecure-policy", "copy", "-q", "oci:%s:1" % at("L"),
                                 "oci:%s:1" % at("C")], ["umoci", "unpack", "--image", at("C") + ":1", at("B")]]),
                    ("podman", [podman + ["load", "-q", "-i", at("L.tar")]])):
                if any(shutil.which(argv[0]) is None for argv in argvs):
                    notes += ["%s: not here" % name] if not got[name] and _ == 0 else []
                    continue
                s, busy, why = timed(*argvs)
                if s is None:
                    notes.append("%s: %s" % (name, why))
                    continue
                size = mb + (2 if name == "shared" else 0)
                got[name].append(size / s)
                cpu[name].append(1000 * busy / size)
            for n in ("a:1", "b:1"):
                subprocess.run(warren + ["remove", n] + conf, capture_output=True, check=False)
            subprocess.run(podman + ["rmi", "-af"], capture_output=True, check=False)
            for n in ("B", "C"):
                shutil.rmtree(at(n), ignore_errors=True)
        subprocess.run(podman + ["system", "reset", "-f"], capture_output=True, check=False)
    return got, cpu, notes
