/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_SERVE_H
#define WARREN_NODE_WORK_SERVE_H

#include <stddef.h>
#include <stdint.h>

#include "common/ipc_msg.h"

struct node;
struct parked;

void serve_request(struct node *, const struct msg_T_REQUEST *,
    const uint8_t *data, size_t len);
void serve_challenged(struct node *, const struct msg_K_CHALLENGED *);
/* A verdict: for the peer, what he asked, his jobs and his links. */
void serve_verdict(struct node *, const struct msg_V_VERDICT *);
/* A request that has waited goes on; frees it. */
void serve_resume(struct node *, struct parked *);

#endif
