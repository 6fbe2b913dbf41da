# SPDX-License-Identifier: BSD-2-Clause
"""Behaviour contracts (klp.md 6.3), through a real node: for each row a job
that breaks it and one that looks like it and does not. What ends a job is in
its outcome and receipt, all of it in the trail. With CONTRACT_LONG set more of
each."""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time

import lib
from lib import USER, done, result, skip, until
from libjob import Burrow
from libtrail import receipt, trail

build = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))
LONG = "CONTRACT_LONG" in os.environ
VOLUMES = [("data", "/agent/data", "ro"), ("out", "/agent/tmp", "rw")]
DISK = {"read": ["/bin/**", "/agent/**", "/tmp/**"],
        "write": [{"path": "/agent/tmp/**"}], "exec": ["/bin/**"]}
ON = "; sleep 30"  # what is not ended goes on, and is not like what is
KILL = {"default": "kill"}
# what there is, by a pattern, and what the job makes
LIKE = {"read": ["/bin/**", "/agent/da*/b*g"],
        "write": [{"path": "/agent/tmp/*.log"}], "exec": ["/bin/*box", "/bin/**"]}
DENY = {"default": "deny"}
# which rule, what breaks it, the contract; then the same for who keeps to it
ROWS = [
    ("disk.write", "echo x > /tmp/y" + ON, {"disk": DISK}),
    ("", "echo x > /agent/tmp/y; echo y > /agent/data/../tmp/z; "
     "echo z > /dev/null; (: > /no/such/place) 2> /dev/null; "
     "mkdir -p /agent/tmp/d; cat /agent/data/big > /agent/tmp/copy",
     {"disk": DISK}),
    ("disk.write", "echo x > /agent/tmp/a.txt" + ON, {"disk": LIKE}),
    ("", "echo x > /agent/tmp/a.log; echo y > /agent/tmp/.log; "
     "rm /agent/tmp/a.log; cat /agent/data/big > /dev/null",
     {"disk": LIKE, "on_violation": KILL}),
    ("disk.read", "cat /agent/tmp/keep" + ON,
     {"disk": LIKE, "on_violation": KILL}),
    ("disk.exec", "cp /bin/busybox /agent/tmp/sh; /agent/tmp/sh true" + ON,
     {"disk": DISK}),
    ("disk.read", "cat /etc/secret" + ON,
     {"disk": DISK, "on_violation": KILL}),
    ("", "cat /agent/data/big /bin/busybox > /dev/null; ls /agent /bin; "
     "cat /proc/self/status > /dev/null; head -c 9 /dev/zero; "
     "cat /etc/nothing", {"disk": DISK, "on_violation": KILL}),
    ("disk.read_bytes", "acts read /agent/data/big; cat /agent/data/big "
     "/agent/data/big /agent/data/big > /dev/null", {"disk": {"max_read_bytes": 1 << 20}}),
    ("", "head -c 9000000 /dev/zero | cat > /dev/null; "
     "for i in 1 2 3 4; do acts read /agent/data/big; done; "
     "cat /agent/data/big > /dev/null", {"disk": {"max_read_bytes": 1 << 20}}),
    ("disk.write_rate", "head -c 300000 /dev/zero > /agent/tmp/x" + ON,
     {"disk": {"max_write_rate": 100000}}),
    ("", "for i in 1 2 3; do head -c 30000 /dev/zero > /agent/tmp/x; sleep "
     "0.1; done; head -c 5000000 /dev/zero | cat > /dev/null",
     {"disk": {"max_write_rate": 100000}}),
    ("disk.max_bytes", "head -c 90000 /dev/zero > /agent/tmp/x" + ON,
     {"disk": {"write": [{"path": "/agent/tmp/**", "max_bytes": 65536}]},
      "on_violation": KILL}),
    ("memory.anonymous_exec", "acts map" + ON,
     {"memory": {"anonymous_exec": False}}),
    ("", "acts data; acts read /agent/data/big",
     {"memory": {"anonymous_exec": False}}),
    ("syscalls", "mkdir /agent/tmp/d" + ON,
     {"syscalls": {"deny": ["mkdir", "mkdirat"]}}),
    ("", ": > /agent/tmp/d; kill -0 $$",
     {"syscalls": {"deny": ["mkdir", "mkdirat"]}}),
]
MORE = [
    ("syscalls", "i=0; while [ $i -lt 400 ]; do /bin/true; i=$((i+1)); done; "
     "mkdir /agent/tmp/d" + ON, {"syscalls": {"deny": ["mkdir", "mkdirat"]}}),
    ("disk.write", "i=0; while [ $i -lt 3000 ]; do true > /no/such/$i; "
     "i=$((i+1)); done 2> /dev/null; echo x > /tmp/y" + ON, {"disk": DISK}),
    ("disk.write", "echo x > /tmp/y; exit 0", {"disk": DISK}),
    ("disk.write", "ln -s /tmp/y /agent/tmp/l; echo x > /agent/tmp/l" + ON,
     {"disk": DISK}),
    ("disk.write", "cd /agent/tmp; ln -s ../../tmp d; echo x > d/y" + ON,
     {"disk": DISK}),
    ("disk.read", "ln -s /etc/secret /agent/tmp/l; cat /agent/tmp/l" + ON,
     {"disk": DISK, "on_violation": KILL}),
    ("disk.exec", "ln -s /etc/secret /agent/tmp/l; /agent/tmp/l" + ON,
     {"disk": DISK}),
    ("disk.exec", "cp /bin/acts /agent/tmp/x; acts code /agent/tmp/x" + ON,
     {"disk": DISK}),
    ("", "ln -s /agent/tmp/y /agent/tmp/l; echo x > /agent/tmp/l; "
     "ln -s big /agent/tmp/m; i=0; while [ $i -lt 200 ]; do "
     "ln -s keep /agent/tmp/$i; i=$((i+1)); done; acts code /bin/acts; "
     "chmod 444 /agent/tmp/y; (echo x > /agent/tmp/l) 2> /dev/null",
     {"disk": DISK}),
    ("", "head -c 60000 /dev/zero > /agent/tmp/x; : > /agent/tmp/y",
     {"disk": {"write": [{"path": "/agent/tmp/**", "max_bytes": 65536,
                          "max_files": 4}]}, "on_violation": KILL}),
    ("", "sh -c true; nothing_of_this_name 2> /dev/null; cp /bin/busybox "
     "/agent/tmp/sh; cat /agent/tmp/sh > /dev/null", {"disk": DISK}),
    ("memory.anonymous_exec", "acts memfd" + ON,
     {"memory": {"anonymous_exec": False}}),
    ("disk.max_files", "for i in 1 2 3 4 5 6; do : > /agent/tmp/$i; done" + ON,
     {"disk": {"write": [{"path": "/agent/tmp/**", "max_files": 4}]},
      "on_violation": KILL}),
    ("disk.write_rate", "cp /agent/data/big /agent/tmp/x",
     {"disk": {"max_write_rate": 100000}}),
    ("disk.read_bytes", "for i in 1 2 3 4; do cat /agent/data/big; done "
     "> /dev/null" + ON, {"disk": {"max_read_bytes": 1 << 20}}),
    ("disk.write", "mkdir /tmp/d" + ON, {"disk": DISK}),
    ("disk.write", "cd /; echo x > tmp/y" + ON, {"disk": DISK}),
    ("disk.write", "cd /agent/tmp; echo x > ../../tmp/y" + ON, {"disk": DISK}),
    ("disk.write", "echo x > /proc/self/root/tmp/y" + ON, {"disk": DISK}),
    ("disk.write", "echo x > /bin/y" + ON, {"disk": DISK}),
    ("disk.write", "rm /etc/secret" + ON, {"disk": DISK}),
    ("disk.write", "mv /agent/tmp/keep /tmp/y" + ON, {"disk": DISK}),
    ("disk.exec", "cd /agent/tmp; cp /bin/busybox sh; ./sh true" + ON,
     {"disk": DISK}),
    ("disk.exec", "/etc/secret" + ON, {"disk": DISK}),
    ("disk.read", "cat < /etc/secret" + ON,
     {"disk": DISK, "on_violation": KILL}),
    ("disk.read", "ls /etc" + ON, {"disk": DISK, "on_violation": KILL}),
    ("disk.read_bytes", "i=0; while [ $i -lt 40 ]; do head -c 60000 "
     "/agent/data/big; i=$((i+1)); done > /dev/null" + ON,
     {"disk": {"max_read_bytes": 1 << 20}}),
    ("disk.write_rate", "cp /agent/data/big /agent/tmp/x; acts write "
     "/agent/tmp/x" + ON, {"disk": {"max_write_rate": 400000}}),
    ("memory.anonymous_exec", "acts protect" + ON,
     {"memory": {"anonymous_exec": False}}),
    ("syscalls", "(mkdir /agent/tmp/d) & wait" + ON,
     {"syscalls": {"deny": ["mkdir", "mkdirat"]}}),
]


