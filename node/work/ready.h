/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_READY_H
#define WARREN_NODE_WORK_READY_H

#include <stdbool.h>
#include <stddef.h>

#include <rns/mono.h>

#include "node/work/state.h"

/* Does this node take jobs, and if not, why: one word for all who ask. */

#define NODE_DISK_S 10	   /* ours: the disk is looked at so often */
#define NODE_DISK_FULL_S 2 /* ... while it is full */
#define NODE_DISK_ROOM (UINT64_C(1) << 20) /* ours: above the reserve again */
#define NODE_READY_S 30	   /* ours: a door that is shut is tried again */
#define NODE_KNOWN_S 10	   /* ours: what is not known by then is not waited for */
#define NODE_READY_WHY 256

/* What shuts the door of admission (step 1), for people; NULL: open. */
const char *node_shut(const struct node *);
/* Is compute on, complete and not stopping? (TLV 4, describe) */
bool node_accepting(const struct node *);
/* Bits of what it runs (compute.md 1). */
uint16_t node_runtimes(const struct node *);
/* The same with why not; "" when it is. */
void node_why(const struct node *, char why[NODE_READY_WHY]);
/* The part of the node that admission looks at; points into it. */
struct admit_node node_admit(const struct node *);
/* Has everybody spoken on whom that depends, or had the time for it? */
bool node_known(const struct node *);
/* When that time is over. */
struct mono node_known_at(const struct node *);

/* Looks at the disk now; a change is said. */
void node_disk(struct node *);
/* Looks when it is due; says a change of the answer; when to call again. */
struct mono ready_tick(struct node *);
/* What audit said last of a line of ours: could it not be written? */
void node_trail(struct node *, bool fails);

#endif
