/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "transport/core/base/announce.h"
#include "transport/core/base/packet.h"
#include "tests/unit/relay_node.h"

/*
 * What passes through as it came, so that nodes of RNS 1.6 can put stamps
 * where they like: the rules of reticulum-1.6.md 10.2 for a relay.
 */
enum { FROM, TO, GATE, PROGRAM };

static const uint8_t priv[RNS_KEY] = {9, 8, 7};
#define T0 1800000000u

static void
open_relay(struct node *n)
{
	node_open(n, true, false, priv);
	node_if(n, FROM, RNS_IF_NET, RNS_MODE_FULL, 1000, true);
	node_if(n, TO, RNS_IF_NET, RNS_MODE_FULL, 500, true);
	node_if(n, GATE, RNS_IF_NET, RNS_MODE_GATEWAY, 500, false);
	node_if(n, PROGRAM, RNS_IF_LOCAL_CLIENT, RNS_MODE_FULL, 262144, true);
}

/* An announce with all that may stand in one; rest: the last bytes. */
static size_t
announce(uint8_t raw[RNS_MTU], uint64_t emitted, const uint8_t random[5],
    const uint8_t *rest, size_t n, bool ratchet)
{
	static const uint8_t key[RNS_RATCHET] = {0x12, 0x34};
	uint8_t name[RNS_NAME_HASH];
	struct identity id;
	struct stranger s;
	size_t len;

	stranger_number(&s, 1);
	rns_name_hash(name, "test.relay");
	assert_int_equal(identity_load(&id, s.priv), RNS_OK);
	len = announce_build(raw, &id, &s.dest, name, random, emitted,
	    ratchet ? key : NULL, rest, n, false);
	assert_true(len > 0);
	return len;
}

static bool
passed_as_it_was(const struct node_out *o, const uint8_t *raw, size_t len)
{
	return o->len == len + RNS_HASH &&
	    memcmp(o->data + HEADER_2_LEN, raw + HEADER_1_LEN,
	    len - HEADER_1_LEN) == 0;
}

/* Rule 1: after the header byte for byte, wherever it goes. */
static void
announces(void **state)
{
	static const uint8_t random[5] = {1, 2, 3, 4, 5};
	uint8_t raw[RNS_MTU], odd[200], req[RNS_MTU];
	struct stranger s;
	struct node n;
	size_t len;

	(void)state;
	stranger_number(&s, 1);
	for (unsigned ratchet = 0; ratchet <= 1; ratchet++) {
		/* No msgpack, NULs, and a tail that could be a stamp. */
		for (size_t i = 0; i < sizeof(odd); i++)
			odd[i] = (uint8_t)(i * 37 + (i > 100 ? 0xc1 : 0));
		len = announce(raw, T0, random, odd, sizeof(odd),
		    ratchet != 0);
		open_relay(&n);
		node_in(&n, FROM, raw, len);
		node_run(&n, NODE_SECOND);
		assert_in_range(n.out_count, 4, 4);
		for (size_t i = 0; i < n.out_count; i++)
			assert_true(passed_as_it_was(&n.out[i], raw, len));
		node_run(&n, 10 * NODE_SECOND);
		node_clear(&n);
		/* And as the answer to a request. */
		node_in(&n, TO, req, path_request_make(req, &s.dest, NULL, 1));
		node_run(&n, NODE_SECOND);
		assert_int_equal(n.out_count, 1);
		assert_true(passed_as_it_was(&n.out[0], raw, len));
		assert_int_equal(n.out[0].data[34], CTX_PATH_RESPONSE);
		node_close(&n);
	}
}

static size_t
request(uint8_t raw[RNS_MTU], unsigned who, size_t n)
{
	uint8_t data[200];
	struct stranger s;
	struct hash16 to;

	stranger_number(&s, who);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i + n);
	memcpy(data, HASH_BYTES(s.dest));
	assert_int_equal(rns_dest_hash(&to, PATH_REQUEST_NAME, NULL), 0);
	return packet_build(raw, RNS_MTU,
	    PACKET_FLAGS(DEST_PLAIN, PACKET_DATA), &to, CTX_NONE, data, n);
}

