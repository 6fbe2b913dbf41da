/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/rate.h"

#include <stdlib.h>
#include <string.h>

#define TIMES_STEP 4 /* ours: most destinations are heard once in a while */

/* `times` holds what came before `last` of those that are remembered. */
struct rate {
	RB_ENTRY(rate) node;
	TAILQ_ENTRY(rate) age; /* heard last, last */
	struct hash16 dest;
	struct mono last, heard, blocked_until; /* us < 0: never was */
	struct mono *times; /* newest last; NULL: only `heard` */
	uint32_t violations;
	uint8_t count; /* of times */
};
RB_HEAD(rate_tree, rate);

struct rates {
	struct rate_tree tree;
	TAILQ_HEAD(rate_ages, rate) ages;
	uint32_t count;
};

static int
rate_cmp(const struct rate *a, const struct rate *b)
{
	return hash16_cmp(&a->dest, &b->dest);
}

TREE_PROTOTYPE(rate_tree, rate, node, rate_cmp)
TREE_GENERATE(rate_tree, rate, node, rate_cmp)

int
rates_new(struct rns *r)
{
	struct rates *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return RNS_ENOMEM;
	RB_INIT(&t->tree);
	TAILQ_INIT(&t->ages);
	r->rates = t;
	return RNS_OK;
}

static void
rate_free(struct rates *t, struct rate *e)
{
	RB_REMOVE(rate_tree, &t->tree, e);
	TAILQ_REMOVE(&t->ages, e, age);
	t->count--;
	free(e->times);
	free(e);
}

void
rates_free(struct rns *r)
{
	struct rate *e;

	if (r->rates == NULL)
		return;
	while ((e = RB_ROOT(&r->rates->tree)) != NULL)
		rate_free(r->rates, e);
	free(r->rates);
	r->rates = NULL;
}

static struct rate *
rate_find(const struct rns *r, const struct hash16 *dest)
{
	struct rate key;

	key.dest = *dest;
	return RB_FIND(rate_tree, &r->rates->tree, &key);
}

/* The first announce of a destination. */
static void
rate_add(struct rns *r, const struct hash16 *dest)
{
	struct rates *t = r->rates;
	struct rate *e;

	if (t->count >= r->cfg.limits.paths) {
		e = TAILQ_FIRST(&t->ages);
		(void)core_drop_of(r, RNS_DROP_RATE_FULL, &e->dest, 0);
		rate_free(t, e);
	}
	e = calloc(1, sizeof(*e));
	if (e == NULL) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return;
	}
	e->dest = *dest;
	e->last = e->heard = r->now;
	e->blocked_until = MONO_NONE;
	(void)RB_INSERT(rate_tree, &t->tree, e);
	TAILQ_INSERT_TAIL(&t->ages, e, age);
	t->count++;
}

/* `heard` joins the times before it; the oldest of 16 goes. */
static void
rate_heard(struct rns *r, struct rate *e)
{
	struct mono *more;

	if (e->count == RNS_RATE_TIMES - 1) {
		memmove(&e->times[0], &e->times[1],
		    (RNS_RATE_TIMES - 2) * sizeof(*e->times));
		e->count--;
	} else if (e->count % TIMES_STEP == 0) {
		more = realloc(e->times,
		    (e->count + (size_t)TIMES_STEP) * sizeof(*more));
		if (more == NULL) { /* only a look at it is lost */
			(void)core_drop(r, RNS_DROP_MEMORY);
			e->heard = r->now;
			return;
		}
		e->times = more;
	}
	e->times[e->count++] = e->heard;
	e->heard = r->now;
}

bool
rate_blocks(struct rns *r, const struct hash16 *dest, const struct iface *from)
{
	int64_t target = (int64_t)from->cfg.ar_target_s * MONO_SECOND;
	struct rate *e;

	if (target == 0)
		return false;
	e = rate_find(r, dest);
	if (e == NULL) {
		rate_add(r, dest);
		return false;
	}
	rate_heard(r, e);
	TAILQ_REMOVE(&r->rates->ages, e, age);
	TAILQ_INSERT_TAIL(&r->rates->ages, e, age);
	if (r->now.us <= e->blocked_until.us)
		return true;
	if (mono_sub(r->now, e->last) < target)
		e->violations += e->violations < UINT32_MAX;
	else if (e->violations > 0)
		e->violations--;
	if (e->violations <= from->cfg.ar_grace) {
		e->last = r->now;
		return false;
	}
	e->blocked_until = mono_add(e->last, target +
	    (int64_t)from->cfg.ar_penalty_s * MONO_SECOND);
	return true;
}

bool
rns_rate_next(const struct rns *r, const struct hash16 *after, bool first,
    struct rns_rate *out)
{
	struct rate key, *e;

	key.dest = *after;
	e = RB_NFIND(rate_tree, &r->rates->tree, &key);
	if (e != NULL && !first && hash16_eq(&e->dest, after))
		e = RB_NEXT(rate_tree, &r->rates->tree, e);
	if (e == NULL)
		return false;
	*out = (struct rns_rate){
	    .dest = e->dest,
	    .last_us = core_wall_of(r, e->last),
	    .blocked_until_us = core_wall_of(r, e->blocked_until),
	    .violations = e->violations,
	    .count = e->count + 1u,
	};
	for (unsigned k = 0; k < e->count; k++)
		out->times_us[k] = core_wall_of(r, e->times[k]);
	out->times_us[e->count] = core_wall_of(r, e->heard);
	return true;
}
