/* SPDX-License-Identifier: BSD-2-Clause */
/* What the age of a document does (klp.md 1.8), and the clock (klp.md 1.7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "trust/doc/fresh.h"
#include "common/util.h"

#define DAY 86400u

static void
test_state(void **state)
{
	(void)state;
	/* whichever of head and document ends first */
	assert_int_equal(fresh_state(99, 100, 200, 50), FRESH_YES);
	assert_int_equal(fresh_state(100, 100, 200, 50), FRESH_STALE);
	assert_int_equal(fresh_state(100, 200, 100, 50), FRESH_STALE);
	assert_int_equal(fresh_state(149, 100, 200, 50), FRESH_STALE);
	assert_int_equal(fresh_state(150, 100, 200, 50), FRESH_NO);
	/* without grace, and without an end of time */
	assert_int_equal(fresh_state(100, 100, 200, 0), FRESH_NO);
	assert_int_equal(fresh_state(UINT32_MAX, UINT32_MAX - 1, UINT32_MAX,
	    30 * DAY), FRESH_STALE);
	/* nothing of it is known */
	assert_int_equal(fresh_state(1800000000, 0, 0, 30 * DAY), FRESH_NO);
}

static void
test_level(void **state)
{
	static const struct {
		int now, then, fresh, stale, gone;
	} rows[] = {
	    {3, 3, 3, 2, 0},	{2, 2, 2, 2, 0},   {1, 1, 1, 1, 0},
	    {0, 0, 0, 0, 0},	{-1, -1, -1, -1, -1}, {-3, -3, -3, -3, -3},
	    /* an edge has run out since: nothing rises, what fell has fallen */
	    {2, 0, 2, 0, 0},	{1, 3, 1, 1, 0},   {1, -2, 1, -2, -2},
	    {-2, 2, -2, -2, -2},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		assert_int_equal(fresh_level(FRESH_YES, rows[i].now,
		    rows[i].then), rows[i].fresh);
		assert_int_equal(fresh_level(FRESH_STALE, rows[i].now,
		    rows[i].then), rows[i].stale);
		assert_int_equal(fresh_level(FRESH_NO, rows[i].now,
		    rows[i].then), rows[i].gone);
	}
}

static void
test_jobs(void **state)
{
	static const struct {
		enum fresh list;
		enum on_stale on;
		int level;
		bool pinned;
		enum fresh_jobs jobs;
	} rows[] = {
	    {FRESH_YES, STALE_REFUSE_ALL, 1, false, JOBS_TAKEN},
	    {FRESH_STALE, STALE_WARN, 1, false, JOBS_TAKEN},
	    {FRESH_STALE, STALE_REFUSE_NEW, 2, true, JOBS_NOT_NEW},
	    {FRESH_STALE, STALE_REFUSE_ALL, 2, true, JOBS_NOT_STARTED},
	    {FRESH_STALE, STALE_REFUSE_NEW, 3, false, JOBS_TAKEN},
	    {FRESH_STALE, STALE_REFUSE_ALL, 3, false, JOBS_TAKEN},
	    {FRESH_NO, STALE_WARN, 3, false, JOBS_NOT_NEW},
	    {FRESH_NO, STALE_WARN, 3, true, JOBS_TAKEN},
	    {FRESH_NO, STALE_WARN, 2, true, JOBS_NOT_NEW},
	    {FRESH_NO, STALE_REFUSE_ALL, 2, true, JOBS_NOT_STARTED},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++)
		assert_int_equal(fresh_jobs(rows[i].list, rows[i].on,
		    rows[i].level, rows[i].pinned), rows[i].jobs);
}

static struct mono
at(int64_t s)
{
	return (struct mono){s * MONO_SECOND};
}

static void
test_clock(void **state)
{
	struct klp_clock c = {.floor = 0};

	(void)state;
	assert_int_equal(klp_now(&c, 1000, at(0)), 1000);
	assert_false(c.untrusted);
	klp_clock_raise(&c, 5000, at(10));
	/* behind: from the floor on, by the clock that only runs forward */
	assert_int_equal(klp_now(&c, 1000, at(10)), 5000);
	assert_true(c.untrusted);
	assert_int_equal(c.behind, 4000);
	assert_int_equal(klp_now(&c, 1007, at(17)), 5007);
	/* lower is not taken, nor does it set the start anew */
	klp_clock_raise(&c, 4000, at(20));
	assert_int_equal(klp_now(&c, 1010, at(20)), 5010);
	/* set right again */
	assert_int_equal(klp_now(&c, 6000, at(21)), 6000);
	assert_false(c.untrusted);
	klp_clock_raise(&c, UINT32_MAX - 1, at(30));
	assert_int_equal(klp_now(&c, 0, at(1000)), UINT32_MAX);
	/* a person lowers it, not below what was signed, and never raises it */
	assert_true(klp_clock_lower(&c, 3000, 7000, at(1000)));
	assert_int_equal(klp_now(&c, 3000, at(1010)), 7010);
	assert_true(c.untrusted);
	assert_false(klp_clock_lower(&c, 8000, 7000, at(1020)));
	assert_int_equal(c.floor, 7000);
	assert_true(klp_clock_lower(&c, 6000, 0, at(1020)));
	assert_int_equal(klp_now(&c, 6000, at(1020)), 6000);
	assert_false(c.untrusted);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_state),
	    cmocka_unit_test(test_level),
	    cmocka_unit_test(test_jobs),
	    cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
