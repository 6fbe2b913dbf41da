/* SPDX-License-Identifier: BSD-2-Clause */
/* How much the log says of who comes and goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transport/engine/visits.h"

#define MS (MONO_SECOND / 1000)

/* 2,000 lines a second for five minutes: so many of each minute are said. */
static void
flood(void **state)
{
	struct visits v = {0};
	struct mono now = {7 * MONO_SECOND};
	unsigned count[VISITS_QUIET + 1] = {0};

	(void)state;
	for (unsigned i = 0; i < 5 * 60 * 2000; i++) {
		count[visits_ask(&v, now)]++;
		now.us += MS / 2;
	}
	assert_int_equal(count[VISITS_SAY], 5 * (VISITS_LINES - 1));
	assert_int_equal(count[VISITS_LAST], 5);
}

/* A few are all said, however long it goes on; and again after a flood. */
static void
few(void **state)
{
	struct visits v = {0};
	struct mono now = {0};
	unsigned before;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		assert_int_equal(visits_ask(&v, now), VISITS_SAY);
		now.us += MONO_SECOND;
	}
	for (unsigned i = 0; i < 2 * VISITS_LINES; i++)
		(void)visits_ask(&v, now);
	assert_int_equal(visits_ask(&v, now), VISITS_QUIET);
	before = v.quiet;
	assert_true(before > VISITS_LINES);
	now.us += 60 * MONO_SECOND;
	assert_int_equal(visits_ask(&v, now), VISITS_SAY);
	/* how many were not, is told once */
	assert_int_equal(v.unsaid, before);
	assert_int_equal(visits_ask(&v, now), VISITS_SAY);
	assert_int_equal(v.unsaid, 0);
}

/* One user's programs take no line from another's. */
static void
users(void **state)
{
	struct visits_users u = {0};
	struct mono now = {7 * MONO_SECOND};

	(void)state;
	for (unsigned i = 0; i < 10 * VISITS_LINES; i++)
		(void)visits_ask(visits_of(&u, 1000, now), now);
	assert_int_equal(visits_ask(visits_of(&u, 1000, now), now),
	    VISITS_QUIET);
	for (unsigned i = 0; i < VISITS_LINES - 1; i++)
		assert_int_equal(visits_ask(visits_of(&u, 0, now), now),
		    VISITS_SAY);
	assert_int_equal(visits_ask(visits_of(&u, (uid_t)-1, now), now),
	    VISITS_SAY);
	/* told once, when he is back */
	now.us += 60 * MONO_SECOND;
	assert_int_equal(visits_ask(visits_of(&u, 1000, now), now),
	    VISITS_SAY);
	assert_true(visits_of(&u, 1000, now)->unsaid > 8 * VISITS_LINES);
	/* more than have a place: the last is of all of them */
	for (uid_t i = 2000; i < 2000 + 100 * VISITS_LINES; i++)
		(void)visits_ask(visits_of(&u, i, now), now);
	assert_int_equal(visits_ask(visits_of(&u, 1, now), now), VISITS_QUIET);
	assert_int_equal(visits_ask(visits_of(&u, 1000, now), now),
	    VISITS_SAY);
	now.us += 60 * MONO_SECOND;
	assert_int_equal(visits_ask(visits_of(&u, 1, now), now), VISITS_SAY);
	/* whoever takes a place tells what was not said there */
	now.us += 60 * MONO_SECOND;
	u = (struct visits_users){0};
	for (uid_t i = 1; i < VISITS_USERS; i++)
		for (unsigned k = 0; k < 2 * VISITS_LINES; k++)
			(void)visits_ask(visits_of(&u, i, now), now);
	now.us += 60 * MONO_SECOND;
	assert_int_equal(visits_ask(visits_of(&u, 99, now), now), VISITS_SAY);
	assert_true(visits_of(&u, 99, now)->unsaid >= VISITS_LINES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flood), cmocka_unit_test(few),
		cmocka_unit_test(users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
