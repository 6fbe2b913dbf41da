/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/sched.h"

#include <string.h>

#include "common/util.h"

#define SCHED_SLOTS_MAX 256 /* that sched_wait_s looks at */

static uint32_t
running_of(const struct sched_job *jobs, size_t n, const struct fp *owner)
{
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (jobs[i].running && fp_eq(&jobs[i].owner, owner))
			count++;
	}
	return count;
}

struct usage {
	uint32_t slots;
	uint64_t memory;
	uint64_t cpu_milli;
};

static bool
fits(const struct usage *u, const struct sched_room *room, uint64_t memory,
    uint32_t cpu_milli)
{
	return (room->memory == 0 || (u->memory <= room->memory &&
		memory <= room->memory - u->memory)) &&
	    (room->cpu_milli == 0 ||
		u->cpu_milli + cpu_milli <= room->cpu_milli);
}

/* Does a come before b? */
static bool
before(const struct sched_job *jobs, size_t n, const struct sched_job *a,
    const struct sched_job *b)
{
	uint32_t ra = running_of(jobs, n, &a->owner);
	uint32_t rb = running_of(jobs, n, &b->owner);

	if (ra != rb)
		return ra < rb;
	if (a->level != b->level)
		return a->level > b->level;
	return a->order < b->order;
}

enum sched_why
sched_next(size_t *index, const struct sched_job *jobs, size_t n,
    const struct sched_room *room)
{
	struct usage u = {0, 0, 0};
	const struct sched_job *best = NULL, *stuck = NULL;
	bool waits = false;

	for (size_t i = 0; i < n; i++) {
		if (jobs[i].running) {
			u.slots++;
			u.memory += jobs[i].memory;
			u.cpu_milli += jobs[i].cpu_milli;
		} else {
			waits = true;
		}
	}
	if (!waits)
		return SCHED_IDLE;
	if (u.slots >= room->slots)
		return SCHED_SLOTS;
	for (size_t i = 0; i < n; i++) {
		const struct sched_job *j = &jobs[i];

		if (j->running)
			continue;
		if (!fits(&u, room, j->memory, j->cpu_milli)) {
			if (j->waited_s >= SCHED_PATIENCE_S &&
			    (stuck == NULL || j->order < stuck->order))
				stuck = j;
			continue;
		}
		if (best == NULL || before(jobs, n, j, best))
			best = j;
	}
	/* who was there before the one that has waited long may still go */
	if (best == NULL || (stuck != NULL && best->order > stuck->order))
		return SCHED_RESOURCES;
	*index = (size_t)(best - jobs);
	return SCHED_START;
}

uint32_t
sched_wait_s(const struct sched_job *jobs, size_t n,
    const struct sched_room *room, uint64_t memory, uint32_t cpu_milli)
{
	uint64_t free_at[SCHED_SLOTS_MAX]; /* ms from now */
	uint32_t slots = MIN_OF(room->slots, (uint32_t)SCHED_SLOTS_MAX);
	uint32_t used = 0, soonest = 0;
	struct usage u = {0, 0, 0};
	size_t queued = 0;

	if (slots == 0)
		return UINT32_MAX;
	memset(free_at, 0, sizeof(free_at));
	for (size_t i = 0; i < n; i++) {
		if (!jobs[i].running) {
			queued++;
			continue;
		}
		u.memory += jobs[i].memory;
		u.cpu_milli += jobs[i].cpu_milli;
		if (used < slots) {
			free_at[used++] = jobs[i].time_ms > jobs[i].ran_ms ?
			    jobs[i].time_ms - jobs[i].ran_ms : 0;
		}
	}
	if (queued == 0 && used < slots && fits(&u, room, memory, cpu_milli))
		return 0;
	/* each that waits takes the slot that is free first, then this one */
	for (size_t i = 0; i < n; i++) {
		if (jobs[i].running)
			continue;
		soonest = 0;
		for (uint32_t k = 1; k < slots; k++) {
			if (free_at[k] < free_at[soonest])
				soonest = k;
		}
		free_at[soonest] += jobs[i].time_ms;
	}
	soonest = 0;
	for (uint32_t k = 1; k < slots; k++) {
		if (free_at[k] < free_at[soonest])
			soonest = k;
	}
	if (free_at[soonest] == 0 && used > 0) {
		/* a slot is free, but not the memory: until the first ends */
		uint64_t first = UINT64_MAX;

		for (uint32_t k = 0; k < used; k++)
			first = MIN_OF(first, free_at[k]);
		return (uint32_t)MIN_OF((first + 999) / 1000,
		    (uint64_t)UINT32_MAX);
	}
	return (uint32_t)MIN_OF((free_at[soonest] + 999) / 1000,
	    (uint64_t)UINT32_MAX);
}
