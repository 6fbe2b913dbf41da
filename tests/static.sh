#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The static programs of packaging/static: built, and stock programs of both releases of RNS reach each other through them:
# tests/static.sh BUILD
# Prints "ok NAME", "not ok NAME" or "skip NAME: reason". Needs Debian's sources by the network. For ./check long.
set -uo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
out=$build/static/out
python=$build/venv-1.5.7/bin/python

missing() { echo "skip static: $1"; exit 0; }
for p in musl-gcc dpkg-source libtoolize gperf; do
	command -v $p >/dev/null || missing "no $p (packages musl-tools, dpkg-dev, libtool, gperf)"
done
[ -x "$python" ] || missing "no $python, which ./check interop makes"
rc=0
said() { # name, status
	if [ "$2" = 0 ]; then echo "ok static: $1"; else echo "not ok static: $1"; rc=1; fi
}
if ! "$top/packaging/static" "$build" "$out" >"$build/static.log" 2>&1; then
	! grep -q 'no source of' "$build/static.log" || missing "$(grep 'no source of' "$build/static.log")"
	said "packaging/static builds, see $build/static.log" 1
	exit 1
fi
said "packaging/static builds" 0
for p in warrend warren warren-transport; do
	! readelf -lW "$out/$p" | grep -q INTERP && readelf -hW "$out/$p" | grep -q 'EXEC\|DYN'
	said "$p needs no library, $(stat -c %s "$out/$p") bytes" $?
done
"$python" "$top/tests/interop/run.py" --build "$out" --python "$python" --python-old "$build/venv-1.4.2/bin/python" relay \
	>"$build/static.relay" 2>&1
n=$(grep -c '^ok relay: ' "$build/static.relay")
[ "$n" -ge 6 ] && ! grep -q '^not ok relay: ' "$build/static.relay"
said "$n visits of stock programs through static relays, see $build/static.relay" $?
exit $rc
