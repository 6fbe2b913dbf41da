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

/*
 * What the mode of an interface means: each row of the tables of
 * reticulum-transport.md 5.3, 6.2 and 8.2, and reticulum-transport.md 5.4.
 */

static const uint8_t priv[RNS_KEY] = {9, 8, 7};
static const struct hash16 relay_x = {{0xaa}};
#define T0 1800000000u /* emission times */
#define MODES 7

static void
heard(struct node *n, unsigned ifid, unsigned who, uint8_t wire_hops)
{
	uint8_t raw[RNS_MTU];
	struct stranger s;
	size_t len;

	stranger_number(&s, who);
	len = stranger_announce(&s, raw, T0, wire_hops,
	    wire_hops != 0 ? relay_x.b : NULL, false);
	node_in(n, ifid, raw, len);
}

static void
asked(struct node *n, unsigned ifid, unsigned who, const uint8_t *requestor)
{
	uint8_t raw[RNS_MTU];
	struct stranger s;
	size_t len;

	stranger_number(&s, who);
	len = path_request_make(raw, &s.dest, requestor, (uint8_t)(who + 1));
	node_in(n, ifid, raw, len);
}

static size_t
out_on(const struct node *n, unsigned ifid)
{
	size_t sent = 0;

	for (size_t i = 0; i < n->out_count; i++)
		sent += n->out[i].ifid == ifid;
	return sent;
}

/* ---- announces that are passed on (reticulum-transport.md 5.3) ---- */

enum { PLAIN, NOT_FROM_INTERNAL, TO_INTERNAL, VARIANTS };

/*
 * S: whatever the cap says; Q: within it; a dot: not at all. Rows: this;
 * columns: from; both by the values 1 to 7.
 */
static const char *const table[VARIANTS][MODES] = {
    [PLAIN] = {"QQQQQQQ", "QQQQQQQ", ".......", "SSS..SS", "SSS.SSS",
        "QQQQQQQ", "SSSS.SS"},
    [NOT_FROM_INTERNAL] = {"QQQQQQ.", "QQQQQQ.", ".......", "SSS..S.",
        "SSS.SS.", "QQQQQQ.", "SSSS.S."},
    [TO_INTERNAL] = {"QQQQQQQ", "QQQQQQQ", ".......", "SSS..SS", "SSS.SSS",
        "QQQQQQQ", "SSSSSSS"},
};

static void
relayed_cell(unsigned variant, unsigned this, unsigned from)
{
	char want = table[variant][this - 1][from - 1];
	size_t sent;
	struct iface *i;
	struct node n;

	node_open(&n, true, false, priv);
	node_if(&n, 0, RNS_IF_NET, (enum rns_if_mode)from, 500, false);
	node_if(&n, 1, RNS_IF_NET, (enum rns_if_mode)this, 500, false);
	iface_find(n.r, 0)->cfg.to_internal = variant == TO_INTERNAL;
	i = iface_find(n.r, 1);
	i->cfg.from_internal_blocked = variant == NOT_FROM_INTERNAL;
	i->cfg.bitrate = 1000; /* the second one would wait for a minute */
	i->cfg.announce_cap_permille = 20;
	heard(&n, 0, 1, 2);
	heard(&n, 0, 2, 2);
	node_run(&n, 2 * NODE_SECOND);
	sent = out_on(&n, 1);
	if (sent != (want == 'S' ? 2 : want == 'Q' ? 1 : 0))
		fail_msg("variant %u: this %u, from %u: %zu", variant, this,
		    from, sent);
	assert_int_equal(i->announce_count, want == 'Q');
	if (want == '.')
		assert_true(rns_drops(n.r, RNS_DROP_ANNOUNCE_MODE) >= 2);
	node_close(&n);
}

static void
relayed_announces(void **state)
{
	(void)state;
	for (unsigned v = 0; v < VARIANTS; v++)
		for (unsigned this = 1; this <= MODES; this++)
			for (unsigned from = 1; from <= MODES; from++)
				relayed_cell(v, this, from);
}

static struct hash16
own_dest(struct node *n)
{
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD,
	    .dest = {.type = RNS_SINGLE, .name = "test.modes",
	        .has_identity = true, .accept_links = true,
	        .prove = RNS_PROVE_ALL}};
	struct hash16 id, dest;
	uint8_t pub[RNS_KEY];

	memset(c.dest.identity, 0x33, RNS_KEY);
	assert_int_equal(node_submit(n, &c), RNS_OK);
	assert_int_equal(rns_identity_derive(pub, &id, c.dest.identity), 0);
	assert_int_equal(rns_dest_hash(&dest, "test.modes", &id), 0);
	return dest;
}

