/* SPDX-License-Identifier: BSD-2-Clause */
/* Keyless signatures: a world of their own and its lies, and real ones. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "config.h"

#ifdef HAVE_LIBCRYPTO
#include <openssl/evp.h>
#include <openssl/x509.h>
#endif

#include "common/util.h"
#include "tests/unit/vec.h"
#include "trust/doc/keyless.h"
#include "trust/doc/sigentry.h"
#include "trust/doc/sigtext.h"
#include "trust/doc/sigtime.h"

static json_t *made, *real, *keyed;

static const json_t *
a_case(const json_t *doc, const char *name)
{
	const json_t *cases = vec_array(doc, "cases"), *c;
	size_t i;

	json_array_foreach(cases, i, c)
		if (strcmp(vec_str(c, "name"), name) == 0)
			return c;
	fail_msg("no case %s", name);
	return NULL;
}

static struct sigroot *
roots_of(const json_t *doc, const json_t *c)
{
	const char *text = vec_str(json_object_get(doc, "roots"),
	    vec_str(c, "roots"));
	char why[SIGROOT_WHY_MAX] = "";
	struct sigroot *r = sigroot_parse(text, strlen(text), why);

	if (r == NULL)
		fail_msg("%s", why);
	return r;
}

static bool
is_about(const struct attest *a, const char *hex)
{
	struct attest_said s;
	struct id32 sum;
	const char *why;
	bool is = false;

	assert_true(hex_decode(sum.b, sizeof(sum.b), hex, strlen(hex)));
	if (attest_says(&s, a, &why) < 0)
		return false;
	for (unsigned i = 0; i < s.nimages; i++)
		is |= id32_eq(&s.image[i], &sum);
	attest_said_clear(&s);
	return is;
}

static bool
is_whose(const json_t *doc, const json_t *c, const struct attest *a,
    const struct sigroot *r, const char **why)
{
	const char *pem = json_string_value(json_object_get(c, "key"));
	int64_t now = vec_int(doc, "now"), not_before;
	struct keyless_who w;
	struct pemkey k;

	if (pem == NULL)
		return keyless_check(&w, a, r, now, why) == 0 &&
		    keyless_is(&w, vec_str(c, "issuer"),
			vec_str(c, "subject"));
	assert_true(pemkey_parse(&k, pem, strlen(pem), why));
	return keyless_logged(&not_before, a, &k, r, now, why) == 0;
}

/* Whether all of it is as the case says that it must be. */
static bool
holds(const json_t *doc, const json_t *c, const char *text, size_t len)
{
	const char *why = "";
	struct sigroot *r;
	struct attest a;
	bool ok;

	if (attest_read(&a, text, len, &why) < 0) {
		assert_string_not_equal(why, "");
		return false;
	}
	r = roots_of(doc, c);
	ok = is_whose(doc, c, &a, r, &why) &&
	    is_about(&a, vec_str(c, "sum"));
	attest_clear(&a);
	sigroot_free(r);
	return ok;
}

static void
each(const json_t *doc)
{
	const json_t *cases = vec_array(doc, "cases"), *c;
	bool want;
	size_t i;

	json_array_foreach(cases, i, c) {
		const char *text = vec_str(c, "bundle");

#ifdef HAVE_LIBCRYPTO
		want = vec_bool(c, "ours");
#else
		want = false;
#endif
		if (holds(doc, c, text, strlen(text)) != want)
			fail_msg("%s", vec_str(c, "name"));
	}
}

static void
test_made(void **state)
{
	(void)state;
	each(made);
}

static void
test_real(void **state)
{
	(void)state;
	each(real);
}

static void
test_keyed(void **state)
{
	(void)state;
	assert_true(json_array_size(vec_array(keyed, "cases")) > 30);
	each(keyed);
}

