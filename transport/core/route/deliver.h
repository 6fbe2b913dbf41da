/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_ROUTE_DELIVER_H
#define WARREN_TRANSPORT_CORE_ROUTE_DELIVER_H

#include "transport/core/base/packet.h"
#include "transport/core/table/dest.h"

/*
 * Single packets for and from destinations of ours, and what an attached
 * program tells the daemon.
 */
int deliver_new(struct rns *);
void deliver_free(struct rns *);
/*
 * DATA for a destination of ours (reticulum-transport.md 3.10;
 * reticulum-endpoint.md 5.8, 3.8): an event, and the proof when it is due at
 * once.
 */
void deliver_data(struct rns *, struct dest *, const struct packet *);
/*
 * PACKET and PROVE. RNS_ENOENT: unknown destination, or no interface;
 * RNS_EINVAL; RNS_EBIG; RNS_EAUTH: its key is none; RNS_ENOMEM: the packet may
 * have left, but no receipt will follow.
 */
int deliver_submit(struct rns *, const struct rns_cmd *);
/*
 * Attached: the way to the daemon is there, perhaps again
 * (reticulum-transport.md 12.4).
 */
void deliver_attached(struct rns *);
/*
 * Attached: a destination is new; soon the daemon hears of it
 * (reticulum-transport.md 12.2).
 */
void deliver_introduce(struct rns *);
/* Proofs that would leave there leave anywhere. */
void deliver_iface_gone(struct rns *, const struct iface *);

#endif
