/* SPDX-License-Identifier: BSD-2-Clause */
/* What a packet is to who shares out an interface that takes little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/link_pair.h"
#include "tests/unit/relay_node.h"
#include "transport/core/base/const.h"
#include "transport/core/base/kind.h"
#include "transport/core/base/packet.h"
#include "common/util.h"

static const uint8_t priv[RNS_KEY] = {9, 8, 7};
static const struct hash16 neighbour = {{0xaa}};

static void
by_header(void **state)
{
	static const struct {
		uint8_t type, dest_type, context;
		bool passed, program;
		enum rns_kind kind;
	} rows[] = {
	    {PACKET_ANNOUNCE, DEST_SINGLE, CTX_NONE, false, false,
	     RNS_KIND_NEAR},
	    {PACKET_ANNOUNCE, DEST_SINGLE, CTX_NONE, true, false, RNS_KIND_FAR},
	    {PACKET_ANNOUNCE, DEST_SINGLE, CTX_PATH_RESPONSE, true, false,
	     RNS_KIND_NEAR},
	    {PACKET_LINKREQUEST, DEST_SINGLE, CTX_NONE, false, false,
	     RNS_KIND_CONTROL},
	    {PACKET_LINKREQUEST, DEST_SINGLE, CTX_NONE, true, false,
	     RNS_KIND_RELAY},
	    {PACKET_PROOF, DEST_LINK, CTX_LRPROOF, false, false,
	     RNS_KIND_CONTROL},
	    {PACKET_PROOF, DEST_LINK, CTX_LRPROOF, true, true, RNS_KIND_RELAY},
	    {PACKET_PROOF, DEST_LINK, CTX_RESOURCE_PRF, false, false,
	     RNS_KIND_CONTROL},
	    {PACKET_DATA, DEST_PLAIN, CTX_NONE, false, false, RNS_KIND_CONTROL},
	    {PACKET_DATA, DEST_LINK, CTX_KEEPALIVE, false, false,
	     RNS_KIND_CONTROL},
	    {PACKET_DATA, DEST_LINK, CTX_LINKIDENTIFY, false, false,
	     RNS_KIND_CONTROL},
	    {PACKET_DATA, DEST_LINK, CTX_LINKCLOSE, false, false,
	     RNS_KIND_CONTROL},
	    {PACKET_DATA, DEST_LINK, CTX_LRRTT, false, false, RNS_KIND_CONTROL},
	    {PACKET_DATA, DEST_SINGLE, CTX_CACHE_REQUEST, false, false,
	     RNS_KIND_CONTROL},
	    {PACKET_DATA, DEST_LINK, CTX_REQUEST, false, false, RNS_KIND_JOBS},
	    {PACKET_DATA, DEST_LINK, CTX_RESPONSE, false, false, RNS_KIND_JOBS},
	    {PACKET_DATA, DEST_LINK, CTX_RESOURCE, false, false, RNS_KIND_JOBS},
	    {PACKET_DATA, DEST_LINK, CTX_CHANNEL, false, false, RNS_KIND_JOBS},
	    {PACKET_DATA, DEST_SINGLE, CTX_NONE, false, false, RNS_KIND_JOBS},
	    {PACKET_DATA, DEST_LINK, CTX_RESOURCE, true, false, RNS_KIND_RELAY},
	    {PACKET_DATA, DEST_LINK, CTX_RESOURCE, true, true, RNS_KIND_JOBS},
	    {PACKET_DATA, DEST_LINK, CTX_REQUEST, true, true, RNS_KIND_RELAY},
	    {PACKET_DATA, DEST_LINK, CTX_KEEPALIVE, true, false,
	     RNS_KIND_RELAY},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++)
		for (uint8_t more = 0; more < 2; more++) {
			uint8_t flags = PACKET_FLAGS(rows[i].dest_type,
			    rows[i].type);

			if (more != 0)
				flags |= FLAG_HEADER_2 | FLAG_TRANSPORT |
				    FLAG_CONTEXT;
			if (packet_kind(flags, rows[i].context, rows[i].passed,
			    rows[i].program) != rows[i].kind)
				fail_msg("row %zu", i);
		}
}

static struct rns_if_stats
stats(const struct rns *r, unsigned ifid)
{
	struct rns_if_stats s;

	assert_int_equal(rns_if_stats(r, ifid, &s), RNS_OK);
	return s;
}

/* One that passes by: in and out are counted alike, also behind a code. */
static void
passed_on(void **state)
{
	static const uint8_t data[64] = {5};
	struct rns_if coded = {.id = 2, .mode = RNS_MODE_FULL, .out = true,
	    .online = true, .hw_mtu = 500, .ifac_size = 8,
	    .ifac_key = {1, 2, 3}};
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD};
	struct rns_if_stats in, out;
	struct stranger s;
	uint8_t raw[RNS_MTU];
	struct node n;
	size_t len;

	(void)state;
	stranger_make(&s, 1);
	node_open_on(&n, priv, true, 2);
	c.iface = coded;
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	len = stranger_announce(&s, raw, 1800000000u, 1, neighbour.b, false);
	node_in(&n, 0, raw, len);
	assert_int_equal(rns_rx_kind(n.r), RNS_KIND_FAR);
	node_run(&n, 100 * NODE_SECOND);
	in = stats(n.r, 0);
	out = stats(n.r, 2);
	assert_int_equal(in.rx_kinds[RNS_KIND_FAR].packets, 1);
	assert_int_equal(in.rx_kinds[RNS_KIND_FAR].bytes, len);
	assert_true(out.tx_kinds[RNS_KIND_FAR].packets > 0);
	assert_int_equal(out.tx_kinds[RNS_KIND_FAR].bytes, out.tx_bytes);

	node_clear(&n);
	len = stranger_packet(&s, &n, raw, PACKET_DATA, data, sizeof(data));
	node_in(&n, 2, raw, len); /* no code: dropped, and not ours */
	assert_int_equal(rns_rx_kind(n.r), RNS_KIND_RELAY);
	node_in(&n, 1, raw, len);
	assert_int_equal(rns_rx_kind(n.r), RNS_KIND_RELAY);
	assert_int_equal(n.out_count, 1);
	assert_int_equal(n.out[0].kind, RNS_KIND_RELAY);
	assert_memory_equal(&n.out[0].dest, &s.dest, sizeof(s.dest));
	assert_int_equal(stats(n.r, 0).tx_kinds[RNS_KIND_RELAY].packets, 1);
	assert_int_equal(stats(n.r, 1).rx_kinds[RNS_KIND_RELAY].bytes, len);
	node_close(&n);
}

