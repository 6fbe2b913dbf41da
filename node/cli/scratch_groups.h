/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_SCRATCH_GROUPS_H
#define WARREN_NODE_CLI_SCRATCH_GROUPS_H

#include "node/cli/scratch.h"

/* For scratch.c: fills dirs, cg_v2, cg_v1; without rights there are none. */
void scratch_groups_make(struct scratch *);
void scratch_groups_remove(struct scratch *);

#endif
