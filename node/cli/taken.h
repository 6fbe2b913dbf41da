/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_TAKEN_H
#define WARREN_NODE_CLI_TAKEN_H

#include <stdbool.h>

#include "node/cli/submitter.h"

/* What the answer to job/result lists, as the submitter's machine takes it. */

/* The outputs; false: they are not those of s->r, or not of the job. */
bool taken_outputs(struct submitter *, const struct proto_result *);
/* What an earlier fetch has left of them is counted in. */
void taken_here(struct submitter *);
/* What they lack. */
void taken_left(struct submitter *, const struct left *);

#endif
