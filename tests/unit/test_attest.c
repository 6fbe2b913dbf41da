/* SPDX-License-Identifier: BSD-2-Clause */
/* Signatures of images: their forms, whose they are, and what they come to. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "config.h"

#include "common/ipc.h"
#include "common/util.h"
#include "node/config/nodeconf.h"
#include "tests/unit/lawkit.h"
#include "tests/unit/vec.h"
#include "trust/attesting.h"
#include "trust/doc/secp.h"

static json_t *doc;
static const char *const names[] = {"p256", "p384", "ed"};
static struct pemkey keys[NELEM(names)];

static const json_t *
case_of(const json_t *file, const char *name)
{
	const json_t *cases = vec_array(file, "cases"), *c;
	size_t i;

	json_array_foreach(cases, i, c)
		if (strcmp(vec_str(c, "name"), name) == 0)
			return c;
	fail_msg("no case %s", name);
	return NULL;
}

static const json_t *
a_case(const char *name)
{
	return case_of(doc, name);
}

static bool
wants(const json_t *c, const char *key)
{
	const json_t *by = vec_array(c, "by"), *v;
	size_t i;

	json_array_foreach(by, i, v)
		if (strcmp(json_string_value(v), key) == 0)
			return true;
	return false;
}

/* ---- the forms ---- */

static void
says(const json_t *c, const struct attest *a)
{
	const json_t *images = vec_array(c, "images");
	struct attest_said s;
	const char *why = "";
	uint8_t *sum;
	size_t n;

	if (!vec_bool(c, "says")) {
		assert_int_equal(attest_says(&s, a, &why), -1);
		assert_string_not_equal(why, "");
		return;
	}
	assert_int_equal(attest_says(&s, a, &why), 0);
	assert_string_equal(s.type, vec_str(c, "type"));
	assert_int_equal(s.nimages, json_array_size(images));
	for (size_t i = 0; i < s.nimages; i++) {
		sum = vec_unhex(json_string_value(json_array_get(images, i)),
		    &n);
		assert_memory_equal(s.image[i].b, sum, 32);
	}
	attest_said_clear(&s);
}

static void
test_forms(void **state)
{
	const json_t *cases = vec_array(doc, "cases"), *c;
	const char *why = "";
	struct attest a;
	size_t i;

	(void)state;
	json_array_foreach(cases, i, c) {
		const char *text = vec_str(c, "text");

		if (!vec_bool(c, "read")) {
			assert_int_equal(attest_read(&a, text, strlen(text),
			    &why), -1);
			assert_string_not_equal(why, "");
			continue;
		}
		assert_int_equal(attest_read(&a, text, strlen(text), &why), 0);
		for (unsigned k = 0; k < NELEM(names); k++)
			if (pemkey_supported(&keys[k]))
				assert_int_equal(attest_by(&a, &keys[k]),
				    wants(c, names[k]));
		says(c, &a);
		attest_clear(&a);
	}
}

/* One that is cut or changed is nobody's, or is what it was. */
static void
damaged(void *arg, const uint8_t *p, size_t n)
{
	const struct attest *whole = arg;
	const char *why;
	struct attest a;

	if (attest_read(&a, (const char *)p, n, &why) < 0)
		return;
	if (a.signed_len != whole->signed_len ||
	    memcmp(a.signed_bytes, whole->signed_bytes, a.signed_len) != 0)
		assert_false(attest_by(&a, &keys[2]));
	attest_clear(&a);
}

static void
test_damaged(void **state)
{
	static const char *const which[] = {"simple ed25519",
	    "attestation of two"};
	const char *why;
	struct attest a;

	(void)state;
	for (size_t i = 0; i < NELEM(which); i++) {
		const char *text = vec_str(a_case(which[i]), "text");
		const uint8_t *p = (const uint8_t *)text;

		assert_int_equal(attest_read(&a, text, strlen(text), &why), 0);
		vec_each_prefix(p, strlen(text), damaged, &a);
		vec_each_flip(p, strlen(text), damaged, &a);
		attest_clear(&a);
	}
}

