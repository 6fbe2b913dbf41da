/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_WATCH_H
#define WARREN_NODE_WORK_WATCH_H

#include "trust/doc/contract.h"
#include "trust/doc/receipt.h"

struct job;
struct node;

/* The counters of a job that runs under a contract, and what they break. */

/*
 * What they say now, told; 0: it may go on, but for *stop, a rule for which it
 * is to stand still. j->rule is the rule.
 */
enum kill_reason contract_look(struct node *, struct job *, unsigned *stop);
/* It has exited: a last look, and what was typical is compared. */
void contract_over(struct node *, struct job *);

/* What follows when this rule of its contract is broken. */
enum contract_action contract_action(const struct node *, const struct job *,
    unsigned rule);
/* That it was: into the trail, and against who sent the job. */
void contract_told(struct node *, struct job *, unsigned rule,
    enum contract_action did, const char *how);

#endif
