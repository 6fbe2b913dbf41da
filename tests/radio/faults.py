# SPDX-License-Identifier: BSD-2-Clause
"""Devices that do what none should: FAULTS has a line for each."""

import random

from . import rnode
from .kiss import FEND, frame

PIECE_S = 0.01
FULL_RATE = 11520  # bytes a second at 115,200 baud


class Mute:
    """It reads and never answers."""

    def __init__(self, air, name):
        self.air, self.clock, self.name = air, air.clock, name
        self.write = lambda data: None
        self.heard_bytes = 0

    def powered(self):
        pass

    def feed(self, data):
        self.heard_bytes += len(data)


class Noise(Mute):
    """pieces(random, size) at `rate` bytes a second, from the start on."""

    def __init__(self, air, name, pieces, rate=FULL_RATE, seed=0):
        super().__init__(air, name)
        self.random, self.pieces, self.rate = random.Random(seed), pieces, rate
        self.said = 0
        self.since = self.clock.now
        self._more()

    def _more(self):
        size = int((self.clock.now - self.since) * self.rate) - self.said
        if size > 0:
            data = self.pieces(self.random, size)
            self.said += len(data)
            self.write(data)
        self.clock.after(PIECE_S, self._more)


def any_bytes(r, size):
    return r.randbytes(size)


def any_frames(r, size):
    """Well-formed, of any command and any length."""
    out = b""
    while len(out) < size:
        out += frame(r.choice((r.randrange(256), r.choice(COMMANDS))), r.randbytes(r.choice((0, 1, 2, 4, 11, 40))))
    return out


def any_packets(r, size):
    """Data frames with what may look like a packet."""
    out = b""
    while len(out) < size:
        out += frame(rnode.DATA, bytes([r.randrange(128), r.randrange(3)]) + r.randbytes(r.randrange(600)))
    return out


def endless(r, size):
    """One data frame without an end."""
    return bytes([FEND, rnode.DATA]) + b"x" * size if r.random() < 0.01 else b"x" * size


COMMANDS = (rnode.DATA, rnode.FREQUENCY, rnode.BANDWIDTH, rnode.TXPOWER, rnode.SF, rnode.CR, rnode.STATE, rnode.DETECT,
            rnode.READY, rnode.SEL_INT, rnode.STAT_RSSI, rnode.STAT_SNR, rnode.STAT_CHTM, rnode.STAT_PHYPRM,
            rnode.STAT_BAT, rnode.STAT_CSMA, rnode.STAT_TEMP, rnode.FW_VERSION, rnode.PLATFORM, rnode.MCU, rnode.ERROR,
            rnode.RESET, rnode.INTERFACES, rnode.ROM_READ, rnode.FB_READ, rnode.DISP_READ)


class Liar(rnode.Rnode):
    """answers: command -> what it says in place of the truth (None: nothing)."""

    def __init__(self, air, name, answers, **device):
        self.answers = answers
        super().__init__(air, name, **device)

    def answer(self, command, data=b""):
        if command in self.answers:
            if self.answers[command] is None:
                return
            data = self.answers[command]
        super().answer(command, data)

    def say(self, radio, command, data):
        if command in self.answers:
            if self.answers[command] is None:
                return
            data = self.answers[command]
        super().say(radio, command, data)


class Failing(rnode.Rnode):
    """says(device) in place of sending, for each `every`th packet."""

    def __init__(self, air, name, says, every=1, **device):
        self.says, self.every, self.count = says, every, 0
        super().__init__(air, name, **device)

    def command(self, command, body):
        if command == rnode.DATA:
            self.count += 1
            if self.count % self.every == 0:
                self.says(self)
                return
        super().command(command, body)


class Slow(rnode.Rnode):
    """Every byte of its answers by itself, gap_s apart."""

    def __init__(self, air, name, gap_s=0.003, **device):
        self.gap_s, self._late = gap_s, 0.0
        self._line = lambda data: None
        super().__init__(air, name, **device)

    @property
    def write(self):
        return self._trickle

    @write.setter
    def write(self, line):
        self._line = line

    def _trickle(self, data):
        self._late = max(self._late, self.clock.now)
        for i in range(len(data)):
            self._late += self.gap_s
            self.clock.at(self._late, lambda b: self._line(b), data[i:i + 1])


class Stalled(rnode.Rnode):
    """Takes `most` bytes after it is on the air, and no more: hold(True)."""

    def __init__(self, air, name, most=100, **device):
        self.most, self.taken = most, 0
        self.hold = lambda held: None
        super().__init__(air, name, **device)

    def feed(self, data):
        super().feed(data)
        if any(r.on for r in self.radios):
            self.taken += len(data)
            if self.taken > self.most:
                self.hold(True)


def _error(code):
    return lambda d: d.answer(rnode.ERROR, bytes([code]))


def _liar(**answers):
    named = {getattr(rnode, k.upper()): v for k, v in answers.items()}
    return lambda air, name, **kw: Liar(air, name, named, **kw)


def _noise(pieces):
    return lambda air, name, **kw: Noise(air, name, pieces, **kw)


def _failing(says):
    return lambda air, name, **kw: Failing(air, name, says, **kw)


FAULTS = {
    "mute": Mute,
    "bytes": _noise(any_bytes),  # at full rate, as the three that follow
    "frames": _noise(any_frames),
    "packets": _noise(any_packets),
    "endless": _noise(endless),
    "no-detect": _liar(detect=None),
    "wrong-detect": _liar(detect=b"\x47"),
    "short-version": _liar(fw_version=b"\x01"),
    "old": lambda air, name, **kw: rnode.Rnode(air, name, version=(1, 51), **kw),
    "wrong-frequency": _liar(frequency=(433000000).to_bytes(4, "big")),
    "wrong-bandwidth": _liar(bandwidth=(250000).to_bytes(4, "big")),
    "wrong-txpower": _liar(txpower=b"\x01"),
    "wrong-sf": _liar(sf=b"\x0c"),
    "wrong-cr": _liar(cr=b"\x08"),
    "zero-sf": _liar(sf=b"\x00"),  # no radio divides by it
    "zero-bandwidth": _liar(bandwidth=bytes(4)),
    "stays-off": _liar(state=b"\x00"),
    "no-state": _liar(state=None),
    "never-ready": _liar(ready=None),
    **{f"error-{i:02x}": _failing(_error(i)) for i in (1, 2, 3, 4, 5, 6, 0x77)},
    "restarts": _failing(lambda d: d.restart()),
    "slow": Slow,
    "stalled": Stalled,
}
