# SPDX-License-Identifier: BSD-2-Clause
"""BackboneInterface: our listener and our client between stock ones, of both
versions, and with TCP at the other end."""

import lib
from lib import CODES, backbone, backbone_client, check, client, config, control, server
from test_relay import visit

FEW = ["announce", "packet", "open", "identify", "echo20k", "channel", "close"]
ALL = FEW[:-1] + ["size500k", "buffer", "resource2m", "close"]


def between(near, ours_near, ours_far, far, mtu, codes=False, old=(False, False), steps=FEW):
    """The guest connects to our listener, our client to the host's."""
    def run(ctx):
        extra = CODES if codes else ""
        python = [ctx.args.python_old if o else ctx.args.python for o in old]
        listen, away = lib.free_port(), lib.free_port()
        t = ctx.transport(config(ours_near("listen", listen, extra) + ours_far("away", away, extra), transport=True))
        a = ctx.stock_dir(config(far("listen", away, extra)))
        b = ctx.stock_dir(config(near("up", listen, extra)))
        lib.must(lambda: lib.online(t)[0], "our listener")
        visit(ctx, a, b, python[0], python[1], 2, steps=steps)
        check(ctx.mtu == mtu, f"a link of {ctx.mtu} bytes instead of {mtu}")
        said = control(t, "interfaces")[0]["interfaces"]
        check(all(i["online"] for i in said), f"{said}")
        check(all(i.get("tx_drops", 0) == 0 for i in said), f"{said}")
    return run


def names(ctx):
    """Ours are those of a stock rnsd with the same sections: stored paths hold their hashes."""
    import json
    import subprocess
    ports = [lib.free_port() for _ in range(4)]
    text = ("[[a]]\ntype = BackboneInterface\nenabled = yes\nlisten_ip = 127.0.0.9\nlisten_on = localhost\n"
            f"listen_port = 1\nport = {ports[0]}\n"
            f"[[b]]\ntype = BackboneClientInterface\nenabled = yes\ntarget_host = ::1\nport = {ports[1]}\n"
            f"[[c]]\ntype = BackboneInterface\nenabled = yes\nremote = 127.0.0.1\ntarget_host = x.invalid\n"
            f"port = {ports[2]}\ntarget_port = 1\nlisten_ip = 127.0.0.1\n"
            f"[[d]]\ntype = TCPServerInterface\nenabled = yes\nlisten_ip = localhost\nport = {ports[3]}\n")
    name = f"interop{ports[0]}"
    for python in (ctx.args.python, ctx.args.python_old):
        rnsd = ctx.rnsd(python, config(text, share=True, instance=name))
        lib.must(lambda: lib.instance_up(name), "rnsd")
        out = {}

        def told():
            r = subprocess.run([python, "-m", "RNS.Utilities.rnstatus", "--config", rnsd, "-a", "-j"],
                               capture_output=True, text=True, timeout=lib.PATIENCE_S).stdout
            try:
                out.update({i["name"]: i for i in json.loads(r)["interfaces"]})
            except ValueError:
                return False
            return len([n for n in out if "/" in n and "rns/" not in n]) >= 4
        lib.must(told, "what rnsd calls them")
        ctx.things.pop().stop()
        theirs = sorted(n for n in out if "rns/" not in n)
        t = ctx.transport(config(text.replace("x.invalid", "127.0.0.1")))
        ours = sorted(i["name"] for i in control(t, "interfaces")[0]["interfaces"])
        check(ours == theirs, f"{ours} instead of {theirs}")
        t.stop()


TESTS = [
    ("backbone: between two of 1.5.7, access codes",
     between(backbone_client, backbone, backbone_client, backbone, 32768, codes=True,
             steps=["announce", "packet", "open", "close"])),
]
LONG = [
    ("backbone: between two of 1.5.7", between(backbone_client, backbone, backbone_client, backbone, 32768, steps=ALL)),
    ("backbone: between two of 1.4.2",
     between(backbone_client, backbone, backbone_client, backbone, 16384, old=(True, True), steps=ALL)),
    ("backbone: between 1.4.2 and 1.5.7, access codes",
     between(backbone_client, backbone, backbone_client, backbone, 16384, True, (True, False))),
    ("backbone: ours between TCP of 1.5.7", between(client, backbone, backbone_client, server, 16384, steps=ALL)),
    ("backbone: ours between TCP of 1.4.2", between(client, backbone, backbone_client, server, 8192, old=(True, True))),
    ("backbone: our TCP between theirs",
     between(backbone_client, server, client, backbone, 16384, steps=ALL)),
    ("backbone: names", names),
]
