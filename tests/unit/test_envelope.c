/* SPDX-License-Identifier: BSD-2-Clause */
/* Envelopes: klp-envelope.json, klp-authority.json, hints, cuts and flips. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/b64.h"
#include "trust/doc/envelope.h"
#include "trust/doc/jdoc.h"
#include "common/util.h"
#include "tests/unit/vec.h"

#define GRAPH_TYPE "application/vnd.klp.trust-graph+json"

static struct klp_secret
secret_of(const json_t *row)
{
	const char *scheme = vec_str(row, "scheme");
	struct klp_secret s = {.kind = KEY_SECP256K1};

	if (strcmp(scheme, "ed25519") == 0)
		s.kind = KEY_ED25519;
	s.bip340 = strcmp(scheme, "bip340") == 0;
	vec_exact(row, "private", s.raw, 32);
	return s;
}

static void
test_sign(void **state)
{
	json_t *root = vec_load("klp-envelope.json"), *row;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(root, "sign"), i, row)
	{
		struct klp_secret s = secret_of(row);
		const char *type = vec_str(row, "type"), *why;
		uint8_t want[SIG_LEN], out[1024], *m, *pae, *bin, *json;
		size_t n, pae_n, m_n, bin_n, json_n;
		uint8_t *payload = vec_bytes(row, "payload", &n);
		struct env_signed one;
		struct klp_key k;
		struct env e;

		pae = vec_bytes(row, "pae", &pae_n);
		m = pae_make(&m_n, type, payload, n);
		vec_equal(m, m_n, pae, pae_n);
		free(m);
		assert_true(secret_public(&k, &s));
		key_fp(&one.fp, &k);
		assert_true(pae_sign(one.sig, &s, type, payload, n, NULL));
		vec_exact(row, "signature", want, SIG_LEN);
		assert_memory_equal(one.sig, want, SIG_LEN);
		bin = vec_bytes(row, "binary", &bin_n);
		n = env_build_binary(out, sizeof(out), type, payload, n, &one,
		    1);
		vec_equal(out, n, bin, bin_n);
		assert_int_equal(env_parse(&e, bin, bin_n, 1024, 512, &why), 0);
		assert_int_equal(env_verify(&e, type, &k, 1, NULL), 1);
		assert_int_equal(env_verify(&e, "application/x", &k, 1, NULL),
		    0);
		n = env_build_json(out, sizeof(out), type, e.payload,
		    e.payload_len, &one, 1);
		env_clear(&e);
		json = vec_bytes(row, "json", &json_n);
		vec_equal(out, n, json, json_n);
		assert_int_equal(env_parse(&e, json, json_n, 1024, 512, &why),
		    0);
		assert_int_equal(env_verify(&e, type, &k, 1, NULL), 1);
		env_clear(&e);
	}
}

/* The role's keys of the `verify` rows: board1 (ecdsa), board2 (ed25519). */
static size_t
role_keys(struct klp_key *out, size_t cap)
{
	json_t *root = vec_load("klp-keys.json"), *row;
	size_t i, n = 0;

	json_array_foreach(vec_array(root, "keys"), i, row)
	{
		const char *t = vec_str(row, "text");

		const char *name = vec_str(row, "name");
		bool ed = strcmp(vec_str(row, "kind"), "ed25519") == 0;

		if (strcmp(name, ed ? "board2" : "board1") != 0)
			continue;
		assert_true(n < cap);
		assert_true(key_parse(&out[n++], t, strlen(t)));
	}
	return n;
}

static void
test_verify(void **state)
{
	json_t *root = vec_load("klp-envelope.json"), *row;
	struct klp_key keys[8];
	size_t nkeys = role_keys(keys, NELEM(keys)), i;

	(void)state;
	json_array_foreach(vec_array(root, "verify"), i, row)
	{
		size_t n;
		uint8_t *buf = vec_bytes(row, "envelope", &n);
		int64_t threshold = vec_int(row, "threshold");
		const char *why;
		struct env e;
		bool ok = env_parse(&e, buf, n, 8192, 4096, &why) == 0 &&
		    env_verify(&e, GRAPH_TYPE, keys, nkeys, NULL) >= threshold;

		env_clear(&e);
		if (ok != vec_bool(row, "accepted"))
			fail_msg("%s", vec_str(row, "name"));
	}
}

