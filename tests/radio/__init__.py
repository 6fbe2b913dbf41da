# SPDX-License-Identifier: BSD-2-Clause
"""Simulated radios and lines on ptys: see ether.py."""
