# SPDX-License-Identifier: BSD-2-Clause
"""More lies of a registry, beside those of libregistry: answers that are no
HTTP, lengths that contradict each other, addresses of this machine in other
spellings, tokens that are worth nothing, documents that are two."""
import gzip
import hashlib
import json

from libimage import ARCH
from libregistry import INDEX, MANIFEST, Lies, serve


class Liar(Lies):
    """As Lies: repository lie/NAME does what the method NAME does."""

    def raw(self, h, *parts):
        """These bytes, and the end."""
        for p in parts:
            h.wfile.write(p)
        h.wfile.flush()
        h.hang_up()

    def blob(self, h, what, ref, *heads, tail=b""):
        """The large layer with these heads instead of its length."""
        if not self.is_big(what, ref):
            return serve(h, self.image, what, ref)
        self.raw(h, b"HTTP/1.1 200 OK\r\n", *(x + b"\r\n" for x in heads), b"\r\n", self.image.blobs[ref[7:]], tail)

    # ---- what is no HTTP ----
    def http09(self, h, what, ref):
        self.raw(h, self.image.manifest)

    def no_status(self, h, what, ref):
        self.raw(h, b"HTTP/1.1 banana\r\n\r\n")

    def long_line(self, h, what, ref):
        self.raw(h, b"HTTP/1.1 200 OK\r\nX-More: ", *[b"x" * 65536] * 16, b"\r\n\r\n")

    def on_and_on(self, h, what, ref):
        """100 Continue, for ever."""
        while True:
            h.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)

    def upgraded(self, h, what, ref):
        self.raw(h, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", b"x" * 100)

    def nothing(self, h, what, ref):
        self.raw(h, b"HTTP/1.1 204 No Content\r\n\r\n")

    def code_999(self, h, what, ref):
        h.give("{}", 999)

    def choices(self, h, what, ref):
        h.give("{}", 300, Location="/v2/lie/fine/manifests/1")

    def not_modified(self, h, what, ref):
        self.raw(h, b"HTTP/1.1 304 Not Modified\r\n\r\n")

    # ---- lengths ----
    def below_nothing(self, h, what, ref):
        self.blob(h, what, ref, b"Content-Length: -1")

    def two_lengths(self, h, what, ref):
        self.blob(h, what, ref, b"Content-Length: 300", b"Content-Length: 1000")

    def length_and_chunks(self, h, what, ref):
        """Chunks count, and the bytes are none."""
        self.blob(h, what, ref, b"Content-Length: 10", b"Transfer-Encoding: chunked")

    def huge_length(self, h, what, ref):
        self.blob(h, what, ref, b"Content-Length: 99999999999999999999999")

    def huge_chunk(self, h, what, ref):
        if not self.is_big(what, ref):
            return serve(h, self.image, what, ref)
        self.raw(h, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx")

    def more_behind(self, h, what, ref):
        """As long as should be, and there is more; without a length."""
        self.blob(h, what, ref, b"Connection: close", tail=b"more")

    def trailers(self, h, what, ref):
        """A layer, and then headers for ever."""
        if not self.is_big(what, ref):
            return serve(h, self.image, what, ref)
        data = self.image.blobs[ref[7:]]
        h.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(data) + data + b"\r\n0\r\n")
        while True:
            h.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")

    def packed_blob(self, h, what, ref):
        """256 MiB of nothing as the encoding of a layer."""
        if not self.is_big(what, ref):
            return serve(h, self.image, what, ref)
        h.give(gzip.compress(bytes(1 << 20)) * 256, 200, Content_Encoding="gzip")

    def packed_transfer(self, h, what, ref):
        """The same on the way."""
        if not self.is_big(what, ref):
            return serve(h, self.image, what, ref)
        data = gzip.compress(bytes(1 << 20)) * 256
        self.raw(h, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n%x\r\n" % len(data), data,
                 b"\r\n0\r\n\r\n")

    def cut_wrong_total(self, h, what, ref):
        """It goes on where it should, in a file of another length; asked for all, it is honest."""
        data = self.image.blobs.get(ref[7:], b"")
        if not self.is_big(what, ref):
            return serve(h, self.image, what, ref)
        if self.first("cut_wrong_total"):
            return self.raw(h, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data), data[:150000])
        if h.headers.get("Range"):
            return h.give(data[150000:], 206, Content_Range="bytes 150000-%d/%d" % (len(data) - 1, len(data) * 2))
        return h.give(data)

    def cut_more(self, h, what, ref):
        """Asked to go on it sends more than there is left, each time."""
        data = self.image.blobs.get(ref[7:], b"")
        if not self.is_big(what, ref):
            return serve(h, self.image, what, ref)
        if h.headers.get("Range"):
            first = int(h.headers["Range"][6:].split("-")[0])
            return h.give(data[first:] * 3, 206, Content_Range="bytes %d-%d/*" % (first, len(data) - 1))
        return self.raw(h, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data), data[:150000])

    # ---- ways ----
    def to_six(self, h, what, ref):
        self.away(h, "https://[::1]:%d/" % self.canary.port)

    def to_mapped_hex(self, h, what, ref):
        self.away(h, "https://[::ffff:7f00:1]:%d/" % self.canary.port)

    def to_nat64(self, h, what, ref):
        self.away(h, "https://[64:ff9b::7f00:1]:%d/" % self.canary.port)

    def to_zero(self, h, what, ref):
        self.away(h, "https://0.0.0.0:%d/" % self.canary.port)

    def to_number(self, h, what, ref):
        self.away(h, "https://2130706433:%d/" % self.canary.port)

    def to_hex(self, h, what, ref):
        self.away(h, "https://0x7f.1:%d/" % self.canary.port)

    def to_dot(self, h, what, ref):
        self.away(h, "https://localhost.:%d/" % self.canary.port)

    def to_back(self, h, what, ref):
        self.away(h, "https:\\\\localhost:%d\\" % self.canary.port)

    def to_plain(self, h, what, ref):
        self.away(h, "http://127.0.0.1:%d/x" % self.canary.port)

    def ten_hops(self, h, what, ref):
        """A good image, behind ten redirects."""
        if what == "manifests" and ref == "1":
            ref = "n0"
        if what == "manifests" and ref[0] == "n" and int(ref[1:]) < 10:
            return self.away(h, "/v2/lie/ten-hops/manifests/n%d" % (int(ref[1:]) + 1))
        serve(h, self.image, what, "1" if what == "manifests" else ref)

    # ---- when ----
    def busy_huge(self, h, what, ref):
        h.give("{}", 429, Retry_After="99999999999999999999")

    def busy_date(self, h, what, ref):
        h.give("{}", 429, Retry_After="Fri, 31 Dec 2199 23:59:59 GMT")

    # ---- who asks ----
    def useless(self, h, what, ref):
        """Tokens, and none is good for anything."""
        self.challenge(h, "http://127.0.0.1:%d/token/any" % self.port)

    def token_any(self, h, path):
        h.give(json.dumps({"token": "t%d" % len(self.server.asked)}), 200)

    def token_moves(self, h, what, ref):
        self.challenge(h, "http://127.0.0.1:%d/token/away" % self.port)

    def token_away(self, h, path):
        self.away(h, "http://127.0.0.1:%d/x" % self.canary.port)

    def token_asks(self, h, what, ref):
        """Who has tokens wants one as well."""
        self.challenge(h, "http://127.0.0.1:%d/token/ask" % self.port)

    def token_ask(self, h, path):
        self.challenge(h, "http://127.0.0.1:%d/token/ask" % self.port)

    def token_twice(self, h, what, ref):
        self.challenge(h, "http://127.0.0.1:%d/token/two" % self.port)

    def token_two(self, h, path):
        h.give('{"token":"a","token":"b"}', 200)

    # ---- documents ----
    def raced(self, h, what, ref):
        """The tag is another image's when its digest is told."""
        if what == "manifests":
            other = hashlib.sha256(self.image.manifest + b"\n").hexdigest()
            return h.give(self.image.manifest, 200, MANIFEST, Docker_Content_Digest="sha256:" + other)
        serve(h, self.image, what, ref)

    def digest_of_nothing(self, h, what, ref):
        h.give(self.image.manifest, 200, MANIFEST, Docker_Content_Digest="md5:" + "0" * 32)

    def other_behind_index(self, h, what, ref):
        """The index promises one manifest, and another comes."""
        if what == "manifests" and ref == "1":
            return h.give(self.several()[0], 200, INDEX)
        if what == "manifests":
            return h.give(self.image.manifest.replace(b": 2,", b":2 ,"), 200, MANIFEST)
        serve(h, self.image, what, ref)

    def twice(self, h, what, ref):
        """Layers, and then again none."""
        h.give(self.image.manifest[:-1] + b',"layers":[]}', 200, MANIFEST)

    def capitals(self, h, what, ref):
        doc = json.loads(self.image.manifest)
        doc["layers"][0]["digest"] = "sha256:" + doc["layers"][0]["digest"][7:].upper()
        h.give(json.dumps(doc), 200, MANIFEST)

    def two_sizes(self, h, what, ref):
        doc = json.loads(self.image.manifest)
        doc["layers"].append(dict(doc["layers"][0], size=1))
        h.give(json.dumps(doc), 200, MANIFEST)

    def huge_behind_index(self, h, what, ref):
        self.index(h, self.platform(self.image.digest, ARCH, 1 << 50))

    def huge_config(self, h, what, ref):
        self.changed(h, config={"size": 1 << 40})