class Bound(Burrow):
    """A node whose image has acts, a file to be read by nobody, and data."""

    def _rootfs(self):
        root = super()._rootfs()
        os.mkdir(os.path.join(root, "etc"))
        with open(os.path.join(root, "etc/secret"), "w") as f:
            f.write("#!/bin/sh\necho secret\n")
        os.chmod(os.path.join(root, "etc/secret"), 0o755)
        for c in ("cp", "mv", "rm", "ln", "chmod"):
            os.symlink("busybox", os.path.join(root, "bin", c))
        subprocess.run(["cc", "-O1", "-static", "-o",
                        os.path.join(root, "bin/acts"),
                        os.path.join(HERE, "acts.c")], check=True)
        return root

    def prepare(self):
        rc, out, err = self.warren("image", "list", "--json")
        self.digest = json.loads(out)["images"][0]["digest"]
        self.lock = threading.Lock()

    def bound_job(self, command, contract, module=None, **more):
        """A job under that contract, submitted; command: of a module, words."""
        with self.lock:
            path = self.job_file(command, volumes=VOLUMES, **more,
                                 behavior_contract="contract.json")
            image = self.digest if ":" in self.digest else \
                "sha256:" + self.digest
            if module is not None:
                with open(path) as f:
                    lines = [w for w in f.read().splitlines()
                             if not w.startswith(("image:", "command:"))]
                with open(path, "w") as f:
                    f.write("\n".join(lines + [
                        "wasm: {module: %s, files: folders}" % module,
                        "command: " + json.dumps(command)]) + "\n")
                with open(module, "rb") as f:
                    image = "sha256:" + hashlib.sha256(f.read()).hexdigest()
            folder = os.path.dirname(path)
            for name in ("data/big", "out/keep"):
                with open(os.path.join(folder, name), "wb") as f:
                    f.write(bytes(300000 if name[0] == "d" else 1))
            fp = self.me["urn"].split(":")[-1]
            now = int(time.time())
            plain = os.path.join(folder, "plain.json")
            with open(plain, "w") as f:
                json.dump({"_type": "klp.behavior-contract", "version": 1,
                           "agent": "urn:klp:kindai:agent:" + fp,
                           "image": image, "issued": now - 60,
                           "expires": now + 86400, **contract}, f)
        rc, out, err = self.warren("klp", "sign", plain, "--identity",
                                   self.person, "-o",
                                   os.path.join(folder, "contract.json"),
                                   config=False)
        if rc != 0:
            result("klp sign", False, err)
        return self.submit(path)


