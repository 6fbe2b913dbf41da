/* SPDX-License-Identifier: BSD-2-Clause */
/* klp:// (klp.md 1.1): what is one and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trust/doc/uri.h"
#include "common/util.h"
#include "tests/unit/vec.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SELF "x-aebagbafaydqqcikbmga2dqpcaireeyuculbogazdinryhi6d4qa"

static bool
parse(struct klp_uri *u, const char *t)
{
	/* its exact size: a sanitizer sees a read behind it */
	return uri_parse(u, (const char *)vec_copy(t, strlen(t)), strlen(t));
}

static void
test_accepted(void **state)
{
	struct klp_uri u;

	(void)state;
	assert_true(parse(&u, "klp://trust.kos/mesh-overlay.json"));
	assert_string_equal(u.authority, "trust.kos");
	assert_string_equal(u.path, "mesh-overlay.json");
	assert_int_equal(u.select, URI_NEWEST);
	assert_false(u.self);
	assert_true(parse(&u, "klp://doc.172.docs.kOS/a/B_~-.x?v=4294967295"));
	assert_string_equal(u.authority, "doc.172.docs.kos");
	assert_string_equal(u.path, "a/B_~-.x");
	assert_int_equal(u.select, URI_VERSION);
	assert_int_equal(u.version, 4294967295);
	assert_true(parse(&u, "klp://one/p?sha256=" A64 "#/a/0"));
	assert_int_equal(u.select, URI_SHA256);
	assert_int_equal(u.sha256.b[31], 0xaa);
	assert_string_equal(u.pointer, "/a/0");
	assert_true(parse(&u, "klp://one/p#"));
	assert_string_equal(u.pointer, "");
	assert_true(parse(&u, "klp://a.b.c.d.e.f.g.h/..."));
	assert_true(parse(&u, "klp://X-" "AEBAGBAFAYDQQCIKBMGA2DQPCAIREEYUCULB"
			      "OGAZDINRYHI6D4QA/p"));
	assert_true(u.self);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(u.root.b[i], i + 1);
	assert_string_equal(u.authority, SELF);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = {"", "klp://", "klp:///p", "klp://a",
	    "klp://a/", "KLP://a/p", "http://a/p", "klp:/a/p", "klp://a b/p",
	    "klp://a/p q", "klp://a:1/p", "klp://u@a/p", "klp://a/%41",
	    "klp://a/p%00", "klp://a/.", "klp://a/..", "klp://a/x/../y",
	    "klp://a/x/./y", "klp://a//p", "klp://a/p/", "klp://a./p",
	    "klp://.a/p", "klp://a..b/p", "klp://a_b/p", "klp://\xc3\xa4/p",
	    "klp://a/\xc3\xa4", "klp://a.b.c.d.e.f.g.h.i/p", "klp://a/p?",
	    "klp://a/p?v=", "klp://a/p?v=x", "klp://a/p?v=-1",
	    "klp://a/p?v=12345678901", "klp://a/p?sha256=aa",
	    "klp://a/p?sha256=" A64 "a", "klp://a/p?q=1",
	    "klp://a/p?v=1?v=2", "klp://a/p?v=1&v=2", "klp://a/p#a b",
	    "klp://a/p#%41", "klp://a/p#a#b", "klp://x-/p", "klp://x-a/p",
	    "klp://x-trust.kos/p", "klp://trust.x-kos/p", "klp://a/?v=1",
	    /* a bit behind the 256th; a digit that base32 has not */
	    "klp://x-aebagbafaydqqcikbmga2dqpcaireeyuculbogazdinryhi6d4qb/p",
	    "klp://x-1ebagbafaydqqcikbmga2dqpcaireeyuculbogazdinryhi6d4qa/p",
	    "klp://" SELF "a/p", "klp://" SELF ".kos/p"};
	struct klp_uri u;

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++)
		if (parse(&u, bad[i]))
			fail_msg("taken: %s", bad[i]);
	/* a NUL is no end */
	assert_false(uri_parse(&u, "klp://a/p\0q", 11));
	assert_false(uri_parse(&u, "klp://a\0b/p", 11));
}

static void
test_lengths(void **state)
{
	char t[700] = "klp://";
	struct klp_uri u;

	(void)state;
	memset(t + 6, 'a', 253);
	memcpy(t + 259, "/p", 3);
	assert_true(parse(&u, t));
	memset(t + 6, 'a', 254);
	memcpy(t + 260, "/p", 3);
	assert_false(parse(&u, t));
	memcpy(t + 6, "a/", 2);
	memset(t + 8, 'p', 600);
	assert_true(uri_parse(&u, t, URI_MAX));
	assert_false(uri_parse(&u, t, URI_MAX + 1));
	assert_int_equal(strlen(u.path), URI_MAX - 8);
}

static void
prefix(void *arg, const uint8_t *p, size_t n)
{
	struct klp_uri u;

	(void)arg;
	if (uri_parse(&u, (const char *)p, n)) {
		assert_true(uri_path_ok(u.path, strlen(u.path)));
		assert_true(strlen(u.authority) > 0);
	}
}

static void
test_cuts(void **state)
{
	static const char t[] = "klp://a.b/c/d?v=17#/x";
	char self[URI_SELF_LEN + 1];
	struct id32 id;
	struct klp_uri u;

	(void)state;
	vec_each_prefix((const uint8_t *)t, strlen(t), prefix, NULL);
	vec_each_flip((const uint8_t *)t, strlen(t), prefix, NULL);
	for (unsigned i = 0; i < 32; i++)
		id.b[i] = (uint8_t)(i * 37 + 5);
	uri_self(self, &id);
	assert_true(uri_authority(&u, self, strlen(self)));
	assert_true(u.self && id32_eq(&u.root, &id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_accepted),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
