#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Histories of an authority, against klp.md's text in Python. Run in the build
# folder; srcdir names the source tree. $1: histories.
: "${srcdir:=.}"
command -v python3 >/dev/null || { echo "klp: no python3"; exit 77; }
here=$PWD
tmp=${TMPDIR:-/tmp}
[ -w /dev/shm ] && tmp=/dev/shm # what nodes keep is synced: not to a disk
work=$(mktemp -d "$tmp/klp-XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
case $srcdir in /*) ;; *) srcdir=$here/$srcdir ;; esac
cd "$work" && PYTHONDONTWRITEBYTECODE=1 python3 "$srcdir/tests/oracle/klp.py" \
	"$here/tests/oracle/law_lines" "${1:-30}"
