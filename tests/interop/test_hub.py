# SPDX-License-Identifier: BSD-2-Clause
"""A node's events to a hub over the mesh, which is a stock program; where the way is slow, alarms alone."""

import hashlib
import json
import os
import struct
import sys

import lib
from lib import check, client, config, server
from test_jobs import Daemon, node, warren

sys.path.insert(0, os.path.join(lib.HERE, "..", "ocsf"))
sys.dont_write_bytecode = True
import check as ocsf  # noqa: E402
from klpy.codec import secp_verify  # noqa: E402


def hub(ctx, python, text):
    p = ctx.keep(lib.Script([python, os.path.join(lib.HERE, "hubpeer.py"), ctx.stock_dir(text)],
                            ctx.folder + "/peers.log"))
    return p, p.expect(event="ready")["identity"]


def status(ctx, folder):
    """{} while nobody answers."""
    r = warren(ctx, "status", "--json", "--config", folder, ok=False)
    return json.loads(r.stdout) if r.returncode == 0 else {}


def identity_of(ctx, folder):
    """Of the node, as a link shows it."""
    return status(ctx, folder).get("identity")


def state(ctx, folder):
    return status(ctx, folder).get("node", {}).get("hub", {})


def fast(python):
    def run(ctx):
        port = lib.free_port()
        p, who = hub(ctx, python(ctx), config(server("listen", port)))
        _, _, folder = node(ctx, client("up", port), [("urn:klp:kindai:human:" + "00" * 32, 1)], "hub: %s\n" % who)
        p.say("announce")
        seq, prev, most = 1, "0" * 64, 2
        while seq <= most:
            got = p.expect(event="lines")
            for text in got["text"].splitlines():
                line = json.loads(text)
                check(line["seq"] == seq and line["prev"] == prev, f"{line['seq']} instead of {seq}")
                wrong = ocsf.check(line["e"])
                check(not wrong, f"{wrong}")
                seq, prev = seq + 1, hashlib.sha256(text.encode()).hexdigest()
            if most < 6:  # on the same link
                lib.must(lambda: warren(ctx, "reload", "--config", folder, ok=False).returncode == 0, "a reload")
                most = seq
        check(got["who"] == identity_of(ctx, folder), f"{got['who']}")
        lib.must(lambda: state(ctx, folder).get("acked", 0) >= 6, "what the hub has")
    return run


def torn(ctx, folder, d):
    """What a crash would leave; its next line says so, and is an alarm."""
    lib.must(lambda: os.path.exists(os.path.join(folder, "warren/trail/00000001.jsonl")), "a trail")
    d.stop()
    with open(os.path.join(folder, "warren/trail/00000001.jsonl"), "ab") as f:
        f.write(b'{"seq":')
    return Daemon(ctx, [os.path.join(ctx.args.build, "warrend"), "--config", folder], "node.log")


def slow(ctx):
    port = lib.free_port()
    p, who = hub(ctx, ctx.args.python, config(server("listen", port)))
    _, d, folder = node(ctx, client("up", port) + "  bitrate = 1200\n",
                        [("urn:klp:kindai:human:" + "00" * 32, 1)], "hub: %s\n" % who)
    torn(ctx, folder, d)
    p.say("announce")
    got = p.expect(event="packet")
    whole = bytes.fromhex(got["frame"])
    check(len(whole) == 111 and whole[42] == 1, got["frame"])
    frame = whole[:42]
    with open(os.path.join(folder, "warren/keys/binding"), "rb") as f:
        key = f.read()[5:38]
    check(secp_verify(key, "application/vnd.klp.alert", frame, whole[47:]), "its signature")
    check(whole[43:47] == hashlib.sha256(b"\xe7\x01" + key).digest()[:4], "whose it says it is")
    magic, severity, cls, activity, disposition, _, seq, count = struct.unpack(">3sBHBBIIH", frame[:18])
    check(len(frame) == 42 and magic == b"KA\x01", got["frame"])
    check((severity, cls, activity, disposition, count) == (4, 2004, 1, 15, 1), f"{struct.unpack('>3sBHBBIIH', frame[:18])}")
    with open(os.path.join(folder, "warren/trail/00000001.jsonl"), "rb") as f:
        line = next(t for t in f.read().split(b"\n") if t.startswith(b'{"seq":%d,' % seq))
    check(b"torn last line" in line and hashlib.sha256(line).digest()[:8] == frame[34:], f"{line}")
    s = state(ctx, folder)
    check(s["acked"] == 0 and "slow" in s["error"], f"{s}")


