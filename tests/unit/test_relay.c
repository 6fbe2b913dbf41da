/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/const.h"
#include "transport/core/base/packet.h"
#include "transport/core/route/pathreq.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/path.h"
#include "tests/unit/relay_node.h"
#include "common/wire.h"

/* Announces, path requests, single packets and their proofs, one node. */

static const uint8_t priv[RNS_KEY] = {9, 8, 7};
static const struct hash16 relay_x = {{0xaa}};
static const struct hash16 relay_y = {{0xbb}};
#define T0 1800000000u /* emission times */

/* With so many plain interfaces, from number 0 on. */
static void
open_on(struct node *n, bool transport, unsigned ifs)
{
	node_open(n, transport, false, priv);
	for (unsigned i = 0; i < ifs; i++)
		node_if(n, i, RNS_IF_NET, RNS_MODE_FULL, 500, false);
}

static void
heard(struct node *n, unsigned ifid, const struct stranger *s,
    uint64_t emitted, uint8_t wire_hops, const uint8_t *transport_id)
{
	uint8_t raw[RNS_MTU];
	size_t len = stranger_announce(s, raw, emitted, wire_hops,
	    transport_id, false);

	node_in(n, ifid, raw, len);
}

static int
hops(struct node *n, const struct stranger *s)
{
	struct rns_path p;

	return rns_path_get(n->r, &s->dest, &p) ? p.hops : -1;
}

static unsigned
path_if(struct node *n, const struct stranger *s)
{
	struct rns_path p;

	assert_true(rns_path_get(n->r, &s->dest, &p));
	return p.ifid;
}

/* ---- acceptance (reticulum-transport.md 4.3) ---- */

static void
acceptance(void **state)
{
	static const struct {
		const char *what;
		uint64_t emitted;
		uint8_t wire_hops;
		bool unresponsive;
		bool accept;
	} rows[] = {
	    {"the same again", T0, 2, false, false},
	    {"fewer hops, same emission", T0, 0, false, false},
	    {"newer, same hops", T0 + 1, 2, false, true},
	    {"newer, fewer hops", T0 + 1, 0, false, true},
	    {"newer, more hops", T0 + 1, 5, false, true},
	    {"older, fewer hops", T0 - 1, 0, false, false},
	    {"older, more hops", T0 - 1, 5, false, false},
	    {"same emission, more hops", T0, 5, false, false},
	    {"same emission, more hops, unresponsive", T0, 5, true, true},
	    {"older, more hops, unresponsive", T0 - 1, 5, true, false},
	};
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	for (size_t i = 0; i < NELEM(rows); i++) {
		open_on(&n, true, 2);
		heard(&n, 0, &s, T0, 2, relay_x.b);
		assert_int_equal(hops(&n, &s), 3);
		if (rows[i].unresponsive)
			path_find(n.r, &s.dest)->state = PATH_UNRESPONSIVE;
		heard(&n, 1, &s, rows[i].emitted, rows[i].wire_hops, relay_y.b);
		if (path_if(&n, &s) != (rows[i].accept ? 1 : 0))
			fail_msg("%s", rows[i].what);
		if (rows[i].accept) {
			assert_int_equal(hops(&n, &s),
			    rows[i].wire_hops + 1);
			assert_int_equal(path_find(n.r, &s.dest)->state,
			    PATH_UNKNOWN);
		}
		node_close(&n);
	}
}

static void
acceptance_after_expiry(void **state)
{
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	open_on(&n, true, 2);
	heard(&n, 0, &s, T0, 2, relay_x.b);
	/* Wall time passes what the path was good for; it was used since. */
	rns_set_wall(n.r, NODE_WALL_US + INT64_C(604801) * NODE_SECOND,
	    (struct mono){n.now});
	heard(&n, 1, &s, T0, 5, relay_y.b); /* known blob: never */
	assert_int_equal(hops(&n, &s), 3);
	heard(&n, 1, &s, T0 - 5, 5, relay_y.b);
	assert_int_equal(hops(&n, &s), 6);
	node_close(&n);
}

