/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_INPUTS_H
#define WARREN_NODE_WORK_INPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "node/work/state.h"

/* What jobs need of blobs, and what becomes of them when those come. */

/* Digests that a job still needs, each once; at most max into out. */
unsigned job_missing(struct node *, const struct job *, uint8_t (*out)[32],
    unsigned max, bool *more);
bool job_inputs_here(struct node *, const struct job *);

#endif
