# SPDX-License-Identifier: BSD-2-Clause
"""A registry that lies, as each repository of it says; a server that must never be asked; token servers. What is
right about an image comes from libimage. And Debian's docker-registry."""
import base64
import gzip
import hashlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lib import until
from libimage import ARCH, file, folder, oci, tar, write

OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker.distribution.manifest."
MANIFEST, INDEX = OCI + "manifest.v1+json", OCI + "index.v1+json"


def sha(data):
    return hashlib.sha256(data).hexdigest()


class Image:
    """Its documents and blobs by their digests."""

    def __init__(self, layers, pack="gzip"):
        files = oci(layers, pack)
        self.blobs = {n.rsplit("/", 1)[1]: b for n, b in files.items() if n.startswith("blobs/")}
        self.digest = json.loads(files["index.json"])["manifests"][0]["digest"][7:]
        self.manifest = self.blobs[self.digest]
        self.layers = [d["digest"][7:] for d in json.loads(self.manifest)["layers"]]
        self.config = json.loads(self.manifest)["config"]["digest"][7:]


def good(size=300000):
    # what gzip makes smaller would be no test of sizes
    return Image([tar([folder("bin"), file("bin/sh", "#!", 0o755)]), tar([file("big", os.urandom(size))])])


class Server:
    """answer(handler, path) for each GET; TLS when cert is given."""

    def __init__(self, answer, cert=None):
        server, self.asked, self.seen = self, [], []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                server.asked.append(self.path)
                server.seen.append((self.path, self.headers.get("Authorization"), self.headers.get("Range")))
                try:
                    answer(self, self.path)
                except OSError:
                    self.close_connection = True

            def log_message(self, *words):
                pass

            def give(self, body, code=200, kind="application/octet-stream", **more):
                body = body.encode() if isinstance(body, str) else body
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", kind)
                for name, value in more.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def hang_up(self):
                self.close_connection = True

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *words: None
        self.port = self.http.server_port
        if cert is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*cert)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True,
                                                   do_handshake_on_connect=False)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


def serve(h, image, what, ref, ranges=True):
    """As a registry should."""
    if what == "manifests":
        data = image.manifest if ref == "1" else image.blobs.get(ref[7:])
        kind = MANIFEST
    else:
        data, kind = image.blobs.get(ref[7:]), "application/octet-stream"
    if data is None:
        return h.give("{}", 404)
    asked = h.headers.get("Range")
    if asked and ranges and what == "blobs":
        first = int(asked[6:].split("-")[0])
        return h.give(data[first:], 206, kind, Content_Range="bytes %d-%d/%d" % (first, len(data) - 1, len(data)))
    return h.give(data, 200, kind)


