# SPDX-License-Identifier: BSD-2-Clause
"""image_policy: an image runs only when those whom the operator names have signed
for it, as cosign writes that; made here by OpenSSL."""
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from lib import done, result, skip, until
from libjob import Burrow
from tlsweb import Web, authority, certificate, whole

PROVENANCE = "https://slsa.dev/provenance/v1"
INTOTO = "application/vnd.in-toto+json"

build = sys.argv[1]


class Signer:
    """A key pair of cosign's kind, P-256."""

    def __init__(self, folder, name):
        self.key = os.path.join(folder, name)
        self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.key)
        self.public = self.openssl("pkey", "-in", self.key, "-pubout").decode()

    def openssl(self, *words, data=None):
        return subprocess.run(["openssl", *words], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=True).stdout

    def sign(self, data):
        return base64.b64encode(self.openssl("dgst", "-sha256", "-sign", self.key, data=data)).decode()

    def simple(self, digest):
        """As `cosign download signature` prints it."""
        payload = json.dumps({"critical": {"identity": {"docker-reference": "test/busybox"},
                                           "image": {"docker-manifest-digest": digest},
                                           "type": "cosign container image signature"}, "optional": None}).encode()
        return json.dumps({"Base64Signature": self.sign(payload), "Payload": base64.b64encode(payload).decode()})

    def provenance(self, digest, builder):
        """As `cosign download attestation` prints it."""
        text = json.dumps({"_type": "https://in-toto.io/Statement/v1", "predicateType": PROVENANCE,
                           "subject": [{"name": "test/busybox", "digest": {"sha256": digest[7:]}}],
                           "predicate": {"runDetails": {"builder": {"id": builder}}}}).encode()
        pae = b"DSSEv1 %d %s %d %s" % (len(INTOTO), INTOTO.encode(), len(text), text)
        return json.dumps({"payloadType": INTOTO, "payload": base64.b64encode(text).decode(),
                           "signatures": [{"keyid": "", "sig": self.sign(pae)}]})


def policy(signer, more=""):
    block = "".join("          " + line + "\n" for line in signer.public.splitlines())
    return "image_policy:\n  - image: \"test/*\"\n    any_of:\n      - key: |\n" + block + more


def refused(node, what):
    rc, last = node.submit(node.job_file("true")).end()
    result("attested: " + what, rc == 3 and last.get("code") == "signature", "%s %s" % (rc, last))


def python_with_cryptography():
    for python in (os.path.join(build, "venv-1.5.7", "bin", "python"), sys.executable):
        if os.path.exists(python) and subprocess.run([python, "-c", "import cryptography.x509"],
                                                     stderr=subprocess.DEVNULL).returncode == 0:
            return python
    return None


def certified(node, plain, digest, put):
    """Somebody who has logged in somewhere signs by a certificate; roots of a world of its own say so."""
    rule = ("image_policy:\n  - image: \"test/*\"\n    any_of:\n      - keyless: {roots: world.json, "
            "issuer: \"https://accounts.example\", subject: %s}\n")
    node.write("node.yaml", plain + "image_policy:\n  - image: \"*\"\n    any_of:\n      - keyless: {issuer: x, roots: y}\n")
    rc, out, err = node.warren("check-config")
    result("attested: a keyless rule for anybody is a mistake", rc != 0 and "it is anybody" in out + err,
           "%s %s %s" % (rc, out, err))
    node.write("node.yaml", plain + rule % "other@example.org")
    rc, out, err = node.warren("check-config")
    result("attested: roots that are not there are told", "klp/roots/world.json" in out + err,
           "%s %s %s" % (rc, out, err))
    python = python_with_cryptography()
    if python is None:
        skip("attested: keyless", "no Python with cryptography")
        return
    world = os.path.join(node.work, "world")
    os.makedirs(world)
    subprocess.run([python, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop", "sigworld.py"),
                    world, "--sum", digest[7:]], check=True)
    os.makedirs(os.path.join(node.dir, "klp/roots"))
    with open(os.path.join(world, "roots.json")) as f:
        node.write("klp/roots/world.json", f.read())
    os.chmod(os.path.join(node.dir, "klp/roots/world.json"), 0o644)
    for name in os.listdir(os.path.join(node.dir, "klp/attestations")):
        os.unlink(os.path.join(node.dir, "klp/attestations", name))
    with open(os.path.join(world, "bundle.json")) as f:
        ok = put("keyless.json", f.read(), "nobody whom image_policy names")
    refused(node, "an image does not run by the certificate of another person")
    node.write("node.yaml", plain + rule % "person@example.org")
    with open(os.path.join(world, "bundle.json")) as f:
        ok = put("keyless.json", f.read(), "good=1 images=1") and ok
    rc, last = node.submit(node.job_file("true")).end()
    result("attested: by the right one it does", ok and rc == 0, "%s %s %s" % (rc, last, node.said()[-1500:]))
    rc, out, err = node.warren("image", "verify", "test/busybox:1")
    result("attested: image verify says whose it is", rc == 0 and "person@example.org (https://accounts.example)" in out,
           "%s %s %s" % (rc, out, err))
    documented(node, plain, put)


