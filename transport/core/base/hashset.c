/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/hashset.h"

#include <stdlib.h>
#include <string.h>

/*
 * The mark of a key, its first 6 bytes, is multiplied by the seed, which can
 * be undone. The upper bits of the product say which line is the key's first
 * one, so a line need not keep them: 35 bits of the product say with the line
 * what the others are, if there are 8192 lines or more. While there are fewer,
 * the upper bits stand in `high`. A bit says whether a key stands in its other
 * line, whose distance from the first comes from what is kept.
 */
#define LINE 64 /* bytes of a line of the cache */
#define PLACES 14
#define MARK_BITS (8 * HASHSET_MARK)
#define MARK_MASK ((UINT64_C(1) << MARK_BITS) - 1)
#define KEPT_BITS 35 /* 32 in `low`, 3 in `more` */
#define KEPT_MASK ((UINT64_C(1) << KEPT_BITS) - 1)
#define AHEAD 16 /* keys that are on their way from the memory */
#define LINES_MIN 4u /* ours: 256 bytes at start */
#define LINES_MANY (1u << (MARK_BITS - KEPT_BITS))
#define LINES_MAX (1u << 16) /* what first_line() has bits for; 760,000 keys */

/* Four places at once, where the machine can. */
typedef uint32_t four __attribute__((vector_size(16)));
typedef uint64_t two __attribute__((vector_size(16)));

struct hashset_line {
	union {
		four fours[4]; /* behind the last two places is the rest */
		struct {
			uint32_t low[PLACES];
			/* 4 bits each: 3 of the key's; the other line? */
			uint8_t more[PLACES / 2];
			uint8_t used; /* places, from the first on */
		};
	};
};

_Static_assert(sizeof(struct hashset_line) == LINE, "one line of the cache");

/* The lines of a key. */
struct spot {
	uint32_t first, other;
};

void
hashset_init(struct rns *r, struct hashset *s, uint32_t limit)
{
	*s = (struct hashset){.limit = limit, .seed = core_seed(r)};
}

static void
gen_clear(struct hashset_gen *g)
{
	free(g->memory);
	*g = (struct hashset_gen){0};
}

void
hashset_clear(struct hashset *s)
{
	gen_clear(&s->cur);
	gen_clear(&s->prev);
}

static uint64_t
key_product(const struct hashset *s, const uint8_t key[HASHSET_KEY])
{
	return (get_u64(key) >> (64 - MARK_BITS)) * s->seed & MARK_MASK;
}

/* In order of the products. */
static uint32_t
first_line(uint64_t x, uint32_t n)
{
	return (uint32_t)(x * n >> MARK_BITS);
}

/* From the one line of a key to the other, forwards: 1 to n - 1. */
static uint32_t
distance(uint32_t low, uint32_t n)
{
	return (uint32_t)((uint64_t)low * (n - 1) >> 32) + 1;
}

static struct spot
spot_of(uint64_t x, uint32_t n)
{
	struct spot p = {.first = first_line(x, n)};

	p.other = p.first + distance((uint32_t)x, n);
	if (p.other >= n)
		p.other -= n;
	return p;
}

static uint8_t
more_of(uint64_t x, unsigned other)
{
	return (uint8_t)((x >> 32 & 7) << 1 | other);
}

static uint8_t
more_get(const struct hashset_line *l, unsigned i)
{
	return l->more[i / 2] >> (i % 2 * 4) & 15;
}

static void
more_put(struct hashset_line *l, unsigned i, uint8_t more)
{
	unsigned shift = i % 2 * 4;

	l->more[i / 2] = (uint8_t)((l->more[i / 2] & ~(15u << shift)) |
	    (unsigned)more << shift);
}

/* Of the n-th line; NULL: there are many. */
static uint16_t *
high_of(const struct hashset_gen *g, uint32_t n)
{
	return g->high != NULL ? g->high + (size_t)n * PLACES : NULL;
}

/* Is that number in it? Perhaps where nothing stands any more. */
static bool
line_has(const struct hashset_line *l, uint32_t low)
{
	four x = {low, low, low, low};
	four places = {UINT32_MAX, UINT32_MAX, 0, 0};
	two any = (two)((l->fours[0] == x) | (l->fours[1] == x) |
	    (l->fours[2] == x) | ((l->fours[3] == x) & (places != 0)));

	return (any[0] | any[1]) != 0;
}

