# SPDX-License-Identifier: BSD-2-Clause
"""Images on a file system with fs-verity, and on one without: the kernel keeps
the digests of the first one's files, and nothing of them is read in a pass;
either way a file that is another is found, and its image not run."""
import fcntl
import glob
import json
import os
import subprocess
import sys
import tempfile

from lib import USER, done, result, until
from libjob import Burrow

build = os.path.abspath(sys.argv[1])
DISK, AT = "/dev/vda", "/dev/shm/disk"
MEASURE = 0xc0046686  # FS_IOC_MEASURE_VERITY


def mounted(features):
    subprocess.run(["mkfs.ext4", "-q", "-F", "-O", features, DISK],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["mount", "-t", "ext4", DISK, AT], check=True)
    os.chmod(AT, 0o1777)
    tempfile.tempdir = AT


def is_kept(path):
    # algorithm and size, then the digest
    room = bytearray(b"\0\0" + (64).to_bytes(2, "little") + bytes(64))
    with open(path, "rb") as f:
        try:
            fcntl.ioctl(f, MEASURE, room)
        except OSError:
            return False
    return room[0] == 1


def check(node):
    rc, out, err = node.warren("audit", "check", "--json", seconds=200)
    try:
        return rc, json.loads(out)
    except ValueError:
        return rc, {"why": out + err}


def files_of(node):
    roots = glob.glob(os.path.join(node.dir, "warren/images/roots/*"))
    return [os.path.join(at, name) for at, _, names in os.walk(roots[0])
            for name in names
            if not os.path.islink(os.path.join(at, name))]


def one(name, features, kept, user):
    mounted(features)
    node = Burrow(build, "verity", user)
    try:
        if not node.up(240):
            result(name + ": start", False, "%s %s" % (node.problem,
                                                       node.said()[-2000:]))
            return
        files = files_of(node)
        result(name + ": each file of the image is kept, or none",
               files and {is_kept(f) for f in files} == {kept}, str(files))
        result(name + ": with the modes of the others",
               {os.stat(f).st_mode & 0o777 for f in files} <= {0o444, 0o555},
               str([oct(os.stat(f).st_mode) for f in files]))
        rc, said = check(node)
        result(name + ": a pass finds nothing, and says how many are kept",
               rc == 0 and (said.get("kept", 0) >= len(files)) is kept and
               said.get("files", 0) > said.get("kept", 0), str(said))
        rc, out, err = node.warren("audit", "check", seconds=200)
        result(name + ": as people read it", rc == 0 and "kept by fs-verity"
               in err and ("(0 kept" in err) is not kept, err)
        rc, last, s = node.run_job("echo fine", seconds=200)
        result(name + ": its jobs run", rc == 0, str(s))
        changed(name, node, kept)
    finally:
        node.stop()
        node.remove()


def changed(name, node, kept):
    box = [f for f in files_of(node) if f.endswith("bin/busybox")][0]
    mode = os.stat(box).st_mode
    os.chmod(box, mode | 0o200)
    try:
        with open(box, "r+b") as f:
            f.seek(100)
            f.write(b"x")
        wrote = True
    except OSError:
        wrote = False
    os.chmod(box, mode)
    result(name + ": its bytes can be changed, or not", wrote is not kept)
    if kept:  # another file in its place
        with open(box, "rb") as f:
            data = bytearray(f.read())
        st = os.stat(box)
        data[100] ^= 1
        os.unlink(box)
        with open(box, "wb") as f:
            f.write(data)
        os.chmod(box, mode)
        os.chown(box, st.st_uid, st.st_gid)
        os.utime(box, ns=(st.st_atime_ns, st.st_mtime_ns))
    rc, said = check(node)
    result(name + ": it is found", rc == 1 and any(
        "bin/busybox" in f["why"] for f in said.get("found", [])), str(said))
    rc, last, s = node.run_job("echo fine", seconds=200)
    result(name + ": its jobs do not run", rc != 0 and "image" in str(s),
           str(s))


CASES = [("fs-verity", "verity", True, None),
         ("fs-verity, as a user", "verity", True, USER),
         ("no fs-verity", "^verity", False, None)]
if len(sys.argv) > 2:
    one(*CASES[int(sys.argv[2])])
    done()
os.makedirs(AT, exist_ok=True)
for i in range(len(CASES)):
    # a process of its own: it has files open on the disk until its end
    r = subprocess.run([sys.executable, __file__, build, str(i)], check=False)
    until(lambda: subprocess.run(
        ["umount", AT], stderr=subprocess.DEVNULL,
        check=False).returncode == 0, "the disk to be free", 60)
    if r.returncode != 0:
        sys.exit(r.returncode)
