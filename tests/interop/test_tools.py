# SPDX-License-Identifier: BSD-2-Clause
"""The stock tools, unmodified, on Warren's shared instance and on a stock one."""

import glob
import json
import os
import pty
import re
import socket
import subprocess

import lib
from lib import check, config, server

PATIENCE_S = lib.PATIENCE_S


def tool(python, folder, name, *args, stdin=None):
    """One stock tool on that folder; its end."""
    return subprocess.run([python, "-m", f"RNS.Utilities.{name}", "--config", folder, *args],
                          capture_output=True, text=True, timeout=2 * PATIENCE_S, input=stdin)


def good(python, folder, name, *args):
    r = tool(python, folder, name, *args)
    check(r.returncode == 0 and "Traceback" not in r.stderr,
          f"{name} {' '.join(args)}: {r.returncode}\n{r.stdout}\n{r.stderr}")
    return r.stdout


class Instance:
    """A shared instance on that kind of socket: the lines of [reticulum], and whether it is there."""

    def __init__(self, kind):
        self.name = f"interop{lib.free_port()}"
        self.port = lib.free_port()
        self.more = "" if kind == "unix" else (
            f"shared_instance_type = tcp\nshared_instance_port = {self.port}\n"
            f"instance_control_port = {lib.free_port()}\n")

    def text(self, interfaces, **kw):
        return config(interfaces, share=True, instance=self.name, more=self.more, **kw)

    def up(self):
        if not self.more:
            return lib.instance_up(self.name)
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0


def plain(text):
    """What a tool prints, without what differs from run to run: how long, how much, how fast."""
    text = re.sub(r"Uptime is [^,\n]*", "Uptime is T", text)
    text = re.sub(r"[↑↓]?[\d.,]+ ?[KMGT]?B\b", "N", text)
    text = re.sub(r"[\d.,]+ [KMGµm]?bps", "R", text)
    text = re.sub(r"[\d.,]+ [µm]?Hz", "F", text)
    text = re.sub(r"LocalInterface\[\d+\]", "LocalInterface[P]", text)
    # blanks are as many as the figures before them have not; rnsd sorts its interfaces now and then only
    return "\n\n".join(sorted(re.sub(r"[ \t]+", " ", text).strip().split("\n\n")))


STATUS = (["-a"], ["-a", "-A", "-P", "-l", "-t"], ["-s", "rate"], ["-a", "-s", "rx", "-r"],
          ["-a", "-s", "held"], ["Server"], ["-a", "nowhere"])
STATUS_NEW = (["-a", "-q", "-t", "-p"], ["-a", "-b"], ["-s", "txdrp"], ["-a", "-s", "pvs"], ["-B"], ["-l", "-z"])


def sorted_types(stats):
    """Each type of interface with the keys of its map and the types of their values."""
    def kind(v):
        return "number" if isinstance(v, (int, float)) and not isinstance(v, bool) else type(v).__name__

    return {i["type"]: {k: kind(v) for k, v in i.items() if k != "announce_queue"} for i in stats["interfaces"]}


def answers(python, folder, asked):
    """All that rnstatus says there."""
    out = {" ".join(a): plain(good(python, folder, "rnstatus", *a)) for a in asked}
    return out, json.loads(good(python, folder, "rnstatus", "-j"))


def rnstatus(kind, old, asked):
    """The same folder served by rnsd, then by us: rnstatus says the same."""
    def run(ctx):
        python = ctx.args.python_old if old else ctx.args.python
        instance = Instance(kind)
        text = instance.text(lib.backbone("Bone", lib.free_port(), "bitrate = 100000000\n") +
                             server("Server", lib.free_port()) + lib.CODES + server("Plain", lib.free_port()),
                             transport=True)
        folder = ctx.rnsd(python, text)
        # a tool that comes first would be the instance itself
        lib.must(instance.up, "rnsd is up")
        lib.must(lambda: "Plain" in tool(python, folder, "rnstatus").stdout, "rnsd answers")
        want, want_json = answers(python, folder, asked)
        ctx.things[-1].stop()
        ctx.transport(text, folder=folder)
        got, got_json = answers(python, folder, asked)
        for args in want:
            check(got[args] == want[args], f"rnstatus {args}: {got[args]}\n--- rnsd says:\n{want[args]}")
        theirs, ours = sorted_types(want_json), sorted_types(got_json)
        check(ours.keys() == theirs.keys(), f"types {ours.keys()}, rnsd has {theirs.keys()}")
        for t in theirs:
            lack = {k: v for k, v in theirs[t].items() if ours[t].get(k) != v}
            check(not lack, f"{t}: rnsd has {lack}, here {[(k, ours[t].get(k)) for k in lack]}")
        if want_json.get("rss") is not None:
            check(isinstance(got_json.get("rss"), int) and 1e6 < got_json["rss"] < want_json["rss"],
                  f"rss {got_json.get('rss')}, rnsd {want_json['rss']}")
        lack = [k for k in want_json if k not in got_json]
        check(not lack, f"missing {lack}")
        same = ("name", "short_name", "hash", "type", "bitrate", "mode", "ifac_signature", "ifac_size",
                "ifac_netname", "announce_rate_target", "announce_rate_penalty", "announce_rate_grace", "mtu",
                "status", "gravity")
        ours = {i["name"]: i for i in got_json["interfaces"]}
        for b in want_json["interfaces"]:
            if "LocalInterface" not in b["name"]:
                a = ours[b["name"]]
                check({k: a.get(k) for k in same if k in b} == {k: b[k] for k in same if k in b}, f"{a}\n{b}")
    return run


