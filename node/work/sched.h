/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_SCHED_H
#define WARREN_NODE_WORK_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fp.h"

/*
 * Which queued job runs when. Pure. Among jobs that are ready the owner with
 * the fewest running ones comes first, then the higher level, then the order
 * of admission. A job that does not fit lets smaller ones pass, until it has
 * waited SCHED_PATIENCE_S: then nothing passes it any more.
 */
#define SCHED_PATIENCE_S 600

struct sched_job {
	struct fp owner;
	uint64_t order; /* of admission; unique */
	int level;
	uint64_t memory;
	uint32_t cpu_milli;
	uint64_t time_ms;   /* its limit */
	bool running;	    /* holds a slot: staging, running, cleaning */
	uint64_t ran_ms;    /* running: so far */
	uint32_t waited_s;  /* queued */
};

struct sched_room {
	uint32_t slots;	    /* in all */
	uint64_t memory;    /* ceilings; 0: none */
	uint32_t cpu_milli;
};

enum sched_why {
	SCHED_START,	 /* jobs[*index] may start */
	SCHED_IDLE,	 /* nothing waits */
	SCHED_SLOTS,	 /* all slots are taken */
	SCHED_RESOURCES, /* what waits does not fit now */
};

/* Queued jobs in the list are those that are ready. */
enum sched_why sched_next(size_t *index, const struct sched_job *jobs,
    size_t n, const struct sched_room *);

/*
 * About how many seconds until one more job (not in the list) could start:
 * an upper bound from the time limits of all that run and wait before it.
 */
uint32_t sched_wait_s(const struct sched_job *jobs, size_t n,
    const struct sched_room *, uint64_t memory, uint32_t cpu_milli);

#endif
