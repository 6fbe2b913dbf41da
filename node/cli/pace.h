/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_PACE_H
#define WARREN_NODE_CLI_PACE_H

#include "node/cli/submitter.h"

#define PACE_FIRST_US 4000 /* ours: from the first question to the second */

/* When to ask again: rarer each time, by the way there and back. Pure. */
void pace_next(struct submitter *, struct mono now);

#endif
