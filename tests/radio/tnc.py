# SPDX-License-Identifier: BSD-2-Clause
"""A KISS TNC with a half duplex radio behind it (reticulum-transport.md 10.7):
AFSK at 1,200 bit/s, or any other rate."""

import functools

from .channel import note_of
from .kiss import Reader, frame
from .radio import Persistent

DATA, TXDELAY, P, SLOTTIME, TXTAIL = range(5)
READY = 0x0F
UNITS = 100  # a second
CARRIER_S = 0.02  # until a receiver knows
FLAG_BITS = 8
BUFFER = 8192


@functools.lru_cache(256)
def _shifted(byte):
    for _ in range(8):
        byte = byte >> 1 ^ (0x8408 if byte & 1 else 0)
    return byte


def checksum(data):
    """CRC-16/X.25, low byte first, as it stands behind an AX.25 frame."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _shifted((crc ^ byte) & 0xFF)
    return (crc ^ 0xFFFF).to_bytes(2, "little")


def line_bits(data):
    """Bits on the air: two flags, checksum, a zero after each five ones."""
    ones = stuffed = 0
    body = data + checksum(data)
    for byte in body:
        for i in range(8):
            ones = ones + 1 if byte >> i & 1 else 0
            if ones == 5:
                stuffed += 1
                ones = 0
    return 8 * len(body) + stuffed + 2 * FLAG_BITS


def frame_s(data, baud=1200, txdelay_s=0.5, txtail_s=0.0):
    """Airtime of a packet that goes alone."""
    return txdelay_s + line_bits(data) / baud + txtail_s


class Tnc(Persistent):
    """write(bytes) is set by whoever carries its line. flow: whether it says
    READY when a host asked for it; a TNC that cannot says nothing."""

    def __init__(self, air, name, baud=1200, frequency=144800000, burst=1, flow=True, buffer=BUFFER):
        super().__init__(air, name, burst)
        self.baud, self.flow, self.buffer = baud, flow, buffer
        self.txdelay_s, self.txtail_s = 0.5, 0.0
        self.asked_ready = False
        self.full = 0
        self.reader = Reader()
        self.write = lambda data: None
        self.seen = []
        self.tune(("afsk", frequency, baud))

    def powered(self):
        """It has power of its own: plugged in again, it is as it was."""

    def feed(self, data):
        for command, body in self.reader.feed(data):
            self.seen.append((command, body))
            del self.seen[:-1000]
            self.command(command & 0x0F, body)

    def command(self, command, body):
        if command == DATA and body:
            if self.queued_bytes + len(body) > self.buffer:
                self.full += 1
            else:
                self.put(body)
        elif not body:
            pass
        elif command == TXDELAY:
            self.txdelay_s = body[0] / UNITS
        elif command == P:
            self.persistence = body[0]
        elif command == SLOTTIME:
            self.slottime_s = max(1, body[0]) / UNITS
        elif command == TXTAIL:
            self.txtail_s = body[0] / UNITS
        elif command == READY:
            self.asked_ready = self.flow

    def parts(self, packet, first, last):
        seconds = frame_s(packet, self.baud, self.txdelay_s if first else 0.0, self.txtail_s if last else 0.0)
        return [(packet, seconds, CARRIER_S, note_of(self.air, packet))]

    def sent(self):
        if self.asked_ready:
            self.write(frame(READY, b"\x01"))

    def heard(self, data, rssi, snr, start, end):
        self.heard_use.add(start, end)
        self.write(frame(DATA, data))
