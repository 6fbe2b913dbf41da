#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Verdicts on random graphs, against the code of klp.md, Appendix A. Run in the
# build folder; srcdir names the source tree. $1: graphs.
: "${srcdir:=.}"
command -v python3 >/dev/null || { echo "kte1: no python3"; exit 77; }
PYTHONDONTWRITEBYTECODE=1 exec python3 "$srcdir/tests/oracle/kte1.py" \
	tests/oracle/kte1_lines "$srcdir/docs/spec/klp.md" "${1:-500}"
