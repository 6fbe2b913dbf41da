# SPDX-License-Identifier: BSD-2-Clause
"""The bytes that both sides of a test know (no import of RNS here)."""

PATTERN = bytes(range(251))


def pattern(n):
    return (PATTERN * (n // len(PATTERN) + 1))[:n]
