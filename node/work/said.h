/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_SAID_H
#define WARREN_NODE_WORK_SAID_H

#include <rns/hash.h>

#include "node/work/state.h"

/*
 * What the operator reads in the log of who asked for what and what became of
 * it: one line at `notice` for a job that is accepted, that ends, that is
 * refused, and for a peer that is slowed down. Lines that strangers can cause
 * are bounded, and how many were left out is said.
 */
#define SAID_A_MINUTE 60  /* ours: refusals */
#define SAID_SLOWED_S 60  /* ours: of one peer */
#define SAID_CLOCK_S 3600 /* ... */

void said_accepted(struct node *, const struct job *);
/* Its state is the last one; again: but it is queued once more. */
void said_ended(struct node *, const struct job *, bool again);
/* id and m may be NULL: what its envelope says is not known. */
void said_refused(struct node *, const struct peer *, const struct id32 *id,
    const struct manifest *m, const struct refusal *);
/* As people read it, of UTC. */
const char *said_moment(char out[24], uint64_t unix_s);
/* What the peer's clock says, when that is too far from ours; once an hour. */
void said_clock(struct node *, struct peer *, uint64_t unix_s);
/* p NULL: those without identification. */
void said_slowed(struct node *, struct peer *, const struct used_up *);

#endif