static void
gravity(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD,
	    .iface = {.id = 1, .mode = RNS_MODE_FULL, .out = true,
	        .online = true, .gravity = 5}};
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	open_on(&n, true, 1);
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	heard(&n, 0, &s, T0, 2, relay_x.b);
	heard(&n, 1, &s, T0, 2, relay_y.b);
	assert_int_equal(path_if(&n, &s), 1);
	heard(&n, 0, &s, T0, 2, relay_x.b);
	assert_int_equal(path_if(&n, &s), 1);
	node_close(&n);
}

static void
refused_announces(void **state)
{
	struct rns_cmd bh = {.type = RNS_CMD_BLACKHOLE};
	uint8_t raw[RNS_MTU];
	struct stranger s;
	struct node n;
	size_t len;

	(void)state;
	stranger_make(&s, 1);
	open_on(&n, true, 1);
	len = stranger_announce(&s, raw, T0, 0, NULL, false);
	for (size_t i = 0; i < len; i++) {
		raw[i] ^= 1;
		if (i != 1 && i != 18) /* hops and context are not signed */
			node_in(&n, 0, raw, len);
		raw[i] ^= 1;
		assert_int_equal(hops(&n, &s), -1);
	}
	raw[1] = 127; /* 128 hops are known, 129 not */
	node_in(&n, 0, raw, len);
	assert_int_equal(hops(&n, &s), 128);
	bh.blackhole.identity = s.id;
	bh.blackhole.on = true;
	assert_int_equal(node_submit(&n, &bh), RNS_OK);
	assert_int_equal(hops(&n, &s), -1);
	node_in(&n, 0, raw, len);
	assert_int_equal(hops(&n, &s), -1);
	assert_int_equal(rns_drops(n.r, RNS_DROP_BLACKHOLE), 1);
	node_close(&n);
}

/* ---- passing on (reticulum-transport.md 4.2, 4.6, 5.3) ---- */

static void
passed_on_twice(void **state)
{
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	open_on(&n, true, 1);
	heard(&n, 0, &s, T0, 2, relay_x.b);
	node_run(&n, 100 * NODE_SECOND);
	assert_int_equal(n.out_count, 2);
	assert_true(n.out[0].at <= NODE_SECOND / 2);
	/* both at the end of a tick, with all others of it */
	assert_int_equal(n.out[0].at % TICK_US, 0);
	assert_in_range(n.out[1].at - n.out[0].at, 5500001,
	    5500000 + TICK_US);
	assert_int_equal(n.out[1].at % TICK_US, 0);
	assert_int_equal(n.out[0].data[1], 3);
	assert_memory_equal(n.out[0].data + 2, rns_identity_hash(n.r), 16);
	node_close(&n);
}

static void
not_repeated_when_heard(void **state)
{
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	/* Two neighbours pass it on as we do: enough. */
	open_on(&n, true, 1);
	heard(&n, 0, &s, T0, 2, relay_x.b);
	node_run(&n, NODE_SECOND);
	heard(&n, 0, &s, T0, 3, relay_x.b);
	heard(&n, 0, &s, T0, 3, relay_y.b);
	node_run(&n, 100 * NODE_SECOND);
	assert_int_equal(n.out_count, 1);
	node_close(&n);
	/* The next node passed ours on. */
	open_on(&n, true, 1);
	heard(&n, 0, &s, T0, 2, relay_x.b);
	node_run(&n, NODE_SECOND);
	heard(&n, 0, &s, T0, 4, relay_y.b);
	node_run(&n, 100 * NODE_SECOND);
	assert_int_equal(n.out_count, 1);
	node_close(&n);
}

static void
leaf_passes_nothing_on(void **state)
{
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	open_on(&n, false, 1);
	heard(&n, 0, &s, T0, 2, relay_x.b);
	node_run(&n, 100 * NODE_SECOND);
	assert_int_equal(n.out_count, 0);
	assert_int_equal(hops(&n, &s), 3);
	assert_int_equal(n.events[RNS_EV_ANNOUNCE], 1);
	node_close(&n);
}

