# SPDX-License-Identifier: BSD-2-Clause
"""Local programs that misbehave cost the others their share and no more; by counts, not by times."""

import json
import os
import select
import signal
import socket
import threading

import lib
import test_relay
from lib import check, config, control, until
from test_manage import tool

READ = 65536  # what one turn of the daemon reads of a stream


def frame(n, mark, size=400):
    """A PLAIN broadcast with a number; everybody on this machine gets it."""
    raw = b"\x08\x00" + b"\x11" * 16 + b"\x00" + mark + n.to_bytes(4, "big") + bytes(size - 24)
    raw = raw.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e")
    return b"\x7e" + raw + b"\x7e"


def attach(name):
    s = socket.socket(socket.AF_UNIX)
    s.connect("\0rns/" + name)
    return s


def instance(t):
    """The line of the shared instance's listener."""
    return [i for i in control(t, "interfaces")[0]["interfaces"] if i["type"] == "LocalServerInterface"][0]


def attached(t):
    return control(t, "status")[0]["attached"]


def memory(t):
    """The most that it ever had, in MiB."""
    with open(f"/proc/{t.proc.pid}/status") as f:
        return [int(line.split()[1]) for line in f if line.startswith("VmHWM")][0] / 1024


class Reader:
    """Reads all the time; the marks and numbers that came, in order."""

    def __init__(self, name):
        self.sock = attach(name)
        self.got = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        buf = b""
        while part := self.sock.recv(1 << 20):
            *whole, buf = (buf + part).split(b"\x7e")
            for raw in whole:
                raw = raw.replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")
                if len(raw) > 24:
                    self.got.append((raw[19:20], int.from_bytes(raw[20:24], "big")))

    def count(self, mark):
        return sum(m == mark for m, _ in self.got)


def silent_thousand(ctx):
    """1,000 of one process that say nothing take places from each other, not from two that talk."""
    name = f"interop{lib.free_port()}"
    t = ctx.transport(config("", share=True, instance=name))
    quiet = attach(name)  # of this process too, but it has spoken
    quiet.sendall(frame(1, b"q"))
    lib.must(lambda: control(t, "status")[0]["counts"]["rx_packets"] >= 1, "it has spoken")
    idle = [attach(name) for _ in range(1000)]
    lib.must(lambda: instance(t)["put_out"] >= 1000 + 1 - 256, "the oldest make room")
    test_relay.visit(ctx, t.folder, t.folder, None, None, 0, steps=["announce", "packet", "open", "echo100", "close"])
    line = instance(t)
    check(attached(t) <= 256 and line["refused"] == 0, f"{attached(t)} attached, {line}")
    check(memory(t) < 32, f"{memory(t)} MiB")
    quiet.sendall(frame(2, b"q"))
    lib.must(lambda: control(t, "status")[0]["counts"]["rx_packets"] >= 2, "who has spoken keeps his place")
    for s in idle:
        s.close()
    lib.must(lambda: attached(t) <= 3, "they are gone")
    # attach and detach, again and again
    for _ in range(3000):
        attach(name).close()
    lib.must(lambda: attached(t) <= 3, "all of the flood are gone")
    test_relay.visit(ctx, t.folder, t.folder, None, None, 0, steps=["announce", "packet", "open", "echo100", "close"])
    check(memory(t) < 32, f"{memory(t)} MiB")


