# SPDX-License-Identifier: BSD-2-Clause
"""What radios share: a queue, half duplex, the wait for a free channel, use
by time."""

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
            used += max(0.0, min(end, now) - max(start, since))
        return used / window


class Radio:
    """Half duplex on one channel of the air; `burst` packets (0: all that
    wait) go out each time that it has got the channel. A subclass has:

    _begin()   wait for the channel, and call _go() in the end; again after
               _stop(), which ends the wait when somebody else is to be heard
    parts(packet, first, last) -> [(bytes, seconds, after which others notice,
               note)]; they follow each other without a gap
    sent()     all of it is out
    """

    def __init__(self, air, name, burst=1):
        self.air, self.clock, self.name, self.burst = air, air.clock, name, burst
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
            self._stop()
            self.channel, self.tuned_since = channel, self.clock.now
        if channel is None:
            self.queue.clear()
            self.queued_bytes = 0

    def put(self, packet):
        self.queue.append(packet)
        self.queued_bytes += len(packet)
        self.changed()

    def _take(self):
        packet = self.queue.popleft()
        self.queued_bytes -= len(packet)
        return packet

    def changed(self):
        """Something that waits, or the channel became busy or free."""
        if self.channel is None or self.sending or not self.queue:
            return
        if self.air.busy(self):
            self._stop()
        elif self._wait is None:
            self._begin()

    def _begin(self):
        raise NotImplementedError

    def _stop(self):
        self.clock.cancel(self._wait)
        self._wait = None

    def _go(self):
        self._wait = None
        if self.channel is None or not self.queue:
            return
        count = min(self.burst, len(self.queue)) if self.burst else len(self.queue)
        parts = []
        for i in range(count):
            parts += self.parts(self._take(), i == 0, i == count - 1)
        self.sending = True
        self._part(parts)

    def _part(self, parts):
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

    def parts(self, packet, first, last):
        raise NotImplementedError

    def sent(self):
        raise NotImplementedError


class Csma(Radio):
    """As RNode does: quiet for DIFS, then a number of slots from the window,
    which do not run while the channel is busy. The window moves up by a band
    with the share of airtime."""

    BANDS, PER_BAND = 4, 15
    ASK_AGAIN_S = 1.0

    def __init__(self, air, name, burst=1):
        self._slots_s = None  # what is left of the wait; None: not drawn
        self._counting = None  # since when it runs
        super().__init__(air, name, burst)

    def slot_s(self):
        raise NotImplementedError

    def may(self):
        """False: an airtime limit, asked again after a while."""
        return True

    def band(self):
        return 1 + min(self.BANDS - 1, int(self.sent_use.share(self.clock.now, SHORT_S) * self.BANDS))

    def window(self):
        low = (self.band() - 1) * self.PER_BAND
        return low, low + self.PER_BAND

    def _begin(self):
        self._wait = self.clock.after(2 * self.slot_s(), self._quiet)

    def _stop(self):
        if self._counting is not None:
            self._slots_s = max(0.0, self._slots_s - (self.clock.now - self._counting))
            self._counting = None
        super()._stop()

    def _quiet(self):
        if not self.may():
            self._wait = self.clock.after(self.ASK_AGAIN_S, self._quiet)
            return
        if self._slots_s is None:
            self._slots_s = self.air.random.randint(*self.window()) * self.slot_s()
        self._counting = self.clock.now
        self._wait = self.clock.after(self._slots_s, self._won)

    def _won(self):
        self._counting = self._slots_s = None
        self._go()


class Persistent(Radio):
    """As KISS TNCs do: when the channel is free, with a chance of (P + 1)/256
    now, otherwise after a slot."""

    def __init__(self, air, name, burst=1):
        self.persistence, self.slottime_s = 63, 0.1
        super().__init__(air, name, burst)

    def _begin(self):
        if self.air.random.randrange(256) <= self.persistence:
            self._go()
        else:
            self._wait = self.clock.after(self.slottime_s, self._begin)
