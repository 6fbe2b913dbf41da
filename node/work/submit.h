/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_SUBMIT_H
#define WARREN_NODE_WORK_SUBMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc_msg.h"

struct asked;
struct job;
struct node;

/*
 * job/submit at its first two stages: answered, or waiting for trust. Called
 * again with what trust said of who asks.
 */
void submit_request(struct node *, struct asked *);
/* V_LIVE_OK: the request that brought the proof goes on with its worth. */
void submit_live(struct node *, const struct msg_V_LIVE_OK *);
/* A submit whose answer was held for its job (hold.h): it is given now. */
void submit_repeat(struct node *, const struct asked *);
/* V_MANIFEST, with the record of an envelope that opened: the last stage. */
void submit_manifest(struct node *, const struct msg_V_MANIFEST *,
    const uint8_t *record, size_t len);

#endif
