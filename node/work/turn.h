/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_TURN_H
#define WARREN_NODE_WORK_TURN_H

#include <stdbool.h>

#include <rns/hash.h>

#include "node/work/state.h"

/*
 * What the scheduler knows: which jobs are ready, which hold a slot, and which
 * sleep until trust has spoken about their peer. Told at each change, so that
 * nobody looks through all jobs for it.
 */
#define TURN_SLEEP_S 1 /* ours: those that sleep are looked at so often */

/* Of the job's state, its reason or its slot. */
void turn_changed(struct node *, struct job *);
/* It holds a slot, since then. */
void turn_taken(struct node *, struct job *, struct mono since);
/* Its slot is free. */
void turn_over(struct node *, struct job *);

/*
 * Verdicts were void since it was admitted: a fresh one is asked for first, and
 * the job sleeps. false: none is needed.
 */
bool turn_waits_for_trust(struct node *, struct job *);
/*
 * It waits for what neither a slot nor trust's word gives: that the clock is
 * known to be right (stepped.h), or a binding of its submitter, which is being
 * fetched or does not hold by the clock as it stands; the latter TURN_UNBOUND_S
 * at most. It sleeps, and says so; false: neither.
 */
#define TURN_UNBOUND_S 3600 /* ours: a path and an announce over slow links */
bool turn_waits(struct node *, struct job *);
/* Trust has been asked something else of it: it is looked at in a second. */
void turn_sleeps(struct node *, struct job *);
/* Something was said of this peer. */
void turn_judged(struct node *, const struct hash16 *rns_hash);
/* Asks again where that is needed; when to call again. */
struct mono turn_tick(struct node *);

/* As the scheduler looks at it. */
void turn_fill(struct sched_job *, const struct fp *owner,
    const struct limits *, int level);
struct job *turn_job(struct sched_job *);

#endif
