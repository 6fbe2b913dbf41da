/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_BOUND_H
#define WARREN_NODE_WORK_BOUND_H

#include "common/ipc_msg.h"

struct node;

/*
 * Audit's word of a broken rule: one of a job's contract, for which the
 * contract says what follows (klp.md 6.2), or another (watched.h).
 */
void bound_flag(struct node *, const struct msg_W_FLAG *);

#endif