def violations(node, s):
    return [(code, text) for kind, code, text, _ in trail(node, s.id())
            if kind == "violation"]


def row(node, rule, command, contract):
    name = "%s: %s" % (rule or "quiet", command.replace(ON, "")[:60])
    s = node.bound_job(command, contract)
    rc, last = s.end()
    said = violations(node, s)
    why = "%s %s %s %s" % (last.get("outcome"), said, node.output(s), s)
    if rule == "":
        result(name, last.get("state") == "done" and
               last["outcome"][0] == "exited" and not said, why)
        return
    result(name, last.get("outcome") == ["killed", "violation:" + rule] and
           (rule, "killed") in [(c, t[:6]) for c, t in said], why)


def at_once(tasks):
    """A few at a time: most of a job's time is waiting."""
    threads = []

    def work():
        while True:
            try:
                fn, *args = tasks.pop(0)
            except IndexError:
                return
            fn(*args)
    for _ in range(5):
        threads.append(threading.Thread(target=work))
        threads[-1].start()
    for t in threads:
        t.join()


# what is denied or noted ends nothing, and is told once
GOES_ON = [
    ("disk.read", "cat /etc/secret || echo refused; ls /etc; true",
     {"disk": DISK}, "denied", "refused\n"),
    ("disk.write", "(echo x > /tmp/y) 2> /dev/null || echo refused",
     {"disk": DISK, "on_violation": DENY}, "denied", "refused\n"),
    ("syscalls", "mkdir /agent/tmp/d 2> /dev/null || echo refused",
     {"syscalls": {"deny": ["mkdir", "mkdirat"]},
      "on_violation": DENY}, "denied", "refused\n"),
    ("memory.anonymous_exec", "acts map; acts protect; true",
     {"memory": {"anonymous_exec": False}, "on_violation": DENY},
     "denied", "Operation not permitted\n" * 2),
    ("disk.max_bytes", "head -c 90000 /dev/zero 2> /dev/null > "
     "/agent/tmp/x || echo full",
     {"disk": {"write": [{"path": "/agent/tmp/**",
                          "max_bytes": 65536}]}}, "denied", "full\n"),
    ("disk.read_bytes", "cat /agent/data/big > /dev/null; echo read",
     {"disk": {"max_read_bytes": 1000},
      "on_violation": {"disk.read_bytes": "note"}}, "noted", "read\n"),
]