static void
test_hostile(void **state)
{
	static const char *const bad[] = {"", "{", "[]", "{}", "null", "7",
	    "{\"Base64Signature\":1,\"Payload\":\"\"}",
	    "{\"Base64Signature\":\"\",\"Payload\":\"e30=\"}",
	    "{\"Base64Signature\":\"AA==\",\"Payload\":\"*\"}",
	    "{\"payloadType\":\"application/vnd.in-toto+json\","
	    "\"payload\":\"e30=\",\"signatures\":[]}",
	    "{\"payloadType\":\"application/vnd.in-toto+json\","
	    "\"payload\":\"e30=\",\"signatures\":{\"sig\":\"AA==\"}}",
	    "{\"payloadType\":\"application/vnd.in-toto+json\","
	    "\"payload\":\"e30=\",\"payload\":\"e30=\","
	    "\"signatures\":[{\"sig\":\"AA==\"}]}",
	    "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\"}"};
	static const char old[] = "{\"Base64Signature\":\"AA==\",\"Payload\":"
	    "\"e30=\",\"Cert\":{\"Raw\":\"AA==\",\"PublicKey\":{\"X\":"
	    "97311239423423423423423423423423423423423423}}}";
	char deep[200] = "", *large;
	const char *why;
	struct attest a;

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		why = "";
		assert_int_equal(attest_read(&a, bad[i], strlen(bad[i]), &why),
		    -1);
		assert_string_not_equal(why, "");
	}
	assert_int_equal(attest_read(&a, old, strlen(old), &why), -1);
	assert_non_null(strstr(why, "cosign's older form"));
	memset(deep, '[', 100);
	assert_int_equal(attest_read(&a, deep, 100, &why), -1);
	assert_string_equal(why, "too deep");
	large = calloc(1, ATTEST_TEXT_MAX + 1);
	assert_non_null(large);
	memset(large, ' ', ATTEST_TEXT_MAX + 1);
	assert_int_equal(attest_read(&a, large, ATTEST_TEXT_MAX + 1, &why), -1);
	assert_string_equal(why, "too large");
	free(large);
}

static void
key_cut(void *arg, const uint8_t *p, size_t n)
{
	struct pemkey k;
	const char *why = "";

	(void)arg;
	/* all but the last line feed are needed */
	if (!pemkey_parse(&k, (const char *)p, n, &why))
		assert_string_not_equal(why, "");
	else
		assert_true(pemkey_equal(&k, &keys[0]));
}

static void
test_keys(void **state)
{
	static const char *const bad[] = {"", "x", "-----BEGIN PUBLIC KEY-----",
	    "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
	    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"};
	const char *pem = vec_str(json_object_get(doc, "keys"), "p256");
	const char *why = "", *ours = "pubkey:ed25519:"
	    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
	struct pemkey k;

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++)
		assert_false(pemkey_parse(&k, bad[i], strlen(bad[i]), &why));
	vec_each_prefix((const uint8_t *)pem, strlen(pem), key_cut, NULL);
	assert_true(pemkey_parse(&k, ours, strlen(ours), &why));
	assert_int_equal(k.kind, PEMKEY_KLP);
#ifdef HAVE_LIBCRYPTO
	assert_true(pemkey_supported(&keys[0]));
#else
	assert_false(pemkey_supported(&keys[0]));
#endif
}

