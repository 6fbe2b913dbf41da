#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The store of images beside a node that runs: what is known of one, who uses
it, what is taken away and when that is refused; files that images have in
common. IMAGES_LONG=1: images as other tools make them, which run a shell, a
package manager's query and a Python script."""
import gzip
import json
import os
import shutil
import subprocess
import sys

from lib import USER, done, result, skip
from libimage import docker, file, folder, link, oci, tar, write
from libjob import IMAGE, Burrow

build = os.path.abspath(sys.argv[1])
LONG = os.environ.get("IMAGES_LONG")


def inspect(node, name):
    rc, out, err = node.warren("image", "inspect", name, "--json")
    try:
        return json.loads(out)
    except ValueError:
        return {"failed": "%s %s" % (rc, err)}


def clean(node):
    """gc finds nothing."""
    rc, out, err = node.warren("image", "gc", "--dry-run", "--json")
    o = json.loads(out) if rc == 0 else {"failed": err}
    return not any(o.get(k, 1) for k in ("unfinished", "orphans", "files",
                                         "bytes")), str(o)


def second(node):
    """Another image of the same busybox, as a docker save."""
    with open(shutil.which("busybox"), "rb") as f:
        box = f.read()
    members = [folder("bin"), file("bin/busybox", box, 0o755),
               link("bin/sh", "busybox"), file("etc/second", "second\n")]
    path = os.path.join(node.work, "second.tar")
    with open(path, "wb") as f:
        f.write(tar(docker([tar(members[:3]), tar(members[3:])])))
    third = os.path.join(node.work, "third")
    write(third, oci([tar(members[:3]), tar([file("etc/third", "third\n")])],
                     "gzip"))
    rc, out, err = node.warren("image", "import", path, "--name", "second:1")
    rc2, out, err2 = node.warren("image", "import", third, "--name",
                                 "reg.example:5000/third:1", "--json")
    shared = json.loads(out).get("shared", 0) if rc2 == 0 else 0
    return rc == 0 and rc2 == 0 and shared >= len(box), err + err2 + out


def names_and_sizes(node, name):
    a, b = inspect(node, "second:1"), inspect(node,
                                              "reg.example:5000/third:1")
    la, lb = a.get("layers", []), b.get("layers", [])
    result(name + ": layers that both have are told", len(la) == len(lb) == 2
           and la[0]["others"] == lb[0]["others"] == 1 and
           la[1]["others"] == lb[1]["others"] == 0 and
           la[0]["diff_id"] == lb[0]["diff_id"] and
           la[0]["size"] > lb[0]["size"], "%s %s" % (la, lb))
    result(name + ": what is its own, what is shared",
           a.get("alone") == 7 and b.get("alone") == 6 and
           a.get("shared") == b.get("shared") and a["shared"] > 100000,
           "%s %s" % (a, b))
    result(name + ": what it says of itself",
           a.get("command") == ["/bin/sh"] and a.get("os") == "linux" and
           a.get("imported", 0) > 1600000000 and
           a.get("names") == ["second:1"] and a.get("jobs") == [], str(a))
    rc, out, err = node.warren("image", "inspect", "second:1")
    result(name + ": the same for people", rc == 0 and "its own" in out and
           ", shared" in out, out + err)
    rc, out, err = node.warren("image", "inspect", "none:1")
    result(name + ": one that is not here", rc == 1 and "no image" in err, err)


