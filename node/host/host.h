/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_HOST_H
#define WARREN_NODE_HOST_HOST_H

#include "node/host/world.h"

/* Fills in what node asks for but its sends (outbox_fill()); ctx: the node. */
void host_fill(struct host *, struct warren_node *);
/* What time it is, for the node: at the start of whatever enters it. */
void host_now(struct warren_node *);
/* What has to be done bit by bit begins, if there is any. */
void host_kick(struct warren_node *);
/* Bytes that may still be taken, above the reserve (THREATS.md 4). */
uint64_t host_disk_free(struct warren_node *);

#endif
