/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_BOTHLOGS_H
#define WARREN_NODE_CLI_BOTHLOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/proto/proto.h"

/*
 * Both streams of a job in the order in which they were written, as far as the
 * node tells it (compute.md 3.6). Pure: bytes are fetched and printed by the
 * caller's functions. What the node has no order for comes stdout first.
 */
#define BOTH_SLICE 32768u

struct both_got {
	const uint8_t *p; /* bytes from the offset on; good until the next */
	size_t n;
	bool end;	     /* the job has ended, and this is the stream's end */
	const uint8_t *runs; /* u32s, of a node that was asked and knows */
	size_t nruns;
};

struct both {
	/* at most BOTH_SLICE bytes of stream 1 or 2; false: failed */
	bool (*fetch)(void *arg, unsigned stream, uint64_t offset,
	    bool want_runs, uint64_t from_run, struct both_got *);
	bool (*print)(void *arg, unsigned stream, uint64_t offset,
	    const uint8_t *, size_t);
	void *arg;

	uint64_t printed[2];
	uint64_t covered[2]; /* by the runs that are behind us */
	uint64_t next;	     /* run to ask for */
	uint32_t run[PROTO_RUNS_MAX];
	size_t n, i;
	uint8_t buf[2][BOTH_SLICE];
	size_t len[2], at[2];
	bool end[2], failed;
};

/* Everything that there is now; false: failed. Ask again for what comes. */
bool both_drain(struct both *);
/* Bytes that came by themselves, at the place where that stream stands. */
bool both_came(struct both *, unsigned stream, const uint8_t *, size_t);
/* Both have ended, and all of them was printed. */
bool both_ended(const struct both *);

#endif
