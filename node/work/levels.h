/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_LEVELS_H
#define WARREN_NODE_WORK_LEVELS_H

#include <stdint.h>

#include "node/work/policy.h"
#include "trust/doc/level.h"

/* The level table of compute.md 4, under the operator's ceilings. Pure. */

/*
 * What level 1 to 3 may ask for; false: the level has no row (no jobs). A row
 * is node.yaml's `levels` where it says so, else the table's, and never more
 * than `limits`.
 */
bool level_row(struct limits *, const struct policy *, int level);

/*
 * What a job gets: asked, else the container profile's, else the row's; the
 * last two cut to the row. asked may exceed it: that is step 9's to refuse.
 * Of the disk 0 in a row is no bound, and then the job has none of its own.
 */
void level_grant(struct limits *, const struct limits *row,
    const struct limits *asked, const struct limits *profile);

/* The smaller one, where 0 of the disk's is none: limit i. */
uint64_t level_least(unsigned i, uint64_t a, uint64_t b);

/*
 * The disk's bounds of a job's own group: those below what bounds all jobs
 * together, which is none of its own; 0: none.
 */
struct limits level_own(const struct policy *, const struct limits *);

/* The first limit that is asked beyond the row, or LIMIT_COUNT. */
unsigned level_exceeds(const struct limits *row, const struct limits *asked);

/*
 * The level that counts: the submitter's, lowered by the manifest's claim
 * (klp.md 6.1).
 */
int level_granted(int peer, int claimed);

#endif