static void
test_where(void **state)
{
	static const struct {
		const char *path, *pattern;
		bool is;
	} rows[] = {
	    {"predicate.buildDefinition.buildType", "https://build.example/v1",
		true},
	    {"predicate.buildDefinition.buildType", "https://build.example/*",
		true},
	    {"predicate.buildDefinition.buildType", "https://build.example",
		false},
	    {"predicate.runDetails.builder.id", "*", true},
	    {"predicate.runDetails.builder", "*", false},
	    {"predicate.buildDefinition.resolvedDependencies.uri",
		"git+https://src.example/y", true},
	    {"predicate.buildDefinition.resolvedDependencies.uri",
		"git+https://src.example/z", false},
	    {"predicate.dotted.name.k", "7", true},
	    {"predicate.dotted.k", "7", false},
	    {"subject.name", "a", true}, {"", "*", false},
	    {"predicate.", "*", false}, {"..", "*", false},
	};
	const char *text = vec_str(a_case("attestation p256"), "text"), *why;
	struct attest_said s;
	struct attest a;

	(void)state;
	assert_int_equal(attest_read(&a, text, strlen(text), &why), 0);
	assert_int_equal(attest_says(&s, &a, &why), 0);
	for (size_t i = 0; i < NELEM(rows); i++)
		assert_int_equal(attest_where(&s, rows[i].path,
		    rows[i].pattern), rows[i].is);
	attest_said_clear(&s);
	attest_clear(&a);
}

/* ---- image_policy ---- */

/* A key's PEM block as a YAML block. */
static const char *
block(unsigned key)
{
	const char *pem = vec_str(json_object_get(doc, "keys"), names[key]);
	static char out[2048];
	size_t n = 0;

	for (const char *p = pem; *p != '\0'; p++) {
		if (p == pem || p[-1] == '\n')
			n += (size_t)snprintf(out + n, sizeof(out) - n,
			    "          ");
		out[n++] = *p;
	}
	out[n] = '\0';
	return out;
}

static struct node_config *
conf_of(const char *yaml)
{
	struct mistakes bad = {0};
	struct node_config *c;

	if (node_config_parse(&c, yaml, strlen(yaml), &bad) == 0)
		return c;
	fail_msg("line %u: %s", bad.v[0].line, bad.v[0].text);
	return NULL;
}

static void
test_mistakes(void **state)
{
	static const struct {
		const char *yaml, *says;
		unsigned line;
	} rows[] = {
	    {"image_policy: 7\n", "image_policy", 1},
	    {"image_policy:\n  - image: x\n", "needs image and any_of", 2},
	    {"image_policy:\n  - image: x\n    any_of: []\n", "nobody", 3},
	    {"image_policy:\n  - image: x\n    any_of:\n      - key: y\n",
		"no PEM block", 4},
	    {"image_policy:\n  - image: x\n    any_of: [{key: 'pubkey:ed25519:"
	     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
	     "', log: r}]\n", "a key of ours", 3},
	    {"image_policy:\n  - image: x\n    any_of: [{keyless: {roots: r, "
	     "issuer: x, subject: y}, log: r}]\n", "a signer is one", 3},
	    {"image_policy:\n  - image: x\n    any_of:\n      - log: r\n",
		"log belongs to a key", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - keyless: y\n",
		"keyless", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - keyless: "
	     "{issuer: x, subject: y}\n", "roots, issuer and subject", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - keyless: "
	     "{roots: r, issuer: x}\n", "roots, issuer and subject", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - keyless: "
	     "{roots: ../r, issuer: x, subject: y}\n", "without a folder", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - keyless: "
	     "{roots: .r, issuer: x, subject: y}\n", "without a folder", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - keyless: "
	     "{roots: r, issuer: x, subject: '**'}\n", "anybody", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - keyless: "
	     "{roots: r, issuer: x, subject: 'https://*'}\n", "anybody", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - keyless: "
	     "{roots: r, issuer: x, subject: 'https:/*'}\n", "anybody", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - keyless: "
	     "{roots: r, issuer: x, subject: '*http:/*/*'}\n", "anybody", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - keyless: "
	     "{roots: r, issuer: x, subject: 'h*'}\n", "anybody", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - keyless: "
	     "{roots: r, issuer: x, subject: '*@*.*'}\n", "anybody", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - keyless: "
	     "{roots: r, subject: x}\n", "has no issuer", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - keyless: "
	     "{roots: r, isuer: x, subject: y}\n", "isuer", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - keyless: "
	     "{roots: r, issuer: x, subject: y, san: z}\n", "san", 4},
	    {"image_policy:\n  - image: x\n    any_of: [{keyless: {roots: r, "
	     "issuer: x, subject: y}, key: z}]\n", "a signer is one", 3},
	    {"image_policy:\n  - image: x\n    any_of:\n      - verifier: "
	     "{subject: y}\n", "needs program", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - verifier: "
	     "{program: bin/x}\n", "from the root", 4},
	    {"image_policy:\n  - image: x\n    any_of:\n      - klp_role: "
	     "{role: y}\n", "authority and role", 4},
	    {"image_policy:\n  - image: x\n    any_off: []\n", "any_off", 3},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct mistakes bad = {0};
		struct node_config *c = NULL;

		assert_int_equal(node_config_parse(&c, rows[i].yaml,
		    strlen(rows[i].yaml), &bad), -1);
		assert_true(bad.n > 0);
		assert_int_equal(bad.v[0].line, rows[i].line);
		assert_non_null(strstr(bad.v[0].text, rows[i].says));
	}
}

