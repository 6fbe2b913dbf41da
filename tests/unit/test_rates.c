/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/table/iface.h"
#include "tests/unit/relay_node.h"

/* Announce rates where paths come and go; test_ingress.c has the law. */

static const uint8_t priv[RNS_KEY] = {9, 8, 7};
#define T0 HEARD_FROM

/* As many as there is room for; how many. */
static unsigned
rates_walked(const struct node *n, struct rns_rate *e, unsigned room)
{
	struct hash16 at = {{0}};
	unsigned count = 0;

	while (rns_rate_next(n->r, &at, count == 0, &e[count])) {
		at = e[count].dest;
		if (++count == room)
			break;
	}
	return count;
}

static const struct rns_rate *
rate_at(const struct rns_rate *e, unsigned count, unsigned number)
{
	struct stranger s;

	stranger_number(&s, number);
	for (unsigned i = 0; i < count; i++)
		if (hash16_eq(&e[i].dest, &s.dest))
			return &e[i];
	return NULL;
}

static void
path_goes(struct node *n, unsigned number)
{
	struct rns_cmd c = {.type = RNS_CMD_PATH_DROP};
	struct stranger s;

	stranger_number(&s, number);
	c.hash = s.dest;
	assert_int_equal(node_submit(n, &c), RNS_OK);
}

/* Heard once or more, with a path or without: one walk shows all, in order. */
static void
rates_are_walked_in_order(void **state)
{
	struct rns_rate e[32];
	struct iface *i;
	struct node n;

	(void)state;
	node_open_on(&n, priv, true, 2);
	i = iface_find(n.r, 0);
	i->cfg.ar_target_s = 30;
	i->cfg.ar_grace = 1;
	heard_many(&n, 0, 20, 1);
	for (unsigned k = 0; k < 20; k += 4)
		stranger_heard(&n, 0, k, T0 + 1);
	for (unsigned k = 1; k < 20; k += 4)
		path_goes(&n, k);
	assert_int_equal(rates_walked(&n, e, 32), 20);
	for (unsigned k = 1; k < 20; k++)
		assert_true(hash16_cmp(&e[k - 1].dest, &e[k].dest) < 0);
	for (unsigned k = 0; k < 20; k++) {
		const struct rns_rate *x = rate_at(e, 20, k);

		assert_non_null(x);
		assert_int_equal(x->count, k % 4 == 0 ? 2 : 1);
		assert_int_equal(x->times_us[0],
		    NODE_WALL_US + k * NODE_SECOND);
		assert_int_equal(x->violations, k % 4 == 0);
		assert_int_equal(x->blocked_until_us, 0);
	}
	node_close(&n);
}

/* A path that goes and comes again does not begin anew. */
static void
rates_outlive_paths(void **state)
{
	struct rns_rate e;
	struct iface *i;
	struct node n;

	(void)state;
	node_open_on(&n, priv, true, 2);
	i = iface_find(n.r, 0);
	i->cfg.ar_target_s = 30;
	i->cfg.ar_grace = 0;
	i->cfg.ar_penalty_s = 100;
	assert_int_equal(rate_step(&n, T0, 10), 2);
	path_goes(&n, 1);
	e = rate_of(&n);
	assert_int_equal(e.count, 1);
	assert_int_equal(e.last_us, NODE_WALL_US);
	assert_int_equal(rate_step(&n, T0 + 1, 10), 0);
	assert_int_equal(rns_drops(n.r, RNS_DROP_RATE), 1);
	e = rate_of(&n);
	assert_int_equal(e.count, 2);
	assert_int_equal(e.violations, 1);
	assert_int_equal(e.last_us, NODE_WALL_US);
	assert_int_equal(e.times_us[1], NODE_WALL_US + 10 * NODE_SECOND);
	assert_int_equal(e.blocked_until_us, NODE_WALL_US + 130 * NODE_SECOND);
	path_goes(&n, 1);
	assert_int_equal(rate_of(&n).blocked_until_us, e.blocked_until_us);
	/* Blocked, and neither path nor announce says otherwise. */
	assert_int_equal(rate_step(&n, T0 + 2, 20), 0);
	assert_int_equal(rate_of(&n).count, 3);
	node_close(&n);
}

