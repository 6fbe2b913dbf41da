#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# librns does no I/O: every symbol that it takes from outside must stand in
# tests/purity.allow. And it keeps nothing between calls but what the caller
# holds: no variable of its own. Run in the build folder; srcdir names the source tree.
set -eu
: "${srcdir:=.}"
lib=${1:-librns.a}
allow=$srcdir/tests/purity.allow

command -v nm >/dev/null || { echo "purity: no nm"; exit 77; }
[ -f "$lib" ] || { echo "purity: $lib is not built"; exit 1; }

bad=$( {
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' -e 's/^/allow /' "$allow"
	nm -g --defined-only "$lib" | awk 'NF == 3 { print "allow", $3 }'
	nm -u "$lib" | awk '$1 == "U" || $1 == "w" { print "want", $2 }'
} | awk '
	$1 == "allow" && $2 ~ /\*$/ {
		prefix[substr($2, 1, length($2) - 1)] = 1
		next
	}
	$1 == "allow" { ok[$2] = 1; next }
	$2 in ok { next }
	{
		for (p in prefix)
			if (index($2, p) == 1)
				next
		if (!seen[$2]++)
			print $2
	}')

if [ -n "$bad" ]; then
	echo "purity: $lib reaches outside:"
	echo "$bad" | sed 's/^/	/'
	exit 1
fi
# What sanitizers and the fuzzer add cannot be told from ours.
if ! nm -u "$lib" | grep -q -e __asan_ -e __sanitizer_ -e __sancov_ -e __gcov_; then
	kept=$(size -A "$lib" | awk '
		$1 ~ /^\.(data|bss|tdata|tbss)/ && $1 !~ /^\.data\.rel\.ro/ &&
		    $2 > 0 { print $1, $2 }')
	if [ -n "$kept" ]; then
		echo "purity: $lib has variables:"
		echo "$kept" | sed 's/^/	/'
		exit 1
	fi
fi
echo "purity: $lib is clean"
