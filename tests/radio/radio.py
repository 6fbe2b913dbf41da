# SPDX-License-Identifier: BSD-2-Clause
"""What devices share: a queue, the wait for a free channel, use by time."""

import collections

SHORT_S = 15.0
LONG_S = 3600.0


class Use:
    """Seconds of use within the last 15 s and the last hour, exactly."""

    def __init__(self):
        self._spans = collections.deque()

    def add(self, start, end):
        self._spans.append((start, end))

    def share(self, now, window):
        while self._spans and self._spans[0][1] < now - LONG_S:
            self._spans.popleft()
        since = now - window
        used = 0.0
        for start, end in reversed(self._spans):
            if end <= since:
                break
            used += min(end, now) - max(start, since)
        return max(0.0, used) / window


class Radio:
    """Half duplex on one channel of the air. A subclass says how long to wait
    for the channel (_begin) and what goes out (_next)."""

    def __init__(self, air, name):
        self.air, self.clock, self.name = air, air.clock, name
        self.channel = None
        self.tuned_since = 0.0
        self.queue = collections.deque()
        self.queued_bytes = 0
        self.sending = False
        self.sent_use, self.heard_use = Use(), Use()
        self._wait = None
        air.attach(self)

    def tune(self, channel):
        if channel != self.channel:
            self.channel, self.tuned_since = channel, self.clock.now
            self.clock.cancel(self._wait)
            self._wait = None
        if channel is None:
            self.clear()

    def clear(self):
        self.queue.clear()
        self.queued_bytes = 0

    def put(self, packet):
        self.queue.append(packet)
        self.queued_bytes += len(packet)
        self.changed()

    def take(self):
        packet = self.queue.popleft()
        self.queued_bytes -= len(packet)
        return packet

    def busy(self):
        return self.sending or self.air.busy(self)


class Csma(Radio):
    """As RNode does: quiet for DIFS, then a number of slots from the window,
    which do not run while the channel is busy; then `burst` packets (0: all
    that wait). The window moves up by a band with the share of airtime."""

    BANDS, PER_BAND = 4, 15

    def __init__(self, air, name, burst=1):
        super().__init__(air, name)
        self.burst = burst
        self._slots_s = None  # what is left of the wait; None: not drawn
        self._counting = None  # since when it runs

    def slot_s(self):
        raise NotImplementedError

    def difs_s(self):
        return 2 * self.slot_s()

    def band(self):
        return 1 + min(self.BANDS - 1, int(self.sent_use.share(self.clock.now, SHORT_S) * self.BANDS))

    def window(self):
        low = (self.band() - 1) * self.PER_BAND
        return low, low + self.PER_BAND

    def may(self):
        """False: an airtime limit, asked again after a while."""
        return True

    def changed(self):
        if self.channel is None or self.sending or not self.queue:
            return
        if self.air.busy(self):
            if self._counting is not None:
                self._slots_s = max(0.0, self._slots_s - (self.clock.now - self._counting))
            self._stop()
        elif self._wait is None:
            self._wait = self.clock.after(self.difs_s(), self._quiet)

    def _stop(self):
        self.clock.cancel(self._wait)
        self._wait = self._counting = None

    def tune(self, channel):
        if channel != self.channel:
            self._stop()
            self._slots_s = None
        super().tune(channel)

    def _quiet(self):
        self._wait = None
        if self.channel is None or not self.queue:
            return
        if not self.may():
            self._wait = self.clock.after(1.0, self._quiet)
            return
        if self._slots_s is None:
            self._slots_s = self.air.random.randint(*self.window()) * self.slot_s()
        self._counting = self.clock.now
        self._wait = self.clock.after(self._slots_s, self._go)

    def _go(self):
        self._wait = self._counting = self._slots_s = None
        if self.channel is None or not self.queue:
            return
        parts, count = [], 0
        while self.queue and (count == 0 or self.burst == 0 or count < self.burst):
            parts += self.parts(self.take())
            count += 1
        self.sending = True
        self._part(parts)

    def _part(self, parts):
        """The parts follow each other without a gap."""
        if not parts or self.channel is None:
            self.sending = False
            self.sent()
            self.changed()
            return
        data, seconds, sense_s, note = parts[0]
        start = self.clock.now
        self.air.send(self, data, seconds, sense_s, **note)
        self.sent_use.add(start, start + seconds)
        # after the end of the frame, which was planned before this
        self.clock.at(start + seconds, self._part, parts[1:])

    def parts(self, packet):
        """[(bytes, seconds, after which others notice, note)]"""
        raise NotImplementedError

    def sent(self):
        """All of it is out."""