def goes_on(node, rule, command, contract, did, says):
    s = node.bound_job(command, contract)
    rc, last = s.end()
    said = violations(node, s)
    result("%s is %s, and it goes on" % (rule, did), rc == 0 and
           node.output(s) == says and [c for c, _ in said] == [rule] and
           said[0][1].startswith(did),
           "%s %s %s" % (said, node.output(s), s))


def module(node):
    """Its contract names what it reads and runs, and not who runs it."""
    if not os.path.exists(os.path.join(build, "warren-wasm")):
        skip("a module under a contract", "this build runs no modules")
        return
    acts = os.path.join(HERE, "../wasm/acts.wasm")
    within = {"disk": {"read": ["/agent/data/**"], "write": [],
                       "exec": ["/bin/**"]}, "on_violation": KILL}
    s = node.bound_job(["acts", "list", "/agent/data"], within, module=acts)
    rc, last = s.end()
    result("a module runs under a contract on files", rc == 0 and
           "big" in node.output(s) and not violations(node, s),
           "%s %s %s" % (violations(node, s), node.output(s), s))
    s = node.bound_job(["acts", "cat", "/agent/tmp/keep"], within, module=acts)
    rc, last = s.end()
    result("... and breaks it as others do", last.get("outcome") ==
           ["killed", "violation:disk.read"], "%s %s" % (node.output(s), s))


def slowed(node):
    s = node.bound_job("head -c 170000 /dev/zero > /agent/tmp/x; sleep 0.2; "
                       "echo y > /agent/tmp/y; echo over",
                       {"disk": {"max_write_rate": 100000},
                        "on_violation": {"disk.write_rate": "throttle"}})
    rc, last = s.end()
    said = violations(node, s)
    wall = last.get("usage", {}).get("wall_ms", 0)
    result("throttle: it goes on, and no faster than it may",
           rc == 0 and node.output(s) == "over\n" and wall > 1000 and
           [c for c, _ in said] == ["disk.write_rate"] and
           said[0][1].startswith("throttled"), "%s %s %s" % (wall, said, s))


def stopped(node):
    s = node.bound_job("acts map" + ON, {
        "memory": {"anonymous_exec": False},
        "on_violation": {"memory.anonymous_exec": "freeze"}})
    s.reached("running")
    stands = until(lambda: any(kind == "job_frozen" and "anonymous" in text
                               for kind, _, text, _ in trail(node, s.id())),
                   "a job that its contract stops")
    result("freeze: it stands still, and the trail says why", stands, str(s))
    rc, out, err = node.warren("explain", s.id())
    result("freeze: explain says for what", "stands still: it has broken "
           "memory.anonymous_exec, and goes on in" in out, out + err)
    node.warren("cancel", s.id())
    s.end()


def written(node):
    """Receipt, trail, points, explain."""
    s = node.bound_job("echo x > /tmp/y" + ON, {"disk": DISK})
    s.end()
    r = receipt(node, s)
    result("the receipt has the rule's number", r.get("code") == 6 + 256 * 4 and
           "bpf" in r.get("layers", []), str(r))
    rc, out, err = node.warren("explain", s.id())
    result("explain has rule, act and what was observed",
           "disk.write" in out and "openat /tmp/y: EACCES" in out and
           "klp.observed" in out, out + err)
    result("it counts against who sent it", any(
        kind == "penalty" for kind, _, _, _ in trail(node, s.id())), out)
    result("outputs are withheld", not os.path.exists(os.path.join(
        s.folder, "volumes/agent/tmp")), str(os.listdir(s.folder)))


