#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The checks of the house find what they are there for: each is run on a small
# house with one fault planted, and must name it; and on the house without the
# fault, and must pass. srcdir names the source tree; CC compiles.
set -eu
: "${srcdir:=.}" "${CC:=cc}"
src=$(cd "$srcdir" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT INT TERM
failed=0

# A house of two rooms, built.
house() {
	rm -rf "$dir/house"
	mkdir -p "$dir/house/tests" "$dir/house/common" "$dir/house/node/work" \
	    "$dir/house/transport" "$dir/house/trust" "$dir/house/sandbox" \
	    "$dir/house/audit"
	cd "$dir/house"
	printf '1\tcommon\tx\n2\tnode/work\tx\n' >tests/layers
	: >tests/members.allow
	header common/low.h 'struct low {
	int seen;
};
enum low_kind { LOW_ONE, LOW_TWO };
int low_go(struct low *, enum low_kind);'
	source common/low.c '#include "common/low.h"

int
low_go(struct low *l, enum low_kind k)
{
	l->seen = k == LOW_ONE ? 1 : 2;
	return l->seen;
}'
	header node/work/a.h 'int a_go(int);'
	source node/work/a.c '#include "node/work/a.h"
#include "common/low.h"

int
a_go(int n)
{
	struct low l = {n};

	return low_go(&l, LOW_TWO);
}'
	source node/work/b.c '#include "node/work/a.h"

int b_go(int);

int
b_go(int n)
{
	return a_go(n);
}'
}

licence='/* SPDX-License-Identifier: BSD-2-Clause */'
source() { printf '%s\n%s\n' "$licence" "$2" >"$1"; }
header() {
	guard=WARREN_$(printf %s "$1" | tr 'a-z/.' 'A-Z__')
	printf '%s\n#ifndef %s\n#define %s\n%s\n#endif\n' "$licence" "$guard" \
	    "$guard" "$2" >"$1"
}
build() {
	for c in common/*.c node/work/*.c; do
		$CC -I. -c "$c" -o "${c%.c}.o"
	done
}

run() { # check, what it must say ("" for clean), title
	rc=0
	out=$(srcdir=. LAYERS=tests/layers ALLOW=tests/members.allow \
	    sh "$src/tests/$1" 2>&1) || rc=$?
	case $rc/$2 in
	77/*) echo "$out"; exit 77 ;;
	0/) ;;
	0/*) echo "check-selftest: $1 did not see: $3"; failed=1 ;;
	*/) echo "check-selftest: $1 on a clean house: $out"; failed=1 ;;
	*) case $out in
		*"$2"*) ;;
		*) echo "check-selftest: $1 on $3 said: $out"; failed=1 ;;
		esac ;;
	esac
}

house; build
for c in check-layers check-members check-banned; do run $c "" clean; done

house
header node/work/a.h '#define A 1'
sed -i 's,"common/low.h",&\n#include "node/work/a.h",' common/low.c
run check-layers "common/low.c (rank 1) includes node/work/a.h" "an include that runs up"

house
sed -i 's,"common/low.h","low.h",' common/low.c
run check-layers 'common/low.c includes "low.h"' "an include that is not from the root"

house
mkdir other && cp common/low.c node/low.c
run check-layers "node/low.c lies in no room" "a file without a room"

house
sed -i 's/^low_go(/int a_go(int);\nint\nlow_go(/; s/return l->seen/return a_go(l->seen)/' common/low.c
sed -i 's/^int$//' common/low.c
build 2>/dev/null || { echo "check-selftest: cannot build the fault"; failed=1; }
run check-layers "common/low.c (rank 1) calls a_go() of" "a symbol from a higher room"

house
sed -i 's/return low_go(&l, LOW_TWO)/extern int b_go(int);\n\treturn low_go(\&l, LOW_TWO) + b_go(n)/' node/work/a.c
build
run check-layers "circle: node/work/a.c calls b_go() of node/work/b.c" "a circle"

house
sed -i 's/int seen;/int seen, unread;/' common/low.h
sed -i 's/return l->seen;/l->unread = 1;\n\treturn l->seen;/' common/low.c
run check-members "unread is written, and read by nobody" "a member that is only written"

house
sed -i 's/LOW_TWO }/LOW_TWO, LOW_THREE }/' common/low.h
run check-members "LOW_THREE is named once" "a constant that is named once"

house
echo 'seen # no reason' >tests/members.allow
run check-members "seen of tests/members.allow is in use" "an allowance that is not needed"

house
echo '/* */ int c = 0; void f(char *a, char *b) { strcpy(a, b); }' >>node/work/a.c
run check-banned "banned: strcpy(" "a banned function"

house
sed -i 1d node/work/a.c
run check-banned "no SPDX line" "a file without a licence"

house
sed -i 's/WARREN_NODE_WORK_A_H/A_H/' node/work/a.h
run check-banned "include guard is not WARREN_NODE_WORK_A_H" "another guard"

house
printf 'int f(const uint8_t job[32]);\n' >>node/work/a.c
run check-banned "struct hash16, id32 or fp: uint8_t job[32]" "a hash of a bare size"

house
printf 'int g(int fd)\n{\n\treturn fd == -1;\n}\n' >>node/work/a.c
run check-banned "an error is asked for by < 0" "another form of an error"

house
printf 'bool f(void)\n{\n\treturn sodium_base642bin(0, 0, 0, 0, 0, 0, 0, 1) == 0;\n}\n' >>node/work/a.c
run check-banned "base64 is read by common/b64.h" "base64 by libsodium alone"

[ $failed = 0 ] && echo "check-selftest: every planted fault was found"
exit $failed
