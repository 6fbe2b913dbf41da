/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_EXPLAIN_TRAIL_H
#define WARREN_NODE_CLI_EXPLAIN_TRAIL_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "node/cli/cli.h"

/*
 * What the trail has of a job or a peer: the files alone, as `audit tail` reads
 * them, so that it is known too when the daemon is down.
 */
#define EXPLAIN_LINES 20 /* the newest so many */
#define EXPLAIN_IDS 3

struct explain_wanted {
	const char *id[EXPLAIN_IDS]; /* beginnings; NULL: not used */
};

/*
 * All of a job, of a peer what went against it. An array, newest first, of
 * {"seq", "time", "kind", "job", "peer", "code", "message", "a", "b"} and of a
 * refusal "limit", "value", "text", "remedy", "operator". NULL: there is no trail, or not for us; nothing is said, and in
 * why stands what.
 */
json_t *explain_trail(struct cli *, const struct explain_wanted *,
    char why[256]);

#endif
