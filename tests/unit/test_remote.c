/* SPDX-License-Identifier: BSD-2-Clause */
/* What is asked of remote management (reticulum-transport.md 7.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mpk.h"
#include "common/util.h"
#include "transport/engine/engine.h"
#include "transport/engine/path_rows.h"
#include "transport/engine/remote.h"
#include "transport/engine/rpc_stats.h"
#include "tests/unit/relay_node.h"
#include "tests/unit/vec.h"

const struct hash16 engine_zero;

/* ---- what stands behind it ---- */

static struct {
	bool has_dest;
	struct hash16 dest;
	double hops;
} rows;

static uint8_t *
one_byte(uint8_t b, size_t *len)
{
	uint8_t *p = malloc(1);

	assert_non_null(p);
	*p = b;
	*len = 1;
	return p;
}

uint8_t *
rpc_stats(const struct engine *e, size_t *len)
{
	(void)e;
	return one_byte(0x80, len); /* an empty map */
}

uint8_t *
path_rows(const struct engine *e, const struct hash16 *dest,
    double max_hops, size_t *len)
{
	(void)e;
	rows.has_dest = dest != NULL;
	if (dest != NULL)
		rows.dest = *dest;
	rows.hops = max_hops;
	return one_byte(0x90, len);
}

uint8_t *
rate_rows(const struct engine *e, const struct hash16 *dest, size_t *len)
{
	(void)e;
	rows.has_dest = dest != NULL;
	return one_byte(0x91, len);
}

static struct engine engine;

/* ---- arguments ---- */

static void
status(void **state)
{
	static const struct {
		const char *ask, *answer;
		size_t ask_len, answer_len;
	} cases[] = {
	    {"\x90", "\x91\x80", 1, 2},
	    {"\x91\xc2", "\x91\x80", 2, 2},
	    {"\x91\xc3", "\x92\x80\x00", 2, 3},
	    {"\x92\xc3\xc3", "\x93\x80\x00\xc0", 3, 4},
	    {"\x92\xc2\xc3", "\x92\x80\xc0", 3, 3},
	    {"\x92\xc3\xc0", "\x92\x80\x00", 3, 3},
	    {"\xc0", NULL, 1, 0},
	    {"\x91\x01", NULL, 2, 0},
	    {"\x92\xc3", NULL, 2, 0},
	    {"", NULL, 0, 0},
	};
	uint8_t *got;
	size_t len;

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		got = remote_status(&engine, (const uint8_t *)cases[i].ask,
		    cases[i].ask_len, &len);
		if (cases[i].answer == NULL) {
			assert_null(got);
			continue;
		}
		assert_non_null(got);
		assert_int_equal(len, cases[i].answer_len);
		assert_memory_equal(got, cases[i].answer, len);
		free(got);
	}
}

static size_t
table(uint8_t *out, bool dest, bool hops)
{
	struct wr w = wr_make(out, 64);

	mpk_put_array(&w, 3);
	mpk_put_str(&w, "table");
	if (dest)
		mpk_put_bin(&w, (uint8_t[16]){7}, 16);
	else
		mpk_put_nil(&w);
	if (hops)
		mpk_put_uint(&w, 4);
	else
		mpk_put_nil(&w);
	return w.len;
}

static void
path(void **state)
{
	uint8_t ask[64], *got;
	size_t len, n;

	(void)state;
	n = table(ask, false, false);
	got = remote_path(&engine, ask, n, &len);
	assert_non_null(got);
	free(got);
	assert_false(rows.has_dest);
	assert_true(rows.hops >= RNS_HOPS_MAX);
	n = table(ask, true, true);
	got = remote_path(&engine, ask, n, &len);
	assert_non_null(got);
	free(got);
	assert_true(rows.has_dest);
	assert_int_equal(rows.dest.b[0], 7);
	assert_true(rows.hops > 3.5 && rows.hops < 4.5);
}

static void
rates(void **state)
{
	static const char one[] = "\x92\xa5rates\xc4\x10""0123456789abcdef";
	static const char all[] = "\x92\xa5rates\xc0";
	uint8_t *got;
	size_t len;

	(void)state;
	got = remote_path(&engine, (const uint8_t *)one, sizeof(one) - 1, &len);
	assert_non_null(got);
	assert_int_equal(got[0], 0x91);
	assert_true(rows.has_dest);
	free(got);
	got = remote_path(&engine, (const uint8_t *)all, sizeof(all) - 1, &len);
	assert_non_null(got);
	assert_false(rows.has_dest);
	free(got);
	assert_null(remote_path(&engine, (const uint8_t *)"\x91\xa4rate", 6,
	    &len));
}

static void
asked(void *arg, const uint8_t *p, size_t n)
{
	size_t len;

	(void)arg;
	free(remote_status(&engine, p, n, &len));
	free(remote_path(&engine, p, n, &len));
}

static void
hostile(void **state)
{
	uint8_t ask[64];
	size_t n = table(ask, true, true), len;

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_null(remote_path(&engine, ask, i, &len));
	vec_each_prefix(ask, n, asked, NULL);
	vec_each_flip(ask, n, asked, NULL);
}

static int
setup(void **state)
{
	static const uint8_t priv[RNS_KEY] = {1};
	static struct node n;

	(void)state;
	node_open(&n, true, false, priv);
	engine.rns = n.r;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rns_free(engine.rns);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(status), cmocka_unit_test(path),
	    cmocka_unit_test(rates),
	    cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
