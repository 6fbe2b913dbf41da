/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_ROUTE_INBOUND_H
#define WARREN_TRANSPORT_CORE_ROUTE_INBOUND_H

#include "transport/core/base/ctx.h"
#include "transport/core/base/packet.h"

/* From a parsed packet to the one who wants it (reticulum-transport.md 3). */

/*
 * Names of transport's own control destinations (reticulum-transport.md 6.1,
 * 7.1).
 */
int inbound_new(struct rns *);
/*
 * One packet whose access code was checked; p->rx and, but for parts of
 * resources, p->hash are set. Whatever it brings about has happened when it
 * returns; what goes no further is counted.
 */
void inbound(struct rns *, struct packet *);

#endif