static void
modes(void **state)
{
	/* rows: this; columns: from; in order of the values 1 to 7 */
	static const char *const matrix[] = {
	    "YYYYYYY", "YYYYYYY", ".......", "YYY..YY", "YYY.YYY",
	    "YYYYYYY", "YYYY.YY"};
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	for (unsigned this = 1; this <= 7; this++) {
		for (unsigned from = 1; from <= 7; from++) {
			size_t sent = 0;

			node_open(&n, true, false, priv);
			node_if(&n, 0, RNS_IF_NET, (enum rns_if_mode)from,
			    500, false);
			node_if(&n, 1, RNS_IF_NET, (enum rns_if_mode)this,
			    500, false);
			heard(&n, 0, &s, T0, 2, relay_x.b);
			node_run(&n, 2 * NODE_SECOND);
			for (size_t i = 0; i < n.out_count; i++)
				sent += n.out[i].ifid == 1;
			if ((sent != 0) != (matrix[this - 1][from - 1] == 'Y'))
				fail_msg("mode %u, from %u", this, from);
			node_close(&n);
		}
	}
}

static void
announce_cap(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD,
	    .iface = {.id = 1, .mode = RNS_MODE_FULL, .out = true,
	        .online = true, .bitrate = 10000,
	        .announce_cap_permille = 20}};
	int64_t last = 0, spacing;
	struct stranger s;
	size_t sent = 0;
	struct node n;

	(void)state;
	node_open(&n, true, false, priv);
	node_if(&n, 0, RNS_IF_NET, RNS_MODE_ROAMING, 500, false);
	iface_find(n.r, 0)->cfg.ingress.control = false;
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	for (uint8_t i = 1; i <= 20; i++) {
		stranger_make(&s, i);
		heard(&n, 0, &s, T0, i == 20 ? 1 : 5, relay_x.b);
	}
	node_run(&n, 1000 * NODE_SECOND);
	/* 200 bit/s: one of 186 bytes in 7.44 s; near ones first */
	spacing = INT64_C(186) * 8 * 1000000 / 200;
	for (size_t i = 0; i < n.out_count; i++) {
		if (n.out[i].ifid != 1)
			continue;
		if (sent++ != 0)
			assert_true(n.out[i].at - last >= spacing);
		if (sent == 2)
			assert_int_equal(n.out[i].data[1], 2);
		last = n.out[i].at;
	}
	assert_true(sent >= 20 && sent <= 40);
	node_close(&n);
}

/* A fast interface sends several in a turn, and no more in all. */
static void
announce_cap_fast(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD,
	    .iface = {.id = 1, .mode = RNS_MODE_FULL, .out = true,
	        .online = true, .bitrate = 10000000,
	        .announce_cap_permille = 20}};
	struct stranger s;
	size_t sent = 0;
	struct node n;

	(void)state;
	node_open(&n, true, false, priv);
	node_if(&n, 0, RNS_IF_NET, RNS_MODE_ROAMING, 500, false);
	iface_find(n.r, 0)->cfg.ingress.control = false;
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	for (uint8_t i = 1; i <= 200; i++) {
		stranger_make(&s, i);
		heard(&n, 0, &s, T0, 5, relay_x.b);
	}
	/* 7.44 ms each, and the first ones leave at once */
	node_run(&n, NODE_SECOND);
	for (size_t i = 0; i < n.out_count; i++)
		sent += n.out[i].ifid == 1;
	assert_in_range(sent, 100, 136);
	node_close(&n);
}

/* ---- path table ---- */

static void
paths_expire(void **state)
{
	static const struct {
		enum rns_if_mode mode;
		int64_t life_s;
	} rows[] = {{RNS_MODE_FULL, 604800}, {RNS_MODE_AP, 86400},
	    {RNS_MODE_ROAMING, 21600}};
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	for (size_t i = 0; i < NELEM(rows); i++) {
		node_open(&n, false, false, priv);
		node_if(&n, 0, RNS_IF_NET, rows[i].mode, 500, false);
		heard(&n, 0, &s, T0, 2, relay_x.b);
		node_run(&n, (rows[i].life_s - 10) * NODE_SECOND);
		assert_int_equal(hops(&n, &s), 3);
		rns_tick(n.r, (struct mono){n.now});
		path_touch(n.r, path_find(n.r, &s.dest)); /* used */
		node_run(&n, (rows[i].life_s - 10) * NODE_SECOND);
		assert_int_equal(hops(&n, &s), 3);
		node_run(&n, 20 * NODE_SECOND);
		assert_int_equal(hops(&n, &s), -1);
		node_close(&n);
	}
}

