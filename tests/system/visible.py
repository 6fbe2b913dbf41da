# SPDX-License-Identifier: BSD-2-Clause
"""What a node shows: an announce that was dropped is explained by its hash,
counted at its interface, in top, and in /metrics, which a relay alone has; there
a node that computes tells of its jobs too, and the memory of all programs is."""
import grp
import json
import os
import re
import socket
import subprocess
import sys
import tempfile

from lib import PATIENCE_S, USER, Node, done, of, result, until

build = sys.argv[1]
# one that root is not of, where root runs this
GROUP = next((g for g in grp.getgrall() if g.gr_name == "nogroup"),
             grp.getgrgid(os.getegid()))
if os.geteuid() != 0:
    GROUP = grp.getgrgid(os.getegid())
DEST = bytes(range(0x11, 0x21))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def warren(node, *words):
    p = subprocess.run([os.path.join(build, "warren"), *words, "--config",
                        node.dir], preexec_fn=node._drop,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=PATIENCE_S)
    return (p.returncode, p.stdout.decode(errors="replace"),
            p.stderr.decode(errors="replace"))


def ask(path, request):
    """All that comes back until it is closed."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE_S)
        s.connect(path)
        got = b""
        try:
            s.sendall(request)
            while True:
                more = s.recv(65536)
                if not more:
                    break
                got += more
        except (BrokenPipeError, ConnectionResetError):
            pass
        return got.decode()


def shows(node, path, port):
    mode = node.name
    # an announce that nobody has signed
    frame = bytes([1, 0]) + DEST + b"\0" + bytes([5]) * 200
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b"\x7e" + frame + b"\x7e")
        until(lambda: of(node, "Listen").get("rx_packets"), "it has come")
        code, out, err = warren(node, "explain", DEST.hex())
        result(mode + " explain", code == 0 and "ANNOUNCE_SIG" in out and
               "on TCPInterface" in out and "remedy" in out, out + err)
        code, out, err = warren(node, "explain", DEST.hex()[:8], "--json")
        drops = json.loads(out or "{}").get("mesh", {}).get("drops", [{}])
        result(mode + " explain by a beginning", code == 0 and
               drops[0].get("times") == 1 and
               drops[0].get("about") == DEST.hex(), out + err)
        code, out, err = warren(node, "interfaces")
        result(mode + " interfaces", code == 0 and "ANNOUNCE_SIG, 1 times" in
               out, out + err)
        code, out, err = warren(node, "top", "--wait", "1ms", "--json")
        result(mode + " top", code == 0 and any(
            i.get("section") == "Listen" for i in
            json.loads(out or "{}").get("interfaces", [])), out + err)
        for verb in "paths", "discovered":
            code, out, err = warren(node, verb, "--json")
            result("%s %s" % (mode, verb), code == 0 and
                   json.loads(out)[verb] == [], out + err)
        text = ask(path, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    result(mode + " metrics", text.startswith("HTTP/1.0 200 ") and
           'warren_drops_total{reason="ANNOUNCE_SIG"} 1\n' in text and
           'warren_program_running{program="transport"} 1\n' in text and
           'warren_interface_clients{interface="TCPServerInterface[Listen/'
           in text, text[-3000:])
    memory = dict(re.findall(r'^warren_program_resident_bytes{program="(\w+)"} '
                             r"([0-9]+)$", text, re.M))
    result(mode + " metrics: memory", {"parent", "transport"} <= set(memory)
           and all(1e5 < int(n) < 1e9 for n in memory.values()), memory)
    # a share of it: as root alone the parent may look
    share = re.findall(r'^warren_program_proportional_bytes{program="(\w+)"} '
                       r"([0-9]+)$", text, re.M)
    result(mode + " metrics: shares", all(
        1e4 < int(n) <= int(memory[p]) for p, n in share) and
        (not mode.endswith("root") or {"parent", "transport"} <= {p for p, n in share}),
        share)
    jobs = "".join(x + "\n" for x in text.splitlines() if "_jobs" in x)
    result(mode + " metrics: jobs", ('warren_jobs{state="running"} 0\n' in
           jobs and "warren_jobs_admitted_total 0\n" in jobs and
           'warren_budgets_used_up{budget="bytes"} 0\n' in text and
           set(memory) >= {"node", "trust", "keys", "jail", "audit"})
           if mode.endswith("root") else jobs == "", [jobs, memory])


def refuses(node, path):
    mode = node.name
    for what, request, want in (
            ("another path", b"GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 404 "),
            ("another method", b"PUT /metrics HTTP/1.0\r\n\r\n",
             "HTTP/1.0 405 "),
            ("no HTTP", b"status\n", "HTTP/1.0 400 "),
            ("a long line", b"G" * 6000, ""),
            ("many lines", b"GET /metrics HTTP/1.0\r\n" + b"a: b\r\n" * 2000,
             "")):
        got = ask(path, request)
        result("%s metrics: %s" % (mode, what), got.startswith(want) and
               (want or not got), got[:200])
    # those that say nothing are put out, and the others are answered
    quiet = []
    for _ in range(20):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(PATIENCE_S)
        s.connect(path)
        quiet.append(s)
    gone = all(not s.recv(1) for s in quiet)
    s = os.stat(path)
    result(mode + " metrics: only its user and group", s.st_mode & 0o777 == 0o660
           and s.st_gid == GROUP.gr_gid, "%o %d" % (s.st_mode, s.st_gid))
    text = ask(path, b"GET /metrics HTTP/1.0\r\n\r\n")
    result(mode + " metrics: silence", gone and " 200 " in text[:20],
           text[:200])
    for s in quiet:
        s.close()


def run(mode, user):
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="warren-metrics.") as folder:
        os.chmod(folder, 0o777)
        path = os.path.join(folder, "m.sock")
        yaml = "metrics: unix:%s\n" % path
        if user is None:
            yaml += "metrics_group: %s\n" % GROUP.gr_name
        node = Node(build, "visible-" + mode, user,
                    node_yaml=yaml,
                    config="[[Listen]]\ntype = TCPServerInterface\n"
                    "enabled = yes\nlisten_ip = 127.0.0.1\n"
                    "listen_port = %d\n" % port)
        try:
            if mode == "root":
                node.with_compute(yaml)
            node.start()
            node.ready(["transport"] + ["node"] * (mode == "root"))
            until(lambda: of(node, "Listen").get("online"), "it listens")
            shows(node, path, port)
            if user is None or os.geteuid() != 0:
                refuses(node, path)
        finally:
            node.remove()


if os.geteuid() == 0:
    run("root", None)
    run("user", USER)
else:
    run("user", None)
done()
