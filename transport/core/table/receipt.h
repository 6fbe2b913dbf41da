/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_RECEIPT_H
#define WARREN_TRANSPORT_CORE_TABLE_RECEIPT_H

#include <rns/hash.h>

#include "transport/core/base/ctx.h"
#include "transport/core/base/packet.h"

/*
 * Receipts (reticulum-endpoint.md 3.7) of packets that want a proof. The owner
 * gets done() once: a channel message resends, a packet of the application
 * becomes an event.
 */
struct link;
typedef void receipt_fn(struct rns *, void *arg, enum rns_receipt_status,
    int64_t rtt_us);

struct receipt;

/*
 * pub: the Ed25519 key that must have signed. link: NULL for single packets
 * (then implicit proofs match too). NULL: out of memory; at the ceiling the
 * oldest receipt is CULLED.
 */
struct receipt *receipt_new(struct rns *, const struct id32 *hash,
    const uint8_t pub[32], struct link *, int64_t timeout_us, receipt_fn *,
    void *arg);
/* Forget it without calling done(). */
void receipt_drop(struct rns *, struct receipt *);
/* A proof came in; true when it was one of ours and valid. */
bool receipt_proof_in(struct rns *, const struct packet *, struct link *);
int receipts_new(struct rns *);
/* All are CULLED; their owners hear of it. */
void receipts_free(struct rns *);

#endif
