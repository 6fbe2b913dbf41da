# SPDX-License-Identifier: BSD-2-Clause
"""SELinux around jobs, on the policy of the distribution with the module of
ours: what it stops with every other layer off, and a node whose jobs have
their label. For a boot with lsm=...,selinux (tests/vm/run)."""
import os
import subprocess
import sys

from lib import done, result, skip
from libroot import PROFILE, Rooted

build = sys.argv[1]
here = os.path.dirname(os.path.abspath(__file__))
ALONE = build + "/tests/escape/lsm_alone"
POLICY = build + "/vm/policy"
FS = "/sys/fs/selinux"
PATIENCE = 240
LOADER = "/lib64/ld-linux-x86-64.so.2"
# what udev would label
NODES = {"null": "null", "zero": "zero", "full": "zero", "random": "random",
         "urandom": "urandom"}


def load():
    with open(POLICY, "rb") as f:
        policy = f.read()
    fd = os.open(FS + "/load", os.O_RDWR)
    os.write(fd, policy)
    os.close(fd)
    for name, kind in NODES.items():
        os.setxattr("/dev/" + name, "security.selinux",
                    b"system_u:object_r:%s_device_t:s0\0" % kind.encode())
    os.setxattr(os.path.realpath(LOADER), "security.selinux",
                b"system_u:object_r:ld_so_t:s0\0")
    enforce("1")
    with open("/proc/self/attr/current") as f:
        return f.read().strip("\0\n")


def enforce(how):
    with open(FS + "/enforce", "w") as f:
        f.write(how)


def alone():
    r = subprocess.run([ALONE, "run", "selinux", "-"], check=False,
                       stdout=subprocess.PIPE)
    for line in r.stdout.decode().splitlines():
        ok, name = line.split(" alone: ", 1)
        result("selinux alone: " + name, ok == "ok selinux", line)


def product():
    node = Rooted(build, "selinux", None, more="require_layers: [lsm]\n")
    try:
        # there is no AppArmor that this could switch off
        node.profile(PROFILE + "apparmor: off\n")
        if not node.up(PATIENCE):
            result("selinux: start", False, "%s %s" % (
                node.problem, node.said()[-2500:]))
            return
        status = node.status().get("node", {})
        result("selinux: posture of the node",
               "lsm" in status.get("layers", ""), str(status))
        rc, last, s = node.run_job("cat /proc/self/attr/current", seconds=200)
        text = node.output(s).strip("\0\n")
        result("selinux: a job has its type and its slot's categories",
               ":warren_job_t:s0:c" in text and
               "lsm" in last.get("layers", []), "%r %s" % (text, s))
        rc, last, s = node.run_job(
            "echo a >/work/b && mkdir /work/c && mv /work/b /work/c/ && "
            "ln /work/c/b /work/d && cat /work/c/b && "
            "echo b >/tmp/x && printf '#!/bin/sh\\necho c\\n' >/work/run && "
            "chmod 755 /work/run && /work/run && rm /work/run && "
            "(sleep 100 & kill $!; wait; true) && "
            "dd if=/dev/zero bs=5 count=1 2>/dev/null | wc -c",
            volumes=[("a", "/work", "rw"), ("b", "/more", "ro")],
            seconds=200)
        result("selinux: a job works as without it",
               node.output(s) == "a\nc\n5\n" and
               last.get("outcome") == ["exited", 0], "%r %s" % (
                   node.output(s), s))
        rc, last, s = node.run_job("echo kernel >/proc/self/attr/current",
                                   seconds=200)
        result("selinux: a job keeps its label",
               last.get("outcome") == ["exited", 1], str(s))
        label, good, last, said = node.writes()
        result("selinux: a root that may be written to is",
               ":warren_job_t:s0:c" in label and good and
               "lsm" in last.get("layers", []), "%r %s" % (label, said))
        out = node.warren(
            "run", "--to", node.who["destination"], "--config", node.dir,
            "--identity", node.person, "--out", node.work + "/out", "--wasm",
            os.path.join(here, "../wasm/acts.wasm"), "--", "exit", "42",
            config=False, seconds=200)
        result("selinux: a module runs", out[0] == 42, str(out))
        enforce("0")
        rc, last, s = node.run_job("echo no", seconds=200)
        enforce("1")
        result("selinux: no claim while it only warns, and required",
               rc != 0 and last.get("outcome") is None and
               "only warns" in str(s), str(s))
        rc, last, s = node.run_job("echo yes", seconds=200)
        result("selinux: and again when it enforces",
               "lsm" in last.get("layers", []), str(s))
    finally:
        node.remove()


def main(then):
    """What is denied is said at the end."""
    subprocess.run(["mount", "-t", "selinuxfs", "none", FS], check=False)
    if not os.path.exists(FS + "/load"):
        skip("selinux", "this kernel has booted without it")
        return
    if not os.path.exists(POLICY):
        skip("selinux", "its policy could not be built")
        return
    result("selinux: the policy is loaded, and enforced",
           load() == "system_u:system_r:kernel_t:s0")
    for f in then:
        f()
    r = subprocess.run(["dmesg"], stdout=subprocess.PIPE, check=False)
    for line in [w for w in r.stdout.decode(errors="replace").splitlines()
                 if "avc:  denied" in w][-40:]:
        print("# " + line[line.index("avc:"):])


if __name__ == "__main__":
    main([alone, product])
    done()
