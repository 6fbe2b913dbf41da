/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_RUN_H
#define WARREN_NODE_CLI_RUN_H

#include <stdbool.h>

#include "node/cli/submitter.h"

/*
 * Exit statuses of `run` where the command itself has none, above those that
 * commands use (man warren). A signal n is 128 + n, as a shell has it.
 */
enum run_exit {
	RUN_REFUSED = 121,     /* by the node, or by your own trust settings */
	RUN_UNREACHABLE = 122, /* no node, or the link did not come back */
	RUN_LOST = 123,	       /* the node lost the job */
	RUN_KILLED = 124,      /* by the node: a limit, a deadline, cancelled */
	RUN_FAILED = 125,      /* warren itself: usage, a receipt not valid */
	RUN_SIGNAL = 128,
};

/* rc: what submit_run() returned; interrupted: by a signal of ours. */
int run_status(int rc, bool interrupted, const struct submitter *);

#endif