/* Rows 3 to 7: our own goes everywhere but to access points, uncapped. */
static void
own_announces(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_ANNOUNCE};
	struct iface *i;
	struct node n;

	(void)state;
	for (unsigned mode = 1; mode <= MODES; mode++) {
		node_open(&n, true, false, priv);
		node_if(&n, 1, RNS_IF_NET, (enum rns_if_mode)mode, 500, false);
		i = iface_find(n.r, 1);
		i->cfg.from_internal_blocked = true;
		i->cfg.bitrate = 1000;
		i->cfg.announce_cap_permille = 20;
		c.announce.dest = own_dest(&n);
		for (unsigned k = 0; k < 2; k++) {
			(void)node_submit(&n, &c);
			node_run(&n, 2 * NODE_SECOND);
		}
		if (out_on(&n, 1) != (mode == RNS_MODE_AP ? 0 : 2))
			fail_msg("mode %u", mode);
		/* On one interface only: no rule asks (answers). */
		c.announce.one_interface = true;
		c.announce.ifid = 1;
		node_clear(&n);
		assert_int_equal(node_submit(&n, &c), RNS_OK);
		assert_int_equal(out_on(&n, 1), 1);
		c.announce.one_interface = false;
		node_close(&n);
	}
}

/* Row 7: what a program announces is not capped either. */
static void
announces_of_programs(void **state)
{
	struct iface *i;
	struct node n;

	(void)state;
	for (unsigned mode = 1; mode <= MODES; mode++) {
		node_open(&n, true, false, priv);
		node_if(&n, 0, RNS_IF_LOCAL_CLIENT, RNS_MODE_FULL, 500, false);
		node_if(&n, 1, RNS_IF_NET, (enum rns_if_mode)mode, 500, false);
		i = iface_find(n.r, 1);
		i->cfg.bitrate = 1000;
		i->cfg.announce_cap_permille = 20;
		for (unsigned k = 0; k < 3; k++)
			heard(&n, 0, k, 0);
		node_run(&n, NODE_SECOND);
		if (out_on(&n, 1) != (mode == RNS_MODE_AP ? 0 : 3))
			fail_msg("mode %u", mode);
		node_close(&n);
	}
}

/* ---- paths (reticulum-transport.md 1.2, 2.1) ---- */

static void
lives_of_paths(void **state)
{
	static const int64_t lives[MODES] = {604800, 604800, 86400, 21600,
	    604800, 604800, 604800};
	struct rns_path p;
	struct stranger s;
	struct node n;

	(void)state;
	stranger_number(&s, 1);
	for (unsigned mode = 1; mode <= MODES; mode++) {
		node_open(&n, true, false, priv);
		node_if(&n, 0, RNS_IF_NET, (enum rns_if_mode)mode, 500, false);
		heard(&n, 0, 1, 2);
		node_run(&n, (lives[mode - 1] - 1) * NODE_SECOND);
		assert_true(rns_path_get(n.r, &s.dest, &p));
		assert_int_equal(p.expires_us - p.learned_us,
		    lives[mode - 1] * NODE_SECOND);
		node_run(&n, 2 * NODE_SECOND);
		if (rns_path_get(n.r, &s.dest, &p))
			fail_msg("mode %u", mode);
		node_close(&n);
	}
}

/* ---- path requests (reticulum-transport.md 6.2) ---- */

/*
 * Step 5: which interfaces a request from one of that mode is passed on to, by
 * their modes 1 to 7.
 */
static void
searches(void **state)
{
	static const char *const to[MODES] = {".......", ".......", "YYYYYYY",
	    "YYYYYYY", "....YY.", "YYYYYYY", "YYYYYYY"};
	struct node n;

	(void)state;
	for (unsigned from = 1; from <= MODES; from++) {
		for (unsigned recursive = 0; recursive <= 1; recursive++) {
			node_open(&n, true, false, priv);
			node_if(&n, 0, RNS_IF_NET, (enum rns_if_mode)from, 500,
			    false);
			iface_find(n.r, 0)->cfg.recursive_prs = recursive != 0;
			for (unsigned k = 1; k <= MODES; k++)
				node_if(&n, k, RNS_IF_NET, (enum rns_if_mode)k,
				    500, false);
			asked(&n, 0, 1, NULL);
			assert_int_equal(out_on(&n, 0), 0);
			for (unsigned k = 1; k <= MODES; k++)
				if (out_on(&n, k) != (recursive != 0 ||
				    to[from - 1][k - 1] == 'Y'))
					fail_msg("from %u, to %u", from, k);
			if (n.out_count == 0)
				assert_int_equal(rns_drops(n.r,
				    RNS_DROP_PATH_NOWHERE), 1);
			node_close(&n);
		}
	}
}

