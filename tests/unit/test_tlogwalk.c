/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs from tiles: what they need, that they hold, and what is no tile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/util.h"
#include "tests/unit/logkit.h"

static struct tlog_walk w, before;
static struct tlog_growth g;
static struct id32 hash[TLOG_TILE + 1]; /* one more: too long */

static const uint64_t sizes[] = {1, 2, 3, 7, 8, 128, 255, 256, 257, 300, 511,
    512, 513, 999, 1000, 1001, 5000, 40000, 65279, 65280, 65535, 65536, 65537,
    65792, 65793, 65999, 66000};

/* The next tile of that log; its bytes. */
static size_t
fetch(int of)
{
	const struct tlog_walk_tile *t = tlog_walk_next(&w);
	unsigned width = logkit_tile(of, w.head.size, t->level, t->n, hash);

	assert_int_equal(width, t->width);
	return width * sizeof(hash[0]);
}

static const char *
all(int of)
{
	const char *why = NULL;

	while (why == NULL && tlog_walk_next(&w) != NULL)
		why = tlog_walk_take(&w, hash, fetch(of));
	return why;
}

static void
test_proves(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(sizes); i++)
		for (size_t k = i + 1; k < NELEM(sizes); k++) {
			struct tlog_head old = logkit_head(0, sizes[i]),
			    new_ = logkit_head(0, sizes[k]);

			assert_true(tlog_walk_begin(&w, sizes[i], &new_));
			assert_false(tlog_walk_growth(&w, &g));
			assert_null(all(0));
			assert_true(tlog_walk_growth(&w, &g));
			assert_int_equal(g.old.size, sizes[i]);
			assert_true(id32_eq(&g.old.root, &old.root));
			assert_true(tlog_extends(&old, &new_, g.hash, g.n));
		}
}

/* Another tree from 1,000 on: it proves itself, and that it is another. */
static void
test_fork(void **state)
{
	struct tlog_head old = logkit_head(0, 1001),
	    new_ = logkit_head(1, 40000);

	(void)state;
	assert_true(tlog_walk_begin(&w, 1001, &new_));
	assert_null(all(1));
	assert_true(tlog_walk_growth(&w, &g));
	assert_false(id32_eq(&g.old.root, &old.root));
	old.root = g.old.root;
	assert_true(tlog_extends(&old, &new_, g.hash, g.n));
	/* its head and the tiles of the first one: nothing holds */
	assert_true(tlog_walk_begin(&w, 1001, &new_));
	assert_string_equal(all(0), "the tiles at its end do not give the root "
	    "of its checkpoint");
}

static void
test_nothing(void **state)
{
	struct tlog_head h = logkit_head(0, 300);

	(void)state;
	assert_false(tlog_walk_begin(&w, 0, &h));
	assert_false(tlog_walk_begin(&w, 300, &h));
	assert_false(tlog_walk_begin(&w, 301, &h));
	h.size = TLOG_SIZE_MAX + 1;
	assert_false(tlog_walk_begin(&w, 5, &h));
	h.size = 0;
	assert_false(tlog_walk_begin(&w, 5, &h));
}

/* Every length but two, before every tile: and the walk stands where it was. */
static void
test_lengths(void **state)
{
	struct tlog_head h = logkit_head(0, 66000);

	(void)state;
	assert_true(tlog_walk_begin(&w, 40000, &h));
	while (tlog_walk_next(&w) != NULL) {
		size_t is = fetch(0);
		unsigned at = w.at;

		for (size_t len = 0; len <= sizeof(hash); len++) {
			if (len == is || len == TLOG_TILE_BYTES)
				continue;
			assert_string_equal(tlog_walk_take(&w, hash, len),
			    "it is not as wide as that tile is");
			assert_int_equal(w.at, at);
		}
		assert_null(tlog_walk_take(&w, hash, is));
	}
	assert_true(tlog_walk_growth(&w, &g));
	assert_non_null(tlog_walk_take(&w, hash, TLOG_TILE_BYTES));
}

/* A log that has gone on has the whole tile in place of the partial one. */
static void
test_wider(void **state)
{
	struct tlog_head h = logkit_head(0, 700), old = logkit_head(0, 520);
	const struct tlog_walk_tile *t;

	(void)state;
	assert_true(tlog_walk_begin(&w, 520, &h));
	while ((t = tlog_walk_next(&w)) != NULL) {
		(void)logkit_tile(0, 65536, t->level, t->n, hash);
		assert_null(tlog_walk_take(&w, hash, TLOG_TILE_BYTES));
	}
	assert_true(tlog_walk_growth(&w, &g));
	assert_true(tlog_extends(&old, &h, g.hash, g.n));
}

/* One bit of any hash of any tile: found out by the end of the edge, or at once. */
static void
test_bits(void **state)
{
	struct tlog_head h = logkit_head(0, 66000);
	unsigned edge, n;

	(void)state;
	assert_true(tlog_walk_begin(&w, 999, &h));
	edge = w.edge;
	n = w.n;
	assert_true(n > edge && edge > 1);
	before = w;
	for (unsigned bad = 0; bad < n; bad++)
		for (unsigned at = 0; at < before.tile[bad].width; at += 37) {
			const char *why = NULL;

			w = before;
			while (why == NULL && tlog_walk_next(&w) != NULL) {
				size_t len = fetch(0);

				if (w.at == bad)
					hash[at].b[at % 32] ^= 1;
				why = tlog_walk_take(&w, hash, len);
			}
			assert_non_null(why);
			assert_int_equal(w.at, bad < edge ? 0 : bad);
			assert_false(tlog_walk_growth(&w, &g));
		}
}

/* Of any two sizes there are: few tiles, each once, each above before below. */
static void
test_plan(void **state)
{
	unsigned most = 0;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		struct tlog_head h = {.origin = "x"};
		uint64_t r[2], old;

		randombytes_buf(r, sizeof(r));
		h.size = (r[0] >> 1) >> r[0] % 62;
		old = r[1] % (h.size + 1);
		if (i % 3 == 0)
			old &= ~UINT64_C(0) << r[1] % 60;
		if (old == 0 || old >= h.size)
			continue;
		assert_true(tlog_walk_begin(&w, old, &h));
		most = MAX_OF(most, w.n);
		for (unsigned k = 0; k < w.n; k++) {
			const struct tlog_walk_tile *t = &w.tile[k];
			bool above = false;

			assert_int_equal(t->width, tlog_width(h.size, t->level,
			    t->n));
			assert_int_equal(k < w.edge, t->width < TLOG_TILE);
			for (unsigned x = 0; x < k; x++) {
				assert_false(w.tile[x].level == t->level &&
				    w.tile[x].n == t->n);
				above = above || (w.tile[x].level == t->level +
				    1 && w.tile[x].n == t->n / TLOG_TILE);
			}
			assert_true(k < w.edge || above);
		}
	}
	assert_true(most <= TLOG_WALK_TILES);
}

static int
setup(void **state)
{
	(void)state;
	logkit_make();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_proves), cmocka_unit_test(test_fork),
	    cmocka_unit_test(test_nothing), cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_wider), cmocka_unit_test(test_bits),
	    cmocka_unit_test(test_plan),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, setup, NULL);
}