class Authority:
    """Who publishes roots of sigstore, on a web server of its own."""
    uri = "klp://roots.test/sig.json"

    def __init__(self, node):
        self.node, self.key, self.www = node, os.path.join(node.work, "board.key"), os.path.join(node.work, "www")
        self.web = Web(self.answer, certificate(node.work, authority(node.work, "ca"), "web", "IP:127.0.0.1"))
        key = self.do("klp", "keygen", self.key)
        one = {"keys": [key["fp"]], "threshold": 1}
        root = os.path.join(node.work, "root.json")
        with open(root, "w") as f:
            json.dump({"_type": "klp.root", "authority": "roots.test", "version": 1, "issued": 0, "expires": 0,
                       "keys": {key["fp"]: {"key": key["key"], "scheme": "ed25519"}},
                       "roles": {"root": one, "head": one, "sig": one},
                       "documents": {"sig.json": {"role": "sig", "type": "klp.sigstore-roots", "max": 393216}},
                       "transports": [{"https": "https://127.0.0.1:%d/klp" % self.web.port}]}, f)
        self.root = os.path.join(node.work, "1.root.json")
        self.do("klp", "sign", root, "--expires", "365d", "-k", self.key, "-o", self.root)

    def do(self, *words):
        rc, out, err = self.node.warren(*words, "--json", config=False)
        if rc != 0:
            raise RuntimeError("%s: %s" % (words, err))
        return json.loads(out.splitlines()[-1]) if out.strip() else {}

    def publish(self, *files):
        self.do("klp", "publish", self.www, *files, "-k", self.key)

    def answer(self, path, send):
        try:
            with open(os.path.join(self.www, path.split("/", 3)[-1]), "rb") as f:
                send(whole(f.read()))
        except OSError:
            send(whole("no", "404 Not Found"))
        return False


def documented(node, plain, put):
    """Its roots are fetched, say when they end, and never go back."""
    them = Authority(node)
    shutil.copy(os.path.join(node.work, "ca.pem"), os.path.join(node.dir, "klp/ca.pem"))
    os.makedirs(os.path.join(node.dir, "klp/authorities"))
    pinned = os.path.join(node.dir, "klp/authorities/roots.test.root.json")
    them.publish(them.root, os.path.join(node.work, "world/roots.json"))
    os.rename(os.path.join(them.www, "head"), os.path.join(node.work, "first.head"))
    node.write("node.yaml", plain + "klp: {private_hosts: [127.0.0.1], ca: klp/ca.pem}\n"
               "image_policy:\n  - image: \"test/*\"\n    any_of:\n      - keyless: {roots: \"%s\", issuer: "
               "\"https://accounts.example\", subject: person@example.org}\n" % them.uri)
    rc, out, err = node.warren("check-config")
    result("attested: that the roots' authority is not pinned is told", "nothing of roots.test counts" in out + err,
           "%s %s %s" % (rc, out, err))
    shutil.copy(them.root, pinned)
    os.chmod(pinned, 0o644)
    with open(os.path.join(node.work, "world/bundle.json")) as f:
        text = f.read()
    ok = put("keyless.json", text + "\n", "nobody can sign for it")

    def says(word):
        return until(lambda: word in node.warren("status")[1], "status: " + word)
    result("attested: status names a rule that cannot be satisfied, and why", ok and
           says("policy    rule 1, image test/*: NOBODY can sign for it: its roots count for nothing") and
           says("roots     %s; count for NOTHING: no such document was accepted here yet" % them.uri),
           node.warren("status")[1])
    rc, last = node.submit(node.job_file("true")).end()
    # what was refused is explained with it
    told = until(lambda: "Signatures of images are judged by:\nroots     " + them.uri in
                 node.warren("explain", node.me["urn"])[1], "explain")
    result("attested: explain shows what signatures are judged by", rc == 3 and told,
           "%s %s" % (last, node.warren("explain", node.me["urn"])))
    os.rename(os.path.join(node.work, "first.head"), os.path.join(them.www, "head"))

    def fetched(words):
        before = len(node.said())
        node.process.send_signal(signal.SIGHUP)
        return until(lambda: words in node.said()[before:], words)
    ok = fetched("good=1 images=1")
    rc, last = node.submit(node.job_file("true")).end()
    result("attested: by roots of a web server a signature counts", ok and rc == 0 and says(them.uri + " version 1, ") and
           says(" for 29 d 23 h (the document expires)"), "%s %s %s" % (rc, last, node.said()[-2000:]))
    old = {n: open(os.path.join(them.www, n), "rb").read() for n in ("head", "sig.json")}
    them.publish(os.path.join(node.work, "world/roots.json"))
    ok = fetched("taken: root=1 head=2") and says(them.uri + " version 2, ")
    for name, body in old.items():
        with open(os.path.join(them.www, name), "wb") as f:
            f.write(body)
    ok = fetched("older than the one that is known") and ok
    result("attested: older ones are refused by name, and the last good ones stand", ok and
           says(them.uri + " version 2, "), node.said()[-2000:])
    them.web.close()


