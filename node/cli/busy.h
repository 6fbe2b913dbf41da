/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_BUSY_H
#define WARREN_NODE_CLI_BUSY_H

#include <stdint.h>

#include "node/cli/cli.h"
#include "node/proto/proto.h"

/*
 * What a person waits for when a node answers busy (compute.md 3): whose budget
 * it is, what of it is left, when it is full again, how long the whole transfer
 * takes by it.
 */

#define BUSY_TEXT 320

/* Seconds that so many bytes take by a budget; 0: it has room for them. */
uint64_t busy_transfer_s(uint64_t bytes, uint64_t limit_per_minute,
    uint64_t left);
/* One sentence; bytes: still to be moved, 0 is not known. */
void busy_text(char out[BUSY_TEXT], const struct proto_meta *, uint64_t bytes);

struct busy_shown {
	char what[80]; /* the last that was said */
};
/*
 * Says it: on a terminal the status line, elsewhere a line when it changes, and
 * with --json an object {"event":"busy", ...} when it changes.
 */
void busy_say(struct cli *, struct busy_shown *, const struct proto_meta *,
    uint64_t wait_s, uint64_t bytes);
/*
 * A transfer begins, under a budget that is smaller: how long it takes. kept:
 * the node was not asked now, the budget is what it told of itself before.
 */
void busy_foresee(struct cli *, const char *phase, uint64_t bytes,
    uint64_t limit_per_minute, uint64_t left, bool kept);

#endif
