/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/const.h"
#include "transport/core/base/packet.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/ingress.h"
#include "transport/core/table/path.h"
#include "tests/unit/relay_node.h"
#include "common/wire.h"

/* How much an interface may bring in, and what is shown of it. */

static const uint8_t priv[RNS_KEY] = {9, 8, 7};
#define T0 HEARD_FROM

static void
asked(struct node *n, unsigned ifid, unsigned i, uint8_t tag)
{
	uint8_t raw[RNS_MTU];
	struct stranger s;
	size_t len;

	stranger_number(&s, i);
	len = path_request_make(raw, &s.dest, NULL, tag);
	node_in(n, ifid, raw, len);
}

static struct rns_if_stats
stats(const struct node *n, unsigned ifid)
{
	struct rns_if_stats s;

	rns_tick(n->r, (struct mono){n->now});
	assert_int_equal(rns_if_stats(n->r, ifid, &s), RNS_OK);
	return s;
}

static bool
about(double a, double b)
{
	return a > b * 0.999 && a < b * 1.001;
}

/* ---- what is shown ---- */

static void
announces_are_counted(void **state)
{
	struct rns_if_stats s;
	struct node n;

	(void)state;
	node_open_on(&n, priv, true, 2);
	for (unsigned i = 0; i < 3; i++) {
		if (i == 2) /* two are not enough to speak of */
			assert_true(stats(&n, 0).announces_rx.hz == 0);
		stranger_heard(&n, 0, i, T0);
		node_run(&n, NODE_SECOND);
	}
	s = stats(&n, 0);
	assert_int_equal(s.announces_rx.packets, 3);
	assert_int_equal(s.announces_rx.bytes, s.rx_bytes);
	assert_true(about(s.announces_rx.hz, 1));
	s = stats(&n, 1);
	assert_int_equal(s.announces_rx.packets, 0);
	/* Each went out once by now. */
	assert_int_equal(s.announces_tx.packets, 3);
	assert_int_equal(s.announces_tx.bytes, s.tx_bytes);
	assert_true(s.announces_tx.hz > 0.9);
	/* The same announce again. */
	stranger_heard(&n, 0, 0, T0);
	assert_int_equal(stats(&n, 0).announces_rx.packets, 4);
	assert_int_equal(rns_if_stats(n.r, 9, &s), RNS_ENOENT);
	node_close(&n);
}

static void
path_requests_are_counted(void **state)
{
	struct rns_if_stats s;
	struct node n;

	(void)state;
	node_open_on(&n, priv, true, 1);
	node_if(&n, 1, RNS_IF_NET, RNS_MODE_GATEWAY, 500, false);
	asked(&n, 1, 1, 1);
	asked(&n, 1, 1, 1); /* repeats are not counted */
	asked(&n, 1, 2, 2);
	s = stats(&n, 1);
	assert_int_equal(s.path_requests_rx.packets, 2);
	assert_int_equal(s.path_requests_tx.packets, 0);
	s = stats(&n, 0);
	assert_int_equal(s.path_requests_tx.packets, 2);
	assert_int_equal(s.path_requests_tx.bytes, s.tx_bytes);
	node_close(&n);
}

/* An old event goes at a look, and a look comes every 5 s. */
static void
old_events_go(void **state)
{
	struct node n;
	struct iface *i;

	(void)state;
	node_open_on(&n, priv, true, 1);
	i = iface_find(n.r, 0);
	i->cfg.ingress.control = false;
	for (unsigned k = 0; k < 8; k++)
		stranger_heard(&n, 0, k, T0);
	assert_int_equal(i->traffic[TRAFFIC_ANNOUNCE_IN].count, 8);
	/* Looks at 15, 20, 25, 30 s find one that is over 10 s old each. */
	node_run(&n, 31 * NODE_SECOND);
	stranger_heard(&n, 0, 20, T0);
	assert_int_equal(i->traffic[TRAFFIC_ANNOUNCE_IN].count, 5);
	/* An hour is enough for all. */
	node_run(&n, INT64_C(3600) * NODE_SECOND);
	stranger_heard(&n, 0, 21, T0);
	assert_int_equal(i->traffic[TRAFFIC_ANNOUNCE_IN].count, 1);
	/* No more than 48 are remembered. */
	for (unsigned k = 0; k < 60; k++)
		stranger_heard(&n, 0, k, T0 + 1);
	assert_int_equal(i->traffic[TRAFFIC_ANNOUNCE_IN].count, 48);
	node_close(&n);
}

