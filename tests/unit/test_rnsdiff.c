/* SPDX-License-Identifier: BSD-2-Clause */
/* What was changed between two files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/config/rnsconf.h"
#include "transport/config/rnsdiff.h"

static struct rnsconf *
parse(const char *text)
{
	struct rnsconf *c = NULL;
	struct mistakes m = {0};

	if (rnsconf_parse(&c, text, strlen(text), &m) < 0) {
		print_error("line %u: %s\n", m.v[0].line, m.v[0].text);
		fail();
	}
	return c;
}

static void
hear_if(void *ctx, enum rnsdiff what, struct rnsconf_if *was,
    struct rnsconf_if *now)
{
	static const char *const words[] = {[RNSDIFF_SAME] = "=",
	    [RNSDIFF_ADDED] = "+", [RNSDIFF_REMOVED] = "-",
	    [RNSDIFF_CHANGED] = "~"};
	char *said = ctx;
	size_t n = strlen(said);

	assert_int_equal(was == NULL, what == RNSDIFF_ADDED);
	assert_int_equal(now == NULL, what == RNSDIFF_REMOVED);
	(void)snprintf(said + n, 200 - n, "%s%s ", words[what],
	    (was != NULL ? was : now)->name);
}

static void
hear_key(void *ctx, const char *key)
{
	char *said = ctx;
	size_t n = strlen(said);

	(void)snprintf(said + n, 200 - n, "%s ", key);
}

static struct rnsconf *
parse_any(const char *text)
{
	struct rnsconf *c = NULL;
	struct mistakes m = {0};

	assert_int_equal(rnsconf_parse(&c, text, strlen(text), &m), 0);
	return c;
}

static void
differences(void **state)
{
#define D(name, more) "[[" name "]]\ntype = TCPClientInterface\n"              \
	"enabled = yes\ntarget_host = x\ntarget_port = 1\n" more
	static const struct {
		const char *was, *now, *said;
	} rows[] = {
		{D("A", ""), D("A", ""), "=A "},
		{D("A", "") D("B", ""), D("B", "") D("A", ""), "=A =B "},
		{D("A", ""), D("A", "# said\n\n   gravity = 1\n"), "~A "},
		{D("A", "gravity = 1\n"), D("A", "gravity = '1' # x\n"),
		    "=A "},
		{D("A", "passphrase = \"a\"\n"), D("A", "passphrase = b\n"),
		    "~A "},
		{D("A", "gravity = 1\nmode = gw\n"),
		    D("A", "mode = gw\ngravity = 1\n"), "=A "},
		{D("A", "gravity = 1\n"), D("A", ""), "~A "},
		{D("A", "x = a, b\n"), D("A", "x = 'a, b'\n"), "~A "},
		{D("A", "x = a, b\n"), D("A", "x = a, c\n"), "~A "},
		{D("A", "[[[s]]]\nx = 1\n"), D("A", "[[[s]]]\nx = 2\n"),
		    "~A "},
		{D("A", "[[[s]]]\nx = 1\n"), D("A", ""), "~A "},
		{D("A", ""), D("A", "[[[s]]]\n"), "~A "},
		{"p = 1\n" D("A", "gravity = %(p)s\n"),
		    "p = 2\n" D("A", "gravity = %(p)s\n"), "~A "},
		{D("A", "") D("B", ""), D("C", "") D("B", ""), "-A =B +C "},
		{D("A", ""), "[[A]]\nenabled = no\n", "-A "},
		{"[[A]]\nenabled = no\n", D("A", ""), "+A "},
		{"[[A]]\nenabled = no\n", "[[A]]\nenabled = off\n", ""},
		/* kept off by a mistake, then mended; the name is unique */
		{D("A", "bitrate = x\n"), D("A", "bitrate = 9\n"), "+A "},
		{D("A", "") D("A", "gravity = 2\n"), D("A", ""), "=A "},
		/* what lies behind a broken section is not the one's before it */
		{D("A", "") "[[B]\n[[[[x]\n", D("A", ""), "=A "},
		/* of a key that nobody reads, and with a mistake in it */
		{D("A", "x = %(y)s\n"), D("A", "x = %(y)s\n"), "=A "},
		{D("A", "x = %(y)s\n"), D("A", "x = %(z)s\n"), "~A "},
		{D("A", "x = %(y)s\n"), D("A", "x = y\n"), "~A "},
		{"", D("A", ""), "+A "}, {D("A", ""), "", "-A "}, {"", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		char was[600], now[600], said[200] = "";
		struct rnsconf *a, *b;

		(void)snprintf(was, sizeof(was), "[interfaces]\n%s",
		    rows[i].was);
		(void)snprintf(now, sizeof(now), "[interfaces]\n%s",
		    rows[i].now);
		a = parse_any(was);
		b = parse_any(now);
		rnsconf_diff(a, b, hear_if, said);
		if (strcmp(said, rows[i].said) != 0)
			fail_msg("%s and %s: %s", was, now, said);
		said[0] = '\0';
		rnsconf_diff_keys(a, b, hear_key, said);
		assert_string_equal(said, "");
		rnsconf_free(a);
		rnsconf_free(b);
	}
}

static void
different_keys(void **state)
{
	struct rnsconf *a = parse("[reticulum]\nshare_instance = yes\n"
	    "rpc_key = 00\ninstance_name = x\n"), *b, *none = parse("");
	char said[200] = "";

	(void)state;
	b = parse("[reticulum]\nrpc_key = 01\ninstance_name = 'x'\n"
	    "enable_transport = yes\n[logging]\nloglevel = 2\n");
	rnsconf_diff_keys(a, b, hear_key, said);
	assert_string_equal(said,
	    "share_instance rpc_key enable_transport ");
	said[0] = '\0';
	rnsconf_diff_keys(none, a, hear_key, said);
	assert_string_equal(said, "share_instance rpc_key instance_name ");
	said[0] = '\0';
	rnsconf_diff_keys(b, none, hear_key, said);
	assert_string_equal(said, "rpc_key instance_name enable_transport ");
	rnsconf_free(a);
	rnsconf_free(b);
	rnsconf_free(none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences),
		cmocka_unit_test(different_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
