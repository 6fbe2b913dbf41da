/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_MEMORY_H
#define WARREN_NODE_PARENT_MEMORY_H

#include <stdint.h>

struct child;

/*
 * NUMBERS of transport: what each program takes. The programs have no /proc and
 * show nothing of themselves to each other, so the parent looks: at the size
 * for all, at the proportional share where it may (as root). Numbers only go
 * out: smaps_rollup has an address in it.
 */
void memory_tell(struct child *transport, uint32_t seq);

#endif
