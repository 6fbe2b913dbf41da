/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/rate.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/htab.h"

#define TIMES_STEP 4 /* ours: most destinations are heard once in a while */

/*
 * Most are heard once in a while, and there are as many as paths: what only
 * the others need stands elsewhere.
 */
struct rate_more {
	struct mono last, blocked_until; /* us < 0: never was */
	uint32_t violations;
	uint8_t count, room;  /* of times */
	struct mono times[]; /* before `heard`, newest last */
};

struct rate {
	union {
		struct hitem item;
		struct hash16 dest; /* its key */
	};
	TAILQ_ENTRY(rate) age; /* heard last, last */
	struct mono heard;
	struct rate_more *more; /* NULL: heard once, and not blocked */
};

struct rates {
	struct htab table;
	TAILQ_HEAD(rate_ages, rate) ages;
	uint32_t count;
};

int
rates_new(struct rns *r)
{
	struct rates *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return RNS_ENOMEM;
	if (htab_init(r, &t->table, sizeof(struct rate)) != RNS_OK) {
		free(t);
		return RNS_ENOMEM;
	}
	TAILQ_INIT(&t->ages);
	r->rates = t;
	return RNS_OK;
}

static void
rate_free(struct rates *t, struct rate *e)
{
	TAILQ_REMOVE(&t->ages, e, age);
	t->count--;
	free(e->more);
	htab_remove(&t->table, e);
	htab_free(&t->table, e);
}

void
rates_free(struct rns *r)
{
	struct rate *e;

	if (r->rates == NULL)
		return;
	while ((e = htab_first(&r->rates->table)) != NULL)
		rate_free(r->rates, e);
	htab_clear(&r->rates->table);
	free(r->rates);
	r->rates = NULL;
}

static struct rate *
rate_find(const struct rns *r, const struct hash16 *dest)
{
	return htab_find(&r->rates->table, dest);
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
	e = htab_add(&t->table, dest);
	if (e == NULL) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return;
	}
	e->heard = r->now;
	TAILQ_INSERT_TAIL(&t->ages, e, age);
	t->count++;
}

/* Room for one more time; NULL: there is none for any. */
static struct rate_more *
rate_room(struct rns *r, struct rate *e)
{
	struct rate_more *m = e->more;
	uint8_t room = (uint8_t)((m != NULL ? m->room : 0) + TIMES_STEP);

	if (m != NULL && (m->count < m->room ||
	    m->count == RNS_RATE_TIMES - 1))
		return m;
	m = realloc(m, sizeof(*m) + room * sizeof(m->times[0]));
	if (m == NULL) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return e->more;
	}
	if (e->more == NULL)
		*m = (struct rate_more){.last = e->heard,
		    .blocked_until = MONO_NONE};
	m->room = room;
	e->more = m;
	return m;
}

/*
 * `heard` joins the times before it; the oldest of 16 goes. Without memory
 * only a look at it is lost.
 */
static struct rate_more *
rate_heard(struct rns *r, struct rate *e)
{
	struct rate_more *m = rate_room(r, e);

	if (m != NULL && m->count == RNS_RATE_TIMES - 1) {
		memmove(&m->times[0], &m->times[1],
		    (RNS_RATE_TIMES - 2) * sizeof(m->times[0]));
		m->count--;
	}
	if (m != NULL && m->count < m->room)
		m->times[m->count++] = e->heard;
	e->heard = r->now;
	return m;
}

bool
rate_blocks(struct rns *r, const struct hash16 *dest, const struct iface *from)
{
	int64_t target = (int64_t)from->cfg.ar_target_s * MONO_SECOND;
	struct rate_more *m;
	struct rate *e;

	if (target == 0)
		return false;
	e = rate_find(r, dest);
	if (e == NULL) {
		rate_add(r, dest);
		return false;
	}
	m = rate_heard(r, e);
	TAILQ_REMOVE(&r->rates->ages, e, age);
	TAILQ_INSERT_TAIL(&r->rates->ages, e, age);
	if (m == NULL)
		return false;
	if (r->now.us <= m->blocked_until.us)
		return true;
	if (mono_sub(r->now, m->last) < target)
		m->violations += m->violations < UINT32_MAX;
	else if (m->violations > 0)
		m->violations--;
	if (m->violations <= from->cfg.ar_grace) {
		m->last = r->now;
		return false;
	}
	m->blocked_until = mono_add(m->last, target +
	    (int64_t)from->cfg.ar_penalty_s * MONO_SECOND);
	return true;
}

bool
rns_rate_next(const struct rns *r, const struct hash16 *after, bool first,
    struct rns_rate *out)
{
	const struct rate *e = htab_after(&r->rates->table, after, first);
	const struct rate_more *m;
	unsigned count;

	if (e == NULL)
		return false;
	m = e->more;
	count = m != NULL ? m->count : 0;
	*out = (struct rns_rate){
	    .dest = e->dest,
	    .last_us = core_wall_of(r, m != NULL ? m->last : e->heard),
	    .blocked_until_us = core_wall_of(r, m != NULL ?
	    m->blocked_until : MONO_NONE),
	    .violations = m != NULL ? m->violations : 0,
	    .count = count + 1,
	};
	for (unsigned k = 0; k < count; k++)
		out->times_us[k] = core_wall_of(r, m->times[k]);
	out->times_us[count] = core_wall_of(r, e->heard);
	return true;
}
