/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_REVOKE_H
#define WARREN_NODE_WORK_REVOKE_H

#include "common/listed.h"
#include "node/work/state.h"

/*
 * What a revocation does to links, jobs and this node itself (klp.md 4.6).
 * Trust says all that is listed as a whole, each time.
 */

/* Takes the entries (malloc), which replace all that was said before. */
void revoke_take(struct node *, struct listed *, size_t n);
/* Takes back what transport drops and nothing speaks for any more. */
void revoke_holes_check(struct node *);

#endif
