/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_RESOURCE_ADV_H
#define WARREN_TRANSPORT_CORE_LINK_RESOURCE_ADV_H

#include <rns/hash.h>

#include "transport/core/link/link.h"

/*
 * The advertisement of a segment (reticulum-endpoint.md 8.4); `map` points into
 * the plaintext.
 */
struct adv {
	uint64_t size, total, parts, segment, segments, flags;
	struct id32 hash, orig;
	uint8_t random[RES_RANDOM];
	struct hash16 request_id;
	bool has_id;
	const uint8_t *map;
	size_t map_len;
};

/*
 * false: a field is missing, twice there or out of its range. size is at most
 * RES_TRANSFER_MAX and segment one of segments.
 */
bool adv_parse(struct adv *, const uint8_t *, size_t);

#endif
