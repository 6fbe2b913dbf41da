/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/state.h"

uint64_t
node_qid(struct node *n)
{
	return ++n->last_qid;
}

struct admit_node
node_admit(const struct node *n)
{
	return (struct admit_node){.policy = &n->policy,
	    .stopping = n->stopping || n->trail_fails,
	    .why = n->stopping ? n->why_stopping :
		"the trail cannot be written",
	    .layers = n->has_posture ? n->layers : 0};
}