/* reticulum-transport.md 18.3 */
static void
violations_are_counted(void **state)
{
	uint8_t raw[RNS_MTU], req[RNS_MTU];
	struct rns_if_stats s, sum = {0};
	struct stranger who;
	struct node n;
	size_t len;

	(void)state;
	node_open_on(&n, priv, true, 2);
	stranger_number(&who, 1);
	node_in(&n, 0, raw, 1);
	len = stranger_announce(&who, raw, T0, 0, NULL, false);
	raw[len - 1] ^= 1;
	node_in(&n, 0, raw, len);
	assert_int_equal(stats(&n, 0).announces_rx.packets, 0);
	len = path_request_make(req, &who.dest, NULL, 1);
	node_in(&n, 0, req, len - RNS_HASH); /* no tag */
	raw[0] = 0x80;
	node_in(&n, 0, raw, len);
	raw[0] = 0x50; /* data with the transport id of another */
	node_in(&n, 0, raw, len);
	s = stats(&n, 0);
	assert_int_equal(s.protocol_violations, 3);
	assert_int_equal(s.ifac_violations, 1);
	assert_int_equal(s.filter_hits, 1);
	assert_int_equal(rns_if_drops(n.r, 0, RNS_DROP_SHORT), 1);
	assert_int_equal(rns_if_drops(n.r, 1, RNS_DROP_SHORT), 0);
	assert_int_equal(rns_if_drops(n.r, 7, RNS_DROP_SHORT), 0);
	assert_int_equal(stats(&n, 1).protocol_violations, 0);
	rns_if_stats_add(&sum, &s);
	rns_if_stats_add(&sum, &s);
	assert_int_equal(sum.protocol_violations, 6);
	assert_int_equal(sum.rx_packets, 2 * s.rx_packets);
	node_close(&n);
}

/* Bursts of a sum: how many, and since when. */
static void
sums_of_bursts(void **state)
{
	struct rns_if_stats a = {.bursts = 1, .burst_activated_us = 50};
	struct rns_if_stats b = {.bursts = 1, .burst_activated_us = 40};
	struct rns_if_stats off = {.burst_activated_us = 10}, sum = {0};

	(void)state;
	rns_if_stats_add(&sum, &off);
	assert_int_equal(sum.bursts, 0);
	assert_int_equal(sum.burst_activated_us, 10);
	rns_if_stats_add(&sum, &a);
	assert_int_equal(sum.burst_activated_us, 50);
	rns_if_stats_add(&sum, &b);
	rns_if_stats_add(&sum, &off);
	assert_int_equal(sum.bursts, 2);
	assert_int_equal(sum.burst_activated_us, 40);
}

/* ---- bursts of announces (reticulum-transport.md 8.5) ---- */

static uint32_t
paths(const struct node *n)
{
	struct rns_counts c;

	rns_counts(n->r, &c);
	return c.paths;
}

static uint32_t
held(const struct node *n)
{
	struct rns_counts c;

	rns_counts(n->r, &c);
	return c.held;
}

