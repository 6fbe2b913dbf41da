/* SPDX-License-Identifier: BSD-2-Clause */
/* Key texts, fingerprints, URNs: klp-keys.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trust/doc/keytext.h"
#include "trust/doc/secp.h"
#include "common/util.h"
#include "tests/unit/vec.h"

static void
same(const json_t *row, const char *member, const struct klp_key *want)
{
	struct klp_key k;
	const char *t;

	if (vec_is_null(row, member))
		return;
	t = vec_str(row, member);
	assert_true(key_parse(&k, t, strlen(t)));
	assert_true(key_equal(&k, want));
}

static void
test_keys(void **state)
{
	json_t *root = vec_load("klp-keys.json"), *row;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(root, "keys"), i, row)
	{
		bool secp = strcmp(vec_str(row, "kind"), "ecc-secp256k1") == 0;
		struct klp_secret s = {
		    .kind = secp ? KEY_SECP256K1 : KEY_ED25519};
		struct klp_key k, raw;
		struct fp fp, want;
		char t[URN_MAX];
		const char *urn = vec_str(row, "urn");
		size_t n;
		uint8_t *pub = vec_bytes(row, "public", &n);

		vec_exact(row, "private", s.raw, 32);
		assert_true(secret_public(&k, &s));
		assert_true(key_set(&raw, s.kind, pub, n));
		assert_true(key_equal(&k, &raw));
		key_text(t, &k);
		assert_string_equal(t, vec_str(row, "text"));
		same(row, "text", &k);
		same(row, "base58", &k);
		same(row, "did", &k);
		same(row, "uncompressed", &k);
		key_fp(&fp, &k);
		vec_exact(row, "fp", HASH_BYTES(want));
		assert_memory_equal(fp.b, want.b, FP_LEN);
		assert_true(urn_parse(&want, urn, strlen(urn)));
		assert_memory_equal(fp.b, want.b, FP_LEN);
		assert_true(urn_make(t, "kindai", "human", &fp));
		assert_true(ident_parse(&want, urn, strlen(urn)));
		assert_true(ident_parse(&want, vec_str(row, "did"),
		    strlen(vec_str(row, "did"))));
		assert_memory_equal(fp.b, want.b, FP_LEN);
	}
}

static void
test_invalid(void **state)
{
	json_t *root = vec_load("klp-keys.json"), *row;
	struct klp_key k;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(root, "invalid"), i, row)
	{
		const char *t = json_string_value(row);

		assert_non_null(t);
		assert_false(key_parse(&k, t, strlen(t)));
	}
	/* hybrid form of an uncompressed point */
	row = json_array_get(vec_array(root, "keys"), 0);
	{
		char *t = (char *)vec_copy(vec_str(row, "uncompressed"),
		    strlen(vec_str(row, "uncompressed")) + 1);

		t[strlen("pubkey:ecc-secp256k1:") + 1] = '6';
		assert_false(key_parse(&k, t, strlen(t)));
		t[strlen("pubkey:ecc-secp256k1:") + 1] = '7';
		assert_false(key_parse(&k, t, strlen(t)));
	}
}

static void
test_urns(void **state)
{
#define F64 "a17636ee2000e767c974a77c1961d29828c91946019f5833844664ee07f57cad"
	static const struct {
		const char *text;
		bool urn, ident;
	} rows[] = {
	    {"urn:klp:kindai:human:" F64, true, true},
	    {"urn:klp:a-0:sig:" F64, true, true},
	    {"urn:klp:kindai:robot:" F64, false, false},
	    {"urn:klp::human:" F64, false, false},
	    {"urn:klp:Kindai:human:" F64, false, false},
	    {"urn:klp:kindai:human:" F64 "0", false, false},
	    {"urn:klp:kindai:human:A17636ee2000e767c974a77c1961d29828c91946019"
	     "f5833844664ee07f57cad",
		false, false},
	    {"kid:kindai:" F64, false, true},
	    {"kid:kindai:" F64 "00", false, false},
	    {"did:kai:" F64, false, false},
	    {"agent://" F64, false, false},
	    {"", false, false},
	    {"urn:klp:", false, false},
	};
	struct fp fp;
	char t[URN_MAX];

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		size_t n = strlen(rows[i].text);

		assert_int_equal(urn_parse(&fp, rows[i].text, n), rows[i].urn);
		assert_int_equal(ident_parse(&fp, rows[i].text, n),
		    rows[i].ident);
	}
	assert_false(urn_make(t, "", "human", &fp));
	assert_false(urn_make(t, "a.b", "human", &fp));
	assert_false(urn_make(t, "abcdefghijklmnopqrstuvwxyzabcdefg", "human",
	    &fp));
	assert_true(urn_make(t, "abcdefghijklmnopqrstuvwxyzabcdef", "service",
	    &fp));
	assert_true(urn_parse(&fp, t, strlen(t)));
}

static void
test_base58(void **state)
{
	/* the first three: draft-msporny-base58, test vectors */
	static const struct {
		const char *text, *hex;
	} t[] = {
		{"2NEpo7TZRRrLZSi2U", "48656c6c6f20576f726c6421"},
		{"USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
		    "54686520717569636b2062726f776e20666f78206a756d7073206f76"
		    "657220746865206c617a7920646f672e"},
		{"11233QC4", "0000287fb4cd"},
		{"1", "00"},
		{"z", "39"},
		{"21", "3a"},
	};
	uint8_t want[64], out[64];

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		size_t n = strlen(t[i].hex) / 2, len = strlen(t[i].text);

		assert_true(hex_decode(want, n, t[i].hex, 2 * n));
		assert_int_equal(base58_decode(out, sizeof(out), t[i].text,
		    len), n);
		assert_memory_equal(out, want, n);
		assert_int_equal(base58_decode(out, n, t[i].text, len), n);
		assert_int_equal(base58_decode(out, n - 1, t[i].text, len), 0);
	}
	assert_int_equal(base58_decode(out, sizeof(out), "0", 1), 0);
	assert_int_equal(base58_decode(out, sizeof(out), "a\0b", 3), 0);
}

static void
test_identities(void **state)
{
	json_t *root = vec_load("klp-keys.json"), *row;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(root, "identities"), i, row)
	{
		uint8_t pub[RNS_PUBLIC_LEN];
		struct hash16 hash, want;

		vec_exact(row, "public", pub, sizeof(pub));
		vec_exact(row, "identity_hash", HASH_BYTES(want));
		rns_hash_of(&hash, pub);
		assert_memory_equal(hash.b, want.b, sizeof(hash));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_invalid),
	    cmocka_unit_test(test_urns),
	    cmocka_unit_test(test_base58),
	    cmocka_unit_test(test_identities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
