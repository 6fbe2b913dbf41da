/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_MAIL_H
#define WARREN_NODE_WORK_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/mono.h>

#include "common/ipc_msg.h"

struct node;

/*
 * Jobs by letter (docs/spec/lxmf.md 5). A letter's request goes through the
 * door that requests of links go through (serve.h), as one of the sender's own
 * identity: the same verdict, throttles, budgets, admission and codes. The
 * node asks itself as a submitter would ask it: the request, the inputs that
 * came along, the request again, and when the job has ended its result, logs
 * and outputs; what comes of it goes back as a letter. An answer "busy" is
 * asked again later, and nobody is told.
 */

void mail_init(struct node *);
/* T_MAIL: a message for our lxmf.delivery, whole. */
void mail_came(struct node *, const struct msg_T_MAIL *, const uint8_t *packed,
    size_t len);
/* T_MAIL_END: what became of an answer that was handed to transport. */
void mail_ended(struct node *, const struct msg_T_MAIL_END *);
/* A new transport has none of them. */
void mail_transport(struct node *);
/* A row of the ledger. */
void mail_restore(struct node *, const struct id32 *id, const void *, size_t);
struct mono mail_tick(struct node *);

#endif