def used(node, name):
    s = node.submit(node.job_file("sleep 300", limits={"time": "400s"}))
    result(name + ": a job runs", s.reached("running"), str(s))
    o = inspect(node, IMAGE)
    result(name + ": it is told of the image", [
        (j["id"], j["state"]) for j in o.get("jobs", [])] ==
        [(s.id(), "running")], str(o))
    rc, out, err = node.warren("image", "remove", IMAGE)
    result(name + ": its image is not removed", rc == 3 and
           s.id()[:16] in err, "%s %s" % (rc, err))
    rc, out, err = node.warren("image", "remove", o.get("digest", ""))
    result(name + ": nor by its digest", rc == 3, "%s %s" % (rc, err))
    # another name of it goes, and the image stays
    node.warren("image", "import", os.path.join(node.work, "rootfs"),
                "--name", "other:1")
    rc, out, err = node.warren("image", "remove", o.get("digest", ""))
    result(name + ": one of two names is no name for both", rc == 3 and
           "2 names" in err, "%s %s" % (rc, err))
    rc, out, err = node.warren("image", "remove", "other:1", "--json")
    result(name + ": a name of two", rc == 0 and not json.loads(out)["removed"]
           and json.loads(out)["names_left"] == 1, out + err)
    node.warren("cancel", s.id(), "--here")
    s.end()
    rc, out, err = node.warren("image", "remove", IMAGE, "--json")
    result(name + ": when the job is over it goes", rc == 0 and
           json.loads(out)["removed"], out + err)
    rc, out, err = node.warren("image", "list", "--json")
    result(name + ": and its name", IMAGE not in out, out)
    rc, last, s = node.run_job("echo never")
    result(name + ": no job gets it", rc == 3 and last.get("code") == "image",
           str(s))
    rc, out, err = node.warren("image", "import", os.path.join(
        node.work, "rootfs"), "--name", IMAGE)
    result(name + ": imported again", rc == 0, err)
    rc, last, s = node.run_job("echo again")
    result(name + ": it runs at once", rc == 0 and
           node.output(s) == "again\n", str(s))


def image_job(node, image, command):
    path = node.job_file(command)
    with open(path) as f:
        text = f.read().replace("image: " + IMAGE, "image: " + image)
    with open(path, "w") as f:
        f.write(text)
    s = node.submit(path)
    return s.end(), s


def others(node, name):
    """One of those that share goes; the other is as it was."""
    rc, out, err = node.warren("image", "remove", "second:1", "--json")
    freed = json.loads(out)["bytes"] if rc == 0 else -1
    result(name + ": what others have stays", freed == 7, out + err)
    (rc, last), s = image_job(node, "reg.example:5000/third:1",
                              "read x </etc/third; echo $x")
    result(name + ": the other one runs", rc == 0 and
           node.output(s) == "third\n", str(s))
    rc, out, err = node.warren("audit", "check", "--json")
    result(name + ": audit finds nothing", rc == 0, out + err)
    for image in ("reg.example:5000/third:1", IMAGE):
        rc, out, err = node.warren("image", "verify", image)
        result(name + ": verified by the node", rc == 0, err)
    result(name + ": nothing is left over", *clean(node))


def without_node(node, name):
    node.stop()
    image = "reg.example:5000/third:1"
    rc, out, err = node.warren("image", "verify", image)
    result(name + ": verified without a node", rc == 0, err)
    digest = inspect(node, image).get("digest", "")[7:]
    path = os.path.join(node.dir, "warren/images/roots", digest, "etc/third")
    os.chmod(path, 0o644)
    with open(path, "r+") as f:
        f.write("T")
    os.chmod(path, 0o444)
    rc, out, err = node.warren("image", "verify", image)
    result(name + ": a changed byte is found without a node", rc == 1 and
           "etc/third: its bytes have changed" in err, err)
    profiles = os.path.join(node.dir, "profiles")
    os.makedirs(profiles, exist_ok=True)
    with open(os.path.join(profiles, "third.yaml"), "w") as f:
        f.write("image: %s\n" % image)
    if node.user is not None:
        shutil.chown(profiles, node.user, node.user)
    o = inspect(node, image)
    result(name + ": a profile that names it", o.get("profiles") == ["third"],
           str(o))
    for n in (image, IMAGE):
        rc, out, err = node.warren("image", "remove", n, "--json")
        result(name + ": removed without a node", rc == 0 and
               json.loads(out)["removed"], out + err)
    result(name + ": the store is empty", *clean(node))
    left = [d for d in ("roots", "files") for _ in os.listdir(
        os.path.join(node.dir, "warren/images", d))]
    result(name + ": to the last file", left == [], str(left))


