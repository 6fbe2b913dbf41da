# SPDX-License-Identifier: BSD-2-Clause
"""Behaviour contracts (klp.md 6): what is refused, and a hostile job for each row of 6.3 that is enforced."""

import base64
import json

from . import codec
from .more import Bench, changed, volume

# every file that a job of the image reads to start
BASE = ["/bin/**", "/lib/**", "/lib64/**", "/usr/**", "/etc/**"]


class Bound:
    """Jobs under a contract of the client's own key."""

    def __init__(self, c, d, image):
        self.b = Bench(c, d, image)
        self.c = c
        self.digest = dict(map(tuple, d["images"]))[image]

    def offer(self, envelope, text="true", volumes=(), **kw):
        payload, blobs = self.b.payload(text, volumes, **kw)
        payload = changed(payload, behavior_contract={"sha256": codec.sha256(envelope).hex(), "size": len(envelope)})
        blobs[codec.sha256(envelope)] = envelope
        return self.c.submit(payload, blobs)["id"]

    def ends(self, text, volumes=(), limits=None, **contract):
        """(state, reason, outcome) and the job's standard output."""
        job = self.offer(codec.contract(self.c.key, self.digest, **contract), text, volumes,
                         limits=limits or {})
        s = self.c.wait(job)
        out = self.c.log(job, 1).decode(errors="replace") if s["state"] == "done" else ""
        return s["state"], s["reason"], s["outcome"], out, job

    def refused(self, why, text="true", volumes=(), envelope=None, limits=None, **contract):
        envelope = envelope or codec.contract(self.c.key, self.digest, **contract)
        s = self.c.wait(self.offer(envelope, text, volumes, limits=limits or {}))
        ok = s["state"] == "refused" and s["reason"].startswith(why)
        if not ok:
            print("#", why, "but", s["state"], s["reason"], flush=True)
        return ok