/* Rules 2 and 3, searching: all 16 bytes of the tag, own transport id. */
static void
requests_go_on(void **state)
{
	static const size_t sizes[] = {32, 48, 64, 80, 200};
	uint8_t raw[RNS_MTU];
	struct node n;
	size_t len, tag;

	(void)state;
	for (size_t i = 0; i < NELEM(sizes); i++) {
		open_relay(&n);
		len = request(raw, 1, sizes[i]);
		tag = HEADER_1_LEN + (sizes[i] == 32 ? 16 : 32);
		node_in(&n, GATE, raw, len);
		assert_int_equal(n.out_count, 3);
		for (size_t k = 0; k < 3; k++) {
			const uint8_t *p = n.out[k].data;

			assert_int_equal(n.out[k].len, HEADER_1_LEN + 48);
			assert_memory_equal(p + HEADER_1_LEN,
			    raw + HEADER_1_LEN, RNS_HASH);
			assert_memory_equal(p + HEADER_1_LEN + 16,
			    rns_identity_hash(n.r), RNS_HASH);
			assert_memory_equal(p + HEADER_1_LEN + 32, raw + tag,
			    16);
		}
		assert_int_equal(rns_drops(n.r, RNS_DROP_PATH_LONG),
		    sizes[i] > 48);
		/* What stands behind the tag makes no other request. */
		raw[len] = 0x55;
		node_clear(&n);
		if (sizes[i] > 32)
			node_in(&n, GATE, raw, len + 1);
		assert_int_equal(n.out_count, 0);
		node_close(&n);
	}
}

/* Rule 3, answering. */
static void
long_requests_are_answered(void **state)
{
	static const size_t sizes[] = {17, 32, 48, 64, 80};
	static const uint8_t random[5] = {1};
	uint8_t raw[RNS_MTU];
	struct node n;

	(void)state;
	open_relay(&n);
	node_in(&n, FROM, raw, announce(raw, T0, random, NULL, 0, false));
	node_run(&n, 10 * NODE_SECOND);
	for (size_t i = 0; i < NELEM(sizes); i++) {
		node_clear(&n);
		node_in(&n, TO, raw, request(raw, 1, sizes[i]));
		node_run(&n, NODE_SECOND);
		assert_int_equal(n.out_count, 1);
		assert_int_equal(n.out[0].ifid, TO);
	}
	node_close(&n);
}

/* Rule 4: only what has 67 bytes has an MTU that is ours to reduce. */
static void
link_requests(void **state)
{
	static const size_t sizes[] = {1, 40, 63, 64, 65, 67, 96, 99, 200};
	static const uint8_t random[5] = {1};
	uint8_t raw[RNS_MTU], data[200];
	struct stranger s;
	struct node n;
	size_t len;
	uint32_t mtu;
	uint8_t mode;

	(void)state;
	stranger_number(&s, 1);
	for (size_t i = 0; i < NELEM(sizes); i++) {
		open_relay(&n);
		node_in(&n, TO, raw, announce(raw, T0, random, NULL, 0,
		    false));
		node_clear(&n);
		memset(data, 0x20, sizeof(data));
		signalling_put(data + sizes[i] - 3 * (sizes[i] > 3), 1000, 1);
		len = stranger_packet(&s, &n, raw, PACKET_LINKREQUEST, data,
		    sizes[i]);
		node_in(&n, FROM, raw, len);
		assert_int_equal(n.out_count, 1);
		assert_int_equal(n.out[0].ifid, TO);
		assert_int_equal(n.out[0].len, HEADER_1_LEN + sizes[i]);
		len = sizes[i] == 67 ? 64 : sizes[i];
		assert_memory_equal(n.out[0].data + HEADER_1_LEN, data, len);
		if (sizes[i] == 67) {
			signalling_get(n.out[0].data + HEADER_1_LEN + 64, &mtu,
			    &mode);
			assert_int_equal(mtu, 500);
			assert_int_equal(mode, 1);
		}
		node_close(&n);
	}
}

/* Rule 4 at the destination: nothing but 64 and 67 bytes is answered. */
static void
link_requests_here(void **state)
{
	static const size_t sizes[] = {1, 63, 64, 65, 67, 96, 99};
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD,
	    .dest = {.type = RNS_SINGLE, .name = "test.relay",
	        .has_identity = true, .accept_links = true}};
	uint8_t raw[RNS_MTU], data[200];
	struct stranger s;
	struct node n;
	size_t len;

	(void)state;
	stranger_number(&s, 1);
	memcpy(c.dest.identity, s.priv, RNS_KEY);
	open_relay(&n);
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	for (size_t i = 0; i < NELEM(sizes); i++) {
		node_clear(&n);
		memset(data, 0x20 + (int)i, sizeof(data));
		signalling_put(data + 64, 500, 1);
		len = packet_build(raw, sizeof(raw), PACKET_FLAGS(DEST_SINGLE,
		    PACKET_LINKREQUEST), &s.dest, CTX_NONE, data, sizes[i]);
		node_in(&n, FROM, raw, len);
		assert_int_equal(n.out_count, sizes[i] == 64 ||
		    sizes[i] == 67);
	}
	node_close(&n);
}

