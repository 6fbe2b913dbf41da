# SPDX-License-Identifier: BSD-2-Clause
"""A parent for warren-transport alone: what warrend does for it, in Python.

Used where a test wants the engine without the rest of the house. It speaks
the message table of common/ipc_msg.h, from which it reads the numbers.
"""

import array
import errno
import fcntl
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
from waiting import PATIENCE_S, until  # noqa: E402

SET_LISTEN_DATA = 14
SET_LISTEN_RPC = 15
SET_LISTEN_MESH = 16
SET_RNS_INTERFACES = 19
SET_NETWORK_ID = 20
PEERS = {"parent": 0, "transport": 1, "node": 2, "trust": 3, "keys": 4}


def message_numbers():
    text = open(os.path.join(TOP, "common", "ipc_msg.h")).read()
    table = text[text.index("#define IPC_MESSAGES(M)"):]
    table = table[:table.index("enum ipc_type")]
    names = re.findall(r"\bM\((\w+), ", table)
    return {name: i + 1 for i, name in enumerate(names)}


def setting_numbers():
    text = open(os.path.join(TOP, "common", "ipc_msg.h")).read()
    table = text[text.index("enum setting {"):]
    table = re.sub(r"/\*.*?\*/", "", table[:table.index("};")], flags=re.S)
    return {name: i + 1 for i, name in enumerate(re.findall(r"\b(SET_\w+)", table))}


SETTINGS = setting_numbers()
SET_RNS_CONFIG, SET_RNS_INTERFACES, SET_NETWORK_ID = (
    SETTINGS["SET_" + n] for n in ("RNS_CONFIG", "RNS_INTERFACES", "NETWORK_ID"))
SET_LISTEN_DATA, SET_LISTEN_RPC, SET_LISTEN_MESH = (SETTINGS["SET_LISTEN_" + n] for n in ("DATA", "RPC", "MESH"))
NUM = message_numbers()
NAME = {v: k for k, v in NUM.items()}


def text(s):
    b = s.encode()
    return struct.pack(">H", len(b)) + b


