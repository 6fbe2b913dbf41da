/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/tlogwalk.h"

#include <string.h>

#include "common/util.h"
#include "trust/doc/merkle.h"

/* ---- which tiles ---- */

static int
find(const struct tlog_walk *w, uint32_t level, uint64_t n)
{
	for (unsigned i = 0; i < w->n; i++)
		if (w->tile[i].level == level && w->tile[i].n == n)
			return (int)i;
	return -1;
}

/* ... and, of a whole one, what is above it, by which it is verified. */
static bool
want(struct tlog_walk *w, uint32_t level, uint64_t n)
{
	unsigned width = TLOG_TILE;

	for (; width == TLOG_TILE && find(w, level, n) < 0; level++) {
		struct tlog_walk_tile *t = &w->tile[w->n];

		width = tlog_width(w->head.size, level, n);
		if (width == 0 || w->n == TLOG_WALK_TILES)
			return false;
		w->n++;
		t->level = level;
		t->n = n;
		t->width = width;
		n /= TLOG_TILE;
	}
	return true;
}

/* In a first run nothing is here: what is asked for is noted. */
static bool
note(void *ctx, uint32_t level, uint64_t n, struct id32 *hashes,
    unsigned width)
{
	memset(hashes, 0, width * sizeof(*hashes));
	return want(ctx, level, n);
}

static bool
load(void *ctx, uint32_t level, uint64_t n, struct id32 *hashes,
    unsigned width)
{
	const struct tlog_walk *w = ctx;
	int i = find(w, level, n);

	if (i < 0 || w->tile[i].width != width)
		return false;
	memcpy(hashes, w->tile[i].hash, width * sizeof(*hashes));
	return true;
}

static bool
prove(struct tlog_walk *w, tlog_load_fn *fn, struct tlog_growth *g)
{
	struct tlog_tiles t = {&w->head.size, fn, w};
	const struct tlog_tree tree = {tlog_tiles_read, &t};

	*g = (struct tlog_growth){.old = {.size = w->old}};
	return tlog_root(&tree, w->old, &g->old.root) &&
	    tlog_prove_growth(&tree, w->old, w->head.size, g->hash, &g->n);
}

/* What is above goes first. */
static void
sort(struct tlog_walk *w)
{
	for (unsigned i = w->edge; i < w->n; i++)
		for (unsigned k = i; k > w->edge &&
		     w->tile[k - 1].level < w->tile[k].level; k--) {
			struct tlog_walk_tile t = w->tile[k];

			w->tile[k] = w->tile[k - 1];
			w->tile[k - 1] = t;
		}
}

bool
tlog_walk_begin(struct tlog_walk *w, uint64_t old,
    const struct tlog_head *head)
{
	struct tlog_growth g;

	w->old = old;
	w->head = *head;
	w->n = w->at = w->edge = 0;
	if (old == 0 || old >= head->size || head->size > TLOG_SIZE_MAX)
		return false;
	for (uint32_t level = TLOG_LEVELS; level-- > 0;)
		if ((head->size >> 8 * level) % TLOG_TILE != 0 &&
		    !want(w, level, (head->size >> 8 * level) / TLOG_TILE))
			return false;
	w->edge = w->n;
	if (!prove(w, note, &g))
		return false;
	sort(w);
	return true;
}

/* ---- what comes ---- */

const struct tlog_walk_tile *
tlog_walk_next(const struct tlog_walk *w)
{
	return w->at < w->n ? &w->tile[w->at] : NULL;
}

static bool
edge_holds(const struct tlog_walk *w)
{
	struct merkle m;
	struct id32 root;

	merkle_init(&m, 0);
	for (unsigned i = 0; i < w->edge; i++)
		for (unsigned k = 0; k < w->tile[i].width; k++)
			(void)merkle_add(&m, 8 * w->tile[i].level,
			    &w->tile[i].hash[k]);
	merkle_root(&m, &root);
	return id32_eq(&root, &w->head.root);
}

/* Is it what the one above it says? Only whole ones have one. */
static bool
holds(const struct tlog_walk *w, const struct tlog_walk_tile *t)
{
	int up = find(w, t->level + 1, t->n / TLOG_TILE);
	struct merkle m;
	struct id32 h;

	if (up < 0 || t->width != TLOG_TILE)
		return false;
	merkle_init(&m, 0);
	for (unsigned k = 0; k < t->width; k++)
		(void)merkle_add(&m, 0, &t->hash[k]);
	merkle_root(&m, &h);
	return id32_eq(&h, &w->tile[up].hash[t->n % TLOG_TILE]);
}

const char *
tlog_walk_take(struct tlog_walk *w, const void *bytes, size_t len)
{
	struct tlog_walk_tile *t = &w->tile[w->at];
	size_t wide = t->width * sizeof(t->hash[0]);

	if (w->at >= w->n)
		return "nobody has asked for it";
	if (len != wide && len != TLOG_TILE_BYTES)
		return "it is not as wide as that tile is";
	memcpy(t->hash, bytes, wide);
	w->at++;
	if (w->at == w->edge && !edge_holds(w)) {
		w->at = 0; /* any of them may be the one that is wrong */
		return "the tiles at its end do not give the root of its "
		    "checkpoint";
	}
	if (w->at > w->edge && !holds(w, t)) {
		w->at--;
		return "it is not what the tile above it says";
	}
	return NULL;
}

bool
tlog_walk_growth(struct tlog_walk *w, struct tlog_growth *g)
{
	return w->at == w->n && w->n > 0 && prove(w, load, g);
}