/* Rule 5: equal when all ten bytes are, in order of the last five. */
static void
random_hashes(void **state)
{
	static const uint8_t a[5] = {1, 2, 3, 4, 5}, b[5] = {9, 9, 9, 9, 9};
	uint8_t raw[RNS_MTU];
	struct rns_path p;
	struct stranger s;
	struct node n;

	(void)state;
	stranger_number(&s, 1);
	open_relay(&n);
	node_in(&n, FROM, raw, announce(raw, T0, a, NULL, 0, false));
	/* The first half again and again is no repetition. */
	for (unsigned k = 1; k <= 3; k++) {
		node_in(&n, FROM, raw, announce(raw, T0 + k, a, NULL, 0,
		    false));
		assert_true(rns_path_get(n.r, &s.dest, &p));
		assert_int_equal(p.blob_count, k + 1);
	}
	assert_int_equal(rns_drops(n.r, RNS_DROP_ANNOUNCE_OLD), 0);
	/* Another first half does not make it newer. */
	node_in(&n, FROM, raw, announce(raw, T0 + 3, b, NULL, 0, false));
	node_in(&n, FROM, raw, announce(raw, T0 + 2, b, NULL, 0, false));
	assert_int_equal(rns_drops(n.r, RNS_DROP_ANNOUNCE_OLD), 2);
	assert_true(rns_path_get(n.r, &s.dest, &p));
	assert_int_equal(p.blob_count, 4);
	node_close(&n);
}

static char
said(struct node *n, const struct stranger *s)
{
	struct rns_known k;

	assert_true(rns_known_get(n->r, &s->dest, &k));
	assert_int_equal(k.app_data_len, 1);
	return (char)k.app_data[0];
}

static void
says(struct node *n, uint64_t emitted, uint8_t hop, char text, bool good)
{
	uint8_t raw[RNS_MTU], random[5] = {(uint8_t)text};
	size_t len = announce(raw, emitted, random, (const uint8_t *)&text, 1,
	    false);

	raw[1] = hop;
	raw[len - 1] ^= !good;
	node_in(n, FROM, raw, len);
}

/* What makes no path is news all the same, when it is as new as the newest. */
static void
several_in_a_second(void **state)
{
	static const struct {
		uint64_t emitted;
		uint8_t hop;
		char text;
		bool good;
		char then;
	} all[] = {{T0, 0, 'a', true, 'a'}, {T0, 0, 'b', true, 'b'},
	    {T0, 3, 'c', true, 'c'}, {T0, 0, 'b', true, 'c'},
	    {T0 - 1, 0, 'd', true, 'c'}, {T0, 0, 'e', false, 'c'},
	    {T0 + 1, 0, 'f', true, 'f'}, {T0, 0, 'g', true, 'f'}};
	struct rns_cmd bh = {.type = RNS_CMD_BLACKHOLE};
	struct stranger s;
	struct node n;

	(void)state;
	stranger_number(&s, 1);
	open_relay(&n);
	for (size_t i = 0; i < NELEM(all); i++) {
		says(&n, all[i].emitted, all[i].hop, all[i].text, all[i].good);
		assert_int_equal(said(&n, &s), all[i].then);
	}
	assert_int_equal(rns_drops(n.r, RNS_DROP_ANNOUNCE_OLD), 6);
	assert_int_equal(rns_drops(n.r, RNS_DROP_ANNOUNCE_SIG), 1);
	bh.blackhole.identity = s.id;
	bh.blackhole.on = true;
	assert_int_equal(node_submit(&n, &bh), RNS_OK);
	says(&n, T0 + 1, 0, 'h', true);
	assert_int_equal(said(&n, &s), 'f');
	node_close(&n);
}

/* Rule 11: a relay has room for its transport id in what we announce. */
static void
own_announces_leave_room(void **state)
{
	static const uint8_t app[RNS_MTU];
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD,
	    .dest = {.type = RNS_SINGLE, .name = "test.relay",
	        .has_identity = true}};
	struct rns_cmd tell = {.type = RNS_CMD_ANNOUNCE};
	struct stranger s;
	struct node n;
	size_t most = RNS_MTU - HEADER_2_LEN - ANNOUNCE_BARE;

	(void)state;
	stranger_number(&s, 1);
	memcpy(c.dest.identity, s.priv, RNS_KEY);
	open_relay(&n);
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	tell.announce.dest = s.dest;
	tell.announce.app_data = app;
	tell.announce.app_data_len = most + 1;
	assert_int_equal(node_submit(&n, &tell), RNS_EBIG);
	while (node_submit(&n, &tell) == RNS_EBIG)
		tell.announce.app_data_len--;
	assert_true(n.out_count > 0 && n.out[0].len > 480);
	for (size_t i = 0; i < n.out_count; i++)
		assert_true(n.out[i].len <= 484);
	node_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(announces),
	    cmocka_unit_test(requests_go_on),
	    cmocka_unit_test(long_requests_are_answered),
	    cmocka_unit_test(link_requests),
	    cmocka_unit_test(link_requests_here),
	    cmocka_unit_test(random_hashes),
	    cmocka_unit_test(several_in_a_second),
	    cmocka_unit_test(own_announces_leave_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
