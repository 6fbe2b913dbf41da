# SPDX-License-Identifier: BSD-2-Clause
"""Serial ports out of pseudo-terminals: two ends of a cable, each under a name
of its own as udev makes them, that can be pulled out and plugged in again."""

import os
import select
import threading
import tty

CHUNK = 65536


class Port:
    """One end: what is written to its path comes to read(), and the other way round."""

    def __init__(self, path):
        self.path = path
        self.master = self.slave = -1
        self.plug()

    def plug(self):
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        os.chmod(os.ttyname(self.slave), 0o666)
        new = self.path + ".new"
        os.symlink(os.ttyname(self.slave), new)
        os.rename(new, self.path)

    def unplug(self):
        if self.master < 0:
            return
        os.unlink(self.path)
        master, slave, self.master, self.slave = self.master, self.slave, -1, -1
        os.close(master)
        os.close(slave)

    def read(self, wait=0.0):
        if not select.select([self.master], [], [], wait)[0]:
            return b""
        try:
            return os.read(self.master, CHUNK)
        except (BlockingIOError, OSError):
            return b""

    def write(self, data, wait=0.0):
        """How much of it the line took."""
        done = 0
        while done < len(data):
            try:
                done += os.write(self.master, data[done:done + 4096])
            except BlockingIOError:
                if not select.select([], [self.master], [], wait)[1]:
                    break
        return done


class Cable:
    """Two ports, what is written to one comes out of the other."""

    def __init__(self, folder, name):
        self.ends = [Port(os.path.join(folder, f"{name}-{i}")) for i in "ab"]
        self.paths = [e.path for e in self.ends]
        self.lock = threading.Lock()
        self.over = False
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    def _carry(self):
        while not self.over:
            with self.lock:
                fds = {e.master: k for k, e in enumerate(self.ends) if e.master >= 0}
                ready = select.select(list(fds), [], [], 0.002)[0]
                for fd in ready:
                    to = self.ends[1 - fds[fd]]
                    data = self.ends[fds[fd]].read()
                    if to.master >= 0:
                        to.write(data, 0.2)

    def unplug(self, k):
        with self.lock:
            self.ends[k].unplug()

    def plug(self, k):
        with self.lock:
            self.ends[k].plug()

    def close(self):
        self.over = True
        self.thread.join()
        for e in self.ends:
            e.unplug()