static void
paths_go_with_their_interface(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_DEL, .ifid = 0};
	struct stranger s, t;
	struct rns_counts k;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	stranger_make(&t, 2);
	open_on(&n, true, 2);
	heard(&n, 0, &s, T0, 2, relay_x.b);
	heard(&n, 1, &t, T0, 2, relay_x.b);
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	assert_int_equal(hops(&n, &s), -1);
	assert_int_equal(hops(&n, &t), 3);
	rns_counts(n.r, &k);
	assert_int_equal(k.paths, 1);
	assert_int_equal(k.announces_waiting, 1);
	node_close(&n);
}

static void
paths_from_storage(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_PATH_ADD}, drop;
	uint8_t raw[RNS_MTU], blobs[70 * 10];
	struct hash16 after = {0};
	struct rns_path p;
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	node_open(&n, true, false, priv);
	node_if(&n, 4, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	for (size_t i = 0; i < sizeof(blobs); i++)
		blobs[i] = (uint8_t)(i / 10);
	c.path.dest = s.dest;
	c.path.hops = 2;
	c.path.ifid = 5;
	c.path.learned_us = NODE_WALL_US - INT64_C(600000) * NODE_SECOND;
	c.path.expires_us = NODE_WALL_US + NODE_SECOND;
	c.path.blobs = blobs;
	c.path.blob_count = 70;
	c.path.announce = raw;
	c.path.announce_len = stranger_announce(&s, raw, T0, 1, relay_x.b,
	    false);
	assert_int_equal(node_submit(&n, &c), RNS_ENOENT);
	c.path.ifid = 4;
	raw[20] ^= 1; /* of another destination */
	assert_int_equal(node_submit(&n, &c), RNS_EPARSE);
	raw[20] ^= 1;
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	assert_true(rns_path_next(n.r, &after, true, &p));
	assert_memory_equal(p.dest.b, s.dest.b, RNS_HASH);
	assert_int_equal(p.blob_count, 64);
	assert_int_equal(p.blobs[0], 6);
	assert_int_equal(p.announce_len, c.path.announce_len);
	assert_false(rns_path_next(n.r, &p.dest, false, &p));
	/* 600,000 of 604,800 seconds are over. */
	node_run(&n, INT64_C(4900) * NODE_SECOND);
	assert_int_equal(hops(&n, &s), -1);
	assert_int_equal(node_submit(&n, &c), RNS_ESTATE);
	drop = (struct rns_cmd){.type = RNS_CMD_PATH_DROP};
	drop.hash = s.dest;
	assert_int_equal(node_submit(&n, &drop), RNS_ENOENT);
	node_close(&n);
}

/* ---- path requests (6) ---- */

static void
asks(struct node *n, unsigned ifid, const struct stranger *s,
    const uint8_t *requestor, uint8_t tag)
{
	uint8_t raw[RNS_MTU];
	size_t len = path_request_make(raw, &s->dest, requestor, tag);

	node_in(n, ifid, raw, len);
}

static void
answers_come_from_the_table(void **state)
{
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	open_on(&n, true, 2);
	node_if(&n, 2, RNS_IF_LOCAL_CLIENT, RNS_MODE_FULL, 262144, true);
	heard(&n, 0, &s, T0, 2, relay_x.b);
	node_run(&n, 10 * NODE_SECOND);
	node_clear(&n);
	asks(&n, 1, &s, NULL, 1);
	asks(&n, 1, &s, NULL, 1); /* the same request */
	asks(&n, 1, &s, relay_x.b, 2); /* it would come back to them */
	node_run(&n, 399999);
	assert_int_equal(n.out_count, 0);
	node_run(&n, 1);
	assert_int_equal(n.out_count, 1);
	assert_int_equal(n.out[0].ifid, 1);
	assert_int_equal(n.out[0].data[34], CTX_PATH_RESPONSE);
	node_clear(&n);
	asks(&n, 2, &s, NULL, 3); /* a program is answered at once */
	node_run(&n, 0);
	assert_int_equal(n.out_count, 1);
	assert_int_equal(n.out[0].ifid, 2);
	/* So is who asks for a program's destination, each time. */
	stranger_make(&s, 2);
	heard(&n, 2, &s, T0, 0, NULL);
	node_run(&n, 10 * NODE_SECOND);
	node_clear(&n);
	asks(&n, 0, &s, NULL, 4);
	node_run(&n, NODE_SECOND);
	asks(&n, 1, &s, NULL, 5);
	node_run(&n, NODE_SECOND);
	assert_int_equal(n.out_count, 2);
	assert_int_equal(n.out[0].ifid, 0);
	assert_int_equal(n.out[1].ifid, 1);
	node_close(&n);
}

