/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_MEASURE_H
#define WARREN_TRANSPORT_ENGINE_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ev.h>
#include <rns/mono.h>

#include "common/ipc_msg.h"
#include "transport/engine/metrics_text.h"

/*
 * What transport cannot know of itself: the memory of each program, of the
 * parent (there is no /proc here), and counts of jobs, of node. They are asked
 * for when somebody asks here, and come within milliseconds; who waits for them
 * is told when they are there, or that they do not come.
 */
#define MEASURE_SAMPLES 256 /* ours: above what node tells */

struct measure {
	struct engine *e;
	void (*told)(struct engine *); /* the answers are there */
	uint32_t seq;
	bool memory_waits, numbers_wait;
	ev_timer limit;
	struct mono at; /* when the last round was asked for */
	/* as of the last whole answers */
	uint64_t rss[PROGRAM_COUNT], pss[PROGRAM_COUNT];
	struct metrics_sample *samples;
	size_t nsamples;
	/* of the answers that come */
	uint64_t new_rss[PROGRAM_COUNT], new_pss[PROGRAM_COUNT];
	struct metrics_sample *coming;
	size_t ncoming;
};

void measure_init(struct measure *, struct engine *,
    void (*told)(struct engine *));
void measure_clear(struct measure *);
/* true: wait for told(); false: they are here. */
bool measure_ask(struct measure *);
/*
 * What the whole house takes, shares where they are known; 0: it was not asked
 * for lately.
 */
uint64_t measure_memory_sum(const struct measure *, struct mono now);
/* Messages. */
void measure_memory(struct measure *, const struct msg_MEMORY *);
void measure_number(struct measure *, const struct msg_N_NUMBER *);
void measure_node_gone(struct measure *);

#endif
