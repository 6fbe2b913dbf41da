/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_MEETING_H
#define WARREN_NODE_PARENT_MEETING_H

struct parent;

/*
 * For jobs that Docker's daemon contains: warren/run/docker, root's alone and
 * emptied, where a socket lies for each container; and into p->fd_tool, in place
 * of the daemon's socket, which is known by its path, what is said of both to who
 * asks that daemon (sandbox/runner/envoy.h). 0, or -1 (said).
 */
int meeting_make(struct parent *);

#endif