static void
programs_ask_everywhere(void **state)
{
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	open_on(&n, false, 1);
	node_if(&n, 1, RNS_IF_LOCAL_CLIENT, RNS_MODE_FULL, 262144, true);
	node_if(&n, 2, RNS_IF_LOCAL_CLIENT, RNS_MODE_FULL, 262144, true);
	asks(&n, 1, &s, NULL, 1);
	assert_int_equal(n.out_count, 2);
	assert_int_equal(n.out[0].len, 19 + 32);
	/* From outside only the programs are asked. */
	node_clear(&n);
	stranger_make(&s, 2);
	asks(&n, 0, &s, NULL, 1);
	assert_int_equal(n.out_count, 2);
	assert_true(n.out[0].ifid != 0 && n.out[1].ifid != 0);
	/* With its tag, which may be a stamp (reticulum-1.6.md 10.2). */
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < 16; k++)
			assert_int_equal(n.out[i].data[35 + k], 1);
	node_close(&n);
}

static void
automatic_requests_are_spaced(void **state)
{
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	open_on(&n, false, 1);
	for (int i = 0; i < 4; i++) {
		rns_tick(n.r, (struct mono){n.now});
		assert_int_equal(path_request(n.r, &s.dest, true), RNS_OK);
		node_run(&n, 5 * NODE_SECOND);
	}
	assert_int_equal(n.out_count, 1);
	assert_int_equal(n.out[0].at, 500000);
	node_run(&n, 2 * NODE_SECOND);
	rns_tick(n.r, (struct mono){n.now});
	assert_int_equal(path_request(n.r, &s.dest, true), RNS_OK);
	node_run(&n, 5 * NODE_SECOND);
	assert_int_equal(n.out_count, 2);
	/* At most 32 wait, each for half a second. */
	for (uint8_t i = 10; i < 60; i++) {
		stranger_make(&s, i);
		(void)path_request(n.r, &s.dest, true);
	}
	node_run(&n, 100 * NODE_SECOND);
	assert_int_equal(n.out_count, 2 + 32);
	node_close(&n);
}

/* ---- single packets ---- */

static void
dest_add(struct node *n, const struct stranger *s, enum rns_prove prove)
{
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD,
	    .dest = {.type = RNS_SINGLE, .name = "test.relay",
	        .has_identity = true, .prove = prove}};

	memcpy(c.dest.identity, s->priv, RNS_KEY);
	assert_int_equal(node_submit(n, &c), RNS_OK);
}

static int
packet_send(struct node *n, const struct stranger *s, size_t len)
{
	static const uint8_t data[RNS_MTU];
	struct rns_cmd c = {.type = RNS_CMD_PACKET,
	    .packet = {.type = RNS_SINGLE, .data = data, .len = len,
	        .receipt = true, .tag = 77}};

	c.packet.dest = s->dest;
	return node_submit(n, &c);
}