def sealed(data):
    fd = os.memfd_create("setting", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    fcntl.fcntl(fd, 1033, 0x0F)  # F_ADD_SEALS: seal, shrink, grow, write
    return fd


class Channel:
    def __init__(self, sock):
        self.sock = sock

    def send(self, name, body=b"", fds=()):
        data = struct.pack(">H", NUM[name]) + body
        anc = []
        if fds:
            anc = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
        self.sock.sendmsg([data], anc)

    def recv(self, timeout=None):
        self.sock.settimeout(timeout)
        data, anc, _, _ = self.sock.recvmsg(4096, socket.CMSG_SPACE(80))
        fds = []
        for level, kind, raw in anc:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                a = array.array("i")
                a.frombytes(raw[:len(raw) - len(raw) % a.itemsize])
                fds += list(a)
        if not data:
            return None, b"", fds
        return NAME.get(struct.unpack(">H", data[:2])[0]), data[2:], fds


def parse_interfaces(config):
    """index -> settings, of the [[sections]] below [interfaces]."""
    out, inside = [], False
    for line in config.splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("[["):
            if inside:
                out.append({})
        elif line.startswith("["):
            inside = line == "[interfaces]"
        elif inside and out and "=" in line:
            k, v = line.split("=", 1)
            out[-1][k.strip()] = v.strip()
    return out


class Transport:
    """One warren-transport on a configuration folder (config is written)."""

    def __init__(self, build, folder, config, compute=False, level=4, log=None,
                 wrapper=(), overtaken=None):
        self.folder = folder
        os.makedirs(os.path.join(folder, "storage"), exist_ok=True)
        with open(os.path.join(folder, "config"), "w") as f:
            f.write(config)
        self.interfaces = parse_interfaces(config)
        flat = dict(re.findall(r"^\s*(\w+)\s*=\s*(.*?)\s*$", config, re.M))
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel = Channel(ours)
        self.ready = False
        self.generation, self.asked = 0, []
        self.overtaken = overtaken  # a config that comes between the first question and its answer
        self.mesh_path = os.path.join(folder, "mesh.sock")
        storage = os.open(os.path.join(folder, "storage"), os.O_RDONLY | os.O_DIRECTORY)
        keep = (3, storage)

        def place():
            os.dup2(theirs.fileno(), 3)
            os.set_inheritable(3, True)

        os.set_inheritable(storage, True)
        log = log if log is not None else os.path.join(folder, "log")
        env = {k: v for k, v in os.environ.items() if k.startswith(("ASAN", "UBSAN"))}
        # a program that is not dumpable cannot be searched for leaks at its end
        env.setdefault("ASAN_OPTIONS", "detect_leaks=0")
        with open(log, "ab") as out:
            self.proc = subprocess.Popen(
                [*wrapper, os.path.join(build, "warren-transport"), f"level={level}",
                 f"storage={storage}"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=out,
                pass_fds=keep, preexec_fn=place, close_fds=True, env=env)
        theirs.close()
        os.close(storage)
        self._settings(config, flat, compute, level)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        until(lambda: self.ready or self.proc.poll() is not None, "warren-transport is ready")
        if not self.ready:
            raise RuntimeError("warren-transport does not get ready: see " + log)

    def _settings(self, config, flat, compute, level):
        c = self.channel
        c.send("PARAMS", struct.pack(">BB", level, 0) + text("00000000") + bytes(16) +
               bytes(64) + struct.pack(">IIB", 0, 0, compute) + text(""))
        fd = sealed(config.encode())
        c.send("SETTING", struct.pack(">B", SET_RNS_CONFIG) + text(""), [fd])
        os.close(fd)
        if "network_identity" in flat:
            with open(flat["network_identity"], "rb") as f:
                fd = sealed(f.read())
            c.send("SETTING", struct.pack(">B", SET_NETWORK_ID) + text(""), [fd])
            os.close(fd)
        if flat.get("share_instance", "yes").lower() in ("yes", "true", "on", "1"):
            for what, suffix, port in ((SET_LISTEN_DATA, "", "shared_instance_port"),
                                       (SET_LISTEN_RPC, "/rpc", "instance_control_port")):
                if flat.get("shared_instance_type", "unix") == "tcp":
                    s = socket.socket()
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind(("127.0.0.1", int(flat[port])))
                else:
                    s = socket.socket(socket.AF_UNIX)
                    s.bind("\0rns/" + flat.get("instance_name", "default") + suffix)
                s.listen(64)
                s.setblocking(False)
                c.send("SETTING", struct.pack(">B", what) + text(""), [s.fileno()])
                s.close()
        if os.path.exists(self.mesh_path):
            os.unlink(self.mesh_path)
        m = socket.socket(socket.AF_UNIX)
        m.bind(self.mesh_path)
        m.listen(8)
        m.setblocking(False)
        c.send("SETTING", struct.pack(">B", SET_LISTEN_MESH) + text(""), [m.fileno()])
        m.close()
        c.send("START_DONE")

    def reload(self, config):
        """The interfaces are those of this config from now on."""
        self.interfaces = parse_interfaces(config)
        self.generation += 1
        fd = sealed(config.encode())
        self.channel.send("SETTING", struct.pack(">B", SET_RNS_INTERFACES) + text(""), [fd])
        os.close(fd)

    def _open(self, index, bind):
        conf = self.interfaces[index]
        if conf.get("type") == "I2PInterface":
            host, port = os.environ["I2P_SAM_ADDRESS"].split(":")
            return socket.create_connection((host, int(port)), 5)
        if bind:
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((conf.get("listen_on", conf.get("listen_ip")), int(conf.get("port", conf.get("listen_port", 0)))))
            s.listen(64)
        else:
            host, port = conf.get("remote", conf.get("target_host")), conf.get("port", conf.get("target_port"))
            s = socket.create_connection((host, int(port)), 5)
        s.setblocking(False)
        return s

    def _serve(self):
        while True:
            try:
                name, body, fds = self.channel.recv()
            except OSError:
                return
            if name is None and not body:
                return
            for fd in fds:
                os.close(fd)
            if name == "READY":
                self.ready = True
            elif name in ("DIAL", "BIND"):
                index, seq, generation = struct.unpack(">III", body)
                self.asked.append((name, index, generation))
                if self.overtaken is not None:
                    self.reload(self.overtaken)
                    self.overtaken = None
                try:
                    if generation != self.generation:
                        raise OSError(errno.ESTALE, "config has changed")
                    s = self._open(index, name == "BIND")
                    self.channel.send("OPENED", struct.pack(">IIi", index, seq, 0) + text("") + bytes(6),
                                      [s.fileno()])
                    s.close()
                except OSError as e:
                    self.channel.send("OPENED", struct.pack(">IIi", index, seq, e.errno or 5) +
                                      text("") + bytes(6))

    def neighbour(self, who):
        """A channel to transport as that program; returns our end."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel.send("NEIGHBOUR", struct.pack(">B", PEERS[who]), [theirs.fileno()])
        theirs.close()
        return Channel(ours)

    def stop(self):
        try:
            self.channel.send("STOP")
        except OSError:
            pass
        try:
            rc = self.proc.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.proc.send_signal(signal.SIGABRT)
            rc = self.proc.wait(5)
        self.channel.sock.close()
        return rc