static void
bursts_are_held(void **state)
{
	struct rns_if_stats s;
	struct node n;

	(void)state;
	node_open_on(&n, priv, true, 2);
	/* Two a second are nothing special, ten are for a new interface. */
	heard_many(&n, 0, 8, 2);
	assert_int_equal(stats(&n, 0).bursts, 0);
	assert_int_equal(paths(&n), 8);
	heard_many(&n, 100, 40, 10);
	s = stats(&n, 0);
	assert_int_equal(s.bursts, 1);
	assert_in_range(s.held_announces, 20, 39);
	assert_int_equal(paths(&n) + held(&n), 48);
	assert_int_equal(rns_drops(n.r, RNS_DROP_HELD), held(&n));
	assert_in_range(s.burst_activated_us, NODE_WALL_US,
	    NODE_WALL_US + n.now);
	/* The other interface is not concerned, and known ones go on. */
	assert_int_equal(stats(&n, 1).bursts, 0);
	stranger_heard(&n, 0, 1, T0 + 5);
	assert_int_equal(rns_drops(n.r, RNS_DROP_HELD), held(&n));
	node_close(&n);
}

/*
 * A copy of one that is held is not checked again: were the bytes wrong that
 * are held, a copy of them would be taken. One that differs is checked.
 */
static void
copies_of_held_ones(void **state)
{
	struct stranger s;
	uint8_t raw[RNS_MTU];
	struct node n;
	struct rd there;
	uint32_t many;
	size_t len;

	(void)state;
	node_open_on(&n, priv, true, 2);
	heard_many(&n, 0, 30, 20);
	stranger_number(&s, 29);
	len = stranger_announce(&s, raw, T0, 0, NULL, false);
	many = held(&n);
	there = held_announce(iface_find(n.r, 0), &s.dest);
	assert_int_equal(rd_left(&there), len);
	raw[len - 1] ^= 1;
	node_in(&n, 0, raw, len);
	node_in(&n, 1, raw, len);
	assert_int_equal(rns_drops(n.r, RNS_DROP_ANNOUNCE_SIG), 2);
	((uint8_t *)(uintptr_t)there.p)[len - 1] ^= 1;
	node_in(&n, 0, raw, len);
	assert_int_equal(rns_drops(n.r, RNS_DROP_ANNOUNCE_SIG), 2);
	assert_int_equal(rns_drops(n.r, RNS_DROP_ANNOUNCE_OLD), 1);
	/* from a neighbour that passed it on, too, with its own header */
	raw[1]++;
	node_in(&n, 0, raw, len);
	assert_int_equal(rns_drops(n.r, RNS_DROP_ANNOUNCE_SIG), 2);
	raw[len - 1] ^= 2;
	node_in(&n, 0, raw, len);
	assert_int_equal(rns_drops(n.r, RNS_DROP_ANNOUNCE_SIG), 3);
	assert_int_equal(held(&n), many);
	node_close(&n);
}

/* One every 5 s, the nearest first, when it is quiet for 15 s. */
static void
held_ones_are_released(void **state)
{
	uint32_t before, waiting;
	uint8_t raw[RNS_MTU];
	struct rns_path path;
	struct stranger far;
	struct node n;
	size_t len;

	(void)state;
	node_open_on(&n, priv, true, 1);
	heard_many(&n, 0, 30, 20);
	stranger_number(&far, 50);
	len = stranger_announce(&far, raw, T0, 0, NULL, false);
	raw[1] = 9;
	node_in(&n, 0, raw, len);
	before = paths(&n);
	waiting = held(&n);
	node_run(&n, 13 * NODE_SECOND);
	assert_int_equal(paths(&n), before);
	assert_int_equal(stats(&n, 0).bursts, 1);
	node_run(&n, 31 * NODE_SECOND);
	assert_int_equal(stats(&n, 0).bursts, 0);
	assert_in_range(paths(&n) - before, 5, 7);
	/* The far one is the last. */
	node_run(&n, (waiting - (paths(&n) - before) - 1) * 5 * NODE_SECOND);
	assert_int_equal(held(&n), 1);
	assert_false(rns_path_get(n.r, &far.dest, &path));
	node_run(&n, 6 * NODE_SECOND);
	assert_int_equal(held(&n), 0);
	assert_true(rns_path_get(n.r, &far.dest, &path));
	assert_int_equal(path.hops, 10);
	assert_int_equal(paths(&n), 31);
	/* Nothing is left that would wake anybody but what is due anyway. */
	assert_false(iface_find(n.r, 0)->ingress_job.armed);
	node_close(&n);
}

