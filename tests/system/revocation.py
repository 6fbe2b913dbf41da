# SPDX-License-Identifier: BSD-2-Clause
"""A board's list arrives while a job runs: what happens, and how soon. The
level of the submitter comes from a trust graph alone."""
import json
import os
import re
import shutil
import signal
import sys
import time

from lib import USER, done, result, skip, until
from libjob import Burrow

build = sys.argv[1]
BOARD = "board.test"


class Ruled(Burrow):
    """A Burrow whose people are judged by a board."""

    def __init__(self, build, name, user):
        super().__init__(build, name, user, more="trust: {floor: 1}\n")
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
            "trust:\n  anchors_from: [{0}]\n").format(BOARD)))

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


def processes(word):
    """How many processes of this machine have that word in their command."""
    n = 0
    for pid in os.listdir("/proc"):
        if not pid.isdigit():
            continue
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                argv = f.read().split(b"\0")
        except OSError:
            continue
        n += word.encode() in argv and b"sleep" in argv[0]
    return n


def arrives(node, mode):
    """The submitter is revoked while his job runs."""
    name = mode + " revocation: "
    word = "%d.5" % (100000 + os.getpid())
    rc, out, err = node.warren("status")
    result(name + "status shows both documents, and that they are fresh",
           rc == 0 and len(re.findall(
               r"board\.test/\S+ version \d+, \d+ entries, fresh for", out))
           == 2, out)
    rc, last, s = node.run_job("true")
    result(name + "the graph alone lets him in", rc == 0,
           "%s %s %s" % (rc, last, s))
    s = node.submit(node.job_file("sleep " + word))
    if not s.reached("running") or \
            not until(lambda: processes(word) == 1, "the job's process"):
        result(name + "a job runs", False, str(s))
        return
    job = s.id()
    node.revoke(node.me["urn"], "--reason", "behavior_violation")
    begin = node.hup()
    gone = until(lambda: processes(word) == 0, "the job's end", step=.005)
    took = time.monotonic() - begin
    result(name + "its process is gone within 1 s of the signal",
           gone and took < 1, "%.3f s" % took)
    print("# killed %.3f s after SIGHUP" % took)
    until(lambda: "ended killed reason=revoked" in node.said(),
          "a word about it")
    s.process.kill()
    s.end()
    shown = node.here(job)
    result(name + "killed, revoked", "revoked" in shown.get("outcome", []),
           json.dumps(shown))
    result(name + "there is a receipt", shown.get("receipt"),
           json.dumps(shown))
    trail = until(lambda: '"revoked"' in node.trail() and node.trail(),
                  "a line of the trail")
    result(name + "the trail has it", trail and re.search(
        r'"kind": ?"revoked"', trail) and re.search(
            r'"code": ?"revoked"', trail), str(trail)[-1500:])
    # a link of his own: closed as soon as it is known whose it is
    t = node.submit(node.job_file("true"))
    drops = until(lambda: dropped(node), "a drop of transport's", 20)
    result(name + "he has no link any more", drops and t.state() is None,
           "%s %s" % (node.status(), t))
    t.process.kill()
    t.end()


def dropped(node):
    """What transport has refused of identities that it is to drop."""
    text = json.dumps(node.status())
    found = re.search(r'"[^"]*blackhol[^"]*": ?(\d+)', text)
    return int(found.group(1)) if found else 0


def stale(node, mode):
    """The list gets old: no new job of somebody at +2."""
    name = mode + " revocation: "
    node.say("revoke", "f" * 32, "--kind", "rns", "--list",
             node.at("revoked.json"), "-k", node.at("key"), "--expires",
             "2s")
    node.publish("revoked.json")
    node.hup()
    ok = until(lambda: "revocation_list: has expired" in node.said(),
               "the end of the list")
    rc, last, s = node.run_job("true")
    result(name + "an expired list takes no new job of +2", ok and rc == 3 and
           "expired" in str(s), "%s %s %s" % (rc, last, s))
    node.revoke("e" * 32, "--kind", "rns", "--reason", "other")
    node.hup()
    until(lambda: "revocation_list: is fresh again" in node.said(),
          "a new list; %s" % node.problem)


def all_of(mode, user):
    node = Ruled(build, "revoke-" + mode, user)
    try:
        node.found()
        if not node.up():
            result(mode + " revocation", False, "%s %s" % (
                node.problem, node.said()[-3000:]))
            return
        if mode == "user":
            stale(node, mode)
        arrives(node, mode)
    finally:
        node.remove()


if os.geteuid() == 0:
    all_of("root", None)
    all_of("user", USER)
else:
    skip("revocation as root", "not started as root")
    all_of("user", None)
done()
