# SPDX-License-Identifier: BSD-2-Clause
"""Modules of WebAssembly as jobs: over the mesh into the jail and back, their
ends, limits, files and refusals; compiled once; and a node that runs none."""
import glob
import json
import os
import random
import shutil
import signal
import sys
import tempfile

import libprograms
from lib import PATIENCE_S, USER, done, result, skip, until
from libjob import Burrow

build = sys.argv[1]
here = os.path.dirname(os.path.abspath(__file__))
ACTS = os.path.join(here, "../wasm/acts.wasm")
COMPONENT = os.path.join(here, "../wasm/acts.component.wasm")
WANTS = (b"\0asm\1\0\0\0" b"\1\4\1\x60\0\0" b"\2\x0b\1\3env\3foo\0\0"
         b"\7\x0a\1\6_start\0\0")


class Modules(Burrow):
    def run(self, *words, module=ACTS, opts=()):
        """`warren run --wasm`: exit status, standard output, error."""
        self.jobs += 1
        return self.warren(
            "run", "--to", self.who["destination"], "--config", self.dir,
            "--identity", self.person, "--out",
            os.path.join(self.work, "out%d" % self.jobs), "--wasm", module,
            *opts, "--", *words, config=False)

    def received(self):
        """Bytes of requests, of all peers."""
        rc, out, err = self.warren("peers", "--json")
        return sum(p["bytes_in"] for p in json.loads(out)["compute"])

    def module(self, name, content):
        path = os.path.join(self.work, name)
        with open(path, "wb") as f:
            f.write(content)
        return path

    def job(self, command, way, volumes, module=ACTS, files=None,
            seconds=PATIENCE_S, **limits):
        """JOB.yaml with a module; its Submission at its end."""
        path = self.job_file("", volumes=volumes, limits=limits)
        with open(path) as f:
            lines = [w for w in f.read().splitlines()
                     if not w.startswith(("image:", "command:"))]
        lines += ["wasm: {module: %s, files: %s}" % (module, way),
                  "command: " + json.dumps(command)]
        with open(path, "w") as f:
            f.write("\n".join(lines) + "\n")
        folder = os.path.join(os.path.dirname(path), volumes[0][0])
        for name, text in (files or
                           {"words": "from the submitter\n"}).items():
            with open(os.path.join(folder, name), "w") as f:
                f.write(text)
        s = self.submit(path, timeout="%ds" % seconds)
        return s, s.end(seconds + 20)


def padded(size):
    """The module with a section of its own that makes it so much larger."""
    def leb(n):
        return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + leb(n >> 7)
    with open(ACTS, "rb") as f:
        module = f.read()
    content = b"\3pad" + random.Random(size).randbytes(size)
    return module + b"\0" + leb(len(content)) + content


def codes(node):
    at = os.path.join(node.dir, "warren/node/wasm")
    return sorted(n for n in os.listdir(at) if len(n) == 64)


def ends(mode, node):
    rows = [
        (("hello",), ("-e", "WHO=mesh"), 0, "hello mesh\n", ""),
        (("args", "a", "b c"), (), 0, "[acts.wasm][args][a][b c]\n", ""),
        (("exit", "42"), (), 42, "", "exited with 42"),
        (("unreachable",), (), 134, "", "SIGABRT"),
        (("outside",), (), 139, "", "SIGSEGV"),
        (("loop",), ("--time", "300ms"), 124, "", "over its time"),
        (("loop",), ("--fuel", "5000000"), 124, "", "out of fuel"),
        (("grow", "200"), ("-m", "48MB"), 0, "31 MiB\n", ""),
        (("chance",), ("--deterministic",), 0,
         "afcd1d7b39a820e2f465b9a16a9e786e 946684800.000000000\n", ""),
        (("cat", "/proc/self/status"), (), 1, "/proc/self/status: ", "")]
    for words, opts, rc, out, err in rows:
        for way in ("folders", "memory"):
            got = node.run(*words, opts=(*opts, "--files", way))
            result("%s %s %s: %s" % (mode, way, " ".join(opts),
                                     " ".join(words)),
                   got[0] == rc and got[1].startswith(out) and err in got[2],
                   "%s" % (got,))
    # as few processes as a person may ask for are too few for the engine
    got = node.run("hello", opts=("--pids", "1", "--files", "folders"))
    result(mode + " a limit of one process", got[0] == 0, "%s" % (got,))
    for way in ("folders", "memory"):
        got = node.run("hello", module=COMPONENT, opts=("--files", way))
        result("%s a component, %s" % (mode, way),
               got[:2] == (0, "hello ?\n"), "%s" % (got,))


