/* SPDX-License-Identifier: BSD-2-Clause */
/* Roots, heads (klp.md 1.2, 1.3) and the state: hostile, cut and flipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "trust/doc/authstate.h"
#include "trust/doc/head.h"
#include "trust/doc/root.h"
#include "common/util.h"
#include "tests/unit/authkit.h"
#include "tests/unit/vec.h"

static uint8_t buf[1 << 16];
static size_t len;
static struct root root;
static struct id32 id;

static void
test_root_bad(void **state)
{
	static const struct kit_root bad[] = {
	    {.version = 2},
	    {.signers = 2},
	    {.keys = {3}, .threshold = {2}, .signers = 1},
	    {.expires = 5},
	    {.more = "{\"_type\":\"klp.roots\"}"},
	    {.more = "{\"authority\":\"a..b\"}"},
	    {.more = "{\"keys\":{}}"},
	    {.more = "{\"keys\":{\"00\":{}}}"},
	    {.more = "{\"roles\":{}}"},
	    {.more = "{\"roles\":[]}"},
	    {.more = "{\"documents\":7}"},
	    {.more = "{\"documents\":{\"../x\":{\"role\":\"root\","
		     "\"type\":\"t\"}}}"},
	    {.more = "{\"documents\":{\"x\":{\"role\":\"nobody\","
		     "\"type\":\"t\"}}}"},
	    {.more = "{\"documents\":{\"x\":{\"role\":\"root\"}}}"},
	    {.more = "{\"documents\":{\"x\":{\"role\":\"root\","
		     "\"type\":\"t\",\"max\":-1}}}"},
	    {.more = "{\"crit\":[\"delegations\"]}"},
	    {.more = "{\"version\":0}"},
	    {.more = "{\"issued\":\"x\"}"},
	};
	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		len = kit_root(buf, sizeof(buf), &bad[i], NULL);
		if (root_first(&root, &id, buf, len) == NULL)
			fail_msg("taken: %zu", i);
	}
	/* thresholds that nobody or too few can reach */
	for (int t = 0; t < 2; t++) {
		struct kit_root r = {.threshold = {t == 0 ? 2 : 9}};

		len = kit_root(buf, sizeof(buf), &r, NULL);
		assert_non_null(root_first(&root, &id, buf, len));
	}
}

static void
root_cut(void *arg, const uint8_t *p, size_t n)
{
	const struct id32 *good = arg;
	struct id32 x;

	/* the hint of a signature may change, nothing else */
	if (root_first(&root, &x, p, n) == NULL)
		assert_true(id32_eq(&x, good));
}

static void
test_root_cuts(void **state)
{
	const struct kit_root r = {.keys = {3}, .threshold = {2}};

	(void)state;
	len = kit_root(buf, sizeof(buf), &r, &id);
	assert_null(root_first(&root, &id, buf, len));
	assert_int_equal(root.nkeys, KIT_KEYS);
	assert_non_null(root_doc(&root, KIT_LIST));
	assert_null(root_role(&root, "nobody"));
	vec_each_prefix(buf, len, root_cut, &id);
	for (size_t i = 0; i < len; i += 7) {
		uint8_t *p = vec_copy(buf, len);

		p[i] ^= 1;
		root_cut(&id, p, len);
	}
}

static void
head_cut(void *arg, const uint8_t *p, size_t n)
{
	struct head h;
	struct env e;

	(void)arg;
	if (head_parse(&h, &e, p, n) == NULL)
		assert_true(h.n <= HEAD_DOCS_MAX && e.nsigs >= 1);
	assert_null(e.own);
}

