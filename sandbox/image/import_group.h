/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_IMAGE_IMPORT_GROUP_H
#define WARREN_SANDBOX_IMAGE_IMPORT_GROUP_H

#include <stdbool.h>

#include "common/cgdetect.h"

/*
 * Control groups of an import's own, beside or beneath those that we are in: in
 * v2 and in each v1 hierarchy of memory, cpu and pids where one can be made.
 * What unpacking takes is counted there, and bounded where there is a file for
 * it; the rlimits of warren-hand hold everywhere.
 */
#define IMPORT_GROUPS (1 + CG_CONTROLLERS)
struct import_group {
	char name[40];          /* warren-import-PID */
	int at[IMPORT_GROUPS];  /* where it was made, or -1 */
	int dir[IMPORT_GROUPS];
};

/* Also removes what killed imports have left. How many hierarchies have one. */
unsigned import_group_make(struct import_group *);
/* The calling process, before it gives up its rights. false: not into all. */
bool import_group_join(const struct import_group *);
/* At the end; whoever is in it yet is killed where the kernel can. */
void import_group_remove(struct import_group *);

#endif
