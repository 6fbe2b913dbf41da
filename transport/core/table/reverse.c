/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/reverse.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/const.h"
#include "transport/core/table/share.h"

/*
 * Every forwarded packet makes an entry, so they come from a pool that grows
 * in chunks; at the ceiling the oldest is used again, of the interface that has
 * more than its share (share.h). Chained buckets, found by
 * hash_place().
 */
#define REVERSE_CHUNK 128 /* ours: entries of one allocation */
#define REVERSE_BITS_MIN 8 /* 256 buckets */

struct reverse {
	SLIST_ENTRY(reverse) chain;
	TAILQ_ENTRY(reverse) age; /* in the list of `in` */
	struct hash16 hash;
	struct iface *in, *out;
	struct mono at;
};
SLIST_HEAD(reverse_list, reverse);

struct reverse_chunk {
	SLIST_ENTRY(reverse_chunk) entry;
	struct reverse e[REVERSE_CHUNK];
};

struct reverses {
	struct reverse_list *buckets;
	unsigned bits; /* 1 << bits buckets */
	struct reverse_list unused;
	SLIST_HEAD(, reverse_chunk) chunks;
	uint32_t chunk_count;
	uint64_t seed;
	struct timer cull;
};

static struct reverse_list *
reverse_bucket(const struct reverses *t, const struct hash16 *hash)
{
	return &t->buckets[hash_place(t->seed, hash, t->bits)];
}

static void
reverse_remove(struct rns *r, struct reverse *e)
{
	struct reverses *t = r->reverses;

	SLIST_REMOVE(reverse_bucket(t, &e->hash), e, reverse, chain);
	TAILQ_REMOVE(&e->in->reverses, e, age);
	share_give(r, e->in, SHARE_REVERSE);
	SLIST_INSERT_HEAD(&t->unused, e, chain);
	r->counts.reverse--;
}

static void
reverse_cull(struct rns *r, void *arg)
{
	struct mono next = MONO_NEVER;
	struct reverses *t = arg;
	struct reverse *e;
	struct iface *i;

	TAILQ_FOREACH(i, &r->ifaces, entry) {
		while ((e = TAILQ_FIRST(&i->reverses)) != NULL &&
		    mono_sub(r->now, e->at) >= REVERSE_TIMEOUT * MONO_SECOND)
			reverse_remove(r, e);
		if (e != NULL)
			next = mono_min(next, mono_add(e->at,
			    REVERSE_TIMEOUT * MONO_SECOND));
	}
	timer_set(r, &t->cull, next);
}

int
reverse_new(struct rns *r)
{
	struct reverses *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return RNS_ENOMEM;
	t->buckets = calloc((size_t)1 << REVERSE_BITS_MIN,
	    sizeof(*t->buckets));
	if (t->buckets == NULL) {
		free(t);
		return RNS_ENOMEM;
	}
	t->bits = REVERSE_BITS_MIN;
	SLIST_INIT(&t->unused);
	SLIST_INIT(&t->chunks);
	t->seed = core_seed(r);
	timer_init(&t->cull, reverse_cull, t);
	r->reverses = t;
	return RNS_OK;
}

void
reverse_free(struct rns *r)
{
	struct reverses *t = r->reverses;
	struct reverse_chunk *c;

	if (t == NULL)
		return;
	timer_clear(r, &t->cull);
	while ((c = SLIST_FIRST(&t->chunks)) != NULL) {
		SLIST_REMOVE_HEAD(&t->chunks, entry);
		free(c);
	}
	free(t->buckets);
	free(t);
	r->reverses = NULL;
}

/* Twice the buckets; without memory the chains get longer instead. */
static void
reverse_rehash(struct rns *r, struct reverses *t)
{
	struct reverse_list *b = calloc((size_t)2 << t->bits, sizeof(*b));
	struct reverse *e;
	struct iface *i;

	if (b == NULL)
		return;
	free(t->buckets);
	t->buckets = b;
	t->bits++;
	TAILQ_FOREACH(i, &r->ifaces, entry)
		TAILQ_FOREACH(e, &i->reverses, age)
			SLIST_INSERT_HEAD(reverse_bucket(t, &e->hash), e,
			    chain);
}

static bool
reverse_grow(struct reverses *t)
{
	struct reverse_chunk *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return false;
	SLIST_INSERT_HEAD(&t->chunks, c, entry);
	t->chunk_count++;
	for (size_t i = 0; i < REVERSE_CHUNK; i++)
		SLIST_INSERT_HEAD(&t->unused, &c->e[i], chain);
	return true;
}

static struct reverse *
reverse_find(const struct rns *r, const struct hash16 *hash)
{
	struct reverse *e;

	SLIST_FOREACH(e, reverse_bucket(r->reverses, hash), chain)
		if (hash16_eq(&e->hash, hash))
			return e;
	return NULL;
}

/* A place more, or that of the oldest; false: there is not even one. */
static bool
reverse_room(struct rns *r, struct iface *in)
{
	struct reverses *t = r->reverses;
	struct iface *victim;

	if ((t->chunk_count + 1) * REVERSE_CHUNK <= MAX_OF(REVERSE_CHUNK,
	    r->cfg.limits.reverse) && reverse_grow(t))
		return true;
	if (r->counts.reverse == 0)
		return false;
	victim = share_victim(r, in, SHARE_REVERSE, r->counts.reverse);
	(void)core_drop(r, RNS_DROP_REVERSE_FULL);
	reverse_remove(r, TAILQ_FIRST(&victim->reverses));
	return true;
}

void
reverse_add(struct rns *r, const struct hash16 *hash, struct iface *in,
    struct iface *out)
{
	struct reverses *t = r->reverses;
	struct reverse *e = reverse_find(r, hash);

	if (e != NULL)
		reverse_remove(r, e);
	if (SLIST_EMPTY(&t->unused) && !reverse_room(r, in)) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return;
	}
	e = SLIST_FIRST(&t->unused);
	SLIST_REMOVE_HEAD(&t->unused, chain);
	e->hash = *hash;
	e->in = in;
	e->out = out;
	e->at = r->now;
	TAILQ_INSERT_TAIL(&in->reverses, e, age);
	share_take(r, in, SHARE_REVERSE);
	SLIST_INSERT_HEAD(reverse_bucket(t, hash), e, chain);
	if (++r->counts.reverse > (size_t)1 << t->bits)
		reverse_rehash(r, t);
	if (!t->cull.armed)
		timer_set(r, &t->cull,
		    mono_add(r->now, REVERSE_TIMEOUT * MONO_SECOND));
}

bool
reverse_take(struct rns *r, const struct hash16 *hash, struct iface **in,
    struct iface **out)
{
	struct reverse *e = reverse_find(r, hash);

	if (e == NULL)
		return false;
	*in = e->in;
	*out = e->out;
	reverse_remove(r, e);
	return true;
}

const struct iface *
reverse_in(const struct rns *r, const struct hash16 *hash)
{
	const struct reverse *e = reverse_find(r, hash);

	return e != NULL ? e->in : NULL;
}

void
reverse_iface_gone(struct rns *r, const struct iface *gone)
{
	struct reverse *e, *next;
	struct iface *i;

	TAILQ_FOREACH(i, &r->ifaces, entry) {
		for (e = TAILQ_FIRST(&i->reverses); e != NULL; e = next) {
			next = TAILQ_NEXT(e, age);
			if (e->in == gone || e->out == gone)
				reverse_remove(r, e);
		}
	}
}