static void
packets_are_proved(void **state)
{
	struct node a, b;
	struct stranger s;

	(void)state;
	stranger_make(&s, 1);
	for (int explicit = 0; explicit < 2; explicit++) {
		node_open(&a, false, false, priv);
		node_open(&b, false, false, priv);
		b.r->cfg.implicit_proof = !explicit;
		node_if(&a, 0, RNS_IF_NET, RNS_MODE_FULL, 500, false);
		node_if(&b, 0, RNS_IF_NET, RNS_MODE_FULL, 500, false);
		dest_add(&b, &s, RNS_PROVE_ALL);
		assert_int_equal(packet_send(&a, &s, 10), RNS_ENOENT);
		heard(&a, 0, &s, T0, 0, NULL);
		assert_int_equal(packet_send(&a, &s, 384), RNS_EBIG);
		assert_int_equal(packet_send(&a, &s, 383), RNS_OK);
		node_in(&b, 0, a.out[0].data, a.out[0].len);
		assert_int_equal(b.events[RNS_EV_PACKET], 1);
		assert_int_equal(b.out_count, 1);
		assert_int_equal(b.out[0].len, explicit ? 115 : 83);
		/* Nothing but the proof itself is a proof. */
		for (size_t i = 2; i < b.out[0].len; i++) {
			if (i == 18) /* the context says nothing here */
				continue;
			b.out[0].data[i] ^= 4;
			node_in(&a, 0, b.out[0].data, b.out[0].len);
			b.out[0].data[i] ^= 4;
			/* An explicit one names the packet itself. */
			if (i < 19 && explicit && a.events[RNS_EV_RECEIPT])
				break;
			assert_int_equal(a.events[RNS_EV_RECEIPT], 0);
		}
		node_in(&a, 0, b.out[0].data, b.out[0].len);
		assert_int_equal(a.events[RNS_EV_RECEIPT], 1);
		assert_int_equal(a.receipt, RNS_RECEIPT_DELIVERED);
		/* The copy is a duplicate. */
		node_in(&b, 0, a.out[0].data, a.out[0].len);
		assert_int_equal(b.events[RNS_EV_PACKET], 1);
		node_close(&a);
		node_close(&b);
	}
}

static void
receipts_end(void **state)
{
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	open_on(&n, false, 1);
	heard(&n, 0, &s, T0, 2, relay_x.b);
	assert_int_equal(packet_send(&n, &s, 10), RNS_OK);
	node_run(&n, 24 * NODE_SECOND); /* 3 hops: 24.0004 s */
	assert_int_equal(n.events[RNS_EV_RECEIPT], 0);
	node_run(&n, NODE_SECOND);
	assert_int_equal(n.events[RNS_EV_RECEIPT], 1);
	assert_int_equal(n.receipt, RNS_RECEIPT_FAILED);
	n.r->cfg.limits.receipts = 2;
	for (int i = 0; i < 3; i++)
		assert_int_equal(packet_send(&n, &s, 10), RNS_OK);
	assert_int_equal(n.events[RNS_EV_RECEIPT], 2);
	assert_int_equal(n.receipt, RNS_RECEIPT_CULLED);
	node_close(&n);
}

