/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_MAILBOX_H
#define WARREN_NODE_CLI_MAILBOX_H

#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "node/cli/cli.h"
#include "node/cli/mailread.h"
#include "node/cli/person.h"
#include "node/cli/session.h"

/*
 * A person's LXMF messages over the shared instance: letters go out through a
 * propagation node or to the node itself, answers are filed in letters/ beside
 * the person's keys before they are deleted there. Calls run the loop.
 */
struct mailbox;

struct mail_nodes;
/* CLI_OK or CLI_FAILED (said). */
int mailbox_open(struct mailbox **, struct cli *, struct session *,
    const struct person *, const struct mail_nodes *);
void mailbox_close(struct mailbox *); /* NULL is fine */
/*
 * Hand the message that is the job over, within `us`; CLI_OK, CLI_UNREACHABLE
 * (said), CLI_FAILED (interrupted, or said).
 */
int mailbox_send(struct mailbox *, const struct id32 *job,
    const uint8_t *packed, size_t n, const uint8_t *pub, int64_t us);
/*
 * The letter about a job that says most, into r: one that is filed, or one
 * that is waited for. Free r in any case. CLI_OK, CLI_FAILED (interrupted, or
 * said), CLI_UNREACHABLE (said; more than `us` without an answer of the
 * propagation node).
 */
int mailbox_wait(struct mailbox *, const struct id32 *job,
    const struct hash16 *dest, struct mail_read *r, int64_t us);

#endif
