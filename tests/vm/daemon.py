# SPDX-License-Identifier: BSD-2-Clause
"""Jobs in containers of Docker's daemon on groups of version 2, once with the
daemon's own driver of groups and once, in a boot of its own, with a systemd that
runs: a job's limits, that of the disk among them, are those of its node's groups,
and no group and no unit of any is left."""
import glob
import json
import os
import subprocess
import tempfile

from lib import done, result, skip, until
from libdocker import docker, missing
from runners import Contained, PATIENCE

DISK, AT = "/dev/vda", "/dev/shm/disk"
BOUND = "limits: {io_read: 1MB, io_write: 10MB}\n"
SIZE = 2 << 20
WANT = {"memory", "cpu", "pids", "io", "devices"}


def mounted():
    """Where the node is: no limit holds for what is in memory."""
    os.makedirs(AT, exist_ok=True)
    subprocess.run(["mkfs.ext4", "-q", "-F", DISK], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["mount", "-t", "ext4", DISK, AT], check=True)
    os.chmod(AT, 0o1777)
    tempfile.tempdir = AT


def scopes():
    return glob.glob("/sys/fs/cgroup/**/docker-*.scope", recursive=True)


def reads(node, limits=None):
    """Past the cache, no faster than the node's ceiling, or than it asked."""
    path = node.job_file("dd if=/in/data of=/dev/null bs=64k iflag=direct 2>/dev/null || echo cannot", limits=limits,
                         volumes=[("in", "/in", "ro")])
    with open(os.path.join(os.path.dirname(path), "in/data"), "wb") as f:
        f.write(os.urandom(SIZE))
    s = node.submit(path)
    rc, last = s.end(200)
    return last.get("usage", {}).get("wall_ms", 0), node.output(s), last, s


def bare(node):
    """The same without a ceiling: what the disk gives here, and how long a job takes."""
    for bound in glob.glob("/sys/fs/cgroup/**/warren-*/jobs/io.max", recursive=True):
        with open(bound) as f:
            disk = f.read().split(" ")[0]
        with open(bound, "w") as f:
            f.write(disk + " rbps=max wbps=max")
    return reads(node)


def jobs(driver, d):
    node = Contained("docker", "runner: docker\nrunner_path: %s\n" % d.socket + BOUND, "apparmor: off\n", require=())
    what = "docker, groups by %s" % driver
    try:
        if not node.prepared():
            result(what + ": start", False, "%s %s" % (node.problem, node.said()[-2500:]))
            return
        s = node.submit(node.job_file("echo on; sleep 1000"))
        running = s.reached("running", PATIENCE)
        seen = scopes()
        group = glob.glob("/sys/fs/cgroup/**/warren-*/jobs/*%s*" % (s.id() or "-")[:8], recursive=True)
        result(what + ": the container is in a group of it, the job in the node's", running and group and
               bool(seen) == (driver == "systemd"), "%s %s %s %s" % (seen, group, s, node.said()[-1500:]))
        node.warren("cancel", s.id(), "--to", node.who["destination"], "--identity", node.person, seconds=PATIENCE)
        rc, last = s.end(PATIENCE)
        result(what + ": a cancelled job is dead when that is told", last.get("outcome") == ["killed", "cancelled"], str(s))
        ms, said, last, s = reads(node)
        result(what + ": the limits of its groups are its layers", WANT <= set(last.get("layers", [])), "%s %s" % (s, node.said()[-1500:]))
        if "cannot" in said:
            skip(what + ": two megabytes at one a second", "no reading past the cache here")
        else:
            slow = reads(node, {"io_read": "512kB"})
            result(what + ": two megabytes at half of one a second, as it asked", slow[0] >= 3000 and "io" in slow[2].get("layers", []) and
                   slow[2].get("outcome") == ["exited", 0], "%s %s" % (slow[0], slow[3]))
            free = bare(node)
            result(what + ": two megabytes at one a second, and faster when nothing bounds it", ms >= 1500 and free[0] < 1500 and
                   last.get("outcome") == free[2].get("outcome") == ["exited", 0], "%s %s %s %s" % (ms, free[0], s, free[3]))
        said, last, s = node.act("x=a; while :; do x=$x$x; done", limits={"memory": "16MB"})
        result(what + ": one that takes more memory than it may ends", "memory" in str(last.get("outcome")), str(s))
        name = "warren-" + node.status()["identity"][:8]
        node.end()
        left = glob.glob("/sys/fs/cgroup/**/" + name, recursive=True)
        result(what + ": the node's groups are gone when it has ended, and the containers' are", not left and
               until(lambda: not scopes() and d.containers() == [], "their end", PATIENCE), "%s %s %s" % (left, scopes(), d.containers()))
    finally:
        node.remove()
    if driver == "systemd":
        units = subprocess.run(["systemctl", "list-units", "--all", "--no-legend", "docker-*.scope"], stdout=subprocess.PIPE, check=False)
        result(what + ": no unit is left", units.returncode == 0 and not units.stdout.strip(), units.stdout.decode())


def main():
    driver = "systemd" if os.path.isdir("/run/systemd/system") else "cgroupfs"
    why = missing()
    if why is not None:
        skip("docker, groups by " + driver, why)
        return
    mounted()
    try:
        with docker() as d:
            if not d.up:
                skip("docker, groups by " + driver, "dockerd does not start here: " + d.said())
                return
            said = json.loads(d.get("/info").partition(b" ")[2])
            result("docker: it has its groups made by " + driver, said.get("CgroupDriver") == driver and
                   said.get("CgroupVersion") == "2", str(said.get("CgroupDriver")))
            jobs(driver, d)
    finally:
        tempfile.tempdir = None
        subprocess.run(["umount", AT], check=False)


main()
done()