static void
hold_has_limits(void **state)
{
	uint8_t raw[RNS_MTU];
	struct stranger s;
	struct iface *i;
	struct node n;
	uint32_t had;
	size_t len;

	(void)state;
	node_open_on(&n, priv, true, 1);
	i = iface_find(n.r, 0);
	i->cfg.ingress.max_held = 20;
	heard_many(&n, 0, 60, 30);
	assert_int_equal(held(&n), 20);
	assert_int_equal(rns_drops(n.r, RNS_DROP_HOLD_FULL),
	    60 - paths(&n) - 20);
	/* A newer one of a held destination takes the older one's place. */
	had = (uint32_t)rns_drops(n.r, RNS_DROP_HELD);
	stranger_heard(&n, 0, 15, T0 + 1);
	assert_int_equal(rns_drops(n.r, RNS_DROP_HELD), had + 1);
	assert_int_equal(held(&n), 20);
	stranger_heard(&n, 0, 15, T0);
	assert_int_equal(rns_drops(n.r, RNS_DROP_ANNOUNCE_OLD), 1);
	/* What is to go no further is not held. */
	stranger_number(&s, 500);
	len = stranger_announce(&s, raw, T0, 126, NULL, false);
	node_in(&n, 0, raw, len);
	assert_int_equal(rns_drops(n.r, RNS_DROP_HOPS), 1);
	/* With the interface all of them go, and are counted. */
	assert_int_equal(node_submit(&n, &(struct rns_cmd){
	    .type = RNS_CMD_IF_DEL, .ifid = 0}), RNS_OK);
	assert_int_equal(held(&n), 0);
	assert_in_range(rns_drops(n.r, RNS_DROP_IF_GONE), 20, UINT32_MAX);
	node_close(&n);
}

/* One interface cannot take what all of them may hold. */
static void
hold_is_shared(void **state)
{
	struct node n;

	(void)state;
	node_open_on(&n, priv, true, 2);
	for (unsigned k = 0; k < 2; k++)
		iface_find(n.r, k)->cfg.ingress.max_held = HELD_TOTAL + 9;
	heard_many(&n, 0, HELD_TOTAL + 20, 1000);
	assert_int_equal(held(&n), HELD_TOTAL);
	for (unsigned k = 0; k < 50; k++)
		stranger_heard(&n, 1, 10000 + k, T0);
	assert_int_equal(held(&n), HELD_TOTAL);
	assert_in_range(stats(&n, 1).held_announces, 40, 50);
	node_close(&n);
}

static void
what_is_wanted_is_not_held(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_PATH_REQUEST};
	struct stranger s;
	struct node n;
	uint32_t before;

	(void)state;
	node_open_on(&n, priv, true, 2);
	node_if(&n, 2, RNS_IF_NET, RNS_MODE_GATEWAY, 500, false);
	heard_many(&n, 0, 40, 20);
	before = paths(&n);
	stranger_number(&s, 200);
	c.hash = s.dest;
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	stranger_heard(&n, 0, 200, T0);
	assert_int_equal(paths(&n), before + 1);
	asked(&n, 2, 201, 1); /* another waits for it */
	stranger_heard(&n, 0, 201, T0);
	assert_int_equal(paths(&n), before + 2);
	stranger_heard(&n, 0, 202, T0);
	assert_int_equal(paths(&n), before + 2);
	/* 45 s later we do not wait any more. */
	stranger_number(&s, 203);
	c.hash = s.dest;
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	n.now += 46 * NODE_SECOND;
	heard_many(&n, 300, 40, 20);
	before = paths(&n);
	stranger_heard(&n, 0, 203, T0);
	assert_int_equal(paths(&n), before);
	node_close(&n);
}

