/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_CORE_H
#define WARREN_TRANSPORT_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/rns.h>

#include "transport/core/base/crypt.h"
#include "transport/core/base/ctx.h"
#include "transport/core/base/identity.h"
#include "transport/core/base/ifac.h"
#include "transport/core/base/packet.h"
#include "transport/core/base/timer.h"
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

struct queued;
RB_HEAD(announce_queue, queued);
RB_HEAD(announce_order, queued);
TAILQ_HEAD(announce_ages, queued);

struct iface {
	TAILQ_ENTRY(iface) entry;
	RB_ENTRY(iface) node; /* by id */
	struct rns_if cfg;
	struct ifac ifac;
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	struct mono added;
	/* announce cap (5.3); announceq.c */
	struct mono announce_allowed;
	struct announce_queue announces; /* the same ones, three ways */
	struct announce_order announce_order;
	struct announce_ages announce_ages;
	uint32_t announce_count;
	uint64_t announce_seq;
	struct timer announce_timer;
};
/*
 * Outbound pipeline for a packet made here (transport 5): takes the path or
 * broadcasts; the packet's hash goes into the filter. `raw` is header type 1.
 * via: only this interface (link traffic, answers), or NULL. RNS_ENOENT:
 * nothing took it (no interface, or all offline).
 */
int core_out(struct rns *, const uint8_t *raw, size_t len, struct iface *via);

/* ---- iface.c ---- */

struct iface *iface_find(const struct rns *, unsigned id);
/*
 * Queue for transmission; the access code is added here. RNS_ESTATE: the
 * interface is offline or may not transmit; RNS_ELIMIT, RNS_ENOMEM: dropped
 * and counted.
 */
int core_tx(struct rns *, struct iface *, const uint8_t *raw, size_t len);
/* The same for pieces that stand together; one copy, no allocation but of a
 * block now and then. */
int core_txv(struct rns *, struct iface *, const struct iovec_c *, size_t n);
/* It is online and the transmit queue would take one more packet. */
bool iface_has_room(const struct rns *, const struct iface *);

/* ---- event.c ---- */

/*
 * Queue *ev; data that its pointers name is copied, at most three pieces
 * (app_data, ratchet, raw; data, metadata). Memory by ownership: a `own`
 * buffer from malloc becomes the queue's in place of a copy of ev's `data`.
 * RNS_ELIMIT counts RNS_DROP_LIMIT.
 */
int event_push(struct rns *, const struct rns_event *ev);
int event_push_own(struct rns *, const struct rns_event *ev, uint8_t *own);

#endif
