# SPDX-License-Identifier: BSD-2-Clause
"""A second implementation of the job protocol, for tests: Python on stock RNS, from the specification alone."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from waiting import PATIENCE_S, quiet, until  # noqa: E402,F401
