# SPDX-License-Identifier: BSD-2-Clause
"""An independent compute node on stock RNS (compute.md), for tests: jobs run under bubblewrap, nothing is limited."""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

import RNS
from RNS.vendor import umsgpack as msgpack

from . import client, codec, images, quiet, until

IMAGE = codec.sha256(b"the host's /usr")
ROLES, RUNTIMES, ARCH = 1, 4, 1
BUDGET = 1 << 20  # bytes a minute, of a node that is told to be --busy


class Job:
    def __init__(self, job_id, payload, owner):
        import json
        self.id, self.m, self.owner = job_id, json.loads(payload), owner
        self.state, self.reason, self.outcome, self.seq = "queued", "inputs", None, 1
        self.at = int(time.time())
        self.out = {1: b"", 2: b""}
        self.attempts, self.started, self.wall = 0, 0, 0
        self.outputs, self.receipt, self.proc, self.left = [], None, None, []
        self.dir = tempfile.mkdtemp(prefix="pynode-")
        self.cancelled = False

    def set(self, state, reason=None, outcome=None):
        self.state, self.reason, self.outcome = state, reason, outcome or self.outcome
        self.seq += 1
        self.at = int(time.time())

    def over(self):
        return self.state in ("done", "lost", "cancelled", "refused")


