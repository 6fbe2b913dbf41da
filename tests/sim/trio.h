/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_SIM_TRIO_H
#define WARREN_TESTS_SIM_TRIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/rns.h>

/*
 * An endpoint, a relay and an endpoint, driven one step at a time, with small
 * tables. Nothing here allocates, so that a test may count and refuse the
 * allocations of the cores. Every result of a core is tolerated.
 */
enum { TRIO_A, TRIO_R, TRIO_B, TRIO_NODES };
enum { TRIO_LEFT, TRIO_RIGHT, TRIO_WIRES }; /* A-R, R-B; the interface ids */
#define TRIO_QUEUE 256
#define TRIO_PACKET 600

struct trio_packet {
	unsigned to, ifid;
	size_t len;
	uint8_t data[TRIO_PACKET];
};

struct trio {
	struct rns *n[TRIO_NODES];
	uint64_t rng[TRIO_NODES];
	struct mono now;
	bool attached; /* A is a program of R */
	struct trio_packet q[TRIO_QUEUE];
	size_t head, count;
	struct hash16 dest[TRIO_NODES];
	struct hash16 link[TRIO_NODES];
	unsigned events[64];
	uint64_t tag;
};

enum trio_what {
	TRIO_ANNOUNCE,
	TRIO_PATH_REQUEST,
	TRIO_SEND,
	TRIO_LINK_OPEN,
	TRIO_LINK_CLOSE,
	TRIO_IDENTIFY,
	TRIO_LINK_DATA,
	TRIO_REQUEST,
	TRIO_REQUEST_BIG,
	TRIO_RESOURCE,
	TRIO_RESOURCE_CANCEL,
	TRIO_CHANNEL,
	TRIO_STREAM,
	TRIO_PATH_DROP,
	TRIO_IF_FLAP,  /* forget the interface, make it again */
	TRIO_IF_TOGGLE, /* offline, online */
	TRIO_DEST_FLAP,
	TRIO_BLACKHOLE,
	TRIO_WHATS
};

/* How the next packet under way fares. */
enum trio_fate {
	TRIO_DELIVER,
	TRIO_LOSE,
	TRIO_DOUBLE,
	TRIO_FLIP,     /* bit `arg` */
	TRIO_CUT,      /* to a length below `arg` */
	TRIO_LATE,     /* behind all others */
	TRIO_ASTRAY,   /* to the relay, on the other interface */
	TRIO_FATES
};

/* False: memory ran out; close it all the same. */
bool trio_open(struct trio *, bool attached);
void trio_close(struct trio *);
/* `from`: A or B, where it means something. */
void trio_do(struct trio *, enum trio_what, unsigned from);
/* False: nothing is under way. */
bool trio_next(struct trio *, enum trio_fate, uint32_t arg);
/* Time passes; every deadline in it is met, packets are delivered. */
void trio_run(struct trio *, int64_t us);
/* The tables are within their limits. */
bool trio_bounded(const struct trio *);

#endif
