/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_WATCH_H
#define WARREN_NODE_WORK_WATCH_H

#include "trust/doc/receipt.h"

struct job;
struct node;

/* The counters of a job that runs under a contract, and what they break. */

/* What they say now, told; 0: it may go on. j->rule is the rule. */
enum kill_reason contract_look(struct node *, struct job *);
/* It has exited: a last look, and what was typical is compared. */
void contract_over(struct node *, struct job *);

#endif
