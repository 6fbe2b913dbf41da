#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`warren image pull`: from a real registry, plain, with TLS, with a password, with tokens; from one that lies in each
way that libregistry and libliar know; killed in the middle, and again. With PULL_LONG set also those that are only slow."""
import base64
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from lib import BASE, NUMBERS, PATIENCE_S, USER, Status, done, result, skip, until
from libimage import file, folder
from libliar import MORE, MORE_SLOW, Liar
from libregistry import Registry, Server, program, push
from tlsweb import authority, certificate, pin

BUILD = os.path.abspath(sys.argv[1])
WARREN = os.path.join(BUILD, "warren")
ROOT = os.geteuid() == 0
LONG = "PULL_LONG" in os.environ


class Store:
    """A node's folder; run() is the command in it, as somebody without rights when asked."""

    def __init__(self, user=False):
        self.dir = tempfile.mkdtemp(prefix="warren-pull.")
        self.user = user and ROOT
        if self.user:
            os.chown(self.dir, USER, USER)

    def drop(self):
        if self.user:
            os.setgroups([])
            os.setresgid(USER, USER, USER)
            os.setresuid(USER, USER, USER)

    def start(self, *words):
        return subprocess.Popen([WARREN, "image", "pull", "--json", "--config", self.dir, *words], preexec_fn=self.drop,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def pull(self, *words):
        """Exit status, the object that it prints, what it says of an error."""
        p = self.start(*words)
        out, err = p.communicate(timeout=PATIENCE_S * 4)
        try:
            said = json.loads(out.decode().splitlines()[-1])
        except (IndexError, ValueError):
            said = {}
        return p.returncode, said, json.dumps(said) + err.decode()

    def left(self):
        """Scratch folders, and names."""
        images = os.path.join(self.dir, "warren/images")
        return [n for n in os.listdir(images) if n.startswith("tmp-") or n == "names"] if os.path.isdir(images) else []

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


# Repository, exit status, what is said; the status 0: it is pulled.
LIES = [
    ("fine", 0, ""), ("cut", 0, ""), ("cut-no-ranges", 0, ""), ("cut-other-range", 0, ""), ("cut-other-bytes", 0, ""),
    ("busy", 0, ""), ("fault", 0, ""), ("platforms", 0, ""), ("relative", 0, ""), ("bearer", 0, ""),
    ("bearer-stale", 0, ""),
    ("wrong-blob", 1, "another digest"), ("wrong-header", 1, "than the registry says"),
    ("endless-blob", 1, "more bytes than there should be"), ("endless-manifest", 1, "more bytes"),
    ("endless-token", 1, "more bytes"), ("endless-error", 1, "no such image"),
    ("part-unasked", 1, "a part where all was asked for"),
    ("gzipped", 1, "packed, which was not asked for"), ("gzipped-unsaid", 1, "no JSON"),
    ("other-type", 1, "it is called text/html"), ("two-types", 1, "calls itself"), ("schema1", 1, "schema 1"),
    ("no-json", 1, "no JSON"), ("deep", 1, "no JSON"), ("many", 1, "too many values"),
    ("artifact", 1, "no image, but a application/vnd.cncf.helm"), ("huge-layer", 1, "--max"),
    ("no-size", 1, "no size"), ("negative-size", 1, "no size"), ("path-digest", 1, "no digest by sha256"),
    ("sha512", 1, "no digest by sha256"), ("many-layers", 1, "more than 256"),
    ("elsewhere", 1, "but for linux/s390x"), ("indexes", 1, "index within an index"),
    ("to-here", 3, "nobody has named"), ("to-name", 3, "nobody has named"),
    ("to-here-tls", 3, "an address of this machine"), ("to-link", 3, "a link-local address"),
    ("to-mapped", 3, "an address of this machine"), ("to-private", 3, "a private address"),
    ("to-file", 3, "redirects to file:"), ("to-nowhere", 1, "redirects to nowhere"), ("to-user", 3, "it has a user"),
    ("loop", 3, "redirects without end"), ("huge-heads", 1, "headers without end"),
    ("long-location", 1, "an address that is too long"), ("busy-long", 4, "asks to wait for 86400 s"),
    ("bearer-never", 1, "without a token"), ("bearer-inside", 3, "nobody has named"),
    ("bearer-link", 3, "a link-local address"), ("bearer-file", 3, "its tokens come from file:"),
    ("bearer-none", 1, "does not say where tokens come from"), ("bearer-lines", 1, "without a token"),
    ("strange", 3, "in a way that is not known here"), ("basic", 3, "wants a name and a password"),
    ("also-port", 2, "is no HOST or HOST:PORT", "--also", "localhost:0x50"),
    ("forbidden", 3, "by who asks"), ("nothing/here", 1, "no such image"),
]
SLOW = [("short", 1, "less than there should be"), ("cut-416", 1, "other parts than are asked for"),
        ("always-fault", 1, "answers 500 again and again"),
        ("loris", 4, "Operation too slow")]


def lie(lies, name, code, text, *words, ref=":1"):
    s = Store()
    repo = name if "/" in name else "lie/" + name
    rc, said, all_ = s.pull("--insecure", "--name", "a:1", "127.0.0.1:%d/%s%s" % (lies.port, repo, ref), *words)
    left = s.left()
    good_ = rc == code and text in all_ and (said.get("digest") == "sha256:" + lies.image.digest and
                                             left == ["names"] if code == 0 else left == [])
    result("a registry that lies: " + name, good_, "%d, %s %s" % (rc, all_, left))
    s.remove()


def liars():
    lies = Liar()
    with ThreadPoolExecutor(3) as pool:
        for f in [pool.submit(lie, lies, *row) for row in LIES + MORE + (SLOW + MORE_SLOW if LONG else [])]:
            f.result()
    other = Liar()
    lie(other, "fine", 0, "of the mirror: ", "--mirror", "127.0.0.1:%d" % other.canary.port)
    other.image = lies.image
    other.server.asked.clear()
    lie(other, "fine", 0, "", "--mirror", "127.0.0.1:%d" % lies.port)
    result("what a mirror has is not asked of the registry", other.server.asked == [], other.server.asked)
    other.close()
    result("nobody asked where nothing is to be asked", lies.canary.asked == [], lies.canary.asked)
    lie(lies, "wrong-manifest", 1, "than the one that was asked for", ref="@sha256:" + lies.image.digest)
    lie(lies, "huge-layer", 1, "--max allows", "--max", "100GB")
    lies.close()


def cli(s, *words):
    """Exit status, what it prints and says, of `warren image` there."""
    p = subprocess.run([WARREN, "image", *words, "--config", s.dir], preexec_fn=s.drop, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE_S)
    return p.returncode, p.stdout.decode() + p.stderr.decode()


def damaged_names():
    """A file of names with a line that is none: no image is taken for one without a name."""
    lies, s = Liar(), Store()
    rc, said, all_ = s.pull("--insecure", "--name", "a:1", "127.0.0.1:%d/lie/fine:1" % lies.port)
    images = os.path.join(s.dir, "warren/images")
    names, root = os.path.join(images, "names"), os.path.join(images, "roots", lies.image.digest)
    with open(names) as f:
        was = f.read()
    with open(names, "w") as f:
        f.write("a line\n" + was)
    for words in (("gc", "--unnamed"), ("remove", "sha256:" + lies.image.digest), ("remove", "a:1"), ("list",),
                  ("inspect", "a:1")):
        rc, said = cli(s, *words)
        result("names that are damaged: image " + words[0], rc == 1 and "a line of the file names is not" in said and
               os.path.isdir(root), "%d %s" % (rc, said))
    with open(names, "w"):
        pass
    rc, said = cli(s, "gc")
    result("gc tells of --unnamed", rc == 0 and "1 images without a name stay (--unnamed)" in said, said)
    rc, said = cli(s, "gc", "--unnamed")
    result("... and does not when it was given", rc == 0 and not os.path.isdir(root) and "stay" not in said, said)
    blobs = os.path.join(images, "pulled/blobs/sha256")
    old = os.path.join(blobs, lies.image.layers[0])
    rc, said = cli(s, "gc", "--json")
    result("gc leaves what was pulled a while ago", rc == 0 and json.loads(said)["pulled"] == 0, said)
    os.utime(old, (1, 1))
    rc, said = cli(s, "gc", "--dry-run", "--json")
    result("gc --dry-run counts what was pulled long ago", rc == 0 and json.loads(said)["pulled"] == 1 and
           json.loads(said)["bytes"] == max(os.path.getsize(old), os.stat(old).st_blocks * 512), said)
    fd = os.open(os.path.join(images, "pulled"), os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    rc, said = cli(s, "gc")
    result("... and leaves it to a pull that is at work", rc == 0 and os.path.exists(old) and "a pull is at work" in said,
           said)
    os.close(fd)
    rc, said = cli(s, "gc")
    result("gc removes it", rc == 0 and not os.path.exists(old) and len(os.listdir(blobs)) > 0, said)
    lies.close()
    s.remove()


def halves():
    """What a removal that was killed has left is not here; what is buried is not given a name."""
    lies, s = Liar(), Store()
    name, digest = "127.0.0.1:%d/lie/fine:1" % lies.port, lies.image.digest
    images = os.path.join(s.dir, "warren/images")
    root, meta = (os.path.join(images, at, digest) for at in ("roots", "meta"))
    rc, said, all_ = s.pull("--insecure", "--name", "a:1", name)
    os.unlink(meta)
    rc, said, all_ = s.pull("--insecure", "--name", "b:1", name)
    result("an image without its record is pulled", rc == 0 and os.path.exists(meta) and os.path.isdir(root), all_)
    with open(meta + ".gone", "w") as f:
        f.write("a list\n")
    for what in ("with", "without"):
        rc, said, all_ = s.pull("--insecure", "--name", "c:1", name)
        with open(os.path.join(images, "names")) as f:
            result("one that is buried is refused, %s its record" % what, rc == 3 and "a list" in all_ and
                   "c:1" not in f.read(), "%d %s" % (rc, all_))
        if what == "with":
            os.unlink(meta)
    lies.close()
    s.remove()


def by_index():
    """By the digest of an index: which image that is, is hand's to say, also when it is here."""
    lies, s = Liar(), Store()
    name = "127.0.0.1:%d/lie/platforms@%s" % (lies.port, lies.several()[1])
    index = os.path.join(s.dir, "warren/images/pulled/index.json")
    for as_ in ("a:1", "b:1"):
        rc, said, all_ = s.pull("--insecure", "--name", as_, name)
        with open(index) as f:
            named_ = json.load(f)["manifests"][0]["digest"]
        result("by the digest of an index, as " + as_, rc == 0 and said.get("digest") == "sha256:" + lies.image.digest and
               named_ == lies.several()[1] and (said.get("fetched") == 0) == (as_ == "b:1"), all_)
    lies.close()
    s.remove()


def egress_of(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        for child in map(int, f.read().split()):
            if Status(child)["Name"] == "warren-egress":
                return child
    return None


def rights():
    """Who speaks to a registry has those of the daemon's, and ends with who asked."""
    sanitized = "WARREN_SANITIZED 1" in open(os.path.join(BUILD, "config.h")).read()
    for user in (False, True) if ROOT else (False,):
        lies, s = Liar(), Store(user)
        p = s.start("--insecure", "127.0.0.1:%d/lie/hold:1" % lies.port)
        until(lambda: any("blobs/sha256:" + lies.image.layers[1] in a for a in lies.server.asked), "a layer")
        egress = egress_of(p.pid)
        st = Status(egress) if egress else {}
        number = str(USER if user else BASE + NUMBERS["egress"] if ROOT else os.geteuid())
        result("rights of who fetches" + (", a user's" if user else ""), egress is not None and
               st["Uid"].split() == [number] * 4 and st["CapEff"] == "0" * 16 and st["NoNewPrivs"] == "1" and
               (st["Seccomp"] == "2" or sanitized), st)
        if ROOT and not user and egress:
            result("... and its root is empty", os.listdir("/proc/%d/root" % egress) == [],
                   os.listdir("/proc/%d/root" % egress))
        p.send_signal(signal.SIGKILL)
        p.communicate()
        result("it ends with who asked" + (", a user" if user else ""),
               until(lambda: egress is None or not os.path.exists("/proc/%d" % egress), "its end"))
        lies.held.set()
        lies.close()
        s.remove()


def auth_file(folder_, name, port, secret, mode=0o600):
    path = os.path.join(folder_, name)
    with open(path, "w") as f:
        json.dump({"auths": {"127.0.0.1:%d" % port: {"auth": base64.b64encode(secret.encode()).decode()}}}, f)
    os.chmod(path, mode)
    return path


def passwords(scratch):
    lies = Liar()
    auth = auth_file(scratch, "auth", lies.port, "kai:secret")
    lie(lies, "basic", 0, "", "--auth", auth)
    lie(lies, "basic", 3, "does not take this name", "--auth", auth_file(scratch, "bad", lies.port, "kai:other"))
    lie(lies, "basic", 1, "others may read it", "--auth", auth_file(scratch, "open", lies.port, "kai:secret", 0o644))
    lie(lies, "basic", 1, "nothing in it is of this registry", "--auth", auth_file(scratch, "none", 1, "kai:secret"))
    lie(lies, "basic-away", 3, "nobody has named", "--auth", auth)
    result("no password goes on to another host", lies.canary.asked == [], lies.canary.asked)
    also = "localhost:%d" % lies.canary.port
    lie(lies, "basic-away", 1, "", "--auth", auth, "--also", also)
    result("... also when that one is named", lies.canary.seen != [] and not any(a for _, a, _ in lies.canary.seen),
           lies.canary.seen)
    lies.canary.seen.clear()
    lie(lies, "bearer-inside", 1, "without a token", "--also", "localhost")
    lie(lies, "bearer-inside", 3, "nobody has named", "--auth", auth)
    result("nor to a token server, when there is none", [a for _, a, _ in lies.canary.seen] == [None],
           lies.canary.seen)
    lies.canary.seen.clear()
    lie(lies, "bearer-inside", 1, "without a token", "--auth", auth, "--also", also)
    result("a password goes to a token server that is named", [bool(a) for _, a, _ in lies.canary.seen] == [True],
           lies.canary.seen)
    lie(lies, "bearer-deny", 3, "does not take this name and password", "--auth", auth, "--also", also)
    lie(lies, "bearer-deny", 3, "wants a name and a password", "--also", also)
    lies.close()


# ---- the real one ----

def real(scratch):
    exe = program(BUILD)
    if exe is None or not shutil.which("skopeo"):
        skip("a real registry", "no docker-registry or skopeo here")
        return
    folder_ = os.path.join(scratch, "registry")
    os.mkdir(folder_)
    base = [folder("bin"), file("bin/sh", "s", 0o755), file("lib", os.urandom(2000000))]
    r = Registry(exe, folder_)
    first = push(scratch, r.port, "kai/one:1", [base, [file("one", "1")]])
    second = push(scratch, r.port, "kai/two:1", [base, [file("two", os.urandom(1000))]])
    big = push(scratch, r.port, "kai/big:1", [[file("big", os.urandom(60 << 20))]])
    for user in (False, True) if ROOT else (False,):
        who = "a user: " if user else ""
        s = Store(user)
        name = "127.0.0.1:%d/kai/one:1" % r.port
        rc, said, all_ = s.pull("--insecure", name)
        result(who + "from a registry, plain", rc == 0 and said.get("digest") == first and
               said.get("name") == name and said.get("layers") == 2, all_)
        rc, said, all_ = s.pull(name)
        result(who + "not without TLS unless it is said", rc == 4 or rc == 1, all_)
        rc, said, all_ = s.pull("--insecure", "--name", "again:1", name)
        result(who + "what is here is not fetched again", rc == 0 and said.get("fetched") == 0 and
               said.get("digest") == first, all_)
        rc, said, all_ = s.pull("--insecure", "127.0.0.1:%d/kai/two@%s" % (r.port, second), "--name", "two:1")
        fetched = said.get("fetched", -1)
        result(who + "by its digest; nor is a layer that another image has", rc == 0 and said.get("digest") == second and
               0 < fetched < 10000, all_)
        if not user:
            killed(s, "127.0.0.1:%d/kai/big:1" % r.port, big)
        s.remove()
    r.stop()
    secured(scratch, exe, folder_, first)


def killed(s, name, digest):
    """SIGKILL in the middle: nothing of it runs on, and the next one goes on there."""
    blobs = os.path.join(s.dir, "warren/images/pulled/blobs/sha256")

    def size():
        return max([os.path.getsize(os.path.join(blobs, n)) for n in os.listdir(blobs)]
                   if os.path.isdir(blobs) else [0])
    before = size()
    p = s.start("--insecure", name)
    until(lambda: size() > max(before, 4 << 20) or p.poll() is not None, "some of a layer", step=.001)
    p.send_signal(signal.SIGKILL)
    p.communicate()
    cut = size()
    # its egress ends by itself: what the file has stays as it is
    rc, said, all_ = until(lambda: (lambda x: x if x[0] != 1 or "another pull" not in x[2] else None)(
        s.pull("--insecure", name)), "the lock")
    fetched = said.get("fetched", 0)
    result("killed in the middle, and again", rc == 0 and said.get("digest") == digest and cut < 60 << 20 and
           0 < fetched <= (61 << 20) - cut + (1 << 20), "%s; cut at %d" % (all_, cut))


def secured(scratch, exe, folder_, first):
    ca, other = authority(scratch, "ca"), authority(scratch, "other")
    cert, key = certificate(scratch, ca, "server", "IP:127.0.0.1,DNS:localhost")
    users = os.path.join(folder_, "users")
    if shutil.which("htpasswd"):
        subprocess.run(["htpasswd", "-Bbc", users, "kai", "secret"], check=True, stderr=subprocess.DEVNULL)
    r = Registry(exe, folder_, http={"tls": {"certificate": cert, "key": key}},
                 **({"auth": {"htpasswd": {"realm": "kai", "path": users}}} if os.path.exists(users) else {}))
    name = "127.0.0.1:%d/kai/one:1" % r.port
    auth = auth_file(scratch, "registry-auth", r.port, "kai:secret")
    s = Store()
    if os.path.exists(users):
        rc, said, all_ = s.pull("--ca", ca, name)
        result("TLS and a password: without one", rc == 3 and "--auth" in all_, all_)
    else:
        skip("TLS and a password", "no htpasswd here")
    rc, said, all_ = s.pull("--ca", other, "--auth", auth, name)
    result("TLS: by another authority", rc == 4, all_)
    rc, said, all_ = s.pull("--auth", auth, name)
    result("TLS: by none of the system's", rc in (1, 4), all_)
    rc, said, all_ = s.pull("--ca", ca, "--auth", auth, "--pin", pin(ca), name)
    result("TLS: another key than the pin's", rc == 4, all_)
    rc, said, all_ = s.pull("--ca", ca, "--auth", auth, "--pin", pin(cert), name)
    result("TLS, a password and a pin", rc == 0 and said.get("digest") == first, all_)
    r.stop()
    tokens(scratch, exe, folder_, ca, cert, key, first)
    s.remove()


def tokens(scratch, exe, folder_, ca, cert, key, first):
    """Docker's: a token server of the test's, whose signature the registry checks."""
    try:
        made = Tokens(cert, key)
    except ImportError as e:
        skip("tokens that a registry checks", str(e))
        return
    tls = {"tls": {"certificate": cert, "key": key}}

    def token(host):
        return {"token": {"realm": "https://%s:%d/token" % (host, made.port), "service": "test", "issuer": "test",
                          "rootcertbundle": cert}}
    r, s = Registry(exe, folder_, http=tls, auth=token("127.0.0.1")), Store()
    rc, said, all_ = s.pull("--ca", ca, "127.0.0.1:%d/kai/one:1" % r.port)
    result("tokens from another port of the registry's", rc == 0 and said.get("digest") == first, all_)
    r.stop()
    s.remove()
    made.server.seen.clear()
    r, s = Registry(exe, folder_, http=tls, auth=token("localhost")), Store()
    name = "127.0.0.1:%d/kai/one:1" % r.port
    auth = auth_file(scratch, "token-auth", r.port, "kai:secret")
    also = ("--also", "localhost:%d" % made.port)
    rc, said, all_ = s.pull("--ca", ca, name)
    result("tokens of a server that nobody has named", rc == 3 and "an address of this machine" in all_, all_)
    rc, said, all_ = s.pull("--ca", ca, *also, name)
    result("tokens, for anybody", rc == 0 and said.get("digest") == first, all_)
    result("... who is nobody", [a for _, a, _ in made.server.seen] == [None], made.server.seen)
    made.server.seen.clear()
    other = Store()
    rc, said, all_ = other.pull("--ca", ca, "--auth", auth, name)
    result("a password is shown to no other host", rc == 3 and "is shown no password" in all_ and
           made.server.seen == [], all_)
    rc, said, all_ = other.pull("--ca", ca, "--auth", auth, *also, name)
    result("tokens, for who has a password", rc == 0 and said.get("digest") == first and
           [a for _, a, _ in made.server.seen] == ["Basic " + base64.b64encode(b"kai:secret").decode()], all_)
    for x in (s, other):
        x.remove()
    r.stop()
    made.server.close()


class Tokens:
    """JSON web tokens of ES256, with the certificate that the registry knows."""

    def __init__(self, cert, key):
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec, utils
        from cryptography import x509
        with open(key, "rb") as f:
            private = serialization.load_pem_private_key(f.read(), None)
        with open(cert, "rb") as f:
            der = x509.load_pem_x509_certificate(f.read()).public_bytes(serialization.Encoding.DER)

        def b64(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")

        def answer(h, path):
            import time
            now = int(time.time())
            claims = {"iss": "test", "sub": "", "aud": "test", "exp": now + 300, "nbf": now - 60, "iat": now - 60,
                      "jti": "1", "access": [{"type": "repository", "name": "kai/one", "actions": ["pull"]}]}
            head = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
            text = b64(json.dumps(head).encode()) + b"." + b64(json.dumps(claims).encode())
            a, b = utils.decode_dss_signature(private.sign(text, ec.ECDSA(hashes.SHA256())))
            h.give(json.dumps({"token": (text + b"." + b64(a.to_bytes(32, "big") + b.to_bytes(32, "big"))).decode()}),
                   200, "application/json")
        self.server = Server(answer, (cert, key))
        self.port = self.server.port


def main():
    if "namespace" in probe():
        skip("image pull", "no user namespaces here")
        done()
    scratch = tempfile.mkdtemp(prefix="warren-pull.")
    try:
        liars()
        damaged_names()
        halves()
        by_index()
        rights()
        passwords(scratch)
        real(scratch)
    finally:
        shutil.rmtree(scratch)
    done()


def probe():
    """Images cannot be unpacked everywhere."""
    lies, s = Liar(), Store()
    _, _, said = s.pull("--insecure", "127.0.0.1:%d/lie/fine:1" % lies.port)
    s.remove()
    lies.close()
    return said


main()
