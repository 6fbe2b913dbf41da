/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_ESCAPE_ATTACK_H
#define WARREN_TESTS_ESCAPE_ATTACK_H

#include <stddef.h>

/*
 * What a program of the house would try when it was taken over. ATTACK in the
 * environment says what, and on whom: "NAME PID PATH", a process and a file
 * that are not its own.
 */
enum { ATTACK_HELD = 10, ATTACK_DONE = 11, ATTACK_UNKNOWN = 12 };

struct attack {
	const char *name;
	const char *unproved; /* NULL: succeeds without the drop */
	const char *open;     /* why it succeeds rootless all the same */
};
extern const struct attack attacks[];
extern const size_t attack_count;

/* Tries it; the exit code, or killed by the filter before that. */
int attack_run(void);

#endif
