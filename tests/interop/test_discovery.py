# SPDX-License-Identifier: BSD-2-Clause
"""Interface discovery (reticulum-transport.md 7.8): offers to and from stock programs."""

import json
import os
import signal
import subprocess

import lib
from lib import check, client, config, control, must, server


def listed(t):
    out = {}
    for line in control(t, "discovered"):
        for o in line["discovered"]:
            out[o["name"]] = o
    return out


def refused(t):
    return control(t, "discovered")[0]["refused"]


def records(folder):
    path = folder + "/storage/discovery/interfaces"
    return {n: open(f"{path}/{n}", "rb").read() for n in os.listdir(path) if len(n) == 64}


def rnstatus(ctx, folder, *wrapper):
    """What stock rnstatus -d lists for that folder."""
    out = subprocess.run([*wrapper, ctx.args.python, "-m", "RNS.Utilities.rnstatus", "--config", folder, "-d", "-j"],
                         capture_output=True, text=True, timeout=lib.PATIENCE_S)
    try:
        return {i["name"]: i for i in json.loads(out.stdout)}
    except ValueError:
        return {}


def offers_heard(ctx):
    """A stock program announces offers; they are listed, stored as rnsd stores them, and read again."""
    port = lib.free_port()
    # several within a second: they shall not be held back
    text = config(server("listen", port, "ingress_control = no\n"), transport=True,
                  more="discover_interfaces = yes\nrequired_discovery_value = 8\n")
    t = ctx.transport(text)
    peer = ctx.keep(lib.Script([ctx.args.python, os.path.join(lib.HERE, "offerer.py"),
                                ctx.stock_dir(config(client("up", port)))],
                               os.path.join(ctx.folder, "offerer.log")))
    peer.expect(event="ready")

    def say(**offer):
        peer.say(json.dumps(offer))
        return peer.expect(event="announced")

    say(type="BackboneInterface", name="  Back  bone (1)!", host="192.0.2.1", port=4242, cost=8, impl="RNS",
        version="1.5.7")
    say(type="RNodeInterface", name="Radio", cost=8, numbers=[867200000, 125000, 8, 5])
    say(type="BackboneInterface", name="Cheap", host="192.0.2.2", port=1, cost=0)
    say(type="BackboneInterface", name="Bad", host="-x", port=1, cost=8)
    say(type="BackboneInterface", name="Radio", host="192.0.2.4", port=1, cost=8)
    say(type="BackboneInterface", name="  Back  bone (1)!", host="192.0.2.9", port=4242, cost=8)  # another's identity
    say(type="NoSuchInterface", name="Odd", cost=8)
    say(type="BackboneInterface", name="Form", host="192.0.2.5", port="x", cost=8)
    say(raw="00" * 20)
    say(raw="02" + "5a" * 100)
    say(type="BackboneInterface", name="Last", host="192.0.2.3", port=1, cost=8)
    must(lambda: "Last" in listed(t), "the last offer is listed")
    found = listed(t)
    check(sorted(found) == ["Back bone (1)", "Last", "Radio"], f"listed: {sorted(found)}")
    one = found["Back bone (1)"]
    check(one["reachable_on"] == "192.0.2.1" and one["port"] == 4242 and one["hops"] == 1 and one["value"] >= 8 and
          one["status"] == "available" and one["implementation"] == "RNS", f"{one}")
    check(found["Radio"]["frequency"] == 867200000, f"{found['Radio']}")
    no = refused(t)
    check(no == {"its stamp is worth too little": 1, "neither an address nor the name of a host": 1,
                 "not one of interface_discovery_sources": 2, "a type of interface that is not offered": 1,
                 "malformed": 1, "too short to be an offer": 1, "encrypted for another network identity": 1}, f"{no}")
    t.proc.send_signal(signal.SIGSTOP)  # all at once, then
    say(raw="02" + "5a" * 100, times=200)
    t.proc.send_signal(signal.SIGCONT)
    must(lambda: refused(t).get("too many at once", 0) > 100, f"more than may wait: {refused(t)}")
    values = control(t, "status")[0]["stamp_values"]
    check(sum(values["announce_random"]) >= 5 and sum(values["announce_app_data"]) >= 5, f"{values}")
    stored = records(t.folder)
    check(len(stored) == 3, f"{len(stored)} records")
    check(t.stop() == 0, "exit status")

    # read again, without what is damaged
    name = sorted(stored)[0]
    with open(f"{t.folder}/storage/discovery/interfaces/{name}", "wb") as f:
        f.write(stored[name][:40])
    t = ctx.transport(text, folder=t.folder)
    check(len(listed(t)) == 2, f"after a start: {listed(t)}")


