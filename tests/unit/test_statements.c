/* SPDX-License-Identifier: BSD-2-Clause */
/* Attestations as public tools write them, from node.yaml to what holds. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/util.h"
#include "node/config/nodeconf.h"
#include "tests/unit/vec.h"
#include "trust/attesting.h"
#include "trust/doc/secp.h"

#define TYPE "application/vnd.in-toto+json"
#define B64 sodium_base64_VARIANT_ORIGINAL

static json_t *doc;
static uint8_t public[32], secret[64];
static struct id32 image;

/* The statement in an envelope of DSSE, signed by our key: free() it. */
static char *
envelope(const json_t *statement)
{
	char *text = json_dumps(statement, JSON_COMPACT), *b64, *out;
	size_t n, len = strlen(text), size = sodium_base64_ENCODED_LEN(len,
	    B64) + 400;
	uint8_t *pae = pae_make(&n, TYPE, (const uint8_t *)text, len), sig[64];
	char sig64[sodium_base64_ENCODED_LEN(64, B64)];

	assert_non_null(pae);
	assert_int_equal(crypto_sign_detached(sig, NULL, pae, n, secret), 0);
	(void)sodium_bin2base64(sig64, sizeof(sig64), sig, sizeof(sig), B64);
	b64 = malloc(size);
	out = malloc(size);
	assert_true(b64 != NULL && out != NULL);
	(void)sodium_bin2base64(b64, size, (const uint8_t *)text, len, B64);
	(void)snprintf(out, size, "{\"payloadType\":\"" TYPE "\",\"payload\":"
	    "\"%s\",\"signatures\":[{\"sig\":\"%s\"}]}", b64, sig64);
	free(b64);
	free(pae);
	free(text);
	return out;
}

/* The key as a PEM block: one of ours signs envelopes by another scheme. */
static void
pem_of(char out[300])
{
	static const uint8_t head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
	    0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
	uint8_t der[sizeof(head) + 32];
	char b64[100];

	memcpy(der, head, sizeof(head));
	memcpy(der + sizeof(head), public, 32);
	(void)sodium_bin2base64(b64, sizeof(b64), der, sizeof(der), B64);
	(void)snprintf(out, 300, "          -----BEGIN PUBLIC KEY-----\n"
	    "          %s\n          -----END PUBLIC KEY-----\n", b64);
}

/* node.yaml with one rule: a statement of this type that is as `where` says. */
static struct node_config *
conf_of(const json_t *rule)
{
	const json_t *where = json_object_get(rule, "where");
	struct mistakes bad = {0};
	struct node_config *c;
	char pem[300], yaml[4000];
	const char *path;
	json_t *v;
	size_t n;

	pem_of(pem);
	n = (size_t)snprintf(yaml, sizeof(yaml), "image_policy:\n"
	    "  - image: \"*\"\n    any_of:\n      - key: |\n%s"
	    "    require:\n      - type: \"%s\"\n%s", pem,
	    vec_str(rule, "type"), json_object_size(where) > 0 ?
	    "        where:\n" : "");
	json_object_foreach((json_t *)(uintptr_t)where, path, v)
		n += (size_t)snprintf(yaml + n, sizeof(yaml) - n,
		    "          \"%s\": \"%s\"\n", path, json_string_value(v));
	assert_true(n < sizeof(yaml));
	if (node_config_parse(&c, yaml, strlen(yaml), &bad) < 0)
		fail_msg("%s\nline %u: %s", yaml, bad.v[0].line, bad.v[0].text);
	return c;
}

static bool
holds(const json_t *rule, const struct attest *a, const struct attest_said *s)
{
	struct node_config *c = conf_of(rule);
	struct attesting facts = {0};
	struct attested *list;
	size_t n;
	bool is;

	assert_true(attest_by(a, &c->attest.signer[0].key));
	attesting_add(&facts, &c->attest, s, 1);
	list = attesting_rules(&facts, &c->attest, &n);
	is = attested_rules(list, n, &image) == 1;
	free(list);
	attesting_clear(&facts);
	node_config_free(c);
	return is;
}

static void
test_statements(void **state)
{
	const json_t *cases = vec_array(doc, "cases"), *c, *rule;
	unsigned good = 0, yes = 0, no = 0;
	size_t i, k;

	(void)state;
	json_array_foreach(cases, i, c) {
		char *text = envelope(json_object_get(c, "statement"));
		const char *name = vec_str(c, "name"), *why = "";
		struct attest_said s;
		struct attest a;

		assert_int_equal(attest_read(&a, text, strlen(text), &why), 0);
		if (attest_says(&s, &a, &why) < 0) {
			if (vec_bool(c, "says") ||
			    strstr(why, vec_str(c, "why")) == NULL)
				fail_msg("%s: %s", name, why);
			attest_clear(&a);
			free(text);
			continue;
		}
		if (!vec_bool(c, "says"))
			fail_msg("%s", name);
		good++;
		json_array_foreach(vec_array(c, "rules"), k, rule) {
			bool want = vec_bool(rule, "holds");

			if (holds(rule, &a, &s) != want)
				fail_msg("%s: rule %zu", name, k);
			yes += want;
			no += !want;
		}
		attest_said_clear(&s);
		attest_clear(&a);
		free(text);
	}
	assert_true(good >= 20 && yes >= 30 && no >= 30);
}

/* ---- what is damaged ---- */

struct whole {
	const struct pemkey *key;
	size_t payload_len;
	uint8_t *payload;
};

/* One that is signed says what it said; all else is nobody's. */
static void
damaged(void *arg, const uint8_t *p, size_t n)
{
	const struct whole *w = arg;
	struct attest_said s;
	const char *why = NULL;
	struct attest a;

	if (attest_read(&a, (const char *)p, n, &why) < 0) {
		assert_non_null(why);
		return;
	}
	if (attest_by(&a, w->key)) {
		assert_int_equal(a.payload_len, w->payload_len);
		assert_memory_equal(a.payload, w->payload, a.payload_len);
		assert_int_equal(attest_says(&s, &a, &why), 0);
		attest_said_clear(&s);
	}
	attest_clear(&a);
}

static void
test_damaged(void **state)
{
	const json_t *c = json_array_get(vec_array(doc, "cases"), 5);
	char *text = envelope(json_object_get(c, "statement")), pem[300];
	const char *why;
	struct attest a;
	struct pemkey k;
	struct whole w = {.key = &k};

	(void)state;
	pem_of(pem);
	assert_true(pemkey_parse(&k, pem, strlen(pem), &why));
	assert_int_equal(attest_read(&a, text, strlen(text), &why), 0);
	assert_true(attest_by(&a, &k));
	w.payload_len = a.payload_len;
	w.payload = vec_copy(a.payload, a.payload_len);
	vec_each_prefix((const uint8_t *)text, strlen(text), damaged, &w);
	vec_each_flip((const uint8_t *)text, strlen(text), damaged, &w);
	attest_clear(&a);
	free(text);
}

static int
load(void **state)
{
	static const uint8_t seed[32] = {7};
	const char *hex;

	(void)state;
	doc = vec_load("statements.json");
	hex = vec_str(doc, "image");
	return !hex_decode(HASH_BYTES(image), hex, strlen(hex)) ||
	    crypto_sign_seed_keypair(public, secret, seed) != 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_statements),
	    cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
