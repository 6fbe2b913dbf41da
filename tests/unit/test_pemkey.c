/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of others: their forms, their bounds, and signatures by RSA and P-521. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "config.h"

#include "common/util.h"
#include "tests/unit/vec.h"
#include "trust/doc/attest.h"
#include "trust/doc/der.h"

static json_t *doc;
static const char *const names[] = {"rsa2048", "rsa3072", "rsa4096", "p521"};

static void
key_of(struct pemkey *k, const char *name)
{
	const char *pem = vec_str(json_object_get(doc, "keys"), name), *why = "";

	if (!pemkey_parse(k, pem, strlen(pem), &why))
		fail_msg("%s: %s", name, why);
}

static bool
named(const json_t *c, const char *key)
{
	const json_t *by = vec_array(c, "by"), *v;
	size_t i;

	json_array_foreach(by, i, v)
		if (strcmp(json_string_value(v), key) == 0)
			return true;
	return false;
}

/* ---- keys ---- */

static void
test_keys(void **state)
{
	static const unsigned bits[] = {2048, 3072, 4096, 0};
	struct pemkey k, other;
	const char *why;
	uint8_t *der;
	size_t n;

	(void)state;
	for (size_t i = 0; i < NELEM(names); i++) {
		key_of(&k, names[i]);
		assert_int_equal(k.bits, bits[i]);
		assert_int_equal(k.kind, bits[i] != 0 ? PEMKEY_RSA :
		    PEMKEY_P521);
		assert_true(pemkey_from_der(&other, k.der, k.der_len, &why));
		assert_true(pemkey_equal(&k, &other));
		if (bits[i] == 0)
			continue;
		/* the same in the older form */
		der = vec_bytes(json_object_get(doc, "pkcs1"), names[i], &n);
		assert_false(pemkey_from_der(&other, der, n, &why));
		assert_true(pemkey_from_pkcs1(&other, der, n, &why));
		assert_true(pemkey_equal(&k, &other));
		assert_int_equal(other.bits, bits[i]);
	}
}

static void
test_refused(void **state)
{
	const json_t *list = vec_array(doc, "refused"), *c;
	struct pemkey k;
	size_t i;

	(void)state;
	json_array_foreach(list, i, c) {
		const char *pem = vec_str(c, "pem"), *why = "";

		if (pemkey_parse(&k, pem, strlen(pem), &why))
			fail_msg("%s", vec_str(c, "name"));
		if (strstr(why, vec_str(c, "why")) == NULL)
			fail_msg("%s: %s", vec_str(c, "name"), why);
	}
}

/* A key that was cut is none; a changed one is another, or none. */
static void
no_key(void *arg, const uint8_t *p, size_t n)
{
	const struct pemkey *whole = arg;
	struct pemkey k;
	const char *why = NULL;

	if (pemkey_from_der(&k, p, n, &why)) {
		assert_int_equal(n, whole->der_len);
		assert_false(pemkey_equal(&k, whole));
		assert_int_equal(k.bits, whole->bits);
	} else {
		assert_non_null(why);
	}
	why = NULL;
	assert_true(pemkey_from_pkcs1(&k, p, n, &why) || why != NULL);
}

static void
test_damaged_keys(void **state)
{
	struct pemkey k;

	(void)state;
	for (size_t i = 0; i < NELEM(names); i++) {
		key_of(&k, names[i]);
		vec_each_prefix(k.der, k.der_len, no_key, &k);
		vec_each_flip(k.der, k.der_len, no_key, &k);
	}
}

/* Each byte of what is not the modulus, by each value. */
static void
test_every_byte(void **state)
{
	struct pemkey k, other;
	const char *why;
	unsigned good = 0;

	(void)state;
	key_of(&k, "rsa2048");
	for (size_t i = 0; i < k.der_len; i++) {
		uint8_t was;

		if (i == 40)
			i = k.der_len - 6u;
		was = k.der[i];
		for (unsigned v = 0; v < 256; v++) {
			k.der[i] = (uint8_t)v;
			good += v != was && pemkey_from_der(&other, k.der,
			    k.der_len, &why);
		}
		k.der[i] = was;
	}
	/*
	 * of the modulus: 127 values of the first byte from 0x80 on, and those
	 * behind it; of the exponent 01 00 01: 126, 255 and 127
	 */
	assert_true(good >= 127 + 126 + 255 + 127);
	assert_true(good < 40 * 255);
}