def files(mode, node):
    for way in ("folders", "memory"):
        s, (rc, last) = node.job(
            ["acts", "copy", "/data/words", "/out/words"], way,
            [("data", "/data", "ro"), ("kept", "/out", "rw")])
        try:
            with open(os.path.join(s.folder, "volumes/out/words")) as f:
                text = f.read()
        except OSError as e:
            text = str(e)
        result("%s %s: from one volume to another, and back" % (mode, way),
               rc == 0 and text == "from the submitter\n",
               "%s %s %s" % (rc, text, s))
        layers = last.get("layers", [])
        result("%s %s: the receipt says that a module ran" % (mode, way),
               "wasm" in layers and "wasm_interpreted" not in layers and
               "seccomp" in layers and last.get("verified"), "%s" % last)
        s, (rc, last) = node.job(
            ["acts", "keep", "/out/words", "loop"], way,
            [("data", "/data", "ro"), ("kept", "/out", "rw")], time="300ms")
        result("%s %s: out of time, it leaves what it has written" % (
            mode, way), last.get("outcome") == ["killed", "time"] and
            os.path.exists(os.path.join(s.folder, "volumes/out/words")),
            "%s %s" % (rc, last))
        s, (rc, last) = node.job(
            ["acts", "many", "/out", "20000"], way,
            [("data", "/data", "ro"), ("kept", "/out", "rw")], output="4MB")
        at = os.path.join(s.folder, "volumes/out")
        kept = len(os.listdir(at)) if os.path.isdir(at) else -1
        said = node.output(s)
        result("%s %s: full of small files, it leaves each that it could "
               "write" % (mode, way), rc == 0 and
               said.startswith("%d: No space" % (kept - 1)) and kept > 900,
               "%s %s %s %s" % (rc, said, kept, last))
        s, (rc, last) = node.job(
            ["acts", "put", "/data/new", "x"], way,
            [("data", "/data", "ro"), ("kept", "/out", "rw")])
        result("%s %s: a volume that is read stays as it is" % (mode, way),
               rc == 5 and last.get("outcome") == ["exited", 1],
               "%s %s" % (rc, last))


def component(mode, node):
    """Its files are in memory too, by WASI 0.2 of our own."""
    s, (rc, last) = node.job(
        ["acts", "copy", "/data/words", "/out/words"], "memory",
        [("data", "/data", "ro"), ("kept", "/out", "rw")], module=COMPONENT)
    try:
        with open(os.path.join(s.folder, "volumes/out/words")) as f:
            text = f.read()
    except OSError as e:
        text = str(e)
    result(mode + " a component with files in memory: from one volume to "
           "another, and back", rc == 0 and text == "from the submitter\n" and
           "wasm" in last.get("layers", []), "%s %s %s" % (rc, text, s))
    got = node.run("chance", module=COMPONENT, opts=("--deterministic",))
    result(mode + " a component, deterministic", got[:2] == (
        0, "afcd1d7b39a820e2f465b9a16a9e786e 946684800.000000000\n"),
        "%s" % (got,))


def refusals(mode, node):
    got = node.run(module=node.module("wants.wasm", WANTS))
    result(mode + " refused: what is not offered, by its name",
           got[0] == 121 and "module imports env.foo, not offered here" in
           got[2], "%s" % (got,))
    got = node.run(module=node.module("text.wasm", b"(module)"))
    result(mode + " refused: what is no module", got[0] == 121 and
           "no WebAssembly" in got[2] and "binary form" in got[2] and
           "image import" not in got[2], "%s" % (got,))
    got = node.run(module=node.module(
        "large.wasm", b"\0asm\1\0\0\0" + bytes(2 << 20)))
    result(mode + " refused before it is sent: a module that is too large",
           got[0] == 121 and "too large" in got[2] and "step 8" in got[2],
           "%s" % (got,))


def chunks(mode, node):
    """A larger module goes in chunks, and of another one what is other."""
    large = padded(1 << 20)
    got = node.run("hello", module=node.module("chunks.wasm", large))
    result(mode + " a module in chunks", got[:2] == (0, "hello ?\n"),
           "%s" % (got,))
    before = node.received()
    got = node.run("hello", module=node.module("other.wasm", large[:-1] +
                                               b"x"))
    took = node.received() - before
    result(mode + " another that differs at its end: only that is sent",
           got[:2] == (0, "hello ?\n") and took < 200000,
           "%s %d" % (got, took))


