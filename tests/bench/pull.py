# SPDX-License-Identifier: BSD-2-Clause
"""MB/s of an image from one registry on this machine into an empty store, layers of bytes that do not pack: by `warren
image pull` (which unpacks it), by `podman pull` (which does so too), by `skopeo copy` into a folder (which does not)."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "system"), os.path.join(HERE, "..")]
LAYERS, MB = 4, 50


def timed(words):
    """MB/s, or None; what it printed, or why not."""
    begin = time.monotonic()
    p = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode != 0:
        return None, p.stderr.decode(errors="replace").strip()[-200:]
    return LAYERS * MB / (time.monotonic() - begin), p.stdout.decode(errors="replace")


def measure(build, n):
    """{"warren": [...], "fetch": [...], "podman": [...], "skopeo": [...]}, and why one of them has none. fetch: warren's
    before it unpacks."""
    out, why = {"warren": [], "fetch": [], "podman": [], "skopeo": []}, {}
    from libimage import file
    from libregistry import Registry, program, push
    exe = program(build)
    if exe is None or not shutil.which("skopeo"):
        return out, {"warren": "no docker-registry or skopeo here"}
    work = tempfile.mkdtemp(prefix="warren-bench.")
    r = Registry(exe, os.path.join(work, "registry"))
    try:
        push(work, r.port, "bench/image:1", [[file("f%d" % i, os.urandom(MB * 1000000))] for i in range(LAYERS)])
        name = "127.0.0.1:%d/bench/image:1" % r.port
        for i in range(n):
            at = os.path.join(work, str(i))
            os.mkdir(at)
            store = os.path.join(at, "podman")
            commands = {
                "warren": [os.path.join(build, "warren"), "image", "pull", "--json", "--insecure", "--config", at, name],
                "podman": ["podman", "--root", store, "--runroot", store + ".run", "--storage-driver", "vfs", "pull", "-q",
                           "--tls-verify=false", name],
                "skopeo": ["skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", "docker://" + name,
                           "dir:" + os.path.join(at, "skopeo")]}
            for who, words in commands.items():
                rate, said = timed(words) if shutil.which(words[0]) else (None, "not here")
                if rate is None:
                    why[who] = said
                else:
                    out[who].append(rate)
                    if who == "warren":
                        out["fetch"].append(LAYERS * MB * 1000 / json.loads(said)["fetch_ms"])
            shutil.rmtree(at, ignore_errors=True)
    finally:
        r.stop()
        shutil.rmtree(work, ignore_errors=True)
    return out, why
