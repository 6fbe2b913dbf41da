#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The Debian packages: built, installed in a small Debian of its own, upgraded, removed, purged: tests/package.sh BUILD
# and under a running systemd in a virtual machine (tests/vm/service).
# Prints "ok NAME", "not ok NAME" or "skip NAME: reason". Needs root, and Debian's packages by the network. For ./check long.
# BUILD/package keeps the small Debian for the next time.
set -uo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
at=$build/package
root=$at/root
dir=$root/var/lib/reticulum
rc=0
arch=$(dpkg --print-architecture)

missing() { echo "skip package: $1"; exit 0; }
[ "$(id -u)" = 0 ] || missing "a small Debian is made by root only"
for p in debootstrap dh lintian; do
	command -v $p >/dev/null || missing "no $p (packages debootstrap, debhelper, lintian)"
done
said() { # name, status
	if [ "$2" = 0 ]; then echo "ok package: $1"; else echo "not ok package: $1, see $at"; rc=1; fi
}
check() { # name, command...
	local name=$1
	shift
	"$@" >>"$at/log" 2>&1
	said "$name" $?
}
# With /proc, and everything that it starts ends with it. A root of its own, since no program can leave a chroot for another.
inside() { # command...
	unshare --mount --pid --fork --kill-child sh -c 'mount --bind "$0" "$0" && cd "$0" && mount -t proc proc proc &&
		pivot_root . mnt && umount -l mnt && exec chroot . "$@"' "$root" "$@" </dev/null
}
apt() { inside env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -qq -y --no-install-recommends "$@"; }
state() { inside dpkg-query -W -f '${Status} ${Version}' warren; }

mkdir -p "$at"
: >"$at/log"
if ! [ -f "$at/base.tar" ]; then
	rm -rf "$root"
	debootstrap --variant=minbase bookworm "$root" http://deb.debian.org/debian >"$at/debootstrap.log" 2>&1 ||
		missing "debootstrap found no Debian, see $at/debootstrap.log"
	tar cf "$at/base.new" -C "$root" . && mv "$at/base.new" "$at/base.tar"
fi
rm -rf "$root" "$at"/debs "$at"/debs2
mkdir "$root" && tar xpf "$at/base.tar" -C "$root"
cp /etc/resolv.conf "$root/etc/resolv.conf"

"$top/packaging/deb" "$build" "$at/debs" >>"$at/log" 2>&1
said "dpkg-buildpackage" $?
[ $rc = 0 ] || exit 1
# the same under a later version
mkdir "$at/debs2"
for d in "$at"/debs/*_0.1.0-1_*.deb; do
	rm -rf "$at/later"
	dpkg-deb -R "$d" "$at/later" && sed -i 's/^Version: .*/Version: 0.1.0-2/' "$at/later/DEBIAN/control" &&
		dpkg-deb --root-owner-group -b "$at/later" "$at/debs2/$(basename "${d/0.1.0-1/0.1.0-2}")" >>"$at/log" 2>&1 || exit 1
done
rm -rf "$at/later"
# it ends with 0 as well where it has looked at nothing
lintian --fail-on error,warning --allow-root "$at"/debs/*.changes >"$at/lintian" 2>&1 && ! grep -q '^Skipping' "$at/lintian"
said "lintian" $?
mkdir "$root/debs" && cp "$at"/debs/*.deb "$at"/debs2/*.deb "$root/debs/"

check "no index of packages" apt update
check "installs" apt install /debs/warren_0.1.0-1_$arch.deb
wanted="usr/bin/warrend usr/bin/warren usr/libexec/warren/warren-transport lib/systemd/system/warrend.service
	usr/share/man/man8/warrend.8.gz usr/share/bash-completion/completions/warren.bash
	etc/systemd/system/multi-user.target.wants/warrend.service"
lack=
for f in $wanted; do [ -e "$root/$f" ] || [ -L "$root/$f" ] || lack="$lack $f"; done
[ -z "$lack" ]
said "all is there, the unit enabled$lack" $?
cp "$top/tests/package-start" "$root/debs/start"
check "starts" inside /debs/start /var/lib/reticulum
sum=$(sha256sum <"$dir/storage/transport_identity")

echo "# kept" >"$dir/node.yaml"
check "upgrades" apt install /debs/warren_0.1.0-2_$arch.deb
[[ "$(state)" == "install ok installed 0.1.0-2" && "$(sha256sum <"$dir/storage/transport_identity")" = "$sum" ]]
said "an upgrade leaves the identity" $?
check "starts after the upgrade" inside /debs/start /var/lib/reticulum
check "removes" apt remove warren
[ ! -e "$root/usr/bin/warrend" ] && [ ! -e "$root/usr/libexec/warren" ] &&
	[ "$(sha256sum <"$dir/storage/transport_identity")" = "$sum" ] && [ -d "$dir/warren" ]
said "a removal leaves identity and keys" $?
check "purges" apt purge warren
[ "$(ls "$dir")" = node.yaml ]
said "a purge leaves what the operator made, and no more" $?

# once more, on a folder that came from rnsd: config and storage are the operator's
rm -rf "$dir"
check "installs again" apt install /debs/warren_0.1.0-2_$arch.deb
inside /debs/start /var/lib/reticulum >>"$at/log" 2>&1
echo "# mine" >>"$dir/config"
check "purges at once" apt purge warren
[ "$(ls "$dir" | tr '\n' ' ')" = "config storage " ] && [ -s "$dir/storage/transport_identity" ]
said "a purge leaves a config that was changed, with its storage" $?

# an identity that was brought, without a config; and files of other programs beside one that warrend made
rm -rf "$dir"
check "installs on a storage" apt install /debs/warren_0.1.0-2_$arch.deb
mkdir -p -m 700 "$dir/storage" && head -c 64 /dev/urandom >"$dir/storage/transport_identity"
sum=$(sha256sum <"$dir/storage/transport_identity")
check "starts on a storage" inside /debs/start /var/lib/reticulum
check "purges beside a storage" apt purge warren
[ "$(ls "$dir")" = storage ] && [ "$(sha256sum <"$dir/storage/transport_identity")" = "$sum" ]
said "a purge leaves an identity that was brought" $?
rm -rf "$dir"
check "installs once more" apt install /debs/warren_0.1.0-2_$arch.deb
check "starts once more" inside /debs/start /var/lib/reticulum
echo key >"$dir/storage/identities/rncp"
check "purges once more" apt purge warren
[ "$(cd "$dir" && find . -type f)" = ./storage/identities/rncp ]
said "a purge leaves what other programs laid into storage" $?
rm -rf "$dir" "$root/debs"/warren_*
left=$(cd "$root" && find . -xdev \( -iname '*warren*' -o -iname '*reticulum*' \) ! -path './proc/*' ! -path './debs/*' \
	! -path './var/cache/*' ! -path './var/log/*' | tr '\n' ' ')
[ -z "$left" ]
said "nothing else is left behind $left" $?
check "librns-dev installs" apt install /debs/librns-dev_0.1.0-2_$arch.deb
[ -e "$root/usr/include/rns/rns.h" ]
said "its headers" $?

# what a running systemd does with them
cp "$at"/debs/warren_*.deb "$at"/debs2/warren_*.deb "$root/debs/"
check "systemd for what follows" apt install systemd systemd-sysv procps
"$top/tests/vm/service" "$build" "$root" || rc=1
[ $rc = 0 ] && rm -rf "$root" "$at"/debs "$at"/debs2
exit $rc