/* Why not, of those that are refused for one thing. */
static void
test_keyed_why(void **state)
{
	static const struct {
		const char *name, *why;
	} rows[] = {
	    {"another key", "the signature is not the key's"},
	    {"key, no entry", "one entry of a log is wanted"},
	    {"key, an entry twice", "one entry of a log is wanted"},
	    {"key, another log", "the log is none of the roots'"},
	    {"key, the entry of another artefact",
		"the log's entry is about something else"},
	    {"key, the entry of another good signature",
		"the log's entry has another signature"},
	    {"key, the entry of another's signature",
		"the log's entry has another signature"},
	    {"key, an entry with another key",
		"the log's entry has another key"},
	    {"key, an entry with a certificate",
		"the log's entry has another key"},
	    {"key, an intoto entry with another key",
		"the log's entry has another key"},
	    {"key, a v2 entry with key and certificate",
		"the log's entry has another key"},
	    {"key, no proof", "no inclusion proof"},
	    {"key, nobody says when", "nobody says when it was signed"},
	    {"key, a timestamp twice", "a timestamp comes twice"},
	    {"key, a log that counts no more", "the log did not count then"},
	    {"key, signed in the future", "signed in the future"},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		const json_t *c = a_case(keyed, rows[i].name);
		const char *text = vec_str(c, "bundle"), *why = "";
		struct sigroot *r = roots_of(keyed, c);
		struct attest a;

		assert_int_equal(attest_read(&a, text, strlen(text), &why), 0);
		assert_false(is_whose(keyed, c, &a, r, &why));
#ifdef HAVE_LIBCRYPTO
		assert_string_equal(why, rows[i].why);
#endif
		attest_clear(&a);
		sigroot_free(r);
	}
}

/* Keys that no log has, and a bundle of several signatures. */
static void
test_keyed_odd(void **state)
{
	const json_t *c = a_case(keyed, "key, statement, log v1");
	const char *text = vec_str(c, "bundle"), *why = "";
	struct pemkey ours = {.kind = PEMKEY_KLP};
	struct sigroot *r = roots_of(keyed, c);
	struct attest a, none = {.nsigs = 1};
	int64_t not_before = 7;

	(void)state;
	assert_int_equal(attest_read(&a, text, strlen(text), &why), 0);
	assert_true(keyless_names_log(&a, r));
	assert_int_equal(keyless_entries(&a), 1);
	assert_int_equal(keyless_entries(&none), 0);
	assert_false(keyless_names_log(&none, r));
	assert_int_equal(keyless_logged(&not_before, &a, &ours, r, 0, &why),
	    -1);
	assert_int_equal(not_before, 0);
	assert_non_null(strstr(why, "keys of that kind"));
	attest_clear(&a);
	sigroot_free(r);
}

/* ---- what is damaged ---- */

static const char *const damaged[] = {"message, log v1", "message, log v2",
    "statement, intoto"};

static void
cut_keyed(void *arg, const uint8_t *p, size_t n)
{
	assert_false(holds(keyed, arg, (const char *)p, n));
}

static void
cut(void *arg, const uint8_t *p, size_t n)
{
	assert_false(holds(made, arg, (const char *)p, n));
}

static void
test_cut(void **state)
{
	const json_t *one = a_case(keyed, "key, message, log v2");
	const char *it = vec_str(one, "bundle");

	(void)state;
	vec_each_prefix((const uint8_t *)it, strlen(it), cut_keyed,
	    (void *)(uintptr_t)one);
	for (size_t i = 0; i < NELEM(damaged); i++) {
		const json_t *c = a_case(made, damaged[i]);
		const char *text = vec_str(c, "bundle");

		vec_each_prefix((const uint8_t *)text, strlen(text), cut,
		    (void *)(uintptr_t)c);
	}
}

/* Each byte of what is base64 in there, of which all count or none. */
static void
turn_each(const json_t *c, json_t *bundle, json_t *at, const char *name)
{
	size_t len;
	uint8_t *p = sigtext_bytes(at, name, 65536, &len);
	char *b64, *text;
	json_t *was = json_incref(json_object_get(at, name));

	assert_non_null(p);
	b64 = malloc(len * 2);
	assert_non_null(b64);
	for (size_t i = 0; i < len; i += 7) {
		p[i] ^= 0x11;
		(void)sodium_bin2base64(b64, len * 2, p, len,
		    sodium_base64_VARIANT_ORIGINAL);
		p[i] ^= 0x11;
		(void)json_object_set_new(at, name, json_string(b64));
		text = json_dumps(bundle, JSON_COMPACT);
		assert_non_null(text);
		if (holds(made, c, text, strlen(text)))
			fail_msg("%s: byte %zu", name, i);
		free(text);
	}
	(void)json_object_set_new(at, name, was);
	free(b64);
	free(p);
}

