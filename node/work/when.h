/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_WHEN_H
#define WARREN_NODE_WORK_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "node/config/whenconf.h"

/*
 * May this machine be lent now (compute.md 10, compute_when)? Pure: facts and
 * time in. Local time is UTC and an offset, with the next change of it, so
 * hours keep their meaning on the days when clocks are changed: what is left
 * out is not there, what comes twice counts twice.
 */
#define WHEN_AGAIN_S 60 /* ours: when nobody knows when it will be */
#define WHEN_WHY 160

struct when_facts {
	bool known;
	uint32_t busy_milli; /* cores that others keep busy, mean of a minute */
	bool mains;	     /* on mains power, or none but that */
	uint64_t memory_free; /* for others and for jobs, what those hold too */
	int32_t offset_s;     /* local time is so much ahead of UTC */
	uint32_t next_at;     /* unix seconds of the next change; 0: none */
	int32_t next_offset_s;
};

struct when_answer {
	bool open;
	bool measured; /* shut by what was measured, not by the clock */
	uint32_t s;    /* until it may be open */
	uint32_t next; /* open: until the hours end; 0: they do not */
	char why[WHEN_WHY];
};

void when_decide(struct when_answer *, const struct when_conf *,
    const struct when_facts *, uint32_t unix_now);

#endif
