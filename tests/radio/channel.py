# SPDX-License-Identifier: BSD-2-Clause
"""The air: who hears whom, what collides, what is lost, and a log of it all.

A frame is heard by a radio that is tuned to its channel from its first symbol
to its last, does not send meanwhile, and hears no other frame of that channel
meanwhile (unless this one is stronger by capture_db). Then chance decides.
"""

import json
import random

KINDS = ("data", "announce", "linkrequest", "proof")
SHORTEST = 19  # flags, hops, an address, the context
LINK = 3  # type of a destination


def note_of(air, packet):
    """What the log says of a Reticulum packet: its number in the air, kind
    (data goes to a destination, link to a link; masked is one with an access
    code, whose kind only members see; other is no packet), context, size."""
    note = {"packet": air.packet_number(), "kind": "other", "size": len(packet)}
    if len(packet) >= SHORTEST and packet[0] & 0x80:
        note["kind"] = "masked"
    elif len(packet) >= SHORTEST + 16 * (packet[0] >> 6 & 1):
        kind = KINDS[packet[0] & 3]
        note["kind"] = "link" if kind == "data" and packet[0] >> 2 & 3 == LINK else kind
        note["context"] = packet[SHORTEST - 1 + 16 * (packet[0] >> 6 & 1)]
        note["hops"] = packet[1]
    return note


class Windows:
    """Up for `up` seconds at the begin of every `period`, shifted by phase."""

    def __init__(self, up, period, phase=0.0):
        self.up, self.period, self.phase = up, period, phase

    def open(self, now):
        return (now - self.phase) % self.period < self.up

    def through(self, start, end):
        return self.open(start) and (start - self.phase) % self.period + end - start <= self.up

    def next(self, now):
        """When it opens; now, when it is open."""
        if self.open(now):
            return now
        return now + self.period - (now - self.phase) % self.period


class Link:
    """How one radio hears another."""

    def __init__(self, heard=True, loss=None, rssi=-80, snr=5.0, windows=None):
        self.heard, self.loss, self.rssi, self.snr, self.windows = heard, loss, rssi, snr, windows


class Frame:
    def __init__(self, radio, channel, data, start, end, note):
        self.radio, self.channel, self.data = radio, channel, data
        self.start, self.end = start, end
        self.over = []  # what was on the channel at the same time
        self.note = note


class Air:
    """clock: clock.Clock. loss: of a frame, 0 to 1. windows: Windows of the
    whole channel. log: a path, one JSON object a line, or None."""

    def __init__(self, clock, seed=0, loss=0.0, capture_db=None, windows=None, log=None):
        self.clock = clock
        self.random = random.Random(seed)
        self.loss, self.capture_db, self.windows = loss, capture_db, windows
        self.radios = []
        self.links = {}
        self.default = Link()
        self.flying = []
        self.frames = []  # of log: dicts
        self._log = open(log, "a", buffering=1) if log else None
        self._packets = 0

    def close(self):
        if self._log:
            self._log.close()
            self._log = None

    def attach(self, radio):
        """radio: .name, .channel (None: deaf), .tuned_since, .changed(),
        .heard(data, rssi, snr, start, end)"""
        self.radios.append(radio)

    def detach(self, radio):
        self.radios.remove(radio)

    def link(self, a, b, both=True, **how):
        """How b hears a, by their names, and a hears b."""
        self.links[(a, b)] = Link(**how)
        if both:
            self.links[(b, a)] = Link(**how)

    def cut(self, a, b):
        self.link(a, b, heard=False)

    def between(self, sender, hearer):
        return self.links.get((sender.name, hearer.name), self.default)

    def packet_number(self):
        self._packets += 1
        return self._packets

    def busy(self, radio):
        """Whether somebody else is to be heard now."""
        return any(f.channel == radio.channel and f.radio is not radio and f.sensed and
                   self.between(f.radio, radio).heard for f in self.flying)

    def send(self, radio, data, seconds, sense_s=0.0, **note):
        """Others notice it after sense_s."""
        now = self.clock.now
        f = Frame(radio, radio.channel, data, now, now + seconds, note)
        f.sensed = False
        for g in self.flying:
            if g.channel == f.channel:
                f.over.append(g)
                g.over.append(f)
        self.flying.append(f)
        self.clock.after(min(sense_s, seconds), self._sense, f)
        self.clock.at(f.end, self._end, f)
        return f

    def _tell(self, channel):
        for r in self.radios:
            if r.channel == channel:
                r.changed()

    def _sense(self, f):
        f.sensed = True
        self._tell(f.channel)

    def _end(self, f):
        self.flying.remove(f)
        heard, lost = [], {}
        for r in list(self.radios):
            if r is f.radio or r.channel != f.channel:
                continue
            link = self.between(f.radio, r)
            if not link.heard:
                continue
            why = self._lost(f, r, link)
            if why:
                lost[r.name] = why
            else:
                heard.append((r, link))
        self.note(f.radio.name, f.channel, len(f.data), f.start, f.end - f.start,
                  heard=[r.name for r, _ in heard], lost=lost, **f.note)
        for r, link in heard:
            r.heard(f.data, link.rssi, link.snr, f.start, f.end)
        self._tell(f.channel)
        f.over = []

    def note(self, sender, channel, octets, start, air, **more):
        """One frame into the log."""
        entry = {"start": round(start, 6), "air": round(air, 6), "bytes": octets, "from": sender,
                 "channel": list(channel), **more}
        self.frames.append(entry)
        if self._log:
            self._log.write(json.dumps(entry) + "\n")

    def _lost(self, f, r, link):
        if r.tuned_since > f.start:
            return "not listening"
        if any(g.radio is r for g in f.over):
            return "sending"
        for g in f.over:
            other = self.between(g.radio, r)
            if other.heard and (self.capture_db is None or link.rssi < other.rssi + self.capture_db):
                return "collision"
        for windows in (self.windows, link.windows):
            if windows and not windows.through(f.start, f.end):
                return "outage"
        if self.random.random() < (self.loss if link.loss is None else link.loss):
            return "loss"
        return None

    def by_kind(self, sender=None):
        """kind -> {"packets", "frames", "bytes", "air"}, of all or of one."""
        out, seen = {}, set()
        for e in self.frames:
            if sender is not None and e["from"] != sender:
                continue
            k = out.setdefault(e.get("kind", "other"), {"packets": 0, "frames": 0, "bytes": 0, "air": 0.0})
            k["frames"] += 1
            k["bytes"] += e["bytes"]
            k["air"] += e["air"]
            if e.get("packet") not in seen:
                seen.add(e.get("packet"))
                k["packets"] += 1
        return out

    def airtime(self, sender=None):
        return sum(k["air"] for k in self.by_kind(sender).values())