static void
test_turned(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(damaged); i++) {
		const json_t *c = a_case(made, damaged[i]);
		json_t *b = json_loads(vec_str(c, "bundle"), 0, NULL);
		json_t *m = json_object_get(b, "verificationMaterial");
		json_t *e = json_array_get(json_object_get(m, "tlogEntries"),
		    0);
		json_t *proof = json_object_get(e, "inclusionProof");
		json_t *promise = json_object_get(e, "inclusionPromise");
		json_t *sig = json_object_get(b, "messageSignature");

		turn_each(c, b, json_object_get(m, "certificate"), "rawBytes");
		turn_each(c, b, e, "canonicalizedBody");
		turn_each(c, b, proof, "rootHash");
		turn_each(c, b, json_object_get(e, "logId"), "keyId");
		if (promise != NULL)
			turn_each(c, b, promise, "signedEntryTimestamp");
		if (sig != NULL)
			turn_each(c, b, sig, "signature");
		json_decref(b);
	}
}

#ifdef HAVE_LIBCRYPTO
/* ---- certificates and timestamps by themselves ---- */

struct part {
	const struct sigroot *r;
	int64_t now;
	uint8_t sig[PEMKEY_SIG_MAX];
	size_t sig_len;
	bool turned;
	size_t at; /* where */
};

static void
a_cert(void *arg, const uint8_t *p, size_t n)
{
	const struct part *part = arg;
	const char *why = NULL;
	struct sigcert *c = sigcert_new(p, n, &why);
	struct pemkey k;

	(void)sigcert_is_root(p, n);
	if (c == NULL) {
		assert_non_null(why);
		return;
	}
	/* a part of one never is one; a turned one nobody has given */
	assert_true(part->turned);
	(void)sigcert_key(c, &k, &why);
	assert_true(strlen(sigcert_subject(c)) <= SIGCERT_SUBJECT_MAX);
	sigcert_free(c);
}

/* Of a curve, signed by the key itself or by a second one. */
static bool
self_named(const char *curve, const char *issuer, bool other)
{
	EVP_PKEY *k = EVP_EC_gen(curve), *by = other ? EVP_EC_gen(curve) : k;
	X509_NAME *a = X509_NAME_new(), *b = X509_NAME_new();
	X509 *x = X509_new();
	uint8_t *der = NULL;
	bool is;
	int n;

	assert_true(k != NULL && by != NULL && a != NULL && b != NULL &&
	    x != NULL);
	assert_int_equal(X509_NAME_add_entry_by_txt(a, "CN", MBSTRING_ASC,
	    (const uint8_t *)"root", -1, -1, 0), 1);
	assert_int_equal(X509_NAME_add_entry_by_txt(b, "CN", MBSTRING_ASC,
	    (const uint8_t *)issuer, -1, -1, 0), 1);
	assert_int_equal(X509_set_subject_name(x, a), 1);
	assert_int_equal(X509_set_issuer_name(x, b), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 60));
	assert_int_equal(X509_set_pubkey(x, k), 1);
	assert_true(X509_sign(x, by, EVP_sha256()) > 0);
	n = i2d_X509(x, &der);
	assert_true(n > 0);
	is = sigcert_is_root(der, (size_t)n);
	OPENSSL_free(der);
	X509_free(x);
	X509_NAME_free(a);
	X509_NAME_free(b);
	if (other)
		EVP_PKEY_free(by);
	EVP_PKEY_free(k);
	return is;
}

