/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_REVIEW_H
#define WARREN_NODE_CLI_REVIEW_H

#include <stdbool.h>

#include "node/cli/target.h"
#include "node/proto/proto.h"
#include "trust/doc/manifest.h"

/* Jobs of another node that wait for a reviewer's word (klp.md 6.1). */

/* A job as its submitter has signed it; borrows from the answer. */
struct held_job {
	struct manifest m; /* m.job is the digest of what was signed */
	const uint8_t *payload;
	size_t payload_len;
	uint64_t at; /* held since; unix seconds */
};
/*
 * Calls fn for each, over the target's session, until it says false; one whose
 * manifest is not that of its id is left out and told. CLI_OK or said. hidden:
 * not NULL, then a node that does not show them is no error, and *hidden set.
 */
int held_each(struct target *, bool (*fn)(void *, const struct held_job *),
    void *arg, bool *hidden);

/* `warren jobs --held --to NODE`: CLI_OK or said. */
int held_list(struct target *);

#endif
