/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/send/waiting.h"

#include <stdlib.h>

#include "transport/core/base/pool.h"
#include "transport/core/send/outbound.h"
#include "transport/core/table/share.h"

/*
 * Announces that wait to be passed on (reticulum-transport.md 2.5, 4.6), and
 * answers to path requests, which wait a moment too. The announce itself is the
 * path's; what waits is gone with the path. One entry for each destination and
 * interface; NULL stands for all interfaces. Where the reference looks once a
 * second, each entry here leaves at its time.
 */

#define DUE_MIN 64 /* ours: entries that stay allocated */
#define DUE_BELOW 4 /* ours: entries below one of the heap; two lines */

/* Those of one moment in order of hops (reticulum-transport.md 4.6). */
struct due {
	struct mono at;
	uint64_t rank; /* hops, and the order in which they came */
	uint32_t id;
	const struct path *path; /* whose announce it is: there until then */
};

/*
 * Chains by destination; a heap by time, the first of which leaves first. After
 * an announce of everybody's there are as many as paths, and soon none. Where
 * each stands in the heap is kept beside them, since one that goes down there
 * moves others, which would be looked for all over the memory.
 */
struct waitings {
	struct pool pool;
	uint32_t *chains; /* cap; numbers of the pool, 0: none */
	struct due *due;  /* cap, in use: counts.announces_waiting */
	uint32_t cap;
	uint32_t *places; /* in due, by number of the pool */
	uint32_t place_cap;
	uint64_t seed, seq;
	struct timer timer;
};

static struct waiting *
waiting_of(const struct waitings *w, uint32_t id)
{
	return id != 0 ? pool_at(&w->pool, id) : NULL;
}

static void waiting_run(struct rns *, void *);

int
waiting_new(struct rns *r)
{
	struct waitings *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return RNS_ENOMEM;
	pool_init(&w->pool, sizeof(struct waiting), POOL_SHIFT_BURST);
	w->seed = core_seed(r);
	timer_init(&w->timer, waiting_run, w);
	r->waiting = w;
	return RNS_OK;
}

/* ---- by time ---- */

static bool
due_before(const struct due *a, const struct due *b)
{
	return a->at.us != b->at.us ? a->at.us < b->at.us : a->rank < b->rank;
}

static void
due_put(struct waitings *w, uint32_t i, struct due d)
{
	w->due[i] = d;
	w->places[d.id] = i;
}

/* It belongs at i or before it. */
static void
due_up(struct waitings *w, uint32_t i, struct due d)
{
	uint32_t above;

	for (; i > 0; i = above) {
		above = (i - 1) / DUE_BELOW;
		if (!due_before(&d, &w->due[above]))
			break;
		due_put(w, i, w->due[above]);
	}
	due_put(w, i, d);
}

/* It belongs somewhere on the way from i to the end, of n. */
static void
due_down(struct waitings *w, uint32_t i, uint32_t n, struct due d)
{
	uint32_t first, k, end;

	while ((first = DUE_BELOW * i + 1) < n) {
		end = MIN_OF(first + DUE_BELOW, n);
		for (k = first++; first < end; first++)
			if (due_before(&w->due[first], &w->due[k]))
				k = first;
		if (!due_before(&w->due[k], &d))
			break;
		due_put(w, i, w->due[k]);
		i = k;
	}
	due_put(w, i, d);
}

/* Of one that stands there already, which goes elsewhere. */
static void
due_move(struct rns *r, struct waiting *e, struct mono at)
{
	struct waitings *w = r->waiting;
	uint32_t i = w->places[e->id];
	struct due d = {.at = at, .id = e->id, .path = w->due[i].path,
	    .rank = (uint64_t)e->hops << 56 | e->seq};

	if (due_before(&d, &w->due[i]))
		due_up(w, i, d);
	else
		due_down(w, i, r->counts.announces_waiting, d);
}

struct mono
waiting_at(const struct rns *r, const struct waiting *e)
{
	const struct waitings *w = r->waiting;

	return w->due[w->places[e->id]].at;
}

/* The last of n takes its place. */
static void
due_remove(struct waitings *w, uint32_t i, uint32_t n)
{
	struct due last = w->due[n - 1];

	if (i == n - 1)
		return;
	if (due_before(&last, &w->due[i]))
		due_up(w, i, last);
	else
		due_down(w, i, n - 1, last);
}

static void
waiting_arm(struct rns *r)
{
	timer_set(r, &r->waiting->timer, r->counts.announces_waiting != 0 ?
	    r->waiting->due[0].at : MONO_NEVER);
}

/* ---- by destination ---- */

static uint32_t *
chain_of(const struct waitings *w, const struct hash16 *dest)
{
	return &w->chains[hash_place(w->seed, dest, 32) * w->cap >> 32];
}

