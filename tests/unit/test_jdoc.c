/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON profile and its canonical form: klp-json.json, borders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trust/doc/jdoc.h"
#include "common/util.h"
#include "tests/unit/vec.h"

static void
test_vectors(void **state)
{
	json_t *root = vec_load("klp-json.json"), *row;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(root, "json"), i, row)
	{
		size_t n, want_n, got_n;
		uint8_t *text = vec_bytes(row, "text", &n);
		uint8_t *want = vec_bytes(row, "canonical", &want_n);
		const char *why;
		json_t *v = jdoc_parse(text, n, 4096, &why), *c;
		char *got;

		assert_int_equal(v != NULL, vec_bool(row, "valid"));
		c = jdoc_parse_canonical(text, n, 4096, &why);
		assert_int_equal(c != NULL, vec_bool(row, "is_canonical"));
		json_decref(c);
		if (v == NULL)
			continue;
		got = jdoc_canonical(v, &got_n);
		assert_non_null(got);
		vec_equal(got, got_n, want, want_n);
		free(got);
		json_decref(v);
	}
}

static void
test_sizes(void **state)
{
	const char *why;
	json_t *v = jdoc_parse("[1,2]", 5, 5, &why);

	(void)state;
	assert_non_null(v);
	json_decref(v);
	assert_null(jdoc_parse("[1,2]", 5, 4, &why));
	assert_string_equal(why, "too large");
	/* a name with U+0000 is refused, not cut */
	assert_null(jdoc_parse("{\"a\\u0000b\":1}", 14, 100, &why));
	assert_null(jdoc_parse("\"\\", 2, 100, &why));
	assert_null(jdoc_parse("]", 1, 100, &why));
}

static void
test_not_canonical(void **state)
{
	json_t *deep = json_integer(1), *v;
	size_t n;

	(void)state;
	v = json_real(0.12345);
	assert_non_null(v);
	json_decref(v);
	v = json_real(1.5);
	assert_null(jdoc_canonical(v, &n));
	json_decref(v);
	v = json_integer(JDOC_INT_MAX + 1);
	assert_null(jdoc_canonical(v, &n));
	json_decref(v);
	for (int i = 0; i < JDOC_DEPTH + 4; i++) {
		v = json_array();
		json_array_append_new(v, deep);
		deep = v;
	}
	assert_null(jdoc_canonical(deep, &n));
	json_decref(deep);
}

static void
one(void *arg, const uint8_t *p, size_t n)
{
	const char *why;
	json_t *v = jdoc_parse_canonical(p, n, 4096, &why);

	(void)arg;
	json_decref(v);
}

static void
test_cuts(void **state)
{
	static const char text[] =
	    "{\"a\":[1,-2,0.125,\"\\u0001\xf0\x9f\x98\x80\"],"
	    "\"b\":{\"c\":null}}";

	(void)state;
	vec_each_prefix((const uint8_t *)text, sizeof(text) - 1, one, NULL);
	vec_each_flip((const uint8_t *)text, sizeof(text) - 1, one, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_not_canonical),
	    cmocka_unit_test(test_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
