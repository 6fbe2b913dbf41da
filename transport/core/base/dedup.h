/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_DEDUP_H
#define WARREN_TRANSPORT_CORE_BASE_DEDUP_H

#include <rns/hash.h>

#include "transport/core/base/ctx.h"

/*
 * A set of 32-byte keys with one previous generation: when the current one
 * holds more than `limit` keys it becomes the previous one and an empty one
 * starts (reticulum-transport.md 2.7, 2.8). Keys are SHA-256 values, and their
 * first 6 bytes are what is kept: with a million of them one packet of 280
 * million is taken for another, which a wire loses oftener, and whoever wants
 * to have one refused would have to meet a hash that nobody knows yet. Open
 * addressing, a cache line for most; mark_place() says where each one stands.
 * Starts small, doubles; where memory is refused the generation changes early
 * instead. Keys whose first 6 bytes are zero are never members.
 */
#define HASHSET_KEY 32
#define HASHSET_MARK 6

struct hashset_gen {
	uint8_t *slots; /* of HASHSET_MARK bytes */
	uint32_t count;
	uint8_t bits; /* 1 << bits slots; 0: none yet */
};

struct hashset {
	struct hashset_gen cur, prev;
	uint32_t limit;
	uint64_t seed; /* core_seed() */
};

/* Empty, with a seed of its own. */
void hashset_init(struct rns *, struct hashset *, uint32_t limit);
/* Empty again, and its memory is free. */
void hashset_clear(struct hashset *);
/* In either generation? */
bool hashset_has(const struct hashset *, const uint8_t key[HASHSET_KEY]);
/* RNS_EEXIST: is in the current generation; RNS_ENOMEM: not stored. */
int hashset_add(struct hashset *, const uint8_t key[HASHSET_KEY]);
/* From both generations. */
void hashset_del(struct hashset *, const uint8_t key[HASHSET_KEY]);

/*
 * The packet filter's memory (reticulum-endpoint.md 3.5;
 * reticulum-transport.md 2.7, 3.3, 3.4).
 */
int dedup_new(struct rns *);
void dedup_free(struct rns *);
/* Was it taken already? */
bool dedup_has(const struct rns *, const struct id32 *hash);
/* That will be asked soon. */
void dedup_soon(const struct rns *, const struct id32 *hash);
/* Without memory it is a drop, and the packet may be taken twice. */
void dedup_add(struct rns *, const struct id32 *hash);
/* The next copy of it is taken again. */
void dedup_del(struct rns *, const struct id32 *hash);

#endif
