/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_FREEZE_H
#define WARREN_NODE_WORK_FREEZE_H

#include "node/work/state.h"

/*
 * A job that stands still: its group is frozen, and jail's clock and ours do
 * not count that against `time`. Where a machine cannot freeze it goes on.
 */
void job_freeze(struct node *, struct job *, const char *why);
void job_thaw(struct node *, struct job *);
/* After a restart of ours nobody knows: it goes on. */
void job_thaw_found(struct node *, struct job *);

#endif
