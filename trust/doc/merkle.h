/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_MERKLE_H
#define WARREN_TRUST_DOC_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * RFC 6962 hashing over a run of leaves [begin, end): the fewest whole
 * subtrees that cover it. From leaf 0 that gives the tree's root; from
 * elsewhere it is what a run of dropped lines leaves behind, so that the root
 * can still be computed without them.
 */
#define MERKLE_NODES 96 /* two a level are the most */

struct merkle {
	uint64_t end;
	unsigned n;
	uint8_t level[MERKLE_NODES];
	struct id32 hash[MERKLE_NODES];
};

/* An empty run that begins at this leaf. */
void merkle_init(struct merkle *, uint64_t begin);
/* A leaf's hash: prefix 0x00 (RFC 6962). */
void merkle_leaf(struct id32 *out, const void *, size_t);
/* A whole subtree of 2^level leaves; false: it cannot stand there. */
bool merkle_add(struct merkle *, unsigned level, const struct id32 *hash);
/* Level of the greatest subtree that begins at pos and ends by end. */
unsigned merkle_level(uint64_t pos, uint64_t end);
/* How many subtrees cover [begin, end). */
unsigned merkle_count(uint64_t begin, uint64_t end);
/* Of a tree that begins at 0; the empty one's is SHA-256 of nothing. */
void merkle_root(const struct merkle *, struct id32 *out);

#endif
