# SPDX-License-Identifier: BSD-2-Clause
"""Every way in which a job ends by itself or is ended, as its submitter sees it: status, receipt (its signature too),
list and the answer that holds all of a small job say the same. Steps have the job's id, for who reads the node's side."""

from . import until
from .codec import sha256
from .more import Bench, changed, empty, volume

# by default nothing; the shell leaves out one; and who has no terminal is stopped by one alone
NOTHING = (17, 18, 23, 28, 3, 20, 21, 22)
STOPS = (19,)
KINDS = {"exited": 0, "signalled": 1, "killed": 2}
REASONS = {"memory": 1, "time": 2, "pids": 3, "output": 4, "cancelled": 7, "operator": 8, "deadline": 10}


def signal_numbers():
    return [n for n in range(1, 65) if n not in (32, 33)]  # those two are the C library's own


class Ends(Bench):
    def __init__(self, *words):
        super().__init__(*words)
        self.wanted = {}

    def agrees(self, job, want):
        """(whether all that is said of it is that, what was said)"""
        kind, detail = want
        code = REASONS[detail] if kind == "killed" else detail
        said = []

        def over():  # a small one comes whole, in the answer that it has ended
            body = self.c.must("job/status", {"id": job, "f": 4096, "g": 8192, "w": 20})
            said[:] = [body]
            return "f" in body or body["state"] in ("done", "lost", "refused", "cancelled")
        until(over, "the end of a job", step=0.05)
        s = said[0]
        if "f" in s:  # what can be known of it is in the receipt, which is over the logs
            r, _, _ = self.c.whole_of(job, s)
        else:
            r, _, _ = self.c.verified_result(job)
            if (s["state"], s["outcome"], s["usage"]["wall_ms"]) != ("done", [kind, detail], r["wall_ms"]):
                return False, (s, r)
        said = r["outcome"], r["code"], r["attempts"]
        return said == (KINDS[kind], code, 1), said

    def listed(self):
        """Job -> its outcome, as the list has it."""
        after, out = 0, {}
        while after is not None:
            page = self.c.must("job/list", {"after": after, "n": 64})
            out.update({x[0]: x[3] for x in page["jobs"]})
            after = page["next"]
        return out

    def end(self, name, want, text, volumes=(), act=None, **kw):
        """A step: a job that ends so. act: what is done to it while it runs."""
        job = self.job(text, volumes, **kw)
        if act:
            self.c.wait(job, ("running",))
            act(job)
        ok, said = self.agrees(job, want)
        self.wanted[job] = list(want)
        return f"{name} {job.hex()} {'/'.join(map(str, want))}", ok, said


def outcomes(c, d, image, layers, codes=range(256), signals=None):
    b = Ends(c, d, image)
    for n in codes:
        yield b.end(f"exit {n}", ("exited", n), f"exit {n}")
    for n in signals or signal_numbers():
        if n in STOPS:
            yield b.end(f"signal {n} stops it", ("killed", "time"), f"kill -{n} $$; exit 3", limits={"time": 300})
        elif n in NOTHING:
            yield b.end(f"signal {n} is nothing", ("exited", 3), f"kill -{n} $$; exit 3")
        else:
            yield b.end(f"signal {n}", ("signalled", n), f"kill -{n} $$; exit 3")
    yield b.end("of a child alone", ("exited", 137), "sh -c 'kill -9 $$'; exit $?")
    yield b.end("its children are left", ("exited", 5), "sleep 7037 & (trap '' TERM HUP; setsid sleep 7037) & exit 5")
    yield b.end("it says that it cannot be killed", ("killed", "time"), "trap '' 1 2 3 15; kill -STOP $$; sleep 7037",
                limits={"time": 300})
    yield b.end("time", ("killed", "time"), "while :; do :; done", limits={"time": 300})
    yield b.end("closed streams", ("exited", 0), "exec >&- 2>&-; exit 0")
    yield b.end("logs without end", ("killed", "output"), "while :; do cat /bin/busybox; done", limits={"log": 1000})
    yield b.end("logs without end, and away", ("killed", "output"), "head -c 30000000 /dev/zero", limits={"log": 1000})
    yield b.end("cancelled", ("killed", "cancelled"), "sleep 7037", act=lambda j: c.must("job/cancel", {"id": j}))
    yield b.end("deadline", ("killed", "deadline"), "sleep 7037", deadline=2)
    yield b.end("outputs of each kind", ("exited", 0), "cd /w; mkfifo p; ln -s /etc l; ln f h; mkdir -p a/b/c; chmod 0 a; exit 0",
                [("/w", "rw", volume()), ("/v", "rw", empty())])
    if "memory" in layers:
        yield b.end("memory", ("killed", "memory"), "x=a; while :; do x=$x$x; done", limits={"memory": 16 << 20})
        yield b.end("memory of a child, and 0", ("killed", "memory"), "(x=a; while :; do x=$x$x; done); exit 0",
                    limits={"memory": 16 << 20})
    listed = b.listed()
    differ = {j.hex(): (w, listed.get(j)) for j, w in b.wanted.items() if listed.get(j) != w}
    yield "the list - -", not differ, differ
    job = b.offer("true", [("/in", "ro", volume(b"never sent"))])["id"]
    c.must("job/cancel", {"id": job})
    s = c.wait(job)
    r, _, _ = c.verified_result(job)
    yield f"cancelled while queued {job.hex()} cancelled/0", (s["state"], s["reason"], s["outcome"], r["outcome"], r["attempts"], r["wall_ms"]) == \
        ("cancelled", "submitter", None, 4, 0, 0), (s, r)


