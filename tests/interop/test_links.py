# SPDX-License-Identifier: BSD-2-Clause
"""warren submit and our node over links that break: bytes go on where they were, and nobody has to help."""

import json
import os
import signal
import subprocess
import threading

import lib
from lib import check, client, config, server
from test_jobs import Daemon, node, run_in, warren
from test_submit import Process, Proxy

SIZE = 5000000
IN = "cp /in/blob /out/blob; wc -c < /in/blob"


class Mesh:
    """
    The submitter's shared instance (stock rnsd), our node behind it over TCP; with another way also over another
    stock instance, which is closed at first. (Not always: while the first way is broken stock Reticulum would take up
    one that the other instance still knows, which leads back to itself, and keep it.)
    """

    def __init__(self, ctx, another):
        run_in(ctx)
        self.ctx = ctx
        self.port, far = lib.free_port(), lib.free_port()
        self.name = f"links-{os.getpid()}-{self.port}"
        self.hub_dir = ctx.stock_dir(config(server("mast", self.port), transport=True, share=True, instance=self.name))
        self.hub()
        relay = another and ctx.stock_dir(config(server("far mast", far) + client("to the mast", self.port), transport=True))
        if another:
            ctx.keep(Process([ctx.args.python, "-m", "RNS.Utilities.rnsd", "--config", relay],
                             os.path.join(ctx.folder, "relay.log"), stdout=subprocess.DEVNULL))
        self.near, self.far = ctx.keep(Proxy(self.port)), ctx.keep(Proxy(far))
        self.far.cut()
        self.person, self.work = ctx.dir("person"), ctx.dir("work")
        me = json.loads(warren(ctx, "identity", "show", "--json", "--identity", self.person).stdout)
        self.dest, self.node, self.folder = node(
            ctx, client("near", self.near.port) + (client("far", self.far.port) if another else ""), [(me["urn"], 2)],
            "data_limit_per_minute: 1GB\n", instance=self.name + "-node")
        self.node_name = self.name + "-node"
        lib.must(lambda: self.warren("describe", self.dest, "--timeout", "5s").returncode == 0, "the node's answer", 60)
        os.makedirs(self.path("data"))
        self.blob = os.urandom(SIZE)
        with open(self.path("data/blob"), "wb") as f:
            f.write(self.blob)

    def hub(self):
        self.rnsd = self.ctx.keep(Process([self.ctx.args.python, "-m", "RNS.Utilities.rnsd", "--config", self.hub_dir],
                                          os.path.join(self.ctx.folder, "rnsd.log"), stdout=subprocess.DEVNULL))
        lib.must(lambda: lib.instance_up(self.name), "the shared instance")

    def path(self, *parts):
        return os.path.join(self.work, *parts)

    def argv(self, *words):
        return [os.path.join(self.ctx.args.build, "warren"), *words, "--config", self.hub_dir, "--identity",
                self.person]

    def warren(self, *words):
        return subprocess.run(self.argv(*words), stdin=subprocess.DEVNULL, capture_output=True, cwd=self.work,
                              timeout=2 * lib.PATIENCE_S)

    def job(self, text, **keys):
        path = self.path("job.yaml")
        with open(path, "w") as f:
            json.dump({"image": "test/busybox:1", "command": ["/bin/sh", "-c", text], "limits": {"output": "8MB"},
                       "volumes": ["./data:/in:ro", "./out:/out:rw"], **keys}, f)
        return path

    def submit(self, at, disturb, text=IN, **keys):
        """
        The whole command, disturbed once when an event is such as at() says; bytes on the wire of both ways. It has to
        end by itself, with everything.
        """
        moved = self.near.moved + self.far.moved
        p = subprocess.Popen(self.argv("submit", self.job(text, **keys), "--to", self.dest, "--out", "a", "--json"),
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.work)
        events, done, errors = [], False, []
        threading.Thread(target=lambda: errors.append(p.stderr.read()), daemon=True).start()
        patience = threading.Timer(150, p.kill)
        patience.start()
        for line in p.stdout:
            events.append(json.loads(line))
            if not done and at(events[-1]):
                done = True
                disturb()
        patience.cancel()
        check(p.wait(lib.PATIENCE_S) == 0, f"ended with {p.returncode}: {errors} {events[-3:]}")
        check(done, f"it was not disturbed: {events[:20]}")
        check(open(self.path("a/volumes/out/blob"), "rb").read() == self.blob, "it came back changed")
        check(open(self.path("a/stdout")).read() == f"{SIZE}\n", "its output")
        return events, self.near.moved + self.far.moved - moved

    def node_again(self, how):
        self.node.proc.send_signal(how)
        self.node.proc.wait(lib.PATIENCE_S)
        lib.must(lambda: not lib.instance_up(self.node_name), "that the killed one's programs have ended, too")
        self.node = Daemon(self.ctx, [os.path.join(self.ctx.args.build, "warrend"), "--config", self.folder],
                           "node2.log")

    def hub_again(self):
        self.rnsd.stop()
        lib.quiet(4, "the instance is away, not only restarted")
        self.hub()

    def cut(self):
        self.near.cut()
        lib.quiet(5, "the link is away for longer than a slice takes")
        self.near.mend()

    def other_way(self):
        self.far.mend()
        self.near.cut()


def moving(phase):
    return lambda e: e["event"] == "progress" and e["phase"] == phase and e["bytes"] > SIZE // 4


def running(e):
    return e["event"] == "state" and e["state"] == "running"


def disturbed(at, how, most=3.2, **keys):
    def run(ctx):
        m = Mesh(ctx, how == "another way")
        events, moved = m.submit(at, {
            "node restarted": lambda: m.node_again(signal.SIGTERM), "node killed": lambda: m.node_again(signal.SIGKILL),
            "instance restarted": m.hub_again, "cut": m.cut, "another way": m.other_way}[how], **keys)
        if how == "instance restarted":  # noticed at once, and it is away for longer than is passed over
            link = [e["up"] for e in events if e["event"] == "link"]
            check(link == [False, True], f"of the link it says {link}")
        check(moved < most * SIZE, f"{moved} bytes for two times {SIZE}: sent again")
        return None
    return run


SLOW = IN + "; sleep 3"
LONG = [
    ("links/upload, node killed", disturbed(moving("upload"), "node killed")),
    ("links/upload, node restarted", disturbed(moving("upload"), "node restarted")),
    ("links/upload, instance restarted", disturbed(moving("upload"), "instance restarted")),
    ("links/upload, cut", disturbed(moving("upload"), "cut")),
    ("links/upload, another way", disturbed(moving("upload"), "another way")),
    ("links/download, node killed", disturbed(moving("download"), "node killed")),
    ("links/download, instance restarted", disturbed(moving("download"), "instance restarted")),
    ("links/download, another way", disturbed(moving("download"), "another way")),
    ("links/running, node restarted", disturbed(running, "node restarted", text=SLOW, retries=1)),
    ("links/running, another way", disturbed(running, "another way", text=SLOW)),
]
TESTS = []
