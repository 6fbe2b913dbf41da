/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/reverse.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/const.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/share.h"

/*
 * Every forwarded packet makes an entry, so they stand in one array that grows
 * and is used over and over; at the ceiling the oldest goes, of the interface
 * that has more than its share (share.h). An entry is named by its place in
 * the array, from 1 on; 0 is none. Each has two lines of the cache where it may
 * be noted, at places that come from a secret seed, and is in the emptier one:
 * however full they are, a look costs those two, with enough of the hash to
 * need no look at any other entry. So many that every byte is 28 KiB, and half
 * a line of the cache: interfaces by their places, times in 32 bits.
 */
#define REVERSE_MIN 128   /* ours: entries of the first allocation */
#define REVERSE_MAX (1u << 24) /* ours: their bytes fit in 32 bits */
#define REVERSE_TIMEOUT_MS (REVERSE_TIMEOUT * INT64_C(1000))
#define LINE 64 /* bytes of a line of the cache */
#define LINE_WAYS 10
#define LINES_MIN 16u

struct way {
	struct hash16 hash;
	uint16_t in, out;      /* places of interfaces */
	uint32_t older, newer; /* of those of `in` */
	uint32_t ms;           /* when it was made; it wraps */
};

_Static_assert(sizeof(struct way) == 32, "half a line of the cache");

/* Eight marks at once, where the machine can. */
typedef uint16_t eight __attribute__((vector_size(16)));
typedef uint64_t two __attribute__((vector_size(16)));

struct reverse_line {
	uint16_t mark[LINE_WAYS];
	uint32_t used;
	uint32_t entry[LINE_WAYS];
};

_Static_assert(sizeof(struct reverse_line) == LINE, "one line of the cache");

struct reverse_lines {
	void *memory; /* where they are */
	struct reverse_line *line;
	uint32_t n;
};

/* Where a hash is noted, or may be. */
struct spot {
	uint32_t line[2];
	uint32_t in, i; /* which of the two, and where there */
	uint16_t mark;
};

struct reverses {
	struct way *e;
	struct reverse_lines lines;
	uint32_t cap, top; /* entries: allocated, ever used */
	uint32_t unused;   /* by `newer` */
	uint64_t seed;
	struct timer cull;
};

static struct way *
way_at(const struct reverses *t, uint32_t entry)
{
	return &t->e[entry - 1];
}

static uint32_t
way_ms(struct mono at)
{
	return (uint32_t)(at.us / 1000);
}

/* How old it is, in ms; none gets so old that the count comes around. */
static uint32_t
way_age(const struct rns *r, const struct way *e)
{
	return way_ms(r->now) - e->ms;
}

/* None outlives its interfaces: reverse_iface_gone(). */
static struct iface *
way_in(const struct rns *r, uint32_t entry)
{
	return r->iface_at[way_at(r->reverses, entry)->in];
}

static struct iface *
way_out(const struct rns *r, uint32_t entry)
{
	return r->iface_at[way_at(r->reverses, entry)->out];
}

/* ---- the lines ---- */

static struct spot
spot_of(const struct reverses *t, const struct reverse_lines *l,
    const struct hash16 *hash)
{
	uint64_t x = get_u64(hash->b) * t->seed;
	uint32_t first = (uint32_t)((x >> 32) * l->n >> 32);
	uint32_t other = first + 1 +
	    (uint32_t)((x & UINT32_MAX) * (l->n - 1) >> 32);

	return (struct spot){.line = {first, other < l->n ? other :
	    other - l->n}, .mark = (uint16_t)(x >> 32)};
}

/* Is that mark in it? Perhaps where nothing stands any more. */
static bool
line_has(const struct reverse_line *l, uint16_t mark)
{
	eight x = {mark, mark, mark, mark, mark, mark, mark, mark};
	eight first;
	two any;

	memcpy(&first, l->mark, sizeof(first));
	any = (two)(first == x);
	return (any[0] | any[1]) != 0 || l->mark[8] == mark ||
	    l->mark[9] == mark;
}

/* Its entry, and where it is noted; 0: it is not. */
static uint32_t
spot_find(const struct reverses *t, struct spot *p, const struct hash16 *hash)
{
	const struct reverse_line *l;

	for (p->in = 0; p->in < 2; p->in++) {
		l = &t->lines.line[p->line[p->in]];
		if (!line_has(l, p->mark))
			continue;
		for (p->i = 0; p->i < l->used; p->i++)
			if (l->mark[p->i] == p->mark && hash16_eq(
			    &way_at(t, l->entry[p->i])->hash, hash))
				return l->entry[p->i];
	}
	return 0;
}

/* The last one of the line takes its place. */
static void
spot_clear(const struct reverses *t, const struct spot *p)
{
	struct reverse_line *l = &t->lines.line[p->line[p->in]];

	l->used--;
	l->mark[p->i] = l->mark[l->used];
	l->entry[p->i] = l->entry[l->used];
}

