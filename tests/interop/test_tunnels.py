# SPDX-License-Identifier: BSD-2-Clause
"""Paths outlive a connection (reticulum-transport.md 7.1): against stock rnsd, both ways."""

import os
import signal
import socket
import threading

import lib
from lib import backbone, backbone_client, check, client, config, control, paths_of, server


class Cable:
    """A TCP connection with scissors: passes to a port what comes to its own."""

    def __init__(self, port):
        self.to = port
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(8)
        self.port = self.listener.getsockname()[1]
        self.ends = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                a, _ = self.listener.accept()
            except OSError:
                return
            try:
                b = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                a.close()
                continue
            self.ends += [a, b]
            for x, y in ((a, b), (b, a)):
                threading.Thread(target=self._pass, args=(x, y), daemon=True).start()

    def _pass(self, x, y):
        try:
            while data := x.recv(65536):
                y.sendall(data)
        except OSError:
            pass
        for s in (x, y):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        ends, self.ends = self.ends, []
        for s in ends:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.listener.close()
        self.cut()


def announced(ctx, port, has):
    """A destination of a program on that port, which goes once it was heard."""
    folder = ctx.stock_dir(config(client("up", port)))
    p = ctx.peer(ctx.args.python, "serve", folder)
    dest = p.expect(event="ready")["dest"]

    def heard():
        p.say("announce")
        p.expect(event="announced")
        return lib.until(lambda: has(dest), "the announce", 5)
    lib.must(heard, "an announce")
    p.end()
    return dest


def theirs_here(old):
    """A stock relay dials us; what it brought is there again when it is."""
    def run(ctx):
        py = ctx.args.python_old if old else ctx.args.python
        ours, stock = lib.free_port(), lib.free_port()
        t = ctx.transport(config(server("listen", ours), transport=True))
        cable = ctx.keep(Cable(ours))
        ctx.rnsd(py, config(server("listen", stock) + client("up", cable.port), transport=True))

        def has(dest):
            return any(p["destination"] == dest for p in control(t, "paths")[0]["paths"])
        dest = announced(ctx, stock, has)
        cable.cut()
        lib.must(lambda: not has(dest), "the path goes with its interface")
        lib.must(lambda: has(dest), "the path is back")
        # and once more, with us started anew between
        check(t.stop() == 0, "exit status")
        t = ctx.transport(config(server("listen", ours), transport=True), folder=t.folder)
        lib.must(lambda: has(dest), "the path is back after a restart")
    return run


def ours_there(old, dials=client, listens=server):
    """We dial a stock relay."""
    def run(ctx):
        py = ctx.args.python_old if old else ctx.args.python
        ours, stock = lib.free_port(), lib.free_port()
        name = f"interop{stock}"
        folder = ctx.rnsd(py, config(listens("listen", stock), transport=True, share=True, instance=name))
        lib.must(lambda: lib.instance_up(name), "rnsd")
        cable = ctx.keep(Cable(stock))
        t = ctx.transport(config(server("listen", ours) + dials("up", cable.port), transport=True))
        lib.must(lambda: all(lib.online(t)), "we are connected")

        def has(dest):
            return dest in paths_of(py, folder)
        dest = announced(ctx, ours, has)
        t.proc.send_signal(signal.SIGSTOP)  # nobody comes back at once
        cable.cut()
        lib.must(lambda: not has(dest), "the path goes with its interface")
        t.proc.send_signal(signal.SIGCONT)
        lib.must(lambda: has(dest), "the path is back")
    return run


def the_file(old):
    """tunnels, as rnsd writes it, read by us, and the other way round."""
    def run(ctx):
        py = ctx.args.python_old if old else ctx.args.python
        port, inner = lib.free_port(), lib.free_port()
        name = f"interop{port}"
        text = config(server("listen", port), transport=True, share=True, instance=name)
        folder = ctx.rnsd(py, text)
        lib.must(lambda: lib.instance_up(name), "rnsd")
        rnsd = ctx.things[-1]
        ctx.rnsd(ctx.args.python, config(server("listen", inner) + client("up", port), transport=True))
        dest = announced(ctx, inner, lambda d: d in paths_of(py, folder))
        rnsd.stop()
        check(os.path.getsize(folder + "/storage/tunnels") > 32, "rnsd wrote its tunnel")

        def has(d):
            return any(p["destination"] == d for p in control(t, "paths")[0]["paths"])
        # 1.4.2 writes the end of its path as the tunnel's
        for turn in ("what rnsd stored of the tunnel", "the same a second time"):
            t = ctx.transport(text, folder=folder)
            lib.must(lambda: has(dest), turn)
            check(t.stop() == 0, "exit status")
            rnsd = ctx.keep(lib.Process([py, "-m", "RNS.Utilities.rnsd", "--config", folder],
                                        open(ctx.folder + "/rnsd.log", "ab")))
            lib.must(lambda: lib.instance_up(name), "rnsd again")
            lib.must(lambda: dest in paths_of(py, folder), "what we stored of the tunnel")
            rnsd.stop()
    return run


TESTS = []
LONG = [
    ("tunnels: the file, there and back", the_file(False)),
    ("tunnels: the file, there and back, 1.4.2", the_file(True)),
    ("tunnels: a stock client of ours", theirs_here(False)),
    ("tunnels: our client of a stock server", ours_there(False)),
    ("tunnels: our Backbone client of a stock Backbone", ours_there(False, backbone_client, backbone)),
    ("tunnels: a stock client of ours, 1.4.2", theirs_here(True)),
    ("tunnels: our client of a stock server, 1.4.2", ours_there(True)),
]
