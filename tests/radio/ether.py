# SPDX-License-Identifier: BSD-2-Clause
"""One simulated air with devices on ptys, for tests; `ether` beside this file
is the same for people.

    from radio.ether import Ether

    with Ether(folder, loss=0.1, seed=1) as ether:
        a = ether.rnode("a")            # a.path: the tty for `port = `
        b = ether.rnode("b")
        t = ether.tnc("t")              # KISS; c, d: both ends of a serial line
        c, d = ether.cable("c", "d", rate=960)
        m = ether.rnode("m", fault="mute")  # and others of faults.FAULTS
        ether.traffic("x", a.device.radios[0].tuning(), 0.3)    # on the channel of a
        ether.loop.call(ether.air.cut, "a", "c")    # they do not hear each other
        ... start two daemons on a.path and b.path ...
        ether.loop.call(a.unplug)       # the tty vanishes,
        ether.loop.call(a.plug)         # and returns under the same name
        ether.air.frames                # every frame: start, air, who heard it
        ether.air.by_kind("a")          # announces, data, proofs: bytes, air

All that changes something goes through loop.call(): the ether runs in a thread
of its own. speed is how many times faster than real radios it is; the times
in its log are those of the radios. Without a thread and without waiting:
clock.Clock, channel.Air and a device, as tests/radio/selftest does.
"""

import os

from .cable import Cable
from .channel import Air
from .clock import Loop
from .faults import FAULTS
from .odd import ODD
from .port import Pty, Tcp
from .rnode import Rnode
from .tnc import Tnc
from .traffic import Traffic
from .weave import Weave


class Ether:
    """folder: where the ttys stand. For **air see channel.Air."""

    def __init__(self, folder, speed=1.0, **air):
        self.folder = folder
        self.loop = Loop(speed)
        self.air = Air(self.loop, **air)
        self.ports = {}
        self.loop.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.loop.stop()
        for p in self.ports.values():
            p.close()
        self.air.close()

    stop = close

    def rnode(self, name, tcp=None, baud=115200, fault=None, **device):
        """The port (port.Pty, or port.Tcp at tcp = (address, port)) of a new
        RNode; its .device is the rnode.Rnode, for **device see there. fault:
        one of faults.FAULTS or odd.ODD, for **device see that."""
        make = {**FAULTS, **ODD}[fault] if fault else Rnode
        return self.loop.call(self._plug, name, tcp, baud, lambda: make(self.air, name, **device))

    def tnc(self, name, line_baud=9600, **device):
        """The port of a new KISS TNC; for **device see tnc.Tnc."""
        return self.loop.call(self._plug, name, None, line_baud, lambda: Tnc(self.air, name, **device))

    def weave(self, name):
        """The port of a new Weave device."""
        return self.loop.call(self._plug, name, None, 3000000, lambda: Weave(self.air, name))

    def traffic(self, name, tuning, share, **more):
        """Others on a channel (lora.Tuning); see traffic.Traffic."""
        return self.loop.call(lambda: Traffic(self.air, name, tuning, share, **more))

    def cable(self, a, b, line_baud=None, **line):
        """Two ports with a line between them; for **line see cable.Cable."""
        cable = Cable(self.air, (a, b), **line)
        return [self.loop.call(self._plug, name, None, line_baud, lambda e=end: e)
                for name, end in zip((a, b), cable.ends)]

    def _plug(self, name, tcp, baud, make):
        device = make()
        if tcp:
            port = Tcp(self.loop, device, *tcp)
        else:
            port = Pty(self.loop, device, os.path.join(self.folder, name), baud)
            if hasattr(device, "hold"):
                device.hold = lambda held: port.read_on(not held)
        self.ports[name] = port
        return port
