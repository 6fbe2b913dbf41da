/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_ANSWER_H
#define WARREN_NODE_WORK_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"
#include "node/proto/proto.h"

struct asked;
struct node;
struct refusal;
struct used_up;

/*
 * N_REPLY to a request, of which there is one for each. It is written into
 * node.answer, so one is under construction at a time. What is sent is
 * charged to who asked. The request itself stays its owner's.
 */
#define NODE_ANSWER_MAX (PROTO_SLICE + 4096) /* a slice, and what is around */
/* Busy, come again then; all ours. */
#define NODE_SOON_S 1	 /* what is here is being looked at */
#define NODE_BUSY_S 5	 /* another program is away, or its answer */
#define NODE_LEDGER_S 30 /* the ledger cannot be written */
#define NODE_FULL_S 60	 /* a disk has to get free */

/* A writer behind [status, meta; the body is written next. meta may be NULL */
struct wr answer_begin(struct node *, enum proto_status,
    const struct proto_meta *);
/* What does not fit is logged and not sent: no answer is that long. */
void answer_send(struct node *, const struct asked *, const struct wr *);

/* Without a body. */
void answer_status(struct node *, const struct asked *, enum proto_status,
    const struct proto_meta *);
/* Come again in s seconds, at least 1; for what it waits (compute.md 3). */
void answer_busy(struct node *, const struct asked *, const char *code,
    uint32_t s);
/* ... since a budget is used up. */
void answer_used_up(struct node *, const struct asked *,
    const struct used_up *);
/* Counted; with a nonce for the link when a live proof is asked for. */
void answer_refusal(struct node *, const struct asked *,
    const struct refusal *);

/* Room for PROTO_SLICE bytes of a body; len of them are then sent, as ok. */
uint8_t *answer_slice(struct node *);
void answer_bytes(struct node *, const struct asked *,
    const struct proto_meta *, size_t len);

#endif
