/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_STEPPED_H
#define WARREN_NODE_WORK_STEPPED_H

#include <stdbool.h>
#include <stdint.h>

#include "node/work/state.h"

/*
 * The wall clock was set, or the machine slept: compute.md 5. What a job still
 * has is measured by the clock that nobody sets, so all that is written down of
 * it in times of the wall moves with each step, in memory and in the ledger.
 * Not `not_after`, against which the clock counts as it stands.
 */
#define STEPPED_LEAST_US INT64_C(1000000) /* ours: a step of the clock */
/* ours: no waiting job is of before that; who was away so long, or thinks so */
#define STEPPED_AWAY_S (30 * 86400)
#define STEPPED_AWAY_COUNTS_S 86400 /* ours: of that, for what is kept */

/*
 * Each time that the clocks are read, before n->now and n->wall_us are these
 * ones; the first time never: was it set, then everything moves.
 */
void stepped_look(struct node *, struct mono now, int64_t wall_us);
/*
 * At the start, when the ledger is read and nothing has run: the clock is behind
 * what stands there, which is a step; or so far ahead that it may be wrong. Then
 * jobs that have not ended keep what they had left, and none of them starts
 * until the clock is set back, or stepped_right().
 */
void stepped_start(struct node *);
/* The clock is right, who says so: all deadlines are what they were. */
void stepped_right(struct node *, const char *who);
/* The latest time that an authority has signed: is that near enough, too. */
void stepped_signed(struct node *, uint32_t unix_s);
/* Was it set since the last call? That is said, in the log and in the trail. */
bool stepped_say(struct node *);

#endif
