#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What takes hours: every fuzz target under libFuzzer, programs killed and stopped under jobs, the demonstration in a loop.
#   long.sh BUILD; LONG_FUZZ_S seconds a target (default 3600), LONG_SOAK_S seconds of soaking (default 7200),
#   LONG_KILLS programs killed under jobs (default 200),
#   LONG_MANY jobs one after the other, as root and as a user (default 10000)
# Prints "ok NAME" or "not ok NAME" lines, as ./check counts them. Crashes are left in BUILD/fuzz/crash-*.
set -uo pipefail
build=$1
top=$(cd "$(dirname "$0")/.." && pwd)
fuzz_s=${LONG_FUZZ_S:-3600}
soak_s=${LONG_SOAK_S:-7200}

fuzz=$build/fuzz
mkdir -p "$fuzz"
if [ ! -f "$fuzz/config.status" ]; then
	(cd "$fuzz" && "$top/configure" -q CC=clang --enable-fuzzers --enable-sanitizers CFLAGS="-O1 -g") || exit 1
fi
targets=$(sed -n 's/^tests_fuzz_\(fuzz_[a-z0-9_]*\)_SOURCES.*/\1/p' "$top"/tests/unit/*.am.include | sort -u)
for t in $targets; do
	noun=${t#fuzz_}
	corpus=$fuzz/corpus/$noun
	mkdir -p "$corpus"
	if ! make -C "$fuzz" -s "tests/fuzz/$t" >"$fuzz/$t.build" 2>&1; then
		echo "not ok fuzz: $noun does not build, see $fuzz/$t.build"
		continue
	fi
	if (cd "$fuzz" && "tests/fuzz/$t" -max_total_time="$fuzz_s" -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$fuzz/crash-$noun-" "$corpus" "$top/tests/fuzz/corpus/$noun") >"$fuzz/$t.log" 2>&1; then
		echo "ok fuzz: $noun, $(sed -n 's/^stat::number_of_executed_units: *//p' "$fuzz/$t.log") runs"
	else
		echo "not ok fuzz: $noun, see $fuzz/$t.log"
	fi
done

if SYSTEM_S=14400 STORM_KILLS=${LONG_KILLS:-200} "$top/tests/in-group" "$top/tests/system/run" "$build" storm 2>"$build/storm.log"; then :; else
	# one that was cut off has printed nothing
	echo "not ok storm: exit $?, see $build/storm.log"
fi
make -C "$build" -s tests/unit/test_power tests/unit/test_lives >"$build/units.log" 2>&1
if POWER_ALL=1 "$build/tests/unit/test_power" >"$build/power.log" 2>&1; then
	echo "ok ledger: no power, $(sed -n "s/^# //p" "$build/power.log" | tr "\n" ";")"
else
	echo "not ok ledger: no power, see $build/power.log"
fi
if LIVES_PAIRS=1 "$build/tests/unit/test_lives" >"$build/lives.log" 2>&1; then
	echo "ok lives: two deaths, $(sed -n "s/^# //p" "$build/lives.log")"
else
	echo "not ok lives: two deaths, see $build/lives.log"
fi
DOORS_LONG=1 BURST=400000 "$top/tests/in-group" "$top/tests/system/run" "$build" doors burst 2>"$build/doors.log"
FORENSICS_LONG=1 "$top/tests/in-group" "$top/tests/system/run" "$build" forensics 2>"$build/forensics.log"
CONTRACT_LONG=1 "$top/tests/in-group" "$top/tests/system/run" "$build" contract 2>"$build/contract.log"
KLPWEB_LONG=1 "$top/tests/in-group" "$top/tests/system/run" "$build" klpweb 2>"$build/klpweb.log"
KLPMESH_LONG=1 "$top/tests/in-group" "$top/tests/system/run" "$build" klpmesh 2>"$build/klpmesh.log"
RESTARTS_LONG=1 "$top/tests/in-group" "$top/tests/system/run" "$build" restarts 2>"$build/restarts.log"
if make -C "$build" -s tests/oracle/kte1_lines >"$build/oracle.log" 2>&1 &&
	(cd "$build" && srcdir=$top "$top/tests/oracle/kte1.sh" 20000) >>"$build/oracle.log" 2>&1; then
	echo "ok oracle: 20,000 trust graphs"
else
	echo "not ok oracle: see $build/oracle.log"
fi
seed=$RANDOM
if make -C "$build" -s tests/sim/revoke >"$build/revoke.log" 2>&1; then
	"$build/tests/sim/revoke" -n 1000 -m 35 -r 50 -l 10 -s "$seed"
	"$build/tests/sim/revoke" -n 200 -m 40 -r 10 -l 10 -s "$seed" -2
else
	echo "not ok revoke: see $build/revoke.log"
fi
echo "# floods, mesh, week and absence: seed $seed"
if make -C "$build" -s tests/sim/flood >"$build/flood.log" 2>&1; then
	"$build/tests/sim/flood" 10000000 "$seed"
else
	echo "not ok flood does not build, see $build/flood.log"
fi
if make -C "$build" -s tests/sim/burst >"$build/burst.log" 2>&1; then
	"$build/tests/sim/burst" 600 "$RANDOM"
else
	echo "not ok burst does not build, see $build/burst.log"
fi
if make -C "$build" -s tests/sim/mesh >"$build/mesh.log" 2>&1; then
	# an hour of a thousand, and it is to take less than five minutes; then a day with loss
	begin=$SECONDS
	"$build/tests/sim/mesh" -n 1000 -H 1 -r 50 -c 2 -p 100 -s "$seed"
	if [ $((SECONDS - begin)) -lt 300 ]; then echo "ok mesh: $((SECONDS - begin)) s"; else echo "not ok mesh: $((SECONDS - begin)) s"; fi
	"$build/tests/sim/mesh" -n 200 -d 200 -H 24 -l 20 -r 200 -c 4 -p 100 -s "$seed" -2
	for map in grid ring star; do
		"$build/tests/sim/mesh" -n 120 -H 2 -r 20 -c 2 -t "$map" -s "$seed"
	done
else
	echo "not ok mesh does not build, see $build/mesh.log"
fi
if make -C "$build" -s tests/sim/week >"$build/week.log" 2>&1; then
	"$build/tests/sim/week" 100 "$seed"
else
	echo "not ok week does not build, see $build/week.log"
fi
if make -C "$build" -s tests/sim/absence tests/sim/vwarren >"$build/absence.log" 2>&1; then
	# a hundred jobs in a day, and in the midst of it the link is away for another one
	"$build/tests/sim/absence" -j 100 -H 24 -p 24 -s "$seed" 2>&1 || echo "not ok absence: seed $seed"
else
	echo "not ok absence does not build, see $build/absence.log"
fi
if make -C "$build" -s tests/unit/flood_requests >"$build/flood.log" 2>&1; then
	"$build/tests/unit/flood_requests" 1000000 "$seed"
else
	echo "not ok flood_requests does not build, see $build/flood.log"
fi

LONG=1 "$top/tests/escape/run" "$build"

# A virtual environment of the build folder; its test says what it lacks.
more_venv() {
	local dir=$build/venv-$1
	shift
	[ -x "$dir/bin/rnsd" ] || { python3 -m venv "$dir" && "$dir/bin/pip" install -q --disable-pip-version-check "$@"; } >/dev/null 2>&1
}

# links that break while bytes move; every stock tool; applications
more_venv 1.3.3 rns==1.3.3
more_venv apps rns==1.5.7 nomadnet==1.4.4 lxmf==1.2.1
stock=$build/venv-1.5.7/bin/python
if [ -x "$stock" ]; then
	"$stock" "$top/tests/interop/run.py" --build "$build" --python "$stock" --python-old "$build/venv-1.4.2/bin/python" \
		--long 2>"$build/links.log" | grep -E '^(ok|not ok|skip) '
else
	echo "not ok links: ./check interop makes $stock"
fi

make -C "$build" -s tests/escape/transport_hostile >"$build/standin.log" 2>&1
HUB_LONG=1 "$top/tests/in-group" "$top/tests/system/run" "$build" hub 2>"$build/hub.log"
AUTO_LONG=1 LINE_LONG=1 PIPE_LONG=1 "$top/tests/in-group" "$top/tests/system/run" "$build" auto line pipe replug 2>"$build/auto.log"
WATCHDOG_LONG=1 "$top/tests/in-group" "$top/tests/system/run" "$build" watchdog 2>"$build/watchdog.log"
INTEGRITY_LONG=1 "$top/tests/in-group" "$top/tests/system/run" "$build" integrity 2>"$build/integrity.log"
STANDIN_LONG=1 "$top/tests/in-group" "$top/tests/system/run" "$build" standin 2>>"$build/standin.log"
WARREN_MANY=${LONG_MANY:-10000} "$top/tests/in-group" "$top/tests/escape/run" "$build" many 2>"$build/many.log"

"$top/tests/tarball.sh" "$build" 2>"$build/tarball.err"
"$top/tests/package.sh" "$build" 2>"$build/package.err"
"$top/tests/static.sh" "$build" 2>"$build/static.err"
# what holds for a whole machine, in one of its own
"$top/tests/vm/run" "$build" 2>"$build/vm.err"

end=$((SECONDS + soak_s)) n=0 bad=0
while [ $SECONDS -lt $end ]; do
	n=$((n + 1))
	"$top/tests/demo.sh" "$build" no >"$build/soak.log" 2>&1 || { bad=$((bad + 1)); cp "$build/soak.log" "$build/soak-failed-$n.log"; }
done
if [ $bad = 0 ]; then echo "ok soak: $n jobs across three daemons"; else echo "not ok soak: $bad of $n"; fi
