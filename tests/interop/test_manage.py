# SPDX-License-Identifier: BSD-2-Clause
"""The daemon's own destinations, used by stock tools: probes, remote management, blackhole lists."""

import json
import os
import re
import subprocess

import lib
from lib import check, client, config, control, server


def tool(ctx, folder, name, *words, old=False, limit=60):
    py = ctx.args.python_old if old else ctx.args.python
    r = subprocess.run([py, "-m", "RNS.Utilities." + name, "--config", folder, *words],
                       capture_output=True, text=True, timeout=limit, stdin=subprocess.DEVNULL)
    return r.returncode, r.stdout + r.stderr


def identity(ctx, path):
    """A new identity in that file; its hash."""
    out = subprocess.run([ctx.args.python, "-c",
                          "import RNS, sys\ni = RNS.Identity()\ni.to_file(sys.argv[1])\nprint(i.hash.hex())", path],
                         capture_output=True, text=True, timeout=60).stdout
    return out.split()[-1]


def our_hash(t):
    return control(t, "status")[0]["identity"]


def user(ctx, port, old=False):
    """A folder with a stock daemon that is connected to that port."""
    name = f"interop{port}" + ("o" if old else "")
    text = config(client("up", port), share=True, instance=name)
    folder = ctx.rnsd(ctx.args.python_old if old else ctx.args.python, text)
    lib.must(lambda: lib.instance_up(name), "rnsd")
    return folder


def probe(ctx):
    port = lib.free_port()
    t = ctx.transport(config(server("listen", port), transport=True, more="respond_to_probes = yes"))
    stats = control(t, "status")[0]
    dest = dest_of(ctx, stats["identity"], "rnstransport.probe")
    for old in (False, True):
        folder = user(ctx, port, old)
        code, said = tool(ctx, folder, "rnprobe", "-n", "2", "rnstransport.probe", dest, old=old)
        check(code == 0 and "Valid reply" in said, f"rnprobe: {code} {said}")


def dest_of(ctx, identity_hash, name):
    out = subprocess.run([ctx.args.python, "-c",
                          "import RNS, sys\nprint(RNS.Destination.hash_from_name_and_identity("
                          "sys.argv[1], bytes.fromhex(sys.argv[2])).hex())", name, identity_hash],
                         capture_output=True, text=True, timeout=60).stdout
    return out.split()[-1]


def remote(ctx):
    port = lib.free_port()
    folder = ctx.dir("keys")
    mine, other = folder + "/mine", folder + "/other"
    allowed = identity(ctx, mine)
    identity(ctx, other)
    t = ctx.transport(config(server("listen", port), transport=True, more=f"""enable_remote_management = yes
remote_management_allowed = {allowed}
"""))
    me = our_hash(t)
    stock = user(ctx, port)
    code, said = tool(ctx, stock, "rnstatus", "-R", me, "-i", mine, "-j")
    check(code == 0, f"rnstatus -R: {code} {said}")
    stats = json.loads(said[said.index("{"):said.rindex("}") + 1])
    check(stats["transport_id"] == me and any("listen" in i["name"] for i in stats["interfaces"]), f"{stats}")
    code, said = tool(ctx, stock, "rnstatus", "-R", me, "-i", mine, "-l", "-z")
    check(code == 0 and "link table" in said, f"rnstatus -R -l: {code} {said}")
    # a path to find
    folder = ctx.stock_dir(config(client("up", port)))
    p = ctx.peer(ctx.args.python, "serve", folder)
    dest = p.expect(event="ready")["dest"]

    def heard():
        p.say("announce")
        p.expect(event="announced")
        return lib.until(lambda: any(x["destination"] == dest for x in control(t, "paths")[0]["paths"]), "heard", 5)
    lib.must(heard, "an announce")
    code, said = tool(ctx, stock, "rnpath", "-R", me, "-i", mine, "-t", "-j")
    check(code == 0, f"rnpath -R: {code} {said}")
    rows = json.loads(said[said.index("["):said.rindex("]") + 1])
    check([x["hops"] for x in rows if x["hash"] == dest] == [1], f"{rows}")
    code, said = tool(ctx, stock, "rnpath", "-R", me, "-i", mine, "-t", dest, "-j")
    rows = json.loads(said[said.index("["):said.rindex("]") + 1])
    check([x["hash"] for x in rows] == [dest], f"one path: {code} {said}")
    # a stranger is told nothing
    code, said = tool(ctx, stock, "rnstatus", "-R", me, "-i", other, "-w", "3", "-j")
    check("Could not get" in said and "listen" not in said, f"a stranger: {code} {said}")