static void
the_application_proves(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_PROVE};
	struct node a, b;
	struct stranger s;
	struct packet p;

	(void)state;
	stranger_make(&s, 1);
	node_open(&a, false, false, priv);
	node_open(&b, false, false, priv);
	node_if(&a, 0, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	node_if(&b, 0, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	node_if(&b, 1, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	dest_add(&b, &s, RNS_PROVE_APP);
	heard(&a, 0, &s, T0, 0, NULL);
	assert_int_equal(packet_send(&a, &s, 20), RNS_OK);
	node_in(&b, 1, a.out[0].data, a.out[0].len);
	assert_int_equal(b.out_count, 0);
	assert_int_equal(packet_parse(&p, a.out[0].data, a.out[0].len), 0);
	c.prove.packet_hash = p.hash;
	assert_int_equal(node_submit(&b, &c), RNS_ENOENT);
	c.prove.dest = s.dest;
	assert_int_equal(node_submit(&b, &c), RNS_OK);
	assert_int_equal(b.out_count, 1);
	assert_int_equal(b.out[0].ifid, 1);
	node_in(&a, 0, b.out[0].data, b.out[0].len);
	assert_int_equal(a.receipt, RNS_RECEIPT_DELIVERED);
	node_close(&a);
	node_close(&b);
}

static void
plain_packets(void **state)
{
	struct rns_cmd d = {.type = RNS_CMD_DEST_ADD,
	    .dest = {.type = RNS_PLAIN, .name = "test.plain"}};
	struct rns_cmd c = {.type = RNS_CMD_PACKET,
	    .packet = {.type = RNS_PLAIN, .data = priv, .len = 20}};
	struct node n;

	(void)state;
	open_on(&n, true, 2);
	node_if(&n, 2, RNS_IF_LOCAL_CLIENT, RNS_MODE_FULL, 262144, true);
	assert_int_equal(node_submit(&n, &d), RNS_OK);
	assert_int_equal(rns_dest_hash(&c.packet.dest, "test.plain", NULL), 0);
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	assert_int_equal(n.out_count, 3);
	/* From outside: to programs, and to us. */
	node_in(&n, 0, n.out[0].data, n.out[0].len);
	assert_int_equal(n.out_count, 4);
	assert_int_equal(n.out[3].ifid, 2);
	assert_int_equal(n.events[RNS_EV_PACKET], 1);
	/* From a program: to everybody else. */
	node_in(&n, 2, n.out[0].data, n.out[0].len);
	assert_int_equal(n.out_count, 6);
	n.out[0].data[1] = 2;
	node_in(&n, 0, n.out[0].data, n.out[0].len);
	assert_int_equal(n.out_count, 6);
	assert_int_equal(rns_drops(n.r, RNS_DROP_PLAIN_HOPS), 1);
	c.packet.len = 0;
	assert_int_equal(node_submit(&n, &c), RNS_EINVAL);
	node_close(&n);
}

/* ---- attached programs (12) ---- */

static void
programs_say_who_they_are(void **state)
{
	struct rns_cmd del = {.type = RNS_CMD_IF_DEL, .ifid = 0};
	struct stranger s;
	struct node n;

	(void)state;
	stranger_make(&s, 1);
	node_open(&n, false, true, priv);
	node_if(&n, 0, RNS_IF_SHARED, RNS_MODE_FULL, 262144, true);
	dest_add(&n, &s, RNS_PROVE_ALL);
	node_run(&n, 249999);
	assert_int_equal(n.out_count, 0);
	node_run(&n, 30 * NODE_SECOND);
	assert_int_equal(n.out_count, 1);
	assert_int_equal(n.out[0].data[18], CTX_PATH_RESPONSE);
	/* The daemon was started again. */
	assert_int_equal(node_submit(&n, &del), RNS_OK);
	node_if(&n, 0, RNS_IF_SHARED, RNS_MODE_FULL, 262144, true);
	node_run(&n, 9999999);
	assert_int_equal(n.out_count, 1);
	node_run(&n, 1);
	assert_int_equal(n.out_count, 2);
	/* Hops are free, and the path leads through the daemon. */
	stranger_make(&s, 2);
	heard(&n, 0, &s, T0, 1, relay_x.b);
	assert_int_equal(hops(&n, &s), 1);
	assert_int_equal(packet_send(&n, &s, 10), RNS_OK);
	assert_int_equal(n.out[2].data[0], 0x50);
	assert_memory_equal(n.out[2].data + 2, relay_x.b, RNS_HASH);
	node_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(acceptance),
	    cmocka_unit_test(acceptance_after_expiry),
	    cmocka_unit_test(gravity),
	    cmocka_unit_test(refused_announces),
	    cmocka_unit_test(passed_on_twice),
	    cmocka_unit_test(not_repeated_when_heard),
	    cmocka_unit_test(leaf_passes_nothing_on),
	    cmocka_unit_test(modes),
	    cmocka_unit_test(announce_cap),
	    cmocka_unit_test(announce_cap_fast),
	    cmocka_unit_test(paths_expire),
	    cmocka_unit_test(paths_go_with_their_interface),
	    cmocka_unit_test(paths_from_storage),
	    cmocka_unit_test(answers_come_from_the_table),
	    cmocka_unit_test(programs_ask_everywhere),
	    cmocka_unit_test(automatic_requests_are_spaced),
	    cmocka_unit_test(packets_are_proved),
	    cmocka_unit_test(receipts_end),
	    cmocka_unit_test(the_application_proves),
	    cmocka_unit_test(plain_packets),
	    cmocka_unit_test(programs_say_who_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
