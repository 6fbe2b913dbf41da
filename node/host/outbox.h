/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_OUTBOX_H
#define WARREN_NODE_HOST_OUTBOX_H

#include "node/host/world.h"

/* What node sends, behind the ledger's next commit, in order. */
void outbox_init(struct warren_node *);
/* The part of struct host that sends. */
void outbox_fill(struct host *);
/* Encoded now, sent behind the commit: outbox_N_FOLLOW(), ... fds are taken. */
#define OUTBOX_ADD(name, from, to, least, most)                                \
	IPC_IF(IPC_BY(NODE, from))                                             \
	(void outbox_##name(struct warren_node *, const struct msg_##name *,   \
	    const int *fds, unsigned nfds);)
IPC_MESSAGES(OUTBOX_ADD)
/* The end of a turn: commit, then what is queued. */
void outbox_flush(struct warren_node *);
/* It is there: events that it has not settled leave first. */
void outbox_up(struct warren_node *, enum program);
/*
 * A program is gone: what waits for it goes, descriptors are closed; events
 * stay.
 */
void outbox_drop(struct warren_node *, enum program);

#endif
