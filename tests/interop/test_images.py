# SPDX-License-Identifier: BSD-2-Clause
"""`warren image pull --from` an independent node: an image that is cut as ours are not, and each lie about it."""
import json
import os
import shutil
import subprocess

import lib
from klpy.images import LIES, Image
from lib import check
from test_submit import Setup


def pull(s, image, *words):
    r = subprocess.run(s.argv("image", "pull", image, "--from", s.dest, "--json", *words), stdin=subprocess.DEVNULL,
                       capture_output=True, cwd=s.work, timeout=4 * lib.PATIENCE_S)
    return r.returncode, r.stdout.decode() + r.stderr.decode()


def left(s):
    """Of images, whole and half."""
    at = os.path.join(s.hub_dir, "warren/images")
    roots = os.path.join(at, "roots")
    return [n for n in os.listdir(at) if n.startswith("tmp-") or n == "names"] + (
        os.listdir(roots) if os.path.isdir(roots) else [])


def test_pull(ctx):
    s = Setup(ctx)
    for lie, why in LIES.items():
        rc, text = pull(s, "kai/%s:1" % lie)
        check(rc == 1 and why in text, f"{lie}: {rc} {text}")
        check(not left(s), f"{lie}: {left(s)}")
        if lie != "cut":  # its beginning stays, and is no harm to a pull from who does not lie
            shutil.rmtree(os.path.join(s.hub_dir, "warren/images/pulled"))
    for words, why in ((("--insecure",), "--insecure is about"), (("--auth", "x"), "--auth is about")):
        rc, text = pull(s, "kai/good:1", *words)
        check(rc == 2 and why in text, f"{words}: {rc} {text}")
    s.warren("image", "pull", "kai/good:1", "--slow", want=2)
    rc, text = pull(s, "sha256:" + "1" * 64, "--name", "kai/x:1")
    check(rc == 1 and "it is another one" in text, f"{rc} {text}")
    rc, text = pull(s, "kai/good:1", "--share")
    if rc == 1 and "cannot be confined here" in text:
        return "images cannot be unpacked here: " + text[-200:]
    check(rc == 0, f"{rc} {text}")
    said, m = json.loads(text.splitlines()[0]), Image()
    check(said["digest"] == "sha256:" + m.id.hex(), f"{said}")
    check(said["members"] == 45 and said["layers"] == 2, f"{said}")
    check(said["fetched"] < 1.1 * sum(map(len, m.tars)) + 9000, f"{said}")
    parts = os.path.join(s.hub_dir, "warren/images/meta", m.id.hex() + ".parts")
    check(os.path.getsize(parts) > len(m.head()), "it is not kept for others")
    rc, text = pull(s, "sha256:" + m.id.hex().upper(), "--name", "kai/large:1")
    check(rc == 0 and json.loads(text.splitlines()[0]).get("was_here"), f"in large letters: {rc} {text}")
    return None


def test_small(ctx):
    """Within --max by what its contents hold, and beyond it by what so many files take."""
    s = Setup(ctx)
    rc, text = pull(s, "kai/crumbs:1", "--max", "500KB")
    check(rc == 3 and "too small" in text, f"{rc} {text}")
    blobs = os.listdir(os.path.join(s.hub_dir, "warren/images/pulled/blobs/sha256"))
    check(len(blobs) == 2, f"more than the recipes: {len(blobs)}")
    return None


def test_slow(ctx):
    """A link that would be busy for longer than a job may keep it so."""
    s = Setup(ctx, node=("--air",))
    rc, text = pull(s, "kai/good:1")
    check(rc == 3 and "--slow" in text, f"{rc} {text}")
    check(not left(s), f"{left(s)}")
    rc, text = pull(s, "kai/wide:1")  # known by the first answer
    check(rc == 3 and "--slow" in text, f"{rc} {text}")
    rc, text = pull(s, "kai/bytes:1", "--slow")
    check(rc == 1 and LIES["bytes"] in text, f"{rc} {text}")
    return None


TESTS = [("images/pull", test_pull), ("images/small", test_small), ("images/slow", test_slow)]

