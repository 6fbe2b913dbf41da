/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_ROUTE_ANNOUNCE_IN_H
#define WARREN_TRANSPORT_CORE_ROUTE_ANNOUNCE_IN_H

#include "transport/core/base/ctx.h"
#include "transport/core/base/packet.h"

/*
 * An announce from outside (reticulum-transport.md 4): refused and counted, or
 * learned, passed on and told to the application.
 */
void announce_in(struct rns *, const struct packet *);
/* Of an interface that was just made: the job that ends its bursts. */
void announce_in_init(struct iface *);

#endif
