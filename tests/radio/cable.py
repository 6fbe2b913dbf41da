# SPDX-License-Identifier: BSD-2-Clause
"""A plain serial line between two ports: so many bytes a second each way."""

import random

from .channel import note_of
from .kiss import HdlcReader

STEP_S = 0.02  # bytes are carried in pieces of so long
WAITING = 4096  # bytes that a tty takes before its writer has to wait


class End:
    """One end; a port carries it. hold(bool), set by the port if it can, makes
    its host wait."""

    def __init__(self, cable, name):
        self.cable, self.name = cable, name
        self.other = None
        self.write = lambda data: None
        self.hold = lambda held: None
        self.waiting = bytearray()
        self.busy = False
        self.carried = 0
        self.onlooker = HdlcReader(1 << 17)

    def powered(self):
        self.waiting.clear()
        self.hold(False)

    def feed(self, data):
        self.waiting += data
        if len(self.waiting) > WAITING:
            self.hold(True)
        if not self.busy:
            self._carry()

    def _carry(self):
        self.busy = bool(self.waiting)
        if not self.busy:
            return
        n = min(len(self.waiting), max(1, int(self.cable.rate * STEP_S)))
        piece = bytes(self.waiting[:n])
        del self.waiting[:n]
        if len(self.waiting) <= WAITING:
            self.hold(False)
        self.cable.clock.after(n / self.cable.rate, self._there, piece)

    def _there(self, piece):
        self.carried += len(piece)
        self.cable.log(self, piece)
        arrives = self.cable.spoil(piece)
        if arrives:
            self.other.write(arrives)
        self._carry()


class Cable:
    """rate: bytes a second. loss, noise: chance of a byte to vanish, and to
    have a wrong bit. windows: channel.Windows in which it carries at all."""

    def __init__(self, air, names, rate=960, loss=0.0, noise=0.0, windows=None, seed=0):
        self.air, self.clock, self.rate = air, air.clock, rate
        self.loss, self.noise, self.windows = loss, noise, windows
        self.random = random.Random(seed)
        self.ends = End(self, names[0]), End(self, names[1])
        self.ends[0].other, self.ends[1].other = self.ends[1], self.ends[0]
        self.channel = ("line", *names)

    def spoil(self, piece):
        if self.windows and not self.windows.open(self.clock.now):
            return b""
        if not self.loss and not self.noise:
            return piece
        out = bytearray()
        for byte in piece:
            if self.random.random() >= self.loss:
                out.append(byte ^ 1 << self.random.randrange(8) if self.random.random() < self.noise else byte)
        return bytes(out)

    def log(self, end, piece):
        """Frames as they were sent, whatever arrived of them."""
        for data in end.onlooker.feed(piece):
            size = len(data) + 2 + data.count(b"\x7e") + data.count(b"\x7d")
            self.air.note(end.name, self.channel, size, self.clock.now - size / self.rate, size / self.rate,
                          heard=[end.other.name], **note_of(self.air, data))
