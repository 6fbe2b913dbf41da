/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_LISTEN_H
#define WARREN_NODE_PARENT_LISTEN_H

/* The sockets that programs attach to; descriptors go to struct parent. */
struct parent;

#define LISTEN_BACKLOG 128 /* ours: of every socket that we listen on */

/* The shared instance's sockets. 0, or -1 (said): the name is taken. */
int listen_instance(struct parent *);
/* warren/run/watchdog.sock, or where node.yaml says; -1 with errno. */
#define WATCHDOG_SOCK "watchdog.sock"
int listen_watchdog(struct parent *);
int listen_watchdog_at(const char *path);
/* warren/run/mesh.sock and, with compute, node.sock. 0 or -1 (said). */
int listen_control(struct parent *);
/*
 * The address of metrics in node.yaml, when there is one. What cannot be had is
 * said and goes without: the relay is worth more than its numbers.
 */
void listen_metrics(struct parent *);

#endif
