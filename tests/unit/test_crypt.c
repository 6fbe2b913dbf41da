/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/crypt.h"
#include "tests/unit/vec.h"

static void
test_hashes(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("crypto.json"), "hashes"), i, v) {
		uint8_t want[32];
		struct hash16 cut;
		struct id32 got;
		size_t n;
		uint8_t *data = vec_bytes(v, "data", &n);
		size_t third = n / 3;
		struct iovec_c two[2] = {{data, third},
		    {data + third, n - third}};

		vec_exact(v, "sha256", want, 32);
		vec_exact(v, "truncated16", HASH_BYTES(cut));
		crypt_sha256(&got, data, n);
		assert_memory_equal(got.b, want, 32);
		assert_memory_equal(got.b, cut.b, 16);
		rns_sha256(&got, data, n);
		assert_memory_equal(got.b, want, 32);
		crypt_sha256v(&got, two, 2);
		assert_memory_equal(got.b, want, 32);
	}
}

static void
test_hkdf(void **state)
{
	json_t *v;
	size_t i, done = 0;

	(void)state;
	json_array_foreach(vec_array(vec_load("crypto.json"), "hkdf"), i, v) {
		size_t ikm_len, salt_len, ctx_len, okm_len;
		uint8_t *ikm = vec_bytes(v, "ikm", &ikm_len);
		uint8_t *salt = vec_bytes(v, "salt", &salt_len);
		uint8_t *okm = vec_bytes(v, "okm", &okm_len), *out;

		/*
		 * no use of the protocol has a context
		 * (reticulum-endpoint.md 2.2)
		 */
		(void)vec_bytes(v, "context", &ctx_len);
		if (ctx_len > 0)
			continue;
		assert_int_equal(vec_int(v, "length"), okm_len);
		out = vec_alloc(okm_len);
		crypt_hkdf(out, okm_len, ikm, ikm_len, salt, salt_len);
		assert_memory_equal(out, okm, okm_len);
		done++;
	}
	assert_true(done >= 10);
}

/* RFC 4231, cases 1, 2 and 6; in one piece and in three. */
static void
test_hmac(void **state)
{
	static const struct {
		uint8_t key_byte;
		size_t key_len;
		const char *msg, *mac;
	} cases[] = {
	    {0x0b, 20, "Hi There",
		"b0344c61d8db38535ca8afceaf0bf12b"
		"881dc200c9833da726e9376c2e32cff7"},
	    {0xaa, 131,
		"Test Using Larger Than Block-Size Key - Hash Key First",
		"60e431591ee0b67f0d8a26aacbf5b77f"
		"8e0bc6213728c5140546040f0ee37f54"},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t key[131], got[32];
		size_t n, len = strlen(cases[i].msg);
		uint8_t *want = vec_unhex(cases[i].mac, &n);
		struct iovec_c v[3] = {{cases[i].msg, 3}, {"", 0},
		    {cases[i].msg + 3, len - 3}};

		memset(key, cases[i].key_byte, sizeof(key));
		crypt_hmac(got, key, cases[i].key_len, v, 3);
		assert_memory_equal(got, want, 32);
	}
}

static void
test_x25519(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("crypto.json"), "x25519"), i, v) {
		uint8_t a[32], ap[32], b[32], bp[32], want[32], got[32];

		vec_exact(v, "a_private", a, 32);
		vec_exact(v, "a_public", ap, 32);
		vec_exact(v, "b_private", b, 32);
		vec_exact(v, "b_public", bp, 32);
		vec_exact(v, "shared", want, 32);
		crypt_x25519_public(got, a);
		assert_memory_equal(got, ap, 32);
		crypt_x25519_public(got, b);
		assert_memory_equal(got, bp, 32);
		assert_int_equal(crypt_x25519(got, a, bp), RNS_OK);
		assert_memory_equal(got, want, 32);
		assert_int_equal(crypt_x25519(got, b, ap), RNS_OK);
		assert_memory_equal(got, want, 32);
	}
}

