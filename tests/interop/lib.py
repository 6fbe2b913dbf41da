# SPDX-License-Identifier: BSD-2-Clause
"""Processes, ports and folders of the interop tests."""

import json
import os
import queue
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from nets import backbone, backbone_client, client, free_port, server  # noqa: E402,F401
from waiting import PATIENCE_S, quiet, until  # noqa: E402,F401


class Failure(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Failure(what)


class Script:
    """A child that prints JSON lines and reads words."""

    def __init__(self, argv, log):
        self.log = open(log, "ab")
        self.proc = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=self.log, text=True)
        self.lines = queue.Queue()
        self.seen = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.proc.stdout:
            try:
                self.lines.put(json.loads(line))
            except ValueError:
                self.log.write(line.encode())
                self.log.flush()
        self.lines.put(None)

    def say(self, word):
        self.proc.stdin.write(word + "\n")
        self.proc.stdin.flush()

    def expect(self, seconds=PATIENCE_S, **want):
        """The next line that has these members; others are kept in .seen."""
        line = self.maybe(seconds, **want)
        if line is None:
            raise Failure(f"nothing like {want} within {seconds} s; saw {self.seen}")
        return line

    def maybe(self, seconds, **want):
        """The same; None when there is none."""
        for i, line in enumerate(self.seen):
            if all(line.get(k) == v for k, v in want.items()):
                return self.seen.pop(i)
        end = time.time() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, end - time.time()))
            except queue.Empty:
                return None
            if line is None:
                raise Failure(f"ended before {want}; saw {self.seen}")
            if all(line.get(k) == v for k, v in want.items()):
                return line
            self.seen.append(line)

    def rest(self):
        """What it has said and nobody expected."""
        while not self.lines.empty():
            self.seen.append(self.lines.get())
        return self.seen

    def end(self):
        try:
            self.proc.stdin.close()
        except OSError:
            pass
        try:
            self.proc.wait(3)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        self.log.close()


class Process:
    def __init__(self, argv, log):
        self.proc = subprocess.Popen(argv, stdout=log, stderr=log)

    def stop(self):
        self.proc.terminate()
        try:
            self.proc.wait(8)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()


class Ends:
    """A child that a test waits for itself; it ends with the test at the latest."""

    def __init__(self, proc):
        self.proc = proc

    def stop(self):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()


class Context:
    """What one test started and made; all of it ends with it."""

    def __init__(self, args):
        self.args = args
        self.folder = tempfile.mkdtemp(prefix="warren-interop-")
        self.things = []
        self.count = 0

    def dir(self, name):
        self.count += 1
        path = os.path.join(self.folder, f"{self.count}-{name}")
        os.makedirs(path, mode=0o700)
        return path

    def keep(self, thing):
        self.things.append(thing)
        return thing

    def transport(self, config, **kw):
        import testparent
        folder = kw.pop("folder", None) or self.dir("warren")
        return self.keep(testparent.Transport(self.args.build, folder, config, **kw))

    def stock_dir(self, config):
        path = self.dir("stock")
        with open(os.path.join(path, "config"), "w") as f:
            f.write(config)
        return path

    def peer(self, python, *words):
        """python: of peer.py; None: rnspeer."""
        argv = [os.path.join(self.args.build, "tests", "interop", "rnspeer")] if python is None \
            else [python, os.path.join(HERE, "peer.py")]
        return self.keep(Script([*argv, *words], os.path.join(self.folder, "peers.log")))

    def rnsd(self, python, text):
        """A stock rnsd on a folder of its own; the folder."""
        folder = self.stock_dir(text)
        log = open(os.path.join(self.folder, "rnsd.log"), "ab")
        self.keep(Process([python, "-m", "RNS.Utilities.rnsd", "--config", folder], log))
        return folder

    def close(self, failed):
        for t in reversed(self.things):
            try:
                t.end() if isinstance(t, Script) else t.stop()
            except Exception:
                pass
        if failed:
            print(f"# kept: {self.folder}", flush=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def must(done, what, limit=PATIENCE_S):
    """until(), and the test fails when it does not come."""
    got = until(done, what, limit)
    check(got, f"not within {limit} s: {what}")
    return got


def paths_of(python, folder):
    """What rnpath -t says of the instance on that folder: dest -> hops. It has to be up: rnpath would take its place."""
    out = subprocess.run([python, "-m", "RNS.Utilities.rnpath", "--config", folder, "-t", "-j"],
                         capture_output=True, text=True, timeout=PATIENCE_S).stdout
    try:
        return {p["hash"]: p["hops"] for p in json.loads(out)}
    except ValueError:
        return {}


def control(t, verb, **more):
    """The lines of the answer on mesh.sock of a testparent.Transport."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(PATIENCE_S)
    s.connect(t.mesh_path)
    s.sendall(json.dumps({"verb": verb, **more}).encode() + b"\n")
    buf, out = b"", []
    while True:
        part = s.recv(65536)
        if not part:
            raise Failure("mesh.sock closed")
        buf += part
        while b"\n" in buf:
            line, buf = buf.split(b"\n", 1)
            check(len(line) < 65536, "a line over 64 KiB")
            out.append(json.loads(line))
            if out[-1].get("end"):
                s.close()
                return out


def online(t):
    """Each interface's state, in the order of mesh.sock."""
    return [i["online"] for i in control(t, "interfaces")[0]["interfaces"]]


def instance_up(name):
    """Whether somebody serves the shared instance of that name."""
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect("\0rns/" + name)
        return True
    except OSError:
        return False
    finally:
        s.close()


CODES = "network_name = specnet\npassphrase = specpass\n"


def config(interfaces, transport=False, share=False, instance="none", more="", level=4):
    return f"""[reticulum]
enable_transport = {"yes" if transport else "no"}
share_instance = {"yes" if share else "no"}
instance_name = {instance}
{more}
[logging]
loglevel = {level}
[interfaces]
{interfaces}"""
