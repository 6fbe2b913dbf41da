# SPDX-License-Identifier: BSD-2-Clause
"""A Weave device (reticulum-transport.md 10.11): a switch with one endpoint,
behind HDLC on a serial line, and a radio to the endpoints of others."""

from . import ed25519
from .channel import note_of
from .kiss import HdlcReader, hdlc
from .radio import Csma

DISCOVER, CONNECT, CMD, LOG, DISP, ENDPOINT_PKT, ENCAP_PROTO = range(7)
BROADCAST = b"\xff" * 4
SEND_PACKET = b"\x00\x01"
CONNECTED, OWN_ENDPOINT, ALIVE, CPU, MEMORY = 0x3002, 0x3003, 0x3102, 0xE003, 0xE005
INFO = 6  # level of a log entry
CHANNEL = ("weave",)
BEAT_S = 5.0  # says what is alive
HEADER_S = 0.0005


class Weave(Csma):
    """write(bytes) is set by whoever carries its line."""

    def __init__(self, air, name, rate=250000):
        self.rate = rate
        self.seed = air.random.randbytes(32)
        self.key = ed25519.public(self.seed)
        self.switch, self.endpoint = self.key[-4:], air.random.randbytes(8)
        self.host = None  # its switch id, once it is connected
        self.refused = 0
        self.write = lambda data: None
        self._beating = None
        super().__init__(air, name)
        self.powered()

    def powered(self):
        self.reader = HdlcReader(8192)
        self.host = None
        self.tune(CHANNEL)

    def slot_s(self):
        return 0.001

    def _frame(self, to, kind, data):
        self.write(hdlc(to + bytes([kind]) + data))

    def log(self, event, data=b""):
        stamp = int(self.clock.now * 1000) & 0xFFFFFFFF
        self._frame(self.host, LOG, bytes(2) + stamp.to_bytes(4, "big") + bytes([INFO]) + event.to_bytes(2, "big") + data)

    def feed(self, data):
        for frame in self.reader.feed(data):
            if len(frame) > 5 and frame[:4] in (BROADCAST, self.switch):
                self._frame_of_host(frame[4], frame[5:])

    def _frame_of_host(self, kind, data):
        if kind == DISCOVER and len(data) >= 4:
            self._frame(data[:4], DISCOVER, self.key + ed25519.sign(self.seed, data[:4]))
        elif kind == CONNECT and len(data) == 96:
            if not ed25519.verify(data[:32], self.switch, data[32:]):
                self.refused += 1
                return
            self.host = data[28:32]
            self.log(CONNECTED)
            self.log(OWN_ENDPOINT, self.endpoint)
            self.clock.cancel(self._beating)
            self._beat()
        elif kind == CMD and self.host and data[:2] == SEND_PACKET and len(data) > 10:
            self.put(data[2:])

    def others(self):
        return [r for r in self.air.radios if isinstance(r, Weave) and r is not self and
                self.air.between(r, self).heard]

    def _beat(self):
        if self.host is None:  # it was unplugged meanwhile
            return
        for r in self.others():
            self.log(ALIVE, r.endpoint)
        self.log(CPU, bytes([7]))
        self.log(MEMORY, (100000).to_bytes(4, "big") + (300000).to_bytes(4, "big"))
        self._beating = self.clock.after(BEAT_S, self._beat)

    def parts(self, packet, first, last):
        return [(self.endpoint + packet, HEADER_S + 8 * len(packet) / self.rate, HEADER_S / 5,
                 note_of(self.air, packet[8:]))]

    def sent(self):
        pass

    def heard(self, data, rssi, snr, start, end):
        source, to, packet = data[:8], data[8:16], data[16:]
        if self.host and to == self.endpoint:
            self._frame(self.host, ENDPOINT_PKT, packet + source)