# ---- in namespaces: no discovered interface is dialled at loopback ----

class Namespaces:
    def __init__(self, ctx):
        self.names = [f"wd{os.getpid() % 100000}{c}" for c in "ab"]
        a, b = self.names
        for n in self.names:
            subprocess.run(["ip", "netns", "add", n], check=True)
        ctx.keep(self)
        subprocess.run(["ip", "link", "add", "v0", "netns", a, "type", "veth", "peer", "name", "v0", "netns", b],
                       check=True)
        for i, n in enumerate(self.names):
            subprocess.run(["ip", "-n", n, "addr", "add", f"203.0.113.{i + 1}/24", "dev", "v0"], check=True)
            for dev in ("lo", "v0"):
                subprocess.run(["ip", "-n", n, "link", "set", dev, "up"], check=True)

    def inside(self, i):
        return ("ip", "netns", "exec", self.names[i])

    def stop(self):
        for n in self.names:
            subprocess.run(["ip", "netns", "del", n], check=False)


OFFER = """discoverable = yes
announce_interval = 5
discovery_stamp_value = 8
"""


def section(name, kind, **keys):
    return f"[[{name}]]\ntype = {kind}\nenabled = yes\n" + "".join(f"{k} = {v}\n" for k, v in keys.items())


def nodes(ctx, ours, theirs):
    """Our warrend in the first namespace, a stock rnsd in the second: names, folders."""
    net = Namespaces(ctx)
    folders = []
    for i, text in enumerate((ours, theirs)):
        folder = ctx.stock_dir(text)
        program = [os.path.join(ctx.args.build, "warrend"), "-v", "--config", folder] if i == 0 else \
            [ctx.args.python, "-m", "RNS.Utilities.rnsd", "-vvv", "--config", folder]
        log = open(os.path.join(ctx.folder, f"log{i}"), "ab")
        ctx.keep(lib.Process([*net.inside(i), *program], log))
        folders.append(folder)
    return net, folders


class Mesh:
    """mesh.sock of a warrend, for lib.control()."""

    def __init__(self, folder):
        self.mesh_path = folder + "/warren/run/mesh.sock"


