/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_CORE_H
#define WARREN_TRANSPORT_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/rns.h>

#include "transport/core/base/crypt.h"
#include "transport/core/base/ctx.h"
#include "transport/core/base/event.h"
#include "transport/core/base/identity.h"
#include "transport/core/base/ifac.h"
#include "transport/core/base/packet.h"
#include "transport/core/base/timer.h"
#include "transport/core/send/txq.h"
#include "transport/core/table/iface.h"
#include "common/util.h"
#include "common/wire.h"

/*
 * The context and what its modules may ask of each other. Each table is owned
 * by the file of its noun; others go through that file's functions.
 *
 *   ctx.h    the context itself; ctx.c what it lends: drops, random bytes, time
 *   core.c   life, rns_recv / rns_submit / rns_tick
 *   inbound.c packet filter and the order of transport 3
 *   outbound.c transport 5: core_out, announce rules; announceq.c announces
 *            that wait for their share of an interface
 *   deliver.c packets for and from own destinations, PROVE rules, attached
 *            programs; receipt.c receipts and proofs of single packets
 *   iface.c  interfaces; txq.c transmit queue (core_tx)
 *   event.c  event queue; timer.c deadlines
 *   dedup.c  sets of hashes in two generations (transport 2.7)
 *   dest.c   own destinations, handlers, ratchets; known.c known destinations
 *   path.c   path table; announce_in.c acceptance; waiting.c announces and
 *            answers that will be sent
 *   relay.c  forwarding, link table; reverse.c reverse table
 *   pathreq.c path requests, both ways
 *   link.c   links; request.c; resource.c (incoming), resource_tx.c;
 *            channel.c; stream.c
 */

/*
 * Outbound pipeline for a packet made here (transport 5): takes the path or
 * broadcasts; the packet's hash goes into the filter. `raw` is header type 1.
 * via: only this interface (link traffic, answers), or NULL. RNS_ENOENT:
 * nothing took it (no interface, or all offline).
 */
int core_out(struct rns *, const uint8_t *raw, size_t len, struct iface *via);

#endif
