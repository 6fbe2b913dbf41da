/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/ingress.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/table/share.h"

#define PR_CALM 3 /* evaluations that a burst of requests needs to end */

/* A time of the configuration; one beyond all clocks is a long time. */
static int64_t
to_us(double s)
{
	return s >= 1e9 ? INT64_C(1000000000) * MONO_SECOND :
	    (int64_t)(s * (double)MONO_SECOND);
}

static bool
controlled(const struct iface *i)
{
	return i->cfg.ingress.control && i->cfg.kind == RNS_IF_NET;
}

static double
threshold(const struct rns *r, const struct iface *i, double hz_new, double hz)
{
	return mono_sub(r->now, i->since) < to_us(i->cfg.ingress.new_time_s) ?
	    hz_new : hz;
}

static double
announce_threshold(const struct rns *r, const struct iface *i)
{
	return threshold(r, i, i->cfg.ingress.burst_hz_new,
	    i->cfg.ingress.burst_hz);
}

void
ingress_arm(struct rns *r, struct iface *i)
{
	if (!i->ingress_job.armed)
		timer_set(r, &i->ingress_job, mono_add(r->now, INGRESS_JOB_US));
}

bool
ingress_busy(const struct iface *i)
{
	return i->burst.active || i->pr_burst.active || i->held_count != 0;
}

static void
burst_begin(struct rns *r, struct iface *i, struct burst *b)
{
	b->active = true;
	b->activated = b->sustained = r->now;
	b->calm = PR_CALM;
	ingress_arm(r, i);
}

/* Was it quiet for long enough? If not because of hz, that is noted. */
static bool
burst_over(struct rns *r, const struct iface *i, struct burst *b, double hz,
    double limit)
{
	int64_t hold = to_us(i->cfg.ingress.hold_s);

	if (hz >= limit) {
		b->sustained = r->now;
		return false;
	}
	return mono_reached(r->now, mono_add(b->activated, hold)) &&
	    mono_reached(r->now, mono_add(b->sustained, hold));
}

bool
ingress_limits_announces(struct rns *r, struct iface *i)
{
	double hz, limit;

	if (!controlled(i) || i->cfg.announces_unlimited)
		return false;
	hz = traffic_hz(r, i->traffic, TRAFFIC_ANNOUNCE_IN, 0);
	limit = announce_threshold(r, i);
	if (!i->burst.active) {
		if (hz <= limit)
			return false;
		burst_begin(r, i, &i->burst);
		i->release_at = mono_add(r->now,
		    to_us(i->cfg.ingress.penalty_s));
		return true;
	}
	if (burst_over(r, i, &i->burst, hz, limit) &&
	    i->traffic[TRAFFIC_ANNOUNCE_IN].count >= 2)
		i->burst.active = false;
	return true;
}

bool
ingress_limits_requests(struct rns *r, struct iface *i)
{
	double hz, limit;

	if (!controlled(i))
		return false;
	hz = traffic_hz(r, i->traffic, TRAFFIC_PATH_IN, 0);
	limit = threshold(r, i, i->cfg.ingress.pr_burst_hz_new,
	    i->cfg.ingress.pr_burst_hz);
	if (!i->pr_burst.active) {
		if (hz <= limit)
			return false;
		burst_begin(r, i, &i->pr_burst);
		return true;
	}
	if (!burst_over(r, i, &i->pr_burst, hz, limit))
		i->pr_burst.calm = PR_CALM;
	else if (i->pr_burst.calm-- == 0)
		i->pr_burst.active = false;
	return true;
}

bool
egress_limits(struct rns *r, struct iface *i)
{
	return i->cfg.ingress.egress && traffic_hz(r, i->traffic,
	    TRAFFIC_PATH_OUT, 1) > i->cfg.ingress.egress_hz;
}

/* ---- held announces ---- */

static int
held_cmp(const struct held *a, const struct held *b)
{
	return hash16_cmp(&a->dest, &b->dest);
}

TREE_PROTOTYPE(held_tree, held, node, held_cmp)
TREE_GENERATE(held_tree, held, node, held_cmp)

