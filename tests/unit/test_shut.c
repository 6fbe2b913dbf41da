/* SPDX-License-Identifier: BSD-2-Clause */
/* A node that closes each link at once: when it is said, and taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/cli/shut.h"

#define S MONO_SECOND

static struct mono now;

static void
pass(int64_t us)
{
	now = mono_add(now, us);
}

/* A link that lives so long. */
static bool
link_of(struct shut *s, int64_t us, bool answers)
{
	shut_up(s, now);
	pass(us);
	if (answers)
		(void)shut_answered(s);
	return shut_closed(s, now);
}

static void
test_said(void **state)
{
	struct shut s = {0};
	struct mono first;

	(void)state;
	pass(5 * S);
	first = now;
	assert_false(link_of(&s, S / 100, false));
	assert_false(link_of(&s, S, false));
	assert_true(link_of(&s, S / 10, false));
	assert_int_equal(s.since.us, first.us);
	/* once */
	for (unsigned i = 0; i < 100; i++)
		assert_false(link_of(&s, S, false));
	assert_true(s.said);
	/* taken back by an answer alone, once */
	shut_up(&s, now);
	assert_true(s.said);
	assert_true(shut_answered(&s));
	assert_false(shut_answered(&s));
	assert_false(shut_closed(&s, now));
	/* and said again when it happens again */
	assert_false(link_of(&s, S, false));
	assert_false(link_of(&s, S, false));
	assert_true(link_of(&s, S, false));
}

/* Links that break as links do. */
static void
test_other(void **state)
{
	struct shut s = {0};

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		assert_false(link_of(&s, S, false));
		assert_false(link_of(&s, S, i % 2 == 0));
		assert_false(link_of(&s, i % 2 == 0 ? S : 11 * S, false));
		if (i % 2 == 0)
			assert_false(link_of(&s, S, true));
	}
}

static void
test_wait(void **state)
{
	struct shut s = {0};
	int64_t before = 0;

	(void)state;
	assert_int_equal(shut_wait_us(&s), S);
	for (unsigned i = 0; i < 50; i++) {
		(void)link_of(&s, S, false);
		assert_true(shut_wait_us(&s) >= before);
		before = shut_wait_us(&s);
	}
	assert_int_equal(before, 16 * S);
	(void)shut_answered(&s);
	assert_int_equal(shut_wait_us(&s), S);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_said),
	    cmocka_unit_test(test_other),
	    cmocka_unit_test(test_wait),
	};

	return cmocka_run_group_tests_name("shut", tests, NULL, NULL);
}
