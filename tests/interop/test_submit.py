# SPDX-License-Identifier: BSD-2-Clause
"""warren against an independent node, through a stock shared instance."""

import base64
import hashlib
import itertools
import json
import os
import pty
import re
import signal
import socket
import subprocess
import threading
import time

import lib
from lib import check

SHELL = ["/bin/sh", "-c"]


class Proxy:
    """TCP to a port of this machine; cut() drops all and refuses, mend() ends that."""

    def __init__(self, target):
        self.target, self.open, self.pairs, self.moved = target, True, [], 0
        self.s = socket.socket()
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.s.bind(("127.0.0.1", 0))
        self.s.listen(8)
        self.port = self.s.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                a, _ = self.s.accept()
            except OSError:
                return
            if not self.open:
                a.close()
                continue
            try:
                b = socket.create_connection(("127.0.0.1", self.target))
            except OSError:  # it is away; whoever asks comes again
                a.close()
                continue
            self.pairs.append((a, b))
            for x, y in ((a, b), (b, a)):
                threading.Thread(target=self.pump, args=(x, y), daemon=True).start()

    def pump(self, x, y):
        try:
            while True:
                d = x.recv(65536)
                if not d:
                    break
                y.sendall(d)
                self.moved += len(d)
        except OSError:
            pass
        for s in (x, y):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        self.open = False
        for pair in self.pairs:
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs = []

    def mend(self):
        self.open = True

    def stop(self):
        self.cut()
        self.s.close()


class Process:
    def __init__(self, argv, log, **kw):
        self.log = open(log, "ab")
        self.proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=self.log, text=True, **kw)

    def stop(self):
        if self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(5)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        self.log.close()


