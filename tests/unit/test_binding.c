/* SPDX-License-Identifier: BSD-2-Clause */
/* Bindings and live proofs: klp-binding.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "trust/doc/binding.h"
#include "common/util.h"
#include "tests/unit/vec.h"

static void
test_build(void **state)
{
	json_t *root = vec_load("klp-binding.json"), *row;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(root, "bindings"), i, row)
	{
		struct klp_secret s = {.kind = KEY_SECP256K1};
		struct binding b = {0}, c;
		uint8_t rns[64], want[BINDING_LEN], got[BINDING_LEN];
		uint8_t ann[BINDING_ANNOUNCE_LEN];
		struct klp_key k;
		uint32_t now = (uint32_t)vec_int(row, "not_before");

		s.bip340 = strcmp(vec_str(row, "scheme"), "bip340") == 0;
		vec_exact(row, "secp_private", s.raw, 32);
		vec_exact(row, "rns_private", rns, 64);
		vec_exact(row, "standalone", want, sizeof(want));
		assert_true(binding_parse(&c, want, sizeof(want)));
		assert_true(secret_public(&k, &s));
		b.bip340 = s.bip340;
		memcpy(b.secp, k.raw, 33);
		memcpy(b.rns, c.rns, 64);
		b.serial = (uint32_t)vec_int(row, "serial");
		b.not_before = now;
		b.not_after = (uint32_t)vec_int(row, "not_after");
		assert_true(binding_sign_secp(&b, &s, NULL));
		assert_true(binding_sign_rns(&b, rns + 32));
		binding_put(got, &b);
		assert_memory_equal(got, want, sizeof(got));
		assert_null(binding_check(&b, b.rns, now));
		assert_null(binding_check_at(&b, now));
		assert_non_null(binding_check_at(&b, now - 1));
		assert_non_null(binding_check_at(&b, b.not_after));
		assert_int_equal(binding_renew_at(&b),
		    now + (b.not_after - now) / 3 * 2);
		binding_put_announce(ann, &b);
		vec_exact(row, "announce", want, sizeof(ann));
		assert_memory_equal(ann, want, sizeof(ann));
		assert_true(binding_parse_announce(&c, ann, sizeof(ann),
		    b.rns));
		assert_null(binding_check_announce(&c, b.rns, now));
		assert_true(binding_key(&k, &c));
		assert_int_equal(k.bip340, s.bip340);
	}
}

static void
test_check(void **state)
{
	json_t *root = vec_load("klp-binding.json"), *row;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(root, "check"), i, row)
	{
		size_t n;
		uint8_t *buf = vec_bytes(row, "standalone", &n), rns[64];
		struct binding b;
		bool ok;

		vec_exact(row, "rns_public", rns, 64);
		ok = binding_parse(&b, buf, n) &&
		    binding_check(&b, rns, (uint32_t)vec_int(row, "now")) ==
			NULL;
		if (ok != vec_bool(row, "accepted"))
			fail_msg("%s", vec_str(row, "name"));
	}
}

static void
test_challenge(void **state)
{
	json_t *row = json_array_get(
	    vec_array(vec_load("klp-binding.json"), "challenge"), 0);
	struct hash16 link;
	uint8_t n[32], m[32], ini[64], res[64], want[32];
	struct id32 d;
	uint8_t sig[SIG_LEN], good[SIG_LEN];
	const uint8_t zero[64] = {0};
	struct klp_secret s = {.kind = KEY_SECP256K1};
	struct klp_key k;

	(void)state;
	vec_exact(row, "link_id", HASH_BYTES(link));
	vec_exact(row, "n", n, 32);
	vec_exact(row, "m", m, 32);
	vec_exact(row, "initiator_public", ini, 64);
	vec_exact(row, "responder_public", res, 64);
	vec_exact(row, "private", s.raw, 32);
	challenge_digest(&d, &link, n, m, zero, res);
	vec_exact(row, "digest_unidentified", want, 32);
	assert_memory_equal(d.b, want, 32);
	challenge_digest(&d, &link, n, m, ini, res);
	vec_exact(row, "digest", want, 32);
	assert_memory_equal(d.b, want, 32);
	for (int bip = 0; bip < 2; bip++) {
		s.bip340 = bip != 0;
		assert_true(secret_public(&k, &s));
		assert_true(secp_sign(sig, &s, &d, NULL));
		vec_exact(row, bip ? "bip340" : "ecdsa", good, SIG_LEN);
		assert_memory_equal(sig, good, SIG_LEN);
		assert_true(secp_verify(&k, good, &d));
		/* a key has one scheme: the other does not pass */
		k.bip340 = !s.bip340;
		assert_false(secp_verify(&k, good, &d));
	}
}

static void
none(void *arg, const uint8_t *p, size_t n)
{
	const struct binding *good = arg;
	struct binding b;

	if (binding_parse(&b, p, n))
		assert_non_null(binding_check(&b, good->rns, good->not_before));
	if (binding_parse_announce(&b, p, n, good->rns))
		assert_non_null(binding_check_announce(&b, good->rns,
		    good->not_before));
}

static void
test_flips(void **state)
{
	json_t *rows = vec_array(vec_load("klp-binding.json"), "bindings");
	json_t *row;
	size_t i;

	(void)state;
	json_array_foreach(rows, i, row)
	{
		size_t n, an;
		uint8_t *buf = vec_bytes(row, "standalone", &n);
		uint8_t *ann = vec_bytes(row, "announce", &an);
		struct binding b;

		assert_true(binding_parse(&b, buf, n));
		vec_each_prefix(buf, n, none, &b);
		vec_each_flip(buf, n, none, &b);
		vec_each_prefix(ann, an, none, &b);
		vec_each_flip(ann, an, none, &b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_build),
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_challenge),
	    cmocka_unit_test(test_flips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
