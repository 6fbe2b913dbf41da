/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_WHY_H
#define WARREN_TRUST_WHY_H

#include <stdint.h>

#include "common/ipc_msg.h"
#include "trust/verdict.h"

/*
 * The operator's question, why somebody has his level, pure. A key and the
 * Reticulum identity that is bound to it are one person here, whichever of the
 * two is named.
 */

/* An edge of a path that decided; in order, before the answer is made. */
typedef void why_hop_fn(void *ctx, const struct msg_V_HOP *);
void why_answer(const struct verdicts *, struct msg_V_BECAUSE *out,
    const struct msg_V_WHY *, uint32_t now, why_hop_fn *, void *ctx);

#endif