def short(mode, user):
    node = Burrow(build, "images-" + mode, user)
    try:
        if node.problem is not None and "namespace" in node.problem:
            skip(mode + ": images", node.problem)
            return
        result(mode + ": two images of one layer", *second(node))
        names_and_sizes(node, mode)
        if not node.up():
            result(mode + ": a node", False, node.said()[-2000:])
            return
        used(node, mode)
        others(node, mode)
        without_node(node, mode)
    finally:
        node.stop()
        node.remove()


# ---- as other tools make them ----

def tool(*words, **more):
    p = subprocess.run(words, capture_output=True, timeout=900, **more)
    return p.returncode == 0, (p.stderr or p.stdout).decode(
        errors="replace")[-300:]


def runs(node, name, path, image, jobs):
    """Imported, and each of its jobs says what it should."""
    rc, out, err = node.warren("image", "import", path, "--name", image,
                               seconds=600)
    result("%s: imported" % name, rc == 0, err)
    if rc != 0:
        return
    for command, words in jobs:
        (rc, last), s = image_job(node, image, command)
        out = node.output(s)
        result("%s: %s" % (name, command[:40]), rc == 0 and words in out,
               "%s %s" % (out[-300:], s))
    rc, out, err = node.warren("image", "remove", image)
    result("%s: removed" % name, rc == 0, err)


def alpine(node):
    """Alpine's minirootfs, from Debian's static busybox: absolute links to
    busybox, its package database, a release file."""
    path = os.path.join(node.work, "alpine-minirootfs.tar.gz")
    with open(shutil.which("busybox"), "rb") as f:
        box = f.read()
    applets = subprocess.run(["busybox", "--list"], capture_output=True,
                             check=True).stdout.decode().split()
    members = [folder("./"), folder("./bin/"), folder("./etc/apk/"),
               file("./bin/busybox", box, 0o755),
               file("./etc/alpine-release", "3.20.0\n"),
               file("./etc/apk/world", "alpine-baselayout\nbusybox\n"),
               file("./lib/apk/db/installed",
                    "C:Q1x\nP:busybox\nV:1.35.0-r0\nA:x86_64\n\n"
                    "C:Q1y\nP:musl\nV:1.2.5-r0\n\n"),
               link("./var/run", "/run"), link("./etc/mtab", "/proc/mounts")]
    members += [link("./bin/" + a, "/bin/busybox") for a in applets
                if a != "busybox"]
    with open(path, "wb") as f:
        f.write(gzip.compress(tar(members)))
    runs(node, "alpine's form", path, "alpine:3.20", [
        ("cat /etc/alpine-release", "3.20.0"),
        ("ls -la /bin | wc -l", ""),
        ("awk -F: '/^P:/{p=$2}/^V:/{print p\"-\"$2}' "
         "/lib/apk/db/installed", "busybox-1.35.0-r0")])
    return path


DEBIAN = [("dpkg-query -W -f '${Status}' base-files", "installed"),
          ("python3 -c 'import sys, json; print(json.dumps({\"v\": "
           "sys.version_info[0]}))'", '{"v": 3}'),
          ("/usr/bin/env sh -c 'echo $0'", "sh")]


def debian(node):
    if not shutil.which("debootstrap"):
        skip("debian", "debootstrap is not installed")
        return None
    root = os.path.join(node.work, "debian")
    ok, why = tool("debootstrap", "--variant=minbase",
                   "--include=python3-minimal,libpython3-stdlib", "bookworm",
                   root)
    if not ok:
        skip("debian", "debootstrap: " + why)
        return None
    path = os.path.join(node.work, "debian.tar")
    tool("tar", "-C", root, "-cf", path, ".")
    runs(node, "debian, a tar of its root", path, "debian:tar", DEBIAN)
    runs(node, "debian, its folder", root, "debian:root", DEBIAN)
    return path