/* The next of those of dest, from there on. */
static struct waiting *
chain_next(const struct waitings *w, uint32_t id, const struct hash16 *dest)
{
	struct waiting *e;

	while ((e = waiting_of(w, id)) != NULL && !hash16_eq(&e->dest, dest))
		id = e->next;
	return e;
}

static struct waiting *
chain_first(const struct waitings *w, const struct hash16 *dest)
{
	return w->cap != 0 ? chain_next(w, *chain_of(w, dest), dest) : NULL;
}

static void
chain_remove(struct waitings *w, const struct waiting *e)
{
	uint32_t *at = chain_of(w, &e->dest);

	while (*at != e->id)
		at = &waiting_of(w, *at)->next;
	*at = e->next;
}

static void
chain_add(struct waitings *w, struct waiting *e)
{
	uint32_t *at = chain_of(w, &e->dest);

	e->next = *at;
	*at = e->id;
}

/* Another capacity, which all of them fit into; false: no memory. */
static bool
waiting_resize(struct rns *r, uint32_t cap)
{
	struct waitings *w = r->waiting;
	uint32_t *chains = calloc(cap, sizeof(*chains));
	struct due *due = chains != NULL ?
	    realloc(w->due, cap * sizeof(*due)) : NULL;

	if (due == NULL) {
		free(chains);
		return false;
	}
	free(w->chains);
	w->chains = chains;
	w->due = due;
	w->cap = cap;
	for (uint32_t i = 0; i < r->counts.announces_waiting; i++)
		chain_add(w, waiting_of(w, due[i].id));
	return true;
}

/* ---- both ---- */

/* A place for that one; false: no memory. */
static bool
places_room(struct waitings *w, uint32_t id)
{
	uint32_t cap = MAX_OF(DUE_MIN, 2 * w->place_cap), *more;

	if (id < w->place_cap)
		return true;
	cap = MAX_OF(cap, id + 1);
	if ((more = realloc(w->places, cap * sizeof(*more))) == NULL)
		return false;
	w->places = more;
	w->place_cap = cap;
	return true;
}

/* There are none: what many needed is given back. */
static void
waiting_shrink(struct rns *r)
{
	struct waitings *w = r->waiting;

	/* what is refused now is tried again the next time */
	if (w->cap > DUE_MIN)
		(void)waiting_resize(r, DUE_MIN);
	free(w->places);
	w->places = NULL;
	w->place_cap = 0;
}

static void
waiting_del(struct rns *r, struct waiting *e)
{
	struct waitings *w = r->waiting;

	chain_remove(w, e);
	due_remove(w, w->places[e->id], r->counts.announces_waiting--);
	TAILQ_REMOVE(&e->owner->waiting, e, age);
	share_give(r, e->owner, SHARE_WAITING);
	pool_give(&w->pool, e->id);
	if (r->counts.announces_waiting == 0)
		waiting_shrink(r);
}

void
waiting_free(struct rns *r)
{
	struct waitings *w = r->waiting;

	if (w == NULL)
		return;
	timer_clear(r, &w->timer);
	while (r->counts.announces_waiting != 0)
		waiting_del(r, waiting_of(w, w->due[0].id));
	pool_clear(&w->pool);
	free(w->places);
	free(w->chains);
	free(w->due);
	free(w);
	r->waiting = NULL;
}

static void
waiting_drop(struct rns *r, const struct hash16 *dest)
{
	struct waiting *e;

	while ((e = chain_first(r->waiting, dest)) != NULL) {
		(void)core_drop_of(r, RNS_DROP_QUEUE_GONE, dest, 0);
		waiting_del(r, e);
	}
}

void
waiting_forget(struct rns *r)
{
	struct hash16 dest;

	while (path_gone_next(r, &dest))
		waiting_drop(r, &dest);
}

static struct waiting *
waiting_find(const struct rns *r, const struct hash16 *dest,
    const struct iface *via)
{
	const struct waitings *w = r->waiting;
	struct waiting *e = chain_first(w, dest);

	while (e != NULL && e->via != via)
		e = chain_next(w, e->next, dest);
	return e;
}

/* It stands behind all others by time, and in no list of an interface yet. */
static struct waiting *
waiting_make(struct rns *r, const struct path *path, struct iface *via,
    struct iface *owner)
{
	struct waitings *w = r->waiting;
	struct waiting *e;
	struct iface *victim;
	uint32_t n, id = 0;

	if (r->counts.announces_waiting >= r->cfg.limits.paths) {
		victim = share_victim(r, owner, SHARE_WAITING,
		    r->cfg.limits.paths);
		e = TAILQ_FIRST(&victim->waiting);
		(void)core_drop_of(r, RNS_DROP_WAITING_FULL, &e->dest,
		    victim->cfg.id);
		waiting_del(r, e);
	}
	n = r->counts.announces_waiting;
	if (n < w->cap || waiting_resize(r, MAX_OF(DUE_MIN, 2 * w->cap)))
		id = pool_take(&w->pool);
	if (id != 0 && !places_room(w, id)) {
		pool_give(&w->pool, id);
		id = 0;
	}
	if (id == 0) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return NULL;
	}
	e = waiting_of(w, id);
	*e = (struct waiting){.id = id, .dest = path->dest, .via = via};
	chain_add(w, e);
	due_put(w, n, (struct due){.at = MONO_NEVER, .rank = UINT64_MAX,
	    .id = id, .path = path});
	r->counts.announces_waiting++;
	return e;
}