static void
control_can_be_off(void **state)
{
	struct node n;

	(void)state;
	node_open_on(&n, priv, true, 1);
	iface_find(n.r, 0)->cfg.ingress.control = false;
	heard_many(&n, 0, 60, 50);
	assert_int_equal(paths(&n), 60);
	node_close(&n);
	/* Programs are never limited. */
	node_open(&n, true, false, priv);
	node_if(&n, 0, RNS_IF_LOCAL_CLIENT, RNS_MODE_FULL, 500, false);
	heard_many(&n, 0, 60, 50);
	assert_int_equal(paths(&n), 60);
	node_close(&n);
}

/* After two hours an interface may bring ten a second. */
/* A slow medium brings no burst of announces; path requests it may. */
static void
slow_media_are_not_limited(void **state)
{
	struct rns_if_stats s;
	struct node n;

	(void)state;
	node_open_on(&n, priv, true, 2);
	iface_find(n.r, 0)->cfg.announces_unlimited = true;
	heard_many(&n, 0, 30, 20);
	s = stats(&n, 0);
	assert_int_equal(s.bursts, 0);
	assert_int_equal(held(&n), 0);
	assert_int_equal(paths(&n), 30);
	for (unsigned i = 0; i < 30; i++)
		asked(&n, 0, 100 + i, (uint8_t)i);
	assert_int_equal(stats(&n, 0).pr_bursts, 1);
	node_close(&n);
}

static void
old_interfaces_may_more(void **state)
{
	struct node n;

	(void)state;
	node_open_on(&n, priv, true, 1);
	node_run(&n, INT64_C(7201) * NODE_SECOND);
	heard_many(&n, 0, 60, 5);
	assert_int_equal(paths(&n), 60);
	heard_many(&n, 100, 60, 12);
	assert_true(held(&n) > 0);
	node_close(&n);
}

/* ---- bursts of path requests ---- */

static size_t
requests_out(const struct node *n, unsigned ifid)
{
	struct hash16 to;
	size_t count = 0;

	assert_int_equal(rns_dest_hash(&to, PATH_REQUEST_NAME, NULL), 0);
	for (size_t i = 0; i < n->out_count; i++)
		count += n->out[i].ifid == ifid && n->out[i].len > 18 &&
		    memcmp(n->out[i].data + 2, HASH_BYTES(to)) == 0;
	return count;
}

static void
bursts_of_requests(void **state)
{
	struct node n;
	size_t out;

	(void)state;
	node_open_on(&n, priv, true, 1);
	node_if(&n, 1, RNS_IF_NET, RNS_MODE_GATEWAY, 500, false);
	node_if(&n, 2, RNS_IF_NET, RNS_MODE_GATEWAY, 500, false);
	for (unsigned i = 0; i < 40; i++) {
		asked(&n, 1, i, 1);
		node_run(&n, NODE_SECOND / 20);
	}
	out = requests_out(&n, 0);
	assert_in_range(out, 2, 12);
	assert_int_equal(rns_drops(n.r, RNS_DROP_PATH_BURST), 40 - out);
	assert_int_equal(stats(&n, 1).pr_bursts, 1);
	/* A known destination is answered all the same; others may ask. */
	stranger_heard(&n, 0, 900, T0);
	node_run(&n, 10 * NODE_SECOND);
	node_clear(&n);
	asked(&n, 1, 900, 2);
	node_run(&n, 2 * NODE_SECOND);
	assert_int_equal(n.out_count, 1);
	assert_int_equal(n.out[0].ifid, 1);
	asked(&n, 2, 901, 2);
	assert_int_equal(requests_out(&n, 0), 1);
	/* A second one for the same destination is dropped in a burst. */
	asked(&n, 1, 901, 3);
	assert_int_equal(rns_drops(n.r, RNS_DROP_PATH_BURST), 41 - out);
	/* 15 s of quiet and three more looks end it. */
	node_run(&n, 15 * NODE_SECOND);
	assert_int_equal(stats(&n, 1).pr_bursts, 1);
	node_run(&n, 30 * NODE_SECOND);
	assert_int_equal(stats(&n, 1).pr_bursts, 0);
	node_clear(&n);
	asked(&n, 1, 902, 4);
	assert_int_equal(requests_out(&n, 0), 1);
	node_close(&n);
}

