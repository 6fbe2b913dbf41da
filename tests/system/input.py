# SPDX-License-Identifier: BSD-2-Clause
"""Bad input gets a clear error and loses nothing: broken images, mistakes in
node.yaml, config and JOB.yaml, a folder that others can write, a taken
name; and the next good job runs."""
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

import lib
from lib import ALL, PATIENCE_S, USER, Node, done, result, skip, until
from libjob import Burrow

build = sys.argv[1]


def blob(files, data):
    digest = hashlib.sha256(data).hexdigest()
    files["blobs/sha256/" + digest] = data
    return {"digest": "sha256:" + digest, "size": len(data)}


def layer(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for m in members:
            info = tarfile.TarInfo(m[0])
            info.type, info.linkname = m[1], m[2]
            data = m[3] if len(m) > 3 else b""
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def layout(members, wrong_digest=False):
    """An OCI image layout: name -> bytes."""
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
    tar = layer(members)
    one = blob(files, tar)
    one["mediaType"] = "application/vnd.oci.image.layer.v1.tar"
    if wrong_digest:
        files["blobs/sha256/" + one["digest"][7:]] = tar[:-1] + b"x"
    config = blob(files, json.dumps({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [
            "sha256:" + hashlib.sha256(tar).hexdigest()]}}).encode())
    config["mediaType"] = "application/vnd.oci.image.config.v1+json"
    manifest = blob(files, json.dumps({
        "schemaVersion": 2, "config": config, "layers": [one],
        "mediaType": "application/vnd.oci.image.manifest.v1+json"}).encode())
    manifest["mediaType"] = "application/vnd.oci.image.manifest.v1+json"
    files["index.json"] = json.dumps({
        "schemaVersion": 2, "manifests": [manifest]}).encode()
    return files


def packed(files):
    return layer([(n, tarfile.REGTYPE, "", d) for n, d in files.items()])