/* The place of a key in its one line or the other; PLACES: it has none. */
static unsigned
place_find(const struct hashset_gen *g, uint64_t x, uint32_t n, unsigned other)
{
	const struct hashset_line *l = &g->lines[n];
	const uint16_t *high = high_of(g, n);

	for (unsigned i = 0; i < l->used; i++)
		if (l->low[i] == (uint32_t)x &&
		    more_get(l, i) == more_of(x, other) &&
		    (high == NULL || high[i] == x >> KEPT_BITS))
			return i;
	return PLACES;
}

static bool
gen_has(const struct hashset_gen *g, uint64_t x)
{
	struct spot p;

	if (g->count == 0)
		return false;
	p = spot_of(x, g->n);
	return (line_has(&g->lines[p.first], (uint32_t)x) &&
	    place_find(g, x, p.first, 0) < PLACES) ||
	    (line_has(&g->lines[p.other], (uint32_t)x) &&
	    place_find(g, x, p.other, 1) < PLACES);
}

static void
gen_soon(const struct hashset_gen *g, uint64_t x)
{
	struct spot p;

	if (g->n == 0)
		return;
	p = spot_of(x, g->n);
	__builtin_prefetch(&g->lines[p.first]);
	__builtin_prefetch(&g->lines[p.other]);
}

/* It is not there; false: both lines are full. */
static bool
gen_put(struct hashset_gen *g, uint64_t x)
{
	struct spot p = spot_of(x, g->n);
	unsigned other = g->lines[p.other].used < g->lines[p.first].used, i;
	uint32_t n = other != 0 ? p.other : p.first;
	struct hashset_line *l = &g->lines[n];

	if (l->used == PLACES)
		return false;
	i = l->used++;
	l->low[i] = (uint32_t)x;
	more_put(l, i, more_of(x, other));
	if (g->high != NULL)
		high_of(g, n)[i] = (uint16_t)(x >> KEPT_BITS);
	g->count++;
	return true;
}

/* The last one of the line takes its place. */
static bool
line_del(struct hashset_gen *g, uint64_t x, uint32_t n, unsigned other)
{
	struct hashset_line *l = &g->lines[n];
	unsigned i = place_find(g, x, n, other), last;
	uint16_t *high = high_of(g, n);

	if (i == PLACES)
		return false;
	last = --l->used;
	l->low[i] = l->low[last];
	more_put(l, i, more_get(l, last));
	if (high != NULL)
		high[i] = high[last];
	g->count--;
	return true;
}

static void
gen_del(struct hashset_gen *g, uint64_t x)
{
	struct spot p;

	if (g->count == 0)
		return;
	p = spot_of(x, g->n);
	if (!line_del(g, x, p.first, 0))
		(void)line_del(g, x, p.other, 1);
}

/* The product of the key that stands there. */
static uint64_t
product_at(const struct hashset_gen *g, uint32_t n, unsigned i)
{
	const struct hashset_line *l = &g->lines[n];
	uint8_t more = more_get(l, i);
	uint64_t kept = (uint64_t)(more >> 1) << 32 | l->low[i], from;
	uint32_t back = (more & 1) != 0 ? distance(l->low[i], g->n) : 0;

	if (g->high != NULL)
		return (uint64_t)high_of(g, n)[i] << KEPT_BITS | kept;
	n = n >= back ? n - back : n + g->n - back;
	/* the first product of the line; the next ones tell them apart */
	from = (((uint64_t)n << MARK_BITS) + g->n - 1) / g->n;
	return from + ((kept - from) & KEPT_MASK);
}

static bool
gen_make(struct hashset_gen *g, uint32_t n)
{
	size_t high = n < LINES_MANY ? n * PLACES * sizeof(*g->high) : 0;

	*g = (struct hashset_gen){.n = n};
	g->memory = calloc((size_t)n * LINE + high + LINE - 1, 1);
	if (g->memory == NULL)
		return false;
	g->lines = (void *)(((uintptr_t)g->memory + LINE - 1) / LINE * LINE);
	if (high != 0)
		g->high = (void *)(g->lines + n);
	return true;
}

/*
 * The next size. What the limit needs when all places but a fifth are used is
 * the last one, and comes late: its last eighth is a step of its own.
 */
static uint32_t
lines_next(const struct hashset *s, uint32_t n)
{
	uint32_t need = MAX_OF(LINES_MIN, s->limit / (PLACES * 4 / 5) + 1);
	uint32_t most = need - need / 8;

	if (n == 0)
		return LINES_MIN;
	if (n < most)
		return MIN_OF(n < LINES_MANY ? 2 * n : n + n / 3,
		    MIN_OF(most, LINES_MAX));
	return MIN_OF(n < need ? need : n + n / 2, LINES_MAX);
}

