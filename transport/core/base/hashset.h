/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_HASHSET_H
#define WARREN_TRANSPORT_CORE_BASE_HASHSET_H

#include "transport/core/base/ctx.h"

/*
 * A set of 32-byte keys with one previous generation: when the current one
 * holds more than `limit` keys it becomes the previous one and an empty one
 * starts (reticulum-transport.md 2.7, 2.8). Keys are SHA-256 values, and their
 * first 6 bytes are what is kept: with a million of them one packet of 280
 * million is taken for another, which a wire loses oftener, and whoever wants
 * to have one refused would have to meet a hash that nobody knows yet.
 *
 * Each key has two lines of the cache where it may stand, at places that come
 * from a secret seed, and stands in the one that was emptier: so a look costs
 * two lines, fetched side by side, however full the set is, and four fifths of
 * the places are used. Starts small and grows when a key finds both of its
 * lines full; where memory is refused the generation changes early instead.
 */
#define HASHSET_KEY 32
#define HASHSET_MARK 6

struct hashset_line;

struct hashset_gen {
	void *memory; /* where the lines and `high` are */
	struct hashset_line *lines;
	uint16_t *high; /* of each place; NULL: there are many lines */
	uint32_t n;     /* lines; 0: none yet */
	uint32_t count; /* keys */
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
/* That will be asked soon. */
void hashset_soon(const struct hashset *, const uint8_t key[HASHSET_KEY]);
/* RNS_EEXIST: is in the current generation; RNS_ENOMEM: not stored. */
int hashset_add(struct hashset *, const uint8_t key[HASHSET_KEY]);
/* RNS_EEXIST: is in either generation; RNS_ENOMEM: not stored. */
int hashset_take(struct hashset *, const uint8_t key[HASHSET_KEY]);
/* From both generations. */
void hashset_del(struct hashset *, const uint8_t key[HASHSET_KEY]);
/*
 * The first `cap` keys of the current generation, with zeros behind what is
 * kept of them: as good as the keys themselves. Returns how many.
 */
size_t hashset_keys(const struct hashset *, uint8_t *out, size_t cap);

#endif
