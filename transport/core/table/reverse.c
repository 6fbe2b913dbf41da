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
 * the array, from 1 on; 0 is none. They are found by open addressing in slots
 * that hold enough of the hash to need no look at any other entry: at 50,000
 * of them a look is a miss of the cache. So many that every byte is 50 KiB:
 * interfaces by their number, times in 32 bits.
 */
#define REVERSE_MIN 128   /* ours: entries of the first allocation */
#define REVERSE_MAX (1u << 24) /* ours: their bytes fit in 32 bits */
#define REVERSE_TIMEOUT_MS (REVERSE_TIMEOUT * INT64_C(1000))
#define REVERSE_BITS_MIN 8 /* 256 slots */
#define REVERSE_BITS_MAX 31

struct way {
	struct hash16 hash;
	uint32_t in, out;      /* interfaces */
	uint32_t older, newer; /* of those of `in` */
	uint32_t ms;           /* when it was made; it wraps */
};

struct reverse_slot {
	uint32_t mark; /* its upper bits are where the search starts */
	uint32_t entry;
};

struct reverses {
	struct way *e;
	struct reverse_slot *slots;
	uint32_t cap, top; /* entries: allocated, ever used */
	uint32_t unused;   /* by `newer` */
	unsigned bits;     /* 1 << bits slots */
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

static uint32_t
reverse_mark(const struct reverses *t, const struct hash16 *hash)
{
	return (uint32_t)hash_place(t->seed, hash, 32);
}

static size_t
slot_home(const struct reverses *t, uint32_t mark)
{
	return mark >> (32 - t->bits);
}

static size_t
slot_mask(const struct reverses *t)
{
	return ((size_t)1 << t->bits) - 1;
}

/* None outlives its interface: reverse_iface_gone(). */
static struct iface *
way_in(const struct rns *r, uint32_t entry)
{
	return iface_find(r, way_at(r->reverses, entry)->in);
}

/* The slot of the hash, or the empty one where it would go. */
static size_t
slot_find(const struct reverses *t, uint32_t mark, const struct hash16 *hash)
{
	size_t i = slot_home(t, mark), mask = slot_mask(t);
	const struct reverse_slot *s;

	for (;; i = (i + 1) & mask) {
		s = &t->slots[i];
		if (s->entry == 0 || (s->mark == mark &&
		    hash16_eq(&way_at(t, s->entry)->hash, hash)))
			return i;
	}
}

/* Moves back what stood behind the hole, so that searches still arrive. */
static void
slot_empty(struct reverses *t, size_t hole)
{
	size_t i, home, mask = slot_mask(t);

	for (i = (hole + 1) & mask; t->slots[i].entry != 0;
	    i = (i + 1) & mask) {
		home = slot_home(t, t->slots[i].mark);
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			t->slots[hole] = t->slots[i];
			hole = i;
		}
	}
	t->slots[hole].entry = 0;
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

/* slot, in: its own. */
static void
reverse_remove(struct rns *r, size_t slot, struct iface *in)
{
	struct reverses *t = r->reverses;
	uint32_t entry = t->slots[slot].entry;
	struct way *e = way_at(t, entry);

	slot_empty(t, slot);
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

	reverse_remove(r, slot_find(t, reverse_mark(t, hash), hash), in);
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
	t->slots = calloc((size_t)1 << REVERSE_BITS_MIN, sizeof(*t->slots));
	if (t->slots == NULL) {
		free(t);
		return RNS_ENOMEM;
	}
	t->bits = REVERSE_BITS_MIN;
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
	free(t->slots);
	free(t);
	r->reverses = NULL;
}

/* Slots for one more, at most seven eighths of them full. */
static bool
slots_room(struct rns *r, struct reverses *t)
{
	struct reverse_slot *old = t->slots;
	size_t n = (size_t)1 << t->bits, to, mask = 2 * n - 1;

	if (r->counts.reverse <= n / 8 * 7)
		return true;
	if (t->bits == REVERSE_BITS_MAX ||
	    (t->slots = calloc(2 * n, sizeof(*t->slots))) == NULL) {
		t->slots = old;
		return false;
	}
	t->bits++;
	for (size_t i = 0; i < n; i++) {
		if (old[i].entry == 0)
			continue;
		to = slot_home(t, old[i].mark);
		while (t->slots[to].entry != 0)
			to = (to + 1) & mask;
		t->slots[to] = old[i];
	}
	free(old);
	return true;
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
	bool room = slots_room(r, t);
	uint32_t entry;

	if (room && t->unused == 0 && (t->top < t->cap ||
	    entries_grow(t, r->cfg.limits.reverse)))
		return ++t->top;
	if (!room || t->unused == 0) {
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

void
reverse_add(struct rns *r, const struct hash16 *hash, struct iface *in,
    struct iface *out)
{
	struct reverses *t = r->reverses;
	uint32_t mark = reverse_mark(t, hash), entry;
	size_t slot = slot_find(t, mark, hash);

	if (t->slots[slot].entry != 0)
		reverse_remove(r, slot, way_in(r, t->slots[slot].entry));
	entry = reverse_room(r, in);
	if (entry == 0) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return;
	}
	*way_at(t, entry) = (struct way){.hash = *hash, .in = in->cfg.id,
	    .out = out->cfg.id, .ms = way_ms(r->now)};
	age_append(t, in, entry);
	share_take(r, in, SHARE_REVERSE);
	t->slots[slot_find(t, mark, hash)] = (struct reverse_slot){mark, entry};
	r->counts.reverse++;
	if (!t->cull.armed)
		timer_set(r, &t->cull,
		    mono_add(r->now, REVERSE_TIMEOUT * MONO_SECOND));
}

void
reverse_soon(const struct rns *r, const struct hash16 *hash)
{
	const struct reverses *t = r->reverses;

	__builtin_prefetch(&t->slots[slot_home(t, reverse_mark(t, hash))]);
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
	size_t slot = slot_find(t, reverse_mark(t, hash), hash);
	uint32_t entry = t->slots[slot].entry;

	if (entry == 0)
		return false;
	*in = way_in(r, entry);
	*out = iface_find(r, way_at(t, entry)->out);
	reverse_remove(r, slot, *in);
	return true;
}

const struct iface *
reverse_in(const struct rns *r, const struct hash16 *hash)
{
	const struct reverses *t = r->reverses;
	uint32_t entry = t->slots[slot_find(t, reverse_mark(t, hash),
	    hash)].entry;

	return entry != 0 ? way_in(r, entry) : NULL;
}

struct reverse
reverse_entry(const struct rns *r, uint32_t entry)
{
	const struct way *e = way_at(r->reverses, entry);

	return (struct reverse){.hash = e->hash, .in = way_in(r, entry),
	    .out = iface_find(r, e->out), .newer = e->newer,
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
			if (i == gone || e->out == gone->cfg.id)
				reverse_forget(r, entry, i);
		}
	}
}
