/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_SCHED_H
#define WARREN_NODE_WORK_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/mono.h>

#include "common/fp.h"
#include "common/util.h"

/*
 * Which queued job runs when. Pure, and incremental: it is told what changes,
 * and a decision costs the same with ten jobs in the queue as with ten
 * thousand.
 *
 * Each submitter has a queue, and deficit round robin goes over the queues: a
 * round gives each one SCHED_QUANTUM of cpu time, a job takes what it costs,
 * and a queue has its turn when it owes nothing. What a job costs is known when
 * it has run (sched_end); until then an estimate is owed. The rounds are
 * counted, not walked: who owes least has the next turn. A job of level 2
 * costs its owner half, of level 3 a quarter, so levels are shares and nobody
 * is starved by a higher one. Among those of one round the higher level comes
 * first, then who was served longest ago.
 *
 * A job that does not fit lets others pass (SCHED_LOOK of them are looked at)
 * until it is its turn and it has waited SCHED_PATIENCE_S: then nothing passes
 * it any more.
 */
#define SCHED_PATIENCE_S 600
#define SCHED_QUANTUM_MS 10000 /* ours: cpu time of a round */
#define SCHED_LOOK 32	       /* ours: jobs that are looked at in a decision */
#define SCHED_LOOK_OWNER 4     /* ours: ... of one submitter */
#define SCHED_LEVEL_S 600      /* ours: of waiting, that a level is worth */
#define SCHED_HELD_PART 4      /* ours: holding a slot costs this part */
#define SCHED_AWAY_MAX 4096    /* ours: submitters without jobs that are known */

enum sched_where { SCHED_OUT, SCHED_READY, SCHED_RUNNING };

/* A job as the scheduler sees it; part of the job. */
struct sched_job {
	/* its owner's to fill before sched_ready() or sched_start() */
	struct fp owner;
	uint64_t order; /* of admission; unique */
	int level;
	uint64_t memory;
	uint32_t cpu_milli;
	uint64_t time_ms; /* its limit */
	struct mono since; /* queued */

	/* the scheduler's */
	enum sched_where where;
	struct sched_owner *of;
	RB_ENTRY(sched_job) by_turn;
	TAILQ_ENTRY(sched_job) link; /* running */
	uint64_t cost;	   /* owed for it now */
	uint64_t wall_ms;  /* how long it is thought to run */
	struct mono started;
};

struct sched_owner; /* a submitter: sched.c */

RB_HEAD(sched_fps, sched_owner);
RB_HEAD(sched_turns, sched_owner);
RB_HEAD(sched_paid, sched_owner);
RB_HEAD(sched_away, sched_owner);
TAILQ_HEAD(sched_list, sched_job);

struct sched {
	struct sched_fps owners;
	struct sched_turns turns; /* who has something ready, by turn */
	struct sched_paid paid;	  /* ... by what they have paid for */
	struct sched_away away;	  /* who has nothing here, by the same */
	unsigned nowners, naway, nturns;
	struct sched_list running;
	struct sched_job *big; /* nothing passes it */
	/* what those that run have, and those that are ready want */
	uint32_t slots;
	uint64_t memory, cpu_milli;
	size_t ready;
	uint64_t ready_ms;
	uint64_t base;	 /* who comes begins here */
	uint64_t served; /* counts */
	/* looked at by the last decision, and too large for now */
	struct sched_job *passed[SCHED_LOOK];
	unsigned npassed;
};

struct sched_room {
	uint32_t slots;	    /* in all */
	uint64_t memory;    /* ceilings; 0: none */
	uint32_t cpu_milli;
};

enum sched_why {
	SCHED_START,	 /* *job may start */
	SCHED_IDLE,	 /* nothing waits */
	SCHED_SLOTS,	 /* all slots are taken */
	SCHED_RESOURCES, /* what waits does not fit now */
	SCHED_NEVER,	 /* *job is larger than all that there is */
};

void sched_init(struct sched *);
/* The jobs are their owners'; they must not be used here any more. */
void sched_clear(struct sched *);

/* It waits for its turn. false: out of memory, it is not here. */
bool sched_ready(struct sched *, struct sched_job *);
/* It waits no more: cancelled, or something is missing again. */
void sched_unready(struct sched *, struct sched_job *);
/* It takes a slot. One that was not ready is found running. */
bool sched_start(struct sched *, struct sched_job *, struct mono now);
/* Its slot is free: what it used, and how long it ran. */
void sched_end(struct sched *, struct sched_job *, uint64_t cpu_ms,
    uint64_t wall_ms);

/* Whose turn it is. Nothing is changed but the list of who was passed. */
enum sched_why sched_next(struct sched *, struct sched_job **job,
    const struct sched_room *, struct mono now);

/*
 * About how many seconds until this job could start, which is ready or not
 * here at all: from what runs and what would come before it, by what jobs of
 * these submitters took, and their limits as long as that is not known.
 */
uint32_t sched_wait_s(const struct sched *, const struct sched_room *,
    const struct sched_job *, struct mono now);

#endif