static void
waiting_put(struct rns *r, const struct path *path, struct mono at,
    struct iface *via, uint8_t retries)
{
	struct iface *owner = via != NULL ? via : path->rx;
	struct waiting *e;

	waiting_forget(r);
	e = waiting_find(r, &path->dest, via);
	if (e != NULL) {
		TAILQ_REMOVE(&e->owner->waiting, e, age);
		share_give(r, e->owner, SHARE_WAITING);
	} else if ((e = waiting_make(r, path, via, owner)) == NULL) {
		return;
	}
	e->owner = owner;
	TAILQ_INSERT_TAIL(&owner->waiting, e, age);
	share_take(r, owner, SHARE_WAITING);
	e->seq = ++r->waiting->seq;
	e->hops = path->hops;
	e->retries = retries;
	e->heard = 0;
	due_move(r, e, at);
	waiting_arm(r);
}

void
waiting_relay(struct rns *r, const struct path *path, struct mono at,
    uint8_t retries)
{
	waiting_put(r, path, at, NULL, retries);
}

void
waiting_answer(struct rns *r, const struct path *path, struct mono at,
    struct iface *via)
{
	waiting_put(r, path, at, via, 1);
}

bool
waiting_listens(struct rns *r, const struct hash16 *dest, uint8_t hops)
{
	const struct waiting *e;

	waiting_forget(r);
	e = waiting_find(r, dest, NULL);
	if (e == NULL || hops == 0)
		return false;
	return hops - 1 == e->hops || (hops - 1 == e->hops + 1 &&
	    e->retries > 0 && r->now.us < waiting_at(r, e).us);
}

void
waiting_heard(struct rns *r, const struct hash16 *dest, uint8_t hops)
{
	struct waiting *e = waiting_find(r, dest, NULL);

	if (hops - 1 != e->hops ||
	    (++e->heard >= LOCAL_REBROADCASTS_MAX && e->retries > 0))
		waiting_del(r, e);
}

uint32_t
waiting_show(const struct rns *r, const struct hash16 *dest,
    int64_t *until_us)
{
	const struct waitings *w = r->waiting;
	const struct waiting *e;
	int64_t us;
	uint32_t n = 0;

	for (e = chain_first(w, dest); e != NULL;
	    e = chain_next(w, e->next, dest)) {
		us = core_wall_of(r, waiting_at(r, e));
		if (n++ == 0 || us < *until_us)
			*until_us = us;
	}
	return n;
}

void
waiting_iface_gone(struct rns *r, const struct iface *i)
{
	struct waiting *e, *next;

	/* Whose path was learned there goes with it, too. */
	TAILQ_FOREACH_SAFE(e, &i->waiting, age, next) {
		(void)core_drop_of(r, RNS_DROP_IF_GONE, &e->dest, i->cfg.id);
		waiting_del(r, e);
	}
}

/* Those of one tick leave together again. */
static struct mono
again_at(const struct rns *r)
{
	return tick_after(mono_add(r->now, PATH_RETRY_GRACE * MONO_SECOND +
	    PATH_REBROADCAST_WINDOW_MS * 1000));
}

/* Those that may be next: their announces lie all over the memory. */
static void
soon(const struct rns *r)
{
	const struct waitings *w = r->waiting;
	uint32_t n = MIN_OF(DUE_BELOW + 1, r->counts.announces_waiting);

	for (uint32_t i = 1; i < n; i++) {
		__builtin_prefetch(w->due[i].path);
		__builtin_prefetch(waiting_of(w, w->due[i].id));
	}
}

/* reticulum-transport.md 4.6: at most twice, an answer once. */
static void
waiting_run(struct rns *r, void *arg)
{
	struct waitings *w = arg;
	struct waiting *e;
	const struct path *path;
	bool kept;

	for (;;) {
		waiting_forget(r);
		if (r->counts.announces_waiting == 0 ||
		    !mono_reached(r->now, w->due[0].at))
			break;
		e = waiting_of(w, w->due[0].id);
		path = w->due[0].path;
		soon(r);
		/* The announce that waited may have been replaced since. */
		kept = !path->blocked || e->via != NULL;
		if (kept)
			(void)announce_out(r, path, e->hops, e->via != NULL ?
			    CTX_PATH_RESPONSE : CTX_NONE, e->via);
		if (!kept || ++e->retries > 1) {
			waiting_del(r, e);
			continue;
		}
		e->seq = ++w->seq;
		due_move(r, e, again_at(r));
	}
	waiting_arm(r);
}