/* A neighbour's own announce is near, and so is one of a program. */
static void
who_is_near(void **state)
{
	struct stranger s;
	uint8_t raw[RNS_MTU];
	struct node n;
	size_t len;

	(void)state;
	stranger_make(&s, 1);
	node_open_on(&n, priv, true, 2);
	node_if(&n, 5, RNS_IF_LOCAL_CLIENT, RNS_MODE_FULL, 0, false);
	len = stranger_announce(&s, raw, 1800000000u, 0, NULL, false);
	node_in(&n, 0, raw, len);
	assert_int_equal(rns_rx_kind(n.r), RNS_KIND_NEAR);
	node_run(&n, 100 * NODE_SECOND);
	assert_int_equal(stats(n.r, 1).tx_kinds[RNS_KIND_NEAR].packets, 0);
	assert_true(stats(n.r, 1).tx_kinds[RNS_KIND_FAR].packets > 0);
	node_close(&n);

	stranger_make(&s, 2);
	node_open_on(&n, priv, true, 2);
	node_if(&n, 5, RNS_IF_LOCAL_CLIENT, RNS_MODE_FULL, 0, false);
	len = stranger_announce(&s, raw, 1800000000u, 0, NULL, false);
	node_in(&n, 5, raw, len);
	assert_int_equal(rns_rx_kind(n.r), RNS_KIND_NEAR);
	node_run(&n, 100 * NODE_SECOND);
	assert_true(stats(n.r, 1).tx_kinds[RNS_KIND_NEAR].packets > 0);
	assert_int_equal(stats(n.r, 1).tx_kinds[RNS_KIND_FAR].packets, 0);
	node_close(&n);
}

/* Everything that two ends of a link send each other is somebody's. */
static void
own_links(void **state)
{
	static const uint8_t data[100] = {1};
	struct rns_cmd c;
	struct rns_if_stats a, b;
	uint64_t control;
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.resources = RNS_ACCEPT_ALL});
	pair_up(&p);
	a = stats(p.n[0].r, PAIR_IF);
	assert_true(a.tx_kinds[RNS_KIND_CONTROL].packets >= 2);
	assert_int_equal(a.tx_kinds[RNS_KIND_JOBS].packets, 0);
	assert_int_equal(stats(p.n[1].r, PAIR_IF).tx_kinds[RNS_KIND_NEAR].
	    packets, 1);
	control = a.tx_kinds[RNS_KIND_CONTROL].packets;
	c = pair_cmd(&p, RNS_CMD_LINK_SEND);
	c.packet.data = data;
	c.packet.len = sizeof(data);
	assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
	pair_run(&p);
	a = stats(p.n[0].r, PAIR_IF);
	b = stats(p.n[1].r, PAIR_IF);
	assert_int_equal(a.tx_kinds[RNS_KIND_JOBS].packets, 1);
	assert_int_equal(a.tx_kinds[RNS_KIND_CONTROL].packets, control);
	assert_int_equal(rns_rx_kind(p.n[1].r), RNS_KIND_JOBS);
	for (unsigned k = 0; k < RNS_KINDS; k++) {
		assert_int_equal(a.tx_kinds[k].packets, b.rx_kinds[k].packets);
		assert_int_equal(a.tx_kinds[k].bytes, b.rx_kinds[k].bytes);
	}
	pair_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(by_header),
	    cmocka_unit_test(passed_on),
	    cmocka_unit_test(who_is_near),
	    cmocka_unit_test(own_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