def published(ctx):
    """A list of ours, read by rnpath -p and by a stock source, and theirs by us."""
    port = lib.free_port()
    folder = ctx.dir("warren")
    os.makedirs(folder + "/storage/blackhole")
    bad = "ab" * 16
    with open(folder + "/storage/blackhole/local", "wb") as f:
        f.write(bytes([0x81, 0xc4, 16]) + bytes.fromhex(bad) + bytes([0x83, 0xa6]) + b"source" + bytes([0xc0, 0xa5]) +
                b"until" + bytes([0xc0, 0xa6]) + b"reason" + bytes([0xa4]) + b"spam")
    t = ctx.transport(config(server("listen", port), transport=True, more="publish_blackhole = yes"), folder=folder)
    stock = user(ctx, port)
    code, said = tool(ctx, stock, "rnpath", "-p", our_hash(t))
    check(code == 0 and bad in said, f"rnpath -p: {code} {said}")
    # rnpath over the shared instance
    name = f"interop{port}b"
    t3 = ctx.transport(config(client("up", port), transport=True, share=True, instance=name))
    for words, good in ((("-B", "ef" * 16, "--duration", "2", "--reason", "interop"), True), (("-b",), True),
                        (("-U", "ef" * 16), True), (("-b",), False)):
        code, said = tool(ctx, t3.folder, "rnpath", *words)
        check(words != ("-b",) or (("ef" * 16 in said and "interop" in said) == good), f"rnpath {words}: {code} {said}")
    t3.stop()
    # another of ours that has it as a source
    t2 = ctx.transport(config(client("up", port), transport=True, more=f"""blackhole_sources = {our_hash(t)}
"""))
    lib.must(lambda: control(t2, "status")[0]["management"]["blackholed"] == 1, "the list of the source")
    check(os.path.exists(f"{t2.folder}/storage/blackhole/{our_hash(t)}"), "the file of the source")


def stock_source(ctx):
    """A stock source's list is fetched by us, and ours by a stock node."""
    port, back = lib.free_port(), lib.free_port()
    name = f"interop{port}"
    text = config(server("listen", port), transport=True, share=True, instance=name, more="publish_blackhole = yes")
    stock = ctx.rnsd(ctx.args.python, text)
    lib.must(lambda: lib.instance_up(name), "rnsd")
    bad = "cd" * 16
    code, said = tool(ctx, stock, "rnpath", "-B", bad, "--reason", "interop")
    check(code == 0, f"rnpath -B: {code} {said}")
    code, said = tool(ctx, stock, "rnstatus", "-j")
    source = json.loads(said)["transport_id"]
    t = ctx.transport(config(client("up", port), transport=True, more=f"blackhole_sources = {source}"))
    lib.must(lambda: control(t, "status")[0]["management"]["blackholed"] == 1, "the list of the source")
    check(t.stop() == 0, "exit status")
    # it is there at the next start, and rnsd reads the file
    t = ctx.transport(config("", transport=True, more=f"blackhole_sources = {source}"), folder=t.folder)
    check(control(t, "status")[0]["management"]["blackholed"] == 1, "from the file")
    t.stop()
    name = f"interop{back}"
    text = config("", transport=True, share=True, instance=name, more=f"blackhole_sources = {source}")
    with open(t.folder + "/config", "w") as f:
        f.write(text)
    ctx.keep(lib.Process([ctx.args.python, "-m", "RNS.Utilities.rnsd", "--config", t.folder],
                         open(ctx.folder + "/rnsd.log", "ab")))
    lib.must(lambda: lib.instance_up(name), "rnsd on our folder")
    code, said = tool(ctx, t.folder, "rnpath", "-b")
    check(re.search(bad, said) and "interop" in said, f"rnpath -b: {code} {said}")


# Hears announces of a network and prints whose they are.
HEAR = r"""
import RNS, sys, time
class Ear:
    aspect_filter = None
    def received_announce(self, destination_hash, announced_identity, app_data):
        print(destination_hash.hex(), announced_identity.hash.hex(), app_data, flush=True)
RNS.Reticulum(configdir=sys.argv[1], loglevel=1)
RNS.Transport.register_announce_handler(Ear())
sys.stdin.read()
"""


def network(ctx):
    """Both destinations of the network identity are announced under it; the statistics name it."""
    port = lib.free_port()
    path = ctx.dir("keys") + "/network"
    net = identity(ctx, path)
    name = f"interop{port}"
    t = ctx.transport(config(server("listen", port), transport=True, share=True, instance=name,
                             more=f"network_identity = {path}\n"))
    folder = ctx.stock_dir(config(client("up", port)))
    ear = subprocess.Popen([ctx.args.python, "-c", HEAR, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        heard = {}
        while len(heard) < 2:
            dest, who, _ = ear.stdout.readline().split(None, 2)
            heard[dest] = who
    finally:
        ear.kill()
        ear.wait()
    want = {dest_of(ctx, net, n): net for n in ("rnstransport.network", "rnstransport.network.instance." + net)}
    check(heard == want, f"{heard} for {want}")
    code, said = tool(ctx, t.folder, "rnstatus", "-j")
    check(json.loads(said)["network_id"] == net, f"rnstatus: {code} {said}")


TESTS = []
LONG = [
    ("manage: rnprobe of both versions", probe),
    ("manage: rnstatus and rnpath from afar", remote),
    ("manage: a published blackhole list", published),
    ("manage: the list of a stock source", stock_source),
    ("manage: the network identity", network),
]
