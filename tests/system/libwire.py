# SPDX-License-Identifier: BSD-2-Clause
"""Raw Reticulum packets over TCP, without a stack and without a library for
signatures: what a relay must pass on, whatever else happens on it."""
import hashlib
import os
import select
import socket
import threading
import time

from lib import PATIENCE_S, quiet, until

# ---- Ed25519, RFC 8032 5.1; slow and not constant in time: for tests ----

P = 2 ** 255 - 19
ORDER = 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def point_add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_mul(s, p):
    q = (0, 1, 1, 0)
    while s:
        if s & 1:
            q = point_add(q, p)
        p = point_add(p, p)
        s >>= 1
    return q


def base_point():
    y = 4 * pow(5, P - 2, P) % P
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if x * x % P != xx:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x & 1:
        x = P - x
    return x, y, 1, x * y % P


BASE_POINT = base_point()


def compress(p):
    z = pow(p[2], P - 2, P)
    x, y = p[0] * z % P, p[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def sha512_int(data):
    return int.from_bytes(hashlib.sha512(data).digest(), "little")


class SignKey:
    def __init__(self):
        h = hashlib.sha512(os.urandom(32)).digest()
        a = int.from_bytes(h[:32], "little")
        self.a = a & (1 << 254) - 8 | 1 << 254
        self.prefix = h[32:]
        self.public = compress(point_mul(self.a, BASE_POINT))

    def sign(self, message):
        r = sha512_int(self.prefix + message) % ORDER
        big_r = compress(point_mul(r, BASE_POINT))
        k = sha512_int(big_r + self.public + message) % ORDER
        return big_r + ((r + k * self.a) % ORDER).to_bytes(32, "little")


# ---- packets ----

def sha(data):
    return hashlib.sha256(data).digest()


class Dest:
    """A destination that can be announced."""

    def __init__(self, name="test.steady"):
        self.key = SignKey()
        self.public = os.urandom(32) + self.key.public
        self.name_hash = sha(name.encode())[:10]
        self.hash = sha(self.name_hash + sha(self.public)[:16])[:16]

    def announce(self):
        blob = os.urandom(5) + int(time.time()).to_bytes(5, "big")
        signed = self.hash + self.public + self.name_hash + blob
        return b"\x01\x00" + self.hash + b"\0" + signed[16:] + \
            self.key.sign(signed)


def frame(raw):
    return b"\x7e" + raw.replace(b"\x7d", b"\x7d\x5d").replace(
        b"\x7e", b"\x7d\x5e") + b"\x7e"


def connected(port):
    """A connection, or None."""
    try:
        return socket.create_connection(("127.0.0.1", port), 5)
    except OSError:
        return None


class Frames:
    """A TCP connection that speaks HDLC frames."""

    def __init__(self, port, seconds=PATIENCE_S):
        self.s = until(lambda: connected(port), "port %d" % port, seconds)
        if self.s is None:
            raise OSError("nobody listens on port %d" % port)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.s.settimeout(PATIENCE_S)
        self.rest = b""

    def send(self, raw):
        self.s.sendall(frame(raw))

    def receive(self, seconds):
        """Packets that came within so many seconds, at least one when there
        is one; None at the end of the connection."""
        if not select.select([self.s], [], [], seconds)[0]:
            return []
        data = self.s.recv(1 << 18)
        if not data:
            return None
        parts = (self.rest + data).split(b"\x7e")
        self.rest = parts.pop()
        return [p.replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")
                for p in parts if len(p) >= 19]


def path_through(near, far, dest):
    """Announce dest at far; the id of the relay that near is told."""
    def told():
        for raw in near.receive(0.2) or []:
            if raw[0] & 0x43 == 0x41 and raw[18:34] == dest.hash:
                return raw[2:18]
        return None
    far.send(dest.announce())
    return until(told, "an announce on the other side")


class Traffic:
    """Packets, one every `interval` seconds, from one side of the relay to
    the other; each has its number."""

    def __init__(self, near_port, far_port, interval=0.004, size=300):
        self.near, self.far = self._connect(near_port, far_port)
        self.dest = Dest()
        self.relay = path_through(self.near, self.far, self.dest)
        self.interval, self.size = interval, size
        self.sent_at, self.seen = [], set()
        self.worst = 0.0
        self.twice = 0
        self.going = self.relay is not None
        self.reading = self.going
        self.error = None
        if self.going:
            self.threads = [threading.Thread(target=f, daemon=True)
                            for f in (self._send, self._receive)]
            for t in self.threads:
                t.start()

    def _connect(self, near_port, far_port):
        return Frames(near_port), Frames(far_port)

    def _send(self):
        try:
            while self.going:
                n = len(self.sent_at)
                self.sent_at.append(time.monotonic())
                self.near.send(b"\x50\x00" + self.relay + self.dest.hash +
                               b"\0" + n.to_bytes(8, "big") +
                               os.urandom(self.size - 8))
                quiet(self.interval, "the pace of the traffic")
        except OSError as e:
            self.error = "sending: %s" % e

    def _receive(self):
        try:
            while self.reading:
                got = self.far.receive(0.2)
                if got is None:
                    self.error = "the relay closed the connection"
                    return
                for raw in got:
                    if raw[0] & 0x43 or raw[2:18] != self.dest.hash:
                        continue
                    n = int.from_bytes(raw[19:27], "big")
                    if n in self.seen:
                        self.twice += 1
                    if n < len(self.sent_at):
                        self.seen.add(n)
                        late = time.monotonic() - self.sent_at[n]
                        self.worst = max(self.worst, late)
        except OSError as e:
            self.error = "receiving: %s" % e

    def mark(self):
        """Where we are, for flows_since()."""
        return len(self.sent_at)

    def flows_since(self, mark):
        """Whether packets sent after the mark arrive."""
        return until(lambda: any(n > mark for n in list(self.seen)[-200:]),
                     "a packet sent after number %d" % mark)

    def more(self, count):
        """Goes on until so many more packets are sent."""
        mark = self.mark()
        until(lambda: self.mark() >= mark + count or not self.going or
              self.error, "%d more packets" % count)

    def end(self):
        """Stop, wait for what is on its way: (sent, lost)."""
        self.going = False
        if self.relay is None:
            return 0, 0
        self.threads[0].join(PATIENCE_S)
        until(lambda: len(self.seen) >= len(self.sent_at),
              "every packet that was sent")
        self.reading = False
        self.threads[1].join(PATIENCE_S)
        self.near.s.close()
        self.far.s.close()
        return len(self.sent_at), len(self.sent_at) - len(self.seen)
