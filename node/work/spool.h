/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_SPOOL_H
#define WARREN_NODE_WORK_SPOOL_H

#include <stdint.h>

#include "node/work/node.h"

/*
 * Bytes that an owner holds of his spool (compute.md 3.2): inputs, outputs and
 * logs until they expire, and what has come in part with its full size. The sum
 * of the logs may be a second old.
 */
uint64_t spool_held(struct node *, const struct fp *);

#endif
