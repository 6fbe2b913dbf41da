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
#define QUEUE_MAX ANNOUNCEQ_MAX
#define QUEUE_LIFE ANNOUNCEQ_LIFE

RB_HEAD(announce_mine, queued);

/*
 * Those that one interface has brought. When the queue is full the one that
 * has brought most loses its last, so that one at full speed does not keep the
 * announces of the others from going out here.
 */
struct queued_from {
	LIST_ENTRY(queued_from) entry;
	unsigned ifid;
	uint32_t count;
	struct announce_mine order;
};

struct queued {
	RB_ENTRY(queued) node;	/* by destination */
	RB_ENTRY(queued) order; /* nearest, then oldest */
	RB_ENTRY(queued) mine;  /* likewise, of those of `from` */
	struct queued_from *from;
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

TREE_PROTOTYPE(announce_mine, queued, mine, order_cmp)
TREE_GENERATE(announce_mine, queued, mine, order_cmp)

/* Its place in the queue; hops and seq stay while it has one. */
static void
queued_link(struct iface *i, struct queued *q, struct queued_from *from)
{
	q->from = from;
	from->count++;
	(void)RB_INSERT(announce_mine, &from->order, q);
	(void)RB_INSERT(announce_order, &i->announce_order, q);
	TAILQ_INSERT_TAIL(&i->announce_ages, q, age);
}

static void
queued_unlink(struct iface *i, struct queued *q)
{
	struct queued_from *from = q->from;

	RB_REMOVE(announce_order, &i->announce_order, q);
	TAILQ_REMOVE(&i->announce_ages, q, age);
	RB_REMOVE(announce_mine, &from->order, q);
	if (--from->count == 0) {
		LIST_REMOVE(from, entry);
		free(from);
	}
}

static void
queued_free(struct iface *i, struct queued *q)
{
	RB_REMOVE(announce_queue, &i->announces, q);
	queued_unlink(i, q);
	i->announce_count--;
	free(q);
}

/*
 * From when on the share of an interface counts: the next turn may be late by
 * a tick, which is made up for; what else was not used before is lost.
 */
static struct mono
announceq_from(const struct rns *r, const struct iface *i)
{
	return (struct mono){MAX_OF(i->announce_allowed.us,
	    r->now.us - TICK_US)};
}

/* How long an announce keeps those behind it from leaving. */
static int64_t
announce_share_us(const struct iface *i, size_t len)
{
	uint64_t us = (uint64_t)len * 8 * MONO_SECOND * 1000;

	return (int64_t)(us / i->cfg.bitrate / i->cfg.announce_cap_permille);
}

/* The share that one announce takes, counted from then on. */
static void
announceq_wait(struct iface *i, struct mono from, size_t len)
{
	i->announce_allowed = mono_add(from, announce_share_us(i, len));
}

static void
announceq_arm(struct rns *r, struct iface *i)
{
	struct mono at = i->announce_allowed;

	if (i->announce_count == 0)
		return;
	if (mono_sub(at, r->now) < TICK_US)
		at = tick_after((struct mono){MAX_OF(at.us, r->now.us)});
	timer_set(r, &i->announce_timer, at);
}

/* Drops what is too old; the nearest, then the oldest, or NULL. */
static struct queued *
announceq_pick(struct rns *r, struct iface *i)
{
	struct queued *q;

	while ((q = TAILQ_FIRST(&i->announce_ages)) != NULL &&
	    mono_sub(r->now, q->at) > QUEUE_LIFE * MONO_SECOND) {
		(void)core_drop_of(r, RNS_DROP_QUEUE_OLD, &q->dest,
		    i->cfg.id);
		queued_free(i, q);
	}
	return RB_MIN(announce_order, &i->announce_order);
}

/* Passes it on there; false: nothing left. */
static bool
queued_send(struct rns *r, struct iface *i, const struct queued *q,
    size_t *len)
{
	const struct path *path = path_find(r, &q->dest);
	struct announce_packet a;

	if (path == NULL) {
		(void)core_drop_of(r, RNS_DROP_QUEUE_GONE, &q->dest,
		    i->cfg.id);
		return false;
	}
	if (path->blocked)
		return false; /* counted when it came */
	if (announce_pack(r, path, q->hops, CTX_NONE, &a) != RNS_OK ||
	    announce_tx(r, i, &a) != RNS_OK)
		return false;
	*len = path->heard->len + (size_t)RNS_HASH;
	return true;
}

static void
announceq_run(struct rns *r, void *arg)
{
	struct iface *i = arg;
	struct mono from = announceq_from(r, i);
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
	LIST_INIT(&i->announce_sources);
	timer_init(&i->announce_timer, announceq_run, i);
}

void
announceq_clear(struct rns *r, struct iface *i)
{
	struct queued *q;

	timer_clear(r, &i->announce_timer);
	while ((q = RB_ROOT(&i->announces)) != NULL) {
		(void)core_drop_of(r, RNS_DROP_IF_GONE, &q->dest, i->cfg.id);
		queued_free(i, q);
	}
}

bool
announceq_now(struct rns *r, struct iface *i, size_t len)
{
	if (i->cfg.bitrate == 0 || i->cfg.announce_cap_permille == 0)
		return true;
	if (i->announce_count != 0 || r->now.us < i->announce_allowed.us)
		return false;
	/* those of one turn leave at once where many fit into a tick */
	announceq_wait(i, announce_share_us(i, len) < TICK_US ?
	    announceq_from(r, i) : r->now, len);
	return true;
}

static struct queued_from *
queued_from(struct rns *r, struct iface *i, unsigned ifid)
{
	struct queued_from *f;

	LIST_FOREACH(f, &i->announce_sources, entry)
		if (f->ifid == ifid)
			return f;
	f = calloc(1, sizeof(*f));
	if (f == NULL) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return NULL;
	}
	f->ifid = ifid;
	RB_INIT(&f->order);
	LIST_INSERT_HEAD(&i->announce_sources, f, entry);
	return f;
}

