/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/packet.h"
#include "tests/unit/relay_node.h"
#include "tests/unit/vec.h"

/*
 * What the reference's relay did with given packets (local-relay*.json), and a
 * trace of programs on a shared instance (local-attach.json).
 */
#define IF_MAX 8
#define LINK_DEST_SEED 100 /* the files: "private key: bytes 100..163" */

struct expect {
	unsigned ifid;
	uint8_t *data;
	size_t len;
	bool seen;
};

static unsigned
if_index(const json_t *kase, const char *name)
{
	json_t *ifs = vec_array(kase, "interfaces"), *i;
	size_t k;

	json_array_foreach(ifs, k, i)
		if (strcmp(vec_str(i, "name"), name) == 0)
			return (unsigned)k;
	fail_msg("no interface %s", name);
	return 0;
}

static void
add_known(struct node *n)
{
	struct rns_cmd c = {.type = RNS_CMD_KNOWN_ADD};
	uint8_t priv[RNS_KEY];
	struct hash16 id;

	for (size_t i = 0; i < RNS_KEY; i++)
		priv[i] = (uint8_t)(LINK_DEST_SEED + i);
	assert_int_equal(rns_identity_derive(c.known.public_key, &id, priv), 0);
	(void)vec_unhex("dfce73d96846d1f0cdff3a8b0ee68f68", &(size_t){0});
	c.known.dest = *hash16_at(vec_unhex("dfce73d96846d1f0cdff3a8b0ee68f68",
	    &(size_t){0}));
	c.known.heard_us = NODE_WALL_US;
	assert_int_equal(node_submit(n, &c), RNS_OK);
}

static void
case_open(struct node *n, const json_t *file, const json_t *kase)
{
	uint8_t priv[RNS_KEY];
	json_t *o;
	size_t k;

	vec_exact(file, "transport_identity_private_hex", priv, RNS_KEY);
	node_open(n, true, false, priv);
	json_array_foreach(vec_array(kase, "interfaces"), k, o) {
		json_t *mtu = json_object_get(o, "hw_mtu");
		json_t *mode = json_object_get(o, "mode");
		bool sig = json_is_true(json_object_get(o, "auto")) ||
		    json_is_true(json_object_get(o, "fixed"));

		node_if(n, (unsigned)k, RNS_IF_NET, mode != NULL ?
		    (enum rns_if_mode)json_integer_value(mode) :
		    RNS_MODE_FULL, mtu == NULL ? RNS_MTU :
		    (uint32_t)json_integer_value(mtu), sig);
	}
	add_known(n);
	json_array_foreach(vec_array(kase, "paths"), k, o) {
		struct rns_cmd c = {.type = RNS_CMD_PATH_ADD};

		vec_exact(o, "dest", HASH_BYTES(c.path.dest));
		vec_exact(o, "next_hop", HASH_BYTES(c.path.next_hop));
		c.path.hops = (uint8_t)vec_int(o, "hops");
		c.path.ifid = if_index(kase, vec_str(o, "interface"));
		c.path.learned_us = NODE_WALL_US;
		c.path.expires_us = NODE_WALL_US + NODE_SECOND;
		assert_int_equal(node_submit(n, &c), RNS_OK);
	}
}

/* Every packet that came out was expected, and the other way round. */
static void
compare(const struct node *n, const json_t *kase, const json_t *step,
    const char *where)
{
	json_t *outs = vec_array(step, "out"), *o;
	bool used[NODE_OUT_MAX] = {false};
	size_t k, len;

	json_array_foreach(outs, k, o) {
		unsigned ifid = if_index(kase, vec_str(o, "interface"));
		uint8_t *p = vec_bytes(o, "packet", &len);
		bool found = false;

		for (size_t i = 0; i < n->out_count && !found; i++) {
			if (used[i] || n->out[i].ifid != ifid ||
			    n->out[i].len != len ||
			    memcmp(n->out[i].data, p, len) != 0)
				continue;
			used[i] = found = true;
		}
		if (!found)
			fail_msg("%s: missing on %s", where,
			    vec_str(o, "interface"));
	}
	if (n->out_count != json_array_size(outs))
		fail_msg("%s: %zu came out, %zu were expected", where,
		    n->out_count, json_array_size(outs));
}