def contracts(c, d, image):
    x = Bound(c, d, image)
    # ---- what does not hold ----
    good = codec.contract(c.key, x.digest)
    for name, why, kw in (
            ("another image", "contract: it is for another image", {"envelope": codec.contract(c.key, bytes(32))}),
            ("a stranger's", "contract: signature", {"envelope": codec.contract(codec.SecpKey(), x.digest)}),
            ("damaged", "contract: ", {"envelope": good.replace(b'"sig":"', b'"sig":"AAAA', 1)}),
            ("no envelope", "contract: envelope", {"envelope": b"{}"}),
            ("of another type", "contract: signature", {"envelope": codec.envelope_json(
                codec.T_MANIFEST, base64.b64decode(json.loads(good)["payload"]), c.key)}),
            ("expired", "contract: expired", {"expires": 1700000000, "issued": 1690000000}),
            ("of the future", "contract: issued", {"issued": 4000000000, "expires": 4000000100}),
            ("without an end", "contract: expires", {"expires": None}),
            ("an unknown rule", "contract: on_violation", {"on_violation": {"disk.writes": "kill"}}),
            ("an unknown action", "contract: on_violation", {"on_violation": {"default": "ignore"}}),
            ("an unknown member", "contract: memory", {"memory": {"maximum": 5}}),
            ("a crit", "contract: crit", {"crit": ["x"]}),
            ("APIs without a broker", "contract: external_apis", {"external_apis": [{"id": "a"}]}),
            ("a pattern across folders", "contract: disk.read", {"disk": {"read": ["/a/**/b"]}}),
            ("a path upward", "contract: disk.read", {"disk": {"read": ["/a/../b"]}}),
            ("an unknown call", "contract: syscalls.deny", {"syscalls": {"deny": ["opensesame"]}}),
            ("an unknown profile", "contract: syscalls.profile", {"syscalls": {"profile": "nobodys"}}),
            ("limits of no volume", "contract: disk.write", {"disk": {"write": [{"path": "/a/**", "max_bytes": 5}]}})):
        yield "refused: " + name, x.refused(why, **kw)
    yield "refused: more memory than it says", x.refused("limits: memory", limits={"memory": 32 << 20},
                                                         memory={"max": 16 << 20})
    yield "refused: more processes than it says", x.refused("limits: pids", limits={"pids": 9}, memory={"max_pids": 8})
    # ---- claims only lower ----
    _, _, outcome, out, _ = x.ends("cat /bin/busybox > /dev/null; echo fine")
    yield "one that says nothing changes nothing", outcome == ["exited", 0] and out == "fine\n"
    s = x.ends("dd if=/dev/zero of=/dev/null bs=20M count=1; echo survived", memory={"max": 8 << 20})
    yield "memory.max", s[2] == ["killed", "memory"], s
    # ---- memory, pids ----
    bomb = "i=0; while [ $i -lt 30 ]; do sleep 5 & i=$((i+1)); done; sleep 5; echo on"
    s = x.ends(bomb, memory={"max_pids": 8}, on_violation={"memory.max_pids": "kill"})
    yield "max_pids: kill", s[2] == ["killed", "pids"], s
    s = x.ends("(sleep 1 & sleep 1 & sleep 1 & sleep 1 & sleep 1 & sleep 1 & sleep 1 & sleep 1 &) ; true; echo on",
               memory={"max_pids": 6}, on_violation={"memory.max_pids": "deny"})
    yield "max_pids: deny", s[2][0] == "exited", s
    # ---- cpu ----
    s = x.ends("while :; do :; done", cpu={"max_seconds": 1, "milli": 500})
    yield "cpu.max_seconds", s[2] == ["killed", "violation:cpu.max_seconds"], s
    r = codec.receipt_open(c.result(s[4])["r"], c.node_key)
    yield "the receipt has the rule's number", (r["outcome"], r["code"]) == (2, 6 + 256 * 13), r
    s = x.ends("while :; do :; done", cpu={"burst_seconds": 1, "milli": 200})
    yield "cpu.burst_seconds", s[2] == ["killed", "violation:cpu.burst_seconds"], s
    # ---- system calls ----
    s = x.ends("mkdir /tmp/a || echo denied", syscalls={"deny": ["mkdir", "mkdirat"]}, on_violation={"default": "deny"})
    yield "syscalls.deny: deny", s[2] == ["exited", 0] and s[3] == "denied\n", s
    s = x.ends("exec mkdir /tmp/a", syscalls={"deny": ["mkdir", "mkdirat"]})
    yield "syscalls.deny: kill", s[2] == ["killed", "violation:syscalls"], s
    # ---- paths ----
    tmp = [("/agent/tmp", "rw", volume(b"input")), ("/agent/data", "ro", volume(b"data"))]
    deny = {"default": "deny"}  # a node with probes would end what is denied
    disk = {"read": BASE + ["/agent/data/**", "/agent/tmp/**"], "write": [{"path": "/agent/tmp/**"}], "exec": BASE}
    s = x.ends("cat /agent/data/f; echo x > /agent/tmp/x && cat /agent/tmp/x; ls /tmp > /dev/null 2>&1 || echo unread;"
               " echo y 2>/dev/null > /tmp/y || echo unwritten", tmp, disk=disk, on_violation=deny)
    yield "disk.read and disk.write", s[2] == ["exited", 0] and s[3] == "datax\nunread\nunwritten\n", s
    s = x.ends("cp /bin/busybox /agent/tmp/sh; chmod 755 /agent/tmp/sh; /agent/tmp/sh echo ran || echo forbidden", tmp,
               disk=disk, on_violation=deny)
    yield "disk.exec", s[2] == ["exited", 0] and s[3] == "forbidden\n", s
    s = x.ends("cat /agent/data/f || echo unread", tmp, disk={"read": BASE})
    yield "a volume that is not to be read", s[3] == "unread\n", s
    s = x.ends("cat /bin/../bin/busybox > /dev/null && echo read; cat /proc/self/root/agent/data/f || echo unread", tmp,
               disk={"read": BASE + ["/proc/**"]})
    yield "nor by another name", s[3] == "read\nunread\n", s
    # ---- volumes ----
    disk = {"write": [{"path": "/agent/tmp/**", "max_bytes": 65536, "max_files": 5}]}
    s = x.ends("dd if=/dev/zero of=/agent/tmp/x bs=1024 count=200 2>/dev/null || echo full", tmp, disk=disk)
    yield "max_bytes", s[2][0] == "exited" and s[3] == "full\n", s
    s = x.ends("cd /agent/tmp; for i in 1 2 3 4 5 6 7 8; do touch $i || break; done 2>/dev/null; ls | wc -l", tmp, disk=disk)
    yield "max_files", s[2][0] == "exited" and s[3].strip() == "5", s
    disk = {"write": [{"path": "/tmp/**", "max_files": 3}]}
    s = x.ends("cd /tmp; for i in 1 2 3 4 5 6; do touch $i || break; done 2>/dev/null; ls | wc -l", disk=disk)
    yield "max_files of /tmp", s[3].strip() == "3", s
    # ---- executable memory ----
    s = x.ends("cp /bin/busybox /tmp/b; chmod 755 /tmp/b; /tmp/b echo ran || echo forbidden",
               memory={"anonymous_exec": False}, on_violation={"default": "deny"})
    yield "anonymous_exec: /tmp is not executable", s[2] == ["exited", 0] and s[3] == "forbidden\n", s
    # ---- what is only told ----
    s = x.ends("echo told", disk={"max_write_rate": 1000, "max_read_bytes": 1}, memory={"typical": 4096})
    yield "what nobody keeps here is told and not refused", s[2] == ["exited", 0], s
