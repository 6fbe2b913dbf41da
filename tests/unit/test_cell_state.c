/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sandbox/jail/cell_state.h"

/* Rows and columns in the order of the enum; x: the edge is there. */
static const char *const want[CELL_STATE_COUNT] = {
	/*           FREE FILL STRT RUN END PACK CLN LEAV BRK */
	[CELL_FREE] = ".x......x",
	[CELL_FILLING] = "xxx.x.xxx",
	[CELL_STARTING] = "...xx...x",
	[CELL_RUNNING] = "....x...x",
	[CELL_ENDED] = ".....xxxx",
	[CELL_PACKING] = "....x...x",
	[CELL_CLEANING] = "......xxx",
	[CELL_LEAVING] = "x.......x",
	[CELL_BROKEN] = ".........",
};

static void
test_every_pair(void **state)
{
	(void)state;
	for (unsigned from = 0; from < CELL_STATE_COUNT; from++) {
		assert_int_equal(strlen(want[from]), CELL_STATE_COUNT);
		for (unsigned to = 0; to < CELL_STATE_COUNT; to++) {
			struct cell_life l = {(enum cell_state)from, 7};
			bool edge = want[from][to] == 'x';

			assert_int_equal(cell_set_state(&l,
			    (enum cell_state)to), edge);
			assert_int_equal(l.state, edge ? to : from);
			assert_int_equal(l.refused, edge ? 7 : 8);
		}
	}
}

static void
test_out_of_range(void **state)
{
	struct cell_life l = {CELL_FREE, 0};

	(void)state;
	assert_false(cell_set_state(&l, CELL_STATE_COUNT));
	assert_int_equal(l.state, CELL_FREE);
	assert_int_equal(l.refused, 1);
}

/* A job with volumes, as it should go; nothing is refused on the way. */
static void
test_a_life(void **state)
{
	static const enum cell_state way[] = {CELL_FILLING, CELL_FILLING,
	    CELL_STARTING, CELL_RUNNING, CELL_ENDED, CELL_PACKING, CELL_ENDED,
	    CELL_CLEANING, CELL_LEAVING, CELL_FREE};
	struct cell_life l = {CELL_FREE, 0};

	(void)state;
	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++)
		assert_true(cell_set_state(&l, way[i]));
	assert_int_equal(l.refused, 0);
}

static void
test_names(void **state)
{
	(void)state;
	for (unsigned s = 0; s < CELL_STATE_COUNT; s++)
		for (unsigned t = 0; t < s; t++)
			assert_string_not_equal(
			    cell_state_name((enum cell_state)s),
			    cell_state_name((enum cell_state)t));
	assert_string_equal(cell_state_name(CELL_BROKEN), "BROKEN");
	assert_string_equal(cell_state_name(CELL_STATE_COUNT), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_pair),
		cmocka_unit_test(test_out_of_range),
		cmocka_unit_test(test_a_life),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
