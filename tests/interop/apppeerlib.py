# SPDX-License-Identifier: BSD-2-Clause
"""What programs with LXMF share (apppeer.py, letterpeer.py): lines in and out, and whose a destination is."""

import json
import os
import sys

import RNS

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from waiting import until  # noqa: E402


def say(**what):
    print(json.dumps(what), flush=True)


def recalled(dest):
    """The identity behind a destination, once its announce is here."""
    if not RNS.Transport.has_path(dest):
        RNS.Transport.request_path(dest)
    until(lambda: RNS.Identity.recall(dest) is not None and RNS.Transport.has_path(dest), "its announce")
    return RNS.Identity.recall(dest)


def words():
    """Lines of standard input. Not through sys.stdin: its lock would stay taken in the workers that LXMF forks."""
    buf = b""
    while part := os.read(0, 4096):
        buf += part
        while b"\n" in buf:
            line, buf = buf.split(b"\n", 1)
            yield line.decode().split()
