/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_HANDSTART_H
#define WARREN_SANDBOX_BASE_HANDSTART_H

#include <stdbool.h>

#include "sandbox/base/basefilter.h"
#include "sandbox/base/landlock.h"
#include "sandbox/base/limits.h"

/*
 * The last of the way of a step, in jail or at an import: with the ids of its
 * user namespace and its root built, this process becomes warren-hand. From
 * here on nothing is trusted: what hand reads is a stranger's.
 */
struct hand_start {
	int in, out, report; /* become 0, 1 and 2; all others are closed */
	int hand;            /* the sealed memfd that is executed */
	struct job_limits limits;
	bool read_all;       /* whatever modes: CAP_DAC_READ_SEARCH stays */
	bool trace;          /* ... and CAP_SYS_PTRACE */
	int landlock_abi;    /* 0: none */
	const struct landlock_path *paths;
	unsigned npaths;
	const struct filter *filters[3]; /* in this order; NULL: no more */
	char *const *argv;
};

/*
 * Returns only on failure: what could not be done, with errno; report is then
 * where it has to be said.
 */
const char *hand_start(struct hand_start *);

#endif
