# SPDX-License-Identifier: BSD-2-Clause
"""Where a device is plugged in: a pty under a name that stays, or TCP."""

import errno
import fcntl
import os
import select
import selectors
import socket
import struct
import tty

HELD = 65536  # bytes that wait for a host that does not read
LOOK_S = 0.02  # how often to see whether somebody has opened the pty
TCGETS2 = 0x802C542A  # has speeds as numbers, whoever set them, and how
TERMIOS2 = "=IIIIB19sII"


def speed_of(fd):
    """To the device, in baud."""
    return struct.unpack(TERMIOS2, fcntl.ioctl(fd, TCGETS2, bytes(struct.calcsize(TERMIOS2))))[7]


class Pty:
    """device: .feed(bytes), .write, .powered() when it is plugged in. The pty
    stands under `path`, as a symbolic link; unplug() takes both away, plug()
    brings a new one under that path.
    baud: a host that has set another speed is understood as noise."""

    def __init__(self, loop, device, path, baud=None):
        self.loop, self.device, self.path, self.baud = loop, device, path, baud
        self.master = None
        self.opened = False  # by a host
        self.opens = 0
        self.reading = True
        self.out = bytearray()
        self.lost = 0  # bytes for which there was no room, or nobody
        device.write = self.write
        self.plug()

    def plug(self):
        if self.master is not None:
            return
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        self.tty = os.ttyname(slave)
        os.close(slave)
        fresh = f"{self.path}.new"
        if os.path.lexists(fresh):
            os.unlink(fresh)
        os.symlink(self.tty, fresh)
        os.rename(fresh, self.path)
        self.device.powered()
        self._look()

    def unplug(self):
        if self.master is None:
            return
        self.loop.watch(self.master, 0, None)
        os.close(self.master)
        self.master, self.opened = None, False
        self.out.clear()
        if os.path.lexists(self.path):
            os.unlink(self.path)

    close = unplug

    def _look(self):
        """While no host has it open, select() would never rest."""
        if self.master is None or self.opened:
            return
        p = select.poll()
        p.register(self.master, select.POLLIN)
        if any(e & select.POLLHUP for _, e in p.poll(0)):
            self.loop.real(LOOK_S, self._look)
            return
        self.opened = True
        self.opens += 1
        self._watch()

    def _watch(self):
        if self.master is None or not self.opened:
            return
        events = (selectors.EVENT_READ if self.reading else 0) | (selectors.EVENT_WRITE if self.out else 0)
        self.loop.watch(self.master, events, self._ready if events else None)

    def read_on(self, reading):
        """False: a device that has stopped reading."""
        self.reading = reading
        self._watch()

    def _hung_up(self):
        self.loop.watch(self.master, 0, None)
        self.opened = False
        self.out.clear()
        self._look()

    def _ready(self, events):
        if events & selectors.EVENT_WRITE:
            self._flush()
        if self.master is None or not self.opened or not events & selectors.EVENT_READ:
            return
        try:
            data = os.read(self.master, 4096)
        except BlockingIOError:
            return
        except OSError as e:
            if e.errno != errno.EIO:
                raise
            self._hung_up()
            return
        self.device.feed(self._as_heard(data))

    def _as_heard(self, data):
        if self.baud is None:
            return data
        if speed_of(self.master) == self.baud:
            return data
        return bytes((b * 37 + 11) & 0xFF for b in data)

    def write(self, data):
        if self.master is None or not self.opened or len(self.out) + len(data) > HELD:
            self.lost += len(data)
            return
        self.out += data
        self._flush()
        self._watch()

    def _flush(self):
        try:
            while self.out:
                n = os.write(self.master, self.out[:4096])
                del self.out[:n]
        except BlockingIOError:
            pass
        except OSError:
            self.out.clear()
        self._watch()


class Tcp:
    """One host at a time at (address, port); a new one takes the place of the
    old. silence_s: a host that says nothing for so long is dropped."""

    def __init__(self, loop, device, address, port=7633, silence_s=6.0):
        self.loop, self.device, self.silence_s = loop, device, silence_s
        self.listener = socket.create_server((address, port))
        self.listener.setblocking(False)
        self.address = self.listener.getsockname()
        self.sock = None
        self.opens = self.lost = self.timeouts = 0
        self.out = bytearray()
        self._timer = None
        device.write = self.write
        loop.watch(self.listener.fileno(), selectors.EVENT_READ, self._accept)

    def close(self):
        self._drop()
        if self.listener is not None:
            self.loop.watch(self.listener.fileno(), 0, None)
            self.listener.close()
            self.listener = None

    unplug = close

    def _accept(self, _):
        try:
            sock, _ = self.listener.accept()
        except OSError:
            return
        self._drop()
        self.sock = sock
        self.opens += 1
        sock.setblocking(False)
        self._heard()
        self._watch()

    def _heard(self):
        self.loop.cancel(self._timer)
        if self.silence_s:
            self._timer = self.loop.real(self.silence_s, self._silent)

    def _silent(self):
        self.timeouts += 1
        self._drop()

    def _drop(self):
        self.loop.cancel(self._timer)
        self._timer = None
        if self.sock is not None:
            self.loop.watch(self.sock.fileno(), 0, None)
            self.sock.close()
            self.sock = None
        self.out.clear()

    def _watch(self):
        if self.sock is not None:
            self.loop.watch(self.sock.fileno(), selectors.EVENT_READ | (selectors.EVENT_WRITE if self.out else 0),
                            self._ready)

    def _ready(self, events):
        if events & selectors.EVENT_WRITE:
            self._flush()
        if self.sock is None or not events & selectors.EVENT_READ:
            return
        try:
            data = self.sock.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop()
            return
        self._heard()
        self.device.feed(data)

    def write(self, data):
        if self.sock is None or len(self.out) + len(data) > HELD:
            self.lost += len(data)
            return
        self.out += data
        self._flush()

    def _flush(self):
        try:
            while self.out and self.sock is not None:
                n = self.sock.send(self.out)
                del self.out[:n]
        except BlockingIOError:
            pass
        except OSError:
            self._drop()
            return
        self._watch()
