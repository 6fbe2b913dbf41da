/* SPDX-License-Identifier: BSD-2-Clause */
/* Documents of people before they are signed: their form, and what counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "node/cli/klpdoc.h"
#include "trust/doc/keytext.h"

#define NOW 1800000000u
#define FP64 "0707070707070707070707070707070707070707070707070707070707070707"

/* What a node would refuse in a contract is not signed. */
static void
test_contract(void **state)
{
	static const char form[] = "{\"_type\":\"klp.behavior-contract\","
	    "\"agent\":\"urn:klp:kindai:agent:" FP64 "\",\"version\":1,"
	    "\"image\":\"sha256:" FP64 "\",\"issued\":1800000000,"
	    "\"expires\":1800086400,%s}";
	static const struct {
		const char *rest, *says; /* NULL: it is taken */
	} contracts[] = {
	    {"\"disk\":{\"read\":[\"/agent/**\"],\"exec\":[]}", NULL},
	    {"\"disc\":{}", NULL}, /* at the top it may be another's */
	    {"\"disk\":{\"reed\":[]}", "disk"},
	    {"\"memory\":{\"max\":\"64MB\"}", "memory.max"},
	    {"\"on_violation\":{\"default\":\"kil\"}", "on_violation"},
	};
	char text[1000], why[KLPDOC_WHY], *whole;
	struct klpdoc d;
	size_t len;
	bool good;

	(void)state;
	for (size_t i = 0; i < NELEM(contracts); i++) {
		(void)snprintf(text, sizeof(text), form, contracts[i].rest);
		whole = klpdoc_canonical(text, strlen(text), &len, why);
		assert_non_null(whole);
		good = klpdoc_check(&d, whole, len, why);
		assert_int_equal(good, contracts[i].says == NULL);
		if (!good && strstr(why, contracts[i].says) == NULL)
			fail_msg("%s: %s", contracts[i].rest, why);
		/* half of one is none, wherever it ends */
		for (size_t n = 0; n < len; n++) {
			char *part = malloc(n > 0 ? n : 1);

			assert_non_null(part);
			memcpy(part, whole, n);
			assert_false(klpdoc_check(&d, part, n, why));
			free(part);
		}
		free(whole);
	}
}

/* Edges of another time: they have a good form, and no level is in them now. */
static void
test_edges(void **state)
{
	static const char form[] = "{\"_type\":\"klp.trust-graph\",\"uri\":"
	    "\"klp://board.example/g.json\",\"version\":1,\"issued\":"
	    "1800000000,\"expires\":1800086400,\"namespace\":\"kindai\","
	    "\"nodes\":[],\"edges\":[{\"source\":\"urn:klp:kindai:human:%s\","
	    "\"target\":\"urn:klp:kindai:human:" FP64 "\",\"trust_level\":2,"
	    "\"tags\":[\"submitter\"],\"issued\":%u,\"expires\":%u}]}";
	static const struct {
		uint32_t issued, expires;
		const char *says;
	} edges[] = {
	    {NOW - 60, NOW + 60, "1 of 1 can count"},
	    {NOW, NOW + 1, "1 of 1 can count"},
	    {NOW + 1, NOW + 60, "1 of 1 can count; 1 not yet (issued is in "
				"the future)"},
	    {NOW - 60, NOW, "1 of 1 can count; 1 no more (expired)"},
	    {NOW, NOW - 1, "0 of 1 can count; 1 never valid"},
	};
	char text[2000], says[KLPDOC_EDGES], why[KLPDOC_WHY], hex[65], *whole;
	struct klp_key key;
	struct klpdoc_edges e;
	struct fp fp;
	size_t len;

	(void)state;
	assert_true(key_parse(&key, "pubkey:ed25519:bf0740b5e31ead15c4105c3c002"
	    "e22059311ff7d7ffb2e0bfc2f38890976992b", 79));
	key_fp(&fp, &key);
	hex_encode(hex, HASH_BYTES(fp));
	for (size_t i = 0; i < NELEM(edges); i++) {
		(void)snprintf(text, sizeof(text), form, hex, edges[i].issued,
		    edges[i].expires);
		whole = klpdoc_canonical(text, strlen(text), &len, why);
		assert_non_null(whole);
		assert_true(klpdoc_edges(&e, whole, len, &key, 1, NOW));
		klpdoc_edges_text(says, &e);
		assert_string_equal(says, edges[i].says);
		assert_false(klpdoc_edges(&e, whole, len - 1, &key, 1, NOW));
		free(whole);
	}
}

/* What is no JSON is told where. */
static void
test_no_json(void **state)
{
	static const struct {
		const char *text, *says;
	} texts[] = {
	    {"{\"_type\": \"klp.root\",\n \"a\": 1\n \"b\": 2}\n",
		"line 3, column 4: not JSON"},
	    {"{\"a\": 1,\n\"a\": 2}\n", "line 2, column 3: a member twice"},
	    {"{\"a\": 1.25}\n", "a number out of the profile"},
	};
	char why[KLPDOC_WHY];
	size_t len;

	(void)state;
	for (size_t i = 0; i < NELEM(texts); i++) {
		assert_null(klpdoc_canonical(texts[i].text,
		    strlen(texts[i].text), &len, why));
		assert_string_equal(why, texts[i].says);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_contract),
	    cmocka_unit_test(test_edges),
	    cmocka_unit_test(test_no_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
