/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs of work of packets: what others' are worth, where ours would go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rns/rns.h>

#include "tests/unit/relay_node.h"
#include "tests/unit/vec.h"
#include "transport/core/base/stamp.h"

static void
fill(void *arg, uint8_t *out, size_t n)
{
	uint8_t *next = arg;

	for (size_t i = 0; i < n; i++)
		out[i] = (*next)++;
}

/* ---- received ---- */

static const uint8_t self[RNS_KEY] = {3};

static uint64_t
total(const struct rns *r, enum rns_value_kind kind)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < RNS_VALUE_BITS; i++)
		n += rns_values(r, kind, i);
	return n;
}

static unsigned
bits_of(const struct hash16 *dest, const void *stamp, size_t n)
{
	struct stamp_work w;
	struct id32 product;

	stamp_work(&w, dest->b, sizeof(dest->b), 0);
	stamp_product(&product, &w, stamp, n);
	return stamp_value(&product) / STAMP_BIT;
}

static void
counted_announces(void **state)
{
	uint8_t raw[RNS_MTU];
	struct stranger s;
	struct node n;
	size_t len;
	unsigned bits;

	(void)state;
	node_open(&n, true, false, self);
	node_if(&n, 1, RNS_IF_NET, RNS_MODE_FULL, 0, false);
	stranger_make(&s, 7);
	len = stranger_announce(&s, raw, 1000, 0, NULL, false);
	/* random hash: behind header, key and name hash */
	bits = bits_of(&s.dest, raw + 19 + 64 + 10, 5);
	node_in(&n, 1, raw, len);
	assert_int_equal(rns_values(n.r, RNS_VALUE_ANNOUNCE_RANDOM, bits), 1);
	assert_int_equal(total(n.r, RNS_VALUE_ANNOUNCE_RANDOM), 1);
	/* a copy is no news */
	node_in(&n, 1, raw, len);
	assert_int_equal(total(n.r, RNS_VALUE_ANNOUNCE_RANDOM), 1);
	assert_int_equal(rns_values(n.r, RNS_VALUE_KINDS, 0), 0);
	assert_int_equal(rns_values(n.r, 0, RNS_VALUE_BITS), 0);
	node_close(&n);
}

static void
counted_requests(void **state)
{
	uint8_t raw[RNS_MTU], tag[16];
	struct stranger s;
	struct node n;
	size_t len;
	unsigned bits;

	(void)state;
	node_open(&n, true, false, self);
	node_if(&n, 1, RNS_IF_NET, RNS_MODE_FULL, 0, false);
	stranger_make(&s, 7);
	memset(tag, 5, sizeof(tag));
	bits = bits_of(&s.dest, tag, sizeof(tag));
	len = path_request_make(raw, &s.dest, NULL, 5);
	node_in(&n, 1, raw, len);
	assert_int_equal(rns_values(n.r, RNS_VALUE_PATH_REQUEST, bits), 1);
	/* the same tag again is dropped before */
	raw[1]++;
	node_in(&n, 1, raw, len);
	assert_int_equal(total(n.r, RNS_VALUE_PATH_REQUEST), 1);
	node_close(&n);
}

/* A request of the vectors through a relay: what its maker says it is worth. */
static void
counted_links(void **state)
{
	json_t *v = json_array_get(vec_array(vec_load("stamps-1.6.json"),
	    "link_keys"), 1);
	uint8_t raw[RNS_MTU] = {0x02}; /* SINGLE, link request */
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	struct stamp_work w;
	struct id32 product;
	uint8_t material[48];
	struct hash16 dest;
	struct node n;
	unsigned bits;

	(void)state;
	node_open(&n, true, false, self);
	node_if(&n, 1, RNS_IF_NET, RNS_MODE_FULL, 0, false);
	cmd.dest.name = "some.where";
	cmd.dest.has_identity = true;
	memset(cmd.dest.identity, 9, RNS_KEY);
	cmd.dest.accept_links = true;
	assert_int_equal(node_submit(&n, &cmd), RNS_OK);
	rns_identity_derive(raw + 19, &dest, cmd.dest.identity);
	assert_int_equal(rns_dest_hash(&dest, cmd.dest.name, &dest), RNS_OK);
	memcpy(raw + 2, dest.b, RNS_HASH);
	vec_exact(v, "link_request_data", raw + 19, 64);
	memcpy(material, dest.b, RNS_HASH);
	memcpy(material + 16, raw + 19 + 32, 32);
	stamp_work(&w, material, sizeof(material), 0);
	stamp_product(&product, &w, raw + 19, 32);
	bits = stamp_value(&product) / STAMP_BIT;
	node_in(&n, 1, raw, 19 + 64);
	assert_int_equal(rns_values(n.r, RNS_VALUE_LINK_REQUEST, bits), 1);
	node_close(&n);
}

/* ---- ours ---- */

struct hooks {
	unsigned keys, tags, announces, values;
	uint8_t x_priv[32], tag[16];
	size_t suffix;
};

static bool
link_key(void *arg, const struct hash16 *dest, const uint8_t ed[32],
    uint8_t x_priv[32])
{
	struct hooks *h = arg;

	(void)dest;
	(void)ed;
	h->keys++;
	memcpy(x_priv, h->x_priv, 32);
	return true;
}

static bool
tag(void *arg, const struct hash16 *dest, uint8_t out[16])
{
	struct hooks *h = arg;

	(void)dest;
	h->tags++;
	memcpy(out, h->tag, 16);
	return true;
}