static void
test_about(void **state)
{
	struct node_config *c = conf_of("image_policy:\n"
	    "  - image: 'registry.example/ns/*'\n"
	    "    any_of: [{klp_role: {authority: test.kos, role: images}}]\n"
	    "  - image: '*'\n"
	    "    any_of: [{klp_role: {authority: test.kos, role: any}}]\n");
	struct node_config *d = conf_of("image_policy:\n"
	    "  - image: 'registry.example/ns/*'\n"
	    "    any_of: [{klp_role: {authority: test.kos, role: images}}]\n"
	    "  - image: '*'\n"
	    "    any_of: [{klp_role: {authority: test.kos, role: anx}}]\n");

	(void)state;
	assert_int_equal(attest_conf_about(&c->attest,
	    "registry.example/ns/a:1"), 3);
	assert_int_equal(attest_conf_about(&c->attest, "registry.example/n"), 2);
	assert_int_equal(attest_conf_about(&c->attest, "sha256:00"), 2);
	assert_true(c->attest.serial != 0);
	assert_true(c->attest.serial != d->attest.serial);
	assert_null(attest_conf_unsupported(&c->attest, 0));
	node_config_free(c);
	node_config_free(d);
}

static void
test_root_files(void **state)
{
	struct node_config *c = conf_of("image_policy:\n"
	    "  - image: a\n    any_of:\n"
	    "      - keyless: {roots: r1, issuer: x, subject: y}\n"
	    "      - keyless: {roots: r2, issuer: x, subject: y}\n"
	    "  - image: b\n    any_of:\n"
	    "      - klp_role: {authority: test.kos, role: images}\n"
	    "      - keyless: {roots: r1, issuer: x, subject: z}\n");
	char yaml[2048] = "image_policy:\n  - image: a\n    any_of:\n";
	struct mistakes bad = {0};
	struct node_config *d = NULL;

	(void)state;
	assert_string_equal(attest_conf_roots(&c->attest, 0), "r1");
	assert_string_equal(attest_conf_roots(&c->attest, 1), "r2");
	assert_null(attest_conf_roots(&c->attest, 2));
#ifdef HAVE_LIBCRYPTO
	assert_null(attest_conf_unsupported(&c->attest, 0));
#else
	assert_non_null(attest_conf_unsupported(&c->attest, 0));
#endif
	assert_null(attest_conf_unsupported(&c->attest, 1));
	node_config_free(c);
	for (unsigned i = 0; i <= ATTEST_ROOTS_MAX; i++)
		(void)snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml),
		    "      - keyless: {roots: r%u, issuer: x, subject: y}\n", i);
	assert_int_equal(node_config_parse(&d, yaml, strlen(yaml), &bad), -1);
	assert_non_null(strstr(bad.v[0].text, "sets of roots"));
}

/* ---- the judge ---- */

static uint32_t
rules(void)
{
	size_t n, len;
	uint64_t serial;
	const struct attested *l = law_attested(taker.l, &n, &serial);
	const uint8_t *image = vec_bytes(doc, "image", &len);

	assert_true(serial == taker.conf->attest.serial);
	return attested_rules(l, n, (const struct id32 *)image);
}