/*
 * All keys of one set in another. In the order of their products they would
 * fill the first lines before the last ones have any, and find them full: so
 * one of each line is taken, and then the next. Each is put when the lines of
 * those behind it are fetched.
 */
static bool
gen_move(struct hashset_gen *to, const struct hashset_gen *from)
{
	uint64_t x[AHEAD];
	size_t k = 0;

	for (unsigned i = 0; i < PLACES; i++) {
		for (uint32_t n = 0; n < from->n; n++) {
			if (i >= from->lines[n].used)
				continue;
			if (k >= AHEAD && !gen_put(to, x[k % AHEAD]))
				return false;
			x[k % AHEAD] = product_at(from, n, i);
			gen_soon(to, x[k++ % AHEAD]);
		}
	}
	for (size_t left = MIN_OF(k, (size_t)AHEAD); left > 0; left--)
		if (!gen_put(to, x[(k - left) % AHEAD]))
			return false;
	return true;
}

static int
gen_grow(const struct hashset *s, struct hashset_gen *g)
{
	uint32_t n = lines_next(s, g->n);
	struct hashset_gen big;

	for (; n > g->n; n = lines_next(s, n)) {
		if (!gen_make(&big, n))
			return RNS_ENOMEM;
		if (gen_move(&big, g)) {
			free(g->memory);
			*g = big;
			return RNS_OK;
		}
		free(big.memory);
		if (n == LINES_MAX)
			break;
	}
	return RNS_ELIMIT;
}

/* The new one will need as many lines as the old one did. */
static void
hashset_rotate(struct hashset *s)
{
	gen_clear(&s->prev);
	s->prev = s->cur;
	if (!gen_make(&s->cur, s->prev.n))
		s->cur = (struct hashset_gen){0};
}

bool
hashset_has(const struct hashset *s, const uint8_t key[HASHSET_KEY])
{
	uint64_t x = key_product(s, key);

	return gen_has(&s->cur, x) || gen_has(&s->prev, x);
}

void
hashset_soon(const struct hashset *s, const uint8_t key[HASHSET_KEY])
{
	uint64_t x = key_product(s, key);

	gen_soon(&s->cur, x);
	gen_soon(&s->prev, x);
}

/* It is not in the current generation. */
static int
product_add(struct hashset *s, uint64_t x)
{
	struct hashset_gen *g = &s->cur;

	if (g->count > s->limit)
		hashset_rotate(s);
	while (g->n == 0 || !gen_put(g, x)) {
		if (gen_grow(s, g) == RNS_OK)
			continue;
		if (g->count == 0)
			return RNS_ENOMEM;
		hashset_rotate(s);
	}
	return RNS_OK;
}

int
hashset_add(struct hashset *s, const uint8_t key[HASHSET_KEY])
{
	uint64_t x = key_product(s, key);

	return gen_has(&s->cur, x) ? RNS_EEXIST : product_add(s, x);
}

int
hashset_take(struct hashset *s, const uint8_t key[HASHSET_KEY])
{
	uint64_t x = key_product(s, key);

	return gen_has(&s->cur, x) || gen_has(&s->prev, x) ? RNS_EEXIST :
	    product_add(s, x);
}

void
hashset_del(struct hashset *s, const uint8_t key[HASHSET_KEY])
{
	uint64_t x = key_product(s, key);

	gen_del(&s->cur, x);
	gen_del(&s->prev, x);
}

/* What undoes a multiplication by an odd number: each step doubles the bits. */
static uint64_t
inverse(uint64_t odd)
{
	uint64_t x = odd;

	for (int bits = 3; bits < 64; bits *= 2)
		x *= 2 - odd * x;
	return x;
}

size_t
hashset_keys(const struct hashset *s, uint8_t *out, size_t cap)
{
	const struct hashset_gen *g = &s->cur;
	uint64_t undo = inverse(s->seed), mark;
	uint8_t b[8];
	size_t k = 0;

	for (uint32_t n = 0; n < g->n; n++) {
		for (unsigned i = 0; i < g->lines[n].used && k < cap; i++) {
			mark = product_at(g, n, i) * undo & MARK_MASK;
			put_u64(b, mark << (64 - MARK_BITS));
			memset(out, 0, HASHSET_KEY);
			memcpy(out, b, HASHSET_MARK);
			out += HASHSET_KEY;
			k++;
		}
	}
	return k;
}
