# SPDX-License-Identifier: BSD-2-Clause
"""I2PInterface, ours and stock ones, on a SAM bridge of the tests."""

import os
import subprocess
import threading

import lib
import sambridge
from lib import check, config, control
from test_discovery import listed
from test_relay import visit

STEPS = ["announce", "packet", "open", "identify", "echo20k", "close"]


def section(name, connectable=False, peers=()):
    text = f"[[{name}]]\ntype = I2PInterface\nenabled = yes\nconnectable = {'yes' if connectable else 'no'}\n"
    return text + ("peers = " + ", ".join(peers) + "\n" if peers else "")


def keep_key(folder, name):
    """The key of a section, before its program starts; its address."""
    key = sambridge.new_key()
    os.makedirs(os.path.join(folder, "storage", "i2p"), exist_ok=True)
    with open(os.path.join(folder, "storage", "i2p", sambridge.key_file(name)), "w") as f:
        f.write(key)
    return sambridge.b32_of(key)


def shown(t, name):
    return next((i for i in control(t, "interfaces")[0]["interfaces"] if i["name"] == name), {})


def bridge_of(ctx):
    b = ctx.keep(sambridge.Bridge())
    os.environ["I2P_SAM_ADDRESS"] = b.address
    return b


def between(old):
    """A stock guest connects to our address, we to the stock host's."""
    def run(ctx):
        py = ctx.args.python_old if old else ctx.args.python
        bridge_of(ctx)
        host = ctx.stock_dir("")
        far = keep_key(host, "far")
        with open(host + "/config", "w") as f:
            f.write(config(section("far", True)))
        ours = ctx.dir("warren")
        near = keep_key(ours, "near")
        guest = ctx.stock_dir(config(section("up", peers=[near])))
        t = ctx.transport(config(section("near", True) + section("away", peers=[far]), transport=True, share=True,
                                 instance="i2p-" + near[:12]), folder=ours)
        lib.must(lambda: shown(t, "I2PInterface[near]").get("online"), "our section is there")
        check(shown(t, "I2PInterface[near]")["i2p_address"] == near, "our address")
        visit(ctx, host, guest, py, py, 2, steps=STEPS)
        near_now = shown(t, "I2PInterface[near]")
        out = subprocess.run([ctx.args.python, "-m", "RNS.Utilities.rnstatus", "--config", ours, "-a"],
                             capture_output=True, text=True, timeout=lib.PATIENCE_S).stdout
        check(f"I2P B32   : {near}" in out and "Tunnel Active" in out, out)
        peer = shown(t, f"I2PInterfacePeer[away to {far}]")
        check(near_now["accepted"] == 1 and near_now["rx_packets"] > 5 and peer.get("online"), f"{near_now} {peer}")
        check(peer["mtu"] == 1064 and peer["bitrate"] == 256000, f"{peer}")
    return run


