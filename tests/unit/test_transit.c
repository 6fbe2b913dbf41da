/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/const.h"
#include "transport/core/base/packet.h"
#include "tests/unit/relay_node.h"
#include "common/util.h"

/*
 * What a relay passes on besides the packets of everyday, and what it takes for
 * a neighbour that did its work: as the reference was seen to do.
 */

static const uint8_t priv[RNS_KEY] = {9, 8, 7};
static const struct hash16 neighbour_x = {{0xaa}};
static const struct hash16 neighbour_y = {{0xbb}};
#define T0 1800000000u /* emission times */

/* ---- a neighbour's rebroadcast (reticulum-transport.md 4.2) ---- */

static void
heard(struct node *n, const struct stranger *s, uint64_t emitted,
    uint8_t wire_hops, const uint8_t *by, bool damaged)
{
	uint8_t raw[RNS_MTU];
	size_t len = stranger_announce(s, raw, emitted, wire_hops, by, false);

	if (damaged)
		raw[len - 1] ^= 1;
	node_in(n, 0, raw, len);
}

/* How often a fresh announce leaves when that is heard after the first time. */
static size_t
times_sent(const struct stranger *s, uint64_t emitted, uint8_t wire_hops,
    unsigned neighbours, bool damaged)
{
	struct node n;
	size_t sent;

	node_open(&n, true, false, priv);
	node_if(&n, 0, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	heard(&n, s, T0, 2, neighbour_x.b, false);
	node_run(&n, NODE_SECOND);
	assert_int_equal(n.out_count, 1);
	for (unsigned i = 0; i < neighbours; i++)
		heard(&n, s, emitted, wire_hops, i == 0 ? neighbour_x.b :
		    neighbour_y.b, damaged);
	node_run(&n, 100 * NODE_SECOND);
	sent = n.out_count;
	node_close(&n);
	return sent;
}

static void
any_announce_of_it_counts(void **state)
{
	static const struct {
		uint64_t emitted;
		uint8_t wire_hops;
		uint8_t neighbours;
		bool damaged;
		uint8_t sent;
	} rows[] = {
	    {T0, 3, 1, false, 2},	/* one at our place is not enough */
	    {T0, 3, 2, false, 1},
	    {T0, 4, 1, false, 1},	/* the next one passed it on */
	    {T0, 5, 2, false, 2},	/* from further away */
	    {T0 - 100, 3, 1, false, 2},
	    {T0 - 100, 3, 2, false, 1},
	    {T0 - 100, 4, 1, false, 1},
	    {T0 - 100, 5, 2, false, 2},
	    {T0 - 100, 3, 2, true, 2},	/* what nobody signed */
	    {T0 - 100, 4, 1, true, 2},
	};
	struct stranger s;

	(void)state;
	stranger_make(&s, 1);
	for (size_t i = 0; i < NELEM(rows); i++)
		if (times_sent(&s, rows[i].emitted, rows[i].wire_hops,
		    rows[i].neighbours, rows[i].damaged) != rows[i].sent)
			fail_msg("row %zu", i);
}

/* ---- packets with our transport id (reticulum-transport.md 3.7) ---- */

static void
plain_if(struct node *n, unsigned id, enum rns_if_kind kind)
{
	node_if(n, id, kind, RNS_MODE_FULL, 500, false);
}

static size_t
packet_for(const struct stranger *s, const struct node *n, uint8_t raw[RNS_MTU],
    uint8_t flags, uint8_t wire_hops, bool via)
{
	static const uint8_t data[64] = {5};
	size_t len = stranger_packet(s, n, raw, flags, data, sizeof(data));

	raw[1] = wire_hops;
	if (via)
		return len;
	raw[0] &= 0x0f;
	memmove(raw + 2, raw + 2 + RNS_HASH, len - 2 - RNS_HASH);
	return len - RNS_HASH;
}

static void
every_type_is_passed_on(void **state)
{
	static const uint8_t types[] = {PACKET_DATA, PACKET_LINKREQUEST,
	    PACKET_PROOF};
	static const uint8_t dests[] = {DEST_SINGLE, DEST_GROUP, DEST_PLAIN,
	    DEST_LINK};
	uint8_t raw[RNS_MTU], flags;
	struct stranger s;
	struct node n;
	size_t len;
	bool far;

	(void)state;
	stranger_make(&s, 1);
	for (size_t t = 0; t < NELEM(types); t++)
		for (size_t d = 0; d < NELEM(dests); d++)
			for (uint8_t hops = 0; hops < 4; hops += 3) {
				node_open(&n, true, false, priv);
				plain_if(&n, 0, RNS_IF_NET);
				plain_if(&n, 1, RNS_IF_NET);
				heard(&n, &s, T0, 2, neighbour_x.b, false);
				node_run(&n, 60 * NODE_SECOND);
				node_clear(&n);
				flags = (uint8_t)PACKET_FLAGS(dests[d],
				    types[t]);
				len = packet_for(&s, &n, raw, flags, hops,
				    true);
				node_in(&n, 1, raw, len);
				/* The filter lets those not come far. */
				far = dests[d] != DEST_GROUP &&
				    dests[d] != DEST_PLAIN;
				if (n.out_count != (far || hops < 2 ? 1 : 0))
					fail_msg("%02x from %u hops", flags,
					    hops);
				if (n.out_count == 1) {
					raw[1]++;
					memcpy(raw + 2, neighbour_x.b,
					    RNS_HASH);
					assert_int_equal(node_sent(&n, 0, raw,
					    len), 1);
				}
				node_close(&n);
			}
}

/* To a program of ours nobody needs to write whom it goes by. */
static void
to_a_program_without_our_id(void **state)
{
	static const uint8_t dests[] = {DEST_SINGLE, DEST_GROUP, DEST_LINK};
	uint8_t raw[RNS_MTU], flags;
	struct stranger s;
	struct node n;
	size_t len;

	(void)state;
	stranger_make(&s, 1);
	for (size_t d = 0; d < NELEM(dests); d++)
		for (uint8_t type = PACKET_DATA; type <= PACKET_PROOF; type++) {
			if (type == PACKET_ANNOUNCE)
				continue;
			node_open(&n, true, false, priv);
			plain_if(&n, 0, RNS_IF_LOCAL_CLIENT);
			plain_if(&n, 1, RNS_IF_NET);
			len = stranger_announce(&s, raw, T0, 0, NULL, false);
			node_in(&n, 0, raw, len);
			node_run(&n, 60 * NODE_SECOND);
			node_clear(&n);
			flags = (uint8_t)PACKET_FLAGS(dests[d], type);
			len = packet_for(&s, &n, raw, flags, 0, false);
			node_in(&n, 1, raw, len);
			raw[1]++;
			if (node_sent(&n, 0, raw, len) != 1)
				fail_msg("%02x", flags);
			assert_int_equal(n.out_count, 1);
			node_close(&n);
		}
}

/* Without a path our id is no reason to keep it from those who live here. */
static void
without_a_path_it_may_be_ours(void **state)
{
	uint8_t raw[RNS_MTU], asked[RNS_MTU];
	struct stranger s;
	struct node n;
	size_t len, m;

	(void)state;
	stranger_make(&s, 1);
	node_open(&n, true, false, priv);
	plain_if(&n, 0, RNS_IF_NET);
	plain_if(&n, 1, RNS_IF_NET);
	heard(&n, &s, T0, 2, neighbour_x.b, false);
	node_run(&n, 60 * NODE_SECOND);
	node_clear(&n);
	m = path_request_make(asked, &s.dest, NULL, 7);
	raw[0] = asked[0] | FLAG_HEADER_2 | FLAG_TRANSPORT;
	raw[1] = 0;
	memcpy(raw + 2, rns_identity_hash(n.r), RNS_HASH);
	memcpy(raw + 2 + RNS_HASH, asked + 2, m - 2);
	len = m + RNS_HASH;
	node_in(&n, 1, raw, len);
	node_run(&n, 10 * NODE_SECOND);
	assert_int_equal(n.out_count, 1);
	assert_int_equal(n.out[0].ifid, 1);
	assert_int_equal(n.out[0].data[0] & 3, PACKET_ANNOUNCE);
	node_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_announce_of_it_counts),
	    cmocka_unit_test(every_type_is_passed_on),
	    cmocka_unit_test(to_a_program_without_our_id),
	    cmocka_unit_test(without_a_path_it_may_be_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
