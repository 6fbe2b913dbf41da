/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_POOL_H
#define WARREN_TRANSPORT_CORE_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

/*
 * Items of one size, by number, in blocks of their own: one costs no head of
 * the allocator's, and when those of a burst are gone their memory is, too,
 * but for the first block. Between other things each would leave a hole that
 * nobody has a use for. An item stays where it is until it is given back.
 */
#define POOL_SHIFT 6       /* ours: 64 items; some KiB, an easy size */
#define POOL_SHIFT_BURST 11 /* ours: 100 KiB and more, of pages of their own */

struct pool_block {
	uint8_t *items; /* NULL: none are there */
	uint16_t used;
	uint16_t unused; /* the first of those given back, from 1 on */
	uint16_t top;    /* so many have ever been used */
};

struct pool {
	struct pool_block *blocks;
	uint32_t block_count, block_cap;
	uint32_t room; /* no block before this one has any */
	uint32_t size; /* of an item */
	uint8_t shift; /* 1 << shift items in a block */
};

/*
 * POOL_SHIFT; or POOL_SHIFT_BURST: there are none for most of the time, and
 * thousands at once.
 */
void pool_init(struct pool *, size_t size, unsigned shift);
/* All of them are gone. */
void pool_clear(struct pool *);
/* Its number, from 1 on; its bytes are anything. 0: no memory. */
uint32_t pool_take(struct pool *);
void pool_give(struct pool *, uint32_t id);

static inline void *
pool_at(const struct pool *p, uint32_t id)
{
	return p->blocks[(id - 1) >> p->shift].items +
	    (size_t)((id - 1) & ((1u << p->shift) - 1)) * p->size;
}

#endif