def full_speed(ctx):
    """Between two packets of one program stand at most a few reads of another that never stops."""
    name = f"interop{lib.free_port()}"
    t = ctx.transport(config("", share=True, instance=name))
    reader, loud, soft = Reader(name), attach(name), attach(name)
    lib.must(lambda: attached(t) == 3, "all are attached")
    loud.sendall(frame(0, b"L"))
    soft.sendall(frame(0, b"S"))
    lib.must(lambda: reader.count(b"L") == 1 and reader.count(b"S") == 1, "both are heard")
    os.kill(t.proc.pid, signal.SIGSTOP)
    try:
        flood = b"".join(frame(n, b"L") for n in range(1, 5001))  # 2 MB: it waits for the daemon most of the time
        thread = threading.Thread(target=loud.sendall, args=(flood,), daemon=True)
        thread.start()
        few = [frame(n, b"S") for n in range(1, 101)]
        soft.sendall(b"".join(few))
        # the daemon sees both sockets full when it wakes up
        lib.must(lambda: full(loud), "the loud one's socket is full")
    finally:
        os.kill(t.proc.pid, signal.SIGCONT)
    lib.must(lambda: reader.count(b"S") == 101 and reader.count(b"L") == 5001, "all have come, none was lost")
    before = reader.got[:max(i for i, g in enumerate(reader.got) if g[0] == b"S")]
    loud_bytes = sum(len(few[0]) for m, _ in before if m == b"L")
    turns = -(-len(b"".join(few)) // READ)
    print(f"# {loud_bytes} bytes of the loud one before the last of the other", flush=True)
    check(0 < loud_bytes <= (turns + 2) * READ, f"{loud_bytes} bytes of the loud one came first, in {turns} turns")


def full(s):
    """Whether nothing more goes into that socket."""
    import select
    return not select.select([], [s], [], 0)[1]


def never_reads(ctx):
    """Those that do not read hold 4 MiB each and cost nobody a packet."""
    name = f"interop{lib.free_port()}"
    t = ctx.transport(config("", share=True, instance=name))
    deaf = [attach(name) for _ in range(4)]
    reader, loud = Reader(name), attach(name)
    lib.must(lambda: attached(t) == 6, "all are attached")
    total = 30000  # 12 MB for each
    for n in range(0, total, 1000):
        loud.sendall(b"".join(frame(i, b"L") for i in range(n, n + 1000)))
        # it keeps up: else its own 4 MiB would be what is measured
        lib.must(lambda: reader.count(b"L") == n + 1000, f"{n + 1000} packets")
    lines = [i for i in control(t, "interfaces")[0]["interfaces"] if i["type"] == "LocalClientInterface"]
    check(sum(i["tx_drops"] > 0 for i in lines) == len(deaf), f"{lines}")
    check(all(i["waiting"] <= 4 << 20 for i in lines), f"{lines}")
    check(memory(t) < 64, f"{memory(t)} MiB")
    for s in deaf:
        s.close()
    lib.must(lambda: attached(t) == 2, "the deaf are gone")


def rates(ctx, folder):
    """What rnstatus of the instance on that folder shows of it and of its programs."""
    code, said = tool(ctx, folder, "rnstatus", "-a", "-j")
    check(code == 0, f"rnstatus: {code} {said}")
    stats = json.loads(said[said.index("{"):said.rindex("}") + 1])
    return {(i["type"], i["bitrate"]) for i in stats["interfaces"]}


def forced_rate(ctx):
    """force_shared_instance_bitrate: rnsd and the relay show the same, and hold nothing back themselves."""
    def text(name):
        return config("", share=True, instance=name, more="force_shared_instance_bitrate = 5000\n")
    ours, stock = (f"interop{lib.free_port()}" for _ in range(2))
    t = ctx.transport(text(ours))
    folder = ctx.rnsd(ctx.args.python, text(stock))
    lib.must(lambda: lib.instance_up(stock), "rnsd")
    want = {("LocalServerInterface", 5000), ("LocalClientInterface", 5000)}
    for name, where in ((ours, t.folder), (stock, folder)):
        got = rates(ctx, where)
        check(got == want, f"{where}: {got}")
        reader, loud = Reader(name), attach(name)
        loud.sendall(b"".join(frame(i, b"S") for i in range(20)))  # 13 s at that rate
        check(until(lambda: reader.count(b"S") == 20, "20 packets", 6), f"{where}: {reader.got}")


TESTS = [
    ("local: 1,000 programs that say nothing", silent_thousand),
    ("local: one program at full speed", full_speed),
    ("local: programs that never read", never_reads),
]
LONG = [("local: a forced rate, ours and rnsd", forced_rate)]
