/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_TRAFFIC_H
#define WARREN_TRANSPORT_CORE_TABLE_TRAFFIC_H

#include "transport/core/base/ctx.h"

/*
 * How much of what goes through an interface, and how often
 * (reticulum-transport.md 8.5): the last 48 events of each sort.
 */
#define TRAFFIC_SAMPLES 48

enum traffic_sort {
	TRAFFIC_ANNOUNCE_IN,
	TRAFFIC_ANNOUNCE_OUT,
	TRAFFIC_PATH_IN, /* path requests */
	TRAFFIC_PATH_OUT,
	TRAFFIC_SORTS
};

struct traffic {
	struct mono at[TRAFFIC_SAMPLES]; /* a ring */
	uint8_t first, count;
	struct mono culled; /* last time that an old one went by itself */
	uint64_t packets, bytes;
};

/* Of an interface that begins now. */
void traffic_init(struct rns *, struct traffic[TRAFFIC_SORTS]);
void traffic_count(struct rns *, struct traffic *, size_t len);
/*
 * Events a second, `more` of them not counted yet; 0: fewer than count for
 * anything, three that came in or two that went out. _hz() forgets one that
 * is more than 10 s old afterwards, as each look does; _peek() only looks.
 */
double traffic_hz(struct rns *, struct traffic[TRAFFIC_SORTS],
    enum traffic_sort, unsigned more);
double traffic_peek(const struct rns *, const struct traffic[TRAFFIC_SORTS],
    enum traffic_sort, unsigned more);

#endif
