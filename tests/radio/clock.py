# SPDX-License-Identifier: BSD-2-Clause
"""Time of the simulated ether.

Clock is virtual: time is what advance() says, and nothing is waited for.
Loop is the same on the machine's clock, `speed` times as fast, with
descriptors; it runs in a thread. Whatever happens in the ether happens at
the time for which it was planned, however late the thread comes to it: a
loaded machine delays a frame, but does not change what it collides with.
"""

import heapq
import itertools
import os
import selectors
import threading
import time


class Clock:
    def __init__(self):
        self.now = 0.0
        self._heap = []
        self._order = itertools.count()

    def at(self, when, what, *args):
        """what(*args) at that time; give it to cancel() for it not to come."""
        entry = [max(when, self.now), next(self._order), what, args]
        heapq.heappush(self._heap, entry)
        return entry

    def after(self, seconds, what, *args):
        return self.at(self.now + seconds, what, *args)

    @staticmethod
    def cancel(entry):
        if entry is not None:
            entry[2] = None

    def _due(self, when):
        """Everything planned until then, in order."""
        while self._heap and self._heap[0][0] <= when:
            t, _, what, args = heapq.heappop(self._heap)
            if what is not None:
                self.now = max(self.now, t)
                what(*args)

    def advance(self, when):
        self._due(when)
        self.now = max(self.now, when)


class Loop(Clock):
    def __init__(self, speed=1.0):
        super().__init__()
        self.speed = speed
        self.lock = threading.RLock()
        self._start = time.monotonic()
        self._fds = selectors.DefaultSelector()
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_r, False)
        os.set_blocking(self._wake_w, False)
        self._fds.register(self._wake_r, selectors.EVENT_READ, lambda _: os.read(self._wake_r, 4096))
        self._thread = None
        self._stop = False

    def real(self, seconds, what, *args):
        """After seconds of the machine's clock, whatever the speed."""
        return self.after(seconds * self.speed, what, *args)

    def watch(self, fd, events, what):
        """what(events) when the descriptor is ready; None: no more."""
        try:
            self._fds.unregister(fd)
        except (KeyError, ValueError):
            pass
        if what is not None:
            self._fds.register(fd, events, what)
        self.wake()

    def wake(self):
        try:
            os.write(self._wake_w, b"w")
        except OSError:
            pass

    def call(self, what, *args):
        """what(*args) between two turns of the loop, from any thread."""
        with self.lock:
            self._catch_up()
            try:
                return what(*args)
            finally:
                self.wake()

    def start(self):
        self._thread = threading.Thread(target=self.run, daemon=True)
        self._thread.start()

    def stop(self):
        self._stop = True
        self.wake()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _catch_up(self):
        self.advance((time.monotonic() - self._start) * self.speed)

    def run(self):
        while not self._stop:
            with self.lock:
                self._catch_up()
                wait = None
                if self._heap:
                    wait = max(0.0, (self._heap[0][0] - self.now) / self.speed)
            ready = self._fds.select(wait)
            with self.lock:
                self._catch_up()
                for key, events in ready:
                    if self._fds.get_map().get(key.fd) is key:
                        key.data(events)
