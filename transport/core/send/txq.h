/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_SEND_TXQ_H
#define WARREN_TRANSPORT_CORE_SEND_TXQ_H

#include "transport/core/base/crypt.h"
#include "transport/core/table/iface.h"

/* The transmit queue behind rns_next_tx(), one for all interfaces. */
int txq_new(struct rns *); /* RNS_ENOMEM */
void txq_free(struct rns *);
/* The next packet in the order of core_tx(); valid until the next call. */
bool txq_next(struct rns *, struct rns_tx *);
/* How many wait, or as many of RNS_MTU as their bytes are. */
uint32_t txq_waiting(const struct rns *);
/*
 * Queue for transmission; the access code is added here. RNS_ESTATE: the
 * interface is offline or may not transmit; RNS_ELIMIT, RNS_ENOMEM: dropped
 * and counted.
 */
int core_tx(struct rns *, struct iface *, const uint8_t *raw, size_t len);
/* The same for pieces that stand together; one copy, no allocation but of a
 * block now and then. */
int core_txv(struct rns *, struct iface *, const struct iovec_c *, size_t n);

#endif
