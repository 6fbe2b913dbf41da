# SPDX-License-Identifier: BSD-2-Clause
"""The client against the node, both of klpy, over TCP on loopback: keeps the two halves honest."""

import os
import socket
import subprocess
import sys
import tempfile
import time

import RNS

from . import client, codec


def write_config(folder, body, transport=False, name=None, share=True):
    os.makedirs(folder, mode=0o700, exist_ok=True)
    with open(os.path.join(folder, "config"), "w") as f:
        f.write(f"""[reticulum]
  enable_transport = {"yes" if transport else "no"}
  share_instance = {"yes" if share else "no"}
  instance_name = {name or os.path.basename(folder) + str(os.getpid())}

[logging]
  loglevel = 3

[interfaces]
{body}
""")


def exercise(c, d, image, command_prefix=("/bin/sh", "-c")):
    """Jobs of every kind through client c; d: what describe said. Yields (name, passed, what was got ...)."""
    sh = list(command_prefix)

    def job(text, **kw):
        vols = kw.pop("volumes", ())
        p, blobs = codec.manifest(c.key, d["urn"], image, sh + [text], vols, **kw)
        return c.submit(p, blobs)["id"]

    j = job("echo out; echo err >&2; exit 3")
    s = c.wait(j)
    r, outputs, logs = c.verified_result(j)
    yield "exit code", s["outcome"] == ["exited", 3] and (r["outcome"], r["code"]) == (0, 3), s, r
    yield "streams", logs == (b"out\n", b"err\n"), logs

    with tempfile.TemporaryDirectory() as t:
        os.makedirs(t + "/in/sub")
        with open(t + "/in/words", "w") as f:
            f.write("b\na\n")
        with open(t + "/in/sub/big", "wb") as f:
            f.write(os.urandom(300000))
        os.makedirs(t + "/out")
        tin, tout = codec.tar_pack(t + "/in"), codec.tar_pack(t + "/out")
        j = job("sort /agent/data/words > /agent/tmp/sorted; wc -c < /agent/data/sub/big > /agent/tmp/size;"
                " ! echo x > /agent/data/no 2>/dev/null",
                volumes=[("/agent/data", "ro", tin), ("/agent/tmp", "rw", tout)], limits={"output": 1 << 20})
        s = c.wait(j)
        r, outputs, logs = c.verified_result(j)
        codec.tar_unpack(outputs["/agent/tmp"], t + "/back")
        yield "volumes", s["outcome"] == ["exited", 0] and open(t + "/back/sorted").read() == "a\nb\n" and \
            open(t + "/back/size").read().strip() == "300000", s, logs

        few = codec.tar_pack(t + "/out")
        j = job("echo small > /agent/tmp/file; echo told", volumes=[("/agent/tmp", "rw", few)], limits={"output": 1 << 20})
        c.wait(j)
        in_pieces = c.verified_result(j)
        yield "all of a small job in one answer", c.whole(j, ["/agent/tmp"], f=5, g=8192) == in_pieces, in_pieces
        yield "but not of a larger one", c.whole(j, f=4, g=8192) is None and c.whole(j, f=5, g=2047) is None and \
            c.whole(j, f=5) is None

    j = job("kill -TERM $$; sleep 5")
    s = c.wait(j)
    yield "signal", s["outcome"] == ["signalled", 15], s

    j = job("sleep 30", limits={"time": 500})
    s = c.wait(j)
    yield "time limit", s["outcome"] == ["killed", "time"], s

    j = job("sleep 30")
    c.wait(j, ("running",))
    c.must("job/cancel", {"id": j})
    s = c.wait(j)
    r, _, _ = c.verified_result(j)
    yield "cancel", s["outcome"] == ["killed", "cancelled"] and (r["outcome"], r["code"]) == (2, 7), s, r

    j = job("for i in 1 2 3; do echo line $i; sleep 0.2; done")
    start, data, eof = c.follow(j, 1)
    c.wait(j)
    want = b"line 1\nline 2\nline 3\n"
    yield "follow", data == want and eof, data, eof

    yield "list", any(row[0] == j for row in c.must("job/list", {"after": 0, "n": 64})["jobs"])
    yield "challenge", c.challenge()
    again = c.submit_envelope(c.envelope)
    yield "submit again is the same job", again["id"] == j and again["state"] == "done"
    status, _, _ = c.ask("job/status", {"id": os.urandom(32)})
    yield "somebody else's job is not found", status == 2


def refusals(c, d, image):
    """What a node must refuse, and with which code. Yields (name, passed)."""
    from RNS.vendor import umsgpack as msgpack

    def refused(payload, code, step, key=None, tamper=False):
        env = codec.envelope_binary(msgpack, codec.T_MANIFEST, payload, key or c.key)
        if tamper:
            env = env.replace(b"/bin/true", b"/bin/fals")
        status, meta, _ = c.ask("job/submit", {"m": env, "b": c.binding})
        ok = status == 5 and meta.get("code") == code and meta.get("step") == step
        if not ok:
            print("#", code, step, "but", status, meta, flush=True)
        return ok

    def made(**kw):
        return codec.manifest(c.key, d["urn"], image, ["/bin/true"], **kw)[0]

    yield "tampered envelope", refused(made(), "manifest", 7, tamper=True)
    yield "signed by another key", refused(made(), "manifest", 7, key=codec.SecpKey())
    yield "unknown limit", refused(made(limits={"gpu": 1}), "manifest", 7)
    yield "expired", refused(made(now=time.time() - 90000, deadline=60), "manifest", 7)
    yield "for another node", refused(
        codec.manifest(c.key, codec.SecpKey().urn("device"), image, ["/bin/true"])[0], "manifest", 7)
    yield "unknown image", refused(codec.manifest(c.key, d["urn"], "no/such:image", ["/bin/true"])[0], "image", 8)
    yield "too much memory", refused(made(limits={"memory": 1 << 50}), "limits", 9)
    yield "broker network", refused(made(network="broker"), "limits", 9)
    status, _, _ = c.ask("job/status", {"id": "short"})
    yield "malformed request", status == 6
    status, meta, _ = c.ask("blob/put", {"d": os.urandom(32), "o": 0, "n": 4, "b": b"1234"})
    yield "blob that nobody named", status == 5 and meta["code"] == "not_wanted"


def main():
    base = tempfile.mkdtemp()
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        port = any_port.getsockname()[1]
    write_config(base + "/n", "  [[s]]\n    type = TCPServerInterface\n    enabled = yes\n"
                 "    listen_ip = 127.0.0.1\n    listen_port = %d\n" % port, share=False)
    write_config(base + "/c", "  [[c]]\n    type = TCPClientInterface\n    enabled = yes\n"
                 "    target_host = 127.0.0.1\n    target_port = %d\n" % port, share=False)
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    node = subprocess.Popen([sys.executable, "-m", "klpy.node", "--config", base + "/n"], cwd=here,
                            stdout=subprocess.PIPE, text=True)
    try:
        dest = bytes.fromhex(node.stdout.readline().split()[1])
        client.start(base + "/c")
        c = client.Client(dest)
        d = c.describe()
        bad = 0
        for name, passed, *got in exercise(c, d, "host"):
            print("ok" if passed else "not ok", "klpy:", name, "" if passed else got, flush=True)
            bad += not passed
        return bad
    finally:
        node.kill()


if __name__ == "__main__":
    os._exit(main())
