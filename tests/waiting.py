# SPDX-License-Identifier: BSD-2-Clause
"""The two ways in which a test lets time pass. time.sleep() stands nowhere
else, so that each wait names what it waits for, and each silence its reason."""
import sys
import time

STEP_S = 0.02
# A limit costs nothing when the event comes, and a loaded machine is slow: a
# shorter one is for what is tried again, or may well not come.
PATIENCE_S = 90.0


def until(done, what, limit=PATIENCE_S, step=STEP_S):
    """What done() gives, once that is true. After limit seconds: what it gave
    last, and standard error says what has not come."""
    end = time.monotonic() + limit
    while True:
        got = done()
        if got:
            return got
        if time.monotonic() >= end:
            print("# not within %g s: %s" % (limit, what), file=sys.stderr,
                  flush=True)
            return got
        time.sleep(step)


def quiet(seconds, why):
    """No event is waited for: that nothing happens, or the pace, or what
    nobody can see from outside, is what the seconds are for."""
    assert why
    time.sleep(seconds)
