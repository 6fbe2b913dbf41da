/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_HEARD_H
#define WARREN_TRANSPORT_CORE_TABLE_HEARD_H

#include <rns/hash.h>

#include "transport/core/base/ctx.h"

/*
 * The bytes of an announce, which a path and a known destination share: the
 * key and the app data of the one are a part of what the other passes on.
 * Bare: of a known destination that was read from a file, whose announce is
 * not there; its key, the hash of that packet, and its app data.
 */
struct heard {
	uint8_t refs;
	bool bare;
	uint32_t len;
	uint8_t raw[];
};

/* With one reference; NULL: no memory. */
struct heard *heard_new(const uint8_t *raw, size_t len);
struct heard *heard_bare(const uint8_t key[RNS_KEY], const struct id32 *hash,
    const uint8_t *app_data, size_t len);
struct heard *heard_ref(struct heard *);
/* NULL is fine. */
void heard_drop(struct heard *);
/* Is it an announce of these bytes? */
bool heard_is(const struct heard *, const uint8_t *raw, size_t len);
/* Of the announce. */
void heard_hash(const struct heard *, struct id32 *out);

#endif