def saved(node, name, base, jobs):
    """The base as docker, podman, buildah, skopeo and umoci hand it on."""
    top = os.path.join(node.work, name)
    os.mkdir(top)
    os.chmod(top, 0o755)

    def at(n):
        return os.path.join(top, n)
    if shutil.which("docker") and tool("docker", "info")[0]:
        tool("docker", "import", base, "warrentest/base:1")
        ok, why = tool("docker", "save", "-o", at("docker.tar"),
                       "warrentest/base:1")
        tool("docker", "rmi", "warrentest/base:1")
        if ok:
            runs(node, "docker save", at("docker.tar"), "d:1", jobs)
        else:
            skip("docker save", why)
    else:
        skip("docker save", "no docker daemon")
    if shutil.which("podman"):
        store = ["--root", at("podman"), "--runroot", at("podmanrun"),
                 "--storage-driver", "vfs"]
        ok, why = tool("podman", *store, "import", base, "warrentest/base:1")
        for form in ("docker-archive", "oci-archive"):
            if ok:
                good, why = tool("podman", *store, "save", "--format", form,
                                 "-o", at(form), "warrentest/base:1")
                result("podman save as " + form, good, why)
                runs(node, "podman save as " + form, at(form), "p:1", jobs)
            else:
                skip("podman save as " + form, why)
        tool("podman", *store, "rmi", "-f", "warrentest/base:1")
    else:
        skip("podman save", "podman is not installed")
    if shutil.which("buildah"):
        store = ["--root", at("buildah"), "--runroot", at("buildahrun"),
                 "--storage-driver", "vfs"]
        tool("buildah", *store, "from", "--name", "w", "scratch")
        ok, why = tool("buildah", *store, "add", "w", base, "/")
        ok, why = tool("buildah", *store, "commit", "w",
                       "oci:" + at("built") + ":1") if ok else (ok, why)
        if ok:
            runs(node, "buildah commit", at("built"), "b:1", jobs)
        else:
            skip("buildah commit", why)
    else:
        skip("buildah commit", "buildah is not installed")
    rest(node, base, jobs, at)
    shutil.rmtree(top, ignore_errors=True)


def rest(node, base, jobs, at):
    with open(base, "rb") as f:
        data = f.read()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    write(at("L"), oci([data]))
    for form, path in (("docker-archive", "s.tar"), ("oci-archive", "o.tar"),
                       ("dir", "D")):
        if not shutil.which("skopeo"):
            skip("skopeo: " + form, "skopeo is not installed")
            continue
        ok, why = tool("skopeo", "--insecure-policy", "copy", "-q",
                       "oci:%s:latest" % at("L"), "%s:%s" % (form, at(path)))
        result("skopeo to " + form, ok, why)
        runs(node, "skopeo " + form, at(path), "s:1", jobs)
    if shutil.which("umoci"):
        ok, why = tool("umoci", "config", "--image", at("L") + ":latest",
                       "--config.label", "a=b", "--author", "me")
        result("umoci config", ok, why)
        runs(node, "umoci config", at("L"), "u:1", jobs)
    else:
        skip("umoci config", "umoci is not installed")


def long():
    node = Burrow(build, "images-long", None)
    try:
        if node.problem is not None or not node.up():
            result("a node for other tools' images", False,
                   "%s %s" % (node.problem, node.said()[-1000:]))
            return
        base = alpine(node)
        saved(node, "a", base, [("cat /etc/alpine-release", "3.20.0"),
                                ("ls /bin | wc -l", "")])
        base = debian(node)
        if base is not None:
            saved(node, "d", base, DEBIAN)
    finally:
        node.stop()
        node.remove()


def main():
    short("root" if os.geteuid() == 0 else "user", None)
    if os.geteuid() == 0:
        short("a user", USER)
    if LONG:
        long()
    done()


main()
