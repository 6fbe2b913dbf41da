/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/state.h"

uint64_t
node_qid(struct node *n)
{
	return ++n->last_qid;
}