def program(ctx, name, text):
    """One that says what is announced; by whom it is run may read it."""
    path = os.path.join(ctx.folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\n" + text + "\n")
    os.chmod(path, 0o755)
    os.chmod(ctx.folder, 0o711)
    return path


def offered_to_stock(ctx):
    """Ours offers a TCP server; a stock rnsd lists it after its stamp was checked there."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    if subprocess.run([ctx.args.python, "-c", "import LXMF"], capture_output=True, check=False).returncode != 0:
        return "stock Reticulum hears offers only with lxmf beside it"
    where, place, silent = (program(ctx, n, t) for n, t in (
        ("where", "echo 203.0.113.1"), ("place", "echo ' 55.5, 12, -3'; echo >&2 more"), ("silent", "exit 3")))
    ours = config(section("Silent", "TCPServerInterface", listen_ip="203.0.113.1", listen_port=4243,
                          reachable_on=silent) + OFFER +
                  section("Hub", "TCPServerInterface", listen_ip="203.0.113.1", listen_port=4242,
                          reachable_on=where, location_cmd=place,
                          discovery_name="Our hub", passphrase="secret", publish_ifac="yes") + OFFER,
                  transport=True)
    theirs = config(section("Up", "TCPClientInterface", target_host="203.0.113.1", target_port=4242,
                            passphrase="secret"), transport=True, share=True,
                    instance=f"disc{os.getpid()}",
                    more="discover_interfaces = yes\nrequired_discovery_value = 8\n")
    net, (_, stock) = nodes(ctx, ours, theirs)
    # rnstatus would take the place of an instance that is not up
    path = stock + "/storage/discovery/interfaces"
    must(lambda: os.path.isdir(path) and os.listdir(path), "rnsd has heard of our hub", 120)
    found = rnstatus(ctx, stock, *net.inside(1))
    with open(os.path.join(ctx.folder, "log0"), encoding="utf-8") as f:
        said = f.read()
    check("Silent: not announced to others: the program of reachable_on: ended with status 3" in said, said)
    check("Our hub" in found, f"rnstatus -d: {sorted(found)}")
    hub = found["Our hub"]
    check(hub["type"] == "TCPServerInterface" and hub["reachable_on"] == "203.0.113.1" and hub["port"] == 4242 and
          hub["value"] >= 8 and hub["impl_name"] == "Warren" and hub["transport"] and hub["latitude"] == 55.5 and
          hub["height"] == -3 and hub["ifac_netkey"] == "secret" and hub["hops"] == 1, f"{hub}")


def stock_connects(ctx):
    """Two stock nodes hear our offer: who takes other programs than RNS connects, the other lists it and does not."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    if subprocess.run([ctx.args.python, "-c", "import LXMF"], capture_output=True, check=False).returncode != 0:
        return "stock Reticulum hears offers only with lxmf beside it"
    ours = config(section("Hub", "BackboneInterface", listen_on="203.0.113.1", port=4242,
                          reachable_on="203.0.113.1", discovery_name="Our hub") + OFFER +
                  section("Door", "TCPServerInterface", listen_ip="203.0.113.1", listen_port=4243), transport=True)

    def theirs(n, more):
        return config(section("Up", "TCPClientInterface", target_host="203.0.113.1", target_port=4243),
                      transport=True, share=True, instance=f"conn{n}{os.getpid()}",
                      more="discover_interfaces = yes\nrequired_discovery_value = 8\n"
                           "autoconnect_discovered_interfaces = 1\n" + more)
    net, (folder, takes) = nodes(ctx, ours, theirs(1, "autoconnect_unverified_implementations = yes\n"))
    log = open(os.path.join(ctx.folder, "log2"), "ab")
    strict = ctx.stock_dir(theirs(2, ""))
    ctx.keep(lib.Process([*net.inside(1), ctx.args.python, "-m", "RNS.Utilities.rnsd", "-vvv", "--config", strict],
                         log))
    mesh = Mesh(folder)
    must(lambda: os.path.exists(mesh.mesh_path), "warrend is up")

    def hub():
        return next(i for line in control(mesh, "interfaces") for i in line["interfaces"]
                    if i.get("section") == "Hub" and "clients" in i)
    for path in (takes, strict):
        path += "/storage/discovery/interfaces"
        must(lambda p=path: os.path.isdir(p) and os.listdir(p), "rnsd has heard of our hub", 120)
    must(lambda: hub()["clients"] == 1, "one of them connects", 60)
    lib.quiet(20, "the other does not connect")
    check(hub()["accepted"] == 1, f"the other does not: {hub()}")


def connected_to_stock(ctx):
    """A stock rnsd offers a Backbone; ours lists it and connects, and takes its bootstrap interface down."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    if subprocess.run([ctx.args.python, "-c", "import LXMF"], capture_output=True, check=False).returncode != 0:
        return "stock Reticulum makes offers only with lxmf beside it"
    ours = config(section("Up", "TCPClientInterface", target_host="203.0.113.2", target_port=4242,
                          bootstrap_only="yes"), transport=True,
                  more="discover_interfaces = yes\nrequired_discovery_value = 8\n"
                        "autoconnect_discovered_interfaces = 1\n")
    theirs = config(section("In", "TCPServerInterface", listen_ip="203.0.113.2", listen_port=4242) +
                    section("Back", "BackboneInterface", listen_on="203.0.113.2", port=4243,
                            reachable_on="203.0.113.2", discovery_name="Their hub", network_name="nn",
                            publish_ifac="yes") + OFFER, transport=True)
    _, (folder, _) = nodes(ctx, ours, theirs)
    mesh = Mesh(folder)

    def names():
        return {i["name"]: i["online"] for line in control(mesh, "interfaces") for i in line["interfaces"]
                if "name" in i}
    must(lambda: os.path.exists(mesh.mesh_path) and names(), "warrend is up")
    want = "BackboneInterface[Their hub/203.0.113.2:4243]"
    must(lambda: names().get(want), "connected to what was discovered", 120)
    check(listed(mesh)["Their hub"]["implementation"] == "RNS", f"{listed(mesh)}")
    must(lambda: [n for n in names() if "[Up/" in n] == [], "the bootstrap interface is gone")
    check(names().get(want), "and the discovered one stays")


TESTS = [("discovery: offers of others are listed and stored", offers_heard)]
LONG = [
    ("discovery: a stock rnsd lists our offer", offered_to_stock),
    ("discovery: which stock rnsd connects to our offer", stock_connects),
    ("discovery: ours connects to a stock rnsd's offer", connected_to_stock),
]
