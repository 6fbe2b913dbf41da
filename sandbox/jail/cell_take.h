/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_CELL_TAKE_H
#define WARREN_SANDBOX_JAIL_CELL_TAKE_H

#include "sandbox/jail/cell.h"

/* What comes with a plan, looked at before anything is made of it. */

/* The descriptors of J_RUN into the cell and *args, *filter; NULL, or why not. */
const char *take_descriptors(struct cell *, struct ipc_in *, int *args,
    int *filter);
/* Digest of all that makes the plan (compute.md 7, policy); false: unsealed. */
bool take_policy(struct cell *, const uint8_t *plan, size_t, int args,
    int filter);
/* stdout or stderr: a pipe, and the job may open it again, to write. */
bool take_stream(int *r, int *w);

#endif
