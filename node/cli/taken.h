/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_TAKEN_H
#define WARREN_NODE_CLI_TAKEN_H

#include <stdbool.h>

#include "node/cli/submitter.h"
#include "node/cli/whole.h"

/* What the answer to job/result lists, as the submitter's machine takes it. */

/*
 * So many bytes of logs and outputs are more than describe has offered some time
 * ago (bounds_old): bounds_wanted is set, and this is looked at again afterwards.
 */
bool taken_more(struct submitter *, uint64_t log, uint64_t output);
/* bounds_wanted: what the node lets this peer's jobs write now. */
void taken_bounds(struct submitter *, uint64_t max_log, uint64_t max_output);
/* Bytes of the outputs. */
uint64_t taken_sum(const struct proto_result *);
/* log_size[] is more than the job could write. */
bool taken_logs_too_large(const struct submitter *);

/* The outputs; false: they are not those of s->r, or not of the job. */
bool taken_outputs(struct submitter *, const struct proto_result *);
/*
 * What came in one answer, and was verified; then its bytes are written: NULL, or
 * what cannot be, a literal.
 */
void taken_whole(struct submitter *, const struct whole *,
    const struct proto_whole *);
const char *taken_write(struct submitter *, const struct whole *,
    const struct proto_whole *);
/* What an earlier fetch has left of them is counted in. */
void taken_here(struct submitter *);
/* What they lack. */
void taken_left(struct submitter *, const struct left *);

#endif
