# SPDX-License-Identifier: BSD-2-Clause
"""A daemon of Docker's of a test's own, in a folder that goes with it; and one
that stands before it and can misbehave."""
import contextlib
import glob
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading

from lib import PATIENCE_S, until


def missing():
    """None, or why there is none."""
    if os.geteuid() != 0:
        return "its daemon is asked by root only"
    return None if shutil.which("dockerd") else "dockerd is not installed"


class Docker:
    def __init__(self, conf=None):
        self.folder = tempfile.mkdtemp(prefix="warren-docker.")
        self.socket = os.path.join(self.folder, "d.sock")
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.groups = set(glob.glob("/sys/fs/cgroup/**/docker", recursive=True))
        path = os.path.join(self.folder, "daemon.json")
        with open(path, "w") as f:
            json.dump(conf or {}, f)
        self.process = subprocess.Popen(
            ["dockerd", "--config-file", path, "--host", "unix://" + self.socket, "--bridge", "none",
             "--iptables=false", "--ip6tables=false", "--storage-driver", "vfs"] +
            [w for d in ("data", "exec") for w in ("--%s-root" % d, os.path.join(self.folder, d))] +
            ["--pidfile", os.path.join(self.folder, "pid")],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.up = until(lambda: self.process.poll() is not None or self.get("/_ping")[:1] == b"2", "dockerd", PATIENCE_S)
        self.up = self.up and self.process.poll() is None

    def get(self, path, method="GET"):
        """Status and content; "" where nobody answers."""
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(PATIENCE_S)
                s.connect(self.socket)
                s.sendall(("%s %s HTTP/1.0\r\nHost: d\r\n\r\n" % (method, path)).encode())
                text = b"".join(iter(lambda: s.recv(65536), b""))
        except OSError:
            return b""
        head, _, body = text.partition(b"\r\n\r\n")
        return head.split(b" ", 2)[1] + b" " + body if head else b""

    def containers(self):
        """Their names; None: it does not say."""
        status, _, body = self.get("/containers/json?all=1").partition(b" ")
        return [c["Names"][0] for c in json.loads(body)] if status == b"200" else None

    def images(self):
        """Their names, sorted."""
        body = self.get("/images/json").partition(b" ")[2]
        return sorted(t for i in json.loads(body) for t in i["RepoTags"] or ["?"])

    def put_image(self, name, labels):
        """An image of nothing with these labels."""
        subprocess.run(["docker", "-H", "unix://" + self.socket, "import"] +
                       [w for k in labels for w in ("--change", "LABEL %s=%s" % (k, labels[k]))] + ["-", name],
                       input=bytes(1024), stdout=subprocess.DEVNULL, check=True)

    def said(self):
        with open(self.log.name, errors="replace") as f:
            return f.read()[-600:]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        # what it has made for its containers, and leaves
        for d in set(glob.glob("/sys/fs/cgroup/**/docker", recursive=True)) - self.groups:
            with contextlib.suppress(OSError):
                os.rmdir(d)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def docker(conf=None):
    """conf: what is in its daemon.json."""
    d = Docker(conf)
    try:
        yield d
    finally:
        d.stop()


class Between:
    """A socket before another one. `does` of each request's first line: None
    passes it on; bytes are the answer, and the end; an Event is waited for, and
    then nothing is said."""

    def __init__(self, behind):
        self.behind, self.does = behind.socket, lambda line: None
        self.socket = os.path.join(behind.folder, "between.sock")
        self.asked, self.stopping = [], threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.socket)
        os.chmod(self.socket, 0o600)
        self.listener.listen(64)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                s = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._one, args=(s,), daemon=True).start()

    def _one(self, s):
        with s, contextlib.suppress(OSError):
            first = s.recv(65536)
            line = first.split(b"\r\n", 1)[0].decode(errors="replace")
            self.asked.append(line)
            what = self.does(line)
            if isinstance(what, threading.Event):
                what.wait()
            elif what is not None:
                s.sendall(what)
            else:
                self._pass(s, first)

    def _pass(self, s, first):
        with socket.socket(socket.AF_UNIX) as to:
            to.connect(self.behind)
            to.sendall(first)

            def on():
                with contextlib.suppress(OSError):
                    for part in iter(lambda: s.recv(65536), b""):
                        to.sendall(part)
            threading.Thread(target=on, daemon=True).start()
            for part in iter(lambda: to.recv(65536), b""):
                s.sendall(part)

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.unlink(self.socket)
