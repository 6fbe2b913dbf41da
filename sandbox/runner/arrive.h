/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_RUNNER_ARRIVE_H
#define WARREN_SANDBOX_RUNNER_ARRIVE_H

#include "sandbox/runner/inner.h"

/*
 * How warren-inner gets to a job from a container that a daemon has made, which
 * gives it neither descriptors nor the job's root: it goes to the one socket
 * that is there, and is sent both by the job's first process (daemon.h).
 *
 * Two of it stay. The first process of the container waits, in the daemon's own
 * group: for the other's end, or that of whoever sent it here, then it ends the
 * other, with no need of the daemon. The other is the first process of a user,
 * pid and mount namespace inside, in the job's groups, with the job's root for
 * its own; what is behind that is the same as in every container (inner.c).
 */
#define ARRIVE_WORD "arrive" /* argv[1] */
#define ARRIVE_GROUPS 5	     /* v1 `tasks` and a v2 cgroup.procs, at most */
#define ARRIVE_TREE (INNER_REPORT + 1) /* the root, a mount attached nowhere */
#define ARRIVE_FIRST_GROUP (ARRIVE_TREE + 1)
#define ARRIVE_FDS (ARRIVE_FIRST_GROUP + ARRIVE_GROUPS - INNER_MSG)

/*
 * Sends a message of one byte, how many groups there are, and the descriptors
 * INNER_MSG ... INNER_REPORT, the tree, the groups: fds, in this order. 0 or -1
 * with errno.
 */
int arrive_send(int conn, const int fds[ARRIVE_FDS], unsigned groups);
/*
 * In the first process of the container: returns 0 in the other one, whose clocks
 * and processor cores are its own where that can be had, and that is told; with
 * INNER_MSG to INNER_REPORT as they are everywhere, or -1 with errno and *what
 * where a report can be sent; else ends.
 */
int arrive(struct inner_seen *, const char **what);
/* What the first process says before its end, when the other had ended. */
#define ARRIVE_OVER 'E'

#endif