/* With a key that does not count, the name is enough. */
static void
test_own_root(void **state)
{
	(void)state;
	assert_true(self_named("P-256", "root", false));
	assert_false(self_named("P-256", "root", true));
	assert_false(self_named("P-256", "another", false));
	assert_true(self_named("P-224", "root", false));
	assert_true(self_named("P-224", "root", true));
	assert_false(self_named("P-224", "another", false));
}

static void
a_stamp(void *arg, const uint8_t *p, size_t n)
{
	const struct part *part = arg;
	const char *why = NULL;
	int64_t when;

	/*
	 * the status is not signed (granted, and granted with changes), nor is
	 * CMS around the signature; the certificate in between must be itself
	 */
	if (sigtime_check(&when, p, n, part->sig, part->sig_len, part->r,
		&why) == 0)
		assert_true(part->turned && when < part->now &&
		    (part->at < 100 || part->at > n * 6 / 10));
	else
		assert_non_null(why);
}

static void
test_parts(void **state)
{
	const json_t *c = a_case(made, "message, log v2");
	json_t *b = json_loads(vec_str(c, "bundle"), 0, NULL);
	const json_t *m = json_object_get(b, "verificationMaterial");
	struct sigroot *r = roots_of(made, c);
	struct part part = {.r = r, .now = vec_int(made, "now")};
	uint8_t *p, *sig;
	size_t n;

	(void)state;
	p = sigtext_bytes(json_object_get(m, "certificate"), "rawBytes", 8192,
	    &n);
	assert_non_null(p);
	vec_each_prefix(p, n, a_cert, &part);
	part.turned = true;
	vec_each_flip(p, n, a_cert, &part);
	free(p);
	sig = sigtext_bytes(json_object_get(b, "messageSignature"),
	    "signature", sizeof(part.sig), &part.sig_len);
	assert_non_null(sig);
	memcpy(part.sig, sig, part.sig_len);
	free(sig);
	p = sigtext_bytes(json_array_get(json_object_get(json_object_get(m,
	    "timestampVerificationData"), "rfc3161Timestamps"), 0),
	    "signedTimestamp", 32768, &n);
	assert_non_null(p);
	part.turned = false;
	vec_each_prefix(p, n, a_stamp, &part);
	part.turned = true;
	for (size_t i = 0; i < n; i++) {
		uint8_t *q = vec_copy(p, n);

		q[i] ^= (uint8_t)(1u << i % 8);
		part.at = i;
		a_stamp(&part, q, n);
	}
	free(p);
	sigroot_free(r);
	json_decref(b);
}
#endif

/* ---- roots ---- */

static void
root_cut(void *arg, const uint8_t *p, size_t n)
{
	char why[SIGROOT_WHY_MAX] = "";

	(void)arg;
	assert_null(sigroot_parse((const char *)p, n, why));
	assert_string_not_equal(why, "");
}

static void
test_roots(void **state)
{
#define HEAD "{\"mediaType\":\"application/vnd.dev.sigstore.trustedroot+json;" \
	     "version=0.1\""
	static const char *const bad[] = {"", "{}", "[]", "null",
	    "{\"mediaType\":\"application/json\"}", HEAD "}",
	    HEAD ",\"tlogs\":[{}]}", HEAD ",\"ctlogs\":[7]}",
	    HEAD ",\"certificateAuthorities\":[{\"certChain\":"
		 "{\"certificates\":[]}}]}",
	    HEAD ",\"certificateAuthorities\":[{\"certChain\":"
		 "{\"certificates\":[{\"rawBytes\":\"AA==\"}]}}]}",
	    HEAD ",\"certificateAuthorities\":[{\"validFor\":{\"start\":"
		 "\"yesterday\"},\"certChain\":{\"certificates\":[{"
		 "\"rawBytes\":\"AA==\"}]}}]}",
	    HEAD ",\"tlogs\":[{\"publicKey\":{\"validFor\":{\"start\":"
		 "\"2021-01-01T00:00:00Z\"},\"rawBytes\":\"AA==\"},"
		 "\"logId\":{\"keyId\":\"AAAA\"}}]}"};
	const char *text = vec_str(json_object_get(made, "roots"), "roots");
	char why[SIGROOT_WHY_MAX];
	char *many;
	json_t *o;

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++)
		root_cut(NULL, (const uint8_t *)bad[i], strlen(bad[i]));
	vec_each_prefix((const uint8_t *)text, strlen(text), root_cut, NULL);
	o = json_pack("{s:s,s:o}", "mediaType", "application/vnd.dev.sigstore."
	    "trustedroot+json;version=0.1", "timestampAuthorities",
	    json_array());
	for (int i = 0; i < 40; i++)
		(void)json_array_append_new(json_object_get(o,
		    "timestampAuthorities"), json_object());
	many = json_dumps(o, 0);
	json_decref(o);
	assert_non_null(many);
	assert_null(sigroot_parse(many, strlen(many), why));
	assert_string_equal(why, "more than 32 of a kind: "
	    "timestampAuthorities");
	free(many);
}

