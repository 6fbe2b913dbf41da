/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_FACTS_H
#define WARREN_NODE_PARENT_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ipc_msg.h"

/*
 * What compute_when asks about this machine. Node sees neither /proc nor /sys,
 * so the parent measures, each FACTS_S seconds while somebody asks, and says it
 * to node, which decides. The busy cores are the mean of a minute.
 */
#define FACTS_S 10
#define FACTS_SAMPLES 7 /* of a minute */

struct facts_sample {
	int64_t us; /* of the monotonic clock */
	uint64_t busy_ms, jobs_ms; /* of all cores */
	bool jobs_known;
};

struct facts {
	struct facts_sample ring[FACTS_SAMPLES];
	unsigned n;
};

/*
 * Measures: root is a folder that holds proc/ and sys/; jobs_us what the jobs
 * have used so far, jobs_memory what they hold. What cannot be read is on the
 * side of not lending.
 */
void facts_measure(struct facts *, struct msg_FACTS *, int root,
    int64_t now_us, bool jobs_known, uint64_t jobs_us, uint64_t jobs_memory);
/* The offset of local time from UTC now, and its next change. */
void facts_zone(struct msg_FACTS *, int64_t unix_now);

#endif
