/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_INPUTS_H
#define WARREN_NODE_WORK_INPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "node/work/state.h"

/* What jobs need of blobs, and what becomes of them when those come. */

/* Digests that a job still needs, each once; at most max into out. */
unsigned job_missing(struct node *, const struct job *, struct id32 *out,
    unsigned max, bool *more);
bool job_inputs_here(struct node *, const struct job *);
/*
 * Bytes of inputs of m that this owner has not uploaded; unclaimed: without
 * those that have begun to come, which the spool counts with their full size.
 */
uint64_t inputs_missing_bytes(struct node *, const struct fp *fp,
    const struct manifest *, bool unclaimed);
/* What waiting jobs of this owner still have to upload counts already. */
uint64_t inputs_promised(struct node *, const struct fp *fp);
/*
 * A blob of this owner has grown, or is whole: jobs that name it wait from now
 * on, and for a slot when it was their last. The scheduler sees them at the
 * end of the turn.
 */
void inputs_came(struct node *, const struct fp *fp,
    const struct id32 *sha, bool whole);
/* Does a live job or an unexpired result of this owner need it? */
bool inputs_needed(struct node *, const struct fp *fp,
    const struct id32 *sha);

#endif