def observed(node):
    sums = []
    for _ in range(2):
        s = node.bound_job("cat /agent/data/big > /agent/tmp/copy; true", {})
        s.end()
        said = [(code, text) for kind, code, text, _ in trail(node, s.id())
                if kind == "job_observed"]
        sums.append(json.loads(said[0][1]) if len(said) == 1 else {})
    a, b = sums
    result("observed: bytes, files and calls", a.get("whole") and
           300000 <= a["read_bytes"] < 310000 and
           300000 <= a["written_bytes"] < 310000 and
           a["files"]["written"] == 1 and a["files"]["run"] == 1 and
           a["processes"] == 2 and a["calls"]["count"] > 5, str(sums))
    result("observed: the same job has the same sets", a and
           a["calls"]["set"] == b["calls"]["set"] and
           a["files"]["set"] == b["files"]["set"], str(sums))
    digest = subprocess.run(["sha256sum"], input=said[0][1].encode(),
                            stdout=subprocess.PIPE).stdout[:64].decode()
    result("observed: its digest is the record's", said[0][0] == digest,
           str(said))
    s = node.bound_job("dd if=/dev/zero of=/dev/null bs=20M count=1", {
        "memory": {"max": 8 << 20}}, limits={"memory": "8MB"})
    rc, last = s.end()
    result("memory.max: killed(memory), and told", last.get("outcome") ==
           ["killed", "memory"] and [c for c, _ in violations(node, s)] ==
           ["memory.max"], "%s %s" % (violations(node, s), s))


def counted(node):
    """What node counts itself: a burst that is slowed down, forks that stop
    it."""
    s = node.bound_job("while :; do :; done", {
        "cpu": {"milli": 200, "burst_seconds": 1},
        "on_violation": {"cpu.burst_seconds": "throttle"}},
        limits={"cpu": 0.2})
    s.reached("running")
    until(lambda: violations(node, s), "a burst")
    said = violations(node, s)
    rc, out, err = node.warren("explain", s.id())
    result("throttle: a burst is slowed down", said ==
           [("cpu.burst_seconds", "throttled")] and
           "slowed down as its contract says" in out, "%s %s" % (said, out))
    node.warren("cancel", s.id())
    s.end()
    s = node.bound_job("(i=0; while [ $i -lt 30 ]; do sleep 30 & i=$((i+1)); "
                       "done)" + ON, {
                           "memory": {"max_pids": 8},
                           "on_violation": {"memory.max_pids": "freeze"}},
                       limits={"pids": 8})
    stands = until(lambda: any(kind == "job_frozen" and "max_pids" in text
                               for kind, _, text, _ in trail(node, s.id())),
                   "a job that its forks stop")
    result("freeze: so does one with too many processes", stands, str(s))
    node.warren("cancel", s.id())
    s.end()


def audit_falls(node):
    """A contract is kept by the audit that comes after it."""
    s = node.bound_job("while [ ! -e /agent/tmp/on ]; do sleep 0.2; "
                       "i=$((i+1)); [ $i -lt 20 ] || break; done; "
                       "echo x > /tmp/y" + ON, {"disk": DISK})
    s.reached("running")
    os.kill(node.pids()["audit"], 9)
    node.ready(("audit",))
    rc, last = s.end()
    result("audit killed: the next one knows its contract",
           last.get("outcome") == ["killed", "violation:disk.write"], str(s))


def without(user):
    """Without probes what is not kept is named."""
    node = Bound(build, "contract-user", user, more="limits: {jobs_running: 4}\n")
    try:
        if not node.up():
            result("contract, a user", False, node.said()[-900:])
            return
        node.prepare()
        s = node.bound_job("(echo x > /tmp/y) 2> /dev/null || echo refused", {
            "disk": {"max_write_rate": 1000, **DISK}})
        rc, last = s.end()
        said = [text for kind, _, text, _ in trail(node, s.id())
                if kind == "contract"]
        if "no Landlock" in str(s):
            skip("contract, a user", "no Landlock here")
            return
        result("without probes: prevented, and what is not kept is named",
               rc == 0 and node.output(s) == "refused\n" and said and
               "not kept here: disk.write_rate" in said[0] and
               "prevented only: disk.write disk.exec" in said[0],
               "%s %s" % (said, s))
    finally:
        node.stop()
        node.remove()


def root():
    node = Bound(build, "contract", more="limits: {jobs_running: 4}\n")
    try:
        if not node.up():
            result("contract", False, "%s %s" % (node.problem, node.said()))
            return
        if "no job is watched" in node.said():
            skip("contract", "no probes here")
            return
        node.prepare()
        at_once([(fn, node) for fn in (slowed, stopped, observed, written,
                                       module)] +
                [(row, node, *r) for r in ROWS + (MORE if LONG else [])] +
                [(goes_on, node, *r) for r in GOES_ON[:None if LONG else 2]])
        if LONG:
            counted(node)
            audit_falls(node)
    finally:
        if lib.failed:
            print("# " + node.said()[-3000:].replace("\n", "\n# "))
        node.stop()
        node.remove()


if shutil.which("cc") is None:
    skip("contract", "no cc here")
elif os.getuid() == 0:
    root()
    if LONG:
        without(USER)
else:
    without(None)
done()
