# SPDX-License-Identifier: BSD-2-Clause
"""A stock Reticulum endpoint for the interop tests; public API of RNS only.

  peer.py serve CONFIGDIR [ratchets]      announce when told, answer everything
  peer.py visit CONFIGDIR DEST STEPS...   try each step against DEST

Both print one JSON object a line. `serve` reads words from standard input:
announce, quit. The destination is interop.peer; what it answers:
  packets      proved, and printed
  /echo        the request's data
  /size        that many bytes
  channel      each message comes back, doubled
  buffer       stream 0 comes back on stream 0
  resources    printed as size and SHA-256
"""

import hashlib
import json
import os
import queue
import sys
import threading
import time

import RNS

from peer_pattern import pattern

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from waiting import PATIENCE_S, until  # noqa: E402


def say(**kw):
    sys.stdout.write(json.dumps(kw) + "\n")
    sys.stdout.flush()


class Message(RNS.MessageBase):
    MSGTYPE = 0x0101

    def __init__(self, data=b""):
        self.data = data

    def pack(self):
        return self.data

    def unpack(self, raw):
        self.data = raw


def start(config):
    """Reticulum, with its interfaces up: before, what is sent goes nowhere."""
    RNS.Reticulum(configdir=config, loglevel=2)
    until(lambda: all(i.online for i in RNS.Transport.interfaces if not str(i).startswith("I2PInterface[")),
          "every interface that carries packets is up")


def path_to(dest):
    """Asked for again: stock RNS drops what it hears right after its start."""
    for _ in range(20):
        RNS.Transport.request_path(dest)
        if until(lambda: RNS.Transport.has_path(dest) and RNS.Identity.recall(dest), "a path", 4):
            return True
    return False


# ---- serve ----

class Server:
    def __init__(self, config, ratchets):
        self.identity = RNS.Identity()
        self.dest = RNS.Destination(self.identity, RNS.Destination.IN, RNS.Destination.SINGLE,
                                    "interop", "peer")
        if ratchets:
            self.dest.enable_ratchets(os.path.join(config, "ratchets.own"))
        self.dest.set_proof_strategy(RNS.Destination.PROVE_ALL)
        self.dest.set_packet_callback(lambda data, packet: say(
            event="packet", data=data.hex(),
            ratchet=packet.ratchet_id.hex() if getattr(packet, "ratchet_id", None) else None))
        self.dest.set_link_established_callback(self.link_up)
        self.dest.register_request_handler("/echo", self.echo, allow=RNS.Destination.ALLOW_ALL)
        self.dest.register_request_handler("/size", self.size, allow=RNS.Destination.ALLOW_ALL)
        self.dest.set_default_app_data(b"interop")

    @staticmethod
    def echo(path, data, request_id, link_id, remote_identity, requested_at):
        return data

    @staticmethod
    def size(path, data, request_id, link_id, remote_identity, requested_at):
        return pattern(data)

    def link_up(self, link):
        link.set_resource_strategy(RNS.Link.ACCEPT_ALL)
        link.set_resource_concluded_callback(self.resource)
        link.set_remote_identified_callback(
            lambda l, identity: say(event="identified", hash=identity.hash.hex()))
        link.set_link_closed_callback(lambda l: say(event="closed"))
        channel = link.get_channel()
        channel.register_message_type(Message)

        answers = queue.Queue()

        def answer():  # in its own time: the window may be full
            while link.status == RNS.Link.ACTIVE:
                try:
                    m = answers.get(timeout=0.5)
                except queue.Empty:
                    continue
                until(channel.is_ready_to_send, "room in the channel")
                channel.send(Message(m.data + m.data))
        threading.Thread(target=answer, daemon=True).start()

        def message(m):
            if isinstance(m, Message):
                answers.put(m)
                return True
            return False
        channel.add_message_handler(message)

        lock = threading.Lock()  # ready() comes on several threads

        def ready(n):
            with lock:
                data = buffer.read(n)
                if data:
                    buffer.write(data)
                    buffer.flush()
        buffer = RNS.Buffer.create_bidirectional_buffer(0, 0, channel, ready)
        link.interop_buffer = buffer
        say(event="link")

    @staticmethod
    def resource(resource):
        if resource.status != RNS.Resource.COMPLETE:
            say(event="resource", ok=False)
            return
        data = resource.data.read()
        say(event="resource", ok=True, size=len(data), sha256=hashlib.sha256(data).hexdigest())


def serve(config, ratchets):
    start(config)
    server = Server(config, ratchets)
    say(event="ready", dest=server.dest.hash.hex(), identity=server.identity.hash.hex())
    for line in sys.stdin:
        word = line.strip()
        if word == "announce":
            server.dest.announce()
            say(event="announced")
        elif word == "quit":
            break


# ---- visit ----

