/* SPDX-License-Identifier: BSD-2-Clause */
/* Reticulum's `config`: the grammar (reticulum-transport.md 11.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/config/confobj.h"

static void
grammar_values(void **state)
{
	static const char text[] = "\xef\xbb\xbf"
	    "top = 1\n"
	    "[a]  # comment\n"
	    "plain = one two # comment\n"
	    "quoted = \"a # b, c\"   # comment\n"
	    "single = 'it is \"so\"'\n"
	    "list = a, 'b, c' , \"d\"\n"
	    "one = a,\n"
	    "none = ,\n"
	    "empty =\n"
	    "  \"the key\"=x=y\n"
	    "triple = '''first\n second # no comment\n'''  # end\n"
	    "after = yes\n"
	    "  [[ \"b ]\" ]]\n"
	    "\tx = %(plain)s/%(top)s/%(d)s/100%\n"
	    "[[[c]]]\r\ny = %(x)s\r\n"
	    "[[DEFAULT]]\nd = dd\n"
	    "[z]\n";
	struct conf_section *root, *a, *b, *c;
	struct confobj *tree;
	struct mistakes m = {0};
	struct conf_entry *e;

	(void)state;
	assert_int_equal(confobj_parse(&tree, text, sizeof(text) - 1, &m), 0);
	root = confobj_root(tree);
	a = conf_section(root, "a");
	assert_non_null(a);
	assert_int_equal(a->line, 2);
	assert_non_null(conf_section(root, "z"));
#define VALUE(sec, key, i)                                                     \
	conf_value(tree, sec, conf_entry(sec, key), i, &m)
	assert_string_equal(VALUE(a, "plain", 0), "one two");
	assert_string_equal(VALUE(a, "quoted", 0), "a # b, c");
	assert_string_equal(VALUE(a, "single", 0), "it is \"so\"");
	e = conf_entry(a, "list");
	assert_true(e->list);
	assert_int_equal(e->n, 3);
	assert_string_equal(VALUE(a, "list", 1), "b, c");
	assert_string_equal(VALUE(a, "list", 2), "d");
	e = conf_entry(a, "one");
	assert_true(e->list && e->n == 1);
	e = conf_entry(a, "none");
	assert_true(e->list && e->n == 0);
	assert_string_equal(VALUE(a, "empty", 0), "");
	assert_string_equal(VALUE(a, "the key", 0), "x=y");
	assert_string_equal(VALUE(a, "triple", 0),
	    "first\n second # no comment\n");
	e = conf_entry(a, "after");
	assert_int_equal(e->line, 14);
	b = conf_section(a, "b ]");
	assert_non_null(b);
	/* same section, DEFAULT of the parent, parents */
	assert_string_equal(VALUE(b, "x", 0), "one two/1/dd/100%");
	c = conf_section(b, "c");
	assert_string_equal(VALUE(c, "y", 0), "one two/1/dd/100%");
	confobj_free(tree);
}

/* Lines as the reference cuts them; tests/interop has many more. */
static void
grammar_odd(void **state)
{
	static const struct {
		const char *line, *key, *value; /* value: items, '|' between */
	} lines[] = {
		{"a = b\xc2\xa0\n", "a", "b"},
		{"\xc2\xa0""a\xe2\x80\x83=\xe3\x80\x80""b # c\r\n", "a", "b"},
		{"a = \"x\"y\"z\"\n", "a", "x\"y\"z"},
		{"a = 'x'y, z'\n", "a", "x'y, z"},
		{"a = b\"c\" d\n", "a", "b\"c\" d"},
		{"a = x, \"b, c\"d, e\"\n", "a", "x|b, c\"d, e"},
		{"a = x, \"b\"c, d\n", "a", "x|\"b\"c|d"},
		{"a = \"x\" , '' \"\n", "a", "x\" , '' "},
		{"a = '''x\r\ny'''''\n", "a", "x\ny''"},
		{"a = '''x'''y'''\n", "a", "x'''y"},
		{"\"a=b\" = c\n", "a=b", "c"},
		{"[a = b\n", "[a", "b"},
		{" = b\n", " ", "b"},
		{"'' = b\n", "", "b"},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(lines); i++) {
		struct mistakes m = {0};
		const struct conf_entry *e;
		struct confobj *tree;
		char all[100] = "";
		size_t n = 0;

		if (confobj_parse(&tree, lines[i].line, strlen(lines[i].line),
		    &m) < 0)
			fail_msg("%s: %s", lines[i].line, m.v[0].text);
		e = conf_entry(confobj_root(tree), lines[i].key);
		for (unsigned k = 0; e != NULL && k < e->n; k++)
			n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
			    k > 0 ? "|" : "", e->values[k]);
		if (e == NULL || strcmp(all, lines[i].value) != 0)
			fail_msg("%s: %s", lines[i].line, all);
		confobj_free(tree);
	}
}

static void
section_odd(void **state)
{
	static const char text[] = "\xe2\x80\x83[i]\xc2\xa0# c\n"
	    "[[S [a] b]]\nx = 1\n[[ 't ]]' ]]\n[[a]b]]\n[''']\n";
	struct mistakes m = {0};
	struct conf_section *root, *i;
	struct confobj *tree;

	(void)state;
	assert_int_equal(confobj_parse(&tree, text, sizeof(text) - 1, &m), 0);
	root = confobj_root(tree);
	i = conf_section(root, "i");
	assert_non_null(i);
	assert_non_null(conf_section(i, "S [a] b"));
	assert_non_null(conf_entry(conf_section(i, "S [a] b"), "x"));
	assert_non_null(conf_section(i, "t ]]"));
	assert_non_null(conf_section(i, "a]b"));
	assert_non_null(conf_section(root, "'"));
	confobj_free(tree);
}

