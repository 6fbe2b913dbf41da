/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_BURY_H
#define WARREN_NODE_WORK_BURY_H

#include <rns/mono.h>

/*
 * Images that are revoked leave the disk within a minute (klp.md 4.6), once the
 * last job that has them is dead. The parent removes them, since the store is
 * read-only here; it is asked until they are gone. One that is suspended stays:
 * that can be lifted.
 */
#define BURY_S 10 /* from one look to the next; ours, of the 60 s there are */

struct node;

/* What is listed has changed. */
void bury_listed(struct node *);
struct mono bury_tick(struct node *);

#endif
