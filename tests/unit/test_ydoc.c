/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "common/ydoc.h"

static const char sample[] = "image: kai/agent-runtime:latest\n"
			     "cap_drop:\n"
			     "  - ALL\n"
			     "limits:\n"
			     "  memory: 256MB\n"
			     "  cpu: 0.5\n"
			     "flow: {a: [1, \"2\", ~], b: {}}\n"
			     "empty:\n"
			     "multi: |\n"
			     "  one\n"
			     "  two\n";

static void
tree(void **state)
{
	struct mistakes m = {0};
	struct ydoc *d = NULL;
	const struct ynode *r, *n;

	(void)state;
	assert_int_equal(ydoc_parse(&d, sample, strlen(sample), &m), 0);
	r = ydoc_root(d);
	assert_int_equal(r->kind, YNODE_MAP);
	assert_int_equal(r->count, 6);
	n = ynode_get(r, "image");
	assert_string_equal(n->text, "kai/agent-runtime:latest");
	assert_int_equal(n->line, 1);
	assert_int_equal(n->column, 8);
	n = ynode_get(r, "cap_drop");
	assert_int_equal(n->kind, YNODE_LIST);
	assert_string_equal(n->first->text, "ALL");
	assert_int_equal(n->first->line, 3);
	n = ynode_get(ynode_get(r, "limits"), "cpu");
	assert_string_equal(n->text, "0.5");
	assert_int_equal(n->key_line, 6);
	assert_int_equal(n->key_column, 3);
	n = ynode_get(ynode_get(r, "flow"), "a");
	assert_int_equal(n->count, 3);
	assert_false(n->first->quoted);
	assert_true(n->first->next->quoted);
	assert_true(ynode_null(n->last));
	assert_true(ynode_null(ynode_get(r, "empty")));
	assert_string_equal(ynode_get(r, "multi")->text, "one\ntwo\n");
	assert_null(ynode_get(r, "nothing"));
	assert_null(ynode_get(n, "nothing"));
	ydoc_free(d);
	ydoc_free(NULL);
}

static void
empty(void **state)
{
	static const char *const texts[] = {"", "# only a comment\n", "---\n"};

	(void)state;
	for (size_t i = 0; i < NELEM(texts); i++) {
		struct mistakes m = {0};
		struct ydoc *d = NULL;

		assert_int_equal(
		    ydoc_parse(&d, texts[i], strlen(texts[i]), &m), 0);
		assert_true(ynode_null(ydoc_root(d)));
		ydoc_free(d);
	}
}

static void
refused(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *says;
	} bad[] = {
	    {"a: &x 1\n", 1, 4, "anchors"},
	    {"a: *x\n", 1, 4, "aliases"},
	    {"a: !!str 1\n", 1, 4, "tags"},
	    {"a: ! 1\n", 1, 4, "tags"},
	    {"a: &x {}\n", 1, 4, "anchors"},
	    {"a: !t []\n", 1, 4, "tags"},
	    {"&x a: 1\n", 1, 1, "anchors"},
	    {"a: 1\nb: 2\na: 3\n", 3, 1, "twice, first in line 1"},
	    {"x:\n  a: 1\n  \"a\": 2\n", 3, 3, "twice"},
	    {"? [a]\n: 1\n", 1, 3, "a key must be a word"},
	    {"? {a: 1}\n: 1\n", 1, 3, "a key must be a word"},
	    {"\"\": 1\n", 1, 1, "a key must have"},
	    {"a: \"x\\0y\"\n", 1, 4, "NUL"},
	    {"a: 1\n---\nb: 2\n", 2, 1, "second document"},
	    {"a: [1\n", 2, 1, ""},
	    {"a: b: c\n", 1, 5, ""},
	    {"\ta: 1\n", 1, 1, ""},
	    {"a: 1\n# caf\xe9\n", 2, 1, "not UTF-8"},
	    {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", 1, 17, "nested"},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		struct mistakes m = {0};
		struct ydoc *d = NULL;

		assert_int_equal(
		    ydoc_parse(&d, bad[i].text, strlen(bad[i].text), &m), -1);
		assert_int_equal(m.n, 1);
		if (strstr(m.v[0].text, bad[i].says) == NULL)
			fail_msg("%zu: %s", i, m.v[0].text);
		assert_int_equal(m.v[0].line, bad[i].line);
		assert_int_equal(m.v[0].column, bad[i].column);
	}
}

