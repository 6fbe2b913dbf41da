# SPDX-License-Identifier: BSD-2-Clause
"""How long a module takes from posix_spawn to its end, beside the `wasmtime`
program (WARREN_BENCH_WASMTIME, or in the path; else its column is empty) and,
as the floor, beside our own runner with a code that it refuses at once."""
import os
import shutil
import struct
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ACTS = os.path.join(HERE, "../wasm/acts.wasm")


def _texts(words):
    return struct.pack(">H", len(words)) + b"".join(
        struct.pack(">I", len(w)) + w.encode() + b"\0" for w in words)


class Runner:
    """warren-wasm as jail starts it, without one."""

    def __init__(self, build, folder, flags=0):
        self.program, self.flags = os.path.join(build, "warren-wasm"), flags
        self.code = os.path.join(folder, "code%d" % flags)
        self.args = os.path.join(folder, "args")
        with open(self.args, "wb") as f:
            f.write(_texts([]) + _texts(["acts", "hello"]) + _texts([]) +
                    _texts([]) + struct.pack(">I", 1) + b"/\0")

    def compile(self):
        with open(ACTS, "rb") as module, open(self.code, "wb") as code:
            subprocess.run([self.program, "compile", str(self.flags), "0"],
                           stdin=module, stdout=code, check=True,
                           stderr=subprocess.DEVNULL)

    def run(self):
        fds = [os.open(p, f) for p, f in (
            ("/dev/null", os.O_RDWR), (self.code, os.O_RDONLY),
            (self.args, os.O_RDONLY))]
        high = [os.dup2(fd, 40 + i) for i, fd in enumerate(fds)]
        for fd in fds:
            os.close(fd)
        acts = [(os.POSIX_SPAWN_DUP2, high[0], i) for i in range(3)] + \
            [(os.POSIX_SPAWN_DUP2, high[1], 3),
             (os.POSIX_SPAWN_DUP2, high[2], 4)]
        begin = time.perf_counter()
        pid = os.posix_spawn(self.program, [
            self.program, "run", str(self.flags), "0", str(48 << 20),
            "10000"], {}, file_actions=acts)
        status = os.waitpid(pid, 0)[1]
        took = (time.perf_counter() - begin) * 1000
        for fd in high:
            os.close(fd)
        if status != 0:
            raise RuntimeError("warren-wasm ended with %d" % status)
        return took


def _other(program, folder):
    code = os.path.join(folder, "other.cwasm")
    subprocess.run([program, "compile", "-o", code, ACTS], check=True)

    def run():
        begin = time.perf_counter()
        subprocess.run([program, "run", "--allow-precompiled", code, "hello"],
                       check=True, stdout=subprocess.DEVNULL)
        return (time.perf_counter() - begin) * 1000
    return run


def measure(build, rounds):
    """Lists of ms: kept, memory, interpreted, compile; other (or [])."""
    r = {k: [] for k in ("kept", "memory", "interpreted", "compile",
                         "other")}
    program = os.environ.get("WARREN_BENCH_WASMTIME") or \
        shutil.which("wasmtime")
    with tempfile.TemporaryDirectory(prefix="warren-bench-") as folder:
        ways = {"kept": Runner(build, folder),
                "memory": Runner(build, folder, 8),
                "interpreted": Runner(build, folder, 2)}
        for w in ways.values():
            w.compile()
        other = _other(program, folder) if program else None
        for i in range(rounds):
            for k, w in ways.items():
                r[k].append(w.run())
            if other:
                r["other"].append(other())
            if i % 10 == 0:
                begin = time.perf_counter()
                ways["kept"].compile()
                r["compile"].append((time.perf_counter() - begin) * 1000)
    return r
