# SPDX-License-Identifier: BSD-2-Clause
"""Web servers for test_egress: says "NAME PORT" of each, "ca FILE" and "go",
and ends with its standard input."""
import json
import os
import ssl
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tlsweb import Web, authority, certificate, pin, whole  # noqa: E402

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def endless(send):
    send(CHUNKED)
    while True:
        send(b"1000\r\n" + b"x" * 4096 + b"\r\n")


def drops(send):
    """A byte now and then."""
    send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        send(b"x")
        threading.Event().wait(.05)


def headers(send):
    send(b"HTTP/1.1 200 OK\r\n")
    while True:
        send(b"X-More: " + b"x" * 1000 + b"\r\n")


def answer(path, send):
    what = path.strip("/").split("?")[0]
    if what == "ok":
        send(whole("here it is"))
    elif what == "empty":
        send(whole(""))
    elif what == "big":
        send(whole(b"b" * 300000))
    elif what == "endless":
        endless(send)
    elif what == "short":
        send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
        return False
    elif what == "cut":
        send(CHUNKED + b"1000\r\nonly this")
        return False
    elif what == "drops":
        drops(send)
    elif what == "silent":
        pass  # and listens for another question
    elif what == "headers":
        headers(send)
    elif what == "away":
        send(whole("", "302 Found", "Location: https://127.0.0.1:1/x\r\n"))
    elif what == "fault":
        send(whole("no", "500 Oops"))
    elif what == "nothing":
        return False
    else:
        send(whole("no", "404 Not Found"))
    return True


def post(path, head, body, send):
    """What a hub was given; or the same as a file of that name gives."""
    if path != "/hub":
        return answer(path, send)
    send(whole(json.dumps({"ack": body.count(b"\n"), "bytes": len(body), "token": head.get("Authorization"),
                           "node": head.get("Klp-Node"), "type": head.get("Content-Type")}), "202 Accepted"))
    return True


def main():
    with tempfile.TemporaryDirectory(prefix="warren-egress.") as folder:
        ca, other = authority(folder, "ca"), authority(folder, "other")
        names = "DNS:good.test,DNS:localhost,IP:127.0.0.1"
        good = certificate(folder, ca, "good", names)
        webs = {"good": good, "unknown": certificate(folder, other, "unknown", names),
                "named": certificate(folder, ca, "named", "DNS:elsewhere.test"),
                "expired": certificate(folder, ca, "expired", names, -1), "plain": None,
                "failing": good}
        for name, cert in webs.items():
            print(name, Web(answer, cert, post).port)
        mutual = Web(answer, good, post)
        mutual.context.verify_mode = ssl.CERT_REQUIRED
        mutual.context.load_verify_locations(ca)
        print("mutual", mutual.port)
        for name, who in (("client", ca), ("stranger", other)):
            for what, file in zip(("cert", "key"), certificate(folder, who, name, "DNS:" + name)):
                print("%s-%s" % (name, what), file)
        print("pin", pin(good[0]))
        print("otherpin", pin(ca))
        print("ca", ca)
        print("go", flush=True)
        sys.stdin.read()


main()