def ours(ctx):
    """One of our nodes keeps the events of another; somebody who is not on its list gets nowhere."""
    port = lib.free_port()
    nobody = [("urn:klp:kindai:human:" + "00" * 32, 1)]
    _, d, hub_folder = node(ctx, server("listen", port), nobody, "hub: {accept: [%s], dir: .}\n" % ("ab" * 16))
    who = lib.must(lambda: identity_of(ctx, hub_folder), "its identity")
    _, _, folder = node(ctx, client("up", port), nobody, "hub: %s\n" % who)
    sender = lib.must(lambda: identity_of(ctx, folder), "its identity")
    lib.must(lambda: "does not take" in state(ctx, folder).get("error", "") or "no hub" in
             state(ctx, folder).get("error", ""), "a refusal")
    with open(os.path.join(hub_folder, "node.yaml")) as f:
        text = f.read().replace("ab" * 16, sender)
    with open(os.path.join(hub_folder, "node.yaml"), "w") as f:
        f.write(text)
    lib.must(lambda: warren(ctx, "reload", "--config", hub_folder, ok=False).returncode == 0, "a reload")
    lib.must(lambda: warren(ctx, "reload", "--config", folder, ok=False).returncode == 0, "a reload")
    trail = os.path.join(folder, "warren/trail/00000001.jsonl")
    kept = os.path.join(hub_folder, "warren-events", sender, "00000001.jsonl")

    def same():
        s = state(ctx, folder)
        if s.get("behind") != 0 or s.get("error") != "" or not os.path.exists(kept):
            return False
        with open(trail, "rb") as a, open(kept, "rb") as b:
            return a.read() == b.read()
    lib.must(same, "the same lines")


def ours_slow(ctx):
    """One of our nodes is told by one packet, and no link: by whom, and of what."""
    port = lib.free_port()
    nobody = [("urn:klp:kindai:human:" + "00" * 32, 1)]
    _, _, hub_folder = node(ctx, server("listen", port), nobody, "hub: {accept: [%s], dir: .}\n" % ("ab" * 16))
    who = lib.must(lambda: identity_of(ctx, hub_folder), "its identity")
    _, d, folder = node(ctx, client("up", port) + "  bitrate = 1200\n", nobody, "hub: %s\n" % who)
    sender = lib.must(lambda: identity_of(ctx, folder), "its identity")
    with open(os.path.join(hub_folder, "node.yaml")) as f:
        text = f.read().replace("ab" * 16, sender)
    with open(os.path.join(hub_folder, "node.yaml"), "w") as f:
        f.write(text)
    lib.must(lambda: warren(ctx, "reload", "--config", hub_folder, ok=False).returncode == 0, "a reload")
    torn(ctx, folder, d)
    trail = os.path.join(hub_folder, "warren/trail/00000001.jsonl")

    def told():
        with open(trail, "rb") as f:
            return [t for t in f.read().split(b"\n") if b"alarm of line" in t]
    line = lib.must(told, "the alarm in the hub's trail")
    check(len(line) == 1 and b"severity 4, OCSF class 2004" in line[0], f"{line}")
    with open(os.path.join(folder, "warren/keys/binding"), "rb") as f:
        fp = hashlib.sha256(b"\xe7\x01" + f.read()[5:38]).hexdigest()
    check(fp.encode() in line[0], f"{line}")
    counts = status(ctx, hub_folder)["node"]["counts"]
    check(counts["alarms"] - counts["alarms_refused"] == 1, f"{counts}")


TESTS = [
    ("hub: a stock program gets every event", fast(lambda ctx: ctx.args.python)),
    ("hub: a stock program of 1.4.2 as well", fast(lambda ctx: ctx.args.python_old)),
    ("hub: one of our nodes keeps them", ours),
    ("hub: over a slow interface alarms alone, each one packet", slow),
    ("hub: one of our nodes takes such a packet", ours_slow),
]
