/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_PATH_H
#define WARREN_TRANSPORT_CORE_TABLE_PATH_H

#include "transport/core/base/ctx.h"

/*
 * Path table (transport 2.1); used by link.c for hops and time-outs. When it
 * is full the path that was unused for longest goes, so that a flood of made-up
 * destinations does not lock out those in use.
 */
enum path_state { /* 2.2 */
	PATH_UNKNOWN = 0,
	PATH_UNRESPONSIVE = 1,
	PATH_RESPONSIVE = 2,
};

struct path {
	RB_ENTRY(path) node;
	TAILQ_ENTRY(path) age; /* by falling time since last use */
	uint8_t life;          /* which of the three life times (2.1) */
	uint8_t dest[RNS_HASH];
	uint8_t next_hop[RNS_HASH];
	uint8_t hops;
	struct iface *rx;
	int64_t learned_us, expires_us; /* Unix time */
	struct mono stamp;              /* learned, or last used */
	uint8_t packet_hash[RNS_FULL_HASH];
	uint8_t (*blobs)[10]; /* newest last, at most 64 */
	uint8_t blob_count;
	uint8_t *announce; /* raw, hop byte as received */
	uint16_t announce_len;
	enum path_state state;
};

struct path *path_find(const struct rns *, const uint8_t dest[RNS_HASH]);
/* It was used just now. */
void path_touch(struct rns *, struct path *);
/* Hops to a destination, RNS_HOPS_MAX when unknown. */
uint8_t path_hops(const struct rns *, const uint8_t dest[RNS_HASH]);
/* 500 * 8 / bitrate + 6 s, 6 s when unknown (3.7), in microseconds. */
int64_t path_first_hop_timeout_us(const struct rns *,
    const uint8_t dest[RNS_HASH]);
/* Next-hop interface or NULL. */
struct iface *path_iface(const struct rns *, const uint8_t dest[RNS_HASH]);
void path_drop(struct rns *, const uint8_t dest[RNS_HASH]);
/* Ask for a path (13); at most one in 20 s for one destination when auto. */
int path_request(struct rns *, const uint8_t dest[RNS_HASH], bool automatic);

#endif
