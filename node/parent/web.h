/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_WEB_H
#define WARREN_NODE_PARENT_WEB_H

#include "common/ipc.h"

struct parent;

/*
 * What warren-egress needs of the parent: to run when node.yaml names a web
 * server or a hub, the certificates that servers are held to, which hosts may lie in
 * networks of one's own, and the addresses of names.
 */
/* Of node.yaml as it is now; what cannot be read is said. 0 or -1. */
int web_load(struct parent *);
int web_send(struct parent *, struct ipc *);
/* node.yaml was read again: an egress that runs is told. 0 or -1. */
int web_reload(struct parent *);
/* Answered by LOOKED_UP: now, or when the child that looks has an answer. */
void web_look_up(struct parent *, const struct msg_LOOK_UP *);
/* Egress is gone: what it asked for is not looked up any more. */
void web_clear(struct parent *);

#endif
