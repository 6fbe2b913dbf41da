# SPDX-License-Identifier: BSD-2-Clause
"""A Burrow whose people are judged by a board: its keys, its documents, and how
they come to the node."""
import json
import os
import select
import shutil
import signal
import time

from libjob import Burrow

BOARD = "board.test"


class Ruled(Burrow):
    """by_hand: what the board publishes is put into klp/documents; else it lies
    in www() and nowhere else. more: of node.yaml."""

    def __init__(self, build, name, user, by_hand=True, more=""):
        super().__init__(build, name, user, more="trust: {floor: 1}\n")
        self.by_hand, self.transports = by_hand, []
        self.board = os.path.join(self.work, "board")
        os.mkdir(self.board)
        if user is not None:
            os.chown(self.board, user, user)
        for d in ("klp", "klp/authorities", "klp/documents"):
            self.folder(os.path.join(self.dir, d))
        self.key = self.say("klp", "keygen", self.at("key"))
        self.version = 1
        with open(os.path.join(self.dir, "node.yaml")) as f:
            text = f.read()
        self.write("node.yaml", text.replace("trust: {floor: 1}\n", (
            "trust_graph: klp://{0}/graph.json\n"
            "revocation_list: klp://{0}/revoked.json\n"
            "trust:\n  anchors_from: [{0}]\n").format(BOARD) + more))

    def folder(self, path):
        os.makedirs(path, mode=0o755, exist_ok=True)
        if self.user is not None:
            os.chown(path, self.user, self.user)

    def at(self, name):
        return os.path.join(self.board, name)

    def say(self, *words):
        rc, out, err = self.warren(*words, "--json", config=False)
        if rc != 0:
            self.problem = "%s: %s %s" % (words, rc, err)
            return {}
        return json.loads(out.splitlines()[-1]) if out.strip() else {}

    def text(self, name, value):
        with open(self.at(name), "w") as f:
            json.dump(value, f)
        if self.user is not None:
            os.chown(self.at(name), self.user, self.user)

    def found(self):
        """Root, a graph that puts the person at +2, an empty list."""
        fp = self.key["fp"]
        one = {"keys": [fp], "threshold": 1}
        self.text("root.json", {
            "_type": "klp.root", "authority": BOARD, "version": 1,
            "issued": 0, "expires": 0,
            "keys": {fp: {"key": self.key["key"], "scheme": "ed25519"}},
            "roles": {"root": one, "head": one, "graph": one, "list": one},
            "transports": self.transports,
            "documents": {
                "graph.json": {"role": "graph", "type": "klp.trust-graph"},
                "revoked.json": {"role": "list",
                                 "type": "klp.revocation-list"}}})
        now = int(time.time())
        self.text("graph.json", {
            "_type": "klp.trust-graph", "version": 1, "issued": 0,
            "uri": "klp://%s/graph.json" % BOARD, "expires": 0,
            "namespace": "kindai", "nodes": [], "edges": [{
                "source": "urn:klp:kindai:org:" + fp, "target": self.me["urn"],
                "trust_level": 2, "confidence": 0.9, "tags": ["submitter"],
                "issued": now - 60, "expires": now + 86400}]})
        self.sign("root.json", "365d")
        self.sign("graph.json", "30d")
        self.say("revoke", "0" * 32, "--kind", "rns", "--list",
                 self.at("revoked.json"), "--uri",
                 "klp://%s/revoked.json" % BOARD, "-k", self.at("key"))
        shutil.copy(self.at("root.json"), self.at("1.root.json"))
        place = os.path.join(self.dir, "klp/authorities", BOARD + ".root.json")
        shutil.copy(self.at("root.json"), place)
        os.chmod(place, 0o644)
        self.publish("1.root.json", "graph.json", "revoked.json")

    def sign(self, name, expires):
        self.say("klp", "sign", self.at(name), "--expires", expires, "-k",
                 self.at("key"), "-o", self.at(name))

    def publish(self, *names):
        """Into a folder of the board's, and from there to the node."""
        self.folder(self.at("www"))
        self.say("klp", "publish", self.at("www"),
                 *[self.at(n) for n in names], "-k", self.at("key"))
        if not self.by_hand:
            return
        target = os.path.join(self.dir, "klp/documents", BOARD)
        self.folder(target)
        for n in os.listdir(self.at("www")):
            to = os.path.join(target, n)
            shutil.copy(os.path.join(self.at("www"), n), to)
            os.chmod(to, 0o644)
            if self.user is not None:
                os.chown(to, self.user, self.user)

    def revoke(self, what, *words):
        self.say("revoke", what, "--list", self.at("revoked.json"), "-k",
                 self.at("key"), *words)
        self.publish("revoked.json")

    def hup(self):
        self.process.send_signal(signal.SIGHUP)
        return time.monotonic()

    def here(self, job):
        """The operator's view of a job."""
        rc, out, err = self.warren("show", job, "--here", "--json")
        return json.loads((out.splitlines() or ["{}"])[-1])

    def trail(self):
        rc, out, err = self.warren("audit", "tail", "--json", "-n", "1000")
        return out


def pids_of(word):
    """The processes of this machine that have that word in their command."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                argv = f.read().split(b"\0")
        except OSError:
            continue
        if word.encode() in argv and b"sleep" in argv[0]:
            found.append(int(pid))
    return found


def processes(word):
    """How many they are."""
    return len(pids_of(word))


class Held:
    """Processes, held before they end: how soon is seen without a walk through
    all of the machine's."""

    def __init__(self, pids):
        self.fds = {os.pidfd_open(pid) for pid in pids}

    def gone(self, seconds):
        """Whether all are by then."""
        poll, end = select.poll(), time.monotonic() + seconds
        for fd in self.fds:
            poll.register(fd, select.POLLIN)
        while self.fds and time.monotonic() < end:
            for fd, _ in poll.poll(1000 * max(0, end - time.monotonic())):
                poll.unregister(fd)
                self.fds.remove(fd)
                os.close(fd)
        return not self.fds

    def close(self):
        while self.fds:
            os.close(self.fds.pop())
