/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNTIL_H
#define WARREN_TESTS_UNTIL_H

/*
 * The two ways in which a test in C lets time pass, so that each wait names
 * what it waits for, and each silence its reason:
 *
 *	struct until u = until_begin("the last line", 2000);
 *
 *	while (!is_there() && until_step(&u))
 *		continue;
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define UNTIL_STEP_US 500
#define PATIENCE_MS 90000 /* a limit costs nothing when the event comes */

struct until {
	const char *what;
	int64_t end_us;
};

static inline int64_t
until_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* No event is waited for: the silence, or the moment, is the subject. */
static inline void
quiet(int64_t us, const char *why)
{
	struct timespec t = {.tv_sec = us / 1000000,
	    .tv_nsec = us % 1000000 * 1000};

	(void)why;
	(void)nanosleep(&t, NULL);
}

static inline struct until
until_begin(const char *what, int ms)
{
	return (struct until){what, until_now_us() + (int64_t)ms * 1000};
}

/* A short while, and true; false, and what has not come, when it is late. */
static inline bool
until_step(struct until *u)
{
	if (until_now_us() >= u->end_us) {
		fprintf(stderr, "# not in time: %s\n", u->what);
		return false;
	}
	quiet(UNTIL_STEP_US, u->what);
	return true;
}

#endif