VERIFIER = """#!/usr/bin/python3 -I
import json, os, socket, sys
can = []


def tries(name, fn):
    try:
        if fn() is not False:
            can.append(name)
    except (OSError, ValueError):
        pass


tries("socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
tries("unix", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
tries("write", lambda: open(%(open)r + "/was-here", "w"))
tries("pipe", lambda: os.open(%(open)r + "/pipe", os.O_WRONLY | os.O_NONBLOCK))
tries("dir", lambda: len(os.listdir(%(dir)r)) > 0)
tries("pids", lambda: len(os.listdir("/proc")) > 0)
tries("kill", lambda: os.kill(%(pid)d, 0))
tries("root", lambda: os.geteuid() == 0)
tries("ids", lambda: os.setuid(0))
for fd in range(3, 64):
    tries("descriptor %%d" %% fd, lambda: os.fstat(fd))
tries("devices", lambda: open("/dev/zero", "rb"))
open("/dev/null", "w").write("x")
if sys.stdin.read() != "by hand: %(digest)s":
    sys.exit(126)
print(json.dumps({"who": "hand" + ", can: ".join([""] + can), "images": [%(digest)r]}))
"""


def everybodys(path):
    """A folder that by its mode everybody may write in, and a pipe that everybody may write to."""
    folder = os.path.join(path, "open")
    os.mkdir(folder)
    os.mkfifo(os.path.join(folder, "pipe"))
    os.chmod(folder, 0o777)
    os.chmod(os.path.join(folder, "pipe"), 0o666)
    return folder


SLOW = """#!/bin/sh
read text
case $text in *slow) sleep 5 ;; esac
echo '{"who": "hand", "images": ["%s"]}'
"""


def in_turn(node, program, digest, put):
    """A look that begins anew while a verifier runs loses no signature."""
    with open(program, "w") as f:
        f.write(SLOW % digest)
    folder = os.path.join(node.dir, "klp/attestations")
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    ok = put("a.json", "hand", "good=1 images=1")
    before = len(node.said())
    node.write("klp/attestations/b.json", "by hand, slow")
    os.chmod(os.path.join(folder, "b.json"), 0o644)
    node.process.send_signal(signal.SIGHUP)

    def rank():
        pid = subprocess.run(["pgrep", "-f", program], capture_output=True, text=True).stdout.split()
        try:
            with open("/proc/%s/oom_score_adj" % pid[0]) as f:
                return f.read().strip()
        except (IndexError, OSError):
            return None
    ok = until(lambda: rank() == "700", "the slow verifier, whose rank is a job's") and ok
    ok = put("c.json", "again", "good=3 images=1") and ok
    result("attested: a look anew while one runs loses none", ok and "good=0" not in node.said()[before:] and
           "another one" not in node.said()[before:], node.said()[before:][-1500:])


