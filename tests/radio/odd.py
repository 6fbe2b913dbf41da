# SPDX-License-Identifier: BSD-2-Clause
"""Devices that are in order and do it in their own way: ODD has a line for
each. What stock Reticulum (1.5.7) makes of them was tried beside ours; those
of STOCK_FAILS never come up there."""

from . import rnode
from .faults import Liar, Slow
from .kiss import FEND, frame
from .rnode import Rnode


def real(clock, seconds):
    """Seconds of the machine's clock, of an ether that is faster."""
    return seconds * getattr(clock, "speed", 1.0)


class Says(Rnode):
    """raw: before each answer to the question what it is; every: again and again after so many seconds."""

    def __init__(self, air, name, raw, every=None, **device):
        self.raw, self.every = raw, every
        super().__init__(air, name, **device)
        if every:
            self._again()

    def _again(self):
        self.write(self.raw)
        self.clock.after(real(self.clock, self.every), self._again)

    def query(self, command, body):
        if command == rnode.DETECT and not self.every:
            self.write(self.raw)
        super().query(command, body)


class Shaped(Rnode):
    """shape(device, command, data) -> the bytes of an answer."""

    def __init__(self, air, name, shape, **device):
        self.shape, self.last = shape, rnode.DATA
        super().__init__(air, name, **device)

    def answer(self, command, data=b""):
        self.write(self.shape(self, command, bytes(data)))
        self.last = command

    def say(self, radio, command, data):
        self.answer(command, data)


class Late(Rnode):
    """late_s behind each question, or those of `only`."""

    def __init__(self, air, name, late_s, only=None, **device):
        self.late_s, self.only = late_s, only
        super().__init__(air, name, **device)

    def _later(self, command, what, *args):
        if self.only is None or command in self.only:
            self.clock.after(real(self.clock, self.late_s), what, *args)
        else:
            what(*args)

    def answer(self, command, data=b""):
        self._later(command, super().answer, command, data)

    def say(self, radio, command, data):
        self._later(command, super().say, radio, command, data)


class Backwards(Rnode):
    """Answers to what came at once in the opposite order."""

    def __init__(self, air, name, **device):
        self._held = None
        super().__init__(air, name, **device)

    def answer(self, command, data=b""):
        if self._held is None:
            super().answer(command, data)
        else:
            self._held.append((command, data))

    def say(self, radio, command, data):
        self.answer(command, data)

    def feed(self, data):
        self._held = []
        super().feed(data)
        held, self._held = self._held, None
        for command, body in reversed(held):
            super().answer(command, body)


class Echo(Rnode):
    """All that the host says comes back first."""

    def feed(self, data):
        self.write(data)
        super().feed(data)


class Signals(Rnode):
    """What it measured is said as it is, also where it should be escaped; or behind its packet."""

    def __init__(self, air, name, behind=False, **device):
        self.behind = behind
        super().__init__(air, name, **device)

    def heard(self, radio, packet, rssi, snr):
        values = b"".join(bytes([FEND, c, v, FEND]) for c in (rnode.STAT_RSSI, rnode.STAT_SNR) for v in (0xC0, 0xDB))
        self.write(b"" if self.behind else values)
        self.say(radio, rnode.DATA, packet)
        self.write(values if self.behind else b"")


class Starts(Rnode):
    """It starts when it is first spoken to, and says when it is there."""

    def __init__(self, air, name, **device):
        self.started = False
        super().__init__(air, name, **device)

    def feed(self, data):
        if self.started:
            super().feed(data)
        else:
            self.started = True
            self.restart()


class Restless(Rnode):
    """It starts once more just after its radio was switched on for the first time."""

    def __init__(self, air, name, **device):
        self.rested = False
        super().__init__(air, name, boot_s=0.1, **device)

    def set_state(self, radio, value):
        super().set_state(radio, value)
        if value == 1 and not self.rested:
            self.rested = True
            self.clock.after(real(self.clock, 0.02), self.restart)


class Eager(Rnode):
    """READY many times, and unasked."""

    def sent(self, radio):
        for _ in range(50):
            super().sent(radio)


def shared(d, command, data):
    """One FEND between frames, as the host does it; a packet has both."""
    return frame(command, data)[0 if rnode.DATA in (command, d.last) else 1:]


def doubled(d, command, data):
    return bytes([FEND] * 3) + frame(command, data) + bytes([FEND] * 2)


def longer(d, command, data):
    """Values that a newer firmware has added to."""
    more = command in (rnode.STAT_CHTM, rnode.STAT_PHYPRM, rnode.STAT_CSMA)
    return frame(command, data + (b"\x01\x02\x03" if more else b""))


def shorter(d, command, data):
    """Those that an older one did not have."""
    return frame(command, data[:{rnode.STAT_CHTM: 8, rnode.STAT_PHYPRM: 10}.get(command, len(data))])


