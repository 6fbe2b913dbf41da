# SPDX-License-Identifier: BSD-2-Clause
"""The trail to a hub behind a real nginx: TLS, certificates of both sides, a
token; a hub that is down, slow, broken, somebody else or a liar; programs that
are killed. Every line comes, in order, with its chain, and every event is one
that the published OCSF schema takes. With HUB_LONG, since it is slow."""
import hashlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

from lib import Node, done, result, skip, status, until
from nets import free_port
from tlsweb import authority, certificate, pin

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ocsf"))
sys.dont_write_bytecode = True
from check import check  # noqa: E402

build = sys.argv[1]
NAMES = "DNS:localhost,IP:127.0.0.1"
TOKEN = "a-word.of/ours=="
COMPUTE = ["trust", "keys", "audit", "egress", "node"]


class Hub:
    """What a hub has: the lines in their order, and what is wrong with them."""

    def __init__(self):
        self.mode, self.lock = "ok", threading.Lock()
        self.forget()
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hub.posted(self, body)

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def forget(self):
        self.lines, self.next, self.prev = {}, 1, "0" * 64
        self.wrong, self.twice, self.posts, self.asked, self.dropped = [], 0, 0, 0, 0

    def take(self, text):
        line = json.loads(text)
        seq = line["seq"]
        first = line["t"]["from"] if "t" in line else seq
        if seq < self.next:
            self.twice += 1
            if "e" in line and self.lines.get(seq, text) != text:
                self.wrong.append("line %d is another one the second time" % seq)
            return
        if first != self.next:
            self.wrong.append("line %d after line %d" % (first, self.next - 1))
        if line["prev"] != self.prev:
            self.wrong.append("line %d does not follow" % seq)
        if "t" in line:
            self.dropped += line["t"]["count"]
            self.prev = line["t"]["digest"]
        else:
            self.prev = hashlib.sha256(text).hexdigest()
            self.wrong += ["line %d: %s" % (seq, w) for w in check(line["e"])]
        self.lines[seq] = text
        self.next = seq + 1

    def posted(self, h, body):
        with self.lock:
            self.asked += 1
            mode = self.mode
            if h.headers.get("Authorization") != "Bearer " + TOKEN:
                return self.say(h, 401, b"who is that?")
            if len(body) > 256 << 10 or body.count(b"\n") > 500 or not body.endswith(b"\n"):
                self.wrong.append("a batch of %d bytes" % len(body))
            if not h.headers.get("Klp-Node", "").startswith("urn:klp:kindai:device:"):
                self.wrong.append("nobody's")
            if mode in ("ok", "deaf", "cut"):
                self.posts += 1
                for text in body.split(b"\n")[:-1]:
                    self.take(text)
            last = json.loads(body.split(b"\n")[-2])["seq"]
        if mode == "slow":
            threading.Event().wait(2)
        if mode in ("ok", "slow"):
            self.say(h, 202, json.dumps({"ack": last}).encode())
        elif mode == "fault":
            self.say(h, 500, b"oops")
        elif mode == "lie":
            self.say(h, 200, json.dumps({"ack": last + 1}).encode())
        elif mode == "none":
            self.say(h, 200, b'{"ack":0}')
        elif mode == "words":
            self.say(h, 200, b"thank you")
        elif mode == "away":
            h.send_response(302)
            h.send_header("Location", "https://127.0.0.1:%d/other" % self.port)
            h.send_header("Content-Length", "0")
            h.end_headers()
        elif mode == "endless":
            h.send_response(200)
            h.send_header("Transfer-Encoding", "chunked")
            h.end_headers()
            try:
                while True:
                    h.wfile.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            except OSError:
                h.close_connection = True
        elif mode == "cut":  # it has them, and nobody learns of it
            h.send_response(200)
            h.send_header("Content-Length", "100")
            h.end_headers()
            h.wfile.write(b'{"ack":')
            h.close_connection = True
        elif mode == "deaf":
            h.close_connection = True

    def say(self, h, code, body):
        try:
            h.send_response(code)
            h.send_header("Content-Length", str(len(body)))
            h.end_headers()
            h.wfile.write(body)
        except OSError:
            h.close_connection = True


