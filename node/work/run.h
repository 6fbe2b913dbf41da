/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_RUN_H
#define WARREN_NODE_WORK_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "node/work/state.h"

/*
 * Whose turn it is, and a job's start up to J_RUN. What can start is started;
 * the others get the reason why they wait. At the end of each turn. true: jobs
 * have started, which have times of their own (finish_tick()).
 */
bool run_schedule(struct node *);
/*
 * About how many seconds one more job of this owner would wait for its turn;
 * here: or this one, when it is queued already (may be NULL).
 */
uint32_t run_wait_s(struct node *, const struct fp *owner,
    const struct limits *, const struct job *here);

#endif