/* Nothing of it waits: it was made for one that found no place. */
static void
queued_from_unused(struct queued_from *f)
{
	if (f->count != 0)
		return;
	LIST_REMOVE(f, entry);
	free(f);
}

/* Room for one more of those; false: it is their share that is used up. */
static bool
queued_room(struct rns *r, struct iface *i, const struct queued_from *from,
    const struct hash16 *dest)
{
	struct queued_from *f, *most = NULL;
	struct queued *q;

	if (i->announce_count < QUEUE_MAX)
		return true;
	LIST_FOREACH(f, &i->announce_sources, entry)
		if (most == NULL || f->count > most->count)
			most = f;
	if (most == NULL || most->count <= from->count + 1)
		return core_drop_of(r, RNS_DROP_QUEUE_FULL, dest, i->cfg.id);
	q = RB_MAX(announce_mine, &most->order);
	(void)core_drop_of(r, RNS_DROP_QUEUE_FULL, &q->dest, i->cfg.id);
	queued_free(i, q);
	return true;
}

static struct queued *
queued_make(struct rns *r, struct iface *i, const struct path *path)
{
	struct queued *q = calloc(1, sizeof(*q));

	if (q == NULL) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return NULL;
	}
	q->dest = path->dest;
	(void)RB_INSERT(announce_queue, &i->announces, q);
	q->seq = ++i->announce_seq;
	i->announce_count++;
	return q;
}

bool
announceq_has(const struct iface *i, const struct hash16 *dest)
{
	struct queued key;

	key.dest = *dest;
	return RB_FIND(announce_queue, (struct announce_queue *)&i->announces,
	    &key) != NULL;
}

void
announceq_put(struct rns *r, struct iface *i, const struct path *path,
    uint8_t hops)
{
	struct queued_from *from = queued_from(r, i, path->rx->cfg.id);
	struct queued key, *q;

	if (from == NULL)
		return;
	key.dest = path->dest;
	q = RB_FIND(announce_queue, &i->announces, &key);
	if (q != NULL) {
		from->count++; /* it stays, whatever goes */
		queued_unlink(i, q);
		from->count--;
	} else if (!queued_room(r, i, from, &path->dest) ||
	    (q = queued_make(r, i, path)) == NULL) {
		queued_from_unused(from);
		return;
	}
	q->hops = hops;
	q->at = r->now;
	queued_link(i, q, from);
	if (!i->announce_timer.armed)
		announceq_arm(r, i);
}