class Node:
    def __init__(self, identity, key, name="pynode", accept=True):
        self.identity, self.key, self.accept = identity, key, accept
        self.binding = codec.binding_make(key, identity)
        self.jobs, self.blobs, self.partial, self.keys = {}, {}, {}, {}
        self.lock = threading.RLock()
        self.links, self.follows = {}, {}
        self.dest = RNS.Destination(identity, RNS.Destination.IN, RNS.Destination.SINGLE, "klp", "node")
        for p in ("describe", "challenge", "job/submit", "blob/have", "blob/put", "blob/get", "job/status", "job/log",
                  "job/follow", "job/result", "job/cancel", "job/list", "image/part", "image/get"):
            self.dest.register_request_handler("/klp/v1/" + p, response_generator=self.handle,
                                               allow=RNS.Destination.ALLOW_ALL)
        self.dest.set_link_established_callback(lambda link: self.links.__setitem__(link.link_id, link))
        caps = codec.struct.pack(">HHBBIIH", ROLES, RUNTIMES, ARCH, 1, 1000, 512, 4)
        self.app_data = codec.tlv((1, codec.binding_tlv(self.binding)), (4, caps), (6, name.encode()))
        self.name = name
        self.giver, self.air = images.Giver(), None
        self.busy = 0
        self.moods = None  # a folder: asked is written there, and what else is there is what it became meanwhile
        self.ahead = 0  # seconds, of its clock
        self.slow = 0  # seconds that it thinks about a job

    def announce(self):
        self.dest.announce(app_data=self.app_data)

    # RNS calls this with or without the link id, by the number of parameters
    def handle(self, path, data, request_id, link_id, remote_identity, requested_at):
        try:
            name = path[len("/klp/v1/"):]
            if not isinstance(data, dict):
                return [6, {"why": "not a map"}, None]
            link = next((v for v in self.links.values() if v.link_id == link_id), None)
            if self.slow and name == "job/submit":
                quiet(self.slow, "a node that asks afar what it thinks of the submitter")
            with self.lock:
                return self.answer(name, data, link, remote_identity)
        except Exception as e:  # a test node says what went wrong
            RNS.log(f"pynode: {path}: {e!r}", RNS.LOG_ERROR)
            return [6, {"why": repr(e)[:200]}, None]

    def changed(self, name, d):
        """Notes what is asked; what has become of this node since it was asked last: by files, which go."""
        with open(os.path.join(self.moods, "asked"), "a") as f:
            f.write(name + (" b" if "b" in d and name in ("describe", "job/submit") else "") + "\n")
        for mood in set(os.listdir(self.moods)) - {"asked"}:
            if mood == "forgets":
                self.keys.clear()
            elif mood == "ahead":
                self.ahead = 2 * 86400
            elif mood == "rekeyed":
                self.key = codec.SecpKey()
                self.binding = codec.binding_make(self.key, self.identity)
            os.unlink(os.path.join(self.moods, mood))

    def answer(self, name, d, link, who):
        if self.moods:
            self.changed(name, d)
        if name in ("describe", "job/submit") and "b" in d and who is not None:
            secp = codec.binding_check(d["b"], who.get_public_key())
            if secp is None:
                return [5, {"code": "binding", "step": 4}, None]
            self.keys[who.hash] = secp
        if name == "describe":
            return [0, {}, {"v": 1, "name": self.name, "urn": self.key.urn("device"), "key": self.key.text(),
                            "roles": ROLES, "runtimes": RUNTIMES, "arch": ARCH, "accepting": self.accept, "level": 2,
                            "profile": "default",
                            "limits": {"memory": 1 << 28, "cpu": 500, "time": 3600000, "pids": 64, "output": 1 << 26,
                                       "log": 1 << 20, "slice": 262144, "spool": 1 << 28},
                            "left": {"jobs_queued": 16, "jobs_per_hour": 120, "spool": 1 << 28}, "queued": 0,
                            **({"air": self.air} if self.air else {}),
                            **({"budget": {"bytes": BUDGET, "left": 4096, "full_s": 60}} if self.busy else {}),
                            "running": 0, "layers": 0x3f, "time": int(time.time()) + self.ahead, "binding": self.binding}]
        if name == "blob/put" and self.busy > 0 and d["b"] and d["n"] > 100000:
            self.busy -= 1
            return [4, {"s": 1, "code": "bytes", "of": "peer", "limit": BUDGET, "left": 2048, "full_s": 50}, None]
        if name == "challenge":
            m = os.urandom(32)
            initiator = who.get_public_key() if who else bytes(64)
            digest = codec.challenge_digest(link.link_id, d["n"], m, initiator, self.identity.get_public_key())
            return [0, {}, {"b": self.binding, "s": self.key.sign_digest(digest), "m": m}]
        if who is None:
            return [5, {"code": "not_identified", "step": 2}, None]
        if who.hash not in self.keys:
            return [5, {"code": "binding", "step": 4}, None]
        owner = codec.secp_fp(self.keys[who.hash])
        if name in ("image/part", "image/get"):
            return self.giver.part(d) if name == "image/part" else self.giver.get(d)
        if name == "job/submit":
            return self.submit(d, owner, who)
        if name == "job/list":
            mine = [j for j in self.jobs.values() if j.owner == owner]
            at = d.get("after") or 0
            page = mine[at:at + min(d.get("n", 64), 64)]
            nxt = at + len(page) if at + len(page) < len(mine) else None
            return [0, {}, {"jobs": [[j.id, j.state, j.reason, j.outcome, j.at] for j in page], "next": nxt}]
        if name == "blob/put":
            return self.put(d, owner)
        if name == "blob/have":
            bits = bytearray((len(d["d"]) + 7) // 8)
            for i, h in enumerate(d["d"]):
                if (owner, h) in self.blobs:
                    bits[i // 8] |= 1 << (7 - i % 8)
            return [0, {}, bytes(bits)]
        if name == "blob/get":
            b = self.blobs.get((owner, d["d"]))
            if b is None:
                return [2, {}, None]
            o = d.get("o", 0)
            return [0, {"size": len(b)}, b[o:o + min(d.get("n", 262144), 262144)]]
        j = self.jobs.get(d.get("id"))
        if j is None or j.owner != owner:
            return [2, {}, None]
        if name == "job/status":
            if whole := self.whole(j, d):
                return whole
            if d.get("since") == j.seq:
                return [1, {}, None]
            return [0, {}, {"id": j.id, "seq": j.seq, "state": j.state, "reason": j.reason, "outcome": j.outcome,
                            "attempts": j.attempts, "at": j.at, "progress": 1000 if j.state == "done" else 0,
                            "usage": {"wall_ms": j.wall, "cpu_ms": 0, "memory_kb": 0},
                            "log": [len(j.out[1]), len(j.out[2]), 0]}]
        if name == "job/log":
            b, o = j.out[d["s"]], d.get("o", 0)
            return [0, {"size": len(b), "end": j.state in ("done", "lost", "cancelled")},
                    b[o:o + min(d.get("n", 262144), 262144)]]
        if name == "job/follow":
            asked, last = (j.id, d.get("o", 0)), self.follows.get((link.link_id, d["s"]))
            if last and last[2].is_alive() and last[0][0] != j.id:
                return [4, {"s": 1}, None]
            if not last or not (last[2].is_alive() or (last[0] == asked and j.over())):  # or its answer was lost
                o = min(asked[1], len(j.out[d["s"]]))
                t = threading.Thread(target=self.follow, args=(link, j, d["s"], o), daemon=True)
                last = self.follows[link.link_id, d["s"]] = asked, o, t
                t.start()
            return [0, {}, {"o": last[1]}]
        if name == "job/result":
            if j.state == "refused":
                return [2, {}, None]
            if j.receipt is None:
                return [7, {"state": j.state}, None]
            logs = [[codec.sha256(j.out[s]), len(j.out[s])] for s in (1, 2)]
            body = {"r": j.receipt, "o": [list(o) for o in j.outputs], "l": logs}
            if j.left:
                body["d"] = [len(j.left), j.left]
            return [0, {}, body]
        if name == "job/cancel":
            if j.state == "queued":
                j.set("cancelled", "submitter")
            elif j.state == "running":
                j.cancelled = True
                if j.proc:
                    os.killpg(j.proc.pid, signal.SIGKILL)
            return [0, {}, {"state": j.state, "reason": j.reason}]
        return [2, {}, None]

    def whole(self, j, d):
        """All of a job that has ended with little, as f and g ask for it (compute.md 3.4); None."""
        size = sum(o[2] for o in j.outputs)
        if j.state != "done" or j.reason or j.receipt is None or j.left or "f" not in d or size > min(d.get("g", 0), 8192) \
                or len(j.out[1]) + len(j.out[2]) > min(d["f"], 4096):
            return None
        f = [codec.receipt_short(j.receipt), bytes(j.out[1]), bytes(j.out[2])]
        if j.outputs:
            has = {o[0]: self.blobs[j.owner, o[1]] for o in j.outputs}
            f.append([has.get(v["target"]) for v in j.m["volumes"] if v["mode"] == "rw"])
        return [0, {}, {"f": f}]

    def submit(self, d, owner, who):
        kind, payload, sigs = codec.envelope_open(msgpack, d["m"])
        if kind != codec.T_MANIFEST or not any(codec.secp_verify(self.keys[who.hash], kind, payload, s) for s in sigs):
            return [5, {"code": "manifest", "step": 7, "why": "signature"}, None]
        job_id = codec.sha256(payload)
        j = self.jobs.get(job_id)
        if j is None:
            if not self.accept:
                return [5, {"code": "not_accepting", "step": 1}, None]
            new = Job(job_id, payload, owner)
            now = int(time.time()) + self.ahead
            if new.m["not_after"] <= now:
                return [5, {"code": "manifest", "step": 7, "why": "not_after", "limit": now, "value": new.m["not_after"],
                            "time": now}, None]
            if "node" in new.m and new.m["node"].split(":")[-1] != self.key.urn("device").split(":")[-1]:
                return [5, {"code": "manifest", "step": 7, "why": "node", "value": new.m["node"]}, None]
            j = self.jobs[job_id] = new
        missing = self.missing(j) if j.state == "queued" else []
        if j.state == "queued" and not missing:
            self.start(j)
        if whole := self.whole(j, d):
            return whole
        return [0, {}, {"id": job_id, "state": j.state, "reason": j.reason, "missing": missing[:1024], "more": False,
                        "image": IMAGE, "wait_s": 0, "airtime_s": 0, "lease": j.m["not_after"]}]

    def missing(self, j):
        """Of each volume itself, or its chunk list, or its chunks; when those are here it is put together."""
        out = []
        for v in j.m.get("volumes", []):
            whole = bytes.fromhex(v["sha256"])
            if (j.owner, whole) in self.blobs:
                continue
            names = bytes.fromhex(v["chunks"]["sha256"]) if "chunks" in v else None
            if names is None or (j.owner, names) not in self.blobs:
                out.append(whole if names is None else names)
                continue
            chunks = codec.chunk_list_read(self.blobs[j.owner, names])
            if chunks is None or sum(n for _, n in chunks) != v["size"]:
                j.set("refused", "volume: the chunk list")
                return []
            lacking = [c for c, _ in dict.fromkeys(chunks) if (j.owner, c) not in self.blobs]
            out += lacking
            if not lacking:
                tar = b"".join(self.blobs[j.owner, c] for c, _ in chunks)
                if codec.sha256(tar) != whole:
                    j.set("refused", "volume: not the whole")
                    return []
                self.blobs[j.owner, whole] = tar
        return out

    def wanted(self, owner, digest):
        """The size of what a waiting job of this owner names, chunks of a list that has come included."""
        for j in self.jobs.values():
            if j.owner != owner or j.state != "queued":
                continue
            for v in j.m.get("volumes", []):
                for b in (v, v.get("chunks")):
                    if b and b["sha256"] == digest.hex():
                        return b["size"]
                names = self.blobs.get((owner, bytes.fromhex(v["chunks"]["sha256"]))) if "chunks" in v else None
                for c, n in codec.chunk_list_read(names) or [] if names else []:
                    if c == digest:
                        return n
        return None

    def keep_chunks(self, owner, whole):
        """What came as one is here in chunks as well, when its list is."""
        for j in self.jobs.values():
            for v in j.m.get("volumes", []):
                names = self.blobs.get((owner, bytes.fromhex(v["chunks"]["sha256"]))) if "chunks" in v else None
                if names is None or v["sha256"] != codec.sha256(whole).hex():
                    continue
                at = 0
                for c, n in codec.chunk_list_read(names) or []:
                    self.blobs[owner, c] = whole[at:at + n]
                    at += n

    def put(self, d, owner):
        key = owner, d["d"]
        if key in self.blobs:
            return [0, {}, {"have": len(self.blobs[key])}]
        size = self.wanted(owner, d["d"])
        if size is None:
            return [5, {"code": "not_wanted", "step": 0}, None]
        if size != d["n"]:
            return [6, {"why": "n"}, None]
        have = self.partial.setdefault(key, bytearray())
        o, b = d.get("o", 0), d["b"]
        if o <= len(have) < o + len(b):
            have += b[len(have) - o:]
        if len(have) == d["n"]:
            del self.partial[key]
            if codec.sha256(bytes(have)) != d["d"]:
                return [5, {"code": "digest", "step": 0}, {"have": 0}]
            self.blobs[key] = bytes(have)
            self.keep_chunks(owner, self.blobs[key])
            for j in self.jobs.values():
                if j.state == "queued" and j.owner == owner and not self.missing(j) and j.state == "queued":
                    self.start(j)
        return [0, {}, {"have": len(have)}]

    def start(self, j):
        j.set("running")
        j.attempts += 1
        j.started = int(time.time())
        threading.Thread(target=self.run, args=(j,), daemon=True).start()

    def run(self, j):
        args = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin",
                "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--proc", "/proc",
                "--dev", "/dev", "--tmpfs", "/tmp", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin"]
        for k, v in j.m.get("env", {}).items():
            args += ["--setenv", k, v]
        rw = []
        for i, v in enumerate(j.m.get("volumes", [])):
            folder = os.path.join(j.dir, str(i))
            codec.tar_unpack(self.blobs[j.owner, bytes.fromhex(v["sha256"])], folder)
            args += ["--ro-bind" if v["mode"] == "ro" else "--bind", folder, v["target"]]
            if v["mode"] == "rw":
                rw.append((v["target"], folder))
        t0 = time.time()
        j.proc = subprocess.Popen(args + j.m["command"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, start_new_session=True)
        if j.cancelled:  # before there was a process
            os.killpg(j.proc.pid, signal.SIGKILL)
        pumps = [threading.Thread(target=self.pump, args=(j, s, f)) for s, f in ((1, j.proc.stdout), (2, j.proc.stderr))]
        for p in pumps:
            p.start()
        timed_out = False
        try:
            rc = j.proc.wait(j.m.get("limits", {}).get("time", 3600000) / 1000)
        except subprocess.TimeoutExpired:
            timed_out = True
            os.killpg(j.proc.pid, signal.SIGKILL)
            rc = j.proc.wait()
        if rc > 128:  # bubblewrap's way to say signalled
            rc = 128 - rc
        for p in pumps:
            p.join()
        j.wall = int((time.time() - t0) * 1000)
        with self.lock:
            outcome, code, kind = (0, rc, ["exited", rc]) if rc >= 0 else (1, -rc, ["signalled", -rc])
            if j.cancelled:
                outcome, code, kind = 2, 7, ["killed", "cancelled"]
            elif timed_out:
                outcome, code, kind = 2, 2, ["killed", "time"]
            for target, folder in rw:
                left = []
                tar = codec.tar_pack(folder, left)
                j.left += [[len(j.outputs), name, why] for name, why in left]
                self.blobs[j.owner, codec.sha256(tar)] = tar
                j.outputs.append((target, codec.sha256(tar), len(tar)))
            logs = [(codec.sha256(j.out[s]), len(j.out[s])) for s in (1, 2)]
            j.receipt = codec.receipt_make(
                self.key, outcome, code, j.attempts, 0x3f, j.id, IMAGE, codec.outputs_root(j.outputs),
                codec.logs_root(*logs), j.started, j.wall, 0, 0,
                sum(v["size"] for v in j.m.get("volumes", [])),
                sum(o[2] for o in j.outputs) + logs[0][1] + logs[1][1])
            j.set("done", None, kind)

    @staticmethod
    def pump(j, s, f):
        while True:
            b = os.read(f.fileno(), 65536)
            if not b:
                return
            j.out[s] += b

    @staticmethod
    def follow(link, j, s, o):
        channel = link.get_channel()
        writer = RNS.Buffer.create_writer(s, channel)
        while True:
            until(lambda: len(j.out[s]) > o or j.over(), "more to say, or the job's end", 3600)
            b = j.out[s][o:o + 4096]
            if not b:
                writer.close()
                return
            until(channel.is_ready_to_send, "room in the channel")
            n = writer.write(b)
            o += n or 0
            writer.flush()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--config", required=True)
    ap.add_argument("--name", default="pynode")
    ap.add_argument("--busy", type=int, default=0, help="so many blob/put are told that a budget is used up")
    ap.add_argument("--slow", type=float, default=0, help="so many seconds it thinks about a job before it answers")
    ap.add_argument("--air", action="store_true", help="it says that its link is a slow one")
    ap.add_argument("--moods", help="a folder in which it notes what it is asked, and finds what becomes of it")
    a = ap.parse_args()
    client.start(a.config)
    node = Node(RNS.Identity(), codec.SecpKey(), a.name)
    node.busy, node.moods, node.slow = a.busy, a.moods, a.slow
    if a.air:
        node.air = {"bitrate": 1000, "loss": 0, "rtt_ms": 900, "kib_ms": 9000, "kib16_ms": 150000, "max_s": 600}
    node.announce()
    print("READY", node.dest.hash.hex(), node.key.urn("device"), flush=True)
    while True:
        quiet(20, "the time between two announces")
        node.announce()


if __name__ == "__main__":
    sys.exit(main())