def verified(node, plain, digest, put):
    """A program of the operator says whose a signature is, and can do nothing else."""
    path, pipe = tempfile.mkdtemp(prefix="warren-verifier-"), -1
    try:
        os.chmod(path, 0o755)
        program = os.path.join(path, "verify")
        with open(program, "w") as f:
            f.write(VERIFIER % {"dir": node.dir, "pid": node.process.pid, "digest": digest, "open": everybodys(path)})
        os.chmod(program, 0o755)
        shutil.copy(program, os.path.join(node.dir, "verify"))
        node.write("node.yaml", plain + "image_policy:\n  - image: \"*\"\n    any_of:\n      - verifier: {program: %s}\n" %
                   os.path.join(node.dir, "verify"))
        rc, out, err = node.warren("check-config")
        result("attested: a program in the node's folder is told", "is hidden from it" in out + err,
               "%s %s %s" % (rc, out, err))
        pipe = os.open(os.path.join(path, "open/pipe"), os.O_RDONLY | os.O_NONBLOCK)
        node.write("node.yaml", plain + "image_policy:\n  - image: \"test/*\"\n    any_of:\n      - verifier: {program: %s, "
                   "subject: hand}\n" % program)
        ok = put("keyless.json", "by foot", "says no: status 126")
        refused(node, "what its verifier refuses does not run")
        ok = put("keyless.json", "by hand: " + digest, "good=1 images=1") and ok
        rc, last = node.submit(node.job_file("true")).end()
        result("attested: what it takes does, and it can do nothing else", ok and rc == 0,
               "%s %s %s" % (rc, last, node.said()[-1500:]))
        with open(program, "w") as f:
            f.write("#!/bin/sh\nwhile :; do echo flood; done\n")
        ok = put("keyless.json", "by hand: again", "says more than 16384 bytes")
        result("attested: one that floods is ended", ok, node.said()[-1500:])
        refused(node, "and nothing runs by it")
        in_turn(node, program, digest, put)
    finally:
        if pipe >= 0:
            os.close(pipe)
        shutil.rmtree(path)


def signed(node, plain, digest, put, good, other):
    """By keys, and what a rule requires beside that."""
    ok = put("other.json", other.simple(digest), "good=0")
    refused(node, "nor one that somebody else has")
    ok = put("wrong.json", good.simple("sha256:" + "0" * 64), "good=1 images=1")
    refused(node, "nor by a signature of another image")
    ok = put("good.json", good.simple(digest), "good=2 images=2") and ok
    rc, last = node.submit(node.job_file("true")).end()
    result("attested: a signed one does", ok and rc == 0, "%s %s %s" % (rc, last, node.said()[-1500:]))
    # its name goes to another image: it could have had any name, and all rules are about it
    os.unlink(os.path.join(node.dir, "klp/attestations/good.json"))
    with open(os.path.join(node.work, "rootfs/extra"), "w") as f:
        f.write("another image\n")
    rc, out, err = node.warren("image", "import", os.path.join(node.work, "rootfs"), "--name", "test/busybox:1")
    put("again.json", good.simple("sha256:" + "1" * 64), "good=2 images=2")
    path = node.job_file("true")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace("image: test/busybox:1", "image: " + digest))
    rc, last = node.submit(path).end()
    result("attested: nor does one that has lost its name", rc == 3 and last.get("code") == "signature",
           "%s %s" % (rc, last))
    node.warren("image", "remove", "test/busybox:1")
    os.unlink(os.path.join(node.work, "rootfs/extra"))
    node.warren("image", "import", os.path.join(node.work, "rootfs"), "--name", "test/busybox:1")
    # provenance is wanted now, by this builder alone
    node.write("node.yaml", plain + policy(good, "    require:\n      - type: %s\n        where:\n          "
                                           "predicate.runDetails.builder.id: https://builder.example/*\n" % PROVENANCE))
    put("bad.json", good.provenance(digest, "https://elsewhere.example/1"), "images=0")
    refused(node, "without provenance of the right builder it does not")
    ok = put("lines.jsonl", other.simple(digest) + "\n" + good.provenance(digest, "https://builder.example/1") + "\n",
             "images=1")
    rc, last = node.submit(node.job_file("true")).end()
    result("attested: with it, it does", ok and rc == 0, "%s %s %s" % (rc, last, node.said()[-1500:]))


def main():
    node = Burrow(build, "attested")
    can = subprocess.run([os.path.join(build, "tests", "interop", "keylesspeer"), "--can"]).returncode == 0
    try:
        good, other = Signer(node.work, "good"), Signer(node.work, "other")
        rc, out, err = node.warren("image", "list", "--json")
        digest = json.loads(out)["images"][0]["digest"]
        os.makedirs(os.path.join(node.dir, "klp/attestations"))
        with open(os.path.join(node.dir, "node.yaml")) as f:
            plain = f.read()

        def put(name, text, says):
            before = len(node.said())
            node.write("klp/attestations/" + name, text)
            os.chmod(os.path.join(node.dir, "klp/attestations", name), 0o644)
            node.process.send_signal(signal.SIGHUP)
            return until(lambda: says in node.said()[before:], "the signatures")

        node.write("node.yaml", plain + policy(good))
        if not node.up():
            result("attested", False, "%s %s" % (node.problem, node.said()[-3000:]))
            return
        refused(node, "an image that nobody has signed does not run")
        if can:
            signed(node, plain, digest, put, good, other)
            certified(node, plain, digest, put)
        else:
            skip("attested: by keys and certificates", "a build without libcrypto")
        verified(node, plain, digest, put)
    finally:
        node.remove()


main()
done()
