/* SPDX-License-Identifier: BSD-2-Clause */
/* Tunnels (reticulum-transport.md 2.9, 7.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "tests/unit/relay_node.h"

#define HOUR ((int64_t)3600 * NODE_SECOND)
#define SHOWN (19 + 176) /* bytes of a packet that shows a tunnel */

static const uint8_t priv[RNS_KEY] = {1, 2, 3};

static void
add_if(struct node *n, unsigned id, bool wants, bool online)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD,
	    .iface = {.id = id, .kind = RNS_IF_NET, .mode = RNS_MODE_FULL,
	        .bitrate = 10000000, .hw_mtu = 1064, .out = true,
	        .online = online, .wants_tunnel = wants,
	        .ingress = {.set = true}}}; /* nothing is held here */

	rns_sha256(&c.iface.name_hash, &id, sizeof(id));
	assert_int_equal(node_submit(n, &c), RNS_OK);
}

static void
del_if(struct node *n, unsigned id)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_DEL, .ifid = id};

	assert_int_equal(node_submit(n, &c), RNS_OK);
}

/* What another node sends, number `turn` of its connections. */
static void
shown(uint8_t out[SHOWN], uint8_t seed, uint8_t turn)
{
	uint8_t key[RNS_KEY];
	struct hash16 hash;

	memset(out, 0, SHOWN);
	memset(key, seed, sizeof(key));
	out[0] = 0x08;
	assert_int_equal(rns_dest_hash(&hash, "rnstransport.tunnel.synthesize",
	    NULL), RNS_OK);
	memcpy(out + 2, hash.b, RNS_HASH);
	assert_int_equal(rns_identity_derive(out + 19, &hash, key), RNS_OK);
	memset(out + 19 + RNS_KEY, 0xab, RNS_FULL_HASH);
	memset(out + 19 + 96, turn, 16);
	assert_int_equal(rns_identity_sign(out + 19 + 112, key, out + 19, 112),
	    RNS_OK);
}

static void
show(struct node *n, unsigned ifid, uint8_t seed, uint8_t turn)
{
	uint8_t raw[SHOWN];

	shown(raw, seed, turn);
	node_in(n, ifid, raw, sizeof(raw));
}

/* The same node by another of its interfaces: another tunnel. */
static void
show_as(struct node *n, unsigned ifid, unsigned which)
{
	uint8_t raw[SHOWN], key[RNS_KEY];

	shown(raw, 9, 0);
	memset(key, 9, sizeof(key));
	memcpy(raw + 19 + RNS_KEY, &which, sizeof(which));
	memcpy(raw + 19 + 96, &ifid, sizeof(ifid));
	assert_int_equal(rns_identity_sign(raw + 19 + 112, key, raw + 19, 112),
	    RNS_OK);
	node_in(n, ifid, raw, sizeof(raw));
}

static unsigned
tunnels(const struct node *n)
{
	struct id32 at = {{0}};
	struct rns_tunnel t;
	unsigned count = 0;

	for (bool first = true; rns_tunnel_next(n->r, &at, first, &t);
	    first = false, count++)
		at = t.id;
	return count;
}

static void
announced(struct node *n, unsigned ifid, const struct stranger *s,
    uint64_t emitted, uint8_t hops)
{
	uint8_t raw[RNS_MTU];

	node_in(n, ifid, raw, stranger_announce(s, raw, emitted, hops, NULL,
	    false));
}

/* The interface of the path; 0: there is none. */
static unsigned
way(const struct node *n, const struct stranger *s)
{
	struct rns_path p;

	return rns_path_get(n->r, &s->dest, &p) ? p.ifid : 0;
}

/* ---- the side that dials ---- */