/* False: both lines are full. */
static bool
spot_put(const struct reverse_lines *lines, const struct spot *p,
    uint32_t entry)
{
	struct reverse_line *l = &lines->line[p->line[0]];
	struct reverse_line *other = &lines->line[p->line[1]];

	if (other->used < l->used)
		l = other;
	if (l->used == LINE_WAYS)
		return false;
	l->mark[l->used] = p->mark;
	l->entry[l->used++] = entry;
	return true;
}

static bool
lines_make(struct reverse_lines *l, uint32_t n)
{
	*l = (struct reverse_lines){.n = n,
	    .memory = calloc((size_t)n * LINE + LINE - 1, 1)};
	l->line = (void *)(((uintptr_t)l->memory + LINE - 1) / LINE * LINE);
	return l->memory != NULL;
}

/* One of each line, then the next: in another order they spread worse. */
static bool
lines_move(const struct reverses *t, struct reverse_lines *to)
{
	const struct reverse_line *l;
	struct spot p;

	for (unsigned i = 0; i < LINE_WAYS; i++) {
		for (uint32_t n = 0; n < t->lines.n; n++) {
			l = &t->lines.line[n];
			if (i >= l->used)
				continue;
			p = spot_of(t, to, &way_at(t, l->entry[i])->hash);
			if (!spot_put(to, &p, l->entry[i]))
				return false;
		}
	}
	return true;
}

/* The last size is that which the limit needs, with a fifth to spare. */
static bool
lines_grow(const struct rns *r, struct reverses *t)
{
	uint32_t need = MIN_OF(r->cfg.limits.reverse, REVERSE_MAX) /
	    (LINE_WAYS * 4 / 5) + 1, n = t->lines.n;
	struct reverse_lines more;

	do {
		n = n < need ? MIN_OF(2 * n, need) : n + n / 4;
		if (n > REVERSE_MAX || !lines_make(&more, n))
			return false;
		if (lines_move(t, &more)) {
			free(t->lines.memory);
			t->lines = more;
			return true;
		}
		free(more.memory);
	} while (true);
}

/* ---- the list of an interface, oldest first ---- */

static void
age_append(struct reverses *t, struct iface *i, uint32_t entry)
{
	struct way *e = way_at(t, entry);

	e->older = i->reverses.newest;
	e->newer = 0;
	if (e->older != 0)
		way_at(t, e->older)->newer = entry;
	else
		i->reverses.oldest = entry;
	i->reverses.newest = entry;
}

static void
age_remove(struct reverses *t, struct iface *i, const struct way *e)
{
	struct reverse_ages *l = &i->reverses;

	if (e->older != 0)
		way_at(t, e->older)->newer = e->newer;
	else
		l->oldest = e->newer;
	if (e->newer != 0)
		way_at(t, e->newer)->older = e->older;
	else
		l->newest = e->older;
}

/* spot, in: its own. */
static void
reverse_remove(struct rns *r, const struct spot *spot, struct iface *in)
{
	struct reverses *t = r->reverses;
	uint32_t entry = t->lines.line[spot->line[spot->in]].entry[spot->i];
	struct way *e = way_at(t, entry);

	spot_clear(t, spot);
	age_remove(t, in, e);
	share_give(r, in, SHARE_REVERSE);
	e->newer = t->unused;
	t->unused = entry;
	r->counts.reverse--;
}

static void
reverse_forget(struct rns *r, uint32_t entry, struct iface *in)
{
	struct reverses *t = r->reverses;
	const struct hash16 *hash = &way_at(t, entry)->hash;
	struct spot spot = spot_of(t, &t->lines, hash);

	(void)spot_find(t, &spot, hash);
	reverse_remove(r, &spot, in);
}

static void
reverse_cull(struct rns *r, void *arg)
{
	struct mono next = MONO_NEVER;
	struct reverses *t = arg;
	uint32_t entry, age;
	struct iface *i;

	TAILQ_FOREACH(i, &r->ifaces, entry) {
		while ((entry = i->reverses.oldest) != 0) {
			age = way_age(r, way_at(t, entry));
			if (age < REVERSE_TIMEOUT_MS) {
				next = mono_min(next, mono_add(r->now,
				    (REVERSE_TIMEOUT_MS - age) * 1000));
				break;
			}
			reverse_forget(r, entry, i);
		}
	}
	timer_set(r, &t->cull, next);
}

int
reverse_new(struct rns *r)
{
	struct reverses *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return RNS_ENOMEM;
	if (!lines_make(&t->lines, LINES_MIN)) {
		free(t);
		return RNS_ENOMEM;
	}
	t->seed = core_seed(r);
	timer_init(&t->cull, reverse_cull, t);
	r->reverses = t;
	return RNS_OK;
}

void
reverse_free(struct rns *r)
{
	struct reverses *t = r->reverses;

	if (t == NULL)
		return;
	timer_clear(r, &t->cull);
	free(t->e);
	free(t->lines.memory);
	free(t);
	r->reverses = NULL;
}

