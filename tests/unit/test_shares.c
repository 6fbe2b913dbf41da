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
#include "tests/unit/relay_node.h"

/*
 * Tables that are full: one interface at full speed takes nothing from the
 * others. LOUD does all it can, QUIET has little, FAR leads to the rest.
 */
enum { LOUD, QUIET, FAR };

static const uint8_t priv[RNS_KEY] = {9, 8, 7};
#define T0 1800000000u

static void
open_small(struct node *n, const struct rns_limits *limits)
{
	node_open_limits(n, limits, priv);
	for (unsigned i = LOUD; i <= FAR; i++) {
		node_if(n, i, RNS_IF_NET, RNS_MODE_FULL, 500, false);
		iface_find(n->r, i)->cfg.ingress.control = false;
	}
}

static struct rns_limits
limits(void)
{
	struct rns_limits l;

	rns_limits_default(&l);
	return l;
}

static void
heard(struct node *n, unsigned ifid, unsigned who, uint64_t emitted)
{
	uint8_t raw[RNS_MTU];
	struct stranger s;
	size_t len;

	stranger_number(&s, who);
	len = stranger_announce(&s, raw, emitted, 0, NULL, false);
	node_in(n, ifid, raw, len);
	node_clear(n);
}

static void
asked(struct node *n, unsigned ifid, unsigned who, uint8_t tag)
{
	uint8_t raw[RNS_MTU];
	struct stranger s;
	struct id32 any;
	size_t len;

	if (who < 1000)
		stranger_number(&s, who);
	else /* nobody has it */
		rns_sha256(&any, &who, sizeof(who));
	len = path_request_make(raw, who < 1000 ? &s.dest :
	    hash16_at(any.b), NULL, tag);
	node_in(n, ifid, raw, len);
}

static bool
has_path(const struct node *n, unsigned who)
{
	struct rns_path p;
	struct stranger s;

	stranger_number(&s, who);
	return rns_path_get(n->r, &s.dest, &p);
}

static struct rns_counts
counts(const struct node *n)
{
	struct rns_counts c;

	rns_counts(n->r, &c);
	return c;
}

/* ---- links ---- */

/* A link through the relay to stranger 1 on FAR, of that number. */
static void
request_link(struct node *n, unsigned ifid, unsigned number, bool prove)
{
	uint8_t raw[RNS_MTU], proof[RNS_MTU], keys[LINK_KEYS_LEN] = {0};
	struct stranger s;
	size_t len;

	stranger_number(&s, 1);
	memcpy(keys, &number, sizeof(number));
	len = stranger_packet(&s, n, raw, PACKET_LINKREQUEST, keys,
	    sizeof(keys));
	node_in(n, ifid, raw, len);
	if (prove) {
		len = stranger_proves(&s, raw, len, proof, 0);
		node_in(n, FAR, proof, len);
	}
	node_clear(n);
}

/* Whether a packet of that link is passed on. */
static bool
link_lives(struct node *n, unsigned ifid, unsigned number, uint8_t salt)
{
	uint8_t raw[RNS_MTU], keys[LINK_KEYS_LEN] = {0}, data[8];
	struct packet p;
	struct stranger s;
	struct hash16 id;
	bool passed;
	size_t len;

	stranger_number(&s, 1);
	memcpy(keys, &number, sizeof(number));
	len = stranger_packet(&s, n, raw, PACKET_LINKREQUEST, keys,
	    sizeof(keys));
	assert_int_equal(packet_parse(&p, raw, len), RNS_OK);
	packet_link_id(&id, &p);
	memset(data, salt, sizeof(data));
	len = packet_build(raw, sizeof(raw),
	    PACKET_FLAGS(DEST_LINK, PACKET_DATA), &id, CTX_NONE, data,
	    sizeof(data));
	node_clear(n);
	node_in(n, ifid, raw, len);
	passed = n->out_count == 1 && n->out[0].ifid == FAR;
	node_clear(n);
	return passed;
}

static void
proved_links_give_way(void **state)
{
	struct rns_limits l = limits();
	struct node n;

	(void)state;
	l.link_table = 16;
	open_small(&n, &l);
	heard(&n, FAR, 1, T0);
	for (unsigned i = 0; i < 16; i++)
		request_link(&n, LOUD, i, true);
	assert_int_equal(counts(&n).link_table, 16);
	/* Its own requests do not push out what it has, nor anything. */
	request_link(&n, LOUD, 50, true);
	assert_false(link_lives(&n, LOUD, 50, 1));
	assert_int_equal(rns_drops(n.r, RNS_DROP_LINKS_FULL), 1);
	/* Those in use are the last to go. */
	n.now += 60 * NODE_SECOND;
	assert_true(link_lives(&n, LOUD, 0, 2));
	for (unsigned i = 100; i < 108; i++)
		request_link(&n, QUIET, i, true);
	assert_int_equal(counts(&n).link_table, 16);
	for (unsigned i = 100; i < 108; i++)
		assert_true(link_lives(&n, QUIET, i, 3));
	assert_true(link_lives(&n, LOUD, 0, 4));
	assert_false(link_lives(&n, LOUD, 1, 5));
	/* Half each is fair: nobody gives more. */
	request_link(&n, QUIET, 108, true);
	assert_false(link_lives(&n, QUIET, 108, 6));
	request_link(&n, LOUD, 51, true);
	assert_false(link_lives(&n, LOUD, 51, 7));
	for (unsigned i = 100; i < 108; i++)
		assert_true(link_lives(&n, QUIET, i, 8));
	node_close(&n);
}

