/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/crypt.h"
#include "transport/core/base/const.h"
#include "transport/core/base/ifac.h"
#include "tests/unit/vec.h"

static const char *
text(const json_t *v, const char *key)
{
	return vec_is_null(v, key) ? NULL : vec_str(v, key);
}

static void
load(struct ifac *f, const json_t *v)
{
	uint8_t key[64] = {0}, want[64];
	uint8_t size = vec_is_null(v, "ifac_size") ?
	    0 : (uint8_t)vec_int(v, "ifac_size");

	if (size > 0) {
		assert_int_equal(rns_ifac_key(key, text(v, "network_name"),
		    text(v, "passphrase")), RNS_OK);
		if (!vec_is_null(v, "ifac_key")) {
			vec_exact(v, "ifac_key", want, 64);
			assert_memory_equal(key, want, 64);
		}
	}
	assert_int_equal(ifac_init(f, size, key), RNS_OK);
}

static void
test_keys(void **state)
{
	json_t *v;
	size_t i;
	uint8_t key[64];

	(void)state;
	json_array_foreach(vec_array(vec_load("ifac.json"), "keys"), i, v) {
		uint8_t pub[32], want[64], sig[64];
		struct id32 hash;
		struct ifac f;

		load(&f, v);
		crypt_ed25519_public(pub, f.key + 32);
		vec_exact(v, "ifac_ed25519_public", want, 32);
		assert_memory_equal(pub, want, 32);
		vec_exact(v, "interface_signature", want, 64);
		crypt_sha256(&hash, f.key, 64);
		crypt_ed25519_sign(sig, f.ed_sk, HASH_BYTES(hash));
		assert_memory_equal(sig, want, 64);
		ifac_clear(&f);
		assert_int_equal(f.size, 0);
	}
	assert_int_equal(rns_ifac_key(key, NULL, NULL), RNS_EINVAL);
	assert_int_equal(rns_ifac_key(key, "", NULL), RNS_EINVAL);
}

static void
must_refuse(void *arg, const uint8_t *p, size_t n)
{
	uint8_t out[1024];
	size_t out_len = 4711;

	assert_int_not_equal(ifac_unmask(arg, out, &out_len, sizeof(out), p, n),
	    RNS_OK);
	assert_int_equal(out_len, 4711);
}

static void
test_packets(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("ifac.json"), "packets"), i, v) {
		size_t n, raw_len, plain_len, got_len = 0;
		uint8_t *masked = vec_bytes(v, "masked", &n);
		uint8_t *raw = vec_bytes(v, "raw", &raw_len);
		uint8_t *plain = vec_bytes(v, "unmasked", &plain_len);
		uint8_t *got = vec_alloc(n);
		struct ifac f;
		int err;

		load(&f, v);
		/* what rns_recv() looks at (reticulum-transport.md 3.1) */
		if (f.size == 0)
			err = (masked[0] & FLAG_IFAC) != 0 ? RNS_EPARSE :
							     RNS_OK;
		else
			err = ifac_unmask(&f, got, &got_len, n, masked, n);
		assert_int_equal(err == RNS_OK, vec_bool(v, "accepted"));
		if (err != RNS_OK || f.size == 0)
			continue;
		vec_equal(got, got_len, plain, plain_len);
		assert_int_equal(ifac_unmask(&f, got, &got_len, n - 1, masked,
		    n), RNS_EBIG);
		assert_int_equal(ifac_mask(&f, got, n - 1, raw, raw_len), 0);
		assert_int_equal(ifac_mask(&f, got, n, raw, raw_len), n);
		assert_memory_equal(got, masked, n);
		if (f.size >= 8)
			vec_each_prefix(masked, n, must_refuse, &f);
		if (f.size >= 8 && n < 120)
			vec_each_flip(masked, n, must_refuse, &f);
	}
}

/* Longer than 8,160 bytes the counter of the mask wraps. */
static void
test_long(void **state)
{
	uint8_t key[64] = {4}, *raw = vec_alloc(20000), *out = vec_alloc(20016);
	uint8_t *back = vec_alloc(20016);
	struct ifac f;
	size_t n;

	(void)state;
	for (size_t i = 0; i < 20000; i++)
		raw[i] = (uint8_t)(i * 31 & 0x7f);
	assert_int_equal(ifac_init(&f, 65, key), RNS_EINVAL);
	assert_int_equal(ifac_init(&f, 16, key), RNS_OK);
	assert_int_equal(ifac_mask(&f, out, 20016, raw, 20000), 20016);
	assert_int_equal(ifac_unmask(&f, back, &n, 20016, out, 20016), RNS_OK);
	vec_equal(back, n, raw, 20000);
	assert_int_equal(ifac_mask(&f, out, 20016, raw, 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_packets),
	    cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