# Repository, exit status, what is said; the status 0: it is pulled.
MORE = [
    ("long-line", 1, "a header line that is too long"), ("on-and-on", 1, "headers without end"),
    ("upgraded", 1, "answers 101: gives no file"), ("nothing", 1, "answers 204: gives no file"),
    ("code-999", 1, "answers 999: gives no file"), ("choices", 1, "answers 300: gives no file"),
    ("not-modified", 1, "answers 304: gives no file"), ("huge-length", 0, ""), ("more-behind", 1, "more bytes"),
    ("trailers", 1, "headers without end"), ("packed-blob", 1, "packed, which was not asked for"),
    ("packed-transfer", 1, "more bytes"), ("cut-wrong-total", 0, ""), ("cut-more", 1, "more bytes"),
    ("to-six", 3, "[::1]:"), ("to-mapped-hex", 3, "an address of this machine"),
    ("to-nat64", 3, "an address of this machine"), ("to-zero", 3, "no address of a single host"),
    ("to-number", 3, "neither a name nor an address"), ("to-hex", 3, "neither a name nor an address"),
    ("to-dot", 3, "its host is no name"), ("to-back", 3, "a character that none has"),
    ("ten-hops", 3, "redirects without end"), ("busy-date", 4, "asks to wait"), ("useless", 3, "takes no token"),
    ("token-moves", 3, "tokens are not looked for further on"), ("token-asks", 3, "wants a name and a password"),
    ("token-twice", 1, "without a token"), ("raced", 1, "than the registry says"),
    ("digest-of-nothing", 1, "than the registry says"), ("other-behind-index", 1, "than the one that was asked for"),
    ("twice", 1, "a member twice"), ("capitals", 1, "no digest by sha256"), ("two-sizes", 1, "two sizes"),
    ("huge-behind-index", 1, "more than 4 MiB"), ("huge-config", 1, "more than 4 MiB"),
]
# What may be a fault of the way is asked for again: half a minute each.
MORE_SLOW = [
    ("http09", 1, "HTTP/0.9"), ("no-status", 1, "Unsupported HTTP version"), ("below-nothing", 1, "Content-Length"),
    ("two-lengths", 1, "less than there should be"), ("length-and-chunks", 1, "chunked-encoding"),
    ("huge-chunk", 1, "chunked-encoding"), ("busy-huge", 4, "answers 429 again and again"),
]