/* Sets what is at a path of names and places; "" as value: removes it. */
static char *
changed(const char *text, const char *path, const char *value)
{
	json_t *all = json_loads(text, 0, NULL), *at = all, *v;
	char part[80], *out;

	assert_non_null(all);
	for (const char *p = path;; p += *p == '/') {
		size_t n = strcspn(p, "/");

		assert_true(n < sizeof(part));
		memcpy(part, p, n);
		part[n] = '\0';
		p += n;
		if (*p == '\0')
			break;
		at = json_is_array(at) ? json_array_get(at, (size_t)(part[0] -
		    '0')) : json_object_get(at, part);
		assert_non_null(at);
	}
	v = json_loads(value, JSON_DECODE_ANY, NULL);
	if (v == NULL)
		(void)json_object_del(at, part);
	else
		(void)json_object_set_new(at, part, v);
	out = json_dumps(all, 0);
	json_decref(all);
	assert_non_null(out);
	return out;
}

/* What is not known is refused, and told by its place and name. */
static void
test_root_names(void **state)
{
	static const struct {
		const char *path, *value, *why;
	} rows[] = {
	    {"mediaType", "\"application/vnd.dev.sigstore.trustedroot+json;"
			  "version=0.3\"", "version=0.3"},
	    {"mediaType", "7", "no mediaType"},
	    {"signers", "[]", "an unknown member signers"},
	    {"ctlogs", "{}", "no list: ctlogs"},
	    {"tlogs", "null", "one of each"},
	    {"tlogs/1/operator", "\"x\"", NULL},
	    {"tlogs/1/owner", "\"x\"", "tlogs, entry 2: an unknown member owner"},
	    {"tlogs/0/hashAlgorithm", "\"SHA3_512\"",
		"tlogs, entry 1: hashAlgorithm is not known here: SHA3_512"},
	    {"tlogs/0/hashAlgorithm", "", "without hashAlgorithm"},
	    {"tlogs/0/publicKey/keyDetails", "\"PKIX_LMS\"",
		"tlogs, entry 1: keyDetails are not known here: PKIX_LMS"},
	    {"tlogs/0/publicKey/keyDetails", "\"a\\u001b[31m\"",
		"a\\x1b[31m"},
	    {"tlogs/0/publicKey/keyDetails", "", "without keyDetails"},
	    {"tlogs/0/publicKey/keyDetails",
		"\"PKIX_RSA_PKCS1V15_2048_SHA256\"", "of another kind"},
	    {"tlogs/0/publicKey/rawBytes", "\"MAA=\"", "is a key that is none"},
	    {"tlogs/0/publicKey/rawBytes", "\"*\"", "no base64"},
	    {"tlogs/0/publicKey/keyHint", "\"x\"", "member keyHint"},
	    {"tlogs/0/publicKey", "", "no publicKey"},
	    {"tlogs/0/publicKey/validFor", "", "no validFor"},
	    {"tlogs/0/publicKey/validFor/start", "", "no start"},
	    {"tlogs/0/publicKey/validFor/until", "\"x\"", "member until"},
	    {"tlogs/0/publicKey/validFor/end", "\"2001-01-01T00:00:00Z\"",
		"ends before it starts"},
	    {"tlogs/0/publicKey/validFor/end", "\"2031-02-30T00:00:00Z\"",
		"or no time"},
	    {"tlogs/0/publicKey/validFor/end", "null", NULL},
	    {"tlogs/0/logId/keyId", "\"AAAA\"", "not of 32 bytes"},
	    {"tlogs/0/logId", "", "what is no object"},
	    {"tlogs/0/checkpointKeyId", "{\"keyId\": \"AAA=\"}", "short"},
	    {"tlogs/0/checkpointKeyId", "{\"keyId\": \"AAAAAA==\"}", NULL},
	    {"certificateAuthorities/0/certChain/certificates", "[]",
		"certificateAuthorities, entry 1: a certChain has 1 to 6"},
	    {"certificateAuthorities/0/certChain/certificates/0/rawBytes",
		"\"MAA=\"", "a certificate is none"},
	    {"certificateAuthorities/0/certChain/certificates/0/url",
		"\"x\"", "member url"},
	    {"certificateAuthorities/0/subject/country", "\"x\"",
		"member country"},
	    {"certificateAuthorities/0/certChain/order", "\"x\"",
		"member order"},
	    {"timestampAuthorities/0/validFor/start", "\"soon\"",
		"timestampAuthorities, entry 1: validFor has no start"},
	};
	const char *text = vec_str(json_object_get(made, "roots"), "roots");

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		char *t = changed(text, rows[i].path, rows[i].value);
		char why[SIGROOT_WHY_MAX] = "";
		struct sigroot *r = sigroot_parse(t, strlen(t), why);

		if (rows[i].why == NULL ? r == NULL : r != NULL ||
		    strstr(why, rows[i].why) == NULL)
			fail_msg("%s = %s: %s", rows[i].path, rows[i].value,
			    why);
		sigroot_free(r);
		free(t);
	}
}

