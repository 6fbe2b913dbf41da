# SPDX-License-Identifier: BSD-2-Clause
"""How long a frame is in the air, and how a radio divides packets.

The formula is Semtech's (SX1276 and SX1261/2 data sheets): explicit header,
checksum on, low data rate optimisation when a symbol lasts over 16 ms.

An RNode puts one byte before each LoRa frame: a random sequence number in the
high nibble, and 1 in the low one when the packet goes in two frames. So 254
bytes of a packet go in one frame, 255 to 508 in two, back to back.
"""

import math
from typing import NamedTuple

SINGLE = 254  # bytes of a packet in one frame
MOST = 2 * SINGLE
SPLIT = 0x01

PREAMBLE_MIN = 18  # symbols
PREAMBLE_MS = 24  # at least so long, that others notice it in time


class Tuning(NamedTuple):
    """Two radios hear each other when all of these but cr are the same: the
    header of a frame says its coding rate."""
    frequency: int
    bandwidth: int
    sf: int
    cr: int = 5

    def channel(self):
        return ("lora", self.frequency, self.bandwidth, self.sf)


def symbol_s(t):
    return 2 ** t.sf / t.bandwidth


def bitrate(t):
    return t.sf * (4 / t.cr) / symbol_s(t)


def preamble(t):
    """Symbols of it that are programmed; the formula has its own on top."""
    return max(PREAMBLE_MIN, math.ceil(PREAMBLE_MS / 1000 / symbol_s(t)))


def symbols(t, size):
    """Of a frame of so many bytes, preamble included."""
    optimised = 2 if symbol_s(t) > 0.016 else 0
    small = t.sf < 7  # SX126x only: a longer sync word, a shorter header
    bits = 8 * size - 4 * t.sf + 16 + 20 + (0 if small else 8)
    blocks = math.ceil(max(bits, 0) / (4 * (t.sf - optimised)))
    return preamble(t) + (6.25 if small else 4.25) + 8 + blocks * t.cr


def frame_s(t, size):
    return symbols(t, size) * symbol_s(t)


def sizes(size):
    """Of the frames that a packet of so many bytes goes in."""
    if size <= SINGLE:
        return [size + 1]
    return [SINGLE + 1, min(size, MOST) - SINGLE + 1]


def packet_s(t, size):
    """Airtime of a packet, without what the radio waits before it."""
    return sum(frame_s(t, n) for n in sizes(size))


def divide(packet, sequence):
    if len(packet) <= SINGLE:
        return [bytes([sequence << 4]) + packet]
    head = bytes([sequence << 4 | SPLIT])
    return [head + packet[:SINGLE], head + packet[SINGLE:MOST]]
