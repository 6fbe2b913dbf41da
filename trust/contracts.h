/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_CONTRACTS_H
#define WARREN_TRUST_CONTRACTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/ipc_msg.h"
#include "trust/verdict.h"

/*
 * A job's behaviour contract (klp.md 6): does its envelope hold, how far is who
 * signed it trusted for contract.sign, and what does it say, as a record.
 */
void contract_judge(const struct verdicts *, struct msg_V_CONTRACTED *out,
    const struct msg_V_CONTRACT *, const uint8_t *buf, size_t len,
    uint32_t now);

#endif
