# SPDX-License-Identifier: BSD-2-Clause
"""`warren doctor`: what it finds is what the node states; alone and beside a
daemon, as root and as a user; and nothing is left of it."""
import json
import os
import subprocess
import sys
import tempfile
import time

from lib import ALL, HERE, USER, Node, done, result, skip

build = sys.argv[1]
FLOOR = {"user", "pid", "mount", "net", "ipc", "caps", "no_new_privs",
         "seccomp"}


def drop():
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)


def doctor(config, *more, user=None, before=()):
    group = os.path.join(HERE, "..", "in-group")
    if not os.path.exists(group):
        group = os.path.join(build, "in-group")
    p = subprocess.run([group, *before, os.path.join(build, "warren"),
                        "doctor", "--config", config, *more],
                       preexec_fn=drop if user else None,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=300)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def left():
    found = [f for f in os.listdir("/tmp") if f.startswith("warren-doctor-")]
    for top, folders, _ in os.walk("/sys/fs/cgroup"):
        found += [f for f in folders if f.startswith("warren-doctor-")]
    return found


def examine(name, config, user=None):
    """One object; None when it is not one."""
    rc, text, error = doctor(config, "--json", user=user)
    try:
        seen = json.loads(text)
    except ValueError:
        result("doctor " + name, False, text + error)
        return None
    layers = {row["layer"]: row for row in seen["layers"]}
    open_ = [r["layer"] + ": " + r["names"] for r in seen["layers"]
             if r["state"] == "OPEN"]
    result("doctor %s: no attack gets through" % name,
           seen["through"] == 0 and not open_, str(open_) + error)
    result("doctor %s: each layer of the floor was attacked and holds" % name,
           all(layers[n]["state"] == "holds" and layers[n]["attacks"] > 0
               for n in FLOOR), str(layers))
    result("doctor %s: states are those of the posture" % name,
           {n for n, r in layers.items() if r["state"] in ("holds", "OPEN")} ==
           set(seen["posture"]["layers"]), str(seen["posture"]))
    result("doctor %s: exit status" % name,
           rc == (3 if seen["lacking"] else 0), str(rc))
    result("doctor %s: what is missing has a remedy" % name,
           all(r["remedy"] or not r["required"] or
               n in seen["posture"]["missing"]
               for n, r in layers.items() if r["state"] == "missing"),
           str(seen))
    return seen


def beside_a_node(mode, user):
    """One source of truth: jail's trial."""
    node = Node(build, "doctor-" + mode, user)
    try:
        if not node.with_compute():
            result("doctor %s with a node" % mode, False, node.said())
            return
        node.start()
        if node.ready(ALL) is None:
            result("doctor %s with a node" % mode, False, node.said()[-800:])
            return
        seen = examine(mode + " with a node", node.dir, user=user)
        if seen is None:
            return
        result("doctor %s: a clock that is right is not named" % mode,
               seen["clock"] == "", seen["clock"])
        stated = seen["node"]
        result("doctor %s agrees with what the node states" % mode,
               stated is not None and
               set(stated["layers"]) - {"bpf"} ==
               set(seen["posture"]["layers"]) and
               stated["missing"].split("bpf: ")[0].rstrip("; ") ==
               seen["posture"]["missing"],
               "%s / %s" % (stated, seen["posture"]))
        # the probes are warren-audit's: only a node has them
        watches = stated is not None and "bpf" in stated["layers"]
        bpf = {r["layer"]: r for r in seen["layers"]}.get("bpf", {})
        result("doctor %s: who watches jobs, or why nobody does" % mode,
               bpf.get("state") == ("node only" if watches else "missing") and
               watches != (stated is not None and
                           "bpf: " in stated["missing"]),
               "%s / %s" % (stated, bpf))
        result("doctor %s: the node runs on" % mode,
               set(node.pids()) == set(ALL), str(node.pids()))
    finally:
        node.remove()


def words():
    """Without a daemon, for people, as a user."""
    rc, text, error = doctor("/nonexistent", user=USER if
                             os.geteuid() == 0 else None)
    lines = text.splitlines()
    result("doctor says a table and a sum", rc in (0, 3) and
           lines[0].split()[:2] == ["LAYER", "STATE"] and
           any("none got through" in w for w in lines), text + error)


def no_namespaces():
    """A machine that refuses user namespaces: said, with the sysctl. And a
    secret that others can read."""
    no = ["unshare", "-r", "sh", "-c",
          "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" \"$@\""]
    with tempfile.TemporaryDirectory(prefix="warren-doctors.\udcff") as folder:
        secret = os.path.join(folder, "shared")
        with open(os.path.join(folder, "config"), "w") as f:
            f.write("[reticulum]\nnetwork_identity = shared\n")
        with open(secret, "wb") as f:
            f.write(os.urandom(64))
        os.chmod(secret, 0o640)
        os.makedirs(os.path.join(folder, "warren/trail"))
        last = os.path.join(folder, "warren/trail/head")
        with open(last, "w"):
            os.utime(last, (time.time() + 86400,) * 2)
        rc, text, error = doctor(folder, "--json", before=no)
    try:
        seen = json.loads(text)
    except ValueError:
        result("doctor without user namespaces", False, text + error)
        return
    states = {r["layer"]: r["state"] for r in seen["layers"]}
    result("doctor without user namespaces: missing, with the sysctl",
           rc == 3 and states["user"] == "missing" and
           "max_user_namespaces" in seen["posture"]["missing"] and
           seen["attacks"] == 0 and "user" in seen["lacking"], text)
    result("doctor names a secret that others can read",
           seen["exposed"] == secret.replace("\udcff", "\\xff"), text)
    result("doctor names a clock that is behind what the node wrote last",
           "behind now" in seen["clock"], seen["clock"])


before = left()
words()
if os.geteuid() == 0:
    beside_a_node("root", None)
else:
    skip("doctor as root", "not started as root")
    beside_a_node("user", None)
no_namespaces()
result("doctor leaves nothing", left() == before, str(left()))
done()
