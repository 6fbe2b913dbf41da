# SPDX-License-Identifier: BSD-2-Clause
"""Raw Reticulum packets over TCP for benchmarks: no stack, so that the peer's own cost does not count."""

import hashlib
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from waiting import quiet, until  # noqa: E402,F401


def sha(b):
    return hashlib.sha256(b).digest()


def frame(raw):
    return b"\x7e" + raw.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e") + b"\x7e"


def connected(port):
    """A connection, or None."""
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=5)
    except OSError:
        return None


class Program:
    """One that is measured, with a folder of its own."""

    def __init__(self, argv, config):
        self.dir = tempfile.mkdtemp(prefix="warren-bench-")
        os.chmod(self.dir, 0o700)
        self.argv = argv
        with open(os.path.join(self.dir, "config"), "w") as f:
            f.write(config)
        os.chmod(os.path.join(self.dir, "config"), 0o600)

    def run(self):
        self.began = time.monotonic()
        self.p = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end(self):
        self.p.send_signal(signal.SIGTERM)
        try:
            self.p.wait(10)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()

    def stop(self):
        self.end()
        shutil.rmtree(self.dir, ignore_errors=True)


class Sock:
    """A TCP connection that speaks HDLC frames."""

    def __init__(self, port):
        self.s = until(lambda: connected(port), f"port {port}", 20)
        if self.s is None:
            raise OSError(f"nobody listens on port {port}")
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.s.setblocking(False)
        self.buf = b""

    def send(self, data):
        while data:
            try:
                data = data[self.s.send(data):]
            except BlockingIOError:
                select.select([], [self.s], [], 1)

    def count(self, want, timeout, prefix=None):
        """Frames that came until `want` of them have, or time is out; prefix filters by what follows the header."""
        got, end = 0, time.time() + timeout
        while got < want and time.time() < end:
            r, _, _ = select.select([self.s], [], [], 0.2)
            if not r:
                continue
            data = self.s.recv(1 << 18)
            if not data:
                break
            parts = (self.buf + data).split(b"\x7e")
            self.buf = parts.pop()
            got += sum(1 for p in parts if len(p) > 19 and (prefix is None or prefix in p))
        return got

    def frames(self, timeout):
        end = time.time() + timeout
        while time.time() < end:
            r, _, _ = select.select([self.s], [], [], max(0, min(end - time.time(), 0.1)))
            if not r:
                continue
            data = self.s.recv(1 << 18)
            if not data:
                return
            parts = (self.buf + data).split(b"\x7e")
            self.buf = parts.pop()
            for p in parts:
                if len(p) > 19:
                    yield p.replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")


def raw_public(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


class Dest:
    """A destination that can be announced."""

    def __init__(self, name="bench.dest", of=None):
        """of: another one of the same identity, which is made quicker."""
        if of is not None:
            self.ed, self.pub = of.ed, of.pub
        else:
            self.ed = ed25519.Ed25519PrivateKey.generate()
            self.pub = os.urandom(32) if name is None else raw_public(x25519.X25519PrivateKey.generate())
            self.pub += raw_public(self.ed)
        self.name_hash = sha(name.encode())[:10]
        self.hash = sha(self.name_hash + sha(self.pub)[:16])[:16]

    def announce(self, emitted=None):
        blob = os.urandom(5) + int(emitted or time.time()).to_bytes(5, "big")
        sig = self.ed.sign(self.hash + self.pub + self.name_hash + blob)
        return b"\x01\x00" + self.hash + b"\0" + self.pub + self.name_hash + blob + sig


def packet_to(dest, transport_id, size, i):
    """HEADER_2 data packet with `size` bytes of data, different for each i."""
    return b"\x50\x00" + transport_id + dest + b"\0" + struct.pack(">Q", i) + os.urandom(size - 8)


def cpu_ns(pids):
    """Nanoseconds on a processor, of all threads that these processes have and had."""
    return sum(time.clock_gettime_ns(~pid << 3 | 2) for pid in pids)  # clock_getcpuclockid(3), CPUCLOCK_SCHED


def tree(pid):
    """The process and its children, all the way down."""
    out, todo = [], [pid]
    while todo:
        p = todo.pop()
        out.append(p)
        try:
            for t in os.listdir(f"/proc/{p}/task"):
                with open(f"/proc/{p}/task/{t}/children") as f:
                    todo += [int(c) for c in f.read().split()]
        except OSError:
            pass
    return out


def pss_kb(pids):
    total = 0
    for p in pids:
        with open(f"/proc/{p}/smaps_rollup") as f:
            total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
    return total
