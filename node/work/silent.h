/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_SILENT_H
#define WARREN_NODE_WORK_SILENT_H

#include <rns/mono.h>

#include "node/work/state.h"

/*
 * What jail has not answered in its time (late.h): a job that never started is
 * lost, and so is an output that was not packed; a slot that was not given back
 * is nobody's until jail does it, or falls. When to call again.
 */
struct mono silent_tick(struct node *);

#endif