/* From when on nothing counts by it any more. */
static void
test_over(void **state)
{
	const char *text = vec_str(json_object_get(made, "roots"), "roots");
	int64_t now = vec_int(made, "now");
	char why[SIGROOT_WHY_MAX];
	const char *what = "";
	struct sigroot *r = sigroot_parse(text, strlen(text), why);
	char *t = changed(text, "ctlogs/0/publicKey/validFor/end",
	    "\"2099-01-01T00:00:00Z\"");

	(void)state;
	assert_non_null(r);
	assert_true(sigroot_end(r, &what) >= now);
	sigroot_free(r);
	r = sigroot_parse(t, strlen(t), why);
	assert_non_null(r);
	assert_true(sigroot_end(r, &what) == INT64_C(4070908800));
	assert_string_equal(what, "no ctlog counts any more");
	sigroot_free(r);
	free(t);
}

static void
test_texts(void **state)
{
	static const struct {
		const char *text;
		int64_t is;
	} rows[] = {
	    {"1970-01-01T00:00:00Z", 0}, {"2000-02-29T12:00:00Z", 951825600},
	    {"2021-10-07T13:56:59Z", 1633615019},
	    {"2022-12-31T23:59:59.999Z", 1672531199},
	    {"2021-10-07 13:56:59Z", -1}, {"2021-10-07T13:56:59", -1},
	    {"2021-02-29T13:56:59Z", -1}, {"2100-02-29T13:56:59Z", -1},
	    {"2024-02-29T00:00:00Z", 1709164800}, {"2021-04-31T00:00:00Z", -1},
	    {"2021-13-07T13:56:59Z", -1}, {"2021-10-07T24:56:59Z", -1},
	    {"", -1}, {"2021-10-07T13:56:59+01:00", -1},
	};
	static const char pem[] = "-----BEGIN CERTIFICATE-----\nAAEC\n"
	    "-----END CERTIFICATE-----\n";
	json_t *o = json_pack("{s:s,s:s,s:s,s:i,s:i,s:n,s:s}", "a", "7", "b",
	    "-7", "c", "07", "d", 7, "e", -7, "f", "g", "99999999999999999999");
	int64_t n;
	size_t len;
	uint8_t *p;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		json_t *t = json_pack("{s:s}", "t", rows[i].text);

		assert_int_equal(sigtext_time(&n, t, "t"), rows[i].is >= 0);
		if (rows[i].is >= 0)
			assert_int_equal(n, rows[i].is);
		json_decref(t);
	}
	assert_true(sigtext_number(o, "a", &n) && n == 7);
	assert_true(sigtext_number(o, "d", &n) && n == 7);
	assert_false(sigtext_number(o, "b", &n) || sigtext_number(o, "c", &n) ||
	    sigtext_number(o, "e", &n) || sigtext_number(o, "f", &n) ||
	    sigtext_number(o, "g", &n) || sigtext_number(o, "h", &n));
	assert_null(sigtext_member(o, "f"));
	json_decref(o);
	p = sigtext_pem(pem, strlen(pem), "CERTIFICATE", 3, &len);
	assert_non_null(p);
	assert_int_equal(len, 3);
	assert_memory_equal(p, "\0\1\2", 3);
	free(p);
	assert_null(sigtext_pem(pem, strlen(pem), "CERTIFICATE", 2, &len));
	assert_null(sigtext_pem(pem, strlen(pem), "PUBLIC KEY", 9, &len));
	for (size_t i = 0; i + 1 < strlen(pem); i++)
		assert_null(sigtext_pem(pem, i, "CERTIFICATE", 9, &len));
}