/* Without transport nobody is searched for. */
static void
leaves_do_not_search(void **state)
{
	struct node n;

	(void)state;
	node_open(&n, false, false, priv);
	node_if(&n, 0, RNS_IF_NET, RNS_MODE_GATEWAY, 500, false);
	node_if(&n, 1, RNS_IF_NET, RNS_MODE_GATEWAY, 500, false);
	asked(&n, 0, 1, NULL);
	assert_int_equal(n.out_count, 0);
	assert_int_equal(rns_drops(n.r, RNS_DROP_PATH_NOWHERE), 1);
	/* Nor answered from the table. */
	heard(&n, 1, 2, 2);
	asked(&n, 0, 2, NULL);
	node_run(&n, 3 * NODE_SECOND);
	assert_int_equal(n.out_count, 0);
	node_close(&n);
}

static int64_t
answered_at(struct node *n, unsigned ifid)
{
	int64_t from = n->now;

	node_run(n, 5 * NODE_SECOND);
	return n->out_count == 1 && n->out[0].ifid == ifid ?
	    n->out[0].at - from : -1;
}

/* Step 3: at once for programs, later for others, latest when roaming. */
static void
answers_by_mode(void **state)
{
	struct rns_path p;
	struct stranger s;
	struct node n;

	(void)state;
	stranger_number(&s, 1);
	for (unsigned mode = 1; mode <= MODES; mode++) {
		node_open(&n, true, false, priv);
		node_if(&n, 0, RNS_IF_NET, RNS_MODE_FULL, 500, false);
		node_if(&n, 1, RNS_IF_NET, (enum rns_if_mode)mode, 500, false);
		heard(&n, 0, 1, 2);
		node_run(&n, 10 * NODE_SECOND);
		node_clear(&n);
		asked(&n, 1, 1, NULL);
		assert_int_equal(answered_at(&n, 1), mode == RNS_MODE_ROAMING ?
		    1900000 : 400000);
		/* Who would send it back to us asks in vain. */
		node_clear(&n);
		assert_true(rns_path_get(n.r, &s.dest, &p));
		n.now += 50 * NODE_SECOND;
		asked(&n, 0, 1, p.next_hop.b);
		assert_int_equal(answered_at(&n, 0), -1);
		assert_int_equal(rns_drops(n.r, RNS_DROP_PATH_BACK), 0);
		node_close(&n);
	}
}