def extra(ctx, name):
    """The Python of one more virtual environment, or None: ./check long makes them."""
    python = os.path.join(ctx.args.build, f"venv-{name}", "bin", "python")
    return python if os.path.exists(python) else None


def pickles(ctx):
    """Tools of 1.3.3, which ask by pickles, say of us what they say of their own rnsd."""
    old = extra(ctx, "1.3.3")
    if old is None:
        return "rns 1.3.3 could not be installed with pip"
    instance = Instance("unix")
    text = instance.text(server("Server", lib.free_port()), transport=True)
    folder = ctx.rnsd(old, text)
    lib.must(instance.up, "rnsd is up")
    lib.must(lambda: "Server" in tool(old, folder, "rnstatus").stdout, "rnsd answers")
    # -P came later
    asked = [a for a in STATUS if "-P" not in a] + [["-a", "-A", "-l", "-t"]]
    want, want_json = answers(old, folder, asked)
    ctx.things[-1].stop()
    ctx.transport(text, folder=folder)
    got, got_json = answers(old, folder, asked)
    for args in want:
        check(got[args] == want[args], f"rnstatus {args}: {got[args]}\n--- rnsd says:\n{want[args]}")
    lack = [k for k in want_json["interfaces"][0] if k not in got_json["interfaces"][0]]
    check(not lack, f"missing {lack}")
    check(good(old, folder, "rnpath", "-t").strip() == "", "rnpath -t")
    check(tool(old, folder, "rnpath", "-d", 32 * "0").returncode == 1, "rnpath -d of an unknown one")
    good(old, folder, "rnpath", "-D")


def pickles_tcp(ctx):
    """The same over TCP, where rnsd 1.3.3 itself does not start."""
    old = extra(ctx, "1.3.3")
    if old is None:
        return "rns 1.3.3 could not be installed with pip"
    t = ctx.transport(Instance("tcp").text(server("Server", lib.free_port()), transport=True))
    check("TCPServerInterface[Server" in good(old, t.folder, "rnstatus"), "rnstatus")
    check("link table" in good(old, t.folder, "rnstatus", "-l"), "rnstatus -l")


