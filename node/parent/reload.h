/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_RELOAD_H
#define WARREN_NODE_PARENT_RELOAD_H

#include <stdbool.h>

#include "common/ipc_msg.h"

struct parent;

/*
 * SIGHUP and `warren reload`: the operator's files are checked as at the start,
 * and taken whole or not at all. What is other in them takes effect at once, or
 * is said to wait for a start and why. false: nothing was changed.
 */
bool reload(struct parent *);
/*
 * The same, asked for over mesh.sock, with all that was said as the answer; at
 * once, or 200 ms after the one before.
 */
void reload_asked(struct parent *, const struct msg_RELOAD *);

#endif
