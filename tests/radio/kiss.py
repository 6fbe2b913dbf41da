# SPDX-License-Identifier: BSD-2-Clause
"""Framing as devices see it (reticulum-transport.md 9)."""

FEND, FESC, TFEND, TFESC = 0xC0, 0xDB, 0xDC, 0xDD
FLAG, ESC = 0x7E, 0x7D


def escape(data):
    return data.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")


def frame(command, data=b""):
    return bytes([FEND, command]) + escape(bytes(data)) + bytes([FEND])


class Reader:
    """Bytes of the host in, frames out: (command, data). FENDs are shared or
    doubled as the host likes. What grows over `most` bytes is cut there."""

    def __init__(self, most=4096):
        self.most = most
        self._frame = None
        self._escaped = False

    def feed(self, data):
        for byte in data:
            if byte == FEND:
                if self._frame:
                    yield self._frame[0], bytes(self._frame[1:])
                self._frame = bytearray()
                self._escaped = False
            elif self._frame is None or len(self._frame) > self.most:
                pass
            elif self._escaped:
                self._escaped = False
                self._frame.append({TFEND: FEND, TFESC: FESC}.get(byte, byte))
            elif byte == FESC and self._frame:
                self._escaped = True
            else:
                self._frame.append(byte)


def hdlc(data):
    data = data.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e")
    return bytes([FLAG]) + data + bytes([FLAG])


class HdlcReader:
    """Frames of a line with HDLC, for those who look on: frames may share a
    flag, empty ones are none."""

    def __init__(self, most=4096):
        self.most = most
        self._frame = None
        self._escaped = False

    def feed(self, data):
        for byte in data:
            if byte == FLAG:
                if self._frame:
                    yield bytes(self._frame)
                self._frame = bytearray()
                self._escaped = False
            elif self._frame is None or len(self._frame) > self.most:
                pass
            elif self._escaped:
                self._escaped = False
                self._frame.append(byte ^ 0x20)
            elif byte == ESC:
                self._escaped = True
            else:
                self._frame.append(byte)