static void
run_case(const json_t *file, const json_t *kase, bool waits)
{
	const char *name = vec_str(kase, "case");
	/* Where announces wait, the capture took 8.5 s a step. */
	bool slow = !waits && (strcmp(name, "announce relay") == 0 ||
	    strcmp(name, "path request answered from the table") == 0);
	struct node n;
	json_t *step;
	size_t k;

	case_open(&n, file, kase);
	json_array_foreach(vec_array(kase, "steps"), k, step) {
		struct rns_path path;
		struct hash16 dest;
		uint8_t *p;
		char where[200];
		size_t len;

		(void)snprintf(where, sizeof(where), "%s, step %zu", name, k);
		p = vec_bytes(step, "packet", &len);
		node_in(&n, if_index(kase, vec_str(step, "in")), p, len);
		if (slow)
			node_run(&n, 8500000);
		else if (waits && !vec_is_null(step, "wait") &&
		    vec_int(step, "wait") > 0)
			node_run(&n, vec_int(step, "wait") * NODE_SECOND);
		/* An interface without a hardware MTU is not deaf here. */
		if (strcmp(name,
		    "receiving interface without hardware MTU") == 0)
			assert_int_equal(n.out_count, 1);
		else
			compare(&n, kase, step, where);
		if (!vec_is_null(step, "path_known")) {
			vec_exact(step, "dest", HASH_BYTES(dest));
			assert_int_equal(rns_path_get(n.r, &dest, &path),
			    vec_bool(step, "path_known"));
		}
		node_clear(&n);
	}
	node_close(&n);
}

static void
relay_1_4(void **state)
{
	json_t *file = vec_load("local-relay.json"), *kase;
	size_t k;

	(void)state;
	json_array_foreach(vec_array(file, "cases"), k, kase)
		run_case(file, kase, false);
}

static void
relay_1_5(void **state)
{
	json_t *file = vec_load("local-relay-1.5.json"), *kase;
	size_t k;

	(void)state;
	json_array_foreach(vec_array(file, "cases"), k, kase)
		run_case(file, kase, true);
}

/* ---- what a relay remembers ends (reticulum-transport.md 2.3, 2.4) ---- */

/* Step k of a named case of local-relay.json. */
static const json_t *
step_of(const json_t *file, const char *name, size_t k, const json_t **kase)
{
	json_t *c;
	size_t i;

	json_array_foreach(vec_array(file, "cases"), i, c) {
		if (strcmp(vec_str(c, "case"), name) != 0)
			continue;
		*kase = c;
		return json_array_get(vec_array(c, "steps"), k);
	}
	fail_msg("no case %s", name);
	return NULL;
}

static void
play(struct node *n, const json_t *kase, const json_t *step)
{
	size_t len;
	uint8_t *p = vec_bytes(step, "packet", &len);

	node_clear(n);
	node_in(n, if_index(kase, vec_str(step, "in")), p, len);
}

static uint32_t
link_entries(const struct node *n)
{
	struct rns_counts c;

	rns_counts(n->r, &c);
	return c.link_table;
}

/* Of them, those that were proved. */
static uint32_t
proved_links(const struct node *n)
{
	struct rns_counts c;

	rns_counts(n->r, &c);
	return c.link_table_active;
}

