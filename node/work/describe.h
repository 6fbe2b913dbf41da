/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_DESCRIBE_H
#define WARREN_NODE_WORK_DESCRIBE_H

struct asked;
struct node;

/*
 * describe (compute.md 3): what this node is, and what is left of the budgets
 * of who asks. Anyone may; a b that came with it is judged before.
 */
void describe_request(struct node *, struct asked *);

#endif