static void
test_limits(void **state)
{
	json_t *row = json_array_get(vec_array(vec_load("klp-envelope.json"),
	    "sign"), 0);
	size_t n;
	uint8_t *bin = vec_bytes(row, "binary", &n), out[4096];
	struct env_signed many[17] = {0};
	const char *why;
	struct env e;

	(void)state;
	assert_int_equal(env_parse(&e, bin, n, n, 26, &why), 0);
	env_clear(&e);
	assert_int_equal(env_parse(&e, bin, n, n - 1, 26, &why), -1);
	assert_int_equal(env_parse(&e, bin, n, n, 25, &why), -1);
	bin = vec_bytes(row, "json", &n);
	assert_int_equal(env_parse(&e, bin, n, n, 26, &why), 0);
	env_clear(&e);
	assert_int_equal(env_parse(&e, bin, n, n, 25, &why), -1);
	env_clear(&e);
	assert_int_equal(env_parse(&e, bin, 0, n, 25, &why), -1);
	assert_int_equal(env_build_binary(out, sizeof(out), "t", "p", 1, many,
	    17), 0);
	assert_int_equal(env_build_binary(out, sizeof(out), "t", "p", 1, many,
	    0), 0);
	assert_true(env_build_binary(out, sizeof(out), "t", "p", 1, many, 16) >
	    0);
	assert_int_equal(env_build_binary(out, 30, "t", "p", 1, many, 1), 0);
	assert_int_equal(env_build_json(out, 30, "t", "p", 1, many, 1), 0);
}

/* JSON: sloppy base64 and hints. */
static void
test_json_forms(void **state)
{
	static const char sig[] =
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";
	static const struct {
		const char *payload, *sig, *keyid;
		bool ok;
	} rows[] = {
	    {"\"YQ==\"", sig, "\"x\"", true},
	    {"\"YQ==\"", sig, "1", true}, /* a hint only */
	    {"\"YQ\"", sig, "\"x\"", false},
	    {"\"YR==\"", sig, "\"x\"", false}, /* bits behind the end */
	    {"\"YQ= =\"", sig, "\"x\"", false},
	    {"\"Y-==\"", sig, "\"x\"", false},
	    {"\"\"", sig, "\"x\"", true},
	    {"1", sig, "\"x\"", false},
	    {"\"YQ==\"", "AAAA", "\"x\"", false},
	    {"\"////\"", sig, "\"x\"", true},
	    {"\"\\/\\/\\/\\/\"", sig, "\"x\"", true}, /* the same in JSON */
	    {"\"YQ==\",\"payload\":\"YQ==\"", sig, "\"x\"", false},
	    {"\"Y\xff==\"", sig, "\"x\"", false},
	    {"\"YQ==", sig, "\"x\"", false},
	    {"[\"YQ==\"]", sig, "\"x\"", false},
	};
	/* canonical: the payload first */
	static const char *const first[] = {"", "\"payloadType\":\"t\","};
	static const char *const then[] = {",\"payloadType\":\"t\"", ""};

	(void)state;
	for (size_t i = 0; i < 2 * NELEM(rows); i++) {
		char t[512];
		const char *why;
		struct env e;
		int n = snprintf(t, sizeof(t), "{%s\"payload\":%s%s,"
		    "\"signatures\":[{\"keyid\":%s,\"sig\":\"%s\"}]}",
		    first[i % 2], rows[i / 2].payload, then[i % 2],
		    rows[i / 2].keyid, rows[i / 2].sig);

		if (env_parse(&e, t, (size_t)n, 512, 512, &why) !=
		    (rows[i / 2].ok ? 0 : -1))
			fail_msg("%s", t);
		env_clear(&e);
	}
}

static void
test_failed_is_said(void **state)
{
	struct klp_secret a = {.kind = KEY_ED25519}, b = {.kind = KEY_ED25519};
	struct env_signed s[2];
	struct klp_key keys[2];
	uint8_t out[512];
	const char *why;
	unsigned failed;
	struct env e;
	size_t n;

	(void)state;
	b.raw[0] = 1;
	assert_true(secret_public(&keys[0], &a));
	assert_true(secret_public(&keys[1], &b));
	key_fp(&s[0].fp, &keys[0]);
	key_fp(&s[1].fp, &keys[1]);
	assert_true(pae_sign(s[0].sig, &a, "t", "p", 1, NULL));
	assert_true(pae_sign(s[1].sig, &b, "t", "q", 1, NULL));
	n = env_build_binary(out, sizeof(out), "t", "p", 1, s, 2);
	assert_int_equal(env_parse(&e, out, n, 512, 512, &why), 0);
	assert_int_equal(env_verify(&e, "t", keys, 2, &failed), 1);
	assert_int_equal(failed, 1);
	/* one key listed twice counts once */
	keys[1] = keys[0];
	assert_int_equal(env_verify(&e, "t", keys, 2, &failed), 1);
	env_clear(&e);
}

