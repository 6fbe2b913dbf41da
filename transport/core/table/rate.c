/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/rate.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/htab.h"

#define TIMES_STEP 4 /* ours: most destinations are heard once in a while */

/* What only those need that were heard more than once. */
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
	struct rate_age age;
	struct mono heard;
	struct rate_more *more; /* NULL: heard once, and not blocked */
};

/*
 * Those that do not stand in paths; and all in the order in which they were
 * heard, by the number of the item: two times that of a path, one more is a
 * row here, 0 is none.
 */
struct rates {
	struct htab table;
	const struct htab *paths;
	uint32_t in_paths;
	uint32_t oldest, newest;
};

static uint32_t
ref_path(const struct path *p)
{
	return p->item.id * 2;
}

static uint32_t
ref_row(const struct rate *e)
{
	return e->item.id * 2 + 1;
}

/* NULL: it is a row. */
static struct path *
path_of(const struct rates *t, uint32_t ref)
{
	return ref % 2 == 0 ? pool_at(&t->paths->items, ref / 2) : NULL;
}

static struct rate_age *
age_at(const struct rates *t, uint32_t ref)
{
	struct rate *e;

	if (ref % 2 == 0)
		return &path_of(t, ref)->rate_age;
	e = pool_at(&t->table.items, ref / 2);
	return &e->age;
}

static void
age_join(struct rates *t, uint32_t older, uint32_t newer)
{
	*(older != 0 ? &age_at(t, older)->newer : &t->oldest) = newer;
	*(newer != 0 ? &age_at(t, newer)->older : &t->newest) = older;
}

static void
age_add(struct rates *t, uint32_t ref)
{
	age_join(t, t->newest, ref);
	age_join(t, ref, 0);
}

static void
age_take(struct rates *t, uint32_t ref)
{
	const struct rate_age *a = age_at(t, ref);

	age_join(t, a->older, a->newer);
}

/* Another takes its place. */
static void
age_change(struct rates *t, uint32_t ref, uint32_t to)
{
	const struct rate_age *a = age_at(t, ref);

	age_join(t, a->older, to);
	age_join(t, to, a->newer);
}

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
	r->rates = t;
	return RNS_OK;
}

static void
rate_free(struct rates *t, struct rate *e)
{
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

void
rates_in_paths(struct rns *r, const struct htab *paths)
{
	r->rates->paths = paths;
}

static struct rate *
rate_find(const struct rns *r, const struct hash16 *dest)
{
	return htab_find(&r->rates->table, dest);
}

static struct mono
path_heard(const struct rns *r, const struct path *p)
{
	return (struct mono){p->learned_us - r->wall_offset};
}

static void
path_leave(struct rates *t, struct path *p)
{
	p->rated = false;
	t->in_paths--;
}

void
rate_leaves_path(struct rns *r, struct path *p)
{
	struct rates *t = r->rates;
	struct rate *e;

	if (!p->rated)
		return;
	path_leave(t, p);
	e = htab_add(&t->table, &p->dest);
	if (e == NULL) {
		age_take(t, ref_path(p));
		(void)core_drop(r, RNS_DROP_MEMORY);
		return;
	}
	e->heard = path_heard(r, p);
	age_change(t, ref_path(p), ref_row(e));
}

void
rates_leave_paths(struct rns *r)
{
	struct rates *t = r->rates;
	uint32_t ref, next;
	struct path *p;

	for (ref = t->oldest; ref != 0; ref = next) {
		next = age_at(t, ref)->newer;
		if ((p = path_of(t, ref)) != NULL)
			rate_leaves_path(r, p);
	}
}

static void
rate_forget(struct rns *r, uint32_t ref)
{
	struct rates *t = r->rates;
	struct path *p = path_of(t, ref);
	struct rate *e;

	age_take(t, ref);
	if (p != NULL) {
		(void)core_drop_of(r, RNS_DROP_RATE_FULL, &p->dest, 0);
		path_leave(t, p);
		return;
	}
	e = pool_at(&t->table.items, ref / 2);
	(void)core_drop_of(r, RNS_DROP_RATE_FULL, &e->dest, 0);
	rate_free(t, e);
}

/* The first announce of a destination. */
static void
rate_first(struct rns *r, struct path *p)
{
	struct rates *t = r->rates;

	if (t->in_paths + t->table.count >= r->cfg.limits.paths)
		rate_forget(r, t->oldest);
	p->rated = true;
	t->in_paths++;
	age_add(t, ref_path(p));
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
rate_blocks(struct rns *r, struct path *p, const struct iface *from)
{
	int64_t target = (int64_t)from->cfg.ar_target_s * MONO_SECOND;
	struct rate_more *m;
	struct rate *e;

	if (target == 0)
		return false;
	e = rate_find(r, &p->dest);
	if (e == NULL) {
		rate_first(r, p);
		return false;
	}
	m = rate_heard(r, e);
	age_take(r->rates, ref_row(e));
	age_add(r->rates, ref_row(e));
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

static void
row_show(const struct rns *r, const struct rate *e, struct rns_rate *out)
{
	const struct rate_more *m = e->more;
	unsigned count = m != NULL ? m->count : 0;

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
}

bool
rns_rate_next(const struct rns *r, const struct hash16 *after, bool first,
    struct rns_rate *out)
{
	const struct rates *t = r->rates;
	const struct rate *e = htab_after(&t->table, after, first);
	const struct path *p = t->in_paths == 0 ? NULL :
	    htab_after(t->paths, after, first);

	while (p != NULL && !p->rated)
		p = htab_after(t->paths, &p->dest, false);
	if (e != NULL && (p == NULL || hash16_cmp(&e->dest, &p->dest) < 0))
		row_show(r, e, out);
	else if (p != NULL)
		*out = (struct rns_rate){.dest = p->dest,
		    .last_us = p->learned_us, .count = 1,
		    .times_us = {p->learned_us}};
	return e != NULL || p != NULL;
}
