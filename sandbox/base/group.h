/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_GROUP_H
#define WARREN_SANDBOX_BASE_GROUP_H

#include <stdint.h>

#include "sandbox/jail/cell.h"

/*
 * Groups as jail sees them: it opens by name beneath its own directories, and
 * says which limits are really there.
 */

/* -1: there is none, or it may not be opened. */
int group_open(const struct jail *, const char *name);
/* Is a group of this name left? */
bool group_left(const struct jail *, const char *name);
/*
 * Bits of memory, cpu and pids whose limit is set and no larger than the
 * plan's; by the job's v2 group fd (-1: none) or the slot's v1 groups.
 */
uint32_t group_layers(const struct jail *, const struct cell *, int fd);

#endif
