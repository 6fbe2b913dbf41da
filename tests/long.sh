#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What takes hours, in parts that each stand alone, so that they can be spread over days.
#   long.sh BUILD [PART...]   these parts, or all in the order of --list
#   long.sh --list            their names and what each does
#   long.sh --knows PART...   whether there are these parts: 0, or 2 and which there is not
# A part of several things takes one of them as PART:NAME: fuzz:packet is that target alone.
# LONG_FUZZ_S   seconds of this run for each fuzz target (3600); BUILD/fuzz/seconds counts those of all runs
# LONG_SOAK_S   seconds of soaking (7200)
# LONG_KILLS    programs killed under jobs (200)
# LONG_MANY     jobs one after the other, as root and as a user (10000)
# LONG_SEED     of the simulations; a new one each time, and said
# Prints "ok NAME", "not ok NAME" or "skip NAME: reason" lines, as ./check counts them, and how long each part took.
# Crashes of fuzz targets are left in BUILD/fuzz/crash-*, corpora in BUILD/fuzz/corpus.
set -uo pipefail
export PYTHONDONTWRITEBYTECODE=1
top=$(cd "$(dirname "$0")/.." && pwd)
seed=${LONG_SEED:-$RANDOM}
only= # NAME of PART:NAME

system() { # log, names...; those that need a stock program say so where it could not be installed
	local log=$build/$1.log
	shift
	"$top/tests/venv" "$build" 1.5.7 rns==1.5.7
	"$top/tests/in-group" "$top/tests/system/run" "$build" "$@" 2>>"$log"
}
program() { # made in the build folder; said when it is not
	make -C "$build" -s "$@" >"$build/long-make.log" 2>&1 && return
	echo "not ok $*: does not build, see $build/long-make.log"
	return 1
}
said() { # name, command...: one line of ours for a command that prints none
	local name=$1 log=$build/long-said.log
	shift
	if "$@" >"$log" 2>&1; then
		echo "ok $name: $(sed -n 's/^# //p' "$log" | tr '\n' ';')"
	else
		cp "$log" "$build/long-failed.log"
		echo "not ok $name: see $build/long-failed.log"
	fi
}
stock() { # of RNS, both releases
	"$top/tests/venv" "$build" 1.5.7 rns==1.5.7 && "$top/tests/venv" "$build" 1.4.2 rns==1.4.2 && return
	echo "not ok $1: rns could not be installed with pip"
	return 1
}

# ---- parts: the rest of the line is their description ----

