/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/tlogedge.h"

#include <string.h>

#include "trust/doc/merkle.h"

void
tlog_edge_init(struct tlog_edge *e)
{
	e->size = 0;
	memset(e->n, 0, sizeof(e->n));
}

bool
tlog_edge_load(struct tlog_edge *e, uint64_t size, tlog_load_fn *load,
    void *ctx)
{
	tlog_edge_init(e);
	if (size > TLOG_SIZE_MAX)
		return false;
	for (uint32_t level = 0; level < TLOG_LEVELS; level++) {
		uint64_t hashes = size >> 8 * level;

		e->n[level] = (unsigned)(hashes % TLOG_TILE);
		if (e->n[level] > 0 && !load(ctx, level, hashes / TLOG_TILE,
			e->tile[level], e->n[level]))
			return false;
	}
	e->size = size;
	return true;
}

bool
tlog_edge_add(struct tlog_edge *e, const struct id32 *leaf, tlog_tile_fn *fn,
    void *ctx)
{
	struct id32 h = *leaf;

	if (e->size == TLOG_SIZE_MAX)
		return false;
	e->size++;
	for (uint32_t level = 0; level < TLOG_LEVELS; level++) {
		struct merkle m;

		e->tile[level][e->n[level]++] = h;
		if (e->n[level] < TLOG_TILE)
			break;
		if (!fn(ctx, level, (e->size >> 8 * (level + 1)) - 1,
			e->tile[level], TLOG_TILE))
			return false;
		merkle_init(&m, 0);
		for (unsigned i = 0; i < TLOG_TILE; i++)
			(void)merkle_add(&m, 0, &e->tile[level][i]);
		merkle_root(&m, &h);
		e->n[level] = 0;
	}
	return true;
}

bool
tlog_edge_rest(const struct tlog_edge *e, tlog_tile_fn *fn, void *ctx)
{
	for (uint32_t level = 0; level < TLOG_LEVELS; level++)
		if (e->n[level] > 0 && !fn(ctx, level,
			(e->size >> 8 * level) / TLOG_TILE, e->tile[level],
			e->n[level]))
			return false;
	return true;
}

/* The larger subtrees lie in front. */
void
tlog_edge_root(const struct tlog_edge *e, struct id32 *out)
{
	struct merkle m;

	merkle_init(&m, 0);
	for (unsigned level = TLOG_LEVELS; level-- > 0;)
		for (unsigned i = 0; i < e->n[level]; i++)
			(void)merkle_add(&m, 8 * level, &e->tile[level][i]);
	merkle_root(&m, out);
}

bool
tlog_tiles_read(void *ctx, unsigned level, uint64_t index, struct id32 *out)
{
	struct tlog_tiles *t = ctx;
	struct id32 tile[TLOG_TILE];
	unsigned first, height, width;
	struct merkle m;
	uint32_t at;
	uint64_t n;

	tlog_place(level, index, &at, &n, &first, &height);
	width = tlog_width(*t->size, at, n);
	if (first + (1u << height) > width ||
	    !t->load(t->ctx, at, n, tile, width))
		return false;
	merkle_init(&m, 0);
	for (unsigned i = 0; i < 1u << height; i++)
		(void)merkle_add(&m, 0, &tile[first + i]);
	merkle_root(&m, out);
	return true;
}
