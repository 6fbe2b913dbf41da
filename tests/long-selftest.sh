#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tests/long.sh names its parts, refuses others, fails where a part fails, and
# counts the seconds of a fuzz target over runs; with targets that are none.
set -eu
: "${srcdir:=.}"
src=$(cd "$srcdir" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT INT TERM
failed=0

said() { # what, status
	if [ "$2" = 0 ]; then echo "ok long: $1"; else
		echo "not ok long: $1"
		sed 's/^/# /' "$dir/out"
		failed=1
	fi
}
long() { bash "$src/tests/long.sh" "$@" >"$dir/out" 2>&1; }

long --list
rc=0
for p in $(sed -n 's/^part_\([a-z]*\)().*/\1/p' "$src/tests/long.sh"); do
	grep -q "^$p  *[^ ]" "$dir/out" || rc=1
done
[ "$(wc -l <"$dir/out")" -gt 20 ] || rc=1
said "--list says of each part what it does" $rc

for p in nope mesh:x --nope fuzz:nope interop: ''; do
	rc=0
	long "$dir" burst "$p" || rc=$?
	[ $rc = 2 ] && ! grep -q "^# " "$dir/out"
	said "'$p' is refused before anything runs" $?
	rc=0
	long --knows burst "$p" || rc=$?
	[ $rc = 2 ] && grep -q '^long: ' "$dir/out"
	said "'$p' is not known" $?
done
long --knows && long --knows burst fuzz:packet interop:links mesh
said "parts and parts of them are known" $?
long --help && grep -q '^LONG_SEED ' "$dir/out" && grep -q 'seconds of soaking' "$dir/out"
said "--help says what can be set" $?

# A build folder with two targets, of which one finds something.
mkdir -p "$dir/fuzz/tests/fuzz"
: >"$dir/fuzz/config.status"
printf 'tests/fuzz/fuzz_packet tests/fuzz/fuzz_link:\n' >"$dir/fuzz/Makefile"
printf '#!/bin/sh\nsleep 1\necho stat::number_of_executed_units: 7\n' \
	>"$dir/fuzz/tests/fuzz/fuzz_packet"
printf '#!/bin/sh\nexit 77\n' >"$dir/fuzz/tests/fuzz/fuzz_link"
chmod +x "$dir"/fuzz/tests/fuzz/*
printf 'other 5\nlink 100\n' >"$dir/fuzz/seconds"
had() { sed -n "s/^$1 //p" "$dir/fuzz/seconds"; }

rc=0
long "$dir" fuzz:packet || rc=1
first=$(had packet)
grep -q "^ok fuzz: packet, 7 runs, $first s in all$" "$dir/out" || rc=1
grep -q '^# fuzz:packet .* 1 ok    0 not ok' "$dir/out" || rc=1
[ "$first" -ge 1 ] || rc=1
said "a target's seconds are kept" $rc

rc=0
long "$dir" fuzz:packet || rc=1
[ "$(had packet)" -gt "$first" ] && [ "$(had other)" = 5 ] || rc=1
said "those of the next run are added, and no other's" $rc

rc=0
! long "$dir" fuzz:link fuzz:packet || rc=1
grep -q '^not ok fuzz: link, 10[0-9] s in all' "$dir/out" || rc=1
grep -q '^ok fuzz: packet' "$dir/out" || rc=1
grep -q '^# long: 2 parts, .* 1 not ok$' "$dir/out" || rc=1
said "a part that fails makes it fail, after the others" $rc

exit $failed