static void
put(const char *file, const char *which)
{
	const char *text = vec_str(a_case(which), "text");

	kit_dir_put(&taker.klp, file, text, strlen(text));
	(void)law_look(taker.l, NOW, true);
}

static void
test_judge(void **state)
{
	char yaml[8192];
	int n;

	(void)state;
	/* 0: a signature; 1: provenance by that builder; 2: by another */
	n = snprintf(yaml, sizeof(yaml), "image_policy:\n"
	    "  - image: '*'\n    any_of:\n      - key: |\n%s", block(2));
	n += snprintf(yaml + n, sizeof(yaml) - (size_t)n,
	    "  - image: '*'\n    any_of:\n      - key: |\n%s", block(2));
	n += snprintf(yaml + n, sizeof(yaml) - (size_t)n,
	    "    require:\n      - type: https://slsa.dev/provenance/v1\n"
	    "        where: {predicate.runDetails.builder.id: "
	    "'https://builder.example/*'}\n"
	    "  - image: '*'\n    any_of:\n      - key: |\n%s", block(2));
	(void)snprintf(yaml + n, sizeof(yaml) - (size_t)n,
	    "    require:\n      - type: https://slsa.dev/provenance/v1\n"
	    "        where: {predicate.runDetails.builder.id: 'x*'}\n");
	lawplace_judge(&taker, yaml);
	assert_int_equal(rules(), 0);
	/* of others, and of none */
	put("attestations/a.json", "simple p256");
	put("attestations/b.json", "bundle, both");
	assert_int_equal(rules(), 0);
	/* what somebody attests is not that he signs for it */
	put("attestations/d.jsonl", "attestation of two");
	assert_int_equal(rules(), 2);
	put("attestations/c.json", "simple ed25519");
	assert_int_equal(rules(), 3);
	assert_false(law_look(taker.l, NOW, true)); /* nothing is new */
	(void)unlinkat(taker.klp.fd, "attestations/d.jsonl", 0);
	assert_true(law_look(taker.l, NOW, true));
	assert_int_equal(rules(), 1);
	/* an unfinished look changes nothing; the policy may go */
	lawplace_judge(&taker, "{}");
	assert_int_equal(rules(), 0);
}

/* An envelope around a statement about the image, by a key of the kit. */
static void
statement(unsigned key)
{
	static const char type[] = "application/vnd.in-toto+json";
	struct klp_secret s = kit_secret(key);
	uint8_t sig[SIG_LEN];
	char text[600], b64[900], sig64[100], file[1200];

	(void)snprintf(text, sizeof(text), "{\"_type\":"
	    "\"https://in-toto.io/Statement/v1\",\"predicateType\":"
	    "\"https://sigstore.dev/cosign/sign/v1\","
	    "\"subject\":[{\"digest\":{\"sha256\":\"%s\"}}]}",
	    vec_str(doc, "image"));
	assert_true(pae_sign(sig, &s, type, text, strlen(text), NULL));
	(void)sodium_bin2base64(b64, sizeof(b64), (const uint8_t *)text,
	    strlen(text), sodium_base64_VARIANT_ORIGINAL);
	(void)sodium_bin2base64(sig64, sizeof(sig64), sig, sizeof(sig),
	    sodium_base64_VARIANT_ORIGINAL);
	(void)snprintf(file, sizeof(file), "{\"payloadType\":\"%s\","
	    "\"payload\":\"%s\",\"signatures\":[{\"sig\":\"%s\"}]}",
	    type, b64, sig64);
	kit_dir_put(&taker.klp, "attestations/role.json", file, strlen(file));
	(void)law_look(taker.l, NOW, true);
}