static bool
entries_grow(struct reverses *t, uint32_t limit)
{
	uint32_t cap = t->cap == 0 ? REVERSE_MIN : t->cap;
	struct way *e;

	limit = MIN_OF(MAX_OF(REVERSE_MIN, limit), REVERSE_MAX);
	if (t->cap >= limit)
		return false;
	if (t->cap != 0)
		cap = cap > limit / 2 ? limit : 2 * cap;
	if ((e = realloc(t->e, cap * sizeof(*e))) == NULL)
		return false;
	t->e = e;
	t->cap = cap;
	return true;
}

/* A place for one more, or that of the oldest; 0: there is not even one. */
static uint32_t
reverse_room(struct rns *r, struct iface *in)
{
	struct reverses *t = r->reverses;
	struct iface *victim;
	uint32_t entry;

	if (t->unused == 0 && (t->top < t->cap ||
	    entries_grow(t, r->cfg.limits.reverse)))
		return ++t->top;
	if (t->unused == 0) {
		if (r->counts.reverse == 0)
			return 0;
		victim = share_victim(r, in, SHARE_REVERSE,
		    r->counts.reverse);
		entry = victim->reverses.oldest;
		core_drop_count(r, RNS_DROP_REVERSE_FULL);
		reverse_forget(r, entry, victim);
	}
	entry = t->unused;
	t->unused = way_at(t, entry)->newer;
	return entry;
}

/* Without memory for more lines one of a full line makes room. */
static void
reverse_note(struct rns *r, const struct hash16 *hash, uint32_t entry)
{
	struct reverses *t = r->reverses;
	struct spot p = spot_of(t, &t->lines, hash);
	uint32_t old;

	while (!spot_put(&t->lines, &p, entry)) {
		if (lines_grow(r, t)) {
			p = spot_of(t, &t->lines, hash);
			continue;
		}
		old = t->lines.line[p.line[0]].entry[0];
		core_drop_count(r, RNS_DROP_REVERSE_FULL);
		reverse_forget(r, old, way_in(r, old));
	}
}

void
reverse_add(struct rns *r, const struct hash16 *hash, struct iface *in,
    struct iface *out)
{
	struct reverses *t = r->reverses;
	struct spot spot = spot_of(t, &t->lines, hash);
	uint32_t entry = spot_find(t, &spot, hash);

	if (entry != 0)
		reverse_remove(r, &spot, way_in(r, entry));
	entry = reverse_room(r, in);
	if (entry == 0) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return;
	}
	*way_at(t, entry) = (struct way){.hash = *hash, .in = in->place,
	    .out = out->place, .ms = way_ms(r->now)};
	reverse_note(r, hash, entry);
	age_append(t, in, entry);
	share_take(r, in, SHARE_REVERSE);
	r->counts.reverse++;
	if (!t->cull.armed)
		timer_set(r, &t->cull,
		    mono_add(r->now, REVERSE_TIMEOUT * MONO_SECOND));
}

void
reverse_soon(const struct rns *r, const struct hash16 *hash)
{
	const struct reverses *t = r->reverses;
	struct spot p = spot_of(t, &t->lines, hash);

	__builtin_prefetch(&t->lines.line[p.line[0]]);
	__builtin_prefetch(&t->lines.line[p.line[1]]);
}

void
reverse_room_soon(const struct rns *r, const struct iface *in)
{
	const struct reverses *t = r->reverses;
	const struct way *e;

	if (t->unused != 0 || t->top < t->cap || in->reverses.oldest == 0)
		return;
	e = way_at(t, in->reverses.oldest);
	reverse_soon(r, &e->hash);
	/* its turn is the next one's */
	if (e->newer != 0)
		__builtin_prefetch(way_at(t, e->newer));
}

bool
reverse_take(struct rns *r, const struct hash16 *hash, struct iface **in,
    struct iface **out)
{
	const struct reverses *t = r->reverses;
	struct spot spot = spot_of(t, &t->lines, hash);
	uint32_t entry = spot_find(t, &spot, hash);

	if (entry == 0)
		return false;
	*in = way_in(r, entry);
	*out = way_out(r, entry);
	reverse_remove(r, &spot, *in);
	return true;
}

const struct iface *
reverse_in(const struct rns *r, const struct hash16 *hash)
{
	const struct reverses *t = r->reverses;
	struct spot spot = spot_of(t, &t->lines, hash);
	uint32_t entry = spot_find(t, &spot, hash);

	return entry != 0 ? way_in(r, entry) : NULL;
}

struct reverse
reverse_entry(const struct rns *r, uint32_t entry)
{
	const struct way *e = way_at(r->reverses, entry);

	return (struct reverse){.hash = e->hash, .in = way_in(r, entry),
	    .out = way_out(r, entry), .newer = e->newer,
	    .at = mono_add(r->now, -INT64_C(1000) * way_age(r, e))};
}

void
reverse_iface_gone(struct rns *r, const struct iface *gone)
{
	struct reverses *t = r->reverses;
	uint32_t entry, next;
	struct iface *i;

	TAILQ_FOREACH(i, &r->ifaces, entry) {
		for (entry = i->reverses.oldest; entry != 0; entry = next) {
			const struct way *e = way_at(t, entry);

			next = e->newer;
			if (i == gone || e->out == gone->place)
				reverse_forget(r, entry, i);
		}
	}
}