def images(mode, node):
    regular, link = tarfile.REGTYPE, tarfile.SYMTYPE
    good = [("bin/x", regular, "", b"x")]
    whole = packed(layout(good))
    cases = [
        ("good", whole, True),
        ("truncated", whole[:len(whole) // 2], False),
        ("wrong digest", packed(layout(good, wrong_digest=True)), False),
        ("no tar", os.urandom(5000), False),
        ("empty", b"", False),
        ("member with ..", packed(layout(
            [("../outside", regular, "", b"x")])), False),
        # inside the root that folder is not there: it is made in it
        ("member through a link", packed(layout(
            [("etc", link, node.top), ("etc/outside", regular, "", b"x")])),
            True),
        ("hard link out", packed(layout(
            [("x", tarfile.LNKTYPE, "../../../etc/passwd")])), False),
    ]
    for n, (name, data, good) in enumerate(cases):
        path = os.path.join(node.work, "image%d.tar" % n)
        with open(path, "wb") as f:
            f.write(data)
        rc, out, err = node.warren("image", "import", path, "--name",
                                   "bad/image:%d" % n)
        outside = os.path.exists(os.path.join(node.top, "outside"))
        result("%s image: %s" % (mode, name), not outside and (
            rc == 0 if good else rc in (1, 2, 3) and err.strip() != ""),
            "%s %s %s" % (rc, out, err))
    path = os.path.join(node.work, "device.tar")
    with open(path, "wb") as f:
        f.write(packed(layout([("dev/sda", tarfile.BLKTYPE, "")])))
    rc, out, err = node.warren("image", "import", path, "--name", "dev:1")
    result(mode + " image: a device is left out, and that is said", rc == 0
           and "1 devices" in err, "%s %s" % (rc, err))
    rc, out, err = node.warren("image", "list", "--json")
    result(mode + " image: only what is whole is listed", rc == 0 and
           all(("bad/image:%d" % n in out) == good
               for n, (_, _, good) in enumerate(cases)), out + err)


def no_folders(node):
    """A seccomp profile of the operator's own, where only the container
    profile names it: no job makes a folder."""
    with open(os.path.join(build, "etc/seccomp/default.json")) as f:
        own = json.load(f)
    for rule in own["syscalls"]:
        rule["names"] = [n for n in rule["names"]
                         if n not in ("mkdir", "mkdirat")]
    for folder in "profiles", "own":
        path = os.path.join(node.dir, folder)
        os.mkdir(path, 0o755)
        if node.user is not None:
            os.chown(path, node.user, node.user)
    node.write("own/no-folders.json", json.dumps(own))
    node.write("profiles/default.yaml",
               "seccomp_profile: ./own/no-folders.json\n")


def compute(mode, user):
    node = Burrow(build, "input-" + mode, user)
    try:
        no_folders(node)
        if not node.up():
            result(mode + " input: start", False, "%s %s" % (
                node.problem, node.said()[-1000:]))
            return
        pids = node.pids()
        images(mode, node)
        bad = [
            ("unknown key", {"surprise": "1"}, "surprise"),
            ("wrong type", {"retries": "many"}, "retries"),
            ("unknown limit", {"limits": {"gpu": "1"}}, "gpu"),
        ]
        for name, kw, word in bad:
            rc, last, s = node.run_job("true", **kw)
            text = str(last) + s.stderr()
            result("%s JOB.yaml: %s: exit 2, named" % (mode, name), rc == 2 and
                   "job.yaml:" in text and word in text, "%s %s" % (rc, s))
        rc, last, s = node.run_job("true", image="no/such:image")
        result(mode + " JOB.yaml: a key twice", rc == 2, "%s %s" % (rc, s))
        rc, last, s = node.run_job("true", limits={"memory": "900GB"})
        result(mode + " more than is allowed: exit 3, limit named", rc == 3 and
               last.get("code") == "limits", "%s %s" % (rc, s))
        rc, last, s = node.run_job("touch /tmp/y && ! mkdir /tmp/x")
        result(mode + " a seccomp profile by its path is the one that is "
               "used", rc == 0, "%s %s" % (rc, s))
        rc, last, s = node.run_job("echo fine")
        result(mode + " input: a good job runs after all that", rc == 0 and
               node.pids() == pids, "%s %s" % (rc, s))
    finally:
        node.remove()


def files(mode, user):
    node = Node(build, "files-" + mode, user)
    try:
        for name, text, where, word in [
            ("unknown key", "name: x\nacept: 1\n", "node.yaml:2:1", "acept"),
            ("wrong type", "accept_computation_requests: 5\n",
             "node.yaml:1:30", "accept_computation_requests"),
            ("unknown limit", "limits:\n  memery: 1GB\n", "node.yaml:2:3",
             "memory"),
            ("no YAML", "name: [\n", "node.yaml:", ""),
            ("an alias", "name: &a x\n", "node.yaml:1:", ""),
        ]:
            node.write("node.yaml", text)
            rc, said = node.run()
            result("%s node.yaml: %s" % (mode, name), rc == 2 and
                   where in said and word in said, "%s %s" % (rc, said))
        os.unlink(os.path.join(node.dir, "node.yaml"))
        node.write("config", "[reticulum]\nshare_instance = maybe\n")
        rc, said = node.run()
        result(mode + " config: a wrong value, file and line", rc == 2 and
               "config:2:" in said, "%s %s" % (rc, said))
    finally:
        node.remove()


MISTAKES = [  # file, text, what is said of it
    ("config", "[reticulum]\nshare_instance = maybe\nenable_transport = 3\n"
     "[interfaces]\n[[A]]\ntype = TCPClientInterface\nenabled = yes\n"
     "taget_host = localhost\ntarget_port = 1\n",
     ["config:2:18:", "config:3:20:", '"taget_host" in line 8']),
    ("node.yaml", "accept_computation_requests: true\n"
     "limits: {memory: 900TB}\nprofile: small\n", ["node.yaml:2:18:"]),
    ("profiles/small.yaml", "seccomp_profile: defualt\n"
     "volumes: ['./none:/data:ro']\nnetwork: broker\n",
     ["small.yaml:1:18:", "small.yaml:2:11:",
      "note: DIR/profiles/small.yaml:3:10:"]),
    ("profiles/seccomp/bad.json", "{\n", ["bad.json:2:"]),
]


def agree(mode, user):
    """warren check-config, warrend --check and the start: the same lines."""
    node = Node(build, "agree-" + mode, user)
    try:
        for folder in "profiles", "profiles/seccomp":
            os.mkdir(os.path.join(node.dir, folder), 0o755)
            if user is not None:
                os.chown(os.path.join(node.dir, folder), user, user)
        for name, text, _ in MISTAKES:
            node.write(name, text)
        saids = []
        for command in [
                node.command("--check"), node.command(),
                [os.path.join(build, "warren"), "check-config", "--config",
                 node.dir]]:
            p = subprocess.run(command, preexec_fn=node._drop,
                               timeout=PATIENCE_S, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
            lines = p.stdout.decode().replace(node.dir, "DIR").splitlines()
            lines = [w[max(w.find("note: DIR/"), 0):] for w in lines]
            lines = [w[w.find("DIR/") if "note: " not in w else 0:]
                     for w in lines if "DIR/" in w]
            saids.append((p.returncode, lines))
        result(mode + " files: check-config, --check and the start agree",
               saids[0] == saids[1] == saids[2] and saids[0][0] == 2,
               "%s" % saids)
        for name, _, want in MISTAKES:
            result("%s files: every mistake of %s" % (mode, name), all(
                any(w in line for line in saids[0][1]) for w in want),
                "%s: %s" % (want, saids[0][1]))
    finally:
        node.remove()


def required(mode, user):
    """Layers that the machine does not give: the operator hears it at once."""
    node = Node(build, "required-" + mode, user)
    try:
        rc, layers = node.run("--layers")
        lacking = [w for w in ("memory", "cpu", "pids")
                   if w not in layers.split("\n")[-2].split()]
        if not lacking:
            skip(mode + " required layers", "control groups give them all")
            return
        if not node.with_compute():
            result(mode + " required layers", False, node.said())
            return
        node.start()
        word = "NO job will be taken: require_layers asks for " + \
            ", ".join(lacking)
        result(mode + " required layers that are not there: said at the "
               "start, with the list to write", until(
                   lambda: word in node.said() and
                   "require_layers: [user, pid, " in node.said(),
                   "the word", 10), node.said())
    finally:
        node.remove()


for mode, user in ([("root", None), ("user", USER)] if os.geteuid() == 0
                   else [("user", None)]):
    compute(mode, user)
    files(mode, user)
    agree(mode, user)
    required(mode, user)
done()