def ours(ctx):
    """Two of ours: a key is made and kept where stock looks for it, idle tunnels stay, a router that ends is found again."""
    bridge = bridge_of(ctx)
    a_dir = ctx.dir("a")
    a = ctx.transport(config(section("door", True), transport=True), folder=a_dir)
    lib.must(lambda: shown(a, "I2PInterface[door]").get("online"), "the section is there")
    address = shown(a, "I2PInterface[door]")["i2p_address"]
    files = os.listdir(a_dir + "/storage/i2p")
    check(len(files) == 1 and len(files[0]) == 68, f"{files}")
    with open(f"{a_dir}/storage/i2p/{files[0]}") as f:
        check(sambridge.b32_of(f.read()) == address, "the address of the file")
    b = ctx.transport(config(section("to", peers=[address, "nobody.b32.i2p"]), transport=True))
    lib.must(lambda: shown(b, f"I2PInterfacePeer[to to {address}]").get("online"), "the tunnel stands")
    lib.must(lambda: "KEY_NOT_FOUND" in shown(b, "I2PInterfacePeer[to to nobody.b32.i2p]").get("error", ""), "why not")
    check(shown(b, "I2PInterface[to]")["online"], "a section with a peer")
    lib.must(lambda: shown(a, "I2PInterface[door]")["rx_packets"] == 1, "who dials asks that its paths are kept (7.1)")
    before = shown(b, f"I2PInterfacePeer[to to {address}]")["rx_bytes"]
    lib.must(lambda: shown(b, f"I2PInterfacePeer[to to {address}]")["rx_bytes"] >= before + 2, "flags while it is idle", 15)
    bridge.drop()
    lib.must(lambda: not shown(b, f"I2PInterfacePeer[to to {address}]").get("online"), "it is lost")
    lib.must(lambda: shown(b, f"I2PInterfacePeer[to to {address}]").get("online"), "and comes back", 60)
    check(shown(a, "I2PInterface[door]")["i2p_address"] == address, "with the same address")
    # stock finds the key of ours
    check(a.stop() == 0, "exit status")
    with open(a_dir + "/config", "w") as f:
        f.write(config(section("door", True), transport=True))
    log = open(ctx.folder + "/rnsd.log", "ab")
    ctx.keep(lib.Process([ctx.args.python, "-m", "RNS.Utilities.rnsd", "--config", a_dir], log))
    lib.must(lambda: shown(b, f"I2PInterfacePeer[to to {address}]").get("online"), "stock has our address", 60)
    check(os.listdir(a_dir + "/storage/i2p") == files, "and made no other key")


def offered(ctx):
    """Our address is offered to everybody (7.8), without its end; a section that nobody can reach is not."""
    bridge_of(ctx)
    offer = "discoverable = yes\ndiscovery_stamp_value = 1\n"
    a = ctx.transport(config(section("door", True) + offer + section("shut", peers=["nobody.b32.i2p"]) + offer,
                             transport=True))
    lib.must(lambda: shown(a, "I2PInterface[door]").get("online"), "the section is there")
    address = shown(a, "I2PInterface[door]")["i2p_address"]
    b = ctx.transport(config(section("to", peers=[address]), transport=True,
                             more="discover_interfaces = yes\nrequired_discovery_value = 1\n"))
    lib.must(lambda: listed(b), "it is heard of", 60)
    found = listed(b)
    check(list(found) == ["door"] and found["door"]["type"] == "I2PInterface" and
          found["door"]["reachable_on"] + ".b32.i2p" == address, f"{found}")


def late(ctx):
    """A peer's tunnel stands long before our own session does: the offer waits for the address, and for no interval."""
    bridge = bridge_of(ctx)
    far = ctx.transport(config(section("far", True), transport=True,
                               more="discover_interfaces = yes\nrequired_discovery_value = 1\n"))
    lib.must(lambda: shown(far, "I2PInterface[far]").get("online"), "the far section is there")
    to = shown(far, "I2PInterface[far]")["i2p_address"]
    folder = ctx.dir("late")
    address = keep_key(folder, "door")
    bridge.held[address] = threading.Event()
    t = ctx.transport(config(section("door", True, [to]) + "discoverable = yes\ndiscovery_stamp_value = 1\n",
                             transport=True), folder=folder)
    lib.must(lambda: shown(t, "I2PInterface[door]").get("online"), "the section is up by its peer", 60)
    lib.quiet(20, "the time of the first offer passes without an address")
    check("i2p_address" not in shown(t, "I2PInterface[door]"), "no address yet")
    bridge.held[address].set()
    lib.must(lambda: shown(t, "I2PInterface[door]").get("i2p_address") == address, "our session")
    lib.must(lambda: "door" in listed(far), "it is offered then", 90)
    check(listed(far)["door"]["reachable_on"] + ".b32.i2p" == address, f"{listed(far)}")


TESTS = []
LONG = [
    ("i2p: between two of 1.5.7", between(False)),
    ("i2p: between two of 1.4.2", between(True)),
    ("i2p: two of ours, then stock on the folder", ours),
    ("i2p: our address is offered", offered),
    ("i2p: our address comes after a peer's tunnel", late),
]
