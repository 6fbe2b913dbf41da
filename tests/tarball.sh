#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What `make dist` makes: built and tested in an empty folder without git, installed, uninstalled: tests/tarball.sh BUILD
# Prints "ok NAME" or "not ok NAME". For ./check long.
set -uo pipefail
build=$(cd "$1" && pwd)
at=$build/tarball
rc=0
said() { # name, status
	if [ "$2" = 0 ]; then echo "ok tarball: $1"; else echo "not ok tarball: $1, see $at.log"; rc=1; fi
}
step() { # name, command...
	local name=$1
	shift
	"$@" >>"$at.log" 2>&1 </dev/null
	said "$name" $?
}
chmod -R u+w "$at" 2>/dev/null
rm -rf "$at" && mkdir "$at" && : >"$at.log"
step "make dist" make -C "$build" -s dist distdir=warren-tarball DIST_ARCHIVES=warren-tarball.tar.gz
tar xzf "$build/warren-tarball.tar.gz" -C "$at" && rm -f "$build/warren-tarball.tar.gz"
cd "$at/warren-tarball" || exit 1
# git would find the repository around the build folder
export GIT_CEILING_DIRECTORIES=$at
step "configure" ./configure -q --enable-werror --prefix=/usr
step "make" make -s -j"$(nproc)"
step "make check" make -s -k -j"$(nproc)" check
step "make install" make -s install DESTDIR="$at/dest"
for p in usr/bin/warrend usr/bin/warren usr/libexec/warren/warren-transport usr/share/man/man1/warren.1 \
	usr/lib/systemd/system/warrend.service usr/include/rns/rns.h; do
	[ -s "$at/dest/$p" ] || echo "$p is not installed" >>"$at.log"
done
! grep -q ' is not installed$' "$at.log"
said "all is there" $?
step "make uninstall" make -s uninstall DESTDIR="$at/dest"
find "$at/dest" ! -type d >"$at/left"
cat "$at/left" >>"$at.log"
[ ! -s "$at/left" ]
said "nothing is left of it" $?
step "make distclean" make -s distclean
[ $rc = 0 ] && rm -rf "$at"
exit $rc