static void
egress_is_limited(void **state)
{
	struct node n;
	size_t slow, free_one;

	(void)state;
	node_open_on(&n, priv, true, 2);
	node_if(&n, 2, RNS_IF_NET, RNS_MODE_GATEWAY, 500, false);
	iface_find(n.r, 2)->cfg.ingress.control = false;
	iface_find(n.r, 0)->cfg.ingress.egress = true;
	for (unsigned i = 0; i < 40; i++) {
		asked(&n, 2, i, 1);
		node_run(&n, NODE_SECOND / 20);
	}
	slow = requests_out(&n, 0);
	free_one = requests_out(&n, 1);
	assert_int_equal(free_one, 40);
	assert_in_range(slow, 8, 12); /* 5 a second for 2 s */
	assert_int_equal(rns_drops(n.r, RNS_DROP_PATH_EGRESS), 40 - slow);
	node_close(&n);
}

/* ---- announce rates (reticulum-transport.md 4.4) ---- */

static void
rates_are_controlled(void **state)
{
	struct rns_rate e;
	struct rns_path p;
	struct stranger s;
	struct iface *i;
	struct node n;

	(void)state;
	node_open_on(&n, priv, true, 2);
	i = iface_find(n.r, 0);
	i->cfg.ar_target_s = 30;
	i->cfg.ar_grace = 2;
	i->cfg.ar_penalty_s = 100;
	stranger_number(&s, 1);
	for (unsigned k = 0; k < 3; k++)
		assert_int_equal(rate_step(&n, T0 + k, 10), 2);
	e = rate_of(&n);
	assert_memory_equal(e.dest.b, s.dest.b, RNS_HASH);
	assert_int_equal(e.violations, 2);
	assert_int_equal(e.blocked_until_us, 0);
	assert_int_equal(e.count, 3);
	assert_int_equal(e.times_us[0], NODE_WALL_US);
	assert_int_equal(e.times_us[2], NODE_WALL_US + 20 * NODE_SECOND);
	assert_int_equal(e.last_us, e.times_us[2]);
	/* The third violation is one too many; the path is learned. */
	assert_int_equal(rate_step(&n, T0 + 3, 10), 0);
	assert_int_equal(rns_drops(n.r, RNS_DROP_RATE), 1);
	e = rate_of(&n);
	assert_int_equal(e.blocked_until_us, e.last_us + 130 * NODE_SECOND);
	assert_int_equal(e.count, 4);
	assert_true(rns_path_get(n.r, &s.dest, &p));
	assert_int_equal(p.learned_us, NODE_WALL_US + 30 * NODE_SECOND);
	/* Blocked until 20 + 130 s, and then one on time passes again. */
	assert_int_equal(rate_step(&n, T0 + 4, 100), 0);
	assert_int_equal(rate_step(&n, T0 + 5, 20), 0);
	assert_int_equal(rate_step(&n, T0 + 6, 40), 2);
	assert_int_equal(rate_of(&n).violations, 2);
	assert_int_equal(rate_step(&n, T0 + 7, 40), 2);
	assert_int_equal(rate_of(&n).violations, 1);
	for (unsigned k = 8; k < 40; k++)
		(void)rate_step(&n, T0 + k, 1);
	e = rate_of(&n);
	assert_int_equal(e.count, RNS_RATE_TIMES);
	assert_int_equal(e.times_us[15], NODE_WALL_US + n.now - NODE_SECOND);
	assert_false(rns_rate_next(n.r, &e.dest, false, &e));
	node_close(&n);
}

/* Emission time of an announce that came out, as a relay sends it. */
static uint64_t
emitted_of(const struct node_out *o)
{
	struct rd r = rd_make(o->data, o->len);
	uint64_t t = 0;

	assert_true(rd_skip(&r, HEADER_2_LEN + RNS_KEY + RNS_NAME_HASH + 5) &&
	    rd_u40(&r, &t));
	return t;
}