class Nginx:
    """In front of it, by each certificate on a port of its own."""

    def __init__(self, folder, hub):
        self.folder, self.process = folder, None
        ca, other = authority(folder, "ca"), authority(folder, "other")
        self.ca, self.other = ca, other
        self.good = certificate(folder, ca, "good", NAMES)
        certs = {"good": self.good, "open": self.good,
                 "stranger": certificate(folder, other, "stranger", NAMES),
                 "named": certificate(folder, ca, "named", "DNS:elsewhere.test"),
                 "expired": certificate(folder, ca, "expired", NAMES, -1)}
        self.client = {"good": certificate(folder, ca, "client", "DNS:client"),
                       "stranger": certificate(folder, other, "client2", "DNS:client"),
                       "expired": certificate(folder, ca, "client3", "DNS:client", -1)}
        self.port = {n: free_port() for n in certs}
        servers = "".join("""
    server {
        listen 127.0.0.1:%d ssl;
        ssl_certificate %s;
        ssl_certificate_key %s;
        ssl_client_certificate %s;
        ssl_verify_client %s;
        location / { proxy_pass http://127.0.0.1:%d; proxy_read_timeout 1s; proxy_http_version 1.1; }
    }""" % (self.port[n], *c, ca, "off" if n == "open" else "on", hub.port) for n, c in certs.items())
        with open(os.path.join(folder, "nginx.conf"), "w") as f:
            f.write("""%sdaemon off; pid %s/pid; worker_processes 1;
events { worker_connections 64; }
http {
    access_log off; client_max_body_size 1m; proxy_buffering off;
    client_body_temp_path %s/body; proxy_temp_path %s/proxy; fastcgi_temp_path %s/f;
    uwsgi_temp_path %s/u; scgi_temp_path %s/s;%s
}
""" % ("user root; " if os.geteuid() == 0 else "", *(folder,) * 6, servers))

    def start(self):
        self.process = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-p", self.folder, "-e",
                                         self.folder + "/log", "-c", self.folder + "/nginx.conf"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return until(lambda: os.path.exists(self.folder + "/pid"), "nginx")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def url(self, name):
        return "https://127.0.0.1:%d/events" % self.port[name]


class Sender(Node):
    """A node with a hub: its section of node.yaml, and the files behind."""

    def __init__(self, user, nginx, hub):
        super().__init__(build, "hub", user)
        self.nginx, self.hub = nginx, hub
        self.with_compute()
        with open(os.path.join(self.dir, "node.yaml")) as f:
            self.text = f.read()

    def secret(self, name, source):
        with open(source) as f:
            self.write(name, f.read())

    def section(self, server="good", client="good", token=TOKEN, ca=None, **more):
        self.write("token", token + "\n")
        self.secret("ca.pem", ca or self.nginx.ca)
        lines = ["url: " + self.nginx.url(server), "ca: ca.pem", "token_file: token"]
        if client is not None:
            self.secret("client.pem", self.nginx.client[client][0])
            self.secret("client.key", self.nginx.client[client][1])
            lines += ["cert: client.pem", "key: client.key"]
        lines += ["%s: %s" % kv for kv in more.items()]
        self.write("node.yaml", self.text + "hub:\n" + "".join("  %s\n" % w for w in lines))

    def hup(self):
        """The files again: at least one event, and a try at once."""
        self.process.send_signal(signal.SIGHUP)

    def state(self):
        return status(self).get("node", {}).get("hub", {})

    def trail(self):
        """Its lines."""
        folder = os.path.join(self.dir, "warren/trail")
        out = []
        for n in sorted(os.listdir(folder)):
            if n.endswith(".jsonl"):
                with open(os.path.join(folder, n), "rb") as f:
                    out += f.read().split(b"\n")[:-1]
        return out

    def caught_up(self, what):
        """The hub has all that is in the trail, and what it has is right."""
        def look():
            s = self.state()
            with self.hub.lock:
                return s.get("behind") == 0 and s.get("error") == "" and s.get("acked") == self.hub.next - 1 and \
                    len(self.trail()) == s["acked"]
        ok = until(look, what)
        with self.hub.lock:
            same = [t for t in self.trail() if self.hub.lines.get(json.loads(t)["seq"]) != t]
            return ok and not self.hub.wrong and not same, "%s %s %s next %d of %d; %s" % (
                self.hub.wrong[:3], same[:1], self.state(), self.hub.next, len(self.trail()), self.said()[-1500:])


def fails(node, mode, what, why, *more):
    """It is said, nothing is believed, and what came before stands."""
    before = node.hub.next
    node.hup()
    ok = until(lambda: why in node.state().get("error", ""), "%s: its reason" % what)
    s = node.state()
    result("%s hub: %s: %s" % (mode, what, why), ok and s["failed"] > 0 and (node.hub.next == before or "had" in more),
           "%s %s" % (s, node.said()[-1200:]))


def lies(node, mode):
    for how, why in (("fault", "answers 500"), ("slow", "answers 504"), ("lie", "not sent"), ("none", "taken nothing"),
                     ("words", "no {"), ("away", "redirects are not followed"), ("endless", "more than the 4096")):
        node.hub.mode = how
        fails(node, mode, "a hub that is " + how, why)
    for how, why in (("cut", ""), ("deaf", "answers 502")):
        node.hub.mode = how
        fails(node, mode, "one that has them and says nothing, " + how, why, "had")
    node.hub.mode = "ok"
    node.hup()
    result(mode + " hub: then it has all, in order, again what it had", *node.caught_up("all lines"))
    result(mode + " hub: ... which it knows by its number", node.hub.twice > 0, node.hub.twice)


