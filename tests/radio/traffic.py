# SPDX-License-Identifier: BSD-2-Clause
"""Somebody else on the channel, who takes a share of its time."""

from . import lora
from .rnode import LoraRadio


class Traffic(LoraRadio):
    """share: of the airtime, 0 to 1, in packets of `size` bytes at random
    times. polite: it waits for a free channel as others do; otherwise it
    neither listens nor waits, as a sensor does."""

    def __init__(self, air, name, tuning, share, size=60, polite=True):
        super().__init__(self, air, name)
        self.frequency, self.bandwidth, self.sf, self.cr = tuning
        self.share, self.size, self.polite = share, size, polite
        self.on = True
        self.retune()
        self._later()

    def _later(self):
        gap = lora.packet_s(self.tuning(), self.size) / self.share
        self.clock.after(self.air.random.expovariate(1 / gap), self._more)

    def _more(self):
        self.packet(b"\xff" + self.air.random.randbytes(self.size - 1))
        self._later()

    def changed(self):
        if self.polite:
            super().changed()
        elif self.queue and not self.sending:
            self._go()

    # it is its own device, without a host

    def say(self, radio, command, data):
        pass

    def sent(self):
        pass

    def heard(self, data, rssi, snr, start, end):
        pass

    def queue_full(self, radio):
        pass
