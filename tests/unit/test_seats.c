/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gets a place on the shared instance, and who makes room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "transport/engine/seats.h"

static struct seat seats[SEATS_MAX];
static size_t n;

static void
sit(unsigned count, uid_t uid, pid_t pid, bool heard)
{
	while (count-- > 0) {
		assert_true(n < SEATS_MAX);
		seats[n++] = (struct seat){uid, pid, heard};
	}
}

/* One comes; those behind the one that goes move up. */
static enum seats_say
come(uid_t uid, pid_t pid)
{
	size_t out = SEATS_MAX;
	enum seats_say say = seats_ask(seats, n, uid, &out);

	if (say == SEATS_SWAP) {
		assert_true(out < n);
		assert_false(seats[out].heard);
		for (n--; out < n; out++)
			seats[out] = seats[out + 1];
	}
	if (say == SEATS_TAKE || say == SEATS_SWAP)
		sit(1, uid, pid, false);
	return say;
}

static size_t
left(pid_t pid)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += seats[i].pid == pid;
	return count;
}

/* 1,000 of one process that say nothing: all others keep their places. */
static void
flood(void **state)
{
	(void)state;
	n = 0;
	sit(1, 0, 1, false); /* a listener that waits */
	sit(3, 1000, 2, true);
	for (int i = 0; i < 1000; i++)
		assert_int_not_equal(come(0, 9), SEATS_FULL);
	assert_int_equal(n, SEATS_MAX);
	assert_int_equal(left(9), SEATS_MAX - 4);
	for (pid_t p = 10; p < 100; p++) /* and who comes later gets one */
		assert_int_equal(come(1000, p), SEATS_SWAP);
	assert_int_equal(left(1), 1);
	assert_int_equal(left(2), 3);
	for (pid_t p = 10; p < 100; p++)
		assert_int_equal(left(p), 1);
}

/* A user's share is shared among his own processes. */
static void
share(void **state)
{
	(void)state;
	n = 0;
	sit(100, 7, 1, false);
	for (int i = 0; i < 500; i++)
		assert_int_not_equal(come(1000, 9), SEATS_FULL);
	assert_int_equal(left(9), SEATS_UID_MAX);
	assert_int_equal(left(1), 100);
	assert_int_equal(come(1000, 10), SEATS_SWAP);
	assert_int_equal(left(9), SEATS_UID_MAX - 1);
	assert_int_equal(come(7, 11), SEATS_TAKE);
	/* all of his have spoken: he has his share */
	for (size_t i = 0; i < n; i++)
		seats[i].heard = seats[i].uid == 1000;
	assert_int_equal(come(1000, 12), SEATS_SHARE);
	assert_int_equal(come(0, 13), SEATS_TAKE);
}

/* Nobody who has spoken goes; over TCP all are one process. */
static void
full(void **state)
{
	(void)state;
	n = 0;
	sit(SEATS_MAX, (uid_t)-1, 0, true);
	assert_int_equal(come((uid_t)-1, 0), SEATS_FULL);
	assert_int_equal(come(0, 1), SEATS_FULL);
	seats[200].heard = seats[100].heard = false;
	seats[100].pid = 5;
	assert_int_equal(come((uid_t)-1, 0), SEATS_SWAP);
	assert_int_equal(left(5), 1);
	assert_int_equal(come((uid_t)-1, 0), SEATS_SWAP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flood), cmocka_unit_test(share),
		cmocka_unit_test(full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
