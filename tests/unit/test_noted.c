/* SPDX-License-Identifier: BSD-2-Clause */
/* The last drops that name somebody, and what the tables say of a hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/const.h"
#include "transport/core/base/ctx.h"
#include "transport/core/base/noted.h"
#include "transport/core/base/packet.h"
#include "tests/unit/relay_node.h"

static const uint8_t priv[RNS_KEY] = {9, 8, 7};
#define T0 1800000000u /* emission times */

static void
open_on(struct node *n, unsigned ifs)
{
	node_open(n, true, false, priv);
	for (unsigned i = 1; i <= ifs; i++)
		node_if(n, i, RNS_IF_NET, i == 3 ? RNS_MODE_GATEWAY :
		    RNS_MODE_FULL, 500, false);
}

static bool
noted(const struct node *n, const struct hash16 *about, enum rns_drop why,
    struct rns_noted *out)
{
	unsigned at = 0;

	while (rns_noted_next(n->r, &at, out))
		if (out->why == why && hash16_eq(&out->about, about))
			return true;
	return false;
}

static unsigned
count(const struct node *n)
{
	struct rns_noted k;
	unsigned at = 0, sum = 0;

	while (rns_noted_next(n->r, &at, &k))
		sum++;
	return sum;
}

/* Unknown destinations in a burst: held, with where and until when. */
static void
test_held(void **state)
{
	struct rns_about a;
	struct rns_noted k;
	struct stranger s;
	struct node n;
	struct rns_counts c;

	(void)state;
	open_on(&n, 2);
	for (unsigned i = 0; i < 12; i++) {
		stranger_heard(&n, 1, i, T0);
		node_run(&n, NODE_SECOND / 50);
	}
	rns_counts(n.r, &c);
	assert_true(c.held > 1);
	stranger_number(&s, 11);
	assert_true(noted(&n, &s.dest, RNS_DROP_HELD, &k));
	assert_int_equal(k.ifid, 1);
	assert_int_equal(k.times, 1);
	assert_true(k.last_us >= NODE_WALL_US);
	assert_int_equal(k.first_us, k.last_us);
	rns_about(n.r, &s.dest, &a);
	assert_true(a.held && !a.known && !a.own);
	assert_int_equal(a.held_ifid, 1);
	assert_true(a.held_until_us > k.last_us);
	/* one that came before has its turn before */
	stranger_number(&s, 10);
	{
		struct rns_about b;

		rns_about(n.r, &s.dest, &b);
		assert_true(b.held && b.held_until_us < a.held_until_us);
	}
	/* the first was learned, and is to be passed on or was */
	stranger_number(&s, 0);
	rns_about(n.r, &s.dest, &a);
	assert_true(a.known && !a.held);
	assert_false(noted(&n, &s.dest, RNS_DROP_HELD, &k));
	node_close(&n);
}

/* Again for the same reason: one more of the same, with the last packet. */
static void
test_again(void **state)
{
	struct rns_noted k;
	struct stranger s;
	struct node n;
	uint8_t raw[RNS_MTU];
	struct packet p;
	size_t len;

	(void)state;
	open_on(&n, 2);
	stranger_number(&s, 5);
	len = stranger_announce(&s, raw, T0, 0, NULL, false);
	raw[len - 1] ^= 1; /* of the signature or what it signs */
	node_in(&n, 1, raw, len);
	raw[len - 1] ^= 3;
	node_run(&n, NODE_SECOND);
	node_in(&n, 1, raw, len);
	assert_int_equal(packet_parse(&p, raw, len), RNS_OK);
	assert_true(noted(&n, &s.dest, RNS_DROP_ANNOUNCE_SIG, &k));
	assert_int_equal(k.times, 2);
	assert_int_equal(k.last_us - k.first_us, NODE_SECOND);
	assert_memory_equal(k.packet.b, p.hash.b, RNS_HASH);
	/* on another interface it is another */
	raw[len - 1] ^= 4;
	node_in(&n, 2, raw, len);
	assert_int_equal(count(&n), 2);
	node_close(&n);
}

