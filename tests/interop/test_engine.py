# SPDX-License-Identifier: BSD-2-Clause
"""The engine's own rooms: storage, mesh.sock, and the bridge to the node."""

import errno
import hashlib
import json
import os
import random
import socket
import struct
import subprocess
import threading
import time

import lib
import testparent
from lib import check, client, config, control, paths_of, server
from peer_pattern import pattern


# ---- storage ----

def announcers(ctx, port, n):
    out = []
    for i in range(n):
        folder = ctx.stock_dir(config(client("up", port)))
        p = ctx.peer(ctx.args.python, "serve", folder, *(["ratchets"] if i % 2 else []))
        out.append((p, p.expect(event="ready")["dest"]))
    for p, _ in out:
        p.say("announce")
        p.expect(event="announced")
    return [d for _, d in out]


def packets(port, what):
    """20 packets to somebody that nobody knows: they are remembered, so that they are not handled twice."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        for i in range(20):
            s.sendall(b"\x7e" + bytes([0, 0]) + bytes([0x40 + i]) * 16 + b"\0" + bytes([what]) * 60 + b"\x7e")
        s.shutdown(socket.SHUT_WR)
        s.settimeout(lib.PATIENCE_S)
        while s.recv(4096):  # until it is read, and closed there
            pass


def folder_back_and_forth(ctx):
    """warrend learns, rnsd goes on with its folder, and warrend after it."""
    py = ctx.args.python
    port = lib.free_port()
    name = f"interop{port}"
    ctx.transport(config(server("listen", port), transport=True))
    door = lib.free_port()
    text = config(client("up", port) + server("door", door), transport=True, share=True, instance=name)
    t = ctx.transport(text)
    dests = announcers(ctx, port, 3)
    lib.must(lambda: len(control(t, "paths")[0]["paths"]) == 3, "three paths")
    packets(door, 1)
    check(t.stop() == 0, "exit status")
    folder = t.folder
    identity = open(folder + "/storage/transport_identity", "rb").read()
    check(len(identity) == 64, "identity")
    check(len(os.listdir(folder + "/storage/ratchets")) == 1, "ratchets")
    check(len(os.listdir(folder + "/storage/cache/announces")) == 3, "announces")
    seen = os.path.getsize(folder + "/storage/packet_hashlist.raw")
    check(seen >= 20 * 32 and seen % 32 == 0, f"{seen} bytes of packet hashes")

    # stock rnsd on the same folder, before anybody announces again
    log = open(ctx.folder + "/rnsd.log", "ab")
    rnsd = ctx.keep(lib.Process([py, "-m", "RNS.Utilities.rnsd", "-vvv", "--config", folder], log))
    lib.must(lambda: lib.instance_up(name), "rnsd on the folder")
    found = {}

    def has_all():
        found.update(paths_of(py, folder))
        return all(found.get(d) == 2 for d in dests)
    check(lib.until(has_all, "the paths in rnsd"), f"rnsd has {found}")
    packets(door, 2)
    rnsd.stop()
    check(open(folder + "/storage/transport_identity", "rb").read() == identity, "identity")
    with open(ctx.folder + "/rnsd.log", encoding="utf-8") as f:
        said = f.read()
    odd = [x for x in said.splitlines() if "[Error]" in x or "[Critical]" in x or "[Warning]" in x]
    check("Saved" in said and not odd, f"rnsd complains: {odd}\n{said[-3000:]}")
    # what it has heard itself, whole
    theirs = open(folder + "/storage/packet_hashlist.raw", "rb").read()
    check(len(theirs) % 32 == 0 and any(any(theirs[i + 8:i + 32]) for i in range(0, len(theirs), 32)),
          f"{len(theirs)} bytes of packet hashes")

    # and back again
    t = ctx.transport(text, folder=folder)
    found = {p["destination"]: p["hops"] for p in control(t, "paths")[0]["paths"]}
    check(all(found.get(d) == 2 for d in dests), f"warren has {found}")
    status = control(t, "status")[0]
    check(status["counts"]["known"] >= 3, f"known: {status}")
    check(not os.path.exists(folder + "/storage/damaged"), "nothing of theirs is set aside")
    found = {}
    check(lib.until(has_all, "what warren has, in rnpath"), f"rnpath sees {found}")


def broken_storage(ctx):
    """Files that are not what they should be are left out, one by one."""
    folder = ctx.dir("warren")
    s = folder + "/storage"
    os.makedirs(s + "/ratchets")
    os.makedirs(s + "/blackhole")
    for f in ("known_destinations", "destination_table", "packet_hashlist.raw", "blackhole/local"):
        with open(f"{s}/{f}", "wb") as out:
            out.write(random.Random(f).randbytes(1000))
    os.symlink("/etc/passwd", s + "/ratchets/" + "00" * 16)
    port = lib.free_port()
    t = ctx.transport(config(server("listen", port), transport=True), folder=folder)
    check(control(t, "status")[0]["ok"], "status")
    check(t.stop() == 0, "exit status")
    with open(s + "/transport_identity", "wb") as f:
        f.write(b"short")
    try:
        ctx.transport(config("", transport=True), folder=folder)
    except RuntimeError:
        return
    raise lib.Failure("started with half an identity")


# ---- mesh.sock ----

def mesh_sock(ctx):
    port = lib.free_port()
    t = ctx.transport(config(server("listen", port) + client("self", port) +
                             "[[odd]]\ntype = Weird\nenabled = yes\n", transport=True))
    check(lib.until(lambda: lib.online(t) == [True, True, True, False], "three interfaces up"), f"{lib.online(t)}")
    status = control(t, "status")[0]
    check(status["ok"] and status["transport"] and status["interfaces"] == 3, f"{status}")
    t.channel.send("PROGRAM", struct.pack(">BBII", 2, 1, 3, 4711))
    lib.must(lambda: control(t, "status")[0]["programs"] == [
        {"name": "node", "running": True, "restarts": 3, "pid": 4711}], "programs")
    check(control(t, "nonsense")[0]["exit"] == 2, "unknown verb")
    check(control(t, "peers")[0]["peers"] == [], "peers")
    # several questions at once; a broken one; one that does not end
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(lib.PATIENCE_S)
    s.connect(t.mesh_path)
    s.sendall(b'{"verb":"peers"}\n{"verb":\n[1]\n{"verb":"peers"}\n')
    got = b""
    while got.count(b"\n") < 4:
        got += s.recv(65536)
    check([json.loads(x)["ok"] for x in got.splitlines()] == [True, False, False, True], f"{got}")
    try:
        s.sendall(b"x" * 70000)
        check(s.recv(1) == b"", "an endless line is taken")
    except OSError:
        pass
    status = control(t, "status")[0]
    check(status["ok"] and status["mesh_sock"]["too_long"] == 1, f"status afterwards: {status}")
    # noise on the listener is counted, and hurts nobody
    n = socket.create_connection(("127.0.0.1", port))
    n.sendall(b"\x7e" + b"z" * 100000 + b"\x7e" + random.Random(1).randbytes(100000) + b"\x7e\x7e")
    lib.must(lambda: any(i.get("rx_bytes", 0) >= 200000 for i in control(t, "interfaces")[0]["interfaces"]),
             "the noise is read")
    check(control(t, "status")[0]["ok"], "status after noise")
    n.close()


# ---- the bridge ----

class Node:
    """Stands where warren-node is."""

    def __init__(self, t):
        self.c = t.neighbour("node")
        name, build, _ = self.c.recv(lib.PATIENCE_S)
        check(name == "HELLO" and len(build) == 32, f"{name}")
        self.c.send("HELLO", build)

    def expect(self, want):
        name, body, fds = self.c.recv(lib.PATIENCE_S)
        check(name == want, f"{name} instead of {want}")
        return body, fds


def request_of(node):
    body, fds = node.expect("T_REQUEST")
    link, request, path_hash = body[:16], body[16:32], body[32:48]
    size, _, inline = struct.unpack(">IIH", body[48:58])
    data = body[58:]
    if fds:
        data = os.pread(fds[0], size, 0)
        os.close(fds[0])
    check(len(data) == size, "length of a request")
    return link, request, path_hash, data


def reply(node, link, request, data):
    head = link + request + struct.pack(">I", len(data))
    if len(data) <= 3600:
        node.c.send("N_REPLY", head + struct.pack(">H", len(data)) + data)
    else:
        fd = testparent.sealed(data)
        node.c.send("N_REPLY", head + struct.pack(">H", 0), [fd])
        os.close(fd)


def packed(data):
    return b"\xc6" + struct.pack(">I", len(data)) + data


def path_hash(path):
    return hashlib.sha256(path.encode()).digest()[:16]


def node_bridge(ctx):
    port = lib.free_port()
    t = ctx.transport(config(server("listen", port), transport=True), compute=True)
    node = Node(t)
    body, _ = node.expect("T_HELLO")
    public, dest = body[:64], body[64:]
    node.c.send("N_APP_DATA", b"\x00" + struct.pack(">H", 4) + b"\x06\x00\x01x" + bytes(7))
    folder = ctx.stock_dir(config(client("up", port)))
    a = ctx.keep(lib.Script([ctx.args.python, os.path.join(lib.HERE, "asker.py"), folder, dest.hex()],
                            ctx.folder + "/peers.log"))
    me = a.expect(event="ready")

    def do(**kw):
        a.say(json.dumps(kw))
    do(do="open")
    opened = a.expect(event="open")
    check(opened["ok"] and opened["public"] == public.hex(), f"{opened}")
    check(opened["app_data"] == "06000178", f"{opened}")
    body, _ = node.expect("T_LINK")
    link = body[:16]
    check(link.hex() == opened["link"], "link id")
    check(struct.unpack_from(">I", body, 37)[0] > 500, "link mdu")
    do(do="identify")
    body, _ = node.expect("T_IDENTIFIED")
    check(body[16:80].hex() == me["public"] and body[80:].hex() == me["identity"], "identity")

    requests = 0

    def exchange(path, want, answer, **kw):
        """Asked again: stock RNS may drop an answer that comes within a millisecond."""
        nonlocal requests
        for _ in range(5):
            requests += 1
            do(do="ask", path=path, **kw)
            link2, rid, ph, data = request_of(node)
            check(link2 == link and ph == path_hash(path) and data == want, f"{len(data)} bytes: {data[:100]}")
            reply(node, link, rid, packed(answer))
            got = a.expect(event="answer")
            if got["ok"]:
                break
        check(got["ok"] and got["response"] == {"size": len(answer), "sha256": hashlib.sha256(answer).hexdigest()},
              f"{got}")

    exchange("/klp/v1/describe", b"\xc0", b"hello", data=None, seconds=4)
    # both ways as resources
    exchange("/klp/v1/blob/put", packed(pattern(262144)), pattern(262144), size=262144, seconds=60)

    # over the limit: refused before a part is asked for; unknown: no answer
    do(do="ask", path="/klp/v1/blob/put", size=266300, seconds=4)
    check(not a.expect(event="answer")["ok"], "a request over the limit is answered")
    do(do="ask", path="/klp/v1/nothing", data=1, seconds=2)
    check(not a.expect(event="answer")["ok"], "an unknown path is answered")

    # output of a job, faster than the link
    data = random.Random(7).randbytes(1 << 20)
    do(do="stream", stream=1, expect=len(data))
    a.expect(event="reading")
    r, w = os.pipe()
    node.c.send("N_FOLLOW", link + struct.pack(">H", 1), [r])
    os.close(r)

    def feed():
        view = memoryview(data)
        while view:
            view = view[os.write(w, view):]
        os.close(w)
    threading.Thread(target=feed, daemon=True).start()
    body, _ = node.expect("T_FOLLOW_END")
    check(body == link + struct.pack(">H", 1), "follow end")
    got = a.expect(event="stream", size=len(data))
    check(got["sha256"] == hashlib.sha256(data).hexdigest(), f"{got}")

    # node falls and comes back: it hears of the link again
    node.c.sock.close()
    do(do="ask", path="/klp/v1/describe", data=None, seconds=2)
    check(not a.expect(event="answer")["ok"], "answered without a node")
    lost = control(t, "status")[0]["node_bridge"]
    check(lost["requests_lost"] == 1 and lost["requests"] == requests, f"{lost}")
    node = Node(t)
    node.expect("T_HELLO")
    check(node.expect("T_LINK")[0][:16] == link, "link after a restart")
    check(node.expect("T_IDENTIFIED")[0][:16] == link, "identity after a restart")
    node.c.send("N_CLOSE", link)
    check(node.expect("T_CLOSED")[0][:16] == link, "close")
    a.expect(event="closed")


def binding(ctx):
    """Transport signs a binding of its own identity, and nothing else."""
    import RNS
    t = ctx.transport(config("", transport=True))
    keys = t.neighbour("keys")
    name, build, _ = keys.recv(lib.PATIENCE_S)
    keys.send("HELLO", build)
    identity = RNS.Identity.from_file(t.folder + "/storage/transport_identity")
    secp = b"\x02" + bytes(range(32))
    now = int(time.time())

    def ask(flags=0, key=secp, serial=now, nb=now, na=now + 86400):
        keys.send("B_SIGN", bytes([flags]) + key + struct.pack(">III", serial, nb, na))

    def signed():
        """The serial and the signature of the next that is."""
        name, body, _ = keys.recv(lib.PATIENCE_S)
        check(name == "B_SIGNED", f"{name}")
        return struct.unpack(">I", body[:4])[0], body[4:]

    ask()
    serial, signature = signed()
    check(serial == now, f"serial {serial}")
    statement = b"KB01\x00" + secp + identity.get_public_key() + struct.pack(">III", now, now,
                                                                             now + 86400)
    kind = b"application/vnd.klp.binding"
    pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(statement), statement)
    check(identity.validate(signature, pae), "signature")
    for i, bad in enumerate(({"flags": 2}, {"key": b"\x05" + bytes(32)}, {"na": now}, {"na": now + 401 * 86400},
                             {"nb": now + 3600, "na": now + 7200})):
        ask(**bad)
        ask(serial=now + 1 + i)  # the next that is signed is this one
        check(signed()[0] == now + 1 + i, f"signed {bad}")
    ask(flags=1)
    check(signed()[0] == now, "bip340 flag")


TESTS = [
    ("engine: the storage folder, warrend to rnsd and back", folder_back_and_forth),
    ("engine: broken storage is left out", broken_storage),
    ("engine: mesh.sock", mesh_sock),
    ("engine: klp.node and the node", node_bridge),
    ("engine: signs bindings only", binding),
]


# ---- programs that behave badly, and a daemon that comes and goes ----

def bad_programs(ctx):
    """Who sends noise or does not read hurts nobody else."""
    import test_relay
    name = f"interop{lib.free_port()}"
    t = ctx.transport(config("", share=True, instance=name))
    bad = []
    for i in range(4):
        s = socket.socket(socket.AF_UNIX)
        s.connect("\0rns/" + name)
        bad.append(s)

    def noise(s):
        try:
            for i in range(10):
                s.sendall(random.Random(i).randbytes(1 << 20))
        except OSError:
            pass
    for s in bad[:2]:
        threading.Thread(target=noise, args=(s,), daemon=True).start()
    # two of the four never read what the others announce
    test_relay.visit(ctx, t.folder, t.folder, ctx.args.python, ctx.args.python, 0,
                     steps=["announce", "packet", "open", "echo100", "close"])
    ifs = control(t, "interfaces")[0]["interfaces"]
    check(sum(i["type"] == "LocalClientInterface" for i in ifs) >= 4, f"{ifs}")
    # more programs than one user may have
    more = []
    for i in range(300):
        s = socket.socket(socket.AF_UNIX)
        s.connect("\0rns/" + name)
        more.append(s)
    lib.must(lambda: control(t, "interfaces")[0]["interfaces"][0]["put_out"] > 0, "for one too many another makes room")
    check(control(t, "status")[0]["attached"] <= 256, "more than there are places")
    for s in bad + more:
        s.close()
    # the two stock ones are still there
    lib.must(lambda: control(t, "status")[0]["attached"] <= 2, "the others are gone")


def daemon_comes_back(ctx):
    """A stock program attached before is reachable again after a restart."""
    import test_relay
    py = ctx.args.python
    name = f"interop{lib.free_port()}"
    text = config("", share=True, instance=name)
    t = ctx.transport(text)
    host = ctx.peer(py, "serve", t.folder)
    dest = host.expect(event="ready")["dest"]
    check(t.stop() == 0, "exit status")
    again = ctx.transport(text, folder=t.folder)
    # 8 s to attach, 10 s to announce
    lib.must(lambda: dest in [p["destination"] for p in control(again, "paths")[0]["paths"]],
             "the program announces itself again", 40)
    guest = ctx.peer(py, "visit", t.folder, dest, "path", "packet", "open", "echo100")
    guest.expect(event="ready")
    guest.say("go")
    for step in ("path", "packet", "open", "echo100"):
        line = guest.expect(step=step)
        check(line["ok"], f"{line}")


TESTS += [
    ("engine: programs that behave badly", bad_programs),
    ("engine: programs survive a restart of the daemon", daemon_comes_back),
]


def late_interface(ctx):
    """Who is connected after the announce still hears of klp.node."""
    port = lib.free_port()
    t = ctx.transport(config(client("up", port), transport=True), compute=True)
    node = Node(t)
    body, _ = node.expect("T_HELLO")
    node.c.send("N_APP_DATA", b"\x01" + struct.pack(">H", 4) + b"\x06\x00\x01x" + bytes(7))
    far = ctx.rnsd(ctx.args.python, config(server("listen", port), transport=True, share=True,
                                           instance=f"far{port}"))
    # it is dialled again after 5 s, and told 1.5 s later
    dest = body[64:].hex()
    lib.must(lambda: lib.instance_up(f"far{port}"), "the far rnsd")
    lib.must(lambda: paths_of(ctx.args.python, far).get(dest) == 1, "an announce on the late interface")


TESTS.append(("engine: an interface that comes late hears of klp.node", late_interface))


def rpc_places(ctx):
    """One user cannot take all places of RPC, and who says nothing cannot keep one."""
    if os.geteuid() != 0:
        return "root only: needs a second user"
    name = f"interop{lib.free_port()}"
    t = ctx.transport(config("", share=True, instance=name))

    def call():
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(lib.PATIENCE_S)
        lib.must(lambda: s.connect_ex(f"\0rns/{name}/rpc") != errno.EAGAIN, "room in the queue of the socket")
        return s

    os.seteuid(65534)
    try:
        mine = [call() for _ in range(20)]
    finally:
        os.seteuid(0)
    check(all(len(s.recv(4096)) > 0 for s in mine), "one is not challenged")
    check([s.recv(1) for s in mine[:4]] == [b""] * 4, "the oldest did not make room")
    other = call()
    check(len(other.recv(4096)) > 0, "root is not served")
    status = control(t, "status")[0]
    check(status["ok"] and status["rpc"] == {"put_out": 4}, f"status: {status}")
    mine += [other] + [call() for _ in range(70)]
    check(all(len(s.recv(4096)) > 0 for s in mine[-70:]), "one of root is not challenged")
    folder = t.folder
    out = subprocess.run([ctx.args.python, "-m", "RNS.Utilities.rnstatus", "--config", folder, "-j"],
                         capture_output=True, text=True, timeout=lib.PATIENCE_S)
    check(out.returncode == 0 and "interfaces" in out.stdout, f"beside 70 silent callers: {out.stdout}{out.stderr}")
    status = control(t, "status")[0]
    check("no_place" not in status["rpc"], f"status: {status}")
    for s in mine:
        s.close()


TESTS.append(("engine: RPC's places are shared among users", rpc_places))


def rpc_before_proof(ctx):
    """No byte reaches a decoder before the proof, whatever is sent and when."""
    name = f"interop{lib.free_port()}"
    t = ctx.transport(config("", share=True, instance=name))
    asked = bytes.fromhex("81a3676574aa6c696e6b5f636f756e74")
    pickled = bytes.fromhex("80049517000000000000007d948c03676574948c0a6c696e6b5f636f756e7494732e")

    def framed(*messages):
        return b"".join(struct.pack(">i", len(m)) + m for m in messages)

    def end(data):
        """What comes back until it is closed."""
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(lib.PATIENCE_S)
        s.connect(f"\0rns/{name}/rpc")
        s.sendall(data)
        got = b""
        while part := s.recv(4096):
            got += part
        s.close()
        return got

    def closed(data):
        try:
            return end(data)
        except ConnectionResetError:
            return b""

    for data in (framed(asked), framed(pickled), framed(asked, asked, asked, asked),
                 framed(b"#WELCOME#", b"#CHALLENGE#" + bytes(20), b"#WELCOME#", asked),
                 framed(bytes(16), b"#CHALLENGE#" + bytes(20), b"#WELCOME#", pickled),
                 b"\xff\xff\xff\xff" + bytes(8) + asked, framed(b""), b"\x00\x00\x01\x01" + bytes(257),
                 b"\x7f\xff\xff\xff"):
        got = closed(data)
        check(b"#WELCOME#" not in got and asked not in got, f"{data} is answered {got}")
    counts = control(t, "status")[0]
    check(counts["counts"]["rpc_requests"] == 0, f"decoded: {counts['counts']}")
    check(counts["counts"]["refused_rpc_keys"] >= 3, f"{counts['counts']}")
    check(sum(counts["rpc"].get(w, 0) for w in ("too_long", "broken_off")) >= 3, f"{counts['rpc']}")
    # and behind it, one request is
    check(lib.paths_of(ctx.args.python, t.folder) == {}, "rnpath is not answered")
    check(control(t, "status")[0]["counts"]["rpc_requests"] == 1, "nothing was decoded")


TESTS.append(("engine: RPC decodes nothing before the proof", rpc_before_proof))


def live_link(ctx):
    """Interfaces come, go and change, and a link through others goes on as if nothing were."""
    ports = [lib.free_port() for _ in range(4)]
    left, right = server("left", ports[0]), server("right", ports[1])
    t = ctx.transport(config(left + server("change", ports[2]) + right, transport=True))
    lib.must(lambda: all(lib.online(t)), "it listens")
    host = ctx.peer(ctx.args.python, "serve", ctx.stock_dir(config(client("up", ports[0]))))
    dest = host.expect(event="ready")["dest"]
    steps = ["announce", "open", "identify", "echo20k"]
    guest = ctx.peer(ctx.args.python, "visit", ctx.stock_dir(config(client("up", ports[1]))), dest, *steps)
    guest.expect(event="ready")
    lib.must(lambda: sum(lib.online(t)) == 5, "two are connected")
    lib.quiet(1.2, "stock RNS drops what it hears right after its start, and shows nowhere when that is over")
    guest.say("go")

    def heard():
        host.say("announce")
        host.expect(event="announced")
        return guest.maybe(5, step="announce")
    check(lib.must(heard, "an announce")["ok"], "announce")
    check(guest.expect(step="open")["ok"], "a link")
    paths = control(t, "paths")[0]["paths"]
    # in another order, with one new, one changed; then without these
    t.reload(config(server("new", ports[3]) + right + server("change", ports[2], "gravity = 3\n") + left, transport=True))
    lib.must(lambda: len(lib.online(t)) == 6 and all(lib.online(t)), "the new one and the changed one listen")
    t.reload(config(right + left, transport=True))
    lib.must(lambda: len(lib.online(t)) == 4 and all(lib.online(t)), "and are gone again")
    check([(p["destination"], p["interface"]) for p in control(t, "paths")[0]["paths"]] ==
          [(p["destination"], p["interface"]) for p in paths], "paths")
    host.expect(event="link")
    guest.say("go")
    for step in steps[2:]:
        line = guest.expect(step=step)
        check(line["ok"], f"{step}: {line}; the other side: {host.rest()}")
    # those that are connected through one that goes, go with it
    t.reload(config(left, transport=True))
    lib.must(lambda: len(lib.online(t)) == 2, "one listener, one connected")
    check(t.stop() == 0, "exit status")


def overtaken(ctx):
    """A question about an interface whose place in config is another's by the time of its answer."""
    port, new = lib.free_port(), lib.free_port()
    far = ctx.transport(config(server("far", port)))
    t = ctx.transport(config(client("near", port)), overtaken=config(server("new", new) + client("near", port)))
    lib.must(lambda: len(lib.online(t)) == 2 and all(lib.online(t)), "both are up")
    check(t.asked[0] == ("DIAL", 0, 0), f"asked {t.asked}")
    check(sorted(t.asked[1:]) == [("BIND", 0, 1), ("DIAL", 1, 1)], f"asked {t.asked}")
    lib.must(lambda: len(lib.online(far)) == 2, "it is connected")


TESTS += [
    ("engine: interfaces change under a live link", live_link),
    ("engine: a question that config has overtaken", overtaken),
]
