/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_DOCUMENTS_H
#define WARREN_NODE_WORK_DOCUMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/ipc_msg.h"

struct asked;
struct node;

/*
 * Documents of authorities for whoever asks, strangers as well (klp.md 1.6):
 * root, head, get, delta, set. Trust has them; here they are paid for.
 */
#define NODE_STRANGER_SLICE 16384 /* ours: most bytes of an answer to one */

void document_request(struct node *, struct asked *);
/* What trust gives: bytes, or NULL and 0. */
void document_given(struct node *, const struct msg_V_GIVEN *,
    const uint8_t *, size_t);

#endif
