/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/util.h"
#include "node/proto/slice.h"

#define MS INT64_C(1000)

static void
test_first(void **state)
{
	static const struct {
		int64_t rtt_us;
		uint32_t n;
	} t[] = {
	    {0, SLICE_FIRST_MOST}, {-5, SLICE_FIRST_MOST},
	    {1, SLICE_FIRST_MOST}, {373 * MS, SLICE_FIRST_MOST},
	    {400 * MS, 30600}, {1000 * MS, 12240}, {1600 * MS, 7650},
	    {1993 * MS, SLICE_LEAST}, {INT64_MAX, SLICE_LEAST},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++)
		assert_int_equal(slice_first(t[i].rtt_us), t[i].n);
}

static void
test_after(void **state)
{
	(void)state;
	/* it took too long; it was done soon; neither */
	assert_int_equal(slice_after(32768, 32768, SLICE_US + 1, SLICE_MOST),
	    16384);
	assert_int_equal(slice_after(32768, 16000, SLICE_US + 1, SLICE_MOST),
	    8000);
	assert_int_equal(slice_after(6200, 6200, SLICE_US * 99, SLICE_MOST),
	    SLICE_LEAST);
	assert_int_equal(slice_after(6200, 6200, SLICE_US / 4 - 1,
	    SLICE_MOST), 12400);
	assert_int_equal(slice_after(9000, 9000, SLICE_US, SLICE_MOST), 9000);
	/* one that is small because links break is left so */
	assert_int_equal(slice_after(2048, 2048, SLICE_US * 2, SLICE_MOST),
	    2048);
	/* an end of few bytes says nothing */
	assert_int_equal(slice_after(32768, 100, SLICE_US + 1, SLICE_MOST),
	    32768);
	assert_int_equal(slice_after(32768, 100, 1, SLICE_MOST), 32768);
	assert_int_equal(slice_after(SLICE_MOST, SLICE_MOST, 1, SLICE_MOST),
	    SLICE_MOST);
	assert_int_equal(slice_after(4096, 4096, 1, 5000), 5000);
	assert_int_equal(slice_broken(32768), 8192);
	assert_int_equal(slice_broken(8191), SLICE_BROKEN);
	assert_int_equal(slice_broken(SLICE_BROKEN), SLICE_BROKEN);
}

/*
 * A link that is cut at any time takes no more with it than a slice: of one of
 * 1 to 100 kbit/s little more than a minute of its air, from the first slice on. What a
 * link request and its proof take is the time that it was made in.
 */
static void
test_at_stake(void **state)
{
	(void)state;
	for (int64_t rate = 1000; rate <= 100000; rate += 500) {
		int64_t rtt = 204 * 8 * 1000000 / rate;
		uint32_t slice = slice_first(rtt);

		for (int i = 0; i < 20; i++) {
			int64_t us = ((int64_t)slice + 500) * 8 * 1000000 / rate;

			assert_true(us < 65 * 1000 * MS);
			slice = slice_after(slice, slice, us, SLICE_MOST);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_first),
	    cmocka_unit_test(test_after),
	    cmocka_unit_test(test_at_stake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
