#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The installed librns.a shows the functions of rns.h and no other name, so
# that it cannot meet a name of the program that links it. Run in the build
# folder; srcdir names the source tree.
set -eu
: "${srcdir:=.}"
lib=${1:-librns.a}
header=$srcdir/transport/include/rns/rns.h

command -v nm >/dev/null || { echo "exports: no nm"; exit 77; }
[ -f "$lib" ] || { echo "exports: $lib is not built"; exit 1; }

bad=$( {
	sed 's/^/header /' "$header"
	nm -g --defined-only "$lib" | awk 'NF == 3 { print "symbol", $3 }'
} | awk '
	$1 == "header" && match($0, /^header [^ \t\/*#].*[ *]rns_[a-z0-9_]+\(/) {
		name = substr($0, RSTART, RLENGTH - 1)
		sub(/.*[ *]/, "", name)
		declared[name] = 1
	}
	$1 == "symbol" { shown[$2] = 1 }
	END {
		for (s in shown)
			if (!(s in declared))
				print s " is shown and not in rns.h"
		for (d in declared)
			if (!(d in shown))
				print d " is in rns.h and not there"
	}' | LC_ALL=C sort)

if [ -n "$bad" ]; then
	echo "exports: $lib:"
	echo "$bad" | sed 's/^/	/'
	exit 1
fi
echo "exports: $lib shows what rns.h declares"
