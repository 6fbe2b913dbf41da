# SPDX-License-Identifier: BSD-2-Clause
"""Jobs: an independent Python client against our node, and what it must refuse."""

import json
import os
import shutil
import subprocess
import sys

import lib
from lib import check, client, config, server
from test_submit import Proxy

sys.path.insert(0, lib.HERE)

IN_GROUP = os.path.join(lib.HERE, "..", "in-group")


def new_key(python):
    """A secp256k1 secret and its URN, made by the virtual environment's Python (ours may lack the library)."""
    out = subprocess.run([python, "-c", "from klpy import codec; k = codec.SecpKey(); print(k.secret().hex(), k.urn())"],
                         cwd=lib.HERE, capture_output=True, text=True, check=True).stdout.split()
    return out[0], out[1]


class Daemon:
    """warrend, or a stock rnsd."""

    def __init__(self, ctx, argv, log):
        self.log = open(os.path.join(ctx.folder, log), "ab")
        if os.path.basename(argv[0]) == "warrend":
            argv = [IN_GROUP, *argv]
        self.proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        ctx.keep(self)

    def stop(self):
        self.proc.terminate()
        try:
            self.proc.wait(30)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        self.log.close()


def warren(ctx, *words, ok=True):
    r = subprocess.run([os.path.join(ctx.args.build, "warren"), *words], capture_output=True, text=True, timeout=2 * lib.PATIENCE_S)
    if ok:
        check(r.returncode == 0, f"warren {' '.join(words)}: {r.returncode} {r.stderr}")
    return r


def make_rootfs(ctx):
    root = os.path.join(ctx.folder, "rootfs")
    for d in ("bin", "tmp", "proc", "dev"):
        os.makedirs(os.path.join(root, d), exist_ok=True)
    shutil.copy(shutil.which("busybox"), os.path.join(root, "bin/busybox"))
    for c in "sh sort cat true false ls id wc sleep kill echo head dd date".split():
        if not os.path.lexists(os.path.join(root, "bin", c)):
            os.symlink("busybox", os.path.join(root, "bin", c))
    return root


def read(path):
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def layers_given(ctx, folder):
    """The layers that this machine and user can have, one word each."""
    r = subprocess.run([IN_GROUP, os.path.join(ctx.args.build, "warrend"), "--config", folder, "--layers"], capture_output=True,
                       text=True)
    return r.stdout.split()


def node(ctx, interfaces, pins, more="", instance=None):
    """A compute node of ours: (destination hex, Daemon, folder)."""
    folder = ctx.dir("node")
    with open(os.path.join(folder, "config"), "w") as f:
        f.write(config(interfaces, instance=instance or f"node{os.getpid()}-{ctx.count}", share=True))
    os.chmod(os.path.join(folder, "config"), 0o600)
    warren(ctx, "image", "import", make_rootfs(ctx), "--name", "test/busybox:1", "--config", folder)
    who = json.loads(warren(ctx, "identity", "show", "--json", "--config", folder).stdout)
    lines = [f"mesh_identity: {who['key']}", "accept_computation_requests: true", "name: burrow",
             "limits: {jobs_running: 2, time: 10m}", "trust:", "  pins:"]
    lines += [f'    - {{id: "{urn}", level: {level}}}' for urn, level in pins]
    lacking = [x for x in ("memory", "cpu", "pids") if x not in layers_given(ctx, folder)]
    if lacking:
        have = [x for x in "user pid mount net ipc uts caps seccomp memory cpu pids".split() if x not in lacking]
        lines.insert(3, f"require_layers: [{', '.join(have)}]")
    with open(os.path.join(folder, "node.yaml"), "w") as f:
        f.write("\n".join(lines) + "\n" + more)
    os.chmod(os.path.join(folder, "node.yaml"), 0o600)
    d = Daemon(ctx, [os.path.join(ctx.args.build, "warrend"), "--config", folder], "node.log")
    lib.must(lambda: "jail: ready" in read(os.path.join(ctx.folder, "node.log")), "its sandbox")
    return who["destination"], d, folder


def visit(ctx, python, folder, dest, secret, steps="all", *words, at=None):
    s = lib.Script([python, "-m", "klpy.visit", "--config", folder, "--dest", dest, "--secret", secret, "--image",
                    "test/busybox:1", "--steps", steps, *words], os.path.join(ctx.folder, "visit.log"))
    ctx.keep(s)
    bad = []
    while True:
        line = s.lines.get(timeout=400)
        if at is not None and line is not None and line["step"].endswith(": restart now"):
            at()
        check(line is not None, f"the client ended early; failed steps: {bad}")
        if ctx.args.verbose:
            print(f"# {line}", flush=True)
        if not line.get("ok"):
            bad.append(line)
        if line["step"] in ("end", "exception"):
            break
    check(not bad, f"failed steps: {bad}")