static void
unproved_links_go_first(void **state)
{
	struct rns_limits l = limits();
	struct node n;

	(void)state;
	l.link_table = 16;
	open_small(&n, &l);
	heard(&n, FAR, 1, T0);
	for (unsigned i = 0; i < 4; i++)
		request_link(&n, LOUD, i, true);
	for (unsigned i = 4; i < 40; i++)
		request_link(&n, LOUD, i, false);
	request_link(&n, QUIET, 100, true);
	assert_true(link_lives(&n, QUIET, 100, 1));
	for (unsigned i = 0; i < 4; i++)
		assert_true(link_lives(&n, LOUD, i, 2));
	/* Nobody proves them, and after 15 min nobody uses the others. */
	node_run(&n, 10 * NODE_SECOND);
	assert_int_equal(counts(&n).link_table, 5);
	assert_int_equal(rns_drops(n.r, RNS_DROP_LINK_UNPROVED), 11);
	node_run(&n, INT64_C(901) * NODE_SECOND);
	assert_int_equal(counts(&n).link_table, 0);
	assert_int_equal(rns_drops(n.r, RNS_DROP_LINK_IDLE), 5);
	node_close(&n);
}

/* ---- ways back of proofs ---- */

static size_t
send_data(struct node *n, unsigned ifid, unsigned salt, uint8_t raw[RNS_MTU])
{
	uint8_t data[16] = {0};
	struct stranger s;
	size_t len;

	stranger_number(&s, 1);
	memcpy(data, &salt, sizeof(salt));
	len = stranger_packet(&s, n, raw, PACKET_DATA, data, sizeof(data));
	node_in(n, ifid, raw, len);
	node_clear(n);
	return len;
}

static void
proofs_find_back(void **state)
{
	uint8_t raw[RNS_MTU], first[RNS_MTU], proof[RNS_SIG] = {1};
	struct rns_limits l = limits();
	struct packet p;
	struct node n;
	size_t len;

	(void)state;
	l.reverse = 128;
	open_small(&n, &l);
	heard(&n, FAR, 1, T0);
	len = send_data(&n, QUIET, 1, first);
	for (unsigned i = 0; i < 1000; i++)
		(void)send_data(&n, LOUD, 1000 + i, raw);
	assert_int_equal(counts(&n).reverse, 128);
	assert_int_equal(rns_drops(n.r, RNS_DROP_REVERSE_FULL), 1001 - 128);
	assert_int_equal(packet_parse(&p, first, len), RNS_OK);
	len = packet_build(raw, sizeof(raw),
	    PACKET_FLAGS(DEST_SINGLE, PACKET_PROOF), hash16_at(p.hash.b),
	    CTX_NONE, proof, sizeof(proof));
	node_in(&n, FAR, raw, len);
	assert_int_equal(n.out_count, 1);
	assert_int_equal(n.out[0].ifid, QUIET);
	/* Eight minutes later all of it is forgotten. */
	node_run(&n, INT64_C(481) * NODE_SECOND);
	assert_int_equal(counts(&n).reverse, 0);
	node_close(&n);
}

/* ---- paths and what is known ---- */

static void
paths_stay(void **state)
{
	struct rns_limits l = limits();
	struct stranger s;
	struct rns_known k;
	struct node n;

	(void)state;
	l.paths = l.known = 64;
	open_small(&n, &l);
	for (unsigned i = 0; i < 10; i++)
		heard(&n, QUIET, i, T0);
	n.now += NODE_SECOND;
	for (unsigned i = 0; i < 500; i++) {
		heard(&n, LOUD, 1000 + i, T0);
		if (i == 200) /* one of its own is in use */
			(void)send_data(&n, FAR, 1, (uint8_t[RNS_MTU]){0});
	}
	assert_int_equal(counts(&n).paths, 64);
	assert_int_equal(counts(&n).known, 64);
	assert_int_equal(rns_drops(n.r, RNS_DROP_PATHS_FULL), 510 - 64);
	for (unsigned i = 0; i < 10; i++) {
		stranger_number(&s, i);
		assert_true(has_path(&n, i));
		assert_true(rns_known_get(n.r, &s.dest, &k));
	}
	assert_true(has_path(&n, 1499));
	assert_false(has_path(&n, 1000));
	/* And they can still become more. */
	for (unsigned i = 10; i < 30; i++)
		heard(&n, QUIET, i, T0);
	for (unsigned i = 0; i < 30; i++)
		assert_true(has_path(&n, i));
	node_close(&n);
}

/* ---- path requests ---- */