static void
relayed_links_end(void **state)
{
	static const char name[] = "link over a relay";
	json_t *file = vec_load("local-relay.json");
	const json_t *kase, *request = step_of(file, name, 0, &kase);
	const json_t *proof = step_of(file, name, 3, &kase);
	const json_t *alive = step_of(file, name, 8, &kase);
	struct node n;

	(void)state;
	/* Never proved: 6 s a hop, and 4000 bits at 10 Mbit/s. */
	case_open(&n, file, kase);
	play(&n, kase, request);
	node_run(&n, 18000399);
	assert_int_equal(link_entries(&n), 1);
	assert_int_equal(proved_links(&n), 0);
	node_run(&n, 1);
	assert_int_equal(link_entries(&n), 0);
	play(&n, kase, proof);
	assert_int_equal(n.out_count, 0);
	node_close(&n);
	/* Proved: 900 s without traffic. */
	case_open(&n, file, kase);
	play(&n, kase, request);
	play(&n, kase, proof);
	assert_int_equal(n.out_count, 1);
	assert_int_equal(proved_links(&n), 1);
	node_run(&n, 800 * NODE_SECOND);
	play(&n, kase, alive);
	assert_int_equal(n.out_count, 1);
	node_run(&n, 899 * NODE_SECOND);
	play(&n, kase, alive);
	assert_int_equal(n.out_count, 1);
	node_run(&n, 901 * NODE_SECOND);
	assert_int_equal(link_entries(&n), 0);
	assert_int_equal(proved_links(&n), 0);
	play(&n, kase, alive);
	assert_int_equal(n.out_count, 0);
	node_close(&n);
}

static void
dead_paths_are_asked_for(void **state)
{
	static const char name[] = "link over a relay";
	json_t *file = vec_load("local-relay.json");
	const json_t *kase, *request = step_of(file, name, 0, &kase);
	struct rns_cmd drop = {.type = RNS_CMD_PATH_DROP};
	uint8_t raw[RNS_MTU], *p;
	struct rns_path path;
	struct node n;
	size_t len;

	(void)state;
	/* The initiator is our neighbour: ask, but not where it is. */
	case_open(&n, file, kase);
	p = vec_bytes(request, "packet", &len);
	memcpy(raw, p, len);
	raw[1] = 0;
	node_in(&n, 0, raw, len);
	drop.hash = *hash16_at(raw + 18);
	node_clear(&n);
	node_run(&n, 30 * NODE_SECOND);
	assert_int_equal(n.out_count, 1);
	assert_int_equal(n.out[0].ifid, 1);
	assert_memory_equal(n.out[0].data + 19, drop.hash.b, RNS_HASH);
	assert_true(rns_path_get(n.r, &drop.hash, &path));
	node_close(&n);
	/* It is further away, as the destination is: others may know. */
	case_open(&n, file, kase);
	play(&n, kase, request);
	node_clear(&n);
	node_run(&n, 30 * NODE_SECOND);
	assert_int_equal(n.out_count, 0);
	node_close(&n);
	/* No path is left: ask everywhere. */
	case_open(&n, file, kase);
	play(&n, kase, request);
	assert_int_equal(node_submit(&n, &drop), RNS_OK);
	node_clear(&n);
	node_run(&n, 30 * NODE_SECOND);
	assert_int_equal(n.out_count, 2);
	node_close(&n);
}

static void
proofs_find_back_for_eight_minutes(void **state)
{
	static const char name[] = "packet proof over a relay";
	json_t *file = vec_load("local-relay.json");
	const json_t *kase, *packet = step_of(file, name, 0, &kase);
	const json_t *proof = step_of(file, name, 1, &kase);
	struct node n;

	(void)state;
	for (int late = 0; late < 2; late++) {
		case_open(&n, file, kase);
		play(&n, kase, packet);
		node_run(&n, 480 * NODE_SECOND - !late);
		play(&n, kase, proof);
		assert_int_equal(n.out_count, !late);
		node_close(&n);
	}
}

/* ---- hostile bytes: nothing may crash, and little may pass ---- */

struct hostile {
	struct node n;
	unsigned ifid;
};

static void
one_hostile(void *arg, const uint8_t *data, size_t len)
{
	struct hostile *h = arg;

	node_in(&h->n, h->ifid, data, len);
	node_clear(&h->n);
}

