/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/crypt.h"
#include "transport/core/base/identity.h"
#include "transport/core/base/packet.h"
#include "tests/unit/vec.h"

static void
test_keys(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("identities.json"), "identities"),
	    i, v) {
		uint8_t priv[64], pub[64], p[64];
		struct hash16 hash, h;
		struct identity id;

		vec_exact(v, "private_key", priv, 64);
		vec_exact(v, "public_key", pub, 64);
		vec_exact(v, "hash", HASH_BYTES(hash));
		assert_int_equal(identity_load(&id, priv), RNS_OK);
		assert_memory_equal(id.pub, pub, 64);
		assert_memory_equal(id.hash.b, hash.b, 16);
		assert_memory_equal(id.x_priv, priv, 32);
		assert_int_equal(rns_identity_derive(p, &h, priv), RNS_OK);
		assert_memory_equal(p, pub, 64);
		assert_memory_equal(h.b, hash.b, 16);
		rns_identity_hash_of(&h, pub);
		assert_memory_equal(h.b, hash.b, 16);
		identity_clear(&id);
		for (size_t k = 0; k < sizeof(id); k++)
			assert_int_equal(((uint8_t *)&id)[k], 0);
	}
}

static void
test_signatures(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("identities.json"), "signatures"),
	    i, v) {
		uint8_t priv[64], pub[64], sig[64], made[64];
		size_t n, sig_len;
		uint8_t *msg = vec_bytes(v, "message", &n);
		uint8_t *s = vec_bytes(v, "signature", &sig_len);
		struct identity id;

		if (sig_len != 64)
			continue; /* the type system refuses it */
		memcpy(sig, s, 64);
		vec_exact(v, "public_key", pub, 64);
		assert_int_equal(rns_identity_verify(pub, sig, msg, n),
		    vec_bool(v, "valid"));
		if (!vec_bool(v, "valid"))
			continue;
		vec_exact(v, "private_key", priv, 64);
		assert_int_equal(rns_identity_sign(made, priv, msg, n), RNS_OK);
		assert_memory_equal(made, sig, 64);
		assert_int_equal(identity_load(&id, priv), RNS_OK);
		identity_sign(&id, made, msg, n);
		assert_memory_equal(made, sig, 64);
	}
}

static void
must_not_open(void *arg, const uint8_t *token, size_t n)
{
	uint8_t out[600];
	size_t out_len;

	assert_int_equal(identity_decrypt(out, &out_len, sizeof(out), arg, NULL,
	    0, false, NULL, token, n), RNS_EAUTH);
}

static void
try_encryption(const json_t *v)
{
	uint8_t priv[64], keys[8][32], eph[32], iv[16], ratchet[32];
	struct hash16 hash;
	size_t n, plain_len, got_len, count = 0, k;
	uint8_t *token = vec_bytes(v, "token", &n);
	uint8_t *plain = vec_bytes(v, "plaintext", &plain_len);
	uint8_t *got = vec_alloc(n);
	struct identity id;
	json_t *r;
	bool enforce = false;
	int err;

	vec_exact(v, "private_key", priv, 64);
	vec_exact(v, "identity_hash", HASH_BYTES(hash));
	assert_int_equal(identity_load(&id, priv), RNS_OK);
	assert_memory_equal(id.hash.b, hash.b, 16);
	if (!vec_is_null(v, "ratchets")) {
		json_array_foreach(vec_array(v, "ratchets"), k, r) {
			size_t kn;

			memcpy(keys[count++],
			    vec_unhex(json_string_value(r), &kn), 32);
		}
		enforce = vec_bool(v, "enforce_ratchets");
	} else if (!vec_is_null(v, "ratchet_private")) {
		vec_exact(v, "ratchet_private", keys[count++], 32);
	}
	err = identity_decrypt(got, &got_len, n, &id,
	    (const uint8_t(*)[32])keys, count, enforce, NULL, token, n);
	if (!vec_bool(v, "valid")) {
		assert_int_equal(err, RNS_EAUTH);
		return;
	}
	assert_int_equal(err, RNS_OK);
	vec_equal(got, got_len, plain, plain_len);
	if (vec_is_null(v, "ephemeral_private"))
		return;
	vec_exact(v, "ephemeral_private", eph, 32);
	vec_exact(v, "iv", iv, 16);
	if (!vec_is_null(v, "ratchet_public"))
		vec_exact(v, "ratchet_public", ratchet, 32);
	assert_int_equal(identity_encrypt(got, &got_len, n - 1, id.pub, &hash,
	    count > 0 ? ratchet : NULL, eph, iv, plain, plain_len), RNS_EBIG);
	assert_int_equal(identity_encrypt(got, &got_len, n, id.pub, &hash,
	    count > 0 ? ratchet : NULL, eph, iv, plain, plain_len), RNS_OK);
	vec_equal(got, got_len, token, n);
	if (n <= 96 && count == 0) {
		vec_each_prefix(token, n, must_not_open, &id);
		vec_each_flip(token + 32, 1, must_not_open, &id);
	}
}

