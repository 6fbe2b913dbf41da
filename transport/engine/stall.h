/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_STALL_H
#define WARREN_TRANSPORT_ENGINE_STALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whether a Backbone connection takes what is sent to it (reticulum-transport.md
 * 18.5). Pure: what waits and what has left, once a second.
 */
#define STALL_DEAD_S 12
#define STALL_LEAST 131072u /* bytes waiting */
#define STALL_SLOW_S 10     /* to drain at this rate: stalled */
#define STALL_FAST_S 5      /* ... and not any more */
#define STALL_NOTHING_S 3

struct stall {
	bool stalled;     /* nothing more may wait */
	unsigned nothing; /* seconds without a byte */
	uint64_t sent;    /* bytes, until the last look */
};

/* True: it is dead, close it. */
bool stall_second(struct stall *, size_t waiting, uint64_t sent);

#endif
