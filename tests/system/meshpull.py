#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`warren image pull --from`: an image of another node over the mesh: whole, the difference alone, cut and gone on with;
from one that gives none, that gives too little, that has lost a part of it, and that removes it meanwhile."""
import os
import shutil
import signal
import subprocess
import sys

from lib import PATIENCE_S, done, result, until
from libmeshpull import Pair, files, layer, layout
from libtrail import counts

BUILD = os.path.abspath(sys.argv[1])


def whole(p, first):
    given = p.give("kai/first:1", [first], "--share")
    rc, said, text = p.pull("kai/first:1")
    result("meshpull: an image comes whole, under the digest that it has there", rc == 0 and
           said.get("digest") == given.get("digest"), "%s %s %s" % (rc, given, text[-800:]))
    if rc != 0:
        return given
    size = len(first)
    result("meshpull: ... with the same files", p.tree(p.a, said["digest"]) == p.tree(p.b, said["digest"]))
    result("meshpull: ... and not much more than they hold was fetched", said["fetched"] < size * 1.1,
           "%d of %d" % (said["fetched"], size))
    print("# %d bytes of answers for layers of %d, %d ms" % (said["fetched"], size, said["fetch_ms"]))
    rc, out, err = p.a.warren("image", "inspect", "kai/first:1")
    result("meshpull: inspect says that it is for others too", rc == 0 and "image_serve" in out and "image_serve" not in
           p.b.warren("image", "inspect", "kai/first:1")[1], "%s %s %s" % (rc, out, err))
    rc, out, err = p.b.warren("image", "verify", "kai/first:1")
    result("meshpull: ... and verify finds them as they are listed", rc == 0, "%s %s" % (rc, err))
    root = os.path.join(p.a.work, "rootfs")
    with open(os.path.join(root, "new"), "wb") as f:
        f.write(os.urandom(3000))
    plain = p.give("kai/plain:1", root, "--share")
    rc, said, text = p.pull("kai/plain:1")
    result("meshpull: a plain folder comes as well, and what another image has is not fetched", rc == 0 and
           said["digest"] == plain.get("digest") and said.get("reused", 0) > 10 * said["fetched"], "%s %s" % (plain, text[-600:]))
    rc, said, text = p.pull("kai/first:1")
    result("meshpull: what is here is not fetched again", rc == 0 and said.get("was_here") and said["fetched"] == 0, text)
    return given


def difference(p, first, seed):
    more = files(seed, 12)
    given = p.give("kai/second:1", [first, layer(more, ["usr/0/14"])], "--share", form=layout)
    rc, said, text = p.pull("kai/second:1")
    new = sum(len(d) for d in more.values())
    result("meshpull: of another image only what differs is fetched", rc == 0 and said["digest"] == given["digest"] and
           said["fetched"] < 2 * new and said["reused"] > len(first) // 2,
           "%s of %d new, %s" % (said.get("fetched"), new, text[-600:]))
    result("meshpull: ... and it is the same, without what a layer takes away", rc == 0 and
           p.tree(p.a, given["digest"]) == p.tree(p.b, given["digest"]) and "usr/0/14" not in p.tree(p.b, given["digest"]))
    print("# %s bytes of answers for %d that are new; %s were here" % (said.get("fetched"), new, said.get("reused")))


def on_again(p, seed):
    """Killed with some of it; then the rest alone."""
    big = layer(files(seed, 40, 400000))
    given = p.give("kai/big:1", [big], "--share")
    spool = p.store(p.b, "pulled/blobs/sha256")
    had = set(os.listdir(spool))
    proc = subprocess.Popen(p.argv("kai/big:1"), preexec_fn=p.b._drop, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    some = until(lambda: len(set(os.listdir(spool)) - had) > 100 or proc.poll() is not None, "some of it", step=.002)
    proc.send_signal(signal.SIGKILL)
    proc.wait()
    left = sum(os.stat(os.path.join(spool, n)).st_size for n in set(os.listdir(spool)) - had)
    names = p.b.warren("image", "list", "--json")[1]
    result("meshpull: one that is killed leaves no image", some and "kai/big" not in names and
           given["digest"][7:] not in os.listdir(p.store(p.b, "roots")), names)
    rc, said, text = p.pull("kai/big:1")
    result("meshpull: ... and the next one goes on with what had come", rc == 0 and said["digest"] == given["digest"] and
           said["fetched"] < len(big) - left // 2 and said["reused"] >= left // 2, "%d left, %s" % (left, text[-600:]))
    result("meshpull: ... after which nothing of it lies there twice", not [
        n for n in os.listdir(spool) if os.stat(os.path.join(spool, n)).st_size == len(big)])


def refusals(p, first):
    rc, said, text = p.pull("kai/none:1")
    result("meshpull: what is not there is not found", rc == 1 and "no such image" in text, "%s %s" % (rc, text))
    p.give("kai/private:1", [layer(files(99, 3))])
    rc, said, text = p.pull("kai/private:1")
    result("meshpull: nor what was not imported to be shared", rc == 1 and "no such image" in text, "%s %s" % (rc, text))
    given = p.give("kai/third:1", [layer(files(5, 60))], "--share")
    p.reload(p.text.replace("level: 2, per_day", "level: 3, per_day"))
    rc, said, text = p.pull("kai/third:1")
    result("meshpull: who is trusted too little gets none", rc == 3 and "trust" in text, "%s %s" % (rc, text))
    p.reload(p.text.replace("image_serve", "# image_serve"))
    rc, said, text = p.pull("kai/third:1")
    result("meshpull: one that gives none says so", rc == 3 and "gives no images" in text, "%s %s" % (rc, text))
    p.reload(p.text)
    rc, said, text = p.pull("sha256:" + "0" * 64, "--name", "kai/zero:1")
    result("meshpull: a digest that is not there is not found", rc == 1 and "no such image" in text, "%s %s" % (rc, text))
    return given


def damaged(p, given):
    """A file of it is another one there: it is not handed out as what it was."""
    root = p.store(p.a, "roots", given["digest"][7:])
    big = max((os.path.join(at, n) for at, f, names in os.walk(root) for n in names), key=os.path.getsize)
    os.chmod(big, 0o644)
    with open(big, "r+b") as f:
        f.seek(700)
        f.write(b"something else")
    before = sorted(os.listdir(p.store(p.b, "roots")))
    rc, said, text = p.pull("kai/third:1")
    result("meshpull: what is not as it was there is not given", rc == 1 and "no more" in text, "%s %s" % (rc, text[-600:]))
    result("meshpull: ... and no image comes of it", sorted(os.listdir(p.store(p.b, "roots"))) == before)
    p.pull("kai/third:1")
    n, lines = counts(p.a), p.a.said().count("not what it was imported with")
    result("meshpull: ... which is counted each time and said once", n["contents_bad"] >= 2 and lines == 1 and
           n["images_given"] > 1000000, "%d lines, %s" % (lines, n))


def lies(p):
    """Recipes and documents that are not those of the image."""
    given = p.give("kai/lie:1", [layer(files(6, 30))], "--share")
    path = p.store(p.a, "meta", given["digest"][7:] + ".parts")
    good = open(path, "rb").read()
    head = int.from_bytes(good[4:8], "big")
    manifest, at = int.from_bytes(good[68:72], "big"), 64 + 14 + 76
    for what, where, text in (("manifest", at, "manifest has another digest"), ("diff_id", 78, "layer has another"),
                              ("configuration", at + manifest + 3, "No such file"), ("a recipe's bytes", 64 + head + 5000, "recipe has another digest"),
                              ("its length", 64 + 14 + 40, "no such image"), ("how many layers there are", 64 + 12, "no such image")):
        bad = bytearray(good)
        bad[where] ^= 1
        os.chmod(path, 0o644)
        with open(path, "wb") as f:
            f.write(bad)
        shutil.rmtree(p.store(p.b, "pulled"))  # nothing is known of it from the lie before
        before = sorted(os.listdir(p.store(p.b, "roots")))
        rc, said, out = p.pull("kai/lie:1")
        result("meshpull: no image comes of a lie about " + what, rc != 0 and text in out and
               sorted(os.listdir(p.store(p.b, "roots"))) == before and not [
                   n for n in os.listdir(p.store(p.b)) if n.startswith("tmp-")], "%s %s" % (rc, out[-500:]))
    with open(path, "wb") as f:
        f.write(good)
    rc, said, out = p.pull("kai/lie:1")
    result("meshpull: ... and then it does come", rc == 0 and said["digest"] == given["digest"], out[-500:])


def removed(p, seed):
    big = layer(files(seed, 40, 400000))
    p.give("kai/going:1", [big], "--share")
    spool = p.store(p.b, "pulled/blobs/sha256")
    had = set(os.listdir(spool))
    proc = subprocess.Popen(p.argv("kai/going:1"), preexec_fn=p.b._drop, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until(lambda: len(set(os.listdir(spool)) - had) > 20 or proc.poll() is not None, "some of it", step=.002)
    rc, out, err = p.a.warren("image", "remove", "kai/going:1")
    gone = p.a.warren("image", "gc")
    text = proc.communicate(timeout=6 * PATIENCE_S)[0].decode(errors="replace")
    result("meshpull: an image may go while it is given", rc == 0 and gone[0] == 0, "%s %s %s" % (rc, err, gone))
    result("meshpull: ... and who pulls it is told, or had it all", proc.returncode == 0 or proc.returncode == 1 and
           ("no such image" in text or "no more" in text), "%s %s" % (proc.returncode, text[-500:]))
    result("meshpull: ... and the node is well", set(p.a.restarts().values()) == {0}, p.a.restarts())


def budget(p, seed):
    p.give("kai/much:1", [layer(files(seed, 40, 100000))], "--share")
    p.reload(p.text.replace("per_day: 4GB", "per_day: 64KB"))
    rc, said, text = p.pull("kai/much:1")
    result("meshpull: beyond a day's budget it is refused, with the time", rc == 3 and "quota" in text and "images" in text,
           "%s %s" % (rc, text[-500:]))
    p.reload(p.text)


def main():
    p = Pair(BUILD, "image_serve: {level: 2, per_day: 4GB}\n")
    try:
        if not (p.a.up() and p.b.up()):
            result("meshpull: two nodes are up", False, "%s %s %s" % (p.a.problem, p.b.problem, p.a.said()[-1500:]))
            return
        first = layer(files(1, 200))
        whole(p, first)
        difference(p, first, 2)
        on_again(p, 3)
        third = refusals(p, first)
        damaged(p, third)
        lies(p)
        removed(p, 4)
        budget(p, 7)
    finally:
        p.end()


main()
done()