static void
test_encryption(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("identities.json"), "encryption"),
	    i, v)
		try_encryption(v);
}

/* One good packet, each bit: X25519 ignores the top bit of a point. */
static void
flip_or_open(void *arg, const uint8_t *token, size_t n)
{
	uint8_t out[600];
	size_t out_len;
	struct identity *id = arg;
	int err = identity_decrypt(out, &out_len, sizeof(out), id, NULL, 0,
	    false, NULL, token, n);

	assert_true(err == RNS_OK || err == RNS_EAUTH);
	id->pub[0] = (uint8_t)(id->pub[0] + (err == RNS_OK));
}

static void
test_flips(void **state)
{
	uint8_t priv[64] = {3, 1, 4}, eph[32] = {1, 5}, iv[16] = {9}, out[96];
	struct identity id;
	size_t n;

	(void)state;
	assert_int_equal(identity_load(&id, priv), RNS_OK);
	assert_int_equal(identity_encrypt(out, &n, sizeof(out), id.pub,
	    &id.hash, NULL, eph, iv, (const uint8_t *)"abc", 3), RNS_OK);
	id.pub[0] = 0; /* counts what still opened */
	vec_each_flip(out, n, flip_or_open, &id);
	assert_int_equal(id.pub[0], 1);
}

/* Packets to a destination over three rotations. */
static void
test_ratchets(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("ratchets.json"), "steps"), i,
	    v) {
		uint8_t priv[64], keys[8][32], pub[32], want[32], out[500];
		size_t n, raw_len, plain_len, k, count = 0;
		uint8_t *raw = vec_bytes(v, "data_packet_raw", &raw_len);
		uint8_t *plain = vec_bytes(v, "plaintext", &plain_len);
		uint8_t eph[32], iv[16], id10[10];
		struct id32 full;
		struct identity id;
		struct packet p;
		json_t *r;
		int used = -7;

		vec_exact(v, "private_key", priv, 64);
		vec_exact(v, "announced_ratchet", want, 32);
		assert_int_equal(identity_load(&id, priv), RNS_OK);
		json_array_foreach(vec_array(v, "ratchets"), k, r)
			memcpy(keys[count++],
			    vec_unhex(json_string_value(r), &n), 32);
		crypt_x25519_public(pub, keys[0]);
		assert_memory_equal(pub, want, 32);
		vec_exact(v, "ratchet_id", id10, 10);
		crypt_sha256(&full, pub, 32);
		assert_memory_equal(full.b, id10, 10);
		assert_int_equal(packet_parse(&p, raw, raw_len), RNS_OK);
		assert_int_equal(identity_decrypt(out, &n, sizeof(out), &id,
		    (const uint8_t(*)[32])keys, count, true, &used, p.data,
		    p.data_len), RNS_OK);
		vec_equal(out, n, plain, plain_len);
		assert_int_equal(used, 0);
		vec_exact(v, "ephemeral_private", eph, 32);
		vec_exact(v, "iv", iv, 16);
		assert_int_equal(identity_encrypt(out, &n, sizeof(out), id.pub,
		    &id.hash, pub, eph, iv, plain, plain_len), RNS_OK);
		vec_equal(out, n, p.data, p.data_len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_signatures),
	    cmocka_unit_test(test_encryption),
	    cmocka_unit_test(test_flips),
	    cmocka_unit_test(test_ratchets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
