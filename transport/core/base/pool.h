/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_POOL_H
#define WARREN_TRANSPORT_CORE_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

/*
 * Items of one size, by number, in blocks of their own: one costs no head of
 * the allocator's, and when those of a burst are gone their memory is, too.
 * Between other things each would leave a hole that nobody has a use for. An
 * item stays where it is until it is given back.
 */
#define POOL_BLOCK 64u /* ours: items; some KiB, an easy size */

struct pool_block {
	uint8_t *items; /* NULL: none are there */
	uint16_t used;
	uint16_t unused; /* the first of those that are free, from 1 on */
};

struct pool {
	struct pool_block *blocks;
	uint32_t block_count, block_cap;
	uint32_t room; /* no block before this one has any */
	uint32_t size; /* of an item */
};

void pool_init(struct pool *, size_t size);
/* All of them are gone. */
void pool_clear(struct pool *);
/* Its number, from 1 on; its bytes are anything. 0: no memory. */
uint32_t pool_take(struct pool *);
void pool_give(struct pool *, uint32_t id);

static inline void *
pool_at(const struct pool *p, uint32_t id)
{
	return p->blocks[(id - 1) / POOL_BLOCK].items +
	    (size_t)((id - 1) % POOL_BLOCK) * p->size;
}

#endif