/* What happens all day takes no place of what does not. */
static void
test_ordinary(void **state)
{
	struct hash16 dest = {{0}};
	struct rns_noted k;
	struct node n;

	(void)state;
	open_on(&n, 1);
	for (unsigned i = 0; i < NOTED_A_ROW; i++) {
		dest.b[0] = (uint8_t)i;
		(void)core_drop_of(n.r, RNS_DROP_RATE, &dest, 1);
	}
	dest.b[0] = 99;
	(void)core_drop_of(n.r, RNS_DROP_DUPLICATE, &dest, 1);
	assert_false(noted(&n, &dest, RNS_DROP_DUPLICATE, &k));
	assert_int_equal(rns_drops(n.r, RNS_DROP_DUPLICATE), 1);
	(void)core_drop_of(n.r, RNS_DROP_HELD, &dest, 1);
	assert_true(noted(&n, &dest, RNS_DROP_HELD, &k));
	/* the oldest made room */
	dest.b[0] = 0;
	assert_false(noted(&n, &dest, RNS_DROP_RATE, &k));
	dest.b[0] = 1;
	assert_true(noted(&n, &dest, RNS_DROP_RATE, &k));
	/* an ordinary one takes an empty place, and gives it to another */
	dest.b[RNS_HASH - 1] = 1;
	for (unsigned i = 0; i < 2 * NOTED_A_ROW; i++) {
		dest.b[0] = (uint8_t)i;
		(void)core_drop_of(n.r, RNS_DROP_NOT_FOR_US, &dest, 1);
		rns_tick(n.r, (struct mono){n.now += 1000});
	}
	assert_true(noted(&n, &dest, RNS_DROP_NOT_FOR_US, &k));
	(void)core_drop_of(n.r, RNS_DROP_RATE, &dest, 1);
	assert_true(noted(&n, &dest, RNS_DROP_NOT_FOR_US, &k));
	assert_true(noted(&n, &dest, RNS_DROP_RATE, &k));
	node_close(&n);
}

static void
test_bounded(void **state)
{
	struct hash16 dest = {{0}};
	struct node n;

	(void)state;
	open_on(&n, 1);
	for (unsigned i = 0; i < 100000; i++) {
		dest.b[0] = (uint8_t)i;
		dest.b[1] = (uint8_t)(i >> 8);
		dest.b[RNS_HASH - 1] = (uint8_t)i;
		(void)core_drop_of(n.r, RNS_DROP_NO_PATH, &dest, i);
	}
	assert_int_equal(count(&n), NOTED_ROWS * NOTED_A_ROW);
	node_close(&n);
}

/* A path request names the destination that it asks for, not its own. */
static void
test_asked(void **state)
{
	uint8_t raw[RNS_MTU];
	struct rns_about a;
	struct rns_noted k;
	struct stranger s;
	struct node n;
	size_t len;

	(void)state;
	open_on(&n, 3);
	stranger_number(&s, 7);
	len = path_request_make(raw, &s.dest, NULL, 1);
	node_in(&n, 1, raw, len);
	assert_true(noted(&n, &s.dest, RNS_DROP_PATH_NOWHERE, &k));
	assert_int_equal(k.ifid, 1);
	node_run(&n, 60 * NODE_SECOND);
	/* a gateway searches */
	len = path_request_make(raw, &s.dest, NULL, 2);
	node_in(&n, 3, raw, len);
	rns_about(n.r, &s.dest, &a);
	assert_true(a.searched);
	assert_int_equal(a.askers, 1);
	assert_true(a.search_until_us > NODE_WALL_US);
	node_run(&n, 60 * NODE_SECOND);
	assert_true(noted(&n, &s.dest, RNS_DROP_PATH_UNANSWERED, &k));
	assert_int_equal(k.ifid, 3);
	rns_about(n.r, &s.dest, &a);
	assert_false(a.searched);
	node_close(&n);
}

/* A link that is relayed, by its own hash; nobody proves it. */
static void
test_link(void **state)
{
	static const uint8_t keys[64] = {1};
	uint8_t raw[RNS_MTU];
	struct rns_about a;
	struct rns_noted k;
	struct stranger s;
	struct hash16 id;
	struct packet p;
	struct node n;
	size_t len;

	(void)state;
	open_on(&n, 2);
	stranger_number(&s, 1);
	stranger_heard(&n, 2, 1, T0);
	len = stranger_packet(&s, &n, raw, PACKET_LINKREQUEST, keys,
	    sizeof(keys));
	node_in(&n, 1, raw, len);
	assert_int_equal(packet_parse(&p, raw, len), RNS_OK);
	packet_link_id(&id, &p);
	rns_about(n.r, &id, &a);
	assert_true(a.relayed_link && !a.link_proved);
	assert_int_equal(a.link_from_ifid, 1);
	assert_int_equal(a.link_to_ifid, 2);
	assert_true(hash16_eq(&a.link_dest, &s.dest));
	node_run(&n, 120 * NODE_SECOND);
	rns_about(n.r, &id, &a);
	assert_false(a.relayed_link);
	assert_true(noted(&n, &id, RNS_DROP_LINK_UNPROVED, &k));
	assert_int_equal(k.ifid, 1);
	node_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_ordinary),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