static void
prefixes_and_flips(void **state)
{
	json_t *file = vec_load("local-relay.json"), *kase, *step;
	static struct hostile h;
	size_t k, j, len;

	(void)state;
	json_array_foreach(vec_array(file, "cases"), k, kase) {
		case_open(&h.n, file, kase);
		json_array_foreach(vec_array(kase, "steps"), j, step) {
			uint8_t *p = vec_bytes(step, "packet", &len);

			h.ifid = if_index(kase, vec_str(step, "in"));
			node_in(&h.n, h.ifid, p, len);
			vec_each_prefix(p, len, one_hostile, &h);
			if (j < 2)
				vec_each_flip(p, len, one_hostile, &h);
		}
		node_run(&h.n, 1000 * INT64_C(1000000));
		node_close(&h.n);
	}
}

/* ---- programs on a shared instance ---- */

enum { IF_REMOTE, IF_P1, IF_P2 };

static int
stream_if(const char *stream)
{
	if (strncmp(stream, "remote peer", 11) == 0)
		return IF_REMOTE;
	if (strncmp(stream, "p1 ", 3) == 0)
		return IF_P1;
	return strncmp(stream, "p2 ", 3) == 0 ? IF_P2 : -1;
}

/*
 * Announces may come once where the reference sends copies
 * (reticulum-transport.md 4.5, 4.6).
 */
static bool
comparable(const uint8_t *p, size_t len)
{
	static const char own[] = "80e66c8743bcac6a63eee6eb8d2bbcca";
	struct packet pkt;
	size_t n;

	if (packet_parse(&pkt, p, len) != RNS_OK ||
	    pkt.type == PACKET_ANNOUNCE || pkt.dest_type == DEST_PLAIN)
		return false;
	/* The daemon's own destination is not part of this test. */
	return !hash16_eq(pkt.dest, hash16_at(vec_unhex(own, &n)));
}

static void
attach_trace(void **state)
{
	json_t *file = vec_load("local-attach.json"), *f;
	const json_t *ids = json_object_get(file, "identities");
	uint8_t priv[RNS_KEY], *p;
	struct node n;
	size_t k, len, compared = 0;
	int ifid;

	(void)state;
	vec_exact(json_object_get(ids, "transport"), "prv_hex", priv, RNS_KEY);
	node_open(&n, true, false, priv);
	node_if(&n, IF_REMOTE, RNS_IF_NET, RNS_MODE_FULL, 8192, true);
	node_if(&n, IF_P1, RNS_IF_LOCAL_CLIENT, RNS_MODE_FULL, 262144, true);
	node_if(&n, IF_P2, RNS_IF_LOCAL_CLIENT, RNS_MODE_FULL, 262144, true);
	json_array_foreach(vec_array(file, "trace"), k, f) {
		int64_t at = (int64_t)(vec_number(f, "t") * 1e6);

		ifid = stream_if(vec_str(f, "stream"));
		if (ifid < 0 || vec_is_null(f, "packet_hex"))
			continue;
		if (at > n.now)
			node_run(&n, at - n.now);
		p = vec_bytes(f, "packet_hex", &len);
		if (strcmp(vec_str(f, "dir"), "client>server") == 0) {
			node_in(&n, (unsigned)ifid, p, len);
			continue;
		}
		if (!comparable(p, len))
			continue;
		compared++;
		if (node_sent(&n, (unsigned)ifid, p, len) == 0)
			fail_msg("frame %zu at %.4f is missing", k,
			    vec_number(f, "t"));
	}
	assert_true(compared > 20);
	node_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(relay_1_4),
	    cmocka_unit_test(relay_1_5),
	    cmocka_unit_test(relayed_links_end),
	    cmocka_unit_test(dead_paths_are_asked_for),
	    cmocka_unit_test(proofs_find_back_for_eight_minutes),
	    cmocka_unit_test(attach_trace),
	    cmocka_unit_test(prefixes_and_flips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