static void
test_x25519_zero(void **state)
{
	uint8_t priv[32] = {7}, pub[32] = {0};
	struct id32 out, same;

	(void)state;
	memset(&out, 0x55, sizeof(out));
	same = out;
	assert_int_equal(crypt_x25519(out.b, priv, pub), RNS_EAUTH);
	pub[0] = 1;
	assert_int_equal(crypt_x25519(out.b, priv, pub), RNS_EAUTH);
	assert_memory_equal(out.b, same.b, sizeof(out));
}

struct token_case {
	const uint8_t *key;
	size_t key_len;
};

static void
must_not_open(void *arg, const uint8_t *token, size_t n)
{
	struct token_case *c = arg;
	uint8_t out[600];
	size_t out_len = 4711;
	int err = token_decrypt(out, &out_len, sizeof(out), c->key, c->key_len,
	    token, n);

	assert_true(err == RNS_EAUTH || err == RNS_EPARSE);
	assert_int_equal(out_len, 4711);
}

static void
test_tokens(void **state)
{
	json_t *v;
	size_t i, odd = 0;

	(void)state;
	json_array_foreach(vec_array(vec_load("crypto.json"), "tokens"), i, v) {
		size_t key_len, n, plain_len, got_len = 0;
		uint8_t *key = vec_bytes(v, "key", &key_len);
		uint8_t *token = vec_bytes(v, "token", &n);
		uint8_t *plain = vec_bytes(v, "plaintext", &plain_len);
		uint8_t *got = vec_alloc(n), *made, iv[16];
		struct token_case c = {key, key_len};
		int err = token_decrypt(got, &got_len, n, key, key_len, token,
		    n);

		if (!vec_bool(v, "valid")) {
			assert_true(err == RNS_EAUTH || err == RNS_EPARSE);
			continue;
		}
		assert_int_equal(err, RNS_OK);
		vec_equal(got, got_len, plain, plain_len);
		if (vec_is_null(v, "iv")) { /* padding that no sender makes */
			odd++;
			continue;
		}
		vec_exact(v, "iv", iv, 16);
		assert_int_equal(token_len(plain_len), n);
		made = vec_alloc(n);
		assert_int_equal(token_encrypt(made, &got_len, n - 1, key,
		    key_len, iv, plain, plain_len), RNS_EBIG);
		assert_int_equal(token_encrypt(made, &got_len, n, key, key_len,
		    iv, plain, plain_len), RNS_OK);
		vec_equal(made, got_len, token, n);
		vec_each_prefix(token, n, must_not_open, &c);
		if (n <= 128)
			vec_each_flip(token, n, must_not_open, &c);
	}
	assert_int_equal(odd, 2);
}

/* Pieces, and a buffer that is encrypted where it stands. */
static void
test_token_pieces(void **state)
{
	uint8_t key[64] = {1, 2, 3}, iv[16] = {9}, text[100], a[200], b[200];
	size_t an, bn;
	struct iovec_c v[3] = {{text, 4}, {text + 4, 0}, {text + 4, 96}};

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)i;
	assert_int_equal(token_encrypt(a, &an, sizeof(a), key, 64, iv, text,
	    sizeof(text)), RNS_OK);
	assert_int_equal(token_encryptv(b, &bn, sizeof(b), key, 64, iv, v, 3),
	    RNS_OK);
	vec_equal(b, bn, a, an);
	memcpy(b + 16, text, sizeof(text));
	assert_int_equal(token_encrypt(b, &bn, sizeof(b), key, 64, iv, b + 16,
	    sizeof(text)), RNS_OK);
	vec_equal(b, bn, a, an);
	assert_int_equal(token_decrypt(b + 16, &bn, sizeof(b) - 16, key, 64, b,
	    an), RNS_OK);
	vec_equal(b + 16, bn, text, sizeof(text));
	assert_int_equal(token_decrypt(b, &bn, sizeof(b), key, 48, a, an),
	    RNS_EINVAL);
	assert_int_equal(token_decrypt(b, &bn, an - 49, key, 64, a, an),
	    RNS_EBIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hashes),
	    cmocka_unit_test(test_hkdf),
	    cmocka_unit_test(test_hmac),
	    cmocka_unit_test(test_x25519),
	    cmocka_unit_test(test_x25519_zero),
	    cmocka_unit_test(test_tokens),
	    cmocka_unit_test(test_token_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
