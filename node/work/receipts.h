/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_RECEIPTS_H
#define WARREN_NODE_WORK_RECEIPTS_H

#include "common/ipc_msg.h"
#include "node/work/jobs.h"

/* The fields of a receipt, from what the ledger knows of the job; no qid. */
void receipt_fill(struct msg_K_RECEIPT *, const struct job *);

#endif
