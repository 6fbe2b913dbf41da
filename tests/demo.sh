#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A job travels: submitter -> relay -> compute node, and comes back with a receipt.
# demo.sh BUILD [yes|no: keep the folder]. Prints one result line for ./check.
set -euo pipefail
build=$(cd "$1" && pwd) keep=${2:-no}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/warren-demo.XXXXXX")
pids=
failed() {
	echo "not ok demo: $1"
	for l in "$dir"/*.log; do
		[ -f "$l" ] && { echo "--- $(basename "$l")"; tail -n 15 "$l"; }
	done
	exit 1
}
finish() {
	local p
	for p in $pids; do kill "$p" 2>/dev/null || true; done
	for p in $pids; do wait "$p" 2>/dev/null || true; done
	"$here/in-group" --clean
	if [ "$keep" = yes ]; then echo "kept: $dir"; else chmod -R u+rwX "$dir"; rm -rf "$dir"; fi
}
trap finish EXIT
cd "$dir"
until_ok() { # seconds, what is waited for, command...
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -le $end ] || failed "in vain: $what"
		sleep 0.05
	done
}
say() { printf '\n== %s\n' "$*"; }
warren() { "$build/warren" "$@"; }

say "Three machines in $dir: node - relay - submitter"
chmod 755 "$dir"
# One that nobody listens on, below those that outgoing connections are given.
port() {
	local p
	while p=$((10000 + RANDOM % 20000)) && (: <>/dev/tcp/127.0.0.1/$p) 2>/dev/null; do :; done
	echo $p
}
relay_port=$(port)
config() { # name, transport yes|no, interface lines
	mkdir -m 700 "$dir/$1"
	cat >"$dir/$1/config" <<C
[reticulum]
  enable_transport = $2
  share_instance = yes
  instance_name = warren-demo-$$-$1

[logging]
  loglevel = 4

[interfaces]
$3
C
	chmod 600 "$dir/$1/config"
}
config relay yes "  [[mast]]
    type = TCPServerInterface
    enabled = yes
    listen_ip = 127.0.0.1
    listen_port = $relay_port"
for m in node submitter; do
	config $m no "  [[to the mast]]
    type = TCPClientInterface
    enabled = yes
    target_host = 127.0.0.1
    target_port = $relay_port"
done

say "An image, and who may use the node"
mkdir -p "$dir/rootfs/bin" "$dir/rootfs/tmp" "$dir/rootfs/proc" "$dir/rootfs/dev"
cp "$(command -v busybox)" "$dir/rootfs/bin/busybox"
for c in sh sort tee cat true ls id wc uname; do ln -s busybox "$dir/rootfs/bin/$c"; done
warren image import "$dir/rootfs" --name demo/busybox:latest --config "$dir/node"
me=$(warren identity show --json --identity "$dir/person" |
	sed -n 's/.*"urn": *"\([^"]*\)".*/\1/p')
key=$(warren identity show --json --config "$dir/node" |
	sed -n 's/.*"key": *"\([^"]*\)".*/\1/p')
dest=$(warren identity show --json --config "$dir/node" |
	sed -n 's/.*"destination": *"\([^"]*\)".*/\1/p')
cat >"$dir/node/node.yaml" <<C
mesh_identity: $key
accept_computation_requests: true
name: burrow
trust:
  pins:
    - {id: "$me", level: 2}
C
chmod 600 "$dir/node/node.yaml"
lacking=
"$here/in-group" "$build/warrend" --config "$dir/node" --layers >"$dir/layers" 2>>"$dir/node.log" || true
for l in memory cpu pids; do
	grep -qw $l "$dir/layers" || lacking="$lacking $l"
done
if [ -n "$lacking" ]; then
	echo "No control group was given to this user:$lacking are not limited here."
	list=user,pid,mount,net,ipc,uts,caps,seccomp
	for l in memory cpu pids; do
		case $lacking in *$l*) ;; *) list=$list,$l ;; esac
	done
	echo "require_layers: [${list//,/, }]" >>"$dir/node/node.yaml"
fi
cat "$dir/node/node.yaml"

say "Starting the three daemons"
for m in relay node submitter; do
	"$here/in-group" "$build/warrend" --config "$dir/$m" >"$dir/$m.log" 2>&1 &
	pids="$pids $!"
	until_ok 90 "warrend of $m answers" warren status --config "$dir/$m"
done

say "Submitting"
mkdir "$dir/data"
printf 'badger\nrabbit\nant\nmole\n' >"$dir/data/words"
mkdir "$dir/out"
cat >"$dir/job.yaml" <<'C'
image: demo/busybox:latest
command: ["/bin/sh", "-c", "sort /agent/data/words | tee /agent/tmp/sorted; id -u; echo done >&2"]
cap_drop: [ALL]
read_only_fs: true
limits: {memory: 64MB, cpu: 0.5, time: 30s, pids: 16, output: 1MB, log: 64kB}
volumes:
  - ./data:/agent/data:ro
  - ./out:/agent/tmp:rw
network: isolated
deadline: 1h
C
cat "$dir/job.yaml"
printf '\n-- output --\n'
rc=0
warren submit "$dir/job.yaml" --to "$dest" --config "$dir/submitter" \
	--identity "$dir/person" --out "$dir/result" --timeout 90s >"$dir/stdout" 2>"$dir/stderr" || rc=$?
cat "$dir/stdout"
sed 's/^/  | /' "$dir/stderr"
[ $rc = 0 ] || failed "warren submit ended with $rc"

say "The result"
find "$dir/result" -type f | sort | sed "s#^$dir/##"
[ "$(head -n 1 "$dir/stdout")" = ant ] || failed "the output is not the sorted list"
sort "$dir/data/words" >"$dir/expected"
cmp -s "$dir/result/volumes/agent/tmp/sorted" "$dir/expected" ||
	failed "the volume did not come back"

say "The receipt, checked offline"
warren receipt verify "$dir/result" || failed "the receipt does not verify"
echo "ok demo"