static void
is_shown_when_it_comes_up(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ONLINE, .online = {2, true}};
	struct hash16 dest;
	struct node n;

	(void)state;
	node_open(&n, false, false, priv);
	add_if(&n, 1, false, true);
	add_if(&n, 2, true, false);
	assert_int_equal(n.out_count, 0);
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	assert_int_equal(node_submit(&n, &c), RNS_OK); /* it is up already */
	add_if(&n, 3, true, true);
	assert_int_equal(n.out_count, 2);
	assert_int_equal(n.out[1].ifid, 3);
	assert_int_equal(n.out[0].ifid, 2);
	assert_int_equal(n.out[0].len, SHOWN);
	assert_int_equal(rns_dest_hash(&dest, "rnstransport.tunnel.synthesize",
	    NULL), RNS_OK);
	assert_memory_equal(n.out[0].data, "\x08\0", 2);
	assert_memory_equal(n.out[0].data + 2, dest.b, RNS_HASH);
	assert_int_equal(n.out[0].data[18], 0);
	assert_memory_equal(n.out[0].data + 19, rns_identity_public(n.r),
	    RNS_KEY);
	assert_true(rns_identity_verify(n.out[0].data + 19,
	    n.out[0].data + 19 + 112, n.out[0].data + 19, 112));
	/* again after each connect, and never the same */
	c.online.online = false;
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	c.online.online = true;
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	assert_int_equal(n.out_count, 3);
	assert_memory_equal(n.out[2].data, n.out[0].data, 19 + 96);
	assert_memory_not_equal(n.out[2].data + 19 + 96,
	    n.out[0].data + 19 + 96, 16);
	node_close(&n);
}

/* ---- the other side ---- */

static void
paths_come_back(void **state)
{
	struct stranger s, other;
	struct rns_counts c;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	stranger_make(&other, 2);
	node_open(&n, true, false, priv);
	add_if(&n, 1, false, true);
	add_if(&n, 2, false, true);
	show(&n, 1, 9, 0);
	assert_int_equal(tunnels(&n), 1);
	announced(&n, 1, &s, 100, 0);
	announced(&n, 2, &other, 100, 0);
	del_if(&n, 1);
	assert_int_equal(way(&n, &s), 0);
	assert_int_equal(way(&n, &other), 2);
	rns_counts(n.r, &c);
	assert_int_equal(c.paths, 1);
	/* somebody else is not given them */
	add_if(&n, 3, false, true);
	show(&n, 3, 8, 0);
	assert_int_equal(way(&n, &s), 0);
	/* the other end is there again, hours later */
	node_run(&n, 5 * HOUR);
	add_if(&n, 4, false, true);
	show(&n, 4, 9, 1);
	assert_int_equal(way(&n, &s), 4);
	assert_int_equal(way(&n, &other), 2);
	assert_int_equal(tunnels(&n), 2);
	/* and again: the eight hours are those since the last time */
	del_if(&n, 4);
	node_run(&n, 5 * HOUR);
	add_if(&n, 5, false, true);
	show(&n, 5, 9, 2);
	assert_int_equal(way(&n, &s), 5);
	/* a tunnel that nobody needs waits for nobody */
	del_if(&n, 3);
	assert_int_equal(tunnels(&n), 1);
	del_if(&n, 5);
	node_run(&n, 8 * HOUR);
	assert_int_equal(tunnels(&n), 0);
	node_close(&n);
}

/* The old connection is dead and nobody has noticed it. */
static void
paths_move(void **state)
{
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	node_open(&n, true, false, priv);
	add_if(&n, 1, false, true);
	add_if(&n, 2, false, true);
	show(&n, 1, 9, 0);
	announced(&n, 1, &s, 100, 0);
	show(&n, 2, 9, 1);
	assert_int_equal(way(&n, &s), 2);
	assert_int_equal(tunnels(&n), 1);
	del_if(&n, 1);
	assert_int_equal(way(&n, &s), 2);
	/* the same interface shows it again, or another */
	show(&n, 2, 9, 2);
	assert_int_equal(way(&n, &s), 2);
	show(&n, 2, 7, 0);
	assert_int_equal(tunnels(&n), 1);
	assert_int_equal(way(&n, &s), 2);
	node_close(&n);
}

