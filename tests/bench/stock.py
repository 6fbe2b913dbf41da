# SPDX-License-Identifier: BSD-2-Clause
"""A stock Reticulum endpoint with the words of endpoint.c; public API of RNS only.

  stock.py serve listen:PORT|connect:PORT
  stock.py visit connect:PORT DEST links N resource BYTES N [packed BYTES N]
"""

import os
import sys
import tempfile
import threading
import time

import RNS

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from waiting import quiet, until  # noqa: E402

CONFIG = """[reticulum]
enable_transport = no
share_instance = no
[logging]
loglevel = 1
[interfaces]
[[bench]]
enabled = yes
"""
LISTEN = "type = TCPServerInterface\nlisten_ip = 127.0.0.1\nlisten_port = "
CONNECT = "type = TCPClientInterface\ntarget_host = 127.0.0.1\ntarget_port = "


def start(where):
    kind, port = where.split(":")
    folder = tempfile.mkdtemp(prefix="warren-bench-")
    with open(os.path.join(folder, "config"), "w") as f:
        f.write(CONFIG + (LISTEN if kind == "listen" else CONNECT) + port + "\n")
    RNS.Reticulum(configdir=folder, loglevel=1)
    until(lambda: all(i.online for i in RNS.Transport.interfaces), "every interface is up", 20)


def say(*words):
    print(*words, flush=True)


def serve(where):
    start(where)
    dest = RNS.Destination(RNS.Identity(), RNS.Destination.IN, RNS.Destination.SINGLE, "bench", "endpoint")
    dest.set_link_established_callback(lambda link: link.set_resource_strategy(RNS.Link.ACCEPT_ALL))
    say("dest", dest.hash.hex())
    dest.announce()
    threading.Event().wait()


def open_link(remote):
    up = threading.Event()
    t = time.perf_counter()
    link = RNS.Link(remote, established_callback=lambda _: up.set())
    if not up.wait(30):
        raise SystemExit("the link did not come up")
    return link, int((time.perf_counter() - t) * 1e6)


def transfer(link, data, packed):
    done = threading.Event()
    t = time.perf_counter()
    resource = RNS.Resource(data, link, callback=lambda _: done.set(), auto_compress=packed)
    if not done.wait(120) or resource.status != RNS.Resource.COMPLETE:
        raise SystemExit("the resource failed")
    return int((time.perf_counter() - t) * 1e6)


def visit(where, dest, words):
    start(where)
    end = time.time() + 30
    while not RNS.Transport.has_path(dest) or not RNS.Identity.recall(dest):
        if time.time() > end:
            raise SystemExit("no path")
        RNS.Transport.request_path(dest)
        until(lambda: RNS.Transport.has_path(dest) and RNS.Identity.recall(dest), "a path", 2)
    remote = RNS.Destination(RNS.Identity.recall(dest), RNS.Destination.OUT, RNS.Destination.SINGLE, "bench", "endpoint")
    link = None
    while words:
        if words[0] == "links":
            for _ in range(int(words[1])):
                one, us = open_link(remote)
                say("link", us)
                one.teardown()
            words = words[2:]
        else:
            if link is None:
                link = open_link(remote)[0]
                quiet(1, "the other side sets its callbacks unseen")
            size = int(words[1])
            for _ in range(int(words[2])):
                say(words[0], size, transfer(link, os.urandom(size), words[0] == "packed"))
            words = words[3:]


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        visit(sys.argv[2], bytes.fromhex(sys.argv[3]), sys.argv[4:])
    sys.stdout.flush()
    os._exit(0)
