/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/send/waiting.h"

#include <stdlib.h>
#include <string.h>

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
RB_HEAD(waiting_keys, waiting);
RB_HEAD(waiting_times, waiting);

struct waitings {
	struct waiting_keys keys;
	struct waiting_times times;
	struct pool pool;
	uint64_t seq;
	struct timer timer;
};

static int
waiting_key_cmp(const struct waiting *a, const struct waiting *b)
{
	uintptr_t x = (uintptr_t)a->via, y = (uintptr_t)b->via;
	int c = hash16_cmp(&a->dest, &b->dest);

	return c != 0 ? c : (x > y) - (x < y);
}

/* Those of one moment in order of hops (reticulum-transport.md 4.6). */
static int
waiting_time_cmp(const struct waiting *a, const struct waiting *b)
{
	if (a->at.us != b->at.us)
		return a->at.us < b->at.us ? -1 : 1;
	if (a->hops != b->hops)
		return a->hops < b->hops ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

TREE_PROTOTYPE(waiting_keys, waiting, by_key, waiting_key_cmp)
TREE_GENERATE(waiting_keys, waiting, by_key, waiting_key_cmp)
TREE_PROTOTYPE(waiting_times, waiting, by_time, waiting_time_cmp)
TREE_GENERATE(waiting_times, waiting, by_time, waiting_time_cmp)

static void waiting_run(struct rns *, void *);

int
waiting_new(struct rns *r)
{
	struct waitings *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return RNS_ENOMEM;
	RB_INIT(&w->keys);
	RB_INIT(&w->times);
	pool_init(&w->pool, sizeof(struct waiting));
	timer_init(&w->timer, waiting_run, w);
	r->waiting = w;
	return RNS_OK;
}

static void
waiting_del(struct rns *r, struct waiting *e)
{
	RB_REMOVE(waiting_keys, &r->waiting->keys, e);
	RB_REMOVE(waiting_times, &r->waiting->times, e);
	TAILQ_REMOVE(&e->owner->waiting, e, age);
	share_give(r, e->owner, SHARE_WAITING);
	r->counts.announces_waiting--;
	pool_give(&r->waiting->pool, e->id);
}

void
waiting_free(struct rns *r)
{
	struct waiting *e;

	if (r->waiting == NULL)
		return;
	timer_clear(r, &r->waiting->timer);
	while ((e = RB_ROOT(&r->waiting->keys)) != NULL)
		waiting_del(r, e);
	pool_clear(&r->waiting->pool);
	free(r->waiting);
	r->waiting = NULL;
}

static void
waiting_arm(struct rns *r)
{
	struct waiting *e = RB_MIN(waiting_times, &r->waiting->times);

	timer_set(r, &r->waiting->timer, e != NULL ? e->at : MONO_NEVER);
}

static void
waiting_drop(struct rns *r, const struct hash16 *dest)
{
	struct waiting key, *e;

	key.dest = *dest;
	key.via = NULL;
	while ((e = RB_NFIND(waiting_keys, &r->waiting->keys, &key)) != NULL &&
	    hash16_eq(&e->dest, dest)) {
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
waiting_find(struct rns *r, const struct hash16 *dest, struct iface *via)
{
	struct waiting key;

	key.dest = *dest;
	key.via = via;
	return RB_FIND(waiting_keys, &r->waiting->keys, &key);
}

static struct waiting *
waiting_make(struct rns *r, const struct path *path, struct iface *via,
    struct iface *owner)
{
	struct waiting *e;
	struct iface *victim;
	uint32_t id;

	if (r->counts.announces_waiting >= r->cfg.limits.paths) {
		victim = share_victim(r, owner, SHARE_WAITING,
		    r->cfg.limits.paths);
		e = TAILQ_FIRST(&victim->waiting);
		(void)core_drop_of(r, RNS_DROP_WAITING_FULL, &e->dest,
		    victim->cfg.id);
		waiting_del(r, e);
	}
	id = pool_take(&r->waiting->pool);
	if (id == 0) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return NULL;
	}
	e = pool_at(&r->waiting->pool, id);
	memset(e, 0, sizeof(*e));
	e->id = id;
	e->dest = path->dest;
	e->via = via;
	(void)RB_INSERT(waiting_keys, &r->waiting->keys, e);
	r->counts.announces_waiting++;
	return e;
}

static void
waiting_put(struct rns *r, const struct path *path, struct mono at,
    struct iface *via, uint8_t retries)
{
	struct iface *owner = via != NULL ? via : path->rx;
	struct waitings *w = r->waiting;
	struct waiting *e;

	waiting_forget(r);
	e = waiting_find(r, &path->dest, via);
	if (e != NULL) {
		RB_REMOVE(waiting_times, &w->times, e);
		TAILQ_REMOVE(&e->owner->waiting, e, age);
		share_give(r, e->owner, SHARE_WAITING);
	} else if ((e = waiting_make(r, path, via, owner)) == NULL) {
		return;
	}
	e->owner = owner;
	TAILQ_INSERT_TAIL(&owner->waiting, e, age);
	share_take(r, owner, SHARE_WAITING);
	e->at = at;
	e->seq = ++w->seq;
	e->hops = path->hops;
	e->retries = retries;
	e->heard = 0;
	(void)RB_INSERT(waiting_times, &w->times, e);
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
	    e->retries > 0 && r->now.us < e->at.us);
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
	struct waiting key, *e;
	uint32_t n = 0;

	key.dest = *dest;
	key.via = NULL;
	for (e = RB_NFIND(waiting_keys, &r->waiting->keys, &key); e != NULL &&
	    hash16_eq(&e->dest, dest);
	    e = RB_NEXT(waiting_keys, &r->waiting->keys, e)) {
		if (n == 0 || core_wall_of(r, e->at) < *until_us)
			*until_us = core_wall_of(r, e->at);
		n++;
	}
	return n;
}

void
waiting_iface_gone(struct rns *r, const struct iface *i)
{
	struct waiting *e, *next;

	/* Whose path was learned there goes with it, too. */
	RB_FOREACH_SAFE(e, waiting_keys, &r->waiting->keys, next)
		if (e->via == i || e->owner == i) {
			(void)core_drop_of(r, RNS_DROP_IF_GONE, &e->dest,
			    i->cfg.id);
			waiting_del(r, e);
		}
}

/* reticulum-transport.md 4.6: at most twice, an answer once. */
static void
waiting_run(struct rns *r, void *arg)
{
	struct waitings *w = arg;
	struct waiting *e;
	struct path *path;

	waiting_forget(r);
	while ((e = RB_MIN(waiting_times, &w->times)) != NULL &&
	    mono_reached(r->now, e->at)) {
		path = path_find(r, &e->dest);
		/* The announce that waited may have been replaced since. */
		if (path != NULL && path->blocked && e->via == NULL)
			path = NULL;
		if (path != NULL)
			(void)announce_out(r, path, e->hops, e->via != NULL ?
			    CTX_PATH_RESPONSE : CTX_NONE, e->via);
		if (path == NULL || ++e->retries > 1) {
			waiting_del(r, e);
			continue;
		}
		RB_REMOVE(waiting_times, &w->times, e);
		e->at = mono_add(r->now, PATH_RETRY_GRACE * MONO_SECOND +
		    PATH_REBROADCAST_WINDOW_MS * 1000);
		e->seq = ++w->seq;
		(void)RB_INSERT(waiting_times, &w->times, e);
	}
	waiting_arm(r);
}