class Setup:
    """A shared instance (rnsd, or warrend), the node behind it over TCP, a person."""

    def __init__(self, ctx, python=None, ours=False, node=(), more=""):
        self.ctx = ctx
        self.daemon = [os.path.join(ctx.args.build, "warrend")] if ours else \
            [python or ctx.args.python, "-m", "RNS.Utilities.rnsd"]
        self.port = lib.free_port()
        self.name = f"submit-{os.getpid()}-{self.port}"
        self.hub_dir = ctx.stock_dir(lib.config(lib.server("mast", self.port), transport=True, share=True,
                                                instance=self.name, more=more))
        self.hub()
        self.proxy = ctx.keep(Proxy(self.port))
        self.node, self.dest, self.urn = self.start_node("pynode", node, more)
        self.person = ctx.dir("person")
        self.work = ctx.dir("work")

    def start_node(self, name, words=(), more=""):
        node_dir = self.ctx.stock_dir(lib.config(lib.client("to the mast", self.proxy.port), more=more))
        node = self.ctx.keep(Process([self.ctx.args.python, "-m", "klpy.node", "--config", node_dir, "--name", name, *words],
                                     os.path.join(self.ctx.folder, "node.log"), cwd=lib.HERE, stdout=subprocess.PIPE,
                                     env={**os.environ, "TMPDIR": self.ctx.folder}))
        ready = node.proc.stdout.readline().split()
        check(ready[:1] == ["READY"], "the node does not start")
        return node, ready[1], ready[2]

    def hub(self):
        self.rnsd = self.ctx.keep(Process(self.daemon + ["--config", self.hub_dir],
                                          os.path.join(self.ctx.folder, "rnsd.log"), stdout=subprocess.DEVNULL))
        lib.must(lambda: lib.instance_up(self.name), "the shared instance")

    def job(self, text, name="job.yaml", **keys):
        doc = {"image": "host", "command": SHELL + [text], **keys}
        path = os.path.join(self.work, name)
        with open(path, "w") as f:
            json.dump(doc, f)  # every JSON is YAML
        return path

    def argv(self, *words):
        return [os.path.join(self.ctx.args.build, "warren"), *words, "--config", self.hub_dir,
                "--identity", self.person]

    def start(self, *words, **kw):
        # bufsize: communicate() forgets what a readline() before it has read beyond the line
        return subprocess.Popen(self.argv(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, cwd=self.work, bufsize=0, **kw)

    def warren(self, *words, want=0, seconds=2 * lib.PATIENCE_S):
        r = subprocess.run(self.argv(*words), stdin=subprocess.DEVNULL, capture_output=True, cwd=self.work,
                           timeout=seconds)
        check(r.returncode == want, f"warren {words[0]} ended with {r.returncode}, not {want}: {r.stderr.decode()}")
        return r

    def submit(self, path, *words, want=0, **kw):
        return self.warren("submit", path, "--to", self.dest, *words, want=want, **kw)

    def path(self, *parts):
        return os.path.join(self.work, *parts)


def lines(r):
    out = r.stdout if isinstance(r.stdout, bytes) else r
    return [json.loads(x) for x in out.splitlines()]


def test_ends(ctx):
    s = Setup(ctx)
    r = s.submit(s.job("echo out; echo err >&2"), "--out", "a")
    check((r.stdout, r.stderr) == (b"out\n", b"err\n"), f"streams: {r.stdout} {r.stderr}")
    r = s.warren("receipt", "verify", "a")
    check(b"valid" in r.stdout, "the receipt is not said to be valid")
    r = s.submit(s.job("exit 3"), "--json", want=5)
    end = lines(r)[-1]
    check(end["event"] == "end" and end["outcome"] == ["exited", 3] and end["verified"], f"exit code: {end}")
    r = s.submit(s.job("kill -TERM $$; sleep 5"), "--json", want=5)
    check(lines(r)[-1]["outcome"] == ["signalled", 15], f"signal: {lines(r)[-1]}")
    r = s.submit(s.job("sleep 30", limits={"time": "500ms"}), "--json", want=5)
    check(lines(r)[-1]["outcome"] == ["killed", "time"], f"time limit: {lines(r)[-1]}")
    events = lines(r)
    check(events[0]["event"] == "state", f"no state first: {events[0]}")
    check(os.path.isdir(events[-1]["folder"] if os.path.isabs(events[-1]["folder"]) else
                        s.path(events[-1]["folder"])), "no folder")
    r = s.submit(s.job("head -c 400000 /dev/zero"), "--out", "big")
    check(r.stdout == bytes(400000), f"a long stream: {len(r.stdout)} bytes")
    return None


def test_volumes(ctx):
    s = Setup(ctx)
    for d in ("data/sub", "tmp"):
        os.makedirs(s.path(d))
    with open(s.path("data/words"), "w") as f:
        f.write("b\na\n")
    blob = os.urandom(700000)
    with open(s.path("data/sub/big"), "wb") as f:
        f.write(blob)
    with open(s.path("tmp/before"), "w") as f:
        f.write("old\n")
    job = s.job("sort /agent/data/words > /agent/tmp/sorted; cp /agent/data/sub/big /agent/tmp/big;"
                " cat /agent/tmp/before; echo new > /agent/tmp/before",
                volumes=["./data:/agent/data:ro", "./tmp:/agent/tmp:rw"], limits={"output": "4MB"})
    r = s.submit(job, "--out", "a")
    check(r.stdout == b"old\n", f"stdout {r.stdout}")
    check(open(s.path("a/volumes/agent/tmp/sorted")).read() == "a\nb\n", "sorted")
    check(open(s.path("a/volumes/agent/tmp/big"), "rb").read() == blob, "the large file came back changed")
    check(open(s.path("tmp/before")).read() == "old\n", "the local folder was touched")
    s.warren("receipt", "verify", "a")
    s.submit(job, "--in-place")
    check(open(s.path("tmp/before")).read() == "new\n", "not replaced in place")
    kept = [n for n in os.listdir(s.work) if n.startswith("tmp.before-")]
    check(len(kept) == 1 and open(s.path(kept[0], "before")).read() == "old\n", "the old folder is not kept")
    # one changed byte in any file of the folder
    for name in ("stdout", "stderr", "receipt", "manifest", "volumes/agent/tmp/sorted"):
        p = s.path("a", name)
        b = bytearray(open(p, "rb").read())
        if not b:
            b += b"x"
        else:
            b[len(b) // 2] ^= 1
        good = open(p, "rb").read()
        with open(p, "wb") as f:
            f.write(b)
        s.warren("receipt", "verify", "a", want=1)
        with open(p, "wb") as f:
            f.write(good)
    s.warren("receipt", "verify", "a")
    # fetched once more over what is there
    s.warren("result", "a")
    s.warren("receipt", "verify", "a")
    return None


def test_left_out(ctx):
    """What an archive has no form for is told, on the way in and on the way back."""
    s = Setup(ctx)
    os.makedirs(s.path("venv/bin"))
    with open(s.path("venv/pyvenv.cfg"), "w") as f:
        f.write("home = /usr/bin\n")
    os.symlink("/usr/bin/python3", s.path("venv/bin/python"))
    with open(os.path.join(os.fsencode(s.work), b"venv", b"x\xff"), "w") as f:
        f.write("odd\n")
    odd = s.job("cat /in/pyvenv.cfg; ls /in/bin", volumes=["./venv:/in:ro"])
    r = s.submit(odd, "--out", "a")
    check(r.stdout == b"home = /usr/bin\n", f"the rest of the inputs did not travel: {r.stdout}")
    check(b"lack 2" in r.stderr and b"./venv/bin/python: a link" in r.stderr and b"./venv/x\\xff: " in r.stderr,
          f"not told: {r.stderr}")
    event = lines(s.submit(odd, "--json"))[0]
    check(event["event"] == "left_out" and event["of"] == "inputs" and event["left_out"]["count"] == 2 and
          {"target": "/in", "name": "x\\xff", "reason": "name"} in event["left_out"]["items"], f"{event}")
    r = s.submit(odd, "--strict", "--out", "no", want=1)
    check(b"--strict" in r.stderr and not os.path.exists(s.path("no")), f"strict: {r.stderr}")
    # a folder that is not there yet is an empty one; what comes back lacks four
    out = s.job("cd /out; ln -s /etc/passwd a; ln -s ../up u; mkfifo p; echo x > s; chmod 4755 s; echo k > k",
                volumes=["./new:/out:rw"], limits={"output": "1MB"})
    r = s.submit(out, "--out", "b")
    check(b"new: not there yet" in r.stderr, f"an absent folder: {r.stderr}")
    check(b"outputs lack 4" in r.stderr and b"/out/s: packed without" in r.stderr, f"not told: {r.stderr}")
    check(sorted(os.listdir(s.path("b/volumes/out"))) == ["k", "s"], "what was packed")
    check(os.stat(s.path("b/volumes/out/s")).st_mode & 0o7777 == 0o755, "a set-id bit came back")
    kept = json.load(open(s.path("b/result.json")))["left_out"]
    check(kept["count"] == 4 and {(x["name"], x["reason"]) for x in kept["items"]} ==
          {("a", "link"), ("u", "link"), ("p", "type"), ("s", "set-id")}, f"result.json: {kept}")
    s.warren("receipt", "verify", "b")
    check(lines(s.warren("result", "b", "--json"))[-1]["left_out"]["count"] == 4, "result --json")
    s.warren("result", "b", "--strict", want=1)
    s.submit(out, "--in-place")
    check(sorted(os.listdir(s.path("new"))) == ["k", "s"], "in place of nothing")
    r = s.submit(s.job("true", volumes=["./none:/in:ro"]), want=1)
    check(b"none" in r.stderr, f"{r.stderr}")
    return None


def test_detached(ctx):
    s = Setup(ctx)
    r = s.submit(s.job("for i in 1 2 3 4; do echo line $i; sleep 0.3; done; echo e >&2"), "--detach")
    job = r.stdout.decode().strip()
    check(len(job) == 64, f"no id: {r.stdout}")
    r = s.warren("logs", job[:16], "-f")
    check(r.stdout == b"line 1\nline 2\nline 3\nline 4\n" and r.stderr == b"e\n", f"logs -f: {r.stdout} {r.stderr}")
    r = s.warren("logs", job[:16], "--stderr")
    check(r.stdout == b"e\n", f"logs --stderr: {r.stdout}")
    r = s.warren("show", job[:16], "--json")
    check(lines(r)[0]["state"] == "done", f"show: {r.stdout}")
    r = s.warren("result", job[:16])
    check(r.stdout == b"line 1\nline 2\nline 3\nline 4\n", f"result: {r.stdout}")
    s.warren("receipt", "verify", job[:16])
    r = s.warren("jobs", "--to", s.dest, "--json")
    check(any(j["id"] == job for j in lines(r)[0]["jobs"]), "not in the list")
    r = s.warren("result", job[:16], "--out", "elsewhere")
    s.warren("receipt", "verify", "elsewhere")
    s.warren("result", "00" * 32, want=4)  # this machine's, and no daemon
    other = s.start_node("other")[1]  # what it says of the job of another node is not believed
    for verb in "show", "logs", "cancel", "result":
        r = s.warren(verb, job[:16], "--to", other, want=3)
        check(b"not the node that the job was signed for" in r.stderr, f"{verb}: {r.stderr}")
    s.warren("show", job[:16], "--to", s.dest)
    return None


def test_cancelled(ctx):
    s = Setup(ctx)
    p = s.start("submit", s.job("echo begun; sleep 60"), "--to", s.dest, "--out", "a")
    check(p.stdout.readline() == b"begun\n", "not begun")
    job = next(n for n in os.listdir(os.path.join(s.person, "jobs")))
    s.warren("cancel", "a")
    out, err = p.communicate(timeout=lib.PATIENCE_S)
    check(p.returncode == 5, f"ended with {p.returncode}: {err}")
    check(b"cancelled" in err, f"does not say so: {err}")
    r = s.warren("show", job[:12])
    check(b"killed cancelled" in r.stdout, f"show: {r.stdout}")
    return None


def test_interrupted(ctx):
    s = Setup(ctx)
    for sig in (signal.SIGINT, signal.SIGTERM):
        folder = f"i{int(sig)}"
        p = s.start("submit", s.job("echo begun; sleep 2; echo over"), "--to", s.dest, "--out", folder)
        check(p.stdout.readline() == b"begun\n", "not begun")
        p.send_signal(sig)
        out, err = p.communicate(timeout=lib.PATIENCE_S)
        check(p.returncode == 1, f"ended with {p.returncode}: {err}")
        check(b"warren result" in err, f"does not say how to resume: {err}")
        r = s.warren("result", folder)
        check(r.stdout == b"begun\nover\n", f"result: {r.stdout}")
        s.warren("receipt", "verify", folder)
    return None


SLICE = 262144  # what is under way when a link breaks is lost, and no more


def cut(s, phase, *words):
    """The command interrupted while it moves bytes of that phase; its events, and what it said."""
    p = s.start(*words, "--json")
    events = []
    for line in p.stdout:
        e = json.loads(line)
        events.append(e)
        if e["event"] == "progress" and e["phase"] == phase and SLICE < e["bytes"] < e["total"]:
            break
    else:
        check(False, f"no progress of the {phase} was seen: {p.stderr.read()}")
    p.send_signal(signal.SIGINT)
    _, err = p.communicate(timeout=10)
    check(p.returncode == 1, f"ended with {p.returncode}: {err}")
    return events, err


def test_goes_on(ctx):
    """A transfer that was cut off begins where it ended, both ways."""
    s = Setup(ctx)
    os.makedirs(s.path("data"))
    blob = os.urandom(6000000)
    with open(s.path("data/blob"), "wb") as f:
        f.write(blob)
    job = s.job("cp /in/blob /out/blob", volumes=["./data:/in:ro", "./out:/out:rw"], limits={"output": "8MB"})
    before, err = cut(s, "upload", "submit", job, "--to", s.dest)
    check(b"The job waits 36 hours" in err and b"goes on" in err, f"says: {err}")
    ids = os.listdir(os.path.join(s.person, "jobs"))
    check(len(ids) == 1, f"jobs: {ids}")
    folder = ids[0][:16]
    # the same file again is the same job, and the node has what it has
    after, err = cut(s, "download", "submit", job, "--to", s.dest)
    check(b"going on" in err and b"The job has ended" in err, f"says: {err}")
    check(os.listdir(os.path.join(s.person, "jobs")) == ids, "another job was made")
    uploads = [e["bytes"] for e in after if e["event"] == "progress" and e["phase"] == "upload"]
    check(uploads and uploads[0] >= before[-1]["bytes"] - SLICE, f"uploaded again: {before[-1]}, then {uploads[:1]}")
    parts = [n for n in os.listdir(s.path(folder)) if n.endswith(".part")]
    check(len(parts) == 1, f"kept: {os.listdir(s.path(folder))}")
    size = os.stat(s.path(folder, parts[0])).st_size
    check(size > 0, "nothing of the output was kept")
    rest = [e["bytes"] for e in lines(s.warren("result", folder, "--json"))
            if e["event"] == "progress" and e["phase"] == "download"]
    check(rest and rest[0] >= size, f"what was here, {size} bytes, was fetched again: {rest[:1]}")
    check(open(s.path(folder, "volumes/out/blob"), "rb").read() == blob, "not what was sent")
    check(not [n for n in os.listdir(s.path(folder)) if n.endswith(".part")], "parts stay")
    s.warren("receipt", "verify", folder)
    moved = s.proxy.moved
    s.warren("result", folder)
    check(s.proxy.moved - moved < 100000, "a whole result was fetched again")
    s.submit(job)
    check(len(os.listdir(os.path.join(s.person, "jobs"))) == 2, "a job that has ended was taken for one that waits")
    return None


def test_chunks(ctx):
    """Of a changed volume the changed chunks go, whether it grows, shrinks, or is the same under another name."""
    s = Setup(ctx)
    os.makedirs(s.path("data"))
    blob = bytearray(os.urandom(1500000))

    def went(text, **keys):
        """Bytes on the wire for one job over the folder as it is now."""
        with open(s.path("data/blob"), "wb") as f:
            f.write(blob)
        moved = s.proxy.moved
        r = s.submit(s.job(text, volumes=["./data:/in:ro"], **keys))
        check(r.stdout.split()[0].decode() == hashlib.sha256(blob).hexdigest(), f"it is not what was sent: {r.stdout}")
        return s.proxy.moved - moved
    whole = went("sha256sum /in/blob")
    check(1500000 < whole < 1900000, f"the whole took {whole} bytes")
    blob[700000:700000] = b"some bytes more"
    some = went("sha256sum < /in/blob")
    check(some < 150000, f"15 bytes more took {some} bytes")
    same = went("sha256sum < /in/blob; true")
    check(same < 20000, f"nothing new took {same} bytes")
    del blob[100000:400000]
    blob[900000:900010] = b"0123456789"
    some = went("sha256sum < /in/blob")
    check(some < 200000, f"two changes took {some} bytes")
    return None


def test_broken_link(ctx):
    s = Setup(ctx)
    text = "for i in $(seq 1 25); do echo line $i; sleep 0.4; done"
    want = "".join(f"line {i}\n" for i in range(1, 26)).encode()
    p = s.start("submit", s.job(text), "--to", s.dest, "--out", "a")
    p.stdout.readline()
    s.proxy.cut()
    lib.quiet(3, "the link is away for longer than a packet may take")
    s.proxy.mend()
    out, err = p.communicate(timeout=3 * lib.PATIENCE_S)
    check(p.returncode == 0, f"ended with {p.returncode}: {err}")
    check(open(s.path("a/stdout"), "rb").read() == want, f"lost: {out}")
    check(b"line 1\n" + out == want, f"printed: {out}")
    s.warren("receipt", "verify", "a")
    return None


def test_instance_restarted(ctx):
    s = Setup(ctx)
    text = "for i in $(seq 1 25); do echo line $i; sleep 0.4; done"
    p = s.start("submit", s.job(text), "--to", s.dest, "--out", "a")
    p.stdout.readline()
    s.rnsd.stop()
    lib.quiet(1, "the instance is away, not only restarted")
    s.hub()
    out, err = p.communicate(timeout=3 * lib.PATIENCE_S)
    check(p.returncode == 0, f"ended with {p.returncode}: {err}")
    want = "".join(f"line {i}\n" for i in range(2, 26)).encode()
    check(out == want, f"printed: {out}")
    s.warren("receipt", "verify", "a")
    return None


def test_budget(ctx):
    """A budget that is used up is said to be whose it is, and how long all of it takes."""
    s = Setup(ctx, node=("--busy", "2"))
    os.makedirs(s.path("data"))
    with open(s.path("data/blob"), "wb") as f:
        f.write(os.urandom(700000))
    job = s.job("true", volumes=["./data:/in:ro"])
    r = s.submit(job, "--json")
    said = r.stderr.decode()
    check(said.count("your budget of bytes on this node is used up: 2.0 KiB of 1.0 MiB a minute left, full again in "
                     "50 s; what is to be moved still takes about 41 s") == 1, f"says: {said}")
    before = re.search(r"the upload of 686 KiB takes about (\d+) s: your budget on this node is 1.0 MiB a minute", said)
    check(before and 20 < int(before.group(1)) <= 40, f"does not say it before: {said}")  # it fills meanwhile
    budget = [e for e in lines(r) if e["event"] == "budget" and e["phase"] == "upload"]
    check(budget and not any(e["kept"] for e in budget), f"it was asked now: {budget}")
    busy = [e for e in lines(r) if e["event"] == "busy"]
    check(busy == [{"event": "busy", "code": "bytes", "of": "peer", "limit": 1 << 20, "left": 2048, "full_s": 50,
                    "wait_s": 1, "transfer_s": 41}], f"json: {busy}")
    return None


def test_at_once(ctx):
    """The path's answer of a stock instance takes up to a second: a known node is not made to wait for it."""
    s = Setup(ctx)
    job = s.job("true")

    def shown():
        """What a person sees: a program whose standard error is a terminal says what it waits for."""
        a, b = pty.openpty()
        p = subprocess.Popen(s.argv("submit", job, "--to", s.dest), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=b, cwd=s.work)
        os.close(b)
        text = b""
        try:
            while chunk := os.read(a, 65536):
                text += chunk
        except OSError:
            pass  # so ends a terminal
        os.close(a)
        check(p.wait(60) == 0, f"ended with {p.returncode}: {text}")
        return text
    check(b"looking for a path" in shown(), "the first time no path is looked for")
    again = shown()
    check(b"setting up a link" in again and b"looking for a path" not in again, f"a path is waited for: {again}")
    # a way that holds no longer: the answer shows another one, and all goes well
    path = os.path.join(s.person, "ways")
    dest, hop, rest = open(path).read().split(" ", 2)
    with open(path, "w") as f:
        f.write(" ".join((dest, "00" * 16, rest)))
    s.submit(job)
    check(open(path).read().split(" ", 2) == [dest, hop, rest], "the way is not noted anew")
    with open(path, "w") as f:
        f.write(" ".join((dest, hop, rest.replace(rest[3:9], "000000", 1))))  # nobody's key
    s.submit(job)
    check(open(path).read().split(" ", 2) == [dest, hop, rest], "the way is not noted anew")
    return None


def test_trust(ctx):
    s = Setup(ctx)
    job = s.job("echo hi")
    # by name: anybody can announce it
    r = s.warren("submit", job, "--to", "pynode", want=3)
    check(b"pinned" in r.stderr, f"says: {r.stderr}")
    check(not [n for n in os.listdir(s.work) if len(n) == 16], "a refused job left a folder")
    path = os.path.join(s.person, "submit.yaml")
    with open(path, "w") as f:
        f.write(f"pins: [{{id: \"{s.urn}\", level: 1}}]\n")
    s.warren("submit", job, "--to", "pynode", "--out", "a")
    s.warren("submit", job, "--to", s.urn, "--out", "u")
    with open(path, "w") as f:
        f.write(f"pins: [{{id: \"{s.urn}\", level: -1}}]\n")
    s.submit(job, want=3)
    with open(path, "w") as f:
        f.write("floor: 2\n")
    s.submit(job, want=3)
    with open(path, "w") as f:
        f.write("flour: 2\n")
    r = s.submit(job, want=2)
    check(b"submit.yaml:1:1" in r.stderr and b"floor" in r.stderr, f"says: {r.stderr}")
    os.unlink(path)
    s.submit(job)
    return None


def test_errors(ctx):
    s = Setup(ctx)
    with open(s.path("bad.yaml"), "w") as f:
        f.write("image: x\ncomand: [a]\n")
    r = s.submit(s.path("bad.yaml"), want=2)
    check(b"bad.yaml:2:1" in r.stderr, f"says: {r.stderr}")
    r = s.submit(s.path("absent.yaml"), want=2)
    r = s.warren("submit", s.job("true"), "--to", "00" * 16, "--timeout", "2s", want=4)
    check(b"no answer" in r.stderr, f"says: {r.stderr}")
    r = s.warren("describe", "abcdef0123", want=4, seconds=20)  # not for two minutes
    check(b"listening for it for 3.0 s" in r.stderr and b"32 digits" in r.stderr, f"says: {r.stderr}")
    r = s.warren("submit", s.job("true"), "--to", "nobody", "--timeout", "1s", "--json", want=4)
    check(lines(r)[-1]["event"] == "error", f"{r.stdout}")
    os.makedirs(s.path("taken"))
    s.submit(s.job("true"), "--out", "taken", want=2)
    s.rnsd.stop()
    r = s.submit(s.job("true"), want=4)
    check(b"rnsd" in r.stderr, f"says: {r.stderr}")
    return None


def test_not_handed_over(ctx):
    """A message that nobody took may have arrived: the job stays the same one, by message and over a link."""
    s = Setup(ctx)
    os.makedirs(s.path("data"))
    with open(s.path("data/blob"), "wb") as f:
        f.write(os.urandom(200000))
    job = s.job("wc -c < /in/blob", volumes=["./data:/in:ro"])
    twice = "ab" * 16 + "," + "11" * 16 + "," + "AB" * 16
    r = s.submit(job, "--via-lxmf", twice, want=2)
    check(b"--via-lxmf has " + b"AB" * 16 + b" twice" in r.stderr, f"says: {r.stderr}")
    mail = ("--out", "a", "--via-lxmf", "11" * 16, "--timeout", "1s")
    r = s.submit(job, *mail, want=4)
    check(b"sends the same job again" in r.stderr and b"warren result" in r.stderr, f"says: {r.stderr}")
    check("manifest" in os.listdir(s.path("a")), "the folder is gone")
    ids = os.listdir(os.path.join(s.person, "jobs"))
    r = s.submit(job, *mail, want=4)
    check(b"going on with the job that was not handed over" in r.stderr, f"says: {r.stderr}")
    r = s.submit(job)
    check(r.stdout == b"200000\n" and b"going on" in r.stderr, f"over a link: {r.stdout} {r.stderr}")
    check(os.listdir(os.path.join(s.person, "jobs")) == ids, "another job was made")
    s.warren("receipt", "verify", "a")
    return None


def test_late_letter(ctx):
    """By letter nobody can be asked of a job that came too late: it is signed anew, once for each time that it is late."""
    s = Setup(ctx)
    job = s.job("echo hi", deadline="2s")

    def sent(*words):
        r = s.submit(job, "--via-lxmf", "11" * 16, "--timeout", "1s", *words, want=4)
        noted = os.listdir(os.path.join(s.person, "jobs"))
        return b"signed anew" in r.stderr, set(noted), r.stderr

    def nonce(folder):
        with open(s.path(folder, "manifest")) as f:
            payload = json.load(f)["payload"]
        m = json.loads(base64.b64decode(payload))
        return m["nonce"], m["deadline"]

    anew, before, said = sent("--out", "a")
    check(not anew and len(before) == 1, f"the first: {said}")
    kept, ends = nonce("a")
    for n in range(2):
        lib.must(lambda: time.time() > ends + 1, "its deadline")
        anew, noted, said = sent("--out", "a")
        check(anew, f"late {n}: {said}")
        check(len(noted) == 1 and noted != before, f"what took its place is another: {noted} {before}")
        again, ends = nonce("a")
        check(again == kept and ends > time.time() - 2, f"late {n}: {again} {kept} {ends}")
        before = noted
    # without a folder that is named, one more each: what is late stays for its answer
    lib.must(lambda: time.time() > ends + 1, "its deadline")
    anew, two, said = sent()
    check(anew and len(two) == 2 and before < two, f"in a folder of its own: {said} {two}")
    check("inputs.part" not in os.listdir(s.path("a")), "the one that is late is still gone on with")
    return None


def test_kept(ctx):
    """What a node has told is kept; where it is not that any more, or not for this person, it is asked once."""
    moods = ctx.dir("moods")
    s = Setup(ctx, node=["--moods", moods])
    asked, kept = os.path.join(moods, "asked"), os.path.join(s.person, "contacts", s.dest)
    job = s.job("echo hi")

    def becomes(mood):
        with open(os.path.join(moods, mood), "w"):
            pass

    def did(what, want, run):
        with open(asked, "w"):
            pass
        r = run()
        with open(asked) as f:
            got = f.read().split("\n")[:-1]
        # a request may be repeated when its answer is late
        short = [x for x, _ in itertools.groupby(got) if x.startswith(("describe", "job/submit"))]
        check(short == want, f"{what}: it was asked {short}")
        return r

    def submits(out, *words, want=0):
        return lambda: s.submit(job, "--out", out, *words, want=want)

    did("the first", ["describe b", "job/submit"], submits("a"))
    did("the next", ["job/submit"], submits("b"))
    did("its result", [], lambda: s.warren("result", "b", "--out", "b2"))
    did("afresh", ["describe b", "job/submit"], submits("c", "--fresh"))
    becomes("forgets")
    did("forgotten", ["job/submit", "job/submit b"], submits("d"))
    becomes("forgets")
    did("forgotten, its state", ["describe b"], lambda: s.warren("show", "d"))
    before = len(os.listdir(os.path.join(s.person, "jobs")))
    becomes("rekeyed")
    r = did("another key", ["job/submit", "describe b", "job/submit"], submits("e"))
    check(r.stdout == b"hi\n" and b"signed anew" in r.stderr, f"another key: {r.stdout} {r.stderr}")
    check(len(os.listdir(os.path.join(s.person, "jobs"))) == before + 1, "the refused job stays noted")
    s.warren("receipt", "verify", "e")
    # a small output comes with the receipt
    os.makedirs(s.path("o"))
    out = s.job("echo made > /o/file", name="o.yaml", volumes=["./o:/o:rw"], limits={"output": "1MB"})
    did("with an output", ["job/submit", "job/submit"], lambda: s.submit(out, "--out", "w"))
    with open(asked) as f:
        check(not {"blob/get", "job/result", "job/log"} & set(f.read().split("\n")), "an output was fetched by itself")
    check(open(s.path("w/volumes/o/file")).read() == "made\n", "the output")
    s.warren("receipt", "verify", "w")
    for i in range(2):
        becomes("ahead")
        r = did("another clock", [*(["describe b"] if i else ["job/submit", "describe b"]), "job/submit"],
                submits(f"f{i}"))
        check((b"signed anew" in r.stderr) == (i == 0), f"another clock: {r.stderr}")
    with open(kept, "rb") as f:
        whole = f.read()
    for what, said, bad in (("cut", b"damaged", whole[:100]), ("as it was written before", b"version", whole[5:250]),
                            ("one bit", b"damaged", whole[:60] + bytes([whole[60] ^ 1]) + whole[61:])):
        with open(kept, "wb") as f:
            f.write(bad)
        r = did(what, ["describe b", "job/submit"], submits("g" + what[:2]))
        check(b"is not taken" in r.stderr and said in r.stderr, f"{what}: {r.stderr}")
    return None


def test_slow_node(ctx):
    """One that takes longer to answer than what it was asked takes to be asked again."""
    # what is larger than a small packet is a resource, which is not sent twice at once
    s = Setup(ctx, node=("--slow", "5"), more="link_mtu_discovery = no\n")
    r = s.submit(s.job("echo at last"), "--out", "a")
    check(r.stdout == b"at last\n", f"{r.stdout} {r.stderr}")
    check(len(os.listdir(os.path.join(s.person, "jobs"))) == 1, "more than one job was made")
    return None


def test_old(ctx):
    s = Setup(ctx, ctx.args.python_old)
    r = s.submit(s.job("echo old instance"), "--out", "a")
    check(r.stdout == b"old instance\n", f"{r.stdout}")
    s.warren("receipt", "verify", "a")
    return None


def test_ours(ctx):
    s = Setup(ctx, ours=True)
    r = s.submit(s.job("echo through warrend; head -c 300000 /dev/zero >&2"), "--out", "a")
    check(r.stdout == b"through warrend\n" and r.stderr == bytes(300000), f"{r.stdout} {len(r.stderr)}")
    s.warren("receipt", "verify", "a")
    text = "for i in $(seq 1 25); do echo line $i; sleep 0.4; done"
    p = s.start("submit", s.job(text), "--to", s.dest, "--out", "b")
    p.stdout.readline()
    s.rnsd.stop()
    lib.quiet(1, "the instance is away, not only restarted")
    s.hub()
    out, err = p.communicate(timeout=3 * lib.PATIENCE_S)
    check(p.returncode == 0, f"ended with {p.returncode}: {err}")
    check(out == "".join(f"line {i}\n" for i in range(2, 26)).encode(), f"printed: {out}")
    s.warren("receipt", "verify", "b")
    return None


TESTS = [(f"submit/{f.__name__[5:]}", f) for f in
         (test_ends, test_volumes, test_left_out, test_detached, test_cancelled, test_interrupted, test_goes_on,
          test_chunks, test_broken_link, test_budget, test_at_once, test_instance_restarted, test_trust, test_errors,
          test_kept, test_old, test_ours)]
LONG = [("submit/not_handed_over", test_not_handed_over), ("submit/late_letter", test_late_letter),
        ("submit/slow_node", test_slow_node)]