/* Whoever was heard last stays, with a path or without. */
static void
rates_go_in_the_order_heard(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD,
	    .iface = {.id = 0, .mode = RNS_MODE_FULL, .out = true,
	        .online = true, .ar_target_s = 30, .ar_grace = 5}};
	struct rns_limits small;
	struct rns_rate e[16];
	struct node n;

	(void)state;
	rns_limits_default(&small);
	small.paths = 8;
	node_open_limits(&n, &small, priv);
	c.iface.ingress = RNS_INGRESS_DEFAULT;
	c.iface.ingress.control = false;
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	heard_many(&n, 0, 8, 10);
	path_goes(&n, 3);
	stranger_heard(&n, 0, 0, T0 + 1); /* a row, the newest */
	path_goes(&n, 2);
	heard_many(&n, 100, 1, 10); /* 1 goes: from its path */
	assert_int_equal(rates_walked(&n, e, 16), 8);
	assert_null(rate_at(e, 8, 1));
	heard_many(&n, 101, 1, 10); /* 2 goes: its path went after that of 3 */
	assert_int_equal(rates_walked(&n, e, 16), 8);
	assert_null(rate_at(e, 8, 2));
	assert_non_null(rate_at(e, 8, 3));
	heard_many(&n, 102, 5, 10);
	assert_int_equal(rates_walked(&n, e, 16), 8);
	assert_non_null(rate_at(e, 8, 0));
	assert_null(rate_at(e, 8, 7));
	heard_many(&n, 107, 1, 10);
	assert_int_equal(rates_walked(&n, e, 16), 8);
	assert_null(rate_at(e, 8, 0));
	assert_int_equal(rns_drops(n.r, RNS_DROP_RATE_FULL), 8);
	node_close(&n);
}

/* Unix time does not say how long it is since; and when it was moves along. */
static void
rates_do_not_step_with_the_clock(void **state)
{
	const int64_t hour = INT64_C(3600) * NODE_SECOND;
	struct rns_path p;
	struct rns_rate e;
	struct stranger s;
	struct iface *i;
	struct node n;

	(void)state;
	node_open_on(&n, priv, true, 2);
	i = iface_find(n.r, 0);
	i->cfg.ar_target_s = 30;
	assert_int_equal(rate_step(&n, T0, 10), 2);
	rns_set_wall(n.r, NODE_WALL_US + n.now + hour,
	    (struct mono){n.now});
	assert_int_equal(rate_of(&n).last_us, NODE_WALL_US + hour);
	stranger_number(&s, 1);
	assert_true(rns_path_get(n.r, &s.dest, &p));
	assert_int_equal(p.learned_us, NODE_WALL_US);
	assert_int_equal(rate_step(&n, T0 + 1, 10), 0);
	assert_int_equal(rns_drops(n.r, RNS_DROP_RATE), 1);
	e = rate_of(&n);
	assert_int_equal(e.times_us[0], NODE_WALL_US + hour);
	assert_int_equal(e.times_us[1],
	    NODE_WALL_US + hour + 10 * NODE_SECOND);
	node_close(&n);
}

/* A path learned anew where none are counted was heard when it was. */
static void
rates_stay_when_paths_change(void **state)
{
	struct rns_rate e;
	struct rns_path p;
	struct stranger s;
	struct node n;

	(void)state;
	node_open_on(&n, priv, true, 2);
	iface_find(n.r, 0)->cfg.ar_target_s = 30;
	stranger_heard(&n, 0, 1, T0);
	node_run(&n, 10 * NODE_SECOND);
	stranger_heard(&n, 1, 1, T0 + 1);
	stranger_number(&s, 1);
	assert_true(rns_path_get(n.r, &s.dest, &p));
	assert_int_equal(p.learned_us, NODE_WALL_US + 10 * NODE_SECOND);
	e = rate_of(&n);
	assert_int_equal(e.count, 1);
	assert_int_equal(e.last_us, NODE_WALL_US);
	node_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rates_are_walked_in_order),
	    cmocka_unit_test(rates_outlive_paths),
	    cmocka_unit_test(rates_go_in_the_order_heard),
	    cmocka_unit_test(rates_do_not_step_with_the_clock),
	    cmocka_unit_test(rates_stay_when_paths_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
