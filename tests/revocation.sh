#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A test that is missed by name: trust never says VERDICT_REVOKED, since it
# reads no document that revokes a key. What node does with that verdict is in
# tests/unit/test_node_faults.c (test_revoked). As soon as trust says it, this
# fails until a test of trust stands here.
if grep -rq VERDICT_REVOKED "${srcdir:-.}/trust"; then
	echo "revocation: trust says VERDICT_REVOKED, and nothing tests it" >&2
	exit 1
fi
echo "revocation: skipped, trust reads no revocation yet" >&2
exit 77
