#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Proofs of logs, against their definitions in Python. Run in the build folder;
# srcdir names the source tree. $1: cases.
: "${srcdir:=.}"
command -v python3 >/dev/null || { echo "proof: no python3"; exit 77; }
PYTHONDONTWRITEBYTECODE=1 exec python3 "$srcdir/tests/oracle/proof.py" \
	tests/oracle/proof_lines "${1:-400}"