def few(c, d, image, layers):
    b = Ends(c, d, image)
    yield b.end("exit 255", ("exited", 255), "exit 255")
    yield b.end("signal 64", ("signalled", 64), "kill -64 $$; exit 3")
    yield b.end("stopped", ("killed", "time"), "kill -19 $$; exit 3", limits={"time": 200})
    yield b.end("cancelled", ("killed", "cancelled"), "sleep 7037", act=lambda j: c.must("job/cancel", {"id": j}))
    yield b.end("logs without end", ("killed", "output"), "head -c 30000000 /dev/zero", limits={"log": 1000})


# ---- modules of WebAssembly (compute.md 4.1, 5) ----

def leb(n):
    out = b""
    while True:
        last = -64 <= n < 64
        out += bytes([n & 0x7f | (0 if last else 0x80)])
        n >>= 7
        if last:
            return out


def module(code):
    """One that exports _start of these instructions; function 0 is proc_exit, 1 itself."""
    def section(n, body):
        return bytes([n]) + leb_u(len(body)) + body

    def leb_u(n):
        return bytes([n]) if n < 128 else bytes([n & 0x7f | 0x80]) + leb_u(n >> 7)

    def text(s):
        return bytes([len(s)]) + s
    body = b"\0" + code + b"\x0b"
    return b"\0asm\1\0\0\0" + section(1, b"\2\x60\1\x7f\0\x60\0\0") + \
        section(2, b"\1" + text(b"wasi_snapshot_preview1") + text(b"proc_exit") + b"\0\0") + section(3, b"\1\1") + \
        section(5, b"\1\0\1") + section(7, b"\2" + text(b"memory") + b"\2\0" + text(b"_start") + b"\0\1") + \
        section(10, b"\1" + leb_u(len(body)) + body)


def exits(n):
    return module(b"\x41" + leb(n) + b"\x10\0")


LOOP = module(b"\3\x40\x0c\0\x0b")
TRAPS = (("unreachable", module(b"\0"), ("signalled", 6)),
         ("memory out of bounds", module(b"\x41" + leb(0x7fffffff) + b"\x28\2\0\x1a"), ("signalled", 11)),
         ("division by zero", module(b"\x41\1\x41\0\x6d\x1a"), ("signalled", 8)),
         ("the stack", module(b"\x10\1"), ("signalled", 11)))


def modules(c, d, image, layers):
    b = Ends(c, d, image)

    def end(name, want, code, asked=(), **kw):
        p, _ = b.payload("", **kw)
        p = changed(p, ["image", "command"], wasm={"sha256": sha256(code).hex(), "size": len(code), **dict(asked)})
        job = c.submit(p, {sha256(code): code})["id"]
        ok, said = b.agrees(job, want)
        return f"{name} {job.hex()} {'/'.join(map(str, want))}", ok, said
    for n in range(256):
        yield end(f"proc_exit {n}", ("exited", n), exits(n))
    for n, code in ((256, 255), (257, 1), (1 << 30, 255), (-1, 255), (-2, 254)):
        yield end(f"proc_exit {n}", ("exited", code), exits(n))
    for name, code, want in TRAPS:
        for asked in ({}, {"files": "memory"}, {"deterministic": True}):
            yield end(f"{name} {asked}", want, code, asked)
    yield end("time", ("killed", "time"), LOOP, limits={"time": 400})
    yield end("fuel", ("killed", "time"), LOOP, {"fuel": 1000000})
    yield end("fuel, of one that ends", ("exited", 3), exits(3), {"fuel": 1000000})