def run_in(folder):
    """klpy is a package beside this file."""
    os.environ["PYTHONPATH"] = lib.HERE
    return folder


def direct(old=False, *words):
    def run(ctx):
        run_in(ctx)
        python = ctx.args.python_old if old else ctx.args.python
        secret, urn = new_key(ctx.args.python)
        port = lib.free_port()
        dest, _, _ = node(ctx, server("listen", port), [(urn, 2)])
        visit(ctx, python, ctx.stock_dir(config(client("up", port))), dest, secret, "all", *words)
    return run


def groups(steps, more="", level=2):
    """What compute.md says in one chapter, by more.py."""
    def run(ctx):
        run_in(ctx)
        mine, other = new_key(ctx.args.python), new_key(ctx.args.python)
        port = lib.free_port()
        dest, _, folder = node(ctx, server("listen", port), [(mine[1], level), (other[1], level)], more)
        visit(ctx, ctx.args.python, ctx.stock_dir(config(client("up", port))), dest, mine[0], steps,
              "--other", other[0], "--layers", ",".join(layers_given(ctx, folder)))
    return run


def strangers(more):
    def run(ctx):
        run_in(ctx)
        key = new_key(ctx.args.python)
        port = lib.free_port()
        dest, _, _ = node(ctx, server("listen", port), [("urn:klp:kindai:human:" + "00" * 32, 2)], more)
        visit(ctx, ctx.args.python, ctx.stock_dir(config(client("up", port))), dest, key[0], "stranger")
    return run


def over_warrend(ctx):
    """client - warrend that relays - node"""
    run_in(ctx)
    secret, urn = new_key(ctx.args.python)
    port = lib.free_port()
    relay = ctx.dir("relay")
    with open(os.path.join(relay, "config"), "w") as f:
        f.write(config(server("listen", port), transport=True, share=True, instance=f"relay{os.getpid()}"))
    Daemon(ctx, [os.path.join(ctx.args.build, "warrend"), "--config", relay], "relay.log")
    dest, _, _ = node(ctx, client("up", port), [(urn, 2)])
    visit(ctx, ctx.args.python, ctx.stock_dir(config(client("up", port))), dest, secret)


def over_two_rnsd(ctx):
    """client behind a stock rnsd - stock rnsd - node"""
    run_in(ctx)
    secret, urn = new_key(ctx.args.python)
    port = lib.free_port()
    rnsd = os.path.join(os.path.dirname(ctx.args.python), "rnsd")
    far = ctx.stock_dir(config(server("listen", port), transport=True, share=True, instance=f"far{os.getpid()}"))
    Daemon(ctx, [rnsd, "--config", far], "far.log")
    near = ctx.stock_dir(config(client("up", port), share=True, instance=f"near{os.getpid()}"))
    Daemon(ctx, [rnsd, "--config", near], "near.log")
    dest, _, _ = node(ctx, client("up", port), [(urn, 2)])
    lib.must(lambda: lib.instance_up(f"near{os.getpid()}"), "the near rnsd")
    lib.must(lambda: dest in lib.paths_of(ctx.args.python, near), "the node's announce at the near rnsd")
    visit(ctx, ctx.args.python, near, dest, secret)


def unbound(ctx):
    """A peer that is identified and has never sent a binding."""
    run_in(ctx)
    secret, urn = new_key(ctx.args.python)
    port = lib.free_port()
    dest, _, _ = node(ctx, server("listen", port), [(urn, 2)])
    visit(ctx, ctx.args.python, ctx.stock_dir(config(client("up", port))), dest, secret, "unbound")


def pinned_3(ctx):
    """klp.md 3.8: its links are closed."""
    run_in(ctx)
    secret, urn = new_key(ctx.args.python)
    port = lib.free_port()
    dest, _, _ = node(ctx, server("listen", port), [(urn, -3)])
    visit(ctx, ctx.args.python, ctx.stock_dir(config(client("up", port))), dest, secret, "closed")


BLACKHOLE = """
import os, sys, RNS
from RNS.vendor import umsgpack
i = RNS.Identity()
os.makedirs(sys.argv[1], mode=0o700, exist_ok=True)
with open(sys.argv[1] + "/local", "wb") as f:
    f.write(umsgpack.packb({i.hash: {"source": os.urandom(16), "until": None, "reason": "a test"}}))
print(i.get_private_key().hex())
"""