/*
 * What waits to be passed on again, or for its share of a slow interface, is
 * not taken as a chance by one that is blocked.
 */
static void
blocked_ones_do_not_slip_out(void **state)
{
	struct iface *i;
	struct node n;

	(void)state;
	node_open_on(&n, priv, true, 3);
	i = iface_find(n.r, 0);
	i->cfg.ar_target_s = 30;
	i->cfg.ar_grace = 2;
	i = iface_find(n.r, 2);
	i->cfg.bitrate = 10000;
	i->cfg.announce_cap_permille = 20;
	for (unsigned k = 0; k < 8; k++) {
		stranger_heard(&n, 0, 1, T0 + k);
		node_run(&n, 2 * NODE_SECOND);
	}
	node_run(&n, 60 * NODE_SECOND);
	assert_int_equal(rns_drops(n.r, RNS_DROP_RATE), 5);
	assert_in_range(n.out_count, 6, 12);
	for (size_t k = 0; k < n.out_count; k++)
		assert_in_range(emitted_of(&n.out[k]), T0, T0 + 2);
	node_close(&n);
}

/* No target, no table; path responses do not count. */
static void
rates_need_a_target(void **state)
{
	struct hash16 none = {{0}};
	uint8_t raw[RNS_MTU];
	struct rns_rate e;
	struct stranger s;
	struct node n;
	size_t len;

	(void)state;
	node_open_on(&n, priv, true, 2);
	stranger_heard(&n, 0, 1, T0);
	assert_false(rns_rate_next(n.r, &none, true, &e));
	iface_find(n.r, 0)->cfg.ar_target_s = 30;
	stranger_number(&s, 1);
	len = stranger_announce(&s, raw, T0 + 1, 0, NULL, true);
	node_in(&n, 0, raw, len);
	assert_false(rns_rate_next(n.r, &none, true, &e));
	node_close(&n);
}

static void
rate_table_is_bounded(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD,
	    .iface = {.id = 0, .mode = RNS_MODE_FULL, .out = true,
	        .online = true, .ar_target_s = 30}};
	struct rns_limits small;
	struct hash16 at = {{0}};
	struct rns_rate e;
	unsigned count = 0;
	struct node n;

	(void)state;
	rns_limits_default(&small);
	small.paths = 8;
	node_open_limits(&n, &small, priv);
	c.iface.ingress = RNS_INGRESS_DEFAULT;
	c.iface.ingress.control = false;
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	heard_many(&n, 0, 20, 10);
	for (bool first = true; rns_rate_next(n.r, &at, first, &e); count++) {
		first = false;
		at = e.dest;
	}
	assert_int_equal(count, 8);
	assert_int_equal(rns_drops(n.r, RNS_DROP_RATE_FULL), 12);
	node_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(announces_are_counted),
	    cmocka_unit_test(path_requests_are_counted),
	    cmocka_unit_test(old_events_go),
	    cmocka_unit_test(violations_are_counted),
	    cmocka_unit_test(sums_of_bursts),
	    cmocka_unit_test(bursts_are_held),
	    cmocka_unit_test(copies_of_held_ones),
	    cmocka_unit_test(held_ones_are_released),
	    cmocka_unit_test(hold_has_limits),
	    cmocka_unit_test(hold_is_shared),
	    cmocka_unit_test(what_is_wanted_is_not_held),
	    cmocka_unit_test(control_can_be_off),
	    cmocka_unit_test(slow_media_are_not_limited),
	    cmocka_unit_test(old_interfaces_may_more),
	    cmocka_unit_test(bursts_of_requests),
	    cmocka_unit_test(egress_is_limited),
	    cmocka_unit_test(rates_are_controlled),
	    cmocka_unit_test(blocked_ones_do_not_slip_out),
	    cmocka_unit_test(rates_need_a_target),
	    cmocka_unit_test(rate_table_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