static int
held_order_cmp(const struct held *a, const struct held *b)
{
	if (a->hops != b->hops)
		return a->hops < b->hops ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

TREE_PROTOTYPE(held_order, held, order, held_order_cmp)
TREE_GENERATE(held_order, held, order, held_order_cmp)

static void
held_remove(struct rns *r, struct iface *i, struct held *h)
{
	RB_REMOVE(held_tree, &i->held, h);
	RB_REMOVE(held_order, &i->held_order, h);
	i->held_count--;
	r->counts.held--;
	share_give(r, i, SHARE_HELD);
}

static bool
held_room(struct rns *r, struct iface *i)
{
	struct iface *victim;
	struct held *h;

	if (i->held_count >= i->cfg.ingress.max_held)
		return core_drop(r, RNS_DROP_HOLD_FULL);
	if (r->counts.held < HELD_TOTAL)
		return true;
	(void)core_drop(r, RNS_DROP_HOLD_FULL);
	victim = share_victim(r, i, SHARE_HELD, HELD_TOTAL);
	if (victim == i || (h = RB_MAX(held_order, &victim->held_order)) ==
	    NULL)
		return false;
	held_remove(r, victim, h);
	free(h);
	return true;
}

void
held_put(struct rns *r, struct iface *i, const struct hash16 *dest,
    uint64_t emitted, uint8_t hops, const uint8_t *raw, size_t len)
{
	struct held key, *old, *h;

	if (hops >= RNS_HOPS_MAX - 1) {
		(void)core_drop(r, RNS_DROP_HOPS);
		return;
	}
	key.dest = *dest;
	old = RB_FIND(held_tree, &i->held, &key);
	if (old != NULL && (old->emitted > emitted ||
	    (old->emitted == emitted && old->hops <= hops))) {
		(void)core_drop(r, RNS_DROP_ANNOUNCE_OLD);
		return;
	}
	if (old == NULL && !held_room(r, i))
		return;
	if ((h = malloc(sizeof(*h) + len)) == NULL) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return;
	}
	if (old != NULL) {
		held_remove(r, i, old);
		free(old);
	}
	*h = (struct held){.dest = *dest, .emitted = emitted,
	    .seq = ++i->held_seq, .hops = hops, .len = len};
	memcpy(h->raw, raw, len);
	(void)RB_INSERT(held_tree, &i->held, h);
	(void)RB_INSERT(held_order, &i->held_order, h);
	i->held_count++;
	r->counts.held++;
	share_take(r, i, SHARE_HELD);
	(void)core_drop(r, RNS_DROP_HELD);
	ingress_arm(r, i);
}

static struct held *
held_find(const struct iface *i, const struct hash16 *dest)
{
	struct held key;

	key.dest = *dest;
	return RB_FIND(held_tree, (struct held_tree *)&i->held, &key);
}

struct rd
held_announce(const struct iface *i, const struct hash16 *dest)
{
	const struct held *h = i->held_count != 0 ? held_find(i, dest) : NULL;

	return h != NULL ? rd_make(h->raw, h->len) : rd_make(NULL, 0);
}

bool
held_show(const struct rns *r, const struct iface *i,
    const struct hash16 *dest, int64_t *until_us)
{
	struct held *h;
	int64_t before = 0;

	if (held_find(i, dest) == NULL)
		return false;
	RB_FOREACH(h, held_order, (struct held_order *)&i->held_order) {
		if (hash16_eq(&h->dest, dest))
			break;
		before++;
	}
	/* at best: while it goes on, none is released */
	*until_us = core_wall_of(r, i->release_at.us > r->now.us ?
	    i->release_at : r->now) + before * to_us(i->cfg.ingress.release_s);
	return true;
}

struct held *
held_take(struct rns *r, struct iface *i)
{
	struct held *h = RB_MIN(held_order, &i->held_order);

	if (h == NULL || !mono_reached(r->now, i->release_at) ||
	    traffic_peek(r, i->traffic, TRAFFIC_ANNOUNCE_IN, 0) >=
	    announce_threshold(r, i))
		return NULL;
	i->release_at = mono_add(r->now, to_us(i->cfg.ingress.release_s));
	held_remove(r, i, h);
	return h;
}

void
held_clear(struct rns *r, struct iface *i)
{
	struct held *h;

	timer_clear(r, &i->ingress_job);
	while ((h = RB_ROOT(&i->held)) != NULL) {
		(void)core_drop_of(r, RNS_DROP_IF_GONE, &h->dest, i->cfg.id);
		held_remove(r, i, h);
		free(h);
	}
}
