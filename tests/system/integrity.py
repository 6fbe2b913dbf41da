# SPDX-License-Identifier: BSD-2-Clause
"""One byte that changed on the disk, through a real node: in an image, a
program, a profile, a public key, the trail. Each is found within a pass and
named; the image is not run until it is verified or imported again. Who reads
the disk has no other right."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from lib import NUMBERS, BASE, USER, Status, done, result, until
from libjob import IMAGE, Burrow

build = os.path.abspath(sys.argv[1])
LONG = "INTEGRITY_LONG" in os.environ  # ./check long
sanitized = "WARREN_SANITIZED 1" in open(os.path.join(build, "config.h")).read()


def flip(path, at=None):
    """One bit, in place; size, mode and mtime as they were."""
    st = os.stat(path)
    os.chmod(path, st.st_mode | 0o200)
    with open(path, "r+b") as f:
        f.seek(st.st_size // 2 if at is None else at)
        b = f.read(1)
        f.seek(-1, 1)
        f.write(bytes([b[0] ^ 1]))
    os.chmod(path, st.st_mode)
    os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))


def check(node):
    """A pass, asked for: exit status, and what it found."""
    rc, out, err = node.warren("audit", "check", "--json")
    try:
        return rc, json.loads(out).get("found", []), err
    except ValueError:
        return rc, [], out + err


def found(node, kind, name, what):
    rc, all_, err = check(node)
    return rc == 1 and any(
        f["kind"] == kind and name in f["name"] and what in f["why"]
        for f in all_), "%s %s %s" % (rc, all_, err)


def events(node, kind):
    out = []
    for path in sorted(glob.glob(os.path.join(node.dir,
                                              "warren/trail/*.jsonl"))):
        with open(path, errors="replace") as f:
            for line in f:
                try:
                    e = json.loads(line).get("e", {})
                except ValueError:
                    continue
                klp = e.get("unmapped", {}).get("klp", {})
                if klp.get("kind") == kind:
                    out.append((klp.get("code"), e.get("severity_id"),
                                e.get("class_uid"), e.get("message", "")))
    return out


def root_of(node):
    return glob.glob(os.path.join(node.dir, "warren/images/roots/*"))[0]


def warm(node):
    """Of the roots that are prepared for jobs to come."""
    st = node.status()
    return st.get("node", st).get("warm", {})


def image(node, name):
    box = os.path.join(root_of(node), "bin/busybox")
    rc, last, s = node.run_job("echo fine")
    result(name + ": an image that is as it was runs", rc == 0, str(s))
    result(name + ": ... and a root of it is prepared",
           until(lambda: warm(node).get("prepared") == 1, "a root"), str(warm(node)))
    rc, last, s = node.run_job("echo warm")
    result(name + ": ... which the next job has", rc == 0 and
           node.output(s) == "warm\n" and until(lambda: warm(node).get("starts") == 1, "its start"),
           "%s %s" % (warm(node), s))
    result(name + ": ... said in status", "1 of 2 starts into one, 1 not: none" in node.warren("status")[1],
           node.warren("status")[1])
    until(lambda: warm(node).get("prepared") == 1, "a root")
    rc, all_, err = check(node)
    result(name + ": a pass finds nothing", rc == 0 and not all_,
           "%s %s" % (all_, err))
    flip(box)
    rc, last, s = node.run_job("echo never")
    result(name + ": changed: its job is refused at the start", rc == 3 and
           "changed on the node" in str(s), "%s %s" % (rc, s))
    said = [e for e in events(node, "integrity") if e[0] == "image"]
    result(name + ": ... the trail names file and what, severity 4",
           len(said) == 1 and said[0][1:3] == (4, 2004) and
           "bin/busybox: its bytes have changed" in said[0][3], str(said))
    result(name + ": ... what was prepared of it is gone",
           until(lambda: warm(node).get("prepared") == 0, "no root"), str(warm(node)))
    rc, last, s = node.run_job("echo never")
    result(name + ": ... the next is not even taken", rc == 3 and
           "changed on the node" in str(s), "%s %s" % (rc, s))
    ok, why = found(node, "image", os.path.basename(root_of(node)),
                    "bin/busybox: its bytes have changed")
    result(name + ": ... a pass names it too", ok, why)
    st = node.status().get("node", node.status())
    result(name + ": ... status has it", "bin/busybox" in json.dumps(st),
           json.dumps(st)[:600])
    rc, out, err = node.warren("status")
    result(name + ": ... status says it", "CHANGED" in out, out)
    rc, out, err = node.warren("image", "verify", IMAGE)
    result(name + ": verify does not lift what is so", rc == 1 and
           "bin/busybox" in err and "mport it again" in err, out + err)
    flip(box)
    if LONG:
        rc, last, s = node.run_job("echo never")
        result(name + ": put back: it waits for a word", rc == 3, str(s))
    rc, out, err = node.warren("image", "verify", IMAGE)
    result(name + ": verify lifts it", rc == 0 and "may run" in out, out + err)
    rc, last, s = node.run_job("echo again")
    result(name + ": ... and it runs", rc == 0 and
           node.output(s) == "again\n", "%s %s" % (rc, s))
    result(name + ": ... in a root that was built for it", until(lambda: warm(node)["cold"]["none"] == 2, "its start") and
           warm(node)["starts"] == 1, str(warm(node)))
    result(name + ": ... the trail has who may again",
           any(e[0] == "image" and "may run again" in e[3]
               for e in events(node, "verified")),
           str(events(node, "verified")))
    if not LONG:
        return
    # an import puts right what is not
    flip(box)
    result(name + ": changed again", *found(node, "image", "", "bin/busybox"))
    rc, out, err = node.warren("image", "import",
                               os.path.join(node.work, "rootfs"), "--name",
                               IMAGE)
    result(name + ": import replaces it", rc == 0 and "replaced" in err,
           out + err)
    rc, last, s = node.run_job("echo again")
    result(name + ": ... and it runs", rc == 0, "%s %s" % (rc, s))


def odd(node):
    """What is no file stands in no way, and is found."""
    top = root_of(node)
    os.chmod(top, 0o755)
    os.mkfifo(os.path.join(top, "pipe"), 0o444)
    os.symlink("/etc/passwd", os.path.join(top, "pw"))
    with open(os.path.join(top, "hole"), "w") as f:
        f.truncate(1 << 42)
    os.chmod(top, 0o555)
    rc, all_, err = check(node)
    why = all_[0]["why"] if all_ else ""
    result("odd: a pipe, a link, a hole of 4 TiB: found, not read", rc == 1 and
           "was not there at the import; and 2 more" in why, "%s %s" % (
               all_, err))
    os.chmod(top, 0o755)
    for n in ("pipe", "pw", "hole"):
        os.unlink(os.path.join(top, n))
    os.chmod(top, 0o555)
    # list and files alike: only an import is believed
    listing = glob.glob(os.path.join(node.dir, "warren/images/meta/*.files"))
    with open(listing[0], "r+b") as f:
        whole = f.read()
        f.seek(0)
        f.write(whole.replace(b"busybox", b"busyboy", 1))
    rc, out, err = node.warren("image", "verify", IMAGE)
    result("odd: another list is no measure", rc == 1, out + err)
    rc, out, err = node.warren("image", "import",
                               os.path.join(node.work, "rootfs"), "--name",
                               IMAGE)
    rc2, all_, err2 = check(node)
    result("odd: an import is", rc == 0 and rc2 == 0, out + err + str(all_))


def others(node):
    flip(os.path.join(node.build, "warren-hand"))
    ok, why = found(node, "program", "warren-hand", "its bytes have changed")
    result("program: a byte is found", ok, why)
    flip(os.path.join(node.build, "warren-hand"))
    # nobody runs or loads them just now
    for name in ("warren", "warren-inner", *(
            os.path.basename(path) for path in glob.glob(
                os.path.join(node.build, "libwasmtime-*.so")))):
        flip(os.path.join(node.build, name))
        ok, why = found(node, "program", "/" + name, "its bytes have changed")
        result("program: a byte of %s is found" % name, ok, why)
        flip(os.path.join(node.build, name))
    mode = os.stat(os.path.join(node.build, "warren-hand")).st_mode & 0o7777
    os.chmod(os.path.join(node.build, "warren-hand"), 0o777)
    ok, why = found(node, "program", "warren-hand", "its mode has changed")
    result("program: another mode is found", ok, why)
    os.chmod(os.path.join(node.build, "warren-hand"), mode)
    old = os.path.join(node.build, "warren-keys")
    shutil.copy(old, old + ".new")
    with open(old + ".new", "ab") as f:
        f.write(b"a newer one")
    os.rename(old, old + ".old")
    os.rename(old + ".new", old)
    ok, why = found(node, "program", "warren-keys", "as after an upgrade")
    result("program: one that was replaced is called so", ok, why)
    _, _, _ = check(node)
    n = [e for e in events(node, "integrity")
         if "warren-keys" in e[3]]
    result("program: ... once, and no alarm", len(n) == 1 and n[0][1] == 3,
           str(n))
    os.rename(old + ".old", old)
    path = os.path.join(node.dir, "profiles/seccomp/mine.json")
    flip(path, 3)
    ok, why = found(node, "profile", "seccomp/mine.json",
                    "its bytes have changed")
    result("profile: a byte is found", ok, why)
    flip(path, 3)
    os.rename(path, path + "~")
    ok, why = found(node, "profile", "mine.json", "No such file")
    result("profile: one that is gone is missed", ok, why)
    os.rename(path + "~", path)
    flip(os.path.join(node.dir, "warren/keys/binding"))
    ok, why = found(node, "key", "warren/keys/binding",
                    "its bytes have changed")
    result("key: a byte of its public part is found", ok, why)
    flip(os.path.join(node.dir, "warren/keys/binding"))
    rc, all_, err = check(node)
    result("all put back: nothing is open", rc == 0 and not all_, "%s %s" % (
        all_, err))


def trail(node):
    path = sorted(glob.glob(os.path.join(node.dir, "warren/trail/*.jsonl")))[0]
    flip(path, 300)
    ok, why = found(node, "trail", "warren/trail", "00000001.jsonl line ")
    result("trail: a byte is found, and where", ok, why)
    said = [e for e in events(node, "integrity") if e[0] == "trail"]
    result("trail: ... severity 5", len(said) == 1 and said[0][1] == 5,
           str(said))


def readers(node):
    pid = node.pids()["audit"]
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        kids = [int(p) for p in f.read().split()]
    result("readers: there are two", len(kids) == 2, str(kids))
    for k in kids:
        s = Status(k)
        want = [str(BASE + NUMBERS["audit"])] * 4
        result("readers: number, capabilities, no_new_privs",
               s["Uid"].split() == want and s["CapEff"] == s["CapPrm"] ==
               s["CapBnd"] == "0" * 16 and s["NoNewPrivs"] == "1", str(dict(s)))
        if not sanitized:
            result("readers: filter", s["Seccomp"] == "2", s["Seccomp"])
        seen = os.listdir("/proc/%d/root" % k)
        result("readers: nothing in its root", seen == [], str(seen))
        dirs = [os.readlink("/proc/%d/fd/%s" % (k, fd))
                for fd in os.listdir("/proc/%d/fd" % k)]
        files = [d for d in dirs if d.startswith("/") and d != "/dev/null" and
                 not d.startswith(node.log)]
        result("readers: two folders and no file", len(files) == 2, str(dirs))
    idle = [k for k in kids if os.sched_getscheduler(k) == os.SCHED_IDLE]
    result("readers: one of them is idle", len(idle) == 1, str(idle))
    fds = [os.readlink("/proc/%d/fd/%s" % (pid, fd))
           for fd in os.listdir("/proc/%d/fd" % pid)]
    result("readers: audit itself has no folder of images",
           not any("images" in d for d in fds), str(fds))


def falls(node):
    """Audit is killed while it looks; what it held is held on."""
    flip(os.path.join(root_of(node), "bin/busybox"))
    check(node)
    node.warren("audit", "check", seconds=0.05)
    n = node.readies("audit")
    os.kill(node.pids()["audit"], signal.SIGKILL)
    until(lambda: node.readies("audit") > n, "audit again")
    flip(os.path.join(root_of(node), "bin/busybox"))
    rc, last, s = node.run_job("echo never")
    result("audit killed: what it held is held", rc == 3, str(s))
    rc, out, err = node.warren("image", "verify", IMAGE)
    rc2, last, s = node.run_job("echo again")
    result("audit killed: ... and lifted by a word", rc == 0 and rc2 == 0,
           "%s %s %s" % (out, err, s))


def with_node(user, fn):
    # programs of its own: some of them are changed
    mine = tempfile.mkdtemp(prefix="warren-test.")
    os.chmod(mine, 0o755)
    for p in glob.glob(os.path.join(build, "warren*")):
        if os.access(p, os.X_OK) and os.path.isfile(p):
            shutil.copy(p, mine)
    shutil.copytree(os.path.join(build, "etc/seccomp"),
                    os.path.join(mine, "etc/seccomp"))
    node = Burrow(mine, "integrity", user)
    try:
        seccomp = os.path.join(node.dir, "profiles/seccomp")
        os.makedirs(seccomp)
        with open(os.path.join(seccomp, "mine.json"), "w") as f:
            json.dump({"defaultAction": "SCMP_ACT_ALLOW"}, f)
        if user is not None:
            subprocess.run(["chown", "-R", str(user), os.path.join(
                node.dir, "profiles")], check=True)
        node.write("node.yaml", open(os.path.join(
            node.dir, "node.yaml")).read() + "integrity: {every: 1h}\n")
        if not node.up():
            result("integrity", False, "%s %s" % (node.problem, node.said()))
            return
        fn(node)
    finally:
        node.stop()
        node.remove()
        shutil.rmtree(mine, ignore_errors=True)


def as_root(node):
    readers(node)
    image(node, "root")
    if not LONG:
        return
    odd(node)
    others(node)
    falls(node)
    trail(node)


if os.getuid() == 0:
    with_node(None, as_root)
    if LONG:
        with_node(USER, lambda n: image(n, "user"))
else:
    with_node(None, lambda n: image(n, "user"))
done()