static void
answers_go_not_back(void **state)
{
	struct node n;

	(void)state;
	node_open(&n, true, false, priv);
	node_if(&n, 0, RNS_IF_NET, RNS_MODE_ROAMING, 500, false);
	node_if(&n, 1, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	heard(&n, 0, 1, 2);
	heard(&n, 1, 2, 2);
	node_run(&n, 10 * NODE_SECOND);
	node_clear(&n);
	/* The path leads through the roaming interface that asks. */
	asked(&n, 0, 1, NULL);
	assert_int_equal(answered_at(&n, 0), -1);
	assert_int_equal(rns_drops(n.r, RNS_DROP_PATH_BACK), 1);
	/* A full one is answered where the path leads; not its next hop. */
	asked(&n, 1, 2, relay_x.b);
	assert_int_equal(answered_at(&n, 1), -1);
	assert_int_equal(rns_drops(n.r, RNS_DROP_PATH_BACK), 2);
	n.now += 50 * NODE_SECOND;
	asked(&n, 1, 2, NULL); /* the same tag */
	assert_int_equal(rns_drops(n.r, RNS_DROP_PATH_TAG), 1);
	node_close(&n);
}

/* ---- local hops delta (reticulum-transport.md 5.4) ---- */

static uint8_t
delta_of(struct node *n)
{
	assert_in_range(n->r->hops_delta, 2, 7);
	return n->r->hops_delta;
}

static void
delta_of_our_own(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_ANNOUNCE};
	struct rns_cmd data = {.type = RNS_CMD_PACKET,
	    .packet = {.data = (const uint8_t *)"x", .len = 1}};
	struct rns_cmd ask = {.type = RNS_CMD_PATH_REQUEST};
	struct stranger s;
	struct packet p;
	struct node n;

	(void)state;
	node_open_delta(&n, priv);
	node_if(&n, 0, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	node_if(&n, 1, RNS_IF_LOCAL_CLIENT, RNS_MODE_FULL, 500, false);
	c.announce.dest = own_dest(&n);
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	assert_int_equal(n.out_count, 2);
	for (unsigned k = 0; k < 2; k++) {
		assert_int_equal(packet_parse(&p, n.out[k].data, n.out[k].len),
		    RNS_OK);
		assert_int_equal(p.hops, n.out[k].ifid == 0 ? delta_of(&n) : 0);
		assert_int_equal(p.header_2, n.out[k].ifid == 0);
		if (p.header_2) {
			assert_true(p.transport);
			assert_memory_equal(p.transport_id,
			    rns_identity_hash(n.r), RNS_HASH);
		}
	}
	node_clear(&n);
	/* A packet along a path, one hop and several. */
	heard(&n, 0, 1, 0);
	heard(&n, 0, 2, 3);
	node_clear(&n);
	for (unsigned k = 1; k <= 2; k++) {
		stranger_number(&s, k);
		data.packet.dest = s.dest;
		assert_int_equal(node_submit(&n, &data), RNS_OK);
	}
	assert_int_equal(n.out_count, 2);
	assert_int_equal(n.out[0].data[1], delta_of(&n));
	assert_int_equal(n.out[1].data[1], delta_of(&n));
	assert_true((n.out[0].data[0] & FLAG_HEADER_2) == 0);
	assert_true((n.out[1].data[0] & FLAG_HEADER_2) != 0);
	/* PLAIN packets stay as they are. */
	node_clear(&n);
	ask.hash = s.dest;
	assert_int_equal(node_submit(&n, &ask), RNS_OK);
	assert_int_equal(n.out[0].data[1], 0);
	node_close(&n);
}

static void
delta_of_programs(void **state)
{
	uint8_t raw[RNS_MTU];
	struct stranger s;
	struct packet p;
	struct node n;

	(void)state;
	node_open_delta(&n, priv);
	node_if(&n, 0, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	node_if(&n, 1, RNS_IF_LOCAL_CLIENT, RNS_MODE_FULL, 500, false);
	heard(&n, 1, 1, 0);
	node_run(&n, NODE_SECOND);
	assert_int_equal(n.out_count, 1);
	assert_int_equal(n.out[0].data[1], delta_of(&n));
	node_clear(&n);
	/* Its packet to somebody else, and somebody's packet to it. */
	heard(&n, 0, 2, 3);
	node_clear(&n);
	stranger_number(&s, 2);
	raw[0] = FLAG_HEADER_2 | FLAG_TRANSPORT;
	raw[1] = 0;
	memcpy(raw + 2, rns_identity_hash(n.r), RNS_HASH);
	memcpy(raw + 18, HASH_BYTES(s.dest));
	memset(raw + 34, 0, 30);
	node_in(&n, 1, raw, 64);
	assert_int_equal(n.out_count, 1);
	assert_int_equal(n.out[0].ifid, 0);
	assert_int_equal(n.out[0].data[1], delta_of(&n));
	node_clear(&n);
	stranger_number(&s, 1);
	memcpy(raw + 18, HASH_BYTES(s.dest));
	raw[1] = 5;
	node_in(&n, 0, raw, 64);
	assert_int_equal(n.out_count, 1);
	assert_int_equal(n.out[0].ifid, 1);
	assert_int_equal(packet_parse(&p, n.out[0].data, n.out[0].len), RNS_OK);
	assert_false(p.header_2 || p.transport);
	assert_int_equal(p.hops, 6);
	node_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(relayed_announces),
	    cmocka_unit_test(own_announces),
	    cmocka_unit_test(announces_of_programs),
	    cmocka_unit_test(lives_of_paths),
	    cmocka_unit_test(searches),
	    cmocka_unit_test(leaves_do_not_search),
	    cmocka_unit_test(answers_by_mode),
	    cmocka_unit_test(answers_go_not_back),
	    cmocka_unit_test(delta_of_our_own),
	    cmocka_unit_test(delta_of_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