def changed(mode, node):
    """Code that is not what was compiled is found, and compiled again."""
    at = os.path.join(node.dir, "warren/node/wasm")
    was = codes(node)
    for name in was[1::2]:
        shutil.copyfile(os.path.join(at, was[0]), os.path.join(at, name))
    for name in was[::2]:
        with open(os.path.join(at, name), "r+b") as f:
            f.seek(-1, os.SEEK_END)
            last = f.read(1)
            f.seek(-1, os.SEEK_END)
            f.write(bytes([last[0] ^ 1]))
    got = node.run("hello", opts=("-e", "WHO=again", "--files", "folders"))
    result(mode + " code that was changed on the disk is not run",
           got[:2] == (0, "hello again\n") and
           "is not the code that was compiled" in node.said(),
           "%s %s" % (got, node.said()[-300:]))


def modules(mode, user):
    node = Modules(build, "wasm-" + mode, user, more="wasm_module: 2MB\n")
    try:
        if not node.up() or node.problem:
            result(mode + " the node is up", False,
                   "%s %s" % (node.problem, node.said()))
            return
        ends(mode, node)
        files(mode, node)
        component(mode, node)
        chunks(mode, node)
        refusals(mode, node)
        # with and without fuel, the component, and the two larger ones
        result(mode + " each is compiled once", len(codes(node)) == 5,
               "%s" % codes(node))
        changed(mode, node)
        result(mode + " nothing has fallen", set(node.restarts().values()) ==
               {0}, "%s" % node.restarts())
    finally:
        node.remove()


def without(mode, user):
    """By the operator's word there are none; by it, none is machine code."""
    node = Modules(build, "none-" + mode, user, more="wasm_engine: none\n")
    try:
        got = node.run("hello") if node.up() else node.said()
        result(mode + " wasm_engine none: refused", got[0] == 121 and
               "wasm is not a runtime of this node" in got[2], "%s" % (got,))
    finally:
        node.remove()
    node = Modules(build, "slow-" + mode, user,
                   more="wasm_code: interpreted\n")
    try:
        if node.up():
            s, (rc, last) = node.job(["acts", "list", "/data"], "memory",
                                     [("data", "/data", "ro")])
            result(mode + " wasm_code interpreted: said in the receipt",
                   rc == 0 and "wasm_interpreted" in last.get("layers", []),
                   "%s %s" % (rc, last))
        else:
            result(mode + " a node that interprets", False, node.said())
    finally:
        node.remove()


def upgraded():
    """What a module is run by is replaced under a node: the next jail runs
    jobs of images, and no modules."""
    # of names of its own, which are replaced without the build's
    folder = tempfile.mkdtemp(prefix="upgraded-", dir=build)
    os.chmod(folder, 0o755)
    for path in glob.glob(os.path.join(build, "*")):
        name = os.path.basename(path)
        if os.path.isfile(path) and name.startswith(("warren", "libwasm")):
            os.link(path, os.path.join(folder, name))
    os.symlink("../etc", os.path.join(folder, "etc"))
    node = Modules(folder, "upgraded")
    try:
        if not node.up():
            result("upgraded: the node is up", False, node.said())
            return
        lib = os.path.join(folder, "warren-wasm")
        shutil.copy(lib, lib + ".new")
        os.rename(lib + ".new", lib)
        count = node.readies("jail")
        os.kill(node.pids()["jail"], signal.SIGKILL)
        until(lambda: node.readies("jail") > count, "another jail")
        rc, last, s = node.run_job("echo image")
        result("upgraded: a job of an image runs", rc == 0 and
               node.output(s) == "image\n", str(s))
        got = node.run("hello")
        result("upgraded: modules are refused, and the log says why",
               got[0] == 121 and "has been replaced on the disk" in
               node.said(), "%s" % (got,))
    finally:
        node.remove()
        shutil.rmtree(folder)


def programs(mode, user):
    node = Modules(build, "programs-" + mode, user, more=(
        "levels: {2: {memory: 1GB, output: 64MB, cpu: 2}}\n"
        "limits: {memory: 1GB, cpu: 2}\ndata_limit_per_minute: 1GB\n"))
    try:
        if node.up() and not node.problem:
            libprograms.run(mode, node)
        else:
            result(mode + " real programs: the node is up", False,
                   "%s %s" % (node.problem, node.said()))
    finally:
        node.remove()


if not os.path.exists(os.path.join(build, "warren-wasm")):
    skip("wasm", "this build runs no modules (configure says: wasm: no)")
    done()
for mode, user in ([("root", None), ("user", USER)] if os.geteuid() == 0
                   else [("user", None)]):
    modules(mode, user)
    if mode != "user" or os.geteuid() != 0:
        without(mode, user)
if os.geteuid() == 0:
    upgraded()
if os.environ.get("WASM_LONG") == "1":
    programs("root" if os.geteuid() == 0 else "user", None)
done()
