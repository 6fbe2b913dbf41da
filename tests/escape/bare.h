/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_ESCAPE_BARE_H
#define WARREN_TESTS_ESCAPE_BARE_H

#include <stddef.h>

/*
 * A probe without the sandbox, in a place where it can do no harm: the root of
 * a namespace of its own, an ordinary user to the machine, on a scratch root.
 * What holds here as well proves nothing there.
 */
struct bare {
	const char *program; /* warren-probe */
	const char *at;      /* an empty folder that anybody may enter */
	const char *shown;   /* a folder of the host, bound at /in/shown */
	const char *const *env;
};

/*
 * Its exit code and what it said; -1: killed by a signal; -2: such a place
 * cannot be made here, and why.
 */
int bare_run(const struct bare *, const char *probe, char *said, size_t cap);

#endif
