/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/crypt.h"
#include "transport/core/base/packet.h"
#include "tests/unit/vec.h"

/* Every value of a good packet, and the way back where there is one. */
static void
check_fields(const json_t *v, const uint8_t *raw, size_t n)
{
	struct packet p;
	struct id32 hash;
	struct hash16 dest;
	uint8_t buf[600];
	size_t data_len, id_len;
	uint8_t *data = vec_bytes(v, "data", &data_len);
	uint8_t *id = vec_bytes(v, "transport_id", &id_len);

	assert_int_equal(packet_parse(&p, raw, n), RNS_OK);
	assert_int_equal(p.header_2, vec_int(v, "header_type"));
	assert_int_equal(p.context_flag, vec_int(v, "context_flag"));
	assert_int_equal(p.transport, vec_int(v, "transport_type"));
	assert_int_equal(p.dest_type, vec_int(v, "destination_type"));
	assert_int_equal(p.type, vec_int(v, "packet_type"));
	assert_int_equal(p.hops, vec_int(v, "hops"));
	assert_int_equal(p.context, vec_int(v, "context"));
	vec_exact(v, "destination_hash", HASH_BYTES(dest));
	assert_memory_equal(p.dest->b, dest.b, 16);
	vec_equal(p.data, p.data_len, data, data_len);
	assert_int_equal(p.transport_id != NULL, id != NULL);
	if (id != NULL)
		assert_memory_equal(p.transport_id, id, 16);
	vec_exact(v, "packet_hash", HASH_BYTES(hash));
	assert_memory_equal(p.hash.b, hash.b, 32);
	assert_true(p.raw == raw && p.raw_len == n);

	if (p.header_2 || p.hops != 0)
		return;
	assert_int_equal(packet_build(buf, n - 1, p.flags, &dest, p.context,
	    data, data_len), 0);
	assert_int_equal(packet_build(buf, sizeof(buf), p.flags, &dest,
	    p.context, data, data_len), n);
	assert_memory_equal(buf, raw, n);
	/* data in place */
	assert_int_equal(packet_head(buf, p.flags, &dest, p.context), 19);
	assert_memory_equal(buf, raw, n);
}

static void
any_verdict(void *arg, const uint8_t *raw, size_t n)
{
	struct packet p = {0};
	int err = packet_parse(&p, raw, n);

	(void)arg;
	if (err == RNS_OK) {
		assert_true(p.data > raw && p.data + p.data_len == raw + n);
		assert_true(p.hops < 128 && p.data_len > 0);
	} else {
		assert_int_equal(err, RNS_EPARSE);
		assert_null(p.raw);
	}
}

static void
check_array(const char *file, const char *key)
{
	json_t *v;
	size_t i;

	json_array_foreach(vec_array(vec_load(file), key), i, v) {
		size_t n, data_len;
		uint8_t *raw = vec_bytes(v, "raw", &n);
		struct packet p;

		(void)vec_bytes(v, "data", &data_len);
		/* since 1.5.1 a packet has data (reticulum-endpoint.md 3.3) */
		if (!vec_bool(v, "valid") || data_len == 0)
			assert_int_equal(packet_parse(&p, raw, n), RNS_EPARSE);
		else
			check_fields(v, raw, n);
		vec_each_prefix(raw, n, any_verdict, NULL);
		if (n < 70)
			vec_each_flip(raw, n, any_verdict, NULL);
	}
}

static void
test_packets(void **state)
{
	(void)state;
	check_array("packets.json", "packets");
	check_array("packets.json", "edge_cases");
	check_array("packets.json", "packed");
}

static void
test_hash_invariance(void **state)
{
	json_t *v;
	size_t i;
	struct id32 first;

	(void)state;
	check_array("packets.json", "hash_invariance");
	json_array_foreach(vec_array(vec_load("packets.json"),
	    "hash_invariance"), i, v) {
		struct id32 hash;

		vec_exact(v, "packet_hash", HASH_BYTES(hash));
		if (i == 0)
			first = hash;
		assert_memory_equal(hash.b, first.b, 32);
	}
}

