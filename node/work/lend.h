/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_LEND_H
#define WARREN_NODE_WORK_LEND_H

#include <stdbool.h>

#include <rns/mono.h>

#include "node/work/state.h"

/*
 * When the machine is lent (compute_when): jobs are admitted at any time, and
 * start while it is. What happens to those that run when it ends is the
 * operator's choice. The facts come from the parent.
 */
#define LEND_LOOK_S 10  /* ours: the parent measures so often */
#define LEND_STALE_S 60 /* ours: what is older is not known */
#define LEND_HOLD_S 60	/* ours: shut by what was measured for so long */

void lend_facts(struct node *, const struct msg_FACTS *);
/* The operator's file has changed: look again now. */
void lend_again(struct node *);
/* Opens and shuts; when to call again. */
struct mono lend_tick(struct node *);
/* Seconds until it may be lent; 0: it is. */
uint32_t lend_wait_s(const struct node *);

#endif
