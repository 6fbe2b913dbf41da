/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_ANNOUNCE_H
#define WARREN_NODE_WORK_ANNOUNCE_H

#include <stdbool.h>

#include "common/ipc_msg.h"
#include "node/work/state.h"

/* Is compute on, complete and not stopping? (TLV 4, describe) */
bool node_accepting(const struct node *);
/*
 * app_data anew: announced when it differs from what was announced last, or
 * when `always`. Nothing without transport, who asks for it by its hello.
 */
void node_announce(struct node *, bool always);
/* What audit said last of a line of ours: could it not be written? */
void node_trail(struct node *, bool fails);

#endif