/* ---- signatures ---- */

static void
test_cases(void **state)
{
	const json_t *cases = vec_array(doc, "cases"), *c;
	const char *why = "";
	struct pemkey k;
	struct attest a;
	size_t i;

	(void)state;
	json_array_foreach(cases, i, c) {
		const char *text = vec_str(c, "text");

		assert_int_equal(attest_read(&a, text, strlen(text), &why), 0);
		for (size_t j = 0; j < NELEM(names); j++) {
			bool want = named(c, names[j]);

			key_of(&k, names[j]);
			want &= pemkey_supported(&k);
			if (attest_by(&a, &k) != want)
				fail_msg("%s: %s", vec_str(c, "name"),
				    names[j]);
		}
		attest_clear(&a);
	}
}

/* Who names a key by one scheme means that one alone. */
static void
test_schemes(void **state)
{
	static const struct {
		const char *name;
		bool pkcs1, pss;
	} rows[] = {{"rsa2048, PKCS #1", true, false},
	    {"rsa2048, PSS", false, true}, {"PSS, salt max", false, true},
	    {"bundle", true, false}, {"bundle, PSS", false, true}};
	const json_t *cases = vec_array(doc, "cases"), *c;
	const char *why = "";
	struct pemkey k;
	struct attest a;
	size_t i;

	(void)state;
	key_of(&k, "rsa2048");
	for (size_t r = 0; r < NELEM(rows); r++)
		json_array_foreach(cases, i, c) {
			const char *text = vec_str(c, "text");

			if (strcmp(vec_str(c, "name"), rows[r].name) != 0)
				continue;
			assert_int_equal(attest_read(&a, text, strlen(text),
			    &why), 0);
			k.kind = PEMKEY_RSA_PKCS1;
			assert_int_equal(attest_by(&a, &k),
			    rows[r].pkcs1 && pemkey_supported(&k));
			k.kind = PEMKEY_RSA_PSS;
			assert_int_equal(attest_by(&a, &k),
			    rows[r].pss && pemkey_supported(&k));
			attest_clear(&a);
		}
}

struct turned {
	struct pemkey k;
	const struct attest *a;
};

static void
turned_sig(void *arg, const uint8_t *p, size_t n)
{
	const struct turned *t = arg;

	assert_false(pemkey_holds(&t->k, t->a->signed_bytes, t->a->signed_len,
	    p, n));
}

static void
test_turned(void **state)
{
	const char *text = vec_str(json_array_get(vec_array(doc, "cases"), 1),
	    "text"), *why;
	struct turned t;
	struct attest a;

	(void)state;
	assert_int_equal(attest_read(&a, text, strlen(text), &why), 0);
	t.a = &a;
	key_of(&t.k, "rsa2048");
	vec_each_prefix(a.sig[0].b, a.sig[0].n, turned_sig, &t);
	vec_each_flip(a.sig[0].b, a.sig[0].n, turned_sig, &t);
	attest_clear(&a);
}

/* ---- ASN.1 ---- */

static void
test_der(void **state)
{
	static const struct {
		const char *hex;
		bool is;
	} rows[] = {
	    {"020101", true}, {"02020080", true}, {"0203010001", true},
	    {"0200", false}, {"020100", false}, {"020180", false},
	    {"02020001", false}, {"02810101", false}, {"0282000101", false},
	    {"0280010000", false}, {"02840000000101", false}, {"0202", false},
	    {"", false}, {"02", false}, {"030101", false}};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		size_t len, n;
		uint8_t *b = vec_unhex(rows[i].hex, &len);
		struct rd r = rd_make(b, len);
		const uint8_t *p;

		assert_int_equal(der_number(&r, &p, &n), rows[i].is);
		if (rows[i].is)
			assert_true(n > 0 && p[0] != 0);
	}
}

static int
load(void **state)
{
	(void)state;
	doc = vec_load("pemkey.json");
	return doc == NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_damaged_keys),
	    cmocka_unit_test(test_every_byte),
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_schemes),
	    cmocka_unit_test(test_turned),
	    cmocka_unit_test(test_der),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