/* A role of an authority: as many of its keys as its root says. */
static void
test_role(void **state)
{
	static uint8_t buf[8192];
	struct id32 id;
	size_t n;

	(void)state;
	lawplace_judge(&taker, "image_policy:\n  - image: '*'\n    any_of:\n"
	    "      - klp_role: {authority: test.kos, role: revocation-list}\n");
	put("attestations/c.json", "simple ed25519");
	assert_int_equal(rules(), 0);
	statement(1);
	assert_int_equal(rules(), 0);
	statement(0);
	assert_int_equal(rules(), 1);
	/* the board is founded anew, with another key and the same version */
	lawkit_root.keys[2] = 1u << 3;
	n = kit_root(buf, sizeof(buf), &lawkit_root, &id);
	kit_dir_put(&taker.klp, "authorities/test.kos.root.json", buf, n);
	(void)law_look(taker.l, NOW, true);
	assert_int_equal(rules(), 0);
}

#ifdef HAVE_LIBCRYPTO
static json_t *keyless;

/* Which rules hold for what that bundle is about. */
static uint32_t
rules_now(const json_t *bundle)
{
	uint32_t now = (uint32_t)vec_int(keyless, "now");
	const char *hex = vec_str(bundle, "sum");
	size_t n;
	uint64_t serial;
	const struct attested *l;
	struct id32 sum;

	(void)law_look(taker.l, now, true);
	l = law_attested(taker.l, &n, &serial);
	assert_true(hex_decode(sum.b, sizeof(sum.b), hex, strlen(hex)));
	return attested_rules(l, n, &sum);
}

static const char by_person[] = "image_policy:\n"
    "  - image: '*'\n    any_of:\n      - keyless: {roots: r.json, "
    "issuer: 'https://accounts.example', subject: person@example.org}\n"
    "  - image: '*'\n    any_of:\n      - keyless: {roots: r.json, "
    "issuer: 'https://accounts.example', "
    "subject: 'https://forge.example/org/repo/*'}\n"
    "  - image: '*'\n    any_of:\n      - keyless: {roots: r.json, "
    "issuer: 'https://accounts.exampl', subject: 'p*'}\n";

/* Whom a certificate names, by roots that the operator has put there. */
static void
test_keyless(void **state)
{
	const json_t *good, *flow;
	const struct vouched *who;
	const char *text;
	size_t n;

	(void)state;
	keyless = vec_load("keyless.json");
	good = case_of(keyless, "message, log v1");
	flow = case_of(keyless, "a workflow");
	lawplace_judge(&taker, by_person);
	text = vec_str(good, "bundle");
	kit_dir_put(&taker.klp, "attestations/a.json", text, strlen(text));
	assert_int_equal(rules_now(good), 0); /* no roots are there */
	assert_int_equal(mkdirat(taker.klp.fd, "roots", 0755), 0);
	text = vec_str(json_object_get(keyless, "roots"), "roots");
	kit_dir_put(&taker.klp, "roots/r.json", text, strlen(text) - 1);
	assert_int_equal(rules_now(good), 0); /* they are damaged */
	kit_dir_put(&taker.klp, "roots/r.json", text, strlen(text));
	assert_int_equal(rules_now(good), 1);
	who = law_vouched(taker.l, &n);
	assert_int_equal(n, 1);
	assert_int_equal(who[0].rule, 0);
	assert_string_equal(who[0].who,
	    "person@example.org (https://accounts.example)");
	text = vec_str(flow, "bundle");
	kit_dir_put(&taker.klp, "attestations/b.json", text, strlen(text));
	assert_int_equal(rules_now(flow), 3);
	(void)law_vouched(taker.l, &n);
	assert_int_equal(n, 2);
	/* by a clock that is behind nothing counts, until it is set */
	law_configure(taker.l, taker.conf);
	(void)law_look(taker.l, 1000, true);
	(void)law_vouched(taker.l, &n);
	assert_int_equal(n, 0);
	assert_int_equal(rules_now(good), 3);
	/* roots that are taken away vouch for nothing */
	(void)unlinkat(taker.klp.fd, "roots/r.json", 0);
	assert_int_equal(rules_now(good), 0);
	(void)law_vouched(taker.l, &n);
	assert_int_equal(n, 0);
	lawplace_judge(&taker, "{}");
	(void)law_vouched(taker.l, &n);
	assert_int_equal(n, 0);
}

