/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of a line, as Python's shlex.split() makes them (the values are its). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/config/shwords.h"

static void
words(void **state)
{
	static const struct {
		const char *text;
		const char *want[6];
	} good[] = {
		{"a", {"a", NULL}},
		{"a b", {"a", "b", NULL}},
		{"  a\tb  ", {"a", "b", NULL}},
		{"'a b' c", {"a b", "c", NULL}},
		{"\"a b\" c", {"a b", "c", NULL}},
		{"a\\ b", {"a b", NULL}},
		{"\"a\\\"b\"", {"a\"b", NULL}},
		{"\"a\\$b\"", {"a\\$b", NULL}},
		{"'a\\b'", {"a\\b", NULL}},
		{"a'b'\"c\"d", {"abcd", NULL}},
		{"''", {"", NULL}},
		{"a '' b", {"a", "", "b", NULL}},
		{"\"\"", {"", NULL}},
		{"#x y", {"#x", "y", NULL}},
		{"a#b", {"a#b", NULL}},
		{"a;b|c", {"a;b|c", NULL}},
		{"$HOME *.c", {"$HOME", "*.c", NULL}},
		{"\"a\\\\b\"", {"a\\b", NULL}},
		{"x=\"1 2\"", {"x=1 2", NULL}},
		{"\\a", {"a", NULL}},
		{"a\nb", {"a", "b", NULL}},
		{"'a\nb'", {"a\nb", NULL}},
		{"", {NULL}}, {" \t", {NULL}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		/* just as much as it asks for: sanitizers see the rest */
		char **argv = malloc(shwords_size(good[i].text));
		size_t k = 0;

		assert_non_null(argv);
		assert_null(shwords_split(good[i].text, argv));
		for (; good[i].want[k] != NULL; k++) {
			assert_non_null(argv[k]);
			assert_string_equal(argv[k], good[i].want[k]);
		}
		assert_null(argv[k]);
		free(argv);
	}
}

static void
unfinished(void **state)
{
	static const char *const bad[] = {"'", "\"", "a 'b", "a \"b\\\"",
	    "\\", "a b\\", "''\"", "\"\\"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char **argv = malloc(shwords_size(bad[i]));

		assert_non_null(argv);
		assert_non_null(shwords_split(bad[i], argv));
		free(argv);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(unfinished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