class Visitor:
    def __init__(self, config, dest):
        self.hash = bytes.fromhex(dest) if dest != "-" else None
        self.heard = threading.Event()
        self.aspect_filter = "interop.peer"
        RNS.Transport.register_announce_handler(self)
        start(config)
        self.link = None
        self.identity = RNS.Identity()
        say(event="ready", identity=self.identity.hash.hex())

    def received_announce(self, destination_hash, announced_identity, app_data):
        if destination_hash == self.hash and app_data == b"interop":
            self.heard.set()

    def remote(self):
        identity = RNS.Identity.recall(self.hash)
        return RNS.Destination(identity, RNS.Destination.OUT, RNS.Destination.SINGLE,
                               "interop", "peer")

    # each step returns true, false or an extra for its line

    def announce(self):
        return self.heard.wait(PATIENCE_S)

    def path(self):
        if not path_to(self.hash):
            return False
        return {"hops": RNS.Transport.hops_to(self.hash)}

    def packet(self):
        def tried():  # its time may be over before the proof comes
            receipt = RNS.Packet(self.remote(), b"a single packet").send()
            until(lambda: not receipt or receipt.status != RNS.PacketReceipt.SENT, "the packet's proof")
            return receipt and receipt.status == RNS.PacketReceipt.DELIVERED
        return until(tried, "a packet with its proof")

    def open(self):
        def tried():  # likewise
            self.link = RNS.Link(self.remote())
            until(lambda: self.link.status in (RNS.Link.ACTIVE, RNS.Link.CLOSED), "the link")
            return self.link.status == RNS.Link.ACTIVE
        if not until(tried, "a link that is active"):
            return False
        return {"mtu": self.link.mtu, "rtt": self.link.rtt}

    def identify(self):
        sys.stdin.readline()  # "go": the other side has its callbacks
        self.link.identify(self.identity)
        return True

    def request(self, path, data, expect):
        got = []

        def tried():  # stock RNS may drop an answer that comes within a millisecond
            done = threading.Event()

            def answer(receipt):
                got.append(receipt.response)
                done.set()
            self.link.request(path, data, answer, lambda receipt: done.set(), timeout=60)
            done.wait(3 if len(expect) < 400 else 20)
            return got
        return until(tried, "an answer") and got[0] == expect

    def echo100(self):
        return self.request("/echo", pattern(100), pattern(100))

    def echo20k(self):
        return self.request("/echo", pattern(20000), pattern(20000))

    def size500k(self):
        return self.request("/size", 500000, pattern(500000))

    def channel(self):
        channel = self.link.get_channel()
        channel.register_message_type(Message)
        got = []

        def message(m):
            if isinstance(m, Message):
                got.append(m.data)
                return True
            return False
        channel.add_message_handler(message)
        for i in range(5):
            until(channel.is_ready_to_send, "room in the channel")
            channel.send(Message(b"message %d" % i))
        return until(lambda: len(got) == 5, "five messages") and \
            got == [b"message %d" % i * 2 for i in range(5)]

    def buffer(self):
        got = bytearray()
        lock = threading.Lock()

        def ready(n):
            with lock:
                data = buffer.read(n)
                if data:
                    got.extend(data)
        buffer = RNS.Buffer.create_bidirectional_buffer(0, 0, self.link.get_channel(), ready)
        data = pattern(20000)
        buffer.write(data)
        buffer.flush()
        return until(lambda: len(got) >= len(data), "all of the stream") and bytes(got) == data

    def send(self, data):
        start = time.time()
        ends = []
        for _ in range(3):  # ... and a resource, with the daemon of the same version between
            done = threading.Event()
            resource = RNS.Resource(data, self.link, callback=lambda r: done.set())
            done.wait(PATIENCE_S)
            if resource.status == RNS.Resource.COMPLETE:
                break
            ends.append([resource.status, self.link.status, time.time() - start])
        else:
            return {"ok": False, "ends": ends, "rtt": self.link.rtt}
        return {"tries": _ + 1, "ends": ends, "sha256": hashlib.sha256(data).hexdigest(), "seconds": time.time() - start}

    def resource20k(self):
        return self.send(os.urandom(20000))

    def resource2m(self):
        return self.send(os.urandom(2000000))

    def resource2mtext(self):
        return self.send(pattern(2000000))

    def proofagain(self):
        """A resource, and then its proof asked for as if it was lost (reticulum-endpoint.md 8.12)."""
        data = pattern(100)
        done = threading.Event()
        resource = RNS.Resource(data, self.link, callback=lambda r: done.set())
        if not done.wait(PATIENCE_S) or resource.status != RNS.Resource.COMPLETE:
            return False
        proof = hashlib.sha256(b"\x0f" + self.link.link_id + b"\x05" + resource.hash +
                               hashlib.sha256(data + resource.hash).digest()).digest()
        RNS.Packet(self.link, proof, context=RNS.Packet.CACHE_REQUEST).send()
        # what that gave comes before the answer to this
        return self.echo100() and {"proof": proof.hex()}

    def close(self):
        self.link.teardown()
        return until(lambda: self.link.status == RNS.Link.CLOSED, "the link's end")


def visit(config, dest, steps):
    """dest: "-" when it comes with the word: "go DEST"."""
    visitor = Visitor(config, dest)
    word, *more = sys.stdin.readline().split() or [""]
    if word != "go":
        return
    if more:
        visitor.hash = bytes.fromhex(more[0])
    for step in steps:
        started = time.time()
        try:
            result = getattr(visitor, step)()
        except Exception as e:
            say(step=step, ok=False, error=repr(e))
            continue
        extra = result if isinstance(result, dict) else {}
        say(**{"step": step, "ok": bool(result), "took": round(time.time() - started, 3), **extra})
    say(event="done")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], "ratchets" in sys.argv[3:])
    else:
        visit(sys.argv[2], sys.argv[3], sys.argv[4:])
    sys.stdout.flush()
    os._exit(0)