static void
test_packets_15(void **state)
{
	static const char *const keys[] = {"no_data", "truncated"};
	json_t *root = vec_load("packets-1.5.json"), *v;
	size_t i;

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		json_array_foreach(vec_array(root, keys[k]), i, v) {
			size_t n;
			uint8_t *raw = vec_bytes(v, "raw", &n);
			struct packet p;

			assert_int_equal(packet_parse(&p, raw, n) == RNS_OK,
			    vec_bool(v, "valid"));
		}
	}
}

static void
test_signalling(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("derived.json"), "signalling"), i,
	    v) {
		uint8_t want[3], got[3], mode;
		uint32_t mtu;

		if (vec_is_null(v, "bytes"))
			continue; /* a mode that is never sent */
		vec_exact(v, "bytes", want, 3);
		signalling_put(got, (uint32_t)vec_int(v, "mtu"),
		    (uint8_t)vec_int(v, "mode"));
		assert_memory_equal(got, want, 3);
		signalling_get(want, &mtu, &mode);
		assert_int_equal(mtu, vec_int(v, "decoded_mtu"));
		assert_int_equal(mode, vec_int(v, "decoded_mode"));
	}
}

static void
test_link_id(void **state)
{
	uint8_t raw[19 + 70], r2[35 + 67];
	struct hash16 with, without, moved;
	struct packet p;

	(void)state;
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(i * 7);
	raw[0] = PACKET_FLAGS(DEST_SINGLE, PACKET_LINKREQUEST);
	raw[1] = 0;
	raw[18] = 0;
	assert_int_equal(packet_parse(&p, raw, 19 + 67), RNS_OK);
	packet_link_id(&with, &p);
	assert_int_equal(packet_parse(&p, raw, 19 + 64), RNS_OK);
	packet_link_id(&without, &p);
	assert_memory_equal(with.b, without.b, 16);
	assert_memory_equal(p.hash.b, without.b, 16);
	/* header type 2 on the way */
	r2[0] = raw[0] | FLAG_HEADER_2 | FLAG_TRANSPORT;
	r2[1] = 5;
	memset(r2 + 2, 0xee, 16);
	memcpy(r2 + 18, raw + 2, 17 + 67);
	assert_int_equal(packet_parse(&p, r2, sizeof(r2)), RNS_OK);
	packet_link_id(&moved, &p);
	assert_memory_equal(moved.b, with.b, 16);
}

static void
test_proofs(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("proofs.json"), "proofs"), i, v) {
		size_t pn, rn;
		uint8_t *packet = vec_bytes(v, "packet_raw", &pn);
		uint8_t *proof = vec_bytes(v, "proof_raw", &rn);
		uint8_t priv[64], sk[64], pub[32], data[96], made[19 + 96];
		struct packet p, q;
		const uint8_t *sig;
		bool explicit, ok;

		vec_exact(v, "private_key", priv, 64);
		crypt_ed25519_expand(sk, priv + 32);
		crypt_ed25519_public(pub, priv + 32);
		assert_int_equal(packet_parse(&p, packet, pn), RNS_OK);
		assert_int_equal(packet_parse(&q, proof, rn), RNS_OK);
		vec_exact(v, "packet_hash", data, 32);
		assert_memory_equal(p.hash.b, data, 32);
		explicit = q.data_len == 96;
		sig = explicit ? q.data + 32 : q.data;
		ok = (explicit || q.data_len == 64) &&
		    (!explicit || crypt_equal(q.data, HASH_BYTES(p.hash))) &&
		    crypt_ed25519_verify(pub, sig, HASH_BYTES(p.hash));
		assert_int_equal(ok, vec_bool(v, "valid"));
		if (!ok)
			continue;
		proof_sign(data + 32, sk, &p.hash);
		assert_int_equal(packet_build(made, sizeof(made),
		    PACKET_FLAGS(DEST_SINGLE, PACKET_PROOF),
		    hash16_at(p.hash.b), CTX_NONE, explicit ? data : data + 32,
		    explicit ? 96 : 64), rn);
		assert_memory_equal(made, proof, rn);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_packets),
	    cmocka_unit_test(test_hash_invariance),
	    cmocka_unit_test(test_packets_15),
	    cmocka_unit_test(test_signalling),
	    cmocka_unit_test(test_link_id),
	    cmocka_unit_test(test_proofs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