fuzz_targets() { sed -n 's/^tests_fuzz_fuzz_\([a-z0-9_]*\)_SOURCES.*/\1/p' "$top"/tests/unit/*.am.include | sort -u; }

# What a target has had, in all runs of this build folder: BUILD/fuzz/seconds, "NOUN SECONDS" a line.
fuzz_had() { awk -v n="$1" '$1 == n { s = $2 } END { print s + 0 }' "$build/fuzz/seconds" 2>/dev/null || echo 0; }
fuzz_count() { # noun, seconds more; several runs may count at once
	local had
	exec 9>"$build/fuzz/seconds.lock"
	flock 9
	had=$(($(fuzz_had "$1") + $2))
	{ grep -v "^$1 " "$build/fuzz/seconds" 2>/dev/null; echo "$1 $had"; } >"$build/fuzz/seconds.new"
	mv "$build/fuzz/seconds.new" "$build/fuzz/seconds"
	exec 9>&-
	echo "$had"
}
# What a target's parser compares with, for libFuzzer: the literals of the sources and folders that it names behind "words:".
fuzz_words() { # noun
	local files
	files=$(sed -n 's|^/\* words: \(.*\) \*/$|\1|p' "$top/tests/fuzz/fuzz_$1.c")
	[ -z "$files" ] || (cd "$top" && grep -roh --include='*.c' '"[][A-Za-z0-9_./+:=@-]\{2,40\}"' $files | grep -v '\.h"$' | sort -u)
}
fuzz_one() { # noun
	local noun=$1 t=fuzz_$1 fuzz=$build/fuzz began rc had dict=
	local corpus=$fuzz/corpus/$noun
	mkdir -p "$corpus"
	if ! make -C "$fuzz" -s "tests/fuzz/$t" >"$fuzz/$t.build" 2>&1; then
		echo "not ok fuzz: $noun does not build, see $fuzz/$t.build"
		return
	fi
	fuzz_words "$noun" >"$fuzz/$t.words"
	[ ! -s "$fuzz/$t.words" ] || dict="-dict=$fuzz/$t.words"
	began=$(date +%s)
	(cd "$fuzz" && "tests/fuzz/$t" ${dict:+"$dict"} -max_total_time="${LONG_FUZZ_S:-3600}" -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$fuzz/crash-$noun-" "$corpus" "$top/tests/fuzz/corpus/$noun") >"$fuzz/$t.log" 2>&1
	rc=$?
	had=$(fuzz_count "$noun" $(($(date +%s) - began)))
	if [ $rc = 0 ]; then
		echo "ok fuzz: $noun, $(sed -n 's/^stat::number_of_executed_units: *//p' "$fuzz/$t.log") runs, $had s in all"
	else
		echo "not ok fuzz: $noun, $had s in all, see $fuzz/$t.log"
	fi
}
part_fuzz() { # each fuzz target under libFuzzer for LONG_FUZZ_S; fuzz:NOUN is one of them
	local t had least= few=
	mkdir -p "$build/fuzz"
	if [ ! -f "$build/fuzz/config.status" ]; then
		if ! (cd "$build/fuzz" && "$top/configure" -q CC=clang --enable-fuzzers --enable-sanitizers CFLAGS="-O1 -g") \
			>"$build/fuzz/configure.log" 2>&1; then
			echo "not ok fuzz: see $build/fuzz/configure.log"
			return
		fi
	fi
	for t in ${only:-$(fuzz_targets)}; do fuzz_one "$t"; done
	for t in $(fuzz_targets); do
		had=$(fuzz_had "$t")
		if [ -z "$least" ] || [ "$had" -lt "$least" ]; then least=$had; fi
		[ "$had" -ge 3600 ] || few="$few $t $had"
	done
	echo "# fuzz: each target has had $least s or more in all runs; less than an hour, and how much:${few:- none}"
}
part_storm() { # LONG_KILLS programs killed or stopped while twenty jobs are there
	# one that was cut off has printed nothing
	SYSTEM_S=14400 STORM_KILLS=${LONG_KILLS:-200} system storm storm || echo "not ok storm: exit $?, see $build/storm.log"
}
part_power() { # the ledger without power at every write
	program tests/unit/test_power && POWER_ALL=1 said "ledger: no power" "$build/tests/unit/test_power"
}
part_lives() { # jobs whose programs die twice, every pair of moments
	program tests/unit/test_lives && LIVES_PAIRS=1 said "lives: two deaths" "$build/tests/unit/test_lives"
}
part_images() { # images of real distributions and tools, and hostile ones, the slow rows
	IMAGES_LONG=1 BADIMAGE_LONG=1 SYSTEM_S=3600 system images images badimage oddimage
}
part_pull() { # images of a real registry, the slow rows
	PULL_LONG=1 system pull pull
}
attacks_under() { # runner, rows that say nothing, command...: the attacks under it, in one row a test
	local r=$1 shown=$2 t out bad good least
	shift 2
	for t in jail:30 probes:30 states:8; do
		least=${t#*:} t=${t%:*}
		out=$("$@" "$top/tests/in-group" "$top/tests/escape/run" "$build" "$t" 2>>"$build/runner.log" | grep -Ev "$shown")
		bad=$(grep -c '^not ok' <<<"$out")
		grep '^not ok' <<<"$out" | sed "s/^not ok /not ok $r: /"
		good=$(grep -c '^ok' <<<"$out")
		if [ "$good" -lt "$least" ]; then
			echo "not ok escape: test_$t under $r has $good good lines of $least or more"
		elif [ "$bad" = 0 ]; then
			echo "ok escape: test_$t under $r, $good lines"
		fi
	done
}
docker_part() { # the same under docker's daemon, which is asked by root only
	[ "$(id -u)" = 0 ] && command -v dockerd >/dev/null || { echo "skip runner docker: no root, or dockerd is not installed"; return; }
	LONG=1 SYSTEM_S=1800 system docker docker
	attacks_under docker '\((user|namespace)\)' "$top/tests/system/with-docker"
}
part_runner() { # jobs in containers of other programs; the attacks under each
	local r tool PATH=$PATH
	# crun, runc, podman from Debian; nsjail as tests/nsjail has it
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends bubblewrap crun runc podman docker.io >"$build/runner.log" 2>&1
	fi
	tool=$("$top/tests/nsjail" "$build" 2>>"$build/runner.log") && PATH=$PATH:$(dirname "$tool")
	LONG=1 system runner runner
	docker_part
	for r in bubblewrap:bwrap crun:crun nsjail:nsjail runc:runc podman:podman; do
		if ! tool=$(command -v "${r#*:}"); then
			echo "skip escape under ${r%:*}: it is not installed"
			continue
		fi
		attacks_under "${r%:*}" '^$' env "WARREN_RUNNER=${r%:*}:$tool"
	done
}
part_faults() { # each write of a node fails once, and for two seconds, while jobs come and end
	SYSTEM_S=3600 LONG=1 system faults faults
}
part_doors() { # hostile neighbours at every door, and a burst of 400,000 packets
	DOORS_LONG=1 BURST=400000 system doors doors burst
}
part_forensics() { # evidence of many jobs
	FORENSICS_LONG=1 system forensics forensics
}
part_contract() { # contracts, the slow rows
	CONTRACT_LONG=1 system contract contract
}
part_klp() { # documents of an authority over HTTPS and over the mesh, a revocation of fifty jobs: the slow rows
	KLPWEB_LONG=1 KLPWEB_STRIKES=50 SYSTEM_S=3000 system klp klpweb
	KLPMESH_LONG=1 system klp klpmesh
	REVOCATION_LONG=1 system revocation revocation
}
part_restarts() { # programs that fall again and again
	RESTARTS_LONG=1 system restarts restarts
}
part_oracle() { # 20,000 trust graphs, 3,000 authorities and many proofs beside the text
	program tests/oracle/kte1_lines tests/oracle/law_lines tests/oracle/proof_lines || return
	if (cd "$build" && srcdir=$top "$top/tests/oracle/kte1.sh" 20000) >"$build/oracle.log" 2>&1; then
		echo "ok oracle: 20,000 trust graphs"
	else
		echo "not ok oracle: see $build/oracle.log"
	fi
	if (cd "$build" && srcdir=$top "$top/tests/oracle/klp.sh" 3000) >"$build/oracle-klp.log" 2>&1; then
		echo "ok oracle: 3,000 histories of an authority"
	else
		echo "not ok oracle: see $build/oracle-klp.log"
	fi
	if (cd "$build" && srcdir=$top "$top/tests/oracle/proof.sh" 20000) >"$build/oracle-proof.log" 2>&1; then
		echo "ok oracle: 80,000 proofs of logs"
	else
		echo "not ok oracle: see $build/oracle-proof.log"
	fi
}
part_revoke() { # a revocation through 1,000 nodes
	program tests/sim/revoke || return
	"$build/tests/sim/revoke" -n 1000 -m 35 -r 50 -l 10 -s "$seed"
	"$build/tests/sim/revoke" -n 200 -m 40 -r 10 -l 10 -s "$seed" -2
}
part_flood() { # ten million hostile frames beside honest links
	program tests/sim/flood && "$build/tests/sim/flood" 10000000 "$seed"
}
part_burst() { # ten minutes of new destinations, 50 a second
	program tests/sim/burst && "$build/tests/sim/burst" 600 "$seed"
}
part_mesh() { # an hour of 1,000 nodes in less than five minutes, a day of 200 with loss, three maps
	local began=$SECONDS map
	program tests/sim/mesh || return
	"$build/tests/sim/mesh" -n 1000 -H 1 -r 50 -c 2 -p 100 -s "$seed"
	if [ $((SECONDS - began)) -lt 300 ]; then echo "ok mesh: $((SECONDS - began)) s"; else echo "not ok mesh: $((SECONDS - began)) s"; fi
	"$build/tests/sim/mesh" -n 200 -d 200 -H 24 -l 20 -r 200 -c 4 -p 100 -s "$seed" -2
	for map in grid ring star; do
		"$build/tests/sim/mesh" -n 120 -H 2 -r 20 -c 2 -t "$map" -s "$seed"
	done
}
part_week() { # a week of people and a node in virtual time
	program tests/sim/week && "$build/tests/sim/week" 100 "$seed"
}
part_absence() { # a hundred jobs over a link that comes and goes, and is away for a day
	program tests/sim/absence tests/sim/vwarren || return
	"$build/tests/sim/absence" -j 100 -H 24 -p 24 -s "$seed" 2>&1 || echo "not ok absence: seed $seed"
	"$build/tests/sim/absence" -d -j 100 -H 12 -p 100 -s "$seed" 2>&1 || echo "not ok absence: away for four days, seed $seed"
}
part_forecast() { # how long a transfer is said to take, beside what it takes, with 0 to 30 % of loss, 600 bit/s to 50 kbit/s
	local what
	program tests/sim/forecast || return
	for what in all wide; do
		if "$build/tests/sim/forecast" $what >"$build/forecast.log" 2>&1; then
			grep -a '^#' "$build/forecast.log"
			echo "ok forecast $what: within a tenth"
		else
			cat "$build/forecast.log"
			echo "not ok forecast $what"
		fi
	done
	rm -f "$build/forecast.log"
}
part_badday() { # a hundred days of people who give any command at any time, interrupted, over a bad link
	local n bad=0 one
	program tests/sim/badday tests/sim/vwarren || return
	for n in $(seq 100); do
		one="-j $((2 + n % 7)) -H $((1 + n % 3)) -s $((seed + n))"
		"$build/tests/sim/badday" -1 $one >"$build/badday.log" 2>&1 && continue
		grep -av '^ok ' "$build/badday.log"
		echo "not ok badday: $one"
		bad=1
	done
	rm -f "$build/badday.log"
	[ $bad = 1 ] || echo "ok badday: a hundred days"
}
part_requests() { # a million hostile requests beside honest jobs
	program tests/unit/flood_requests && "$build/tests/unit/flood_requests" 1000000 "$seed"
}
part_escape() { # what a job can reach, the slow attacks too
	LONG=1 "$top/tests/escape/run" "$build" 2>"$build/escape-long.log"
}
part_many() { # LONG_MANY jobs one after the other leave nothing
	WARREN_MANY=${LONG_MANY:-10000} "$top/tests/in-group" "$top/tests/escape/run" "$build" many 2>"$build/many.log"
}
part_interop() { # links that break while bytes move, every stock tool, applications; interop:WORD is one of them
	stock interop || return
	"$top/tests/venv" "$build" 1.3.3 rns==1.3.3
	"$top/tests/venv" "$build" apps rns==1.5.7 nomadnet==1.4.4 lxmf==1.2.1
	"$top/tests/venv" "$build" sigstore rns==1.5.7 sigstore==4.5.1
	# shellcheck disable=SC2086
	"$build/venv-1.5.7/bin/python" "$top/tests/interop/run.py" --build "$build" --python "$build/venv-1.5.7/bin/python" \
		--python-old "$build/venv-1.4.2/bin/python" --long $only 2>"$build/links.log" | grep --line-buffered -E '^(ok|not ok|skip) '
}
part_wasi() { # the public suite of WASI: WASI_TESTSUITE names its folder, branch prod/testsuite-base, made tests
	local suite=${WASI_TESTSUITE:-$build/wasi-testsuite}
	if [ ! -d "$suite" ]; then
		echo "skip wasi: WASI_TESTSUITE names no folder of WebAssembly/wasi-testsuite, branch prod/testsuite-base"
	elif program tests/wasm/suite; then
		python3 "$top/tests/wasm/suite.py" "$build/tests/wasm/suite" "$suite"
	fi
}
part_wasmspec() { # the public suite of WebAssembly: WASM_SPEC names its folder, WebAssembly/testsuite; what traps, what is refused
	local suite=${WASM_SPEC:-$build/wasm-spec}
	if [ ! -d "$suite" ]; then
		echo "skip wasmspec: WASM_SPEC names no folder of WebAssembly/testsuite"
	elif program warren-wasm; then
		python3 "$top/tests/wasm/spec.py" "$build" "$suite" 2>"$build/wasmspec.err"
	fi
}
part_programs() { # modules that are real programs: Python's interpreter, a component of it, SQLite, C++
	WASM_LONG=1 WASM_PROGRAMS=$build/wasm-programs system wasm wasm
}
part_hub() { # events to a hub that is slow, gone, wrong
	HUB_LONG=1 system hub hub
}
part_auto() { # interfaces whose devices come and go
	AUTO_LONG=1 LINE_LONG=1 PIPE_LONG=1 system auto auto line pipe replug garbage
}
part_watchdog() { # watchdogs of others
	WATCHDOG_LONG=1 system watchdog watchdog
}
part_integrity() { # what lies on the disk, the slow rows
	INTEGRITY_LONG=1 system integrity integrity
}
part_standin() { # a hostile transport among the real others
	program tests/escape/transport_hostile && STANDIN_LONG=1 system standin standin
}
part_tarball() { # what make dist makes: built, tested, installed, uninstalled
	"$top/tests/tarball.sh" "$build" 2>"$build/tarball.err"
}
part_package() { # Debian packages: installed, upgraded, removed, purged
	"$top/tests/package.sh" "$build" 2>"$build/package.err"
}
part_static() { # static programs
	stock static && "$top/tests/static.sh" "$build" 2>"$build/static.err"
}
part_vm() { # what holds for a whole machine, in one of its own
	"$top/tests/vm/run" "$build" 2>"$build/vm.err"
}
part_arm64() { # everything for AArch64: unit tests emulated and with its kernel, jobs there
	"$top/tests/vm/arm64" "$build" 2>"$build/arm64.err"
}
part_soak() { # the demonstration in a loop for LONG_SOAK_S
	local end=$((SECONDS + ${LONG_SOAK_S:-7200})) n=0 bad=0
	while [ $SECONDS -lt $end ]; do
		n=$((n + 1))
		"$top/tests/demo.sh" "$build" no >"$build/soak.log" 2>&1 || { bad=$((bad + 1)); cp "$build/soak.log" "$build/soak-failed-$n.log"; }
	done
	if [ $bad = 0 ]; then echo "ok soak: $n jobs across three daemons"; else echo "not ok soak: $bad of $n"; fi
}

# ----

parts() { sed -n 's/^part_\([a-z0-9]*\)() { # .*$/\1/p' "$0"; }

if [ "${1:-}" = --list ]; then
	sed -n 's/^part_\([a-z0-9]*\)() { # \(.*\)$/\1\t\2/p' "$0" | expand -t 12
	exit 0
fi
knows() { # part...
	local p w
	for p; do
		parts | grep -qx -- "${p%%:*}" || { echo "long: no part named ${p%%:*} (see --list)" >&2; return 2; }
		case $p in
		fuzz:*) fuzz_targets | grep -qx -- "${p#*:}" ||
			{ echo "long: no fuzz target ${p#*:} among $(fuzz_targets | tr '\n' ' ')" >&2; return 2; } ;;
		interop:?*)
			# what they import may not be installed yet; they are asked again when it is
			python3 -c 'import cryptography' 2>/dev/null || continue
			# shellcheck disable=SC2086
			for w in ${p#*:}; do
				python3 "$top/tests/interop/run.py" --list --long "$w" >/dev/null ||
					{ echo "long: no interop test of this part has $w in its name" >&2; return 2; }
			done ;;
		*:*) echo "long: ${p%%:*} has no parts of its own" >&2; return 2 ;;
		esac
	done
}
case ${1:-} in
--help)
	sed -n '3,/^set /s/^# \{0,1\}//p' "$0"
	exit 0
	;;
--knows)
	shift
	knows "$@"
	exit
	;;
esac
build=$(cd "${1:?folder of the build, or --help}" && pwd) || exit 2
shift
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(parts)
knows "$@" || exit 2

out=$(mktemp "${TMPDIR:-/tmp}/warren-long.XXXXXX")
trap 'rm -f "$out"' EXIT
table= all=0
for p; do
	only=
	[ "$p" = "${p%%:*}" ] || only=${p#*:}
	echo "# $p: begins at $(date +%H:%M:%S), seed $seed"
	began=$SECONDS
	"part_${p%%:*}" | tee "$out"
	took=$((SECONDS - began))
	bad=$(grep -c '^not ok ' "$out")
	all=$((all + bad))
	table="$table$(printf '# %-14s %6d s  %3d ok  %3d not ok  %3d skip' "$p" $took "$(grep -c '^ok ' "$out")" "$bad" "$(grep -c '^skip ' "$out")")
"
	# a part that ended without a word has tested nothing
	grep -qE '^(ok|not ok|skip) ' "$out" || { echo "not ok $p: said nothing"; all=$((all + 1)); }
done
printf '%s' "$table"
echo "# long: $# parts, $SECONDS s, $all not ok"
[ $all = 0 ]
