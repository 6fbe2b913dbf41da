/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/dedup.h"

#include <stdlib.h>
#include <string.h>

#define HASHSET_BITS_MIN 8  /* ours: 1.5 KiB at start */
#define HASHSET_BITS_MAX 24 /* ours: far above every limit in use */

struct dedup {
	struct hashset set;
};

void
hashset_init(struct rns *r, struct hashset *s, uint32_t limit)
{
	*s = (struct hashset){.limit = limit, .seed = core_seed(r)};
}

static void
gen_clear(struct hashset_gen *g)
{
	free(g->slots);
	*g = (struct hashset_gen){0};
}

void
hashset_clear(struct hashset *s)
{
	gen_clear(&s->cur);
	gen_clear(&s->prev);
}

static size_t
gen_mask(const struct hashset_gen *g)
{
	return ((size_t)1 << g->bits) - 1;
}

#define MARK_MASK (UINT64_MAX << (64 - 8 * HASHSET_MARK))
/* A mark is read as 8 bytes; so many stand behind the last slot. */
#define SLOTS_TAIL (8 - HASHSET_MARK)

/* What is kept of a key; 0 is an empty slot. */
static uint64_t
key_mark(const uint8_t key[HASHSET_KEY])
{
	return get_u64(key) & MARK_MASK;
}

static uint8_t *
gen_slot(const struct hashset_gen *g, size_t i)
{
	return g->slots + i * HASHSET_MARK;
}

static uint64_t
gen_mark(const struct hashset_gen *g, size_t i)
{
	return get_u64(gen_slot(g, i)) & MARK_MASK;
}

static void
gen_put(struct hashset_gen *g, size_t i, uint64_t mark)
{
	uint8_t b[8];

	put_u64(b, mark);
	memcpy(gen_slot(g, i), b, HASHSET_MARK);
}

/* Where the search for a key starts. */
static size_t
gen_home(const struct hashset *s, const struct hashset_gen *g, uint64_t mark)
{
	return mark_place(s->seed, mark, g->bits);
}

/* The slot of the key, or the empty one where it would go. */
static size_t
gen_find(const struct hashset *s, const struct hashset_gen *g, uint64_t mark)
{
	size_t i = gen_home(s, g, mark), mask = gen_mask(g);
	uint64_t there;

	while ((there = gen_mark(g, i)) != 0 && there != mark)
		i = (i + 1) & mask;
	return i;
}

static bool
gen_has(const struct hashset *s, const struct hashset_gen *g, uint64_t mark)
{
	return g->count > 0 && gen_mark(g, gen_find(s, g, mark)) != 0;
}

/* Moves back what stood behind the hole, so that searches still arrive. */
static void
gen_del(const struct hashset *s, struct hashset_gen *g, uint64_t mark)
{
	size_t hole, i, home, mask = gen_mask(g);
	uint64_t there;

	if (mark == 0 || !gen_has(s, g, mark))
		return;
	hole = gen_find(s, g, mark);
	for (i = (hole + 1) & mask; (there = gen_mark(g, i)) != 0;
	    i = (i + 1) & mask) {
		home = gen_home(s, g, there);
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			gen_put(g, hole, there);
			hole = i;
		}
	}
	gen_put(g, hole, 0);
	g->count--;
}

static int
gen_grow(const struct hashset *s, struct hashset_gen *g)
{
	struct hashset_gen big = {.bits = HASHSET_BITS_MIN};
	uint64_t mark;

	if (g->bits != 0)
		big.bits = (uint8_t)(g->bits + 1);
	if (big.bits > HASHSET_BITS_MAX)
		return RNS_ELIMIT;
	big.slots = calloc(((size_t)HASHSET_MARK << big.bits) + SLOTS_TAIL, 1);
	if (big.slots == NULL)
		return RNS_ENOMEM;
	for (size_t i = 0; g->bits != 0 && i <= gen_mask(g); i++) {
		mark = gen_mark(g, i);
		if (mark != 0)
			gen_put(&big, gen_find(s, &big, mark), mark);
	}
	big.count = g->count;
	free(g->slots);
	*g = big;
	return RNS_OK;
}

static void
hashset_rotate(struct hashset *s)
{
	gen_clear(&s->prev);
	s->prev = s->cur;
	s->cur = (struct hashset_gen){0};
}

bool
hashset_has(const struct hashset *s, const uint8_t key[HASHSET_KEY])
{
	uint64_t mark = key_mark(key);

	return gen_has(s, &s->cur, mark) || gen_has(s, &s->prev, mark);
}

int
hashset_add(struct hashset *s, const uint8_t key[HASHSET_KEY])
{
	struct hashset_gen *g = &s->cur;
	uint64_t mark = key_mark(key);

	if (mark == 0)
		return RNS_ENOMEM;
	if (gen_has(s, g, mark))
		return RNS_EEXIST;
	if (g->count > s->limit)
		hashset_rotate(s);
	/* At most seven eighths full. */
	if (g->bits == 0 || g->count >= gen_mask(g) / 8 * 7) {
		if (gen_grow(s, g) != 0) {
			hashset_rotate(s);
			if (gen_grow(s, g) != 0)
				return RNS_ENOMEM;
		}
	}
	gen_put(g, gen_find(s, g, mark), mark);
	g->count++;
	return RNS_OK;
}

void
hashset_del(struct hashset *s, const uint8_t key[HASHSET_KEY])
{
	gen_del(s, &s->cur, key_mark(key));
	gen_del(s, &s->prev, key_mark(key));
}

int
dedup_new(struct rns *r)
{
	r->dedup = calloc(1, sizeof(*r->dedup));
	if (r->dedup == NULL)
		return RNS_ENOMEM;
	hashset_init(r, &r->dedup->set, r->cfg.limits.hashes);
	return RNS_OK;
}

void
dedup_free(struct rns *r)
{
	if (r->dedup == NULL)
		return;
	hashset_clear(&r->dedup->set);
	free(r->dedup);
	r->dedup = NULL;
}

bool
dedup_has(const struct rns *r, const struct id32 *hash)
{
	return hashset_has(&r->dedup->set, hash->b);
}

void
dedup_soon(const struct rns *r, const struct id32 *hash)
{
	const struct hashset *s = &r->dedup->set;
	uint64_t mark = key_mark(hash->b);

	if (s->cur.count > 0)
		__builtin_prefetch(gen_slot(&s->cur,
		    gen_home(s, &s->cur, mark)));
	if (s->prev.count > 0)
		__builtin_prefetch(gen_slot(&s->prev,
		    gen_home(s, &s->prev, mark)));
}

void
dedup_add(struct rns *r, const struct id32 *hash)
{
	if (hashset_add(&r->dedup->set, hash->b) == RNS_ENOMEM)
		(void)core_drop(r, RNS_DROP_MEMORY);
}

void
dedup_del(struct rns *r, const struct id32 *hash)
{
	hashset_del(&r->dedup->set, hash->b);
}

size_t
rns_hashes(const struct rns *r, uint8_t *out, size_t cap_hashes)
{
	const struct hashset_gen *g = &r->dedup->set.cur;
	size_t n = 0;

	for (size_t i = 0; g->count > 0 && i <= gen_mask(g); i++) {
		if (gen_mark(g, i) == 0)
			continue;
		if (out != NULL && n < cap_hashes) {
			memset(out + n * HASHSET_KEY, 0, HASHSET_KEY);
			memcpy(out + n * HASHSET_KEY, gen_slot(g, i),
			    HASHSET_MARK);
		}
		n++;
	}
	return out != NULL ? MIN_OF(n, cap_hashes) : n;
}
