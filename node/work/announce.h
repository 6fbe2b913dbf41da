/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_ANNOUNCE_H
#define WARREN_NODE_WORK_ANNOUNCE_H

#include "common/ipc_msg.h"
#include "node/work/state.h"

/*
 * When the node announces itself (compute.md 1). The first announce waits for
 * what it states; what changes is announced when it stands, and not too often.
 */
#define NODE_ANNOUNCE_SETTLE_S 1 /* ours: a change has stood so long */
#define NODE_ANNOUNCE_GAP_S 5	/* ours: between two that state a change */

/* Transport's T_HELLO: it knows nothing of us yet. */
void announce_hello(struct node *);
/* What trust wants to be said of authorities (klp.md 4.3). */
void announce_spread(struct node *, const struct msg_V_SPREAD *);
/* Announces when it is time; when to call again. */
struct mono announce_tick(struct node *);

#endif
