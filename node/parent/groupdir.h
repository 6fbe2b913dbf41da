/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_GROUPDIR_H
#define WARREN_NODE_PARENT_GROUPDIR_H

#include <stdbool.h>

/* One control group, by its open folder: made, killed, removed. */

#define GROUP_REMOVE_MS 1500 /* ours: for what leaves the groups at the end */

/* A group beneath that one, also one that is there: a descriptor, or -1. */
int group_make(int at, const char *name);
/*
 * Kills what is in this group and in those beneath, by v2's cgroup.kill or, on
 * v1, one by one until none is left. false: a process lives.
 */
bool group_kill(int dir);
/* Killed whole, then removed what is beneath; false, and said: it is not empty. */
bool group_end(int dir, const char *name);
/* Processes of a group go on in that one, as far as it takes them. */
void group_move(int dir, int to);
/*
 * Who keeps a port may have last words to send (open_tty.c): ms are left for
 * all that are still in some group. -1 with errno.
 */
int group_remove(int at, const char *name, int *ms);
/*
 * What an earlier daemon left in jobs/ beneath is killed whole, and jobs/ goes,
 * with the limits and the programs that are attached to it.
 */
void group_sweep(int top);

#endif
