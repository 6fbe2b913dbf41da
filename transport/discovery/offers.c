/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/discovery/offers.h"

#include <stdlib.h>
#include <string.h>

#define US INT64_C(1000000)

/* reticulum-endpoint.md 11.3 step 7 */
static const struct {
	const char *name;
	unsigned code;
	int64_t until_us;
} ages[] = {
	[OFFER_AVAILABLE] = {"available", 1000, OFFERS_UNKNOWN_S * US},
	[OFFER_UNKNOWN] = {"unknown", 100, OFFERS_STALE_S * US},
	[OFFER_STALE] = {"stale", 0, OFFERS_GONE_S * US},
};

RB_HEAD(offer_tree, offer_entry);

struct offers {
	struct offer_tree tree;
	size_t count;
};

static int
cmp(const struct offer_entry *a, const struct offer_entry *b)
{
	return memcmp(a->id.b, b->id.b, sizeof(a->id.b));
}

TREE_PROTOTYPE(offer_tree, offer_entry, by_id, cmp)
TREE_GENERATE(offer_tree, offer_entry, by_id, cmp)

const char *
offer_age_name(enum offer_age a)
{
	return (unsigned)a < NELEM(ages) ? ages[a].name : "gone";
}

unsigned
offer_age_code(enum offer_age a)
{
	return (unsigned)a < NELEM(ages) ? ages[a].code : 0;
}

struct offers *
offers_new(void)
{
	struct offers *t = calloc(1, sizeof(*t));

	if (t != NULL)
		RB_INIT(&t->tree);
	return t;
}

void
offers_remove(struct offers *t, struct offer_entry *e)
{
	RB_REMOVE(offer_tree, &t->tree, e);
	t->count--;
	explicit_bzero(e, sizeof(*e)); /* passphrases */
	free(e);
}

void
offers_free(struct offers *t)
{
	struct offer_entry *e;

	if (t == NULL)
		return;
	while ((e = RB_MIN(offer_tree, &t->tree)) != NULL)
		offers_remove(t, e);
	free(t);
}

size_t
offers_count(const struct offers *t)
{
	return t->count;
}

enum offer_age
offers_age(const struct offer_entry *e, int64_t now_us)
{
	unsigned a = 0;

	while (a < NELEM(ages) && now_us - e->heard_us > ages[a].until_us)
		a++;
	return (enum offer_age)a;
}

/*
 * Transport id and name are no secret, and only the announce is signed. So what
 * a node says of itself is not overwritten by another identity, and what a
 * network identity says not by a third one, as long as it is news.
 */
static bool
may_replace(const struct offer_entry *old, const struct offer_entry *new,
    int64_t now_us)
{
	return hash16_eq(&old->network_id, &new->network_id) ||
	    hash16_eq(&new->offer.transport_id, &new->network_id) ||
	    offers_age(old, now_us) != OFFER_AVAILABLE;
}

static struct offer_entry *
oldest(struct offers *t)
{
	struct offer_entry *e, *old = NULL;

	RB_FOREACH(e, offer_tree, &t->tree)
		if (old == NULL || e->heard_us < old->heard_us)
			old = e;
	return old;
}

static enum offer_drop
add(struct offers *t, const struct offer_entry *new, int64_t now_us,
    struct offer_entry **out, struct id32 *lost)
{
	struct offer_entry *e;

	if (t->count >= OFFERS_MAX) {
		e = oldest(t);
		if (offers_age(e, now_us) == OFFER_AVAILABLE)
			return OFFER_FULL;
		*lost = e->id;
		offers_remove(t, e);
	}
	if ((e = malloc(sizeof(*e))) == NULL)
		return OFFER_MEMORY;
	*e = *new;
	(void)RB_INSERT(offer_tree, &t->tree, e);
	t->count++;
	*out = e;
	return OFFER_TAKEN;
}

enum offer_drop
offers_heard(struct offers *t, const struct offer_entry *what, int64_t now_us,
    struct offer_entry **out, struct id32 *lost)
{
	struct offer_entry new = *what, *e;

	offer_id(&new.id, &new.offer);
	if ((e = RB_FIND(offer_tree, &t->tree, &new)) == NULL)
		return add(t, &new, now_us, out, lost);
	if (!may_replace(e, &new, now_us))
		return OFFER_SOURCE;
	e->offer = new.offer;
	e->network_id = new.network_id;
	memcpy(e->stamp, new.stamp, sizeof(e->stamp));
	e->value = new.value;
	e->hops = new.hops;
	e->heard_us = new.heard_us;
	e->heard_count++;
	*out = e;
	return OFFER_TAKEN;
}

struct offer_entry *
offers_expired(struct offers *t, int64_t now_us,
    bool (*gone)(void *, const struct hash16 *), void *arg)
{
	struct offer_entry *e;

	RB_FOREACH(e, offer_tree, &t->tree)
		if (offers_age(e, now_us) == OFFER_GONE ||
		    gone(arg, &e->network_id))
			return e;
	return NULL;
}

struct ranked {
	const struct offer_entry *e;
	enum offer_age age;
};

static int
rank(const void *pa, const void *pb)
{
	const struct ranked *a = pa, *b = pb;

	if (a->age != b->age)
		return a->age < b->age ? -1 : 1;
	if (a->e->value != b->e->value)
		return a->e->value > b->e->value ? -1 : 1;
	if (a->e->heard_us != b->e->heard_us)
		return a->e->heard_us > b->e->heard_us ? -1 : 1;
	return cmp(a->e, b->e);
}

size_t
offers_list(const struct offers *t, const struct offer_entry **out,
    int64_t now_us)
{
	struct ranked *all = calloc(t->count + 1, sizeof(*all));
	struct offer_entry *e;
	size_t n = 0;

	if (all == NULL)
		return 0;
	RB_FOREACH(e, offer_tree, (struct offer_tree *)&t->tree)
		all[n++] = (struct ranked){e, offers_age(e, now_us)};
	qsort(all, n, sizeof(*all), rank);
	for (size_t i = 0; i < n; i++)
		out[i] = all[i].e;
	free(all);
	return n;
}
