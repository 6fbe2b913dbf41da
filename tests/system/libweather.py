# SPDX-License-Identifier: BSD-2-Clause
"""A node in weather of its own: a disk that becomes read-only or fails at the
act that a test wants, and a clock that is set. See weather.c."""
import errno
import glob
import mmap
import os
import struct
import subprocess

from libjob import Burrow, free_port, server

HERE = os.path.dirname(os.path.abspath(__file__))
# the folder on a disk of its own, and what stands between all programs and
# their C library
AROUND = ("mkdir -m 700 $1.new && mount -t tmpfs -o mode=700 none $1.new && "
          "cp -a $1/. $1.new/ && mount --move $1.new $1 && "
          "mount -t overlay -o lowerdir=$2:/etc none /etc && "
          "shift 2 && exec \"$@\"")


class Weathered(Burrow):
    """A Burrow in weather of its own."""

    def __init__(self, build, name, more="limits: {jobs_running: 1}\n"):
        self.apart = False
        self.near, self.far = free_port(), free_port()
        super().__init__(build, name, None, server("near", self.near) +
                         server("far", self.far), relay=True,
                         more=more)
        self.etc = os.path.join(self.top, "etc")
        os.mkdir(self.etc)
        page = os.path.join(self.top, "weather")
        with open(page, "wb") as f:
            f.write(b"\0" * 4096)
        os.chmod(page, 0o666)  # each program has a number of its own
        with open(page, "r+b") as f:
            self.page = mmap.mmap(f.fileno(), 4096)
        self.made = subprocess.run(
            ["cc", "-O1", "-shared", "-fPIC", "-DWEATHER=\"%s\"" % page, "-o",
             page + ".so", os.path.join(HERE, "weather.c")],
            stdin=subprocess.DEVNULL).returncode == 0
        with open(os.path.join(self.etc, "ld.so.preload"), "w") as f:
            f.write(page + ".so\n")
        self.apart = True

    def command(self, *more):
        plain = super().command(*more)
        if not self.apart or more:
            return plain
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                AROUND, "sh", self.dir, self.etc, *plain]

    def argv(self, *words):
        plain = super().argv(*words)
        if self.process is None:
            return plain
        return ["nsenter", "--mount", "--target", str(self.process.pid),
                *plain]

    def inside(self, *path):
        return os.path.join("/proc/%d/root" % self.process.pid,
                            self.dir.lstrip("/"), *path)

    def set(self, readonly=False, clock_s=0):
        dev = os.stat(self.inside()).st_dev if readonly else 0
        self.page[:48] = struct.pack("Qqqqqq", dev, clock_s, errno.EROFS, 0,
                                     1 << 62, 0)

    def fault(self, error, after=0, acts=1 << 62):
        """The disk fails so many times, behind so many acts that go well."""
        self.page[:48] = struct.pack(
            "Qqqqqq", os.stat(self.inside()).st_dev, 0, error, after, acts, 0)

    def acts(self):
        """How many acts have failed since, and the last of them."""
        failed, = struct.unpack("q", self.page[40:48])
        who, what = (self.page[a:a + 32].split(b"\0")[0].decode()
                     for a in (48, 80))
        return failed, "%s: %s" % (who, what)

    def node(self):
        return self.status().get("node", {})

    def started(self, job):
        """How often it was started, as the trail has it."""
        count = 0
        for path in glob.glob(self.inside("warren/trail/*.jsonl")):
            with open(path, errors="replace") as f:
                count += sum('"job_started"' in x and job in x for x in f)
        return count