def pythons():
    """Those of this machine that are not the tests' own, by their version."""
    found = {}
    for where in [*os.environ.get("PATH", "").split(":"), *glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin"))]:
        for path in glob.glob(os.path.join(where, "python3.[0-9]*")):
            name = re.fullmatch(r"python(3\.\d+)", os.path.basename(path))
            if name and int(name.group(1)[2:]) >= 8 and name.group(1) not in found and subprocess.run(
                    [path, "-c", ""], capture_output=True, check=False).returncode == 0:
                found[name.group(1)] = path
    return found


def every_python(ctx):
    """rnstatus under each Python: they authenticate in other ways from 3.12 on. Without wheels, as RNS allows."""
    many = pythons()
    if len(many) < 2:
        return f"no other Python than {sorted(many)}"
    where = subprocess.run([ctx.args.python, "-c", "import RNS; print(RNS.__path__[0])"], capture_output=True,
                           text=True, check=True).stdout.strip()
    bare = ctx.dir("bare")
    os.symlink(where, os.path.join(bare, "RNS"))
    env = {**os.environ, "PYTHONPATH": bare, "PYTHONDONTWRITEBYTECODE": "1"}
    for kind in "unix", "tcp":
        t = ctx.transport(Instance(kind).text(server("Server", lib.free_port()), transport=True))
        for version, python in sorted(many.items()):
            for args in [], ["-a", "-A", "-P", "-l", "-t"], ["-j"]:
                r = subprocess.run([python, "-m", "RNS.Utilities.rnstatus", "--config", t.folder, *args],
                                   capture_output=True, text=True, timeout=PATIENCE_S, env=env)
                check(r.returncode == 0 and "Server" in r.stdout and "Traceback" not in r.stderr,
                      f"{version} {kind} {args}: {r.returncode} {r.stdout}{r.stderr}")
            check(any("Server" in i["name"] for i in json.loads(r.stdout)["interfaces"]), f"{version}: {r.stdout}")
    print("#", *sorted(many), flush=True)


# ---- all the others ----

class Listener:
    """A stock tool that waits for others: rncp, rnx or rnsh; its destination."""

    def __init__(self, ctx, python, folder, name, *args):
        self.home = ctx.dir(name)
        config_option = "--rnsconfig" if name == "rnsh" else "--config"
        module = "RNS.Utilities.rnsh.rnsh" if name == "rnsh" else f"RNS.Utilities.{name}"
        argv = [python, "-m", module, config_option, folder]
        env = {**os.environ, "HOME": self.home}
        out = subprocess.run([*argv, *(["-l"] if name == "rnsh" else []), "-p"], capture_output=True, text=True,
                             timeout=2 * PATIENCE_S, env=env, cwd=self.home).stdout
        said = re.search(r"Listening on : <([0-9a-f]{32})>", out)
        check(said, f"{name} -p: {out}")
        self.dest = said.group(1)
        self.proc = subprocess.Popen([*argv, "-l", *args], env=env, cwd=self.home, stdin=subprocess.DEVNULL,
                                     stdout=open(os.path.join(ctx.folder, f"{name}.log"), "ab"),
                                     stderr=subprocess.STDOUT)
        ctx.keep(self)

    def stop(self):
        self.proc.kill()
        self.proc.wait()


def on_terminal(python, folder, home, dest):
    """What rnsh shows of the remote's program; it wants a terminal."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["HOME"] = home
        os.execv(python, [python, "-m", "RNS.Utilities.rnsh.rnsh", "--rnsconfig", folder, dest])
    out = b""
    try:
        while part := os.read(fd, 4096):
            out += part
    except OSError:  # EIO: the other side is closed
        pass
    os.close(fd)
    return out.decode(errors="replace"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def reached(python, folder, dest, hops):
    """rnpath asks for it, finds it, drops it, asks again."""
    out = good(python, folder, "rnpath", dest)
    check(f"is {hops} hop" in out, f"rnpath: {out}")
    table = json.loads(good(python, folder, "rnpath", "-t", "-j"))
    row = [p for p in table if p["hash"] == dest]
    check(len(row) == 1 and row[0]["hops"] == hops, f"rnpath -t: {table}")
    check(dest in good(python, folder, "rnpath", "-t", dest), "rnpath -t HASH")
    check(dest not in good(python, folder, "rnpath", "-t", "-m", str(hops - 1)), "rnpath -t -m")
    via = row[0]["via"]
    good(python, folder, "rnpath", "-d", dest)
    check(dest not in good(python, folder, "rnpath", "-t"), "rnpath -d left the path")
    good(python, folder, "rnpath", dest)
    check("Dropped" in good(python, folder, "rnpath", "-x", via), "rnpath -x")
    check(dest not in good(python, folder, "rnpath", "-t"), "rnpath -x left the path")
    good(python, folder, "rnpath", "-D")
    good(python, folder, "rnpath", dest)


def copies(python, folder, work, listener, inbox, size):
    path = os.path.join(work, "file")
    with open(path, "wb") as f:
        f.write(os.urandom(size))
    r = subprocess.run([python, "-m", "RNS.Utilities.rncp", "--config", folder, "-w", "30", path, listener.dest],
                       capture_output=True, text=True, timeout=2 * PATIENCE_S, cwd=work)
    with open(path, "rb") as a:
        sent = a.read()
    lib.must(lambda: os.path.exists(os.path.join(inbox, "file")), f"rncp sends: {r.stdout}")

    def same():
        with open(os.path.join(inbox, "file"), "rb") as b:
            return b.read() == sent

    lib.must(same, "the file that came is the one that was sent")
    os.unlink(path)
    r = subprocess.run([python, "-m", "RNS.Utilities.rncp", "--config", folder, "-w", "30", "-f",
                        os.path.join(inbox, "file"), listener.dest], capture_output=True, text=True,
                       timeout=2 * PATIENCE_S, cwd=work)
    with open(path, "rb") as a:
        check(a.read() == sent, f"rncp fetches: {r.stdout}")


def all_tools(kind, near_old, far_old, transport_between):
    """Tools on our instance reach those on a stock rnsd, which is our neighbour; rates in the table of rnpath -r."""
    def run(ctx):
        near = ctx.args.python_old if near_old else ctx.args.python
        far = ctx.args.python_old if far_old else ctx.args.python
        port, instance, other = lib.free_port(), Instance(kind), Instance("unix")
        t = ctx.transport(instance.text(server("mesh", port), transport=transport_between))
        folder = ctx.rnsd(far, other.text(lib.client("up", port), transport=True).replace(
            "[logging]", "respond_to_probes = yes\n[logging]"))
        lib.must(other.up, "the far rnsd is up")
        inbox = ctx.dir("inbox")
        rncp = Listener(ctx, far, folder, "rncp", "-n", "-F", "-s", inbox, "-b", "0")
        rnx = Listener(ctx, far, folder, "rnx", "-n")
        rnsh = Listener(ctx, far, folder, "rnsh", "-n", "-b", "0", "--", "/bin/echo", "far")
        lib.must(lambda: {x.dest for x in (rncp, rnx, rnsh)} <= set(lib.paths_of(near, t.folder)), "announces come")
        reached(near, t.folder, rncp.dest, 1)
        copies(near, t.folder, ctx.dir("work"), rncp, inbox, 300000)
        out = good(near, t.folder, "rnx", "-w", "30", rnx.dest, "echo near; exit 0")
        check("near" in out, f"rnx: {out}")
        out, code = on_terminal(near, t.folder, ctx.dir("home"), rnsh.dest)
        check("far" in out and code == 0, f"rnsh: {code} {out}")
        probe = re.search(r"Probe responder at <([0-9a-f]{32})>", good(far, folder, "rnstatus"))
        check(probe, "the far rnsd has a probe responder")
        out = good(near, t.folder, "rnprobe", "-n", "2", "-w", "0.2", "rnstransport.probe", probe.group(1))
        check("received 2" in out, f"rnprobe: {out}")
        out = good(near, t.folder, "rnid", "-i", rncp.dest, "-R", "-H", "rncp.receive")
        check(rncp.dest in out, f"rnid: {out}")
        if transport_between:
            check(rncp.dest in good(near, t.folder, "rnpath", "-r"), "rnpath -r")
    return run


class Warrend:
    """The whole daemon, whose parent reads config anew."""

    def __init__(self, ctx, folder):
        os.chmod(folder, 0o700)
        os.chmod(folder + "/config", 0o600)
        top = os.path.dirname(os.path.dirname(lib.HERE))
        self.process = subprocess.Popen([os.path.join(top, "tests", "in-group"),
                                         os.path.join(ctx.args.build, "warrend"), "--config", folder],
                                        stdout=open(os.path.join(ctx.folder, "warrend.log"), "ab"),
                                        stderr=subprocess.STDOUT)
        ctx.keep(self)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def managed(ctx):
    """rnstatus --detach, --attach, --reload: what it says, and what is open then, as with rnsd."""
    python = ctx.args.python
    said = []
    for ours in (False, True):
        a, b, c = (lib.free_port() for _ in range(3))
        instance = Instance("unix")
        text = instance.text(server("A", a) + server("B", b))
        if ours:
            folder = ctx.stock_dir(text)
            one = Warrend(ctx, folder)
        else:
            folder = ctx.rnsd(python, text)
            one = ctx.things[-1]
        lib.must(lambda: instance.up() and listens(a) and listens(b), "the daemon")
        out = []

        def ask(option, name, then, works=False):
            lib.quiet(0.3, "config is read anew five times a second at most")
            r = tool(python, folder, "rnstatus", option, name)
            check("Traceback" not in r.stderr, r.stderr)
            # a stock tool that fails ends with 0 or 1, as it happens, on rnsd too
            check(r.returncode == 0 or (r.returncode == 1 and not works),
                  f"{option} {name}, {'here' if ours else 'rnsd'}: {r.returncode}")
            out.append((option, name, r.stdout.strip()))
            lib.must(then, f"what {option} {name} does: {out[-1]}")

        ask("--detach", "A", lambda: not listens(a) and listens(b), works=True)
        ask("--detach", "A", lambda: not listens(a) and listens(b))
        ask("--detach", "Nobody", lambda: listens(b))
        ask("--attach", "A", lambda: listens(a), works=True)
        ask("--attach", "A", lambda: listens(a))
        ask("--attach", "Nobody", lambda: listens(b))
        with open(folder + "/config", "w") as f:
            f.write(text.replace(str(b), str(c)))
        ask("--reload", "B", lambda: listens(c), works=True)
        with open(folder + "/config", "w") as f:
            f.write(text.replace(str(b), str(c)) + server("Late", b))
        ask("--attach", "Late", lambda: listens(b), works=True)
        ask("--reload", "Nobody", lambda: listens(a))
        said.append(out)
        one.stop()
        ctx.things.remove(one)
    for theirs, mine in zip(*said):
        check(theirs == mine, f"rnsd: {theirs}, here: {mine}")


def wrong_key(ctx):
    """A program of a folder with another rpc_key is told so and ends; the others are served."""
    instance = Instance("unix")
    t = ctx.transport(instance.text(server("Server", lib.free_port())))
    other = ctx.stock_dir(instance.text("").replace("[logging]", "rpc_key = " + 32 * "5a" + "\n[logging]"))
    for python in (ctx.args.python, ctx.args.python_old):
        r = tool(python, other, "rnstatus")
        check(r.returncode in (0, 2) and "Could not get RNS status" in r.stdout, f"{r.returncode} {r.stdout}{r.stderr}")
        check("Server" in good(python, t.folder, "rnstatus"), "rnstatus with the right key")


def tools_over_four(ctx):
    """rnsd, ours, ours, rnsd: files both ways, programs there and what they end with, probes."""
    python = ctx.args.python
    ports = [lib.free_port() for _ in range(3)]
    ends = [Instance("unix"), Instance("unix")]
    near = ctx.rnsd(python, ends[0].text(server("a", ports[0]), transport=True))
    ctx.transport(config(lib.client("a", ports[0]) + server("b", ports[1]), transport=True))
    ctx.transport(config(lib.client("b", ports[1]) + server("c", ports[2]), transport=True))
    far = ctx.rnsd(python, ends[1].text(lib.client("c", ports[2]), transport=True).replace(
        "[logging]", "respond_to_probes = yes\n[logging]"))
    lib.must(lambda: all(e.up() for e in ends), "both rnsd")
    inbox = ctx.dir("inbox")
    rncp = Listener(ctx, python, far, "rncp", "-n", "-F", "-s", inbox, "-b", "5")
    rnx = Listener(ctx, python, far, "rnx", "-n")
    for one in (rncp, rnx):
        lib.must(lambda: tool(python, near, "rnpath", "-w", "5", one.dest).returncode == 0, "a path to it")
    check("is 3 hops" in good(python, near, "rnpath", rncp.dest), "hops")
    copies(python, near, ctx.dir("work"), rncp, inbox, 1000000)
    for code in (0, 7):
        r = tool(python, near, "rnx", "-w", "30", "-m", rnx.dest, f"sh -c 'exit {code}'")
        check(r.returncode == code, f"rnx -m: {r.returncode} instead of {code}: {r.stdout}{r.stderr}")
    probe = re.search(r"Probe responder at <([0-9a-f]{32})>", good(python, far, "rnstatus"))
    check(probe, "the far rnsd has a probe responder")
    good(python, near, "rnpath", probe.group(1))
    check("received 2" in good(python, near, "rnprobe", "-n", "2", "-w", "0.2", "rnstransport.probe", probe.group(1)),
          "rnprobe")


TESTS = [
    ("tools: another rpc_key", wrong_key),
    ("tools: rnstatus, tcp, 1.4.2", rnstatus("tcp", True, STATUS[1:2])),
]
LONG = [
    ("tools: interfaces taken away and brought back", managed),
    ("tools: over rnsd, ours, ours, rnsd", tools_over_four),
    ("tools: rnstatus, unix", rnstatus("unix", False, STATUS + STATUS_NEW)),
    ("tools: rnstatus, tcp", rnstatus("tcp", False, STATUS[:2])),
    ("tools: all, unix", all_tools("unix", False, False, True)),
    ("tools: all, tcp, transport off", all_tools("tcp", False, True, False)),
    ("tools: all, unix, 1.4.2", all_tools("unix", True, False, True)),
    ("tools: all, tcp, 1.4.2", all_tools("tcp", True, True, True)),
    ("tools: pickled calls of 1.3.3, unix", pickles),
    ("tools: pickled calls of 1.3.3, tcp", pickles_tcp),
    ("tools: rnstatus, unix, 1.4.2", rnstatus("unix", True, STATUS)),
    ("tools: rnstatus under every Python", every_python),
]
