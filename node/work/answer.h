/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_ANSWER_H
#define WARREN_NODE_WORK_ANSWER_H

#include <stdint.h>

#include "common/wire.h"
#include "node/proto/proto.h"

struct caller;
struct node;
struct refusal;

#define NODE_ANSWER_MAX (PROTO_SLICE + 4096)
#define NODE_BUSY_S 5

/* An answer under construction. */
struct answer {
	struct node *n;
	struct caller *l;
	uint8_t request[16];
	struct wr w;
};
void answer_begin(struct answer *, struct node *, struct caller *,
    const uint8_t request[16]);
void answer_send(struct answer *);
void answer_status(struct node *, struct caller *, const uint8_t request[16],
    enum proto_status, const struct proto_meta *);
void answer_busy(struct node *, struct caller *, const uint8_t request[16],
    uint32_t s);
void answer_refusal(struct node *, struct caller *, const uint8_t request[16],
    const struct refusal *);

#endif
