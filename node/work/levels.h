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
 */
void level_grant(struct limits *, const struct limits *row,
    const struct limits *asked, const struct limits *profile);

/* The first limit that is asked beyond the row, or LIMIT_COUNT. */
unsigned level_exceeds(const struct limits *row, const struct limits *asked);

/*
 * The level that counts: the submitter's, lowered by the manifest's claim
 * (klp.md 6.1).
 */
int level_granted(int peer, int claimed);

#endif
