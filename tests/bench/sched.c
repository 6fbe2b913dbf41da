/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a decision of the scheduler costs while so many jobs wait: one is chosen
 * and starts, another ends, a new one comes; among them jobs that do not fit.
 * "JOBS US" a line, medians, in turns.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/util.h"
#include "node/work/sched.h"

#define ROUNDS 101
#define DECISIONS 200
#define SLOTS 8
#define OWNERS 25
#define MOST 10000

static const size_t queue[] = {100, MOST};
static const struct sched_room room = {SLOTS, 4096, 8000};
static uint32_t seed = 1;

static uint32_t
below(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(seed >> 8) * n) >> 24);
}

static void
come(struct sched *s, struct sched_job *j, uint64_t order)
{
	*j = (struct sched_job){.order = order, .level = 1 + (int)below(3),
	    .memory = 1 + below(4096), .cpu_milli = 100 + below(1000),
	    .time_ms = 60000, .since = {(int64_t)order * 1000}};
	j->owner.b[0] = (uint8_t)below(OWNERS);
	if (!sched_ready(s, j))
		exit(1);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct bed {
	struct sched s;
	struct sched_job *job, *runs[SLOTS];
	size_t n, at;
	uint64_t order;
	double us[ROUNDS];
};

static void
decide(struct bed *b)
{
	const struct mono now = {(int64_t)b->order * 1000};
	struct sched_job *j;

	if (sched_next(&b->s, &j, &room, now) == SCHED_START) {
		if (b->n == SLOTS || !sched_start(&b->s, j, now))
			exit(1);
		b->runs[b->n++] = j;
		return;
	}
	/* no room: one ends, and another comes in its place */
	b->at = below((uint32_t)b->n);
	j = b->runs[b->at];
	b->runs[b->at] = b->runs[--b->n];
	sched_end(&b->s, j, below(60000), 60000);
	come(&b->s, j, ++b->order);
}

int
main(void)
{
	static struct bed bed[NELEM(queue)];

	for (size_t i = 0; i < NELEM(queue); i++) {
		bed[i].job = calloc(queue[i], sizeof(*bed[i].job));
		if (bed[i].job == NULL)
			return 1;
		sched_init(&bed[i].s);
		for (size_t k = 0; k < queue[i]; k++)
			come(&bed[i].s, &bed[i].job[k], ++bed[i].order);
	}
	for (int r = 0; r < ROUNDS; r++) {
		for (size_t i = 0; i < NELEM(queue); i++) {
			struct mono t = clock_mono();

			for (int k = 0; k < DECISIONS; k++)
				decide(&bed[i]);
			bed[i].us[r] = (double)mono_sub(clock_mono(), t) /
			    DECISIONS;
		}
	}
	for (size_t i = 0; i < NELEM(queue); i++) {
		qsort(bed[i].us, ROUNDS, sizeof(double), by_value);
		printf("%zu %.3f\n", queue[i], bed[i].us[ROUNDS / 2]);
		sched_clear(&bed[i].s);
		free(bed[i].job);
	}
	return 0;
}