static void
what_is_better_now_stays(void **state)
{
	struct rns_cmd hole = {.type = RNS_CMD_BLACKHOLE, .blackhole.on = true};
	struct stranger s[5];
	struct node n;

	(void)state;
	node_open(&n, true, false, priv);
	add_if(&n, 1, false, true);
	add_if(&n, 2, false, true);
	show(&n, 1, 9, 0);
	for (uint8_t i = 0; i < NELEM(s); i++) {
		stranger_make(&s[i], (uint8_t)(i + 1));
		announced(&n, 1, &s[i], 100, 3);
	}
	del_if(&n, 1);
	announced(&n, 2, &s[0], 200, 9); /* newer */
	announced(&n, 2, &s[1], 100, 1); /* the same, and nearer */
	announced(&n, 2, &s[2], 100, 9); /* the same, and farther */
	hole.blackhole.identity = s[3].id;
	assert_int_equal(node_submit(&n, &hole), RNS_OK);
	add_if(&n, 3, false, true);
	show(&n, 3, 9, 1);
	assert_int_equal(way(&n, &s[0]), 2);
	assert_int_equal(way(&n, &s[1]), 2);
	assert_int_equal(way(&n, &s[2]), 3);
	assert_int_equal(way(&n, &s[3]), 0);
	assert_int_equal(way(&n, &s[4]), 3);
	node_close(&n);
}

static void
a_link_proof_of_one_that_waited(void **state)
{
	struct rns_known k;
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	node_open(&n, true, false, priv);
	add_if(&n, 1, false, true);
	show(&n, 1, 9, 0);
	announced(&n, 1, &s, 100, 0);
	del_if(&n, 1);
	/* never used and without a path, but needed again */
	node_run(&n, HOUR);
	assert_true(rns_known_get(n.r, &s.dest, &k));
	node_run(&n, 8 * HOUR);
	assert_false(rns_known_get(n.r, &s.dest, &k));
	node_close(&n);
}

/* ---- what is refused ---- */

static void
bad_ones(void **state)
{
	uint8_t raw[SHOWN + 1];
	uint64_t refused = 0;
	struct node n;

	(void)state;
	node_open(&n, true, false, priv);
	add_if(&n, 1, false, true);
	node_if(&n, 2, RNS_IF_LOCAL_CLIENT, RNS_MODE_FULL, 262144, false);
	shown(raw, 9, 0);
	raw[SHOWN] = 0;
	for (size_t len = 20; len <= SHOWN + 1; len++) {
		if (len == SHOWN)
			continue;
		node_in(&n, 1, raw, len);
		assert_int_equal(rns_drops(n.r, RNS_DROP_TUNNEL), ++refused);
	}
	for (size_t i = 19; i < SHOWN; i++) {
		raw[i] ^= 1;
		node_in(&n, 1, raw, SHOWN);
		raw[i] ^= 1;
		assert_int_equal(rns_drops(n.r, RNS_DROP_TUNNEL), ++refused);
	}
	node_in(&n, 2, raw, SHOWN); /* of a program */
	assert_int_equal(rns_drops(n.r, RNS_DROP_TUNNEL), ++refused);
	assert_int_equal(tunnels(&n), 0);
	node_in(&n, 1, raw, SHOWN);
	assert_int_equal(tunnels(&n), 1);
	assert_int_equal(rns_drops(n.r, RNS_DROP_TUNNEL), refused);
	assert_int_equal(n.out_count, 0); /* nobody is told */
	node_close(&n);
}

/* Who has heard the packet cannot take the paths. */
static void
repeated(void **state)
{
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	node_open(&n, true, false, priv);
	add_if(&n, 1, false, true);
	add_if(&n, 2, false, true);
	show(&n, 1, 9, 0);
	announced(&n, 1, &s, 100, 0);
	show(&n, 2, 9, 0);
	assert_int_equal(rns_drops(n.r, RNS_DROP_DUPLICATE), 1);
	assert_int_equal(way(&n, &s), 1);
	node_close(&n);
}