class Lies:
    """A registry whose repository lie/NAME does what the method NAME does: (handler, "manifests" or "blobs", ref)."""

    def __init__(self, cert=None):
        self.image = good()
        self.canary = Server(lambda h, path: h.give("{}", 404 if path == "/x" else 401 if path.startswith("/deny") else
                                                    200))
        self.lock, self.times, self.held = threading.Lock(), {}, threading.Event()
        self.server = Server(self.answer, cert)
        self.port = self.server.port

    def close(self):
        self.server.close()
        self.canary.close()

    def answer(self, h, path):
        part = path.split("?")[0].split("/")
        if part[1] == "token":
            return getattr(self, "token_" + part[2])(h, path)
        if len(part) < 6 or part[2] != "lie":
            return h.give("{}", 404)
        getattr(self, part[3].replace("-", "_"))(h, part[4], part[5])

    def first(self, name):
        """Of this is true once."""
        with self.lock:
            self.times[name] = self.times.get(name, 0) + 1
            return self.times[name] == 1

    def is_big(self, what, ref):
        return what == "blobs" and ref[7:] == self.image.layers[1]

    def fine(self, h, what, ref):
        serve(h, self.image, what, ref)

    # ---- bytes ----
    def wrong_blob(self, h, what, ref):
        if self.is_big(what, ref):
            data = bytearray(self.image.blobs[ref[7:]])
            data[1000] ^= 1
            return h.give(bytes(data))
        serve(h, self.image, what, ref)

    def wrong_manifest(self, h, what, ref):
        """Asked for by its digest, another good one comes."""
        if what == "manifests":
            return h.give(self.image.manifest + b" ", 200, MANIFEST)
        serve(h, self.image, what, ref)

    def wrong_header(self, h, what, ref):
        if what == "manifests":
            return h.give(self.image.manifest, 200, MANIFEST, Docker_Content_Digest="sha256:" + "0" * 64)
        serve(h, self.image, what, ref)

    def endless_blob(self, h, what, ref):
        if not self.is_big(what, ref):
            return serve(h, self.image, what, ref)
        self.endless(h, "application/octet-stream")

    def endless_manifest(self, h, what, ref):
        self.endless(h, MANIFEST)

    def endless_token(self, h, what, ref):
        self.challenge(h, "http://127.0.0.1:%d/token/endless" % self.port)

    def token_endless(self, h, path):
        self.endless(h, "application/json")

    def endless(self, h, kind):
        h.send_response(200)
        h.send_header("Transfer-Encoding", "chunked")
        h.send_header("Content-Type", kind)
        h.end_headers()
        while True:
            h.wfile.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")

    def endless_error(self, h, what, ref):
        h.send_response(404)
        h.send_header("Transfer-Encoding", "chunked")
        h.end_headers()
        while True:
            h.wfile.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")

    def cut(self, h, what, ref):
        """In the middle, once; then goes on where it is asked to."""
        if self.is_big(what, ref) and self.first("cut"):
            data = self.image.blobs[ref[7:]]
            h.send_response(200)
            h.send_header("Content-Length", str(len(data)))
            h.end_headers()
            h.wfile.write(data[:150000])
            return h.hang_up()
        serve(h, self.image, what, ref)

    def cut_no_ranges(self, h, what, ref):
        if self.is_big(what, ref) and self.first("cut_no_ranges"):
            data = self.image.blobs[ref[7:]]
            h.send_response(200)
            h.send_header("Content-Length", str(len(data)))
            h.end_headers()
            h.wfile.write(data[:150000])
            return h.hang_up()
        serve(h, self.image, what, ref, ranges=False)

    def cut_other_range(self, h, what, ref):
        """Asked to go on it sends another part; then all of it."""
        data = self.image.blobs.get(ref[7:], b"")
        if not self.is_big(what, ref):
            return serve(h, self.image, what, ref)
        if self.first("cut_other_range"):
            h.send_response(200)
            h.send_header("Content-Length", str(len(data)))
            h.end_headers()
            h.wfile.write(data[:150000])
            return h.hang_up()
        if h.headers.get("Range"):
            return h.give(data[100000:], 206, Content_Range="bytes 100000-%d/%d" % (len(data) - 1, len(data)))
        return h.give(data)

    def cut_other_bytes(self, h, what, ref):
        """What it goes on with is not of the same file; asked for all of it, it is honest."""
        data = self.image.blobs.get(ref[7:], b"")
        if not self.is_big(what, ref):
            return serve(h, self.image, what, ref)
        if self.first("cut_other_bytes"):
            h.send_response(200)
            h.send_header("Content-Length", str(len(data)))
            h.end_headers()
            h.wfile.write(data[:150000])
            return h.hang_up()
        if h.headers.get("Range"):
            first = int(h.headers["Range"][6:].split("-")[0])
            return h.give(b"x" * (len(data) - first), 206,
                          Content_Range="bytes %d-%d/%d" % (first, len(data) - 1, len(data)))
        return h.give(data)

    def cut_416(self, h, what, ref):
        """Cut each time, and asked to go on it has no such part."""
        data = self.image.blobs.get(ref[7:], b"")
        if not self.is_big(what, ref):
            return serve(h, self.image, what, ref)
        if h.headers.get("Range"):
            return h.give("", 416)
        h.send_response(200)
        h.send_header("Content-Length", str(len(data)))
        h.end_headers()
        h.wfile.write(data[:70000])
        return h.hang_up()

    def short(self, h, what, ref):
        """A whole answer that is less than the manifest says, each time."""
        if self.is_big(what, ref):
            return h.give(self.image.blobs[ref[7:]][:1000])
        serve(h, self.image, what, ref)

    def part_unasked(self, h, what, ref):
        if self.is_big(what, ref):
            data = self.image.blobs[ref[7:]]
            return h.give(data, 206, Content_Range="bytes 0-%d/%d" % (len(data) - 1, len(data)))
        serve(h, self.image, what, ref)

    # ---- documents ----
    def gzipped(self, h, what, ref):
        if what == "manifests":
            return h.give(gzip.compress(self.image.manifest), 200, MANIFEST, Content_Encoding="gzip")
        serve(h, self.image, what, ref)

    def gzipped_unsaid(self, h, what, ref):
        h.give(gzip.compress(self.image.manifest), 200, MANIFEST)

    def other_type(self, h, what, ref):
        h.give(self.image.manifest, 200, "text/html; charset=utf-8")

    def two_types(self, h, what, ref):
        h.give(self.image.manifest, 200, DOCKER + "v2+json")

    def schema1(self, h, what, ref):
        h.give('{"schemaVersion":1}', 200, DOCKER + "v1+prettyjws")

    def no_json(self, h, what, ref):
        h.give("<html>log in first</html>", 200, MANIFEST)

    def deep(self, h, what, ref):
        h.give("[" * 200000, 200, MANIFEST)

    def many(self, h, what, ref):
        h.give('{"layers":[' + "{}," * 1000000 + "{}]}", 200, MANIFEST)

    def artifact(self, h, what, ref):
        self.changed(h, config={"mediaType": "application/vnd.cncf.helm.config.v1+json"})

    def changed(self, h, **more):
        doc = json.loads(self.image.manifest)
        for key, value in more.items():
            doc[key] = dict(doc[key], **value) if isinstance(value, dict) else value
        h.give(json.dumps(doc), 200, MANIFEST)

    def huge_layer(self, h, what, ref):
        doc = json.loads(self.image.manifest)
        doc["layers"][0]["size"] = 1 << 50
        h.give(json.dumps(doc), 200, MANIFEST)

    def no_size(self, h, what, ref):
        self.changed(h, layers=[{"digest": "sha256:" + "a" * 64}])

    def negative_size(self, h, what, ref):
        self.changed(h, layers=[{"digest": "sha256:" + "a" * 64, "size": -1}])

    def path_digest(self, h, what, ref):
        self.changed(h, layers=[{"digest": "sha256:../../../../etc/passwd", "size": 1}])

    def sha512(self, h, what, ref):
        self.changed(h, layers=[{"digest": "sha512:" + "a" * 128, "size": 1}])

    def many_layers(self, h, what, ref):
        self.changed(h, layers=[{"digest": "sha256:%064x" % i, "size": 1} for i in range(300)])

    def index(self, h, *entries):
        h.give(self.index_of(*entries), 200, INDEX)

    def index_of(self, *entries):
        return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(entries)})

    def platform(self, ref, arch, size, os_="linux"):
        return {"mediaType": MANIFEST, "digest": "sha256:" + ref, "size": size,
                "platform": {"architecture": arch, "os": os_}}

    def several(self):
        """An index for several machines, and its digest."""
        text = self.index_of(self.platform("0" * 64, "s390x", 10), self.platform("1" * 64, "unknown", 10, "unknown"),
                             self.platform(self.image.digest, ARCH, len(self.image.manifest)))
        return text, "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    def platforms(self, h, what, ref):
        text, digest = self.several()
        if what == "manifests" and ref in ("1", digest):
            return h.give(text, 200, INDEX)
        serve(h, self.image, what, ref)

    def elsewhere(self, h, what, ref):
        self.index(h, self.platform("0" * 64, "s390x", 10))

    def indexes(self, h, what, ref):
        """Each leads to another one."""
        n = {"1": 0}.get(ref)
        docs = self.times.setdefault("docs", [])
        if n is not None:
            entry = self.platform(self.image.digest, ARCH, len(self.image.manifest))
            for _ in range(6):
                docs.append(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode())
                entry = dict(self.platform(sha(docs[-1]), ARCH, len(docs[-1])), mediaType=INDEX)
            return h.give(docs[-1], 200, INDEX)
        for d in docs:
            if ref == "sha256:" + sha(d):
                return h.give(d, 200, INDEX)
        serve(h, self.image, what, ref)

    # ---- ways ----
    def away(self, h, to):
        h.give("", 307, Location=to)

    def to_here(self, h, what, ref):
        if what == "manifests":
            return serve(h, self.image, what, ref)
        self.away(h, "http://127.0.0.1:%d/x" % self.canary.port)

    def to_name(self, h, what, ref):
        self.away(h, "http://localhost:%d/x" % self.canary.port)

    def to_here_tls(self, h, what, ref):
        self.away(h, "https://localhost:%d/x" % self.canary.port)

    def to_link(self, h, what, ref):
        self.away(h, "https://169.254.169.254/latest/meta-data/")

    def to_mapped(self, h, what, ref):
        self.away(h, "https://[::ffff:127.0.0.1]:%d/" % self.canary.port)

    def to_private(self, h, what, ref):
        self.away(h, "https://10.0.0.1/")

    def to_file(self, h, what, ref):
        self.away(h, "file:///etc/passwd")

    def to_nowhere(self, h, what, ref):
        h.give("", 302)

    def to_user(self, h, what, ref):
        self.away(h, "https://user@127.0.0.1:%d/" % self.canary.port)

    def loop(self, h, what, ref):
        self.away(h, "/v2/lie/loop/manifests/1")

    def relative(self, h, what, ref):
        """A good one, in two hops; what it is shown on the way is seen by who asks for it."""
        if what == "blobs" and ref.startswith("sha256:"):
            return self.away(h, "../blobs/x:" + ref[7:])
        if what == "blobs" and ref.startswith("x:"):
            return self.away(h, "/v2/lie/relative/blobs/y:" + ref[2:])
        serve(h, self.image, what, "sha256:" + ref[2:] if what == "blobs" else ref)

    # ---- heads ----
    def huge_heads(self, h, what, ref):
        h.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            h.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")

    def long_location(self, h, what, ref):
        self.away(h, "https://a.test/" + "x" * 9000)

    def busy(self, h, what, ref):
        if self.first("busy"):
            return h.give("{}", 429, Retry_After="1")
        serve(h, self.image, what, ref)

    def busy_long(self, h, what, ref):
        h.give("{}", 503, Retry_After="86400")

    def fault(self, h, what, ref):
        if self.first("fault"):
            return h.give("{}", 500)
        serve(h, self.image, what, ref)

    def always_fault(self, h, what, ref):
        h.give("{}", 500)

    def loris(self, h, what, ref):
        """A byte now and then."""
        h.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n")
        while True:
            h.wfile.write(b"x")
            threading.Event().wait(.2)

    def hold(self, h, what, ref):
        """Some of a layer, and nothing more until the test has looked."""
        if not self.is_big(what, ref):
            return serve(h, self.image, what, ref)
        h.send_response(200)
        h.send_header("Content-Length", str(len(self.image.blobs[ref[7:]])))
        h.end_headers()
        h.wfile.write(self.image.blobs[ref[7:]][:1000])
        self.held.wait(20)
        h.hang_up()

    # ---- who asks ----
    def challenge(self, h, realm, more=""):
        h.give("{}", 401, WWW_Authenticate='Bearer realm="%s",service="a b&c"%s' % (realm, more))

    def shown(self, h, what, ref, want):
        """Served to who shows it."""
        if h.headers.get("Authorization") == want:
            serve(h, self.image, what, ref)
            return True
        return False

    def bearer(self, h, what, ref):
        if not self.shown(h, what, ref, "Bearer t0ken"):
            self.challenge(h, "http://127.0.0.1:%d/token/fine?x=y" % self.port, ',scope="repository:other/thing:push"')

    def token_fine(self, h, path):
        want = "/token/fine?x=y&service=a%20b%26c&scope=repository%3Alie%2Fbearer%3Apull"
        h.give(json.dumps({"token": "t0ken", "expires_in": 60}) if path == want else "{}", 200, "application/json")

    def bearer_stale(self, h, what, ref):
        """No token lives for more than two questions."""
        n = self.times.get("stale", 0)
        if h.headers.get("Authorization") == "Bearer s%d" % (n // 2):
            self.times["stale"] = n + 1
            return serve(h, self.image, what, ref)
        self.challenge(h, "http://127.0.0.1:%d/token/stale" % self.port)

    def token_stale(self, h, path):
        h.give(json.dumps({"access_token": "s%d" % (self.times.get("stale", 0) // 2)}), 200)

    def bearer_never(self, h, what, ref):
        self.challenge(h, "http://127.0.0.1:%d/token/fine" % self.port)

    def bearer_inside(self, h, what, ref):
        self.challenge(h, "http://localhost:%d/token" % self.canary.port)

    def bearer_deny(self, h, what, ref):
        self.challenge(h, "http://localhost:%d/deny" % self.canary.port)

    def bearer_link(self, h, what, ref):
        self.challenge(h, "https://169.254.169.254/token")

    def bearer_file(self, h, what, ref):
        self.challenge(h, "file:///etc/passwd")

    def bearer_none(self, h, what, ref):
        h.give("{}", 401, WWW_Authenticate="Bearer")

    def bearer_lines(self, h, what, ref):
        """A token that would be a header more."""
        self.challenge(h, "http://127.0.0.1:%d/token/lines" % self.port)

    def token_lines(self, h, path):
        h.give(json.dumps({"token": "a\r\nX-More: b"}), 200)

    def strange(self, h, what, ref):
        h.give("{}", 401, WWW_Authenticate='Negotiate abc=, Digest realm="x"')

    def basic(self, h, what, ref):
        if not self.shown(h, what, ref, "Basic " + base64.b64encode(b"kai:secret").decode()):
            h.give("{}", 401, WWW_Authenticate='Basic realm="a, b=\\"c"')

    def basic_away(self, h, what, ref):
        """Who is shown a password sends on to another host, which must not see it."""
        if what == "blobs":
            return self.away(h, "http://localhost:%d/x" % self.canary.port)
        self.basic(h, what, ref)

    def forbidden(self, h, what, ref):
        h.give("{}", 403)


# ---- a real one ----

def program(build):
    """Debian's docker-registry, installed or as ./check has unpacked it; None."""
    here = os.path.join(build, "docker-registry/usr/bin/docker-registry")
    return shutil.which("docker-registry") or (here if os.access(here, os.X_OK) else None)


class Registry:
    """It on a port that is free now."""

    def __init__(self, exe, folder_, **more):
        os.makedirs(os.path.join(folder_, "data"), exist_ok=True)
        for _ in range(5):
            self.port = free_port()
            conf = {"version": 0.1, "log": {"level": "error"},
                    "storage": {"filesystem": {"rootdirectory": os.path.join(folder_, "data")}},
                    "http": {"addr": "127.0.0.1:%d" % self.port}}
            for key, value in more.items():
                conf[key] = dict(conf[key], **value) if key in conf else value
            path = os.path.join(folder_, "registry.json")
            with open(path, "w") as f:
                json.dump(conf, f)  # which is YAML too
            self.log = open(os.path.join(folder_, "log"), "ab")
            self.p = subprocess.Popen([exe, "serve", path], stdin=subprocess.DEVNULL, stdout=self.log,
                                      stderr=self.log)
            if until(lambda: listens(self.port) or self.p.poll() is not None, "a registry") and self.p.poll() is None:
                return
        raise SystemExit("no registry starts")

    def stop(self):
        self.p.kill()
        self.p.wait()
        self.log.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def push(scratch, port, name, layers):
    """By skopeo; the digest of its manifest."""
    at = tempfile.mkdtemp(dir=scratch)
    files = oci([tar(l) for l in layers], "gzip")
    write(at, files, 0o600, 0o700)
    subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false", "oci:%s:latest" % at,
                    "docker://127.0.0.1:%d/%s" % (port, name)], check=True, stdout=subprocess.DEVNULL)
    return json.loads(files["index.json"])["manifests"][0]["digest"]
