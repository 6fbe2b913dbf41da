/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_PATH_TABLE_H
#define WARREN_TRANSPORT_CORE_TABLE_PATH_TABLE_H

#include "transport/core/table/path.h"

/* What announces and path requests do with the path table. */
#define PATH_BLOB 10 /* bytes of a random hash (endpoint 5.4) */

struct path_new {
	const uint8_t *dest, *next_hop; /* 16 */
	const uint8_t *packet_hash;     /* 32 */
	const uint8_t *blob;            /* 10, or NULL */
	uint8_t hops;
	struct iface *rx;
	int64_t learned_us, expires_us;
	struct mono stamp;
	const uint8_t *announce; /* copied; at most RNS_MTU */
	size_t announce_len;
};

/* Makes the path or replaces it; NULL: out of memory, the old one stays. */
struct path *path_store(struct rns *, const struct path_new *);
bool path_has_blob(const struct path *, const uint8_t blob[PATH_BLOB]);
/* How long a path learned there lives (2.1). */
int64_t path_life_us(const struct iface *);

#endif