static void
test_head_cuts(void **state)
{
	struct head h = {.atag = {1}, .version = 1, .issued = 5, .expires = 9};
	struct env e;

	(void)state;
	for (unsigned i = 0; i < HEAD_DOCS_MAX; i++) {
		char path[8] = {(char)('a' + i % 26), (char)('a' + i / 26)};

		kit_names(&h, path, i, buf, 1);
	}
	assert_int_equal(h.n, HEAD_DOCS_MAX);
	len = kit_head(buf, sizeof(buf), &h, 1 | 2);
	assert_null(head_parse(&h, &e, buf, len));
	assert_non_null(head_doc(&h, "ba"));
	assert_null(head_doc(&h, "zz"));
	vec_each_prefix(buf, len, head_cut, NULL);
	vec_each_flip(buf, len, head_cut, NULL);
	/* one document twice; one more than 64; no time; too long a life */
	memcpy(h.docs[5].ptag, h.docs[9].ptag, 4);
	len = kit_head(buf, sizeof(buf), &h, 1);
	assert_non_null(head_parse(&h, &e, buf, len));
	h.n = 1;
	buf[3] = HEAD_DOCS_MAX + 1;
	assert_non_null(head_parse(&h, &e, buf, len));
	h.n = HEAD_DOCS_MAX + 1;
	assert_int_equal(head_put(buf, sizeof(buf), &h), 0);
	h = (struct head){.issued = 5, .expires = 5};
	len = kit_head(buf, sizeof(buf), &h, 1);
	assert_non_null(head_parse(&h, &e, buf, len));
	h = (struct head){.issued = 5, .expires = 6 + HEAD_LIFE_MAX};
	len = kit_head(buf, sizeof(buf), &h, 1);
	assert_non_null(head_parse(&h, &e, buf, len));
	memset(buf, 'x', sizeof(buf));
	assert_non_null(head_parse(&h, &e, buf, HEAD_BYTES + 1));
}

static void
state_cut(void *arg, const uint8_t *p, size_t n)
{
	struct auth_state st;

	(void)arg;
	assert_false(authstate_get(&st, p, n));
}

static void
test_state(void **state)
{
	struct auth_state st = {.id = {{1}}, .floor = 2, .root_version = 3,
	    .root_sha = {{4}}, .has_head = true, .head_version = 5,
	    .head_issued = 6, .head_digest = {{7}}, .head_sha = {{8}},
	    .ndocs = 2, .docs = {{.path = "a", .version = 9, .length = 10,
	    .sha256 = {{11}}}, {.path = "b/c", .sha256 = {{12}}}}}, back;
	size_t n = authstate_put(buf, sizeof(buf), &st), m;
	uint8_t out[1024];

	(void)state;
	assert_true(n > 0 && n < sizeof(out));
	assert_int_equal(authstate_put(out, n - 1, &st), 0);
	assert_true(authstate_get(&back, buf, n));
	m = authstate_put(out, sizeof(out), &back);
	vec_equal(out, m, buf, n);
	vec_each_prefix(buf, n, state_cut, NULL);
	vec_each_flip(buf, n, state_cut, NULL);
	/* whole, and impossible */
	st.root_version = 0;
	n = authstate_put(buf, sizeof(buf), &st);
	state_cut(NULL, buf, n);
	st.root_version = 1;
	memcpy(st.docs[1].path, "../", 4);
	n = authstate_put(buf, sizeof(buf), &st);
	state_cut(NULL, buf, n);
	memcpy(st.docs[1].path, "b", 2);
	st.docs[1].length = AUTH_GRAPH_BYTES + 1;
	n = authstate_put(buf, sizeof(buf), &st);
	state_cut(NULL, buf, n);
}

/* No room for more than is read here. */
static void
test_want(void **state)
{
	static struct authority a;
	static char names[AUTH_WANT_MAX][8];

	(void)state;
	for (unsigned i = 0; i < AUTH_WANT_MAX; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "d%u", i);
		assert_true(authority_want(&a, names[i]));
		assert_true(authority_want(&a, names[i]));
	}
	assert_int_equal(a.nwant, AUTH_WANT_MAX);
	assert_false(authority_want(&a, "one more"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_root_bad),
	    cmocka_unit_test(test_root_cuts),
	    cmocka_unit_test(test_head_cuts),
	    cmocka_unit_test(test_state),
	    cmocka_unit_test(test_want),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
