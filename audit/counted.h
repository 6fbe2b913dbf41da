/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_COUNTED_H
#define WARREN_AUDIT_COUNTED_H

#include <ev.h>

#include "audit/trail.h"
#include "common/program.h"
#include "common/witness.h"

/*
 * Events of the other programs by their numbers (common/witness.h): each is
 * written once, and what did not come is a line of its own.
 */
struct counted {
	struct ev_loop *loop;
	const struct process *prog;
	const struct trail *trail;
	/* a line now; -1 with errno */
	int (*line)(void *ctx, const struct msg_EVENT *, enum program from,
	    uint64_t *seq, struct id32 *digest);
	void *ctx;
	/* the rest is its own; heard begins as the trail has it */
	struct heard heard[PROGRAM_COUNT];
	uint64_t untold; /* lost of lives that are over, and not in a line */
	ev_timer ack;
};

/* The members above heard are set. */
void counted_init(struct counted *);
/*
 * One of them, in its turn: 1: it was written before, 0: written now, -1 with
 * errno: not written, and said with the next one.
 */
int counted_write(struct counted *, const struct msg_EVENT *,
    enum program from, uint64_t *seq, struct id32 *digest);
/* What the program says of its numbers, in its turn among its events. */
void counted_run(struct counted *, const struct msg_EVENT_RUN *,
    enum program from);

#endif
