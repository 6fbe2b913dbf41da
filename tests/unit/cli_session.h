/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_CLI_SESSION_H
#define WARREN_TESTS_UNIT_CLI_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/rns.h>

#include "common/wire.h"
#include "node/cli/session.h"

/*
 * In place of node/cli/session.c: no link, and a function that answers. Linked
 * before libcli.a, whose own is then left out.
 */
struct session {
	/* writes the answer, or returns what session_ask() is to */
	int (*answer)(void *arg, const struct proto_req *, struct wr *out);
	void *arg;
	uint8_t node_pub[RNS_KEY];
	bool unsure, interrupted;
	unsigned asked;
	uint8_t buf[4096];
};

#endif