static void
requests_stay(void **state)
{
	struct node n;
	struct rns_limits l = limits();

	(void)state;
	open_small(&n, &l);
	for (unsigned i = LOUD; i <= QUIET; i++)
		iface_find(n.r, i)->cfg.recursive_prs = true;
	asked(&n, QUIET, 7, 1);
	for (unsigned i = 0; i < 17000; i++) {
		asked(&n, LOUD, 1000 + i, 1);
		node_clear(&n);
	}
	assert_int_equal(rns_drops(n.r, RNS_DROP_PATHREQS_FULL),
	    17001 - 16384);
	asked(&n, QUIET, 8, 1);
	node_clear(&n);
	/* Both are answered when the announce comes. */
	for (unsigned i = 7; i <= 8; i++) {
		uint8_t raw[RNS_MTU];
		struct stranger s;
		size_t len;

		stranger_number(&s, i);
		len = stranger_announce(&s, raw, T0, 0, NULL, false);
		node_in(&n, FAR, raw, len);
		assert_int_equal(n.out_count, 1);
		assert_int_equal(n.out[0].ifid, QUIET);
		node_clear(&n);
	}
	node_close(&n);
}

/* What waits to be passed on: answers for one, announces of another. */
static void
what_waits_stays(void **state)
{
	struct rns_limits l = limits();
	struct node n;
	unsigned mine = 0;

	(void)state;
	l.paths = 32;
	open_small(&n, &l);
	for (unsigned i = 0; i < 20; i++)
		heard(&n, FAR, i, T0);
	node_run(&n, 20 * NODE_SECOND);
	node_clear(&n);
	for (unsigned i = 0; i < 4; i++)
		heard(&n, QUIET, 100 + i, T0);
	for (unsigned k = 0; k < 2; k++)
		for (unsigned i = 0; i < 20; i++)
			asked(&n, k == 0 ? LOUD : FAR, i, (uint8_t)(k + 1));
	assert_int_equal(counts(&n).announces_waiting, 32);
	assert_int_equal(rns_drops(n.r, RNS_DROP_WAITING_FULL), 12);
	node_run(&n, NODE_SECOND);
	for (unsigned i = 0; i < n.out_count; i++)
		mine += n.out[i].ifid == LOUD &&
		    n.out[i].data[34] != CTX_PATH_RESPONSE;
	assert_int_equal(mine, 4);
	node_close(&n);
}

/* ---- the queue of a slow interface (reticulum-transport.md 5.3) ---- */

static void
queue_is_shared(void **state)
{
	struct rns_limits l = limits();
	struct iface *far;
	struct rns_if_stats s;
	unsigned mine = 0;
	uint64_t drops;
	struct node n;

	(void)state;
	open_small(&n, &l);
	far = iface_find(n.r, FAR);
	far->cfg.bitrate = 62500;
	far->cfg.announce_cap_permille = 20;
	for (unsigned i = 0; i < 4200; i++)
		heard(&n, LOUD, 1000 + i, T0);
	node_run(&n, NODE_SECOND);
	assert_int_equal(rns_if_stats(n.r, FAR, &s), RNS_OK);
	assert_int_equal(s.announce_queue, 4096);
	assert_in_range(rns_drops(n.r, RNS_DROP_QUEUE_FULL), 90, 104);
	/* Those of QUIET find room; LOUD's last ones make it. */
	drops = rns_drops(n.r, RNS_DROP_QUEUE_FULL);
	for (unsigned i = 0; i < 10; i++)
		heard(&n, QUIET, i, T0);
	node_run(&n, NODE_SECOND);
	assert_int_equal(rns_if_stats(n.r, FAR, &s), RNS_OK);
	assert_int_equal(s.announce_queue, 4096);
	assert_in_range(rns_drops(n.r, RNS_DROP_QUEUE_FULL) - drops, 1, 10);
	/* LOUD's paths go: what is left is QUIET's. */
	assert_int_equal(node_submit(&n, &(struct rns_cmd){
	    .type = RNS_CMD_IF_DEL, .ifid = LOUD}), RNS_OK);
	node_clear(&n);
	node_run(&n, INT64_C(600) * NODE_SECOND);
	for (size_t i = 0; i < n.out_count; i++)
		mine += n.out[i].ifid == FAR;
	assert_in_range(mine, 10, 20); /* twice each */
	assert_true(rns_drops(n.r, RNS_DROP_QUEUE_GONE) > 4000);
	/* After three hours what waits is of no use to anybody. */
	for (unsigned i = 0; i < 10; i++)
		heard(&n, QUIET, 20 + i, T0);
	far->cfg.bitrate = 5;
	node_run(&n, INT64_C(8) * 3600 * NODE_SECOND);
	assert_true(rns_drops(n.r, RNS_DROP_QUEUE_OLD) > 0);
	assert_int_equal(far->announce_count, 0);
	node_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(proved_links_give_way),
	    cmocka_unit_test(unproved_links_go_first),
	    cmocka_unit_test(proofs_find_back),
	    cmocka_unit_test(paths_stay),
	    cmocka_unit_test(requests_stay),
	    cmocka_unit_test(what_waits_stays),
	    cmocka_unit_test(queue_is_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
