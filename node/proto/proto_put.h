/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PROTO_PROTO_PUT_H
#define WARREN_NODE_PROTO_PROTO_PUT_H

#include <stdint.h>

#include "common/wire.h"
#include "node/proto/proto.h"

/*
 * Answers as a node writes them. A text that is nil is written as nil, an
 * integer above PROTO_INT_MAX as that; wr_ok() tells whether all of it fit.
 */

/* Status and meta; the body follows: mpk_put_nil() or a writer below. */
void proto_ans_head(struct wr *, uint64_t status, const struct proto_meta *);
/* Without a body. */
void proto_ans_put(struct wr *, uint64_t status, const struct proto_meta *);

/* The bodies behind proto_ans_head(). */
void proto_put_describe(struct wr *, const struct proto_describe *);
void proto_put_challenge(struct wr *, const struct proto_challenge *);
void proto_put_submitted(struct wr *, const struct proto_submitted *);
/* {have: n} of blob/put; also the body of 5 `digest`. */
void proto_put_have(struct wr *, uint64_t have);
void proto_put_status(struct wr *, const struct proto_job_status *);
void proto_put_result(struct wr *, const struct proto_result *);
/* {o} of follow */
void proto_put_whole(struct wr *, const struct proto_whole *);
void proto_put_offset(struct wr *, uint64_t o);
/* {state, reason} of cancel */
void proto_put_cancelled(struct wr *, struct pstr state, struct pstr reason);
void proto_put_list(struct wr *, const struct proto_list *);
/* the page of job/review */
void proto_put_review(struct wr *, const struct proto_review *);
/* the frames of delta */
void proto_put_deltas(struct wr *, const struct proto_deltas *);
/* {id, state, reason} of approve */
void proto_put_approved(struct wr *, const uint8_t *id, struct pstr state,
    struct pstr reason);

#endif
