/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_IFACE_H
#define WARREN_TRANSPORT_CORE_TABLE_IFACE_H

#include "transport/core/core.h"

/* Interfaces (transport 8); iface_find() and core_tx() are in core.h. */
void ifaces_init(struct rns *);
void ifaces_free(struct rns *);
/* IF_ADD, IF_DEL, IF_ONLINE. */
int iface_submit(struct rns *, const struct rns_cmd *);
/* Bytes of a packet without access code that it may deliver (3.1). */
size_t iface_rx_max(const struct iface *);

/* txq.c */
int txq_new(struct rns *);
void txq_free(struct rns *);
bool txq_next(struct rns *, struct rns_tx *);

#endif
