/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_SERVE_H
#define WARREN_NODE_WORK_SERVE_H

#include <stddef.h>
#include <stdint.h>

#include "common/ipc_msg.h"

struct node;

/*
 * The way of a request. It comes in here, is charged and read, and goes to the
 * function of its path; what needs another program's word waits as a struct
 * asked and goes on, from here or from submit.c, when that has come. Each of
 * these messages is the end of one turn of it: answered, or waiting again.
 */

/*
 * T_REQUEST, with the bytes of its body, which are copied. No answer to a
 * path that is not known or to what is no msgpack.
 */
void serve_request(struct node *, const struct msg_T_REQUEST *,
    const uint8_t *data, size_t len);
/* V_VERDICT: for the peer, for what he asked, his jobs, and his links. */
void serve_verdict(struct node *, const struct msg_V_VERDICT *);

/* Answers that waited for a job and can be given; when to call again. */
struct mono serve_held(struct node *);

#endif
