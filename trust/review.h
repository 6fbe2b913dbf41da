/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_REVIEW_H
#define WARREN_TRUST_REVIEW_H

#include <stdint.h>

#include "common/ipc_msg.h"
#include "trust/verdict.h"

/*
 * Whose word on a held job counts (klp.md 6.1): reviewers, of level +2 and
 * more for job.review, and the keys of boards. Pure. An approval names its
 * signers by four bytes; they are looked for among the bindings that were
 * shown here, who brought it, and the boards. That the submitter's own key
 * never counts is node's to see, who knows the job.
 */
#define REVIEW_LEVEL 2

/* A frame that came. */
void review_approval(const struct verdicts *, struct msg_V_APPROVED *out,
    const struct msg_V_APPROVAL *, uint32_t now);
/* What those who have signed for a job are worth now. */
void review_job(const struct verdicts *, struct msg_V_REVIEWED *out,
    const struct msg_V_REVIEW *, uint32_t now);

#endif
