# SPDX-License-Identifier: BSD-2-Clause
"""An independent submitter on stock RNS (compute.md 3), for tests."""

import os
import threading
import time

import RNS
from RNS.vendor import umsgpack as msgpack

from . import PATIENCE_S, codec, quiet, until


def start(config):
    """Reticulum, with its interfaces up: before, what is sent goes nowhere."""
    RNS.Reticulum(config, loglevel=2)
    until(interfaces_up, "every interface is up")


def interfaces_up():
    return all(i.online for i in RNS.Transport.interfaces)


class Refused(Exception):
    def __init__(self, status, meta, body=None):
        super().__init__(f"status {status} {meta}")
        self.status, self.meta, self.body = status, meta, body


class Client:
    """
    One link to a node's klp.node destination, identified, with a binding. Lossy: the first answer to every request is
    lost on its way.
    """

    def __init__(self, dest_hash, key=None, identity=None, identify=True, timeout=PATIENCE_S, send_binding=True,
                 lossy=False):
        self.lossy = lossy
        self.key = key or codec.SecpKey()
        self.identity = identity or RNS.Identity()
        self.binding = codec.binding_make(self.key, self.identity)
        self.dest_hash = dest_hash
        self.send_binding = send_binding
        self.link = None
        self.connect(timeout, identify)

    def connect(self, timeout=PATIENCE_S, identify=True):
        end = time.time() + timeout
        while not RNS.Transport.has_path(self.dest_hash) and time.time() < end:
            RNS.Transport.request_path(self.dest_hash)
            until(lambda: RNS.Transport.has_path(self.dest_hash), "a path to the node", 3)
        remote = RNS.Identity.recall(self.dest_hash)
        if remote is None:
            raise TimeoutError("no path to the node")
        self.node_public = remote.get_public_key()
        dest = RNS.Destination(remote, RNS.Destination.OUT, RNS.Destination.SINGLE, "klp", "node")
        while not self.open(dest):  # an attempt's time may be over before the proof comes
            if time.time() > end:
                raise TimeoutError("the link did not come up")
        if identify:
            self.link.identify(self.identity)

    def open(self, dest):
        up, closed = threading.Event(), threading.Event()
        self.closed = closed
        self.link = RNS.Link(dest, established_callback=lambda _l: up.set(), closed_callback=lambda _l: closed.set())
        until(lambda: up.is_set() or closed.is_set(), "the link")
        return up.is_set()

    def close(self):
        self.link.teardown()
        self.closed.wait(2)

    def ask(self, path, data, timeout=30, tries=3):
        """
        One request: (status, meta, body). Asks again without a sign of an answer after max(2 s, 8 RTT), as 3 says:
        stock RNS now and then drops an answer that comes within a millisecond. An answer to any of them will do.
        """
        end = time.time() + timeout * tries
        answers, done = [], threading.Event()
        lose = self.lossy
        wait = max(2, 8 * (self.link.rtt or 0))

        def got(r):
            answers.append(r.response)
            done.set()

        while time.time() < end and not self.closed.is_set():
            receipt = self.link.request("/klp/v1/" + path, data, response_callback=got,
                                        failed_callback=lambda _r: done.set(), timeout=timeout)
            # a resource is seen to go on; nothing shows when it was sent and the answer to it dropped
            packet = len(msgpack.packb(data)) + 32 <= (self.link.get_mdu() or 0)
            seen, since = None, time.time()
            while not done.wait(0.05) and time.time() < min(end, since + (wait if packet else 5 * wait)):
                if receipt and (receipt.get_status(), receipt.get_progress()) != seen:
                    seen, since = (receipt.get_status(), receipt.get_progress()), time.time()
            if answers and lose:
                lose = False  # the same again, when as much has happened meanwhile as can
                if path == "job/follow":
                    self.lossy = False
                    self.wait(data["id"])
                    self.lossy = True
                answers.clear()
            elif answers:
                status, meta, body = answers[0]
                return status, meta, body
            done.clear()
            wait *= 1.5
        if self.closed.is_set():
            raise ConnectionError("the link is closed")
        raise TimeoutError(f"no answer to {path}")

    def must(self, path, data, **kw):
        while True:
            status, meta, body = self.ask(path, data, **kw)
            if status == 4:
                quiet(min(float(meta.get("s", 1)), 5), "the node said how long it is busy")
                continue
            if status not in (0, 1):
                raise Refused(status, meta, body)
            return body

    def describe(self):
        data = {"b": self.binding} if self.send_binding else {}
        d = self.must("describe", data)
        secp = codec.binding_check(d["binding"], self.node_public)
        if secp is None:
            raise ValueError("the node's binding is not valid")
        self.node_key = secp
        return d

    def submit_envelope(self, env):
        data = {"m": env}
        if self.send_binding:
            data["b"] = self.binding
        return self.must("job/submit", data)

    def submit(self, payload, blobs, binary=True):
        """Submits, uploads what is missing; the last answer."""
        make = (lambda: codec.envelope_binary(msgpack, codec.T_MANIFEST, payload, self.key)) if binary else \
            (lambda: codec.envelope_json(codec.T_MANIFEST, payload, self.key))
        self.envelope = make()
        a = self.submit_envelope(self.envelope)
        assert a["id"] == codec.sha256(payload), "job id"
        self.sent = []
        while a["missing"] or a["more"]:
            for d in a["missing"]:
                self.upload(d, blobs[d])
                self.sent.append(d)
            a = self.submit_envelope(self.envelope)
        return a

    def upload(self, digest, blob, slice_size=65536):
        have = self.must("blob/put", {"d": digest, "o": 0, "n": len(blob), "b": b""})["have"]
        while have < len(blob):
            have = self.must("blob/put", {"d": digest, "o": have, "n": len(blob),
                                          "b": blob[have:have + slice_size]}, timeout=60)["have"]

    def fetch(self, digest, size):
        out = b""
        while len(out) < size:
            part = self.must("blob/get", {"d": digest, "o": len(out), "n": 262144}, timeout=60)
            if not part:
                break
            out += part
        return out

    def status(self, job):
        return self.must("job/status", {"id": job})

    def wait(self, job, states=("done", "refused", "cancelled", "lost"), timeout=PATIENCE_S):
        seen = {}

        def there():
            seen.update(self.status(job))
            return seen["state"] in states
        if not until(there, f"a job that is {' or '.join(states)}", timeout, 0.05):
            raise TimeoutError(f"job is still {seen['state']} ({seen['reason']})")
        return seen

    def status_of_nothing(self):
        """2 from a node that is there."""
        return self.ask("job/status", {"id": os.urandom(32)})[0]

    def log(self, job, stream):
        out = b""
        while True:
            status, meta, body = self.ask("job/log", {"id": job, "s": stream, "o": len(out), "n": 65536})
            if status != 0:
                raise Refused(status, meta)
            out += body
            if not body or len(out) >= meta["size"]:
                return out

    def result(self, job, timeout=PATIENCE_S):
        answer = []

        def decided():
            answer[:] = self.ask("job/result", {"id": job})
            return answer[0] != 7  # not yet
        until(decided, "the job's result", timeout, 0.05)
        status, meta, body = answer
        if status != 0:
            raise Refused(status, meta)
        return body

    def verified_result(self, job):
        """Receipt fields, {target: tar}, (stdout, stderr), all digests checked."""
        res = self.result(job)
        r = codec.receipt_open(res["r"], self.node_key)
        assert r is not None, "receipt signature"
        assert r["job"] == job, "receipt is for another job"
        assert r["outputs"] == codec.outputs_root([tuple(o) for o in res["o"]]), "outputs root"
        (so, ss), (eo, es) = res["l"]
        assert r["logs"] == codec.logs_root((so, ss), (eo, es)), "logs root"
        outputs = {}
        for target, digest, size in res["o"]:
            outputs[target] = self.fetch(digest, size)
            assert codec.sha256(outputs[target]) == digest, "output digest"
        logs = self.log(job, 1), self.log(job, 2)
        assert codec.sha256(logs[0]) == so and codec.sha256(logs[1]) == eo, "log digests"
        return r, outputs, logs

    def whole(self, job, targets=(), **kw):
        """All of a job in one answer: receipt, outputs of its rw volumes, logs; None: the node gives it in pieces."""
        body = self.must("job/status", {"id": job, **kw})
        return self.whole_of(job, body, targets) if "f" in body else None

    def whole_of(self, job, body, targets=()):
        short, out, err, *more = body["f"]
        items = dict(zip(targets, more[0], strict=True)) if more else {}
        outputs = {t: b for t, b in items.items() if b is not None}
        root = codec.outputs_root([(t, codec.sha256(b), len(b)) for t, b in outputs.items()])
        logs = codec.logs_root((codec.sha256(out), len(out)), (codec.sha256(err), len(err)))
        r = codec.receipt_open(codec.receipt_restore(short, job, root, logs, self.node_key), self.node_key)
        assert r is not None, "the receipt of a whole job"
        return r, outputs, (out, err)

    def follow(self, job, stream, timeout=PATIENCE_S, offset=0):
        """Bytes of the stream until its end."""
        reader = RNS.Buffer.create_reader(stream, self.link.get_channel(), lambda _n: None)
        raw = reader.raw  # closed when the reader goes
        body = self.must("job/follow", {"id": job, "s": stream, "o": offset})
        data = bytearray()

        def over():
            part = raw.read(65536)
            while part:
                data.extend(part)
                part = raw.read(65536)
            return part == b""  # None: nothing yet
        eof = until(over, "the end of the stream", timeout)
        return body["o"], bytes(data), eof

    def live_proof(self, n):
        m = os.urandom(32)
        digest = codec.challenge_digest(self.link.link_id, n, m, self.identity.get_public_key(), self.node_public)
        return self.key.sign_digest(digest) + m

    def challenge(self):
        """True when the node proves its secp256k1 key over this link."""
        n = os.urandom(32)
        a = self.must("challenge", {"n": n, "w": "secp"})
        secp = codec.binding_check(a["b"], self.node_public)
        digest = codec.challenge_digest(self.link.link_id, n, a["m"], self.identity.get_public_key(), self.node_public)
        return secp is not None and codec.secp_verify_digest(secp, digest, a["s"])