/* The roots and documents of an authority are envelopes. */
static void
test_authority(void **state)
{
	json_t *root = vec_load("klp-authority.json"), *row;
	struct klp_key set[ENV_KEYS_MAX];
	size_t i, nkeys = 0;

	(void)state;
	json_array_foreach(vec_array(root, "files"), i, row)
	{
		size_t n;
		uint8_t *buf = vec_bytes(row, "content", &n);
		struct id32 digest;
		uint8_t want[32];
		const char *why, *path = vec_str(row, "path");
		struct env e;

		if (strstr(path, "root.json") == NULL &&
		    strstr(path, "core.json") == NULL)
			continue; /* the head is no envelope */
		assert_int_equal(env_parse(&e, buf, n, 65536, 65536, &why), 0);
		(void)crypto_hash_sha256(digest.b, e.payload, e.payload_len);
		vec_exact(root, strstr(path, "root.json") != NULL
			? "authority_id" : "payload_sha256", want, 32);
		assert_memory_equal(digest.b, want, 32);
		if (strstr(path, "root.json") != NULL) {
			json_t *doc = jdoc_parse_canonical(e.payload,
			    e.payload_len, 16384, &why), *keys, *k;
			const char *name;

			assert_non_null(doc);
			keys = json_object_get(doc, "keys");
			json_object_foreach(keys, name, k)
			{
				const char *t = json_string_value(
				    json_object_get(k, "key"));
				const char *scheme = json_string_value(
				    json_object_get(k, "scheme"));

				assert_true(key_parse(&set[nkeys], t,
				    strlen(t)));
				set[nkeys++].bip340 =
				    strcmp(scheme, "bip340") == 0;
			}
			assert_true(env_verify(&e,
			    "application/vnd.klp.root+json", set, nkeys,
			    NULL) >= 1);
			json_decref(doc);
		} else {
			/* its keys sign the document, after it in the file */
			assert_true(env_verify(&e,
			    "application/vnd.klp.revocation-list+json", set,
			    nkeys, NULL) >= 1);
		}
		env_clear(&e);
	}
}

struct flip {
	const struct klp_key *k;
	const char *type;
	const uint8_t *good;
	size_t n;
};

/* Nothing but the hint may change and still verify. */
static void
flip(void *arg, const uint8_t *p, size_t n)
{
	const struct flip *f = arg;
	const char *why;
	struct env e;

	if (env_parse(&e, p, n, 1024, 512, &why) == 0 &&
	    env_verify(&e, f->type, f->k, 1, NULL) > 0) {
		struct env g;

		assert_int_equal(env_parse(&g, f->good, f->n, 1024, 512, &why),
		    0);
		assert_int_equal(e.payload_len, g.payload_len);
		assert_memory_equal(e.payload, g.payload, g.payload_len);
		assert_string_equal(e.type, g.type);
		env_clear(&g);
	}
	env_clear(&e);
}

static void
test_flips(void **state)
{
	json_t *rows = vec_array(vec_load("klp-envelope.json"), "sign"), *row;
	size_t i;

	(void)state;
	json_array_foreach(rows, i, row)
	{
		struct klp_secret s = secret_of(row);
		struct flip f = {.type = vec_str(row, "type")};
		struct klp_key k;

		assert_true(secret_public(&k, &s));
		f.k = &k;
		f.good = vec_bytes(row, i % 2 == 0 ? "binary" : "json", &f.n);
		vec_each_prefix(f.good, f.n, flip, &f);
		vec_each_flip(f.good, f.n, flip, &f);
	}
}

/* One content, one text: libsodium reads bytes from 0x80 on as digits. */
static void
test_base64(void **state)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const struct klp_secret secret = {.kind = KEY_ED25519, .raw = {7}};
	struct env_signed sig;
	uint8_t json[1024], out[16];
	const char *why, *end;
	struct klp_key k;
	struct env e;
	size_t n, len;
	uint8_t *at;

	(void)state;
	for (int c = 0; c < 256; c++) {
		const char text[] = {'A', (char)c, 'A', 'A', '-'};
		bool digit = c != 0 && strchr(digits, c) != NULL;

		assert_int_equal(b64_get(out, sizeof(out), text, 4, &n,
		    sodium_base64_VARIANT_ORIGINAL), digit);
		assert_int_equal(b64_get_lines(out, sizeof(out), text, 5, &n,
		    &end) && n == 3 && end == text + 4, digit);
	}
	/* what stands behind is not its own */
	assert_true(b64_get_lines(out, sizeof(out), "AA\nAA\n--\xc3\xa9", 10, &n,
	    &end) && n == 3 && *end == '-');
	assert_true(secret_public(&k, &secret));
	key_fp(&sig.fp, &k);
	assert_true(pae_sign(sig.sig, &secret, "t", "\xff\xff\xff", 3, NULL));
	len = env_build_json(json, sizeof(json), "t", "\xff\xff\xff", 3, &sig,
	    1);
	assert_true(len > 0);
	assert_int_equal(env_parse(&e, json, len, 1024, 512, &why), 0);
	env_clear(&e);
	at = memmem(json, len, "\"////\"", 6);
	assert_non_null(at);
	memcpy(at + 1, "\xc3\xa9\xc3\xa9", 4); /* two letters of UTF-8 */
	assert_int_equal(env_parse(&e, json, len, 1024, 512, &why), -1);
	env_clear(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sign),
	    cmocka_unit_test(test_verify),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_json_forms),
	    cmocka_unit_test(test_failed_is_said),
	    cmocka_unit_test(test_authority),
	    cmocka_unit_test(test_flips),
	    cmocka_unit_test(test_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
