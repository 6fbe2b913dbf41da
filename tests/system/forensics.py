# SPDX-License-Identifier: BSD-2-Clause
"""Evidence of jobs through a real node: bundles that stock programs read and
an independent verifier believes, of quiet jobs and of such as resist; nothing
stays frozen for one that does not come. FORENSICS_LONG=1: those that resist,
and programs that fall meanwhile, too."""
import glob
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import zipfile

from lib import USER, done, result, skip, until
from libbundle import check
from libjob import Burrow

build = sys.argv[1]
LONG = os.environ.get("FORENSICS_LONG") == "1"
MORE = ("levels:\n  2: {pids: 1200, memory: 700MB, cpu: 2}\n"
        "limits: {memory: 1GB, cpu: 2}\n"
        "forensics: {per_hour: 60, most: 400MB}\n")
work = tempfile.mkdtemp(prefix="warren-forensics.")
os.chmod(work, 0o755)
VICTIM = os.path.join(work, "victim")


def run(*argv, cwd=None):
    p = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return p.returncode, p.stdout.decode(errors="replace")


def victim(node, *words, limits=None, before="", **more):
    """A job that runs the victim and has said that it is ready."""
    given = {"pids": 64, "memory": "128MB", "time": "120s"}
    given.update(limits or {})
    path = node.job_file(before + "exec /in/victim " + " ".join(words), limits=given,
                         volumes=[("in", "/in", "ro")], **more)
    shutil.copy(VICTIM, os.path.join(os.path.dirname(path), "in/victim"))
    s = node.submit(path, timeout="300s")
    if not s.reached("running"):
        return s
    until(lambda: "ready" in node.warren("logs", s.id(), "--here")[1],
          "a victim that is ready")
    return s


def taken(node, s, *words):
    """The bundle of a job: its file, and the answer; None, and why."""
    rc, out, err = node.warren("forensics", s.id(), "--json", *words,
                               seconds=120)
    if rc != 0:
        return None, "%s %s %s" % (rc, out, err)
    answer = json.loads(out)
    return answer["file"], answer


def unpacked(path):
    folder = tempfile.mkdtemp(dir=work)
    rc, out = run("unzip", "-q", "-o", path, "-d", folder)
    return folder, "" if rc == 0 else out


def read(folder, name):
    try:
        with open(os.path.join(folder, name), errors="replace") as f:
            return f.read()
    except OSError as e:
        return str(e)


def goes_on(node, s):
    rc, out, err = node.warren("explain", s.id(), "--json")
    return '"frozen": true' not in out and '"frozen":true' not in out


def public(node):
    return bytes.fromhex(node.who["key"].split(":")[-1])


def quiet(node):
    s = victim(node, "backtrace", env='{TOKEN: "hidden-value"}')
    path, answer = taken(node, s)
    result("a bundle of a job that runs", path is not None, str(answer))
    if path is None:
        return
    result("its mode is 0600", os.stat(path).st_mode & 0o777 == 0o600,
           oct(os.stat(path).st_mode))
    result("the job goes on", goes_on(node, s))
    folder, why = unpacked(path)
    result("unzip reads it", why == "", why)
    rc, out = run("sha256sum", "-c", "--quiet", "SHA256SUMS", cwd=folder)
    result("sha256sum reads its list", rc == 0, out)
    result("an independent verifier believes it", check(path, public(node)) ==
           "", check(path, public(node)))
    core = os.path.join(folder, "job/processes/2/core")
    rc, out = run("gdb", "-nx", "-batch", "-ex", "bt", VICTIM, core)
    order = [out.find(f) for f in ("innermost_frame", "middle_frame", "main (")]
    result("gdb shows the frames of its core",
           -1 not in order and order == sorted(order), out)
    rc, out = run("gdb", "-nx", "-batch", "-ex", "p depth", VICTIM, core)
    result("... and what lies in its memory", "$1 = 10" in out, out)
    rc, out = run("readelf", "-nl", core)
    result("readelf reads all notes of it", rc == 0 and all(
        n in out for n in ("NT_PRSTATUS", "NT_PRPSINFO", "NT_AUXV", "NT_FILE",
                           "NT_SIGINFO", "LOAD")) and "arning" not in out,
           out[:2000])
    about = read(folder, "node.json")
    result("values of the environment are left out", "TOKEN" in about and
           "hidden-value" not in about, about)
    for name in ("job/processes/2/maps", "job/processes/2/limits",
                 "job/processes/2/status", "job/processes/2/fds",
                 "logs/stdout", "job/about.txt"):
        result("it has " + name, len(read(folder, name)) > 5,
               read(folder, name))
    trail = read(folder, "trail/00000001.jsonl")
    result("its lines of the trail are there, and no others",
           s.id() in trail and all(s.id() in line or '"t":{' in line
                                   for line in trail.splitlines()), trail)
    verify(node, path)
    node.warren("forensics", s.id(), "--then", "kill")
    rc, last = s.end()
    result("--then kill ends it", last.get("outcome") ==
           ["killed", "operator"], str(last))
    path, answer = taken(node, s)
    folder, why = unpacked(path or "/dev/null")
    result("of one that has ended there is what is known", path is not None and
           '"receipt": true' in read(folder, "node.json"), str(answer))


