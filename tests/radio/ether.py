# SPDX-License-Identifier: BSD-2-Clause
"""One simulated air with devices on ptys, for tests; `ether` beside this file
is the same for people.

    from radio.ether import Ether

    with Ether(folder, loss=0.1, seed=1) as ether:
        a = ether.rnode("a")            # a.path: the tty for `port = `
        b = ether.rnode("b")
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

from .channel import Air
from .clock import Loop
from .port import Pty, Tcp
from .rnode import Rnode


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

    def rnode(self, name, tcp=None, baud=115200, **device):
        """The port (port.Pty, or port.Tcp at tcp = (address, port)) of a new
        RNode; its .device is the rnode.Rnode. For **device see there."""
        return self.loop.call(self._plug, name, tcp, baud, lambda: Rnode(self.air, name, **device))

    def _plug(self, name, tcp, baud, make):
        device = make()
        if tcp:
            port = Tcp(self.loop, device, *tcp)
        else:
            port = Pty(self.loop, device, os.path.join(self.folder, name), baud)
        self.ports[name] = port
        return port
