/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_ESCAPE_WATCH_ACTS_H
#define WARREN_TESTS_ESCAPE_WATCH_ACTS_H

#include <stdbool.h>
#include <stddef.h>

#define JOB 1000 /* its user */

struct act {
	const char *name;
	int (*fn)(void);
	const char *want; /* each rule that it breaks; NULL: not of the table */
	bool lost;	  /* a flood: not all of it is told */
	void (*before)(void); /* as root, in the room */
};
struct acts {
	const struct act *v;
	size_t n;
};
extern const struct acts acts_places, acts_code, acts_tricks;
/* Of all of them; NULL behind the last. */
const struct act *act_at(size_t);
const struct act *act_named(const char *);
/* The exit status of the job's process. */
int act(const char *name);
/* Opens and closes it; 0. */
int put(const char *path, int flags);

#endif