def verify(node, path):
    rc, out, err = node.warren("audit", "verify-bundle", path)
    result("verify-bundle: whole, by this node's key", rc == 0, out + err)
    rc, out, err = node.warren("audit", "verify-bundle", path, config=False)
    result("... and without a key nobody vouches for it", rc == 6, out + err)
    rc, out, err = node.warren("audit", "verify-bundle", path, "--key",
                               "pubkey:ecc-secp256k1:" + "02" + "79be667ef9dc"
                               "bbac55a06295ce870b07029bfcdb2dce28d959f2815b16"
                               "f81798", config=False)
    result("... nor does another key", rc == 1, out + err)
    bad = os.path.join(work, "bad.zip")
    with open(path, "rb") as f:
        good = f.read()
    with zipfile.ZipFile(path) as z:
        most = max(z.infolist(), key=lambda i: i.compress_size)
    at = most.header_offset
    at += 30 + sum(struct.unpack("<HH", good[at + 26:at + 30]))
    changes = [("a byte of a member", "is changed", at + most.compress_size // 2),
               ("a byte of a header", "bytes of the archive", 5),
               ("a byte of the end", "", len(good) - 3)]
    for name, says, at in changes:
        with open(bad, "wb") as f:
            f.write(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        os.chmod(bad, 0o644)
        rc, out, err = node.warren("audit", "verify-bundle", bad)
        result("verify-bundle finds " + name, rc == 1 and says in err, err)
    shutil.copy(path, bad)
    run("python3", "-c", "import sys, zipfile\nwith zipfile.ZipFile("
        "sys.argv[1], 'a') as z: z.writestr('job/planted', 'x')", bad)
    os.chmod(bad, 0o644)
    rc, out, err = node.warren("audit", "verify-bundle", bad)
    result("verify-bundle names what was added", rc == 1 and
           "job/planted was added" in err, err)
    with open(bad, "wb") as f:
        f.write(good[:len(good) // 2])
    rc, out, err = node.warren("audit", "verify-bundle", bad)
    result("verify-bundle refuses what is cut", rc == 1, err)


def export(node):
    path = os.path.join(work, "export.zip")
    rc, out, err = node.warren("audit", "export", "--from", "3", "--to", "6",
                               path)
    result("export: a span of the trail", rc == 0, out + err)
    if rc != 0:
        return
    result("export: an independent verifier believes it",
           check(path, public(node)) == "", check(path, public(node)))
    folder = tempfile.mkdtemp(dir=work)
    os.mkdir(os.path.join(folder, "warren"))
    run("unzip", "-q", path, "-d", os.path.join(folder, "warren"))
    lines = [json.loads(x) for x in read(
        folder, "warren/trail/00000001.jsonl").splitlines()]
    result("export: these lines and no others",
           [x["seq"] for x in lines if "e" in x] == [3, 4, 5, 6], str(lines))
    rc, out, err = node.warren("audit", "verify", "--config", folder,
                               config=False)
    result("export: its chain is whole", rc == 6 and "chain is whole" in out,
           "%s %s %s" % (rc, out, err))
    rc, out, err = node.warren("audit", "export", path)
    result("export: what is there stays", rc == 1, out + err)


def writable(node):
    """A root that may be written to: what differs from the image is there."""
    s = victim(node, "backtrace", read_only_fs="false", before="rm /bin/id && "
               "echo new > /bin/added && mkdir /fresh && ")
    path, answer = taken(node, s)
    folder, why = unpacked(path or "/dev/null")
    lines = {line.split('"')[1]: line[0]
             for line in read(folder, "job/files.txt").splitlines()
             if '"' in line}
    result("a writable root: what is new and what was taken away, and no more",
           {p: k for p, k in lines.items() if not p.startswith("/tmp")} ==
           {"/bin/added": "f", "/bin/id": "w", "/fresh": "d"},
           "%s %s %s" % (lines, answer, s))
    result("... with what was written",
           read(folder, "job/files/bin/added") == "new\n", str(answer))
    node.warren("cancel", s.id())


def hostile(node):
    s = victim(node, "names")
    path, answer = taken(node, s)
    folder, why = unpacked(path or "/dev/null")
    found = sorted(os.path.relpath(f, os.path.join(folder, "job/files/tmp"))
                   for f in glob.glob(folder + "/job/files/tmp/*") +
                   glob.glob(folder + "/job/files/tmp/.*"))
    result("hostile names: all are there, none as it is", found == sorted(
        ["%1B%5B31mred", "%252e%252e", "%FF%FE", "..b", "a%0Ab",
         "back%5Cslash"]), "%s %s" % (found, answer))
    text = read(folder, "job/files.txt")
    result("hostile names: the list has no control character",
           "\\x1b[31mred" in text and "/tmp/link" in text and
           "\x1b" not in text, text)
    result("not dumpable: its memory is there all the same",
           os.path.exists(folder + "/job/processes/2/core"), str(answer))
    node.warren("cancel", s.id())
    s = victim(node, "huge")
    path, answer = taken(node, s)
    folder, why = unpacked(path or "/dev/null")
    core = os.path.join(folder, "job/processes/2/core")
    size = os.path.getsize(core) if os.path.exists(core) else -1
    result("two terabytes of addresses: what is in them, and no more",
           0 < size < 64 << 20, "%s %s %s" % (size, answer, node.said()[-500:]))
    with open(core, "rb") as f:
        result("... a needle in them is found", b"needle in eight" in f.read())
    node.warren("cancel", s.id())
    s = victim(node, "dying", limits={"cpu": 1})
    path, answer = taken(node, s)
    result("processes that come and go: a bundle", path is not None,
           str(answer))
    result("... and the job goes on", goes_on(node, s))
    node.warren("cancel", s.id())
    s = victim(node, "leaderless", before="echo x > /tmp/left && ")
    path, answer = taken(node, s)
    folder, why = unpacked(path or "/dev/null")
    rc, out = run("gdb", "-nx", "-batch", "-ex", "bt", VICTIM,
                  folder + "/job/processes/2/core")
    result("a leader that is gone: gdb shows the frames of who is left",
           "innermost_frame" in out and "behind (" in out, out)
    result("... and by what it was started", " leaderless'" in out, out)
    fds = read(folder, "job/processes/2/fds")
    result("... and its descriptors and its root are there",
           any(line.startswith("0 ") for line in fds.splitlines()) and
           "/tmp/left" in read(folder, "job/files.txt"),
           fds + read(folder, "job/files.txt"))
    node.warren("cancel", s.id())
    n = 1000
    s = victim(node, "threads", str(n), limits={"pids": n + 10})
    path, answer = taken(node, s)
    folder, why = unpacked(path or "/dev/null")
    text = read(folder, "job/about.txt")
    result("%d threads: registers of each" % n, "threads %d\n" % (n + 1) in
           text and "threads_without_registers 0\n" in text,
           "%s %s" % (text, answer))
    node.warren("cancel", s.id())
    n = 511
    s = victim(node, "processes", str(n), limits={
        "pids": n + 10, "memory": "300MB"})
    path, answer = taken(node, s)
    folder, why = unpacked(path or "/dev/null")
    cores = len(glob.glob(folder + "/job/processes/*/core"))
    result("%d processes: a core of each" % n, cores == n + 1,
           "%s %s %s" % (cores, read(folder, "job/about.txt"), answer))
    node.warren("cancel", s.id())


def frozen(node):
    """It stays as asked, and goes on when another is taken."""
    s = victim(node, "backtrace")
    path, answer = taken(node, s, "--then", "stay")
    result("--then stay: it stands still", path is not None and
           not goes_on(node, s), str(answer))
    text = node.warren("explain", s.id())[1]
    result("... and explain says for what", "for evidence" in text, text)
    path, answer = taken(node, s)
    result("... and the next one lets it go on", path is not None and
           goes_on(node, s), str(answer))
    node.warren("cancel", s.id())


def pids(node):
    return {p["name"]: p["pid"] for p in node.status().get("programs", [])}


def fallen(node):
    """Whoever is killed meanwhile: no job stands still for it."""
    for name in ("audit", "node", "jail"):
        s = victim(node, "memory", "64", limits={"memory": "256MB"})
        p = subprocess.Popen(node.argv("forensics", s.id(), "--config",
                                       node.dir),
                             preexec_fn=node._drop, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        part = node.dir + "/warren/forensics/.part"
        until(lambda: p.poll() is not None or os.path.exists(part) or
              (name != "audit" and not goes_on(node, s)),
              "a job that is being looked at")
        os.kill(pids(node)[name], signal.SIGKILL)
        p.wait(120)
        until(lambda: node.ready(["audit", "node", "jail"], 20) is not None,
              "programs that are back")
        if name == "jail":
            until(lambda: s.state() != "running" or s.process.poll() is not
                  None, "a job that its jail took along", 60)
            result("jail falls meanwhile: its job is lost, not frozen", True)
            continue
        result("%s falls meanwhile: the job goes on" % name, until(
            lambda: goes_on(node, s), "a job that goes on"),
            node.warren("explain", s.id())[1])
        # audit may have outlived who asked: it ends what it writes first
        result("%s falls meanwhile: nothing half is left" % name,
               until(lambda: not os.path.exists(part), "no part"), part)
        node.warren("cancel", s.id())


def quotas(node):
    with open(os.path.join(node.dir, "node.yaml")) as f:
        text = f.read()
    n = len(glob.glob(node.dir + "/warren/forensics/*.zip"))
    s = victim(node, "backtrace")
    node.write("node.yaml", text.replace("forensics: {", "forensics: "
                                         "{bundles: %d, " % n))
    until(lambda: node.warren("reload")[0] == 0, "a reload that is taken")
    path, answer = taken(node, s)
    result("quota of bundles: none is made, and it is said", path is None and
           "forensics.bundles" in answer, answer)
    result("... and the job goes on", goes_on(node, s))
    node.warren("cancel", s.id())
    node.write("node.yaml", text)
    until(lambda: node.warren("reload")[0] == 0, "a reload that is taken")


def paused(node):
    s = victim(node, "memory", "256", limits={"memory": "400MB", "cpu": 1})
    best = None
    for _ in range(3):
        path, answer = taken(node, s)
        if path is None:
            result("256 MiB: a bundle", False, str(answer))
            return
        best = min(best or 1e9, answer["pause_us"] / 1000)
        os.unlink(path)
    result("256 MiB: it stood still for %.1f ms" % best, best < 400)
    node.warren("cancel", s.id())
    s, best = victim(node, "backtrace"), 1e9
    for _ in range(3):
        path, answer = taken(node, s)
        folder, why = unpacked(path or "/dev/null")
        stood = re.search(r"us_until_all_stand (\d+)",
                          read(folder, "job/about.txt"))
        best = min(best, int(stood[1]) / 1000 if stood else 1e9)
    # less than a thread that does not come is waited for
    result("one that sleeps: it stood after %.1f ms" % best, best < 50,
           str(answer))
    node.warren("cancel", s.id())


def root():
    node = Burrow(build, "forensics", more=MORE)
    os.mkdir(os.path.join(node.dir, "profiles"))
    node.write("profiles/default.yaml", "read_only_fs: false\n")
    try:
        if not node.up():
            result("forensics", False, "%s %s" % (node.problem, node.said()))
            return
        quiet(node)
        writable(node)
        export(node)
        frozen(node)
        quotas(node)
        if LONG:
            hostile(node)
            paused(node)
            fallen(node)
    finally:
        node.stop()
        node.remove()


def rootless():
    node = Burrow(build, "forensicsuser", user=USER, more=MORE)
    try:
        if not node.up():
            result("rootless", False, "%s %s" % (node.problem, node.said()))
            return
        s = victim(node, "backtrace")
        path, answer = taken(node, s)
        result("rootless: a bundle", path is not None, "%s %s" % (
            answer, node.said()[-1500:]))
        if path is not None:
            result("rootless: signed", check(path, public(node)) == "")
            folder, why = unpacked(path)
            result("rootless: a core", os.path.exists(
                folder + "/job/processes/2/core"), why)
        node.warren("cancel", s.id())
    finally:
        node.stop()
        node.remove()


missing = [p for p in ("gcc", "gdb", "unzip", "readelf") if
           shutil.which(p) is None]
try:
    if missing:
        skip("forensics", "no " + ", ".join(missing))
    else:
        rc, out = run("gcc", "-O1", "-g", "-static", "-fno-omit-frame-pointer",
                      "-o", VICTIM, os.path.join(os.path.dirname(
                          os.path.abspath(__file__)), "victim.c"), "-lpthread")
        if rc != 0:
            result("the victim is built", False, out)
        elif os.getuid() == 0:
            root()
            rootless()
        else:
            rootless()
finally:
    shutil.rmtree(work, ignore_errors=True)
done()