def blackholed(ctx):
    """Pinned at +2 by its key, but its Reticulum identity is in storage/blackhole/local."""
    run_in(ctx)
    secret, urn = new_key(ctx.args.python)
    port = lib.free_port()
    dest, daemon, folder = node(ctx, server("listen", port), [(urn, 2)])
    daemon.proc.terminate()
    daemon.proc.wait(lib.PATIENCE_S)
    rns = subprocess.run([ctx.args.python, "-c", BLACKHOLE, os.path.join(folder, "storage/blackhole")],
                         capture_output=True, text=True, check=True).stdout.split()[-1]
    Daemon(ctx, [os.path.join(ctx.args.build, "warrend"), "--config", folder], "node2.log")
    # a link on which something was asked before is closed when the node comes: to be asked again on another
    lib.must(lambda: "node: ready" in read(os.path.join(ctx.folder, "node2.log")), "the node")
    visit(ctx, ctx.args.python, ctx.stock_dir(config(client("up", port))), dest, secret, "closed", "--rns", rns)


def restarted(ctx):
    run_in(ctx)
    secret, urn = new_key(ctx.args.python)
    port = lib.free_port()
    dest, daemon, folder = node(ctx, server("listen", port), [(urn, 2)])

    def again():
        daemon.proc.terminate()
        daemon.proc.wait(lib.PATIENCE_S)
        Daemon(ctx, [os.path.join(ctx.args.build, "warrend"), "--config", folder], "node2.log")

    visit(ctx, ctx.args.python, ctx.stock_dir(config(client("up", port))), dest, secret,
          "restart", at=again)


def by_identity(ctx):
    """Pinned by the Reticulum identity's hash (compute.md 3 and 10)."""
    run_in(ctx)
    out = subprocess.run([ctx.args.python, "-c", "import RNS; i = RNS.Identity();"
                          " print(i.hash.hex(), i.get_private_key().hex())"],
                         capture_output=True, text=True, check=True).stdout.split()
    port = lib.free_port()
    dest, _, _ = node(ctx, server("listen", port), [(out[-2], 2)])
    visit(ctx, ctx.args.python, ctx.stock_dir(config(client("up", port))), dest, new_key(ctx.args.python)[0],
          "pinned", "--rns", out[-1])


def refused_at(level, code):
    def run(ctx):
        run_in(ctx)
        secret, urn = new_key(ctx.args.python)
        port = lib.free_port()
        pins = [(urn, level)] if level is not None else []
        dest, _, _ = node(ctx, server("listen", port), pins or [("urn:klp:kindai:human:" + "00" * 32, 2)])
        visit(ctx, ctx.args.python, ctx.stock_dir(config(client("up", port))), dest, secret, "refused")
    return run


def announces(ctx):
    """A node starts, ends and starts again at once: a stock rnsd, which drops what is not newer, passes on all it says."""
    port = lib.free_port()
    name = f"hears{os.getpid()}"
    rnsd = os.path.join(os.path.dirname(ctx.args.python), "rnsd")
    far = ctx.stock_dir(config(server("listen", port), transport=True, share=True, instance=name))
    Daemon(ctx, [rnsd, "--config", far], "far.log")
    lib.must(lambda: lib.instance_up(name), "the rnsd")
    ears = lib.Script([ctx.args.python, os.path.join(lib.HERE, "listener.py"), far],
                      os.path.join(ctx.folder, "listener.log"))
    ctx.keep(ears)
    ears.expect(event="ready")
    dest, d, folder = node(ctx, client("up", port), [("urn:klp:kindai:human:" + "00" * 32, 2)])
    heard = []
    for wanted in (True, False, True):
        heard.append(ears.expect(event="announce", dest=dest))
        check(heard[-1]["accepting"] is wanted, f"accepting, then not, then again: {heard}")
        check(heard[-1]["binding"], f"with its binding: {heard}")
        if wanted and len(heard) == 1:
            lib.quiet(1.2, "the announce and the next are not of one second")
            d.proc.terminate()
            d.proc.wait(lib.PATIENCE_S)
            d = Daemon(ctx, [os.path.join(ctx.args.build, "warrend"), "--config", folder], "node.log")


KEEPALIVE = 0xFA


class Seen(Proxy):
    """A proxy that notes the context of each packet of a link that passes."""

    def __init__(self, target):
        self.contexts = []
        super().__init__(target)

    def pump(self, x, y):
        buf = b""
        try:
            while d := x.recv(65536):
                y.sendall(d)
                *whole, buf = (buf + d).split(b"\x7e")
                for f in whole:
                    f = f.replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")
                    at = 34 if f and f[0] & 0x40 else 18
                    if len(f) > at and f[0] >> 2 & 3 == 3:
                        self.contexts.append(f[at])
        except OSError:
            pass
        y.close()


