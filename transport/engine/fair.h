/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_FAIR_H
#define WARREN_TRANSPORT_ENGINE_FAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whose packets may wait for an interface that takes less than it is sent. As
 * long as less than FAIR_FROM waits, everybody's. Above, what it takes is
 * divided: in each round, that is while it takes FAIR_ROUND bytes, every
 * interface that sends to it may add its share of what it took in the last
 * one. The queue is one for all, so nothing is moved or looked for; what a
 * sender leaves of its share drains the queue, and below FAIR_FROM the others
 * have it. Pure.
 */
#define FAIR_FROM (2u << 20)   /* ours: half of FSOCK_OUT_MAX */
#define FAIR_ROUND 65536u      /* ours: bytes */
#define FAIR_SENDERS 64        /* ours: told apart; more share a share */
#define FAIR_FIRST 32768u      /* ours: of each, before a round has ended */

struct fair {
	uint64_t begun; /* of the round: bytes taken until then */
	uint64_t asked; /* senders of this round, a bit each */
	uint32_t share; /* bytes of each; 0: never yet */
	uint32_t used[FAIR_SENDERS];
};

/*
 * May a packet wait that came from interface `from` (0: our own)? taken: bytes
 * that the interface has taken in all.
 */
bool fair_take(struct fair *, unsigned from, size_t len, uint64_t taken);

#endif