/* What an editor may put before a text is none of it. */
static void
byte_order_mark(void **state)
{
	static const char text[] = "\xef\xbb\xbf" "a: 1\nb:\n";
	struct mistakes m = {0};
	struct ydoc *d = NULL;

	(void)state;
	assert_int_equal(ydoc_parse(&d, text, sizeof(text) - 1, &m), 0);
	assert_string_equal(ynode_get(ydoc_root(d), "a")->text, "1");
	assert_int_equal(ynode_get(ydoc_root(d), "a")->column, 4);
	ydoc_free(d);
	assert_int_equal(ydoc_parse(&d, text, 3, &m), 0);
	assert_true(ynode_null(ydoc_root(d)));
	ydoc_free(d);
	assert_int_equal(ydoc_parse(&d, "\xff\xfe" "a\0:\0", 6, &m), -1);
	assert_string_equal(m.v[0].hint, "save it as UTF-8");
}

/* What the parser says is for parsers; what to do is for people. */
static void
hints(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *says;
	} bad[] = {
	    {"a:\n\t- b\n", 2, "a tab"},
	    {"a: 1\n\tb: 2\n", 2, ""},
	    {"a: 1\n  b: 2\n", 2, "indented alike"},
	    {"  a: 1\nb: 2\n", 2, "indented alike"},
	    {"a: 1\nb 2\n", 3, "behind a key"},
	    {"a: C: x\n", 1, "quotes"},
	    {"a: [1, 2\nb: 3\n", 2, "[a, b]"},
	    {"a: \"b\nc: 2\n", 1, "does not end"},
	    {"a: \"C:\\x\"\n", 1, ""},
	    {"a: @b\n", 1, "quotes"},
	    {"a: 1\nb: \x01\n", 2, ""},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		struct mistakes m = {0};
		struct ydoc *d = NULL;

		assert_int_equal(
		    ydoc_parse(&d, bad[i].text, strlen(bad[i].text), &m), -1);
		if (m.v[0].line != bad[i].line ||
		    strstr(m.v[0].hint, bad[i].says) == NULL)
			fail_msg("%s: %u: %s (%s)", bad[i].text, m.v[0].line,
			    m.v[0].text, m.v[0].hint);
	}
}

/* No size makes it slow or large; no cut of a text is more than a mistake. */
static void
bounds(void **state)
{
	struct mistakes m = {0};
	struct ydoc *d = NULL;
	char *big = malloc(YDOC_BYTES_MAX + 2);

	(void)state;
	assert_non_null(big);
	memset(big, ' ', YDOC_BYTES_MAX + 1);
	assert_int_equal(ydoc_parse(&d, big, YDOC_BYTES_MAX + 1, &m), -1);
	for (size_t i = 0; i + 1 < YDOC_BYTES_MAX; i += 2)
		memcpy(big + i, "-\n", 2);
	assert_int_equal(ydoc_parse(&d, big, YDOC_BYTES_MAX, &m), -1);
	for (size_t i = 0; i < YDOC_BYTES_MAX; i++)
		big[i] = '[';
	assert_int_equal(ydoc_parse(&d, big, YDOC_BYTES_MAX, &m), -1);
	free(big);
	for (size_t n = 0; n < sizeof(sample); n++) {
		m.n = 0;
		if (ydoc_parse(&d, sample, n, &m) == 0)
			ydoc_free(d);
		else
			assert_int_equal(m.n, 1);
	}
}