def twice(d, command, data):
    """What it was set to before, then what it is set to now."""
    old = {rnode.FREQUENCY: (433000000).to_bytes(4, "big"), rnode.BANDWIDTH: (250000).to_bytes(4, "big"),
           rnode.SF: b"\x0c", rnode.TXPOWER: b"\x02"}.get(command)
    return (frame(command, old) if old else b"") + frame(command, data)


def off_by(hz):
    def shape(d, command, data):
        if command == rnode.FREQUENCY:
            data = (int.from_bytes(data, "big") + hz).to_bytes(4, "big")
        return frame(command, data)
    return shape


REPORTS = b"".join((
    frame(rnode.STAT_CHTM, bytes(8) + b"\x2f\x2f\xff"), frame(rnode.STAT_PHYPRM, bytes(12)),
    frame(rnode.STAT_CSMA, b"\x01\x00\x0f"), frame(rnode.STAT_BAT, b"\x02\xfa"), frame(rnode.STAT_TEMP, b"\xff"),
    frame(rnode.STAT_RSSI, b"\x50"), frame(rnode.STAT_SNR, b"\xc0")))
UNASKED = b"".join(frame(c, b"\x01\x02\x03\x04") for c in (
    rnode.LOCK, rnode.STAT_RX, rnode.STAT_TX, rnode.RANDOM, rnode.BT_CTRL, rnode.BOARD, rnode.ROM_READ, 0x60, 0xFE))
AGAIN = UNASKED + frame(rnode.DETECT, b"\x46") + frame(rnode.FW_VERSION, b"\x01\x4a") + frame(rnode.STATE, b"\x01")
SCREENS = frame(rnode.FB_READ, bytes(512)) + frame(rnode.DISP_READ, bytes(1024)) + frame(rnode.ROM_READ, bytes(296))
BOOT = b"ets Jul 29 2019\r\nrst:0x1 (POWERON_RESET),boot:0x13\r\nload:0x3fff0030,len:1184\r\n"
OTHER = b"\x7e\x08\x00" + bytes(range(64)) + b"\x7e"  # HDLC
MILD = frame(rnode.ERROR, bytes([rnode.ERR_MEMORY_LOW])) + frame(rnode.ERROR, bytes([rnode.ERR_MODEM_TIMEOUT]))


def _of(kind, *args, **how):
    return lambda air, name, **device: kind(air, name, *args, **how, **device)


def _without(*commands):
    return lambda air, name, **device: Liar(air, name, dict.fromkeys(commands), **device)


ODD = {
    "oldest": _of(Rnode, version=(1, 52)), "newer": _of(Rnode, version=(2, 0)),
    "escaped-version": _of(Rnode, version=(1, 0xC0)),
    "avr": _of(Rnode, platform=rnode.AVR, mcu=0x91), "nrf52": _of(Rnode, platform=rnode.NRF52, mcu=rnode.MCU_NRF52),
    "esp32": Rnode, "unknown-board": _of(Rnode, platform=0xC0, mcu=0xDB),
    "no-board": _without(rnode.PLATFORM, rnode.MCU), "no-frequency": _without(rnode.FREQUENCY),
    "no-coding": _without(rnode.CR), "no-version": _without(rnode.FW_VERSION),
    "byte-by-byte": _of(Slow, gap_s=0.04), "backwards": Backwards, "echo": Echo,
    "late": _of(Late, 0.15), "too-late": _of(Late, 0.7), "late-state": _of(Late, 0.6, (rnode.STATE,)),
    "very-late": _of(Late, 1.9), "starts": Starts, "restless": Restless,
    "reports-first": _of(Says, REPORTS), "unasked-first": _of(Says, UNASKED), "boots": _of(Says, BOOT),
    "hdlc-first": _of(Says, OTHER), "half-value": _of(Says, b"\xc0\x01\x12\x34"), "half-escape": _of(Says, b"\xdb"),
    "full-rate": _of(Says, REPORTS * 6, 0.025), "unasked": _of(Says, AGAIN, 0.2), "screens": _of(Says, SCREENS, 0.5),
    "text": _of(Says, b"[I][radio.cpp:42] a line\r\n", 0.3), "empty": _of(Says, frame(rnode.DATA) * 3, 0.3),
    "mild-errors": _of(Says, MILD, 0.05),
    "above": _of(Shaped, off_by(100)), "below": _of(Shaped, off_by(-100)),
    "twice": _of(Shaped, twice), "shared": _of(Shaped, shared), "doubled": _of(Shaped, doubled),
    "longer": _of(Shaped, longer), "shorter": _of(Shaped, shorter),
    "raw-signals": Signals, "signals-behind": _of(Signals, True), "eager": Eager,
}
STOCK_FAILS = {"byte-by-byte", "too-late", "late-state", "unasked-first", "full-rate", "unasked", "screens", "very-late",
               "restless"}