def others(node, mode, nginx):
    node.section(pin=pin(nginx.ca))
    fails(node, mode, "another key than the pinned one", "pinned")
    node.section(client="stranger")
    fails(node, mode, "our certificate is of nobody it knows", "answers 400")
    node.section(client="expired")
    fails(node, mode, "our certificate has expired", "answers 400")
    node.section(client=None)
    fails(node, mode, "we show none", "answers 400")
    node.section(token="another")
    fails(node, mode, "another token", "answers 401")
    node.section(ca=nginx.other)
    fails(node, mode, "a certificate of nobody we know", "certificate")
    nginx.stop()
    node.section()
    fails(node, mode, "nobody there", "connect")
    rc = subprocess.run([os.path.join(build, "warren"), "explain", "hub", "--config", node.dir], preexec_fn=node._drop,
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    result(mode + " hub: explain says what helps", rc.returncode == 0 and b"Nobody listens there" in rc.stdout, rc.stdout)
    nginx.start()
    node.section(pin=pin(nginx.good[0]))
    node.hup()
    result(mode + " hub: with the right one it goes on where it was", *node.caught_up("all lines"))
    for server, why in (("expired", "certificate"), ("stranger", "certificate"), ("named", "subject name")):
        node.section(server=server)
        fails(node, mode, "another address, its certificate is " + server, why)
    with node.hub.lock:
        node.hub.forget()
    node.section(server="open", client=None)
    node.hup()
    result(mode + " hub: another hub has the trail from its beginning", *node.caught_up("all of it"))


def killed(node, mode):
    """Both ends of the channel fall while events come."""
    for i in range(6):
        who = ("egress", "audit")[i % 2]
        count, pid = node.readies(who), node.pids().get(who)
        node.hub.mode = "deaf" if i % 3 == 0 else "ok"
        node.hup()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        until(lambda: node.readies(who) > count, who + " again")
    node.hub.mode = "ok"
    node.hup()
    result(mode + " hub: egress and audit killed under load, nothing is lost, nothing out of order",
           *node.caught_up("all lines"))
    uids = [json.loads(t)["e"]["metadata"]["uid"] for t in node.hub.lines.values() if b'"e":' in t]
    result(mode + " hub: no uid twice", len(uids) == len(set(uids)), len(uids))
    print("# %d lines in %d posts, %d came twice" % (len(uids), node.hub.posts, node.hub.twice))


def severe(node, mode, nginx):
    """Lines below the severity come as a number."""
    node.hub.mode = "fault"  # and nothing is under way any more
    node.section(server="good", min_severity=3)
    count = node.readies("trust")
    os.kill(node.pids()["trust"], signal.SIGKILL)  # program_fell, 3
    until(lambda: node.readies("trust") > count, "trust again")
    node.hup()
    until(lambda: "500" in node.state().get("error", ""), "a new hub")
    with node.hub.lock:
        node.hub.forget()
        node.hub.mode = "ok"
    node.hup()
    ok = until(lambda: node.state().get("error") == "" and node.state().get("behind") == 0 and node.hub.next > 1,
               "what is severe")
    with node.hub.lock:
        events = [json.loads(t)["e"] for t in node.hub.lines.values() if b'"e":' in t]
        good = ok and not node.hub.wrong and node.hub.dropped > 0 and events and all(
            e["severity_id"] >= 3 for e in events) and node.hub.dropped + len(events) == node.hub.next - 1
    result(mode + " hub: of the others it learns how many", good, "%s %s" % (node.hub.wrong[:3], node.state()))


def off(node, mode):
    node.write("node.yaml", node.text)
    node.hup()
    result(mode + " hub: named no more, egress ends and nothing goes out",
           until(lambda: "egress" not in node.pids() and node.state() == {}, "the end of egress"), node.state())
    node.section()
    os.chmod(os.path.join(node.dir, "token"), 0o644)
    node.hup()
    result(mode + " hub: a token that others can read is refused, and nothing is changed",
           until(lambda: "others can read or write it" in node.said(), "a word about it") and node.state() == {},
           node.said()[-800:])


def all_of(mode, user):
    hub = Hub()
    node = nginx = None
    try:
        folder = tempfile.mkdtemp(prefix="warren-nginx.")
        nginx = Nginx(folder, hub)
        node = Sender(user, nginx, hub)
        node.section()
        if not nginx.start() or not (node.start() and node.ready(COMPUTE)):
            result(mode + " hub", False, node.said()[-2000:])
            return
        result(mode + " hub: every line comes", *node.caught_up("the first lines"))
        lies(node, mode)
        others(node, mode, nginx)
        killed(node, mode)
        severe(node, mode, nginx)
        off(node, mode)
    finally:
        if nginx is not None:
            nginx.stop()
            shutil.rmtree(nginx.folder, ignore_errors=True)
        if node is not None:
            node.remove()
        hub.server.shutdown()


if "HUB_LONG" not in os.environ:
    skip("hub", "runs with ./check long")
elif shutil.which("nginx") is None and not os.path.exists("/usr/sbin/nginx"):
    skip("hub", "nginx is not here (apt-get install nginx-light)")
else:
    all_of(*(("root", None) if os.geteuid() == 0 else ("user", None)))
done()