/* ---- what a verifier says in their place ---- */

static void
told_cut(void *arg, const uint8_t *p, size_t n)
{
	char who[ATTEST_WHO_MAX + 1];
	struct attest_said s;
	const char *why = NULL;

	(void)arg;
	assert_int_equal(attest_told(&s, who, (const char *)p, n, &why), -1);
	assert_non_null(why);
}

static void
test_told(void **state)
{
#define SUM "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	static const char *const bad[] = {"", "7", "{}", "{\"who\":\"x\"}",
	    "{\"who\":\"\",\"images\":[\"sha256:" SUM "\"]}",
	    "{\"who\":\"x\",\"images\":[\"" SUM "\"]}",
	    "{\"who\":\"x\",\"images\":[\"sha256:" SUM "0\"]}",
	    "{\"who\":\"x\",\"images\":[]}",
	    "{\"who\":\"x\",\"images\":[7]}",
	    "{\"who\":\"x\",\"statement\":7}",
	    "{\"who\":\"x\",\"statement\":{\"_type\":\"y\"}}"};
	static const char good[] = "{\"who\":\"x\",\"statement\":{\"_type\":"
	    "\"https://in-toto.io/Statement/v1\",\"predicateType\":\"t\","
	    "\"subject\":[{\"digest\":{\"sha256\":\"" SUM "\"}}]}}";
	char who[ATTEST_WHO_MAX + 1];
	struct attest_said s;
	const char *why;

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++)
		told_cut(NULL, (const uint8_t *)bad[i], strlen(bad[i]));
	vec_each_prefix((const uint8_t *)good, strlen(good), told_cut, NULL);
	assert_int_equal(attest_told(&s, who, good, strlen(good), &why), 0);
	assert_string_equal(who, "x");
	assert_string_equal(s.type, "t");
	assert_int_equal(s.nimages, 1);
	attest_said_clear(&s);
}

static int
load(void **state)
{
	(void)state;
	made = vec_load("keyless.json");
	real = vec_load("keyless-real.json");
	keyed = vec_load("keyed.json");
	return made == NULL || real == NULL || keyed == NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_made),
	    cmocka_unit_test(test_keyed),
	    cmocka_unit_test(test_keyed_why), cmocka_unit_test(test_keyed_odd),
	    cmocka_unit_test(test_real),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_turned),
#ifdef HAVE_LIBCRYPTO
	    cmocka_unit_test(test_parts),
	    cmocka_unit_test(test_own_root),
#endif
	    cmocka_unit_test(test_roots),
	    cmocka_unit_test(test_root_names),
	    cmocka_unit_test(test_over),
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_told),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
