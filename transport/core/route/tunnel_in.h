/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_ROUTE_TUNNEL_IN_H
#define WARREN_TRANSPORT_CORE_ROUTE_TUNNEL_IN_H

#include "transport/core/base/ctx.h"
#include "transport/core/base/packet.h"

/* Packets of reticulum-transport.md 7.1, both ways. */

/* One that came in, for the control destination. */
void tunnel_in(struct rns *, const struct packet *);
/*
 * Show the other end of the interface who we are, if it wants a tunnel. What
 * cannot be sent is counted and tried again when the interface comes up next.
 */
void tunnel_show(struct rns *, struct iface *);

#endif