/* A policy by the key of the case; more: behind it. */
static void
judge_by_key(const json_t *c, const char *more)
{
	const char *pem = vec_str(c, "key"), *nl;
	char yaml[2048] = "image_policy:\n  - image: '*'\n    any_of:\n"
	    "      - key: |\n";
	size_t n = strlen(yaml);

	for (; (nl = strchr(pem, '\n')) != NULL; pem = nl + 1) {
		int line = snprintf(yaml + n, sizeof(yaml) - n,
		    "          %.*s\n", (int)(nl - pem), pem);

		n += (size_t)line;
		assert_true(n < sizeof(yaml));
	}
	assert_true(snprintf(yaml + n, sizeof(yaml) - n, "%s", more) <
	    (int)(sizeof(yaml) - n));
	lawplace_judge(&taker, yaml);
}

static void
put_case(const json_t *c)
{
	const char *text = vec_str(c, "bundle");

	kit_dir_put(&taker.klp, "attestations/a.json", text, strlen(text));
}

/* A key whose signatures must be in a log, and what comes without being asked. */
static void
test_logged(void **state)
{
	static const char other[] = "      - keyless: {roots: r.json, "
	    "issuer: i, subject: s@s}\n";
	static const char log[] = "        log: r.json\n";
	const json_t *good, *none, *lied, *strange;
	const char *text;

	(void)state;
	keyless = vec_load("keyed.json");
	good = case_of(keyless, "key, message, log v1");
	none = case_of(keyless, "key, no entry");
	lied = case_of(keyless, "key, an entry with another key");
	strange = case_of(keyless, "key, another log");
	assert_int_equal(mkdirat(taker.klp.fd, "roots", 0755), 0);
	put_case(good);
	judge_by_key(good, log);
	assert_int_equal(rules_now(good), 0); /* no roots are there */
	text = vec_str(json_object_get(keyless, "roots"), "roots");
	kit_dir_put(&taker.klp, "roots/r.json", text, strlen(text));
	assert_int_equal(rules_now(good), 1);
	put_case(none);
	assert_int_equal(rules_now(none), 0);
	put_case(lied);
	assert_int_equal(rules_now(lied), 0);
	put_case(strange);
	assert_int_equal(rules_now(strange), 0);
	/* not wanted, but known from a neighbour: what is there must hold */
	judge_by_key(good, other);
	assert_int_equal(rules_now(strange), 1);
	put_case(lied);
	assert_int_equal(rules_now(lied), 0);
	put_case(none);
	assert_int_equal(rules_now(none), 1);
	put_case(good);
	assert_int_equal(rules_now(good), 1);
	/* nor known: by the key alone */
	judge_by_key(good, "");
	put_case(lied);
	assert_int_equal(rules_now(lied), 1);
	/* twice the same key, once in a log: each for itself */
	assert_false(attest_conf_same_key(
	    &(struct attest_signer){.roots = "a"}, &(struct attest_signer){
	    .roots = "b"}));
}
#endif

static int
start(void **state)
{
	const char *why;

	for (unsigned k = 0; k < NELEM(names); k++) {
		const char *pem = vec_str(json_object_get(doc, "keys"),
		    names[k]);

		assert_true(pemkey_parse(&keys[k], pem, strlen(pem), &why));
	}
	if (setup(state) != 0)
		return -1;
	return mkdirat(taker.klp.fd, "attestations", 0755);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_forms), TEST(test_damaged), TEST(test_hostile),
	    TEST(test_keys), TEST(test_where), TEST(test_mistakes),
	    TEST(test_about), TEST(test_judge), TEST(test_role),
	    TEST(test_root_files),
#ifdef HAVE_LIBCRYPTO
	    TEST(test_keyless), TEST(test_logged),
#endif
	};

	doc = vec_load("attest.json");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