/* One after the other connects, is heard and goes. */
static void
limits(void **state)
{
	struct rns_limits lim;
	struct stranger s;
	struct node n;

	(void)state;
	rns_limits_default(&lim);
	node_open(&n, true, false, priv);
	for (unsigned i = 0; i <= lim.tunnels; i++) {
		stranger_make(&s, (uint8_t)(i % 251 + 1));
		add_if(&n, i + 1, false, true);
		show_as(&n, i + 1, i);
		announced(&n, i + 1, &s, 100 + i, 0);
		del_if(&n, i + 1);
		assert_int_equal(rns_drops(n.r, RNS_DROP_LIMIT),
		    i == lim.tunnels);
		assert_int_equal(tunnels(&n), i < lim.tunnels ? i + 1 :
		    lim.tunnels);
	}
	/* the last is there; the first has made room */
	add_if(&n, 5000, false, true);
	show_as(&n, 5000, lim.tunnels);
	assert_int_equal(way(&n, &s), 5000);
	node_close(&n);
}

/* ---- storage ---- */

static void
from_storage(void **state)
{
	struct rns_cmd t = {.type = RNS_CMD_TUNNEL_ADD};
	struct rns_cmd c = {.type = RNS_CMD_PATH_ADD};
	uint8_t raw[RNS_MTU], pack[SHOWN];
	struct hash16 at = {{0}};
	struct rns_tunnel seen;
	struct rns_path p;
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	shown(pack, 9, 0);
	node_open(&n, true, false, priv);
	rns_sha256(&t.tunnel.id, pack + 19, 96);
	t.tunnel.expires_us = NODE_WALL_US;
	assert_int_equal(node_submit(&n, &t), RNS_ESTATE); /* over */
	t.tunnel.expires_us = NODE_WALL_US + 17 * HOUR;
	assert_int_equal(node_submit(&n, &t), RNS_ESTATE); /* nonsense */
	c.path.tunnel = &t.tunnel.id;
	c.path.dest = s.dest;
	c.path.next_hop = s.dest;
	c.path.hops = 1;
	c.path.learned_us = NODE_WALL_US - HOUR;
	c.path.expires_us = NODE_WALL_US + 100 * HOUR;
	c.path.announce = raw;
	c.path.announce_len = stranger_announce(&s, raw, 100, 0, NULL, false);
	assert_int_equal(node_submit(&n, &c), RNS_ENOENT);
	t.tunnel.expires_us = NODE_WALL_US + HOUR;
	assert_int_equal(node_submit(&n, &t), RNS_OK);
	assert_int_equal(node_submit(&n, &t), RNS_ESTATE);
	c.path.learned_us = NODE_WALL_US - 9 * HOUR;
	assert_int_equal(node_submit(&n, &c), RNS_ESTATE);
	c.path.learned_us = NODE_WALL_US - HOUR;
	c.path.announce_len = 19;
	assert_int_equal(node_submit(&n, &c), RNS_EPARSE);
	c.path.announce_len = stranger_announce(&s, raw, 100, 0, NULL, false);
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	assert_int_equal(node_submit(&n, &c), RNS_EEXIST);
	assert_true(rns_tunnel_next(n.r, &t.tunnel.id, true, &seen));
	assert_false(seen.up);
	assert_int_equal(seen.expires_us, NODE_WALL_US + HOUR);
	assert_true(rns_tunnel_path_next(n.r, &seen.id, &at, true, &p));
	assert_int_equal(p.ifid, 0);
	assert_memory_equal(p.dest.b, s.dest.b, RNS_HASH);
	assert_false(rns_tunnel_path_next(n.r, &seen.id, &p.dest, false, &p));
	add_if(&n, 1, false, true);
	show(&n, 1, 9, 0);
	assert_int_equal(way(&n, &s), 1);
	assert_int_equal(node_submit(&n, &c), RNS_ESTATE);
	node_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(is_shown_when_it_comes_up),
	    cmocka_unit_test(paths_come_back),
	    cmocka_unit_test(paths_move),
	    cmocka_unit_test(what_is_better_now_stays),
	    cmocka_unit_test(a_link_proof_of_one_that_waited),
	    cmocka_unit_test(bad_ones),
	    cmocka_unit_test(repeated),
	    cmocka_unit_test(limits),
	    cmocka_unit_test(from_storage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
