# SPDX-License-Identifier: BSD-2-Clause
"""A second implementation of the job protocol, for tests: Python on stock RNS, from the specification alone."""
