/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/send/announceq.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/send/forward.h"
#include "transport/core/table/iface.h"

/*
 * Announce cap (reticulum-transport.md 5.3): announces passed on take no more
 * than their share of an interface's bitrate; the others wait here, those from
 * near first. What waits is a destination; the announce is the path's, so that
 * the newest one leaves and a path that is gone leaves nothing.
 */
#define QUEUE_MAX 4096    /* MAX_QUEUED_ANNOUNCES */
#define QUEUE_LIFE 10800  /* QUEUED_ANNOUNCE_LIFE */
/* ours: how late a fast interface may be, to send several in one turn */
#define QUEUE_TICK_US 20000

struct queued {
	RB_ENTRY(queued) node;	/* by destination */
	RB_ENTRY(queued) order; /* nearest, then oldest */
	TAILQ_ENTRY(queued) age; /* heard last, last */
	struct hash16 dest;
	uint8_t hops;
	struct mono at;
	uint64_t seq;
};

static int
queued_cmp(const struct queued *a, const struct queued *b)
{
	return hash16_cmp(&a->dest, &b->dest);
}

TREE_PROTOTYPE(announce_queue, queued, node, queued_cmp)
TREE_GENERATE(announce_queue, queued, node, queued_cmp)

static int
order_cmp(const struct queued *a, const struct queued *b)
{
	if (a->hops != b->hops)
		return a->hops < b->hops ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

TREE_PROTOTYPE(announce_order, queued, order, order_cmp)
TREE_GENERATE(announce_order, queued, order, order_cmp)

static void
queued_free(struct iface *i, struct queued *q)
{
	RB_REMOVE(announce_queue, &i->announces, q);
	RB_REMOVE(announce_order, &i->announce_order, q);
	TAILQ_REMOVE(&i->announce_ages, q, age);
	i->announce_count--;
	free(q);
}

/* The share that one announce takes, counted from then on. */
static void
announceq_wait(struct iface *i, struct mono from, size_t len)
{
	uint64_t us = (uint64_t)len * 8 * MONO_SECOND * 1000;

	i->announce_allowed = mono_add(from,
	    (int64_t)(us / i->cfg.bitrate / i->cfg.announce_cap_permille));
}

static void
announceq_arm(struct rns *r, struct iface *i)
{
	struct mono at = i->announce_allowed;

	if (i->announce_count == 0)
		return;
	if (mono_sub(at, r->now) < QUEUE_TICK_US)
		at = mono_add(r->now, QUEUE_TICK_US);
	timer_set(r, &i->announce_timer, at);
}

/* Drops what is too old; the nearest, then the oldest, or NULL. */
static struct queued *
announceq_pick(struct rns *r, struct iface *i)
{
	struct queued *q;

	while ((q = TAILQ_FIRST(&i->announce_ages)) != NULL &&
	    mono_sub(r->now, q->at) > QUEUE_LIFE * MONO_SECOND)
		queued_free(i, q);
	return RB_MIN(announce_order, &i->announce_order);
}

/* Passes it on there; false: nothing left. */
static bool
queued_send(struct rns *r, struct iface *i, const struct queued *q,
    size_t *len)
{
	const struct path *path = path_find(r, &q->dest);
	struct announce_packet a;

	if (path == NULL ||
	    announce_pack(r, path, q->hops, CTX_NONE, &a) != RNS_OK ||
	    announce_tx(r, i, &a) != RNS_OK)
		return false;
	*len = path->announce_len + (size_t)RNS_HASH;
	return true;
}

/* Being late by a tick is made up for; what was not used before is lost. */
static void
announceq_run(struct rns *r, void *arg)
{
	struct iface *i = arg;
	struct mono from = {MAX_OF(i->announce_allowed.us,
	    r->now.us - QUEUE_TICK_US)};
	struct queued *q;
	size_t len;

	while (mono_reached(r->now, from) &&
	    (q = announceq_pick(r, i)) != NULL) {
		if (queued_send(r, i, q, &len)) {
			announceq_wait(i, from, len);
			from = i->announce_allowed;
		}
		queued_free(i, q);
	}
	announceq_arm(r, i);
}

void
announceq_init(struct iface *i)
{
	RB_INIT(&i->announces);
	RB_INIT(&i->announce_order);
	TAILQ_INIT(&i->announce_ages);
	timer_init(&i->announce_timer, announceq_run, i);
}

void
announceq_clear(struct rns *r, struct iface *i)
{
	struct queued *q;

	timer_clear(r, &i->announce_timer);
	while ((q = RB_ROOT(&i->announces)) != NULL)
		queued_free(i, q);
}

bool
announceq_now(struct rns *r, struct iface *i, size_t len)
{
	if (i->cfg.bitrate == 0 || i->cfg.announce_cap_permille == 0)
		return true;
	if (i->announce_count != 0 || r->now.us < i->announce_allowed.us)
		return false;
	announceq_wait(i, r->now, len);
	return true;
}

void
announceq_put(struct rns *r, struct iface *i, const struct path *path,
    uint8_t hops)
{
	struct queued key, *q;

	key.dest = path->dest;
	q = RB_FIND(announce_queue, &i->announces, &key);
	if (q == NULL) {
		if (i->announce_count >= QUEUE_MAX) {
			(void)core_drop(r, RNS_DROP_LIMIT);
			return;
		}
		q = calloc(1, sizeof(*q));
		if (q == NULL) {
			(void)core_drop(r, RNS_DROP_MEMORY);
			return;
		}
		q->dest = path->dest;
		(void)RB_INSERT(announce_queue, &i->announces, q);
		q->seq = ++i->announce_seq;
		i->announce_count++;
	} else {
		RB_REMOVE(announce_order, &i->announce_order, q);
		TAILQ_REMOVE(&i->announce_ages, q, age);
	}
	q->hops = hops;
	q->at = r->now;
	(void)RB_INSERT(announce_order, &i->announce_order, q);
	TAILQ_INSERT_TAIL(&i->announce_ages, q, age);
	if (!i->announce_timer.armed)
		announceq_arm(r, i);
}
