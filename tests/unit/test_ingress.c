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
#include "transport/core/table/path.h"
#include "tests/unit/relay_node.h"

/* How much an interface may bring in, and what is shown of it. */

static const uint8_t priv[RNS_KEY] = {9, 8, 7};
#define T0 1800000000u /* emission times */

static void
open_on(struct node *n, bool transport, unsigned ifs)
{
	node_open(n, transport, false, priv);
	for (unsigned i = 0; i < ifs; i++)
		node_if(n, i, RNS_IF_NET, RNS_MODE_FULL, 500, false);
}

/* The announce of the stranger number i. */
static void
heard(struct node *n, unsigned ifid, unsigned i, uint64_t emitted)
{
	uint8_t raw[RNS_MTU];
	struct stranger s;
	size_t len;

	stranger_number(&s, i);
	len = stranger_announce(&s, raw, emitted, 0, NULL, false);
	node_in(n, ifid, raw, len);
}

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
	open_on(&n, true, 2);
	for (unsigned i = 0; i < 3; i++) {
		if (i == 2) /* two are not enough to speak of */
			assert_true(stats(&n, 0).announces_rx.hz == 0);
		heard(&n, 0, i, T0);
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
	heard(&n, 0, 0, T0);
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
	open_on(&n, true, 1);
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
	open_on(&n, true, 1);
	for (unsigned k = 0; k < 8; k++)
		heard(&n, 0, k, T0);
	i = iface_find(n.r, 0);
	assert_int_equal(i->traffic[TRAFFIC_ANNOUNCE_IN].count, 8);
	/* Looks at 15, 20, 25, 30 s find one that is over 10 s old each. */
	node_run(&n, 31 * NODE_SECOND);
	heard(&n, 0, 20, T0);
	assert_int_equal(i->traffic[TRAFFIC_ANNOUNCE_IN].count, 5);
	/* An hour is enough for all. */
	node_run(&n, INT64_C(3600) * NODE_SECOND);
	heard(&n, 0, 21, T0);
	assert_int_equal(i->traffic[TRAFFIC_ANNOUNCE_IN].count, 1);
	/* No more than 48 are remembered. */
	for (unsigned k = 0; k < 60; k++)
		heard(&n, 0, k, T0 + 1);
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
	open_on(&n, true, 2);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(announces_are_counted),
	    cmocka_unit_test(path_requests_are_counted),
	    cmocka_unit_test(old_events_go),
	    cmocka_unit_test(violations_are_counted),
	    cmocka_unit_test(sums_of_bursts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
