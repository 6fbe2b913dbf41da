/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_CHALLENGE_H
#define WARREN_NODE_WORK_CHALLENGE_H

#include "common/ipc_msg.h"

struct asked;
struct node;

/*
 * challenge (compute.md 3): keys proves to a link that its key is this
 * node's. One nonce for each link; the same again is answered alike.
 */
void challenge_request(struct node *, struct asked *);
/* K_CHALLENGED: answers the request that waits for it. */
void challenge_done(struct node *, const struct msg_K_CHALLENGED *);

#endif
