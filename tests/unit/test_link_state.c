/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/link/link.h"
#include "tests/unit/relay_node.h"

/* The states of a link (reticulum-endpoint.md 6.1): every pair of them against the edges. */

static const uint8_t priv[RNS_KEY] = {1, 2, 3};

static const struct {
	enum link_status from, to;
} edges[] = {
    {LINK_PENDING, LINK_HANDSHAKE}, /* we were asked */
    {LINK_PENDING, LINK_ACTIVE},    /* the proof came */
    {LINK_PENDING, LINK_CLOSED},
    {LINK_HANDSHAKE, LINK_ACTIVE}, /* the RTT came */
    {LINK_HANDSHAKE, LINK_CLOSED},
    {LINK_ACTIVE, LINK_STALE},
    {LINK_ACTIVE, LINK_CLOSED},
    {LINK_STALE, LINK_ACTIVE},
    {LINK_STALE, LINK_CLOSED},
};

static bool
is_edge(enum link_status from, enum link_status to)
{
	for (size_t i = 0; i < NELEM(edges); i++)
		if (edges[i].from == from && edges[i].to == to)
			return true;
	return false;
}

static void
every_pair(void **state)
{
	uint64_t illegal = 0;
	struct node n;

	(void)state;
	node_open(&n, false, false, priv);
	for (unsigned from = 0; from < LINK_STATUS_COUNT; from++) {
		/* one more than there are: what is no state at all */
		for (unsigned to = 0; to <= LINK_STATUS_COUNT; to++) {
			struct link l = {.status = (enum link_status)from};
			bool want = is_edge(l.status, (enum link_status)to);

			if (link_set_state(n.r, &l, (enum link_status)to) !=
			    want)
				fail_msg("%s to %s", link_status_name(
				    (enum link_status)from),
				    link_status_name((enum link_status)to));
			assert_int_equal(l.status, want ? to : from);
			illegal += want ? 0 : 1;
			assert_int_equal(rns_drops(n.r, RNS_DROP_LINK_EDGE),
			    illegal);
		}
	}
	assert_int_equal(illegal, LINK_STATUS_COUNT * (LINK_STATUS_COUNT + 1) -
	    NELEM(edges));
	node_close(&n);
}

static void
names_differ(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= LINK_STATUS_COUNT; i++)
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(
			    link_status_name((enum link_status)i),
			    link_status_name((enum link_status)k));
}

/*
 * A link that nobody answers: who relays keeps the path, others forget it and
 * ask for a better one (reticulum-endpoint.md 6.9).
 */
static void
never_up(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_OPEN};
	uint8_t raw[RNS_MTU];
	struct rns_path path;
	struct stranger s;
	struct node n;
	size_t len, asked;

	(void)state;
	stranger_make(&s, 1);
	len = stranger_announce(&s, raw, 1000, 0, NULL, false);
	c.link_open.dest = s.dest;
	for (int relays = 0; relays < 2; relays++) {
		node_open(&n, relays, false, priv);
		node_if(&n, 0, RNS_IF_NET, RNS_MODE_FULL, 500, false);
		node_in(&n, 0, raw, len);
		node_run(&n, 10 * NODE_SECOND);
		assert_int_equal(node_submit(&n, &c), RNS_OK);
		node_clear(&n);
		node_run(&n, 20 * NODE_SECOND);
		assert_int_equal(n.events[RNS_EV_LINK_CLOSED], 1);
		assert_int_equal(rns_path_get(n.r, &s.dest, &path), relays);
		/* a request is PLAIN data with the destination in front */
		asked = 0;
		for (size_t i = 0; i < n.out_count; i++)
			asked += n.out[i].data[0] == 0x08 &&
			    hash16_eq(hash16_at(n.out[i].data + 19), &s.dest);
		assert_int_equal(asked, !relays);
		node_close(&n);
	}
}

/*
 * Two links that nobody answers, and between their ends a newer path: that one
 * stays, since both were asked for on the way before it.
 */
static void
newer_path_stays(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_OPEN};
	uint8_t raw[RNS_MTU];
	struct rns_path path;
	struct stranger s;
	struct node n;
	size_t len;

	(void)state;
	stranger_make(&s, 1);
	node_open(&n, false, false, priv);
	node_if(&n, 0, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	len = stranger_announce(&s, raw, 1000, 0, NULL, false);
	node_in(&n, 0, raw, len);
	c.link_open.dest = s.dest;
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	node_run(&n, 5 * NODE_SECOND);
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	node_run(&n, 9 * NODE_SECOND);
	assert_int_equal(n.events[RNS_EV_LINK_CLOSED], 1);
	assert_false(rns_path_get(n.r, &s.dest, &path));
	len = stranger_announce(&s, raw, 1001, 0, NULL, false);
	node_in(&n, 0, raw, len);
	node_run(&n, 10 * NODE_SECOND);
	assert_int_equal(n.events[RNS_EV_LINK_CLOSED], 2);
	assert_true(rns_path_get(n.r, &s.dest, &path));
	/* and the next one is asked for on it */
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	node_run(&n, 20 * NODE_SECOND);
	assert_int_equal(n.events[RNS_EV_LINK_CLOSED], 3);
	assert_false(rns_path_get(n.r, &s.dest, &path));
	node_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_pair),
	    cmocka_unit_test(names_differ),
	    cmocka_unit_test(never_up),
	    cmocka_unit_test(newer_path_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
