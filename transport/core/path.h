#ifndef RNS_PATH_H
#define RNS_PATH_H

#include "core.h"

/* Path table (transport 2.1); used by link.c for hops and time-outs. */
struct path {
	RB_ENTRY(path) node;
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
	uint8_t state;
};

struct path *path_find(const struct rns *, const uint8_t dest[RNS_HASH]);
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