static void
readers(void **state)
{
	static const char text[] = "b: true\nq: \"true\"\nn: 7\nx: -3\n"
				   "s: 5MB\nt: 10m\nc: 0.25\nw: above_2\n"
				   "l: [1]\nbig: 99999999999999999999\n"
				   "tset: 1\n";
	static const char *const words[] = {"above_2", "always", "never"};
	static const char *const known[] = {"b", "q", "n", "x", "s", "t", "c",
	    "w", "l", "big", "test"};
	struct mistakes m = {0};
	struct ydoc *d = NULL;
	const struct ynode *r;
	const char *p;
	uint64_t u = 0;
	uint32_t milli = 0;
	int64_t v = 0;
	unsigned w = 9;
	bool b = false;

	(void)state;
	assert_int_equal(ydoc_parse(&d, text, strlen(text), &m), 0);
	r = ydoc_root(d);
#define N(k) ynode_get(r, k)
	assert_true(ynode_bool(N("b"), "b", &b, &m) && b);
	assert_true(ynode_int(N("n"), "n", 0, 9, &v, &m) && v == 7);
	assert_true(ynode_int(N("x"), "x", -3, 3, &v, &m) && v == -3);
	assert_true(ynode_size(N("s"), "s", 1, 1u << 30, &u, &m));
	assert_int_equal(u, 5u << 20);
	assert_true(ynode_time_ms(N("t"), "t", 1, 1u << 30, &u, &m));
	assert_int_equal(u, 600000);
	assert_true(ynode_cpu_milli(N("c"), "c", &milli, &m));
	assert_int_equal(milli, 250);
	assert_true(ynode_word(N("w"), "w", words, 3, &w, &m) && w == 0);
	assert_true(ynode_text(N("s"), "s", 1, 3, &p, &m));
	assert_int_equal(m.n, 0);
	assert_false(ynode_bool(N("q"), "q", &b, &m));
	assert_false(ynode_bool(N("n"), "n", &b, &m));
	assert_false(ynode_int(N("n"), "n", 8, 9, &v, &m));
	assert_false(ynode_int(N("l"), "l", 0, 9, &v, &m));
	assert_false(ynode_int(N("big"), "big", 0, INT64_MAX, &v, &m));
	assert_false(ynode_size(N("s"), "s", 1, 1024, &u, &m));
	assert_false(ynode_size(N("c"), "c", 1, 1024, &u, &m));
	assert_false(ynode_time_ms(N("n"), "n", 1, 1024, &u, &m));
	assert_false(ynode_cpu_milli(N("s"), "s", &milli, &m));
	assert_false(ynode_word(N("s"), "s", words, 3, &w, &m));
	assert_false(ynode_text(N("l"), "l", 0, 3, &p, &m));
	assert_false(ynode_text(N("s"), "s", 4, 9, &p, &m));
	assert_false(ynode_is_map(N("l"), "l", &m));
	assert_false(ynode_is_list(N("n"), "n", &m));
	assert_int_equal(m.n, 14);
	m.n = 0;
	assert_false(ynode_known(r, known, NELEM(known), &m));
	assert_int_equal(m.n, 1);
	assert_int_equal(m.v[0].line, 11);
	assert_string_equal(m.v[0].hint, "did you mean \"test\"?");
	ydoc_free(d);
}

static void
nearest(void **state)
{
	static const char *const words[] = {"memory", "cpu", "target_host",
	    "target_port", "1"};
	static const struct {
		const char *word, *near;
	} list[] = {{"memery", "memory"}, {"mem", "memory"}, {"cpus", "cpu"},
	    {"host", "target_host"}, {"port", "target_port"}, {"2", NULL},
	    {"taget_host", "target_host"}, {"disk", NULL}, {"", NULL},
	    {"target_hosts_and_more", "target_host"}, {"ory", NULL}, {"CPU", "cpu"},
	    {"Target_Hots", "target_host"}};

	(void)state;
	for (size_t i = 0; i < NELEM(list); i++) {
		const char *near = nearest_word(list[i].word, words,
		    NELEM(words));

		if (near != list[i].near && (near == NULL ||
		    list[i].near == NULL || strcmp(near, list[i].near) != 0))
			fail_msg("%s: %s", list[i].word,
			    near != NULL ? near : "none");
	}
}

static void
lines(void **state)
{
	struct mistakes m = {0};
	char out[512];

	(void)state;
	mistake_add(&m, 3, 7, "try \x1b[0m", "bad \n\"%s\"", "x\x07");
	mistake_line(out, sizeof(out), "node.yaml", &m.v[0]);
	assert_string_equal(out,
	    "node.yaml:3:7: bad \\x0a\"x\\x07\" (try \\x1b[0m)");
	mistake_add(&m, 0, 0, NULL, "whole");
	mistake_line(out, sizeof(out), "f", &m.v[1]);
	assert_string_equal(out, "f: whole");
	for (int i = 0; i < 40; i++)
		mistake_add(&m, 1, 1, NULL, "again %d", i);
	assert_int_equal(m.n, MISTAKES_MAX);
	assert_int_equal(m.more, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tree),
	    cmocka_unit_test(empty),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(byte_order_mark),
	    cmocka_unit_test(hints),
	    cmocka_unit_test(bounds),
	    cmocka_unit_test(readers),
	    cmocka_unit_test(nearest),
	    cmocka_unit_test(lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