static size_t
announce(void *arg, const struct hash16 *dest, uint8_t random[5],
    uint8_t suffix[RNS_SUFFIX_MAX])
{
	struct hooks *h = arg;

	(void)dest;
	h->announces++;
	memset(random, 0x77, 5);
	memset(suffix, 0x55, RNS_SUFFIX_MAX);
	return h->suffix;
}

static void
value(void *arg, enum rns_value_kind kind, const struct hash16 *dest,
    uint32_t worth)
{
	struct hooks *h = arg;

	(void)kind;
	(void)dest;
	(void)worth;
	h->values++;
}

static struct rns *
hooked(struct hooks *h, uint8_t *seed)
{
	struct rns_config cfg = {.random = fill, .random_arg = seed,
	    .wall_us = NODE_WALL_US, .stamps = {h, link_key, tag, announce,
	    value}};
	struct rns_cmd cmd = {.type = RNS_CMD_IF_ADD};
	struct rns *r;

	rns_limits_default(&cfg.limits);
	memset(cfg.identity, 3, RNS_KEY);
	r = rns_new(&cfg, (struct mono){1});
	cmd.iface = (struct rns_if){.id = 1, .kind = RNS_IF_NET,
	    .mode = RNS_MODE_FULL, .out = true, .online = true};
	assert_int_equal(rns_submit(r, &cmd, (struct mono){1}), RNS_OK);
	return r;
}

static void
next_tx(struct rns *r, struct rns_tx *tx)
{
	struct rns_event ev;

	while (rns_next_event(r, &ev))
		;
	assert_true(rns_next_tx(r, tx));
}

static void
own_announce(void **state)
{
	static const size_t suffixes[] = {34, 0, 35}; /* 35: more than there is */
	uint8_t seed = 0, app[317 + 1] = {1};
	struct hooks h = {0};
	struct rns *r = hooked(&h, &seed);
	struct rns_cmd add = {.type = RNS_CMD_DEST_ADD};
	struct rns_cmd say = {.type = RNS_CMD_ANNOUNCE};
	struct mono now = {1};
	struct rns_tx tx;

	(void)state;
	add.dest.name = "some.where";
	add.dest.has_identity = true;
	memset(add.dest.identity, 9, RNS_KEY);
	assert_int_equal(rns_submit(r, &add, now), RNS_OK);
	rns_identity_derive(app, &say.announce.dest, add.dest.identity);
	(void)rns_dest_hash(&say.announce.dest, add.dest.name,
	    &say.announce.dest);
	say.announce.app_data = app;
	for (size_t i = 0; i < 3; i++) {
		now.us += 5 * NODE_SECOND;
		h.suffix = suffixes[i];
		say.announce.app_data_len = 20;
		assert_int_equal(rns_submit(r, &say, now), RNS_OK);
		next_tx(r, &tx);
		assert_int_equal(tx.len, 19 + 148 + 20 + (i == 0 ? 34 : 0));
		assert_int_equal(tx.data[19 + 74], 0x77);
		assert_int_equal(tx.data[tx.len - 1], i == 0 ? 0x55 : app[19]);
	}
	/* what leaves no room for it goes without, and stays within 484 */
	now.us += 5 * NODE_SECOND;
	h.suffix = 34;
	say.announce.app_data_len = 300;
	assert_int_equal(rns_submit(r, &say, now), RNS_OK);
	next_tx(r, &tx);
	assert_int_equal(tx.len, 19 + 148 + 300);
	say.announce.app_data_len = 318;
	now.us += 5 * NODE_SECOND;
	assert_int_equal(rns_submit(r, &say, now), RNS_EBIG);
	assert_int_equal(h.announces, 4);
	rns_free(r);
}

static void
own_requests(void **state)
{
	struct hooks h = {.tag = {1, 2, 3}, .x_priv = {8, [31] = 0x40}};
	struct rns_cmd cmd = {.type = RNS_CMD_PATH_REQUEST};
	uint8_t seed = 0, raw[RNS_MTU], pub[RNS_KEY], priv[RNS_KEY];
	struct rns *r = hooked(&h, &seed);
	struct mono now = {NODE_SECOND};
	struct hash16 ignored;
	struct stranger s;
	struct rns_tx tx;
	size_t len;

	(void)state;
	stranger_make(&s, 7);
	cmd.hash = s.dest;
	assert_int_equal(rns_submit(r, &cmd, now), RNS_OK);
	next_tx(r, &tx);
	assert_memory_equal(tx.data + tx.len - 16, h.tag, 16);
	assert_int_equal(h.tags, 1);

	len = stranger_announce(&s, raw, 1000, 0, NULL, false);
	assert_int_equal(rns_recv(r, 1, raw, len, now), RNS_OK);
	assert_int_equal(h.values, 1);
	cmd = (struct rns_cmd){.type = RNS_CMD_LINK_OPEN};
	cmd.link_open.dest = s.dest;
	assert_int_equal(rns_submit(r, &cmd, now), RNS_OK);
	next_tx(r, &tx);
	memcpy(priv, h.x_priv, 32);
	memset(priv + 32, 1, 32);
	rns_identity_derive(pub, &ignored, priv);
	assert_memory_equal(tx.data + 19, pub, 32);
	assert_int_equal(h.keys, 1);
	rns_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counted_announces),
		cmocka_unit_test(counted_requests),
		cmocka_unit_test(counted_links),
		cmocka_unit_test(own_announce),
		cmocka_unit_test(own_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
