/* SPDX-License-Identifier: BSD-2-Clause */
/* When a loop may go before everybody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transport/engine/promptness.h"

static struct promptness p;
static int64_t at, used;

/* After ms of time, of which it used `busy`. */
static bool
after(int64_t ms, int64_t busy)
{
	at += ms * 1000;
	used += busy * 1000;
	assert_true(prompt_due(&p, (struct mono){at}));
	return prompt_look(&p, (struct mono){at}, used);
}

static int
fresh(void **state)
{
	(void)state;
	p = (struct promptness){0};
	at = 5000000;
	used = 700000; /* of the start, long before: not counted */
	return prompt_look(&p, (struct mono){at}, used) ? -1 : 0;
}

static void
only_after_a_while(void **state)
{
	(void)state;
	for (int ms = 20; ms < PROMPT_CALM_US / 1000; ms += 20)
		assert_false(after(20, 1));
	assert_true(after(20, 1));
}

static void
one_that_sleeps_is_modest_at_once(void **state)
{
	(void)state;
	assert_true(after(1000, 2));
}

static void
a_flood_puts_it_out(void **state)
{
	(void)state;
	assert_true(after(1000, 2));
	assert_true(after(20, 5));  /* a quarter is allowed */
	assert_false(after(20, 6)); /* no more */
	assert_false(after(20, 20));
	assert_false(after(180, 1));
	assert_true(after(20, 1));
}

static void
being_modest_counts_from_the_last_flood(void **state)
{
	(void)state;
	assert_false(after(180, 1));
	assert_false(after(20, 20));
	assert_false(after(180, 1));
	assert_true(after(20, 1));
}

static void
never_more_than_a_third_in_the_class(void **state)
{
	int64_t in = 0, busy, from;

	(void)state;
	from = at;
	/* the worst pattern: as much as is allowed, then all, then calm */
	for (int round = 0; round < 100; round++) {
		bool is = p.prompt;

		busy = is ? 20 : 0;
		(void)after(20, busy);
		in += is ? busy : 0;
	}
	assert_true(in * 1000 * 3 < at - from);
}

static void
put_out_from_elsewhere(void **state)
{
	(void)state;
	assert_true(after(1000, 2));
	prompt_out(&p);
	assert_false(after(180, 1));
	assert_true(after(20, 1));
}

static void
not_looked_at_all_the_time(void **state)
{
	(void)state;
	assert_false(prompt_due(&p, (struct mono){at + PROMPT_LOOK_US - 1}));
	assert_true(prompt_due(&p, (struct mono){at + PROMPT_LOOK_US}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(only_after_a_while, fresh),
		cmocka_unit_test_setup(one_that_sleeps_is_modest_at_once, fresh),
		cmocka_unit_test_setup(a_flood_puts_it_out, fresh),
		cmocka_unit_test_setup(being_modest_counts_from_the_last_flood,
		    fresh),
		cmocka_unit_test_setup(never_more_than_a_third_in_the_class,
		    fresh),
		cmocka_unit_test_setup(put_out_from_elsewhere, fresh),
		cmocka_unit_test_setup(not_looked_at_all_the_time, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