def nothing_passes(ctx):
    """
    While a job says nothing and changes nothing nobody asks about it: compute.md 3, w. The node wants a live proof, of
    who has just described it and of who knows it from then.
    """
    port, name = lib.free_port(), f"quiet{os.getpid()}"
    rnsd = os.path.join(os.path.dirname(ctx.args.python), "rnsd")
    hub = ctx.stock_dir(config(server("listen", port), transport=True, share=True, instance=name))
    Daemon(ctx, [rnsd, "--config", hub], "hub.log")
    lib.must(lambda: lib.instance_up(name), "the rnsd")
    air = ctx.keep(Seen(port))
    person, work = ctx.dir("person"), ctx.dir("work")
    urn = json.loads(warren(ctx, "identity", "show", "--json", "--identity", person).stdout)["urn"]
    dest, _, _ = node(ctx, client("up", air.port), [(urn, 2)], "  require_live_secp: always\n")
    with open(os.path.join(work, "job.yaml"), "w") as f:
        f.write('image: test/busybox:1\ncommand: ["sh", "-c", "echo begun; sleep 7; echo over"]\n'
                "limits: {memory: 16MB, pids: 4, output: 1MB, log: 4kB, cpu: 0.5, time: 60s}\ndeadline: 1h\n")
    p = subprocess.Popen([os.path.join(ctx.args.build, "warren"), "submit", "job.yaml", "--to", dest, "--config", hub,
                          "--identity", person], cwd=work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check(p.stdout.readline() == "begun\n", "it does not begin")
    lib.must(lambda: len(air.contexts) > 5, "packets of the link")
    lib.quiet(1, "what was under way has passed")
    before = len(air.contexts)
    lib.quiet(4, "nothing passes meanwhile")
    passed = [f"{c:02x}" for c in air.contexts[before:] if c != KEEPALIVE]
    check(not passed, f"packets of a link while nothing changes: {passed}")
    out, err = p.communicate(timeout=2 * lib.PATIENCE_S)
    check((p.returncode, out) == (0, "over\n"), f"its end: {p.returncode} {out} {err}")
    check(len(air.contexts) > before, "its end passed, and was not noted")
    r = warren(ctx, "run", "test/busybox:1", "--to", dest, "--config", hub, "--identity", person, "--out",
               os.path.join(work, "again"), "--", "echo", "known")
    check(r.stdout == "known\n", f"by what is kept of the node: {r.stdout} {r.stderr}")


TESTS = [
    ("jobs: nothing passes while nothing changes", nothing_passes),
    ("jobs: announces of a node that starts and ends", announces),
    ("jobs: direct", direct()),
    ("jobs: client of 1.4.2", direct(old=True)),
    ("jobs: every answer is lost once", direct(False, "--lossy")),
    ("jobs: across a relay of ours", over_warrend),
    ("jobs: across two stock rnsd", over_two_rnsd),
    ("jobs: form of requests", groups("forms")),
    ("jobs: blobs", groups("blobs")),
    ("jobs: status, list, logs", groups("watching")),
    ("jobs: ends and limits", groups("ends")),
    ("jobs: manifests", groups("manifests")),
    ("jobs: quotas", groups("quotas", "quotas: {jobs_queued: 2, jobs_per_hour: 4, spool: 100kB}\n"
                            "levels: {2: {memory: 32MB, time: 5s}}\n")),
    ("jobs: a limit of data", groups("throttle", "data_limit_per_minute: 1MB\n")),
    ("jobs: a limit of requests", groups("requests", "quotas: {requests_per_minute: 30}\n")),
    ("jobs: reviews and contracts", groups("reviews,contracts")),
    ("jobs: no reviewer", groups("unreviewed", level=1)),
    ("jobs: a proof for every link", groups("live", "  require_live_secp: always\n")),
    ("jobs: a proof for +3", groups("tempting", level=3)),
    ("jobs: results expire", groups("expiry", "keep_results: 5s\n")),
    ("jobs: auth_required: false", strangers("auth_required: false\n")),
    ("jobs: a node that is restarted", restarted),
    ("jobs: pinned by a Reticulum identity", by_identity),
    ("jobs: a stranger is refused", refused_at(None, "trust")),
    ("jobs: pinned at -1 is refused", refused_at(-1, "trust")),
    ("jobs: pinned at -3 has no link", pinned_3),
    ("jobs: in the blackhole file has no link", blackholed),
    ("jobs: an unbound peer is refused", unbound),
]