/* Nothing that a line can hold costs much more than it is long. */
static void
grammar_bombs(void **state)
{
	static const char *const pieces[] = {"[", "]", "[]", "\"", "'\",", ",",
	    "\" ,", "x,\"", "'' ", "'''", "' ", "\xc2\xa0", "=", "a = \"b\",",
	    "\"]", "\" ]"};
	size_t len = 200000;
	char *text = malloc(len + 8);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < 2 * NELEM(pieces); i++) {
		const char *piece = pieces[i / 2];
		size_t n = 0, k = strlen(piece);
		struct mistakes m = {0};
		struct confobj *tree;

		if (i % 2 == 1) {
			memcpy(text, "a = x ", 6);
			n = 6;
		}
		for (; n + k <= len; n += k)
			memcpy(text + n, piece, k);
		text[n++] = '#';
		(void)confobj_parse(&tree, text, n, &m);
		confobj_free(tree);
	}
	free(text);
}

static void
grammar_errors(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
	} bad[] = {
		{"a\n", 1},
		{"[s]\na = 1\na = 2\n", 3},
		{"[s]\n[s]\n", 2},
		{"s = 1\n[s]\n", 2},
		{"[s]\n[[[t]]]\n", 2},
		{"[[t]]\n", 1},
		{"[s\n", 1},
		{"[s]]\n", 1},
		{"[]\n", 1},
		{"[s] x\n", 1},
		{"a = 'b\n", 1},
		{"a = 'b' c\n", 1},
		{"a = b, 'c\n", 1},
		{"a = ,,\n", 1},
		{"\n\na = '''b\n", 3},
		{"a = '''b''' c\n", 1},
		{"a = '''b\nc''' d\n", 2},
		{"= b\n", 1},
		{"a = b\n# caf\xe9\n", 2},
	};
	struct confobj *tree;
	struct mistakes m = {0};

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		m.n = 0;
		if (confobj_parse(&tree, bad[i].text, strlen(bad[i].text),
		    &m) == 0)
			fail_msg("no error: %s", bad[i].text);
		if (m.n != 1 || m.v[0].line != bad[i].line)
			fail_msg("%s: %u, line %u", bad[i].text, m.n,
			    m.v[0].line);
		assert_true(m.v[0].text[0] != '\0');
		confobj_free(tree);
	}
	assert_int_equal(confobj_parse(&tree, "a = \0b", 6, &m), -1);
}

static void
interpolation_errors(void **state)
{
	static const char text[] = "a = %(b)s\nb = %(a)s\nc = %(none)s\n"
	    "l = 1, 2\nd = %(l)s\ne = %(\nf = %()s%(x\n";
	static const char *bad[] = {"a", "b", "c", "d", "f"};
	struct conf_section *root;
	struct confobj *tree;
	struct mistakes m = {0};

	(void)state;
	assert_int_equal(confobj_parse(&tree, text, sizeof(text) - 1, &m), 0);
	root = confobj_root(tree);
	for (size_t i = 0; i < NELEM(bad); i++) {
		assert_null(conf_value(tree, root, conf_entry(root, bad[i]),
		    0, &m));
		assert_int_equal(m.n, i + 1);
		assert_true(m.v[i].line > 0);
	}
	assert_string_equal(conf_value(tree, root, conf_entry(root, "e"), 0,
	    &m), "%(");
	confobj_free(tree);
}

/* A key that doubles itself ten times over must not cost a gigabyte. */
static void
interpolation_bomb(void **state)
{
	char text[4000] = "a0 = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n";
	struct conf_section *root;
	struct confobj *tree;
	struct mistakes m = {0};
	size_t n = strlen(text);

	(void)state;
	for (int i = 1; i < 10; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "a%d = "
		    "%%(a%d)s%%(a%d)s%%(a%d)s%%(a%d)s\n", i, i - 1, i - 1,
		    i - 1, i - 1);
	assert_int_equal(confobj_parse(&tree, text, n, &m), 0);
	root = confobj_root(tree);
	assert_null(conf_value(tree, root, conf_entry(root, "a9"), 0, &m));
	confobj_free(tree);
}

/*
 * Behind a section line that is none the keys are passed over, not behind a
 * value that begins like one; nothing behind the text's last byte is read.
 */
static void
last_line(void **state)
{
	static const struct {
		const char *text;
		unsigned mistakes;
	} t[] = {
	    {"a = 1\na =", 1},
	    {"a = 1\na =[x]\nno key", 2},
	    {"[[a\nno key", 1},
	    {"[", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		size_t n = strlen(t[i].text);
		struct mistakes m = {0};
		struct confobj *tree;
		char *exact = malloc(n);

		assert_non_null(exact);
		memcpy(exact, t[i].text, n);
		assert_int_equal(confobj_parse(&tree, exact, n, &m), -1);
		assert_int_equal(m.n, t[i].mistakes);
		confobj_free(tree);
		free(exact);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grammar_values),
		cmocka_unit_test(grammar_odd),
		cmocka_unit_test(section_odd),
		cmocka_unit_test(grammar_bombs),
		cmocka_unit_test(grammar_errors),
		cmocka_unit_test(interpolation_errors),
		cmocka_unit_test(interpolation_bomb),
		cmocka_unit_test(last_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
