/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PROTO_PROTO_GET_H
#define WARREN_NODE_PROTO_PROTO_GET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"
#include "node/proto/proto.h"

/*
 * Answers as a submitter reads them. What is read borrows from the bytes of
 * the answer; a node may be anybody, so every bound is looked at.
 */

struct proto_ans {
	uint64_t status;
	struct proto_meta meta;
	struct rd body;	 /* one msgpack value, well-formed */
};
/* false: not an answer of this section. */
bool proto_ans_get(struct proto_ans *, const void *data, size_t len);

/* The body of an answer; false: it is not one of this kind. */
bool proto_get_describe(struct proto_describe *, const struct proto_ans *);
bool proto_get_challenge(struct proto_challenge *, const struct proto_ans *);
bool proto_get_submitted(struct proto_submitted *, const struct proto_ans *);
/* {have: n} of blob/put; also the body of 5 `digest`. */
bool proto_get_have(uint64_t *have, const struct proto_ans *);
/* A bin: blob/have, blob/get, job/log. */
bool proto_get_bytes(struct pbin *, const struct proto_ans *);
bool proto_get_status(struct proto_job_status *, const struct proto_ans *);
bool proto_get_result(struct proto_result *, const struct proto_ans *);
/* f of submit and status, and no other member: false, they have theirs. */
bool proto_get_whole(struct proto_whole *, const struct proto_ans *);
/* {o} of follow */
bool proto_get_offset(uint64_t *o, const struct proto_ans *);
/* {state, reason} of cancel */
bool proto_get_cancelled(struct pstr *state, struct pstr *reason,
    const struct proto_ans *);
bool proto_get_list(struct proto_list *, const struct proto_ans *);
/* the page of job/review */
bool proto_get_review(struct proto_review *, const struct proto_ans *);
/* the frames of delta, none of them looked at */
bool proto_get_deltas(struct proto_deltas *, const struct proto_ans *);
/* {id, state, reason} of approve */
bool proto_get_approved(const uint8_t **id, struct pstr *state,
    struct pstr *reason, const struct proto_ans *);

#endif
