/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/pool.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/util.h"

#define BLOCKS_MIN 8u

void
pool_init(struct pool *p, size_t size, unsigned shift)
{
	/* items are aligned as their blocks are */
	*p = (struct pool){.size = (uint32_t)(size + 7) / 8 * 8,
	    .shift = (uint8_t)shift};
}

void
pool_clear(struct pool *p)
{
	for (uint32_t n = 0; n < p->block_count; n++)
		free(p->blocks[n].items);
	free(p->blocks);
	*p = (struct pool){0};
}

/* In a free item: the next free one of its block. */
static uint16_t *
next_unused(const struct pool *p, uint32_t block, uint32_t i)
{
	return (uint16_t *)(void *)(p->blocks[block].items +
	    (size_t)i * p->size);
}

static bool
block_make(struct pool *p, uint32_t n)
{
	struct pool_block b = {.items = malloc((size_t)p->size << p->shift)};

	if (b.items == NULL)
		return false;
	p->blocks[n] = b;
	return true;
}

static bool
blocks_grow(struct pool *p)
{
	uint32_t cap = MAX_OF(BLOCKS_MIN, p->block_cap + p->block_cap / 2);
	struct pool_block *more;

	if (p->block_count < p->block_cap)
		return true;
	if (cap > (UINT32_MAX >> p->shift) - 1 ||
	    (more = realloc(p->blocks, cap * sizeof(*more))) == NULL)
		return false;
	p->blocks = more;
	p->block_cap = cap;
	return true;
}

uint32_t
pool_take(struct pool *p)
{
	struct pool_block *b;
	uint32_t i;

	while (p->room < p->block_count &&
	    p->blocks[p->room].used == 1u << p->shift)
		p->room++;
	if (p->room == p->block_count) {
		if (!blocks_grow(p))
			return 0;
		p->blocks[p->block_count++] = (struct pool_block){0};
	}
	b = &p->blocks[p->room];
	if (b->items == NULL && !block_make(p, p->room))
		return 0;
	if (b->unused != 0) {
		i = b->unused - 1u;
		b->unused = *next_unused(p, p->room, i);
	} else {
		i = b->top++; /* its memory was not touched before */
	}
	b->used++;
	return (p->room << p->shift) + i + 1;
}

void
pool_give(struct pool *p, uint32_t id)
{
	uint32_t n = (id - 1) >> p->shift;
	uint32_t i = (id - 1) & ((1u << p->shift) - 1);
	struct pool_block *b = &p->blocks[n];

	*next_unused(p, n, i) = b->unused;
	b->unused = (uint16_t)(i + 1);
	p->room = MIN_OF(p->room, n);
	if (--b->used > 0 || n == 0)
		return;
	free(b->items);
	b->items = NULL;
}
