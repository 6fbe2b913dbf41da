/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_WITNESS_H
#define WARREN_COMMON_WITNESS_H

#include <bsd/sys/queue.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc.h"

/*
 * Events on their way into the trail, so that none is lost without a count.
 *
 * The side of who sends them: each has the number of this life of the program
 * (run), and its own, from 1 on. What audit has not said to be settled (it is
 * in the trail, or the trail says that it is lost) is kept, up to max of them,
 * and sent again to the next audit. What finds no room goes all the same, and
 * has its number: if it does not arrive, audit sees the gap.
 */
struct witness_kept {
	TAILQ_ENTRY(witness_kept) link;
	uint64_t number;
	size_t len;
	uint8_t bytes[];
};
TAILQ_HEAD(witness_list, witness_kept);

struct witness {
	uint64_t run;
	uint64_t last;	/* number that was given */
	uint64_t acked; /* settled up to here */
	size_t n, max;
	struct witness_list kept;
};

/* run: random, so that no two lives have the same. */
void witness_init(struct witness *, uint64_t run, size_t max);
void witness_clear(struct witness *);

/*
 * An encoded EVENT (ipc_put_EVENT()) gets its number in place, and goes to
 * audit, or waits for it (NULL: it is not there).
 */
void witness_send(struct witness *, struct ipc *audit, uint8_t *message,
    size_t len);
/* The same for one that is not encoded yet. */
void witness_tell(struct witness *, struct ipc *audit, const struct msg_EVENT *);
/* Audit is there, or another one: what it must know, and what is kept. */
void witness_up(struct witness *, struct ipc *audit);
/* It has settled some. */
void witness_acked(struct witness *, const struct msg_EVENT_ACK *);

/*
 * The side of audit: what has been settled of one program, by what stands in
 * the trail (audit/trail_line.h) and what the program says itself.
 */
struct heard {
	uint64_t run;
	uint64_t upto;	 /* settled */
	uint64_t failed; /* highest that came and could not be written */
	uint64_t told;	 /* EVENT_ACK */
};

/* It speaks as this run: what was of another one is no more. */
void heard_run(struct heard *, uint64_t run);
/* It has heard itself that it is settled so far. */
void heard_base(struct heard *, uint64_t acked);
void heard_settled(struct heard *, uint64_t number);
void heard_failed(struct heard *, uint64_t number);

#endif
