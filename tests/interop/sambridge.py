# SPDX-License-Identifier: BSD-2-Clause
"""An I2P router as its SAM bridge (3.1) shows it, without I2P: sessions and
streams between the programs that are connected to it."""

import base64
import hashlib
import os
import random
import re
import socket
import threading


def i2p64(raw):
    return base64.b64encode(raw, b"-~").decode()


def raw64(text):
    return base64.b64decode(text.encode(), b"-~")


def new_key():
    """A destination with a certificate of four bytes, and private keys."""
    public = os.urandom(384) + b"\x05\x00\x04\x00\x07\x00\x00"
    return i2p64(public + os.urandom(288))


def public_of(key):
    raw = raw64(key)
    return raw[:387 + int.from_bytes(raw[385:387], "big")]


def b32_of(key):
    return base64.b32encode(hashlib.sha256(public_of(key)).digest()).decode().lower().rstrip("=") + ".b32.i2p"


def key_file(name):
    """Where Reticulum looks first, whatever its transport identity is."""
    return hashlib.sha256(hashlib.sha256(name.encode()).digest()).hexdigest() + ".i2p"


class Bridge:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=32)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.sessions = {}  # id -> key
        self.waiting = {}   # id -> connections that accept
        self.held = {}      # address -> threading.Event: its session is not there before
        self.lines = []     # what was said
        self.sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.sockets.append(s)
            threading.Thread(target=self._serve, args=(s,), daemon=True).start()

    def stop(self):
        self.listener.close()
        self.drop()

    def drop(self):
        """Every connection breaks, as when a router ends."""
        for s in self.sockets:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.sockets = []

    @staticmethod
    def _line(s):
        out = b""
        while not out.endswith(b"\n"):
            c = s.recv(1)
            if not c:
                raise OSError("end")
            out += c
        return out[:-1].decode()

    def _serve(self, s):
        session = None
        try:
            while True:
                line = self._line(s)
                self.lines.append(line)
                words = dict(re.findall(r"(\w+)=(\S*)", line))
                if line.startswith("HELLO VERSION"):
                    s.sendall(b"HELLO REPLY RESULT=OK VERSION=3.1\n")
                elif line.startswith("DEST GENERATE"):
                    key = new_key()
                    s.sendall(f"DEST REPLY PUB={i2p64(public_of(key))} PRIV={key}\n".encode())
                elif line.startswith("SESSION CREATE"):
                    key = words["DESTINATION"]
                    key = new_key() if key == "TRANSIENT" else key
                    if b32_of(key) in self.held:
                        self.held[b32_of(key)].wait()
                    with self.lock:
                        taken = key in self.sessions.values()
                        if not taken:
                            session = words["ID"]
                            self.sessions[session] = key
                    s.sendall(b"SESSION STATUS RESULT=DUPLICATED_DEST\n" if taken else
                              f"SESSION STATUS RESULT=OK DESTINATION={key}\n".encode())
                elif line.startswith("NAMING LOOKUP"):
                    s.sendall(self._lookup(words["NAME"], session).encode() + b"\n")
                elif line.startswith("STREAM CONNECT"):
                    self._connect(s, words)
                    return
                elif line.startswith("STREAM ACCEPT"):
                    with self.lock:
                        self.waiting.setdefault(words["ID"], []).append(s)
                    s.sendall(b"STREAM STATUS RESULT=OK\n")
                    return
                else:
                    s.sendall(b"UNKNOWN\n")
        except OSError:
            pass
        finally:
            if session is not None:
                with self.lock:
                    del self.sessions[session]
                    for w in self.waiting.pop(session, []):
                        w.close()
                s.close()

    def _lookup(self, name, session):
        with self.lock:
            for key in self.sessions.values():
                if b32_of(key) == name:
                    return f"NAMING REPLY RESULT=OK NAME={name} VALUE={i2p64(public_of(key))}"
            if name == "ME" and session is not None:
                return f"NAMING REPLY RESULT=OK NAME=ME VALUE={i2p64(public_of(self.sessions[session]))}"
        return f"NAMING REPLY RESULT=KEY_NOT_FOUND NAME={name}"

    def _connect(self, s, words):
        with self.lock:
            mine = self.sessions.get(words["ID"])
            other = next((i for i, k in self.sessions.items()
                          if i2p64(public_of(k)) == words["DESTINATION"]), None)
            queue = self.waiting.get(other, [])
            far = queue.pop(0) if queue and mine else None
        if far is None:
            s.sendall(b'STREAM STATUS RESULT=CANT_REACH_PEER MESSAGE="nobody accepts"\n')
            s.close()
            return
        s.sendall(b"STREAM STATUS RESULT=OK\n")
        far.sendall(i2p64(public_of(mine)).encode() + b"\n")
        for a, b in ((s, far), (far, s)):
            threading.Thread(target=self._pipe, args=(a, b), daemon=True).start()

    @staticmethod
    def _pipe(a, b):
        try:
            while True:
                data = a.recv(random.choice([1, 7, 4096]))
                if not data:
                    break
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
