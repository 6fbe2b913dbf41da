/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_SUBMIT_H
#define WARREN_NODE_WORK_SUBMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc_msg.h"

struct caller;
struct job;
struct node;
struct parked;
struct proto_req;

void submit_request(struct node *, struct caller *, const uint8_t request[16],
    const struct proto_req *, const uint8_t *data, size_t len,
    struct parked *);
void submit_live(struct node *, const struct msg_V_LIVE_OK *);
void submit_manifest(struct node *, const struct msg_V_MANIFEST *,
    const uint8_t *record, size_t len);
/* Digests that a job still needs, each once; at most max into out. */
unsigned job_missing(struct node *, const struct job *, uint8_t (*out)[32],
    unsigned max, bool *more);
bool job_inputs_here(struct node *, const struct job *);

#endif
