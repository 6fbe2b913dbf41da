/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_LINK_H
#define WARREN_TRANSPORT_CORE_LINK_LINK_H

#include "transport/core/core.h"
#include "transport/core/link/link_state.h"
#include "transport/core/table/dest.h"

/*
 * Links (6), both sides. link.c owns the state machine; request.c, resource.c,
 * resource_tx.c, channel.c and stream.c hang their state on the link and are
 * told of its end by link_closed hooks.
 */
struct link;

int links_new(struct rns *);
void links_free(struct rns *);
struct link *link_find(const struct rns *, const uint8_t id[RNS_HASH]);
/* A link request for a destination of ours (transport 3.10). */
void link_request_in(struct rns *, struct dest *, struct packet *);
/* LRPROOF with the id of one of our pending links (transport 3.9). */
void link_proof_in(struct rns *, struct link *, struct packet *);
/*
 * A link that never came up leaves a note, which core.c takes: the destination
 * that a path should be asked for; false: there is none.
 */
bool link_lost_next(struct rns *, uint8_t dest[RNS_HASH]);
/* The interface that it lives on; NULL while that is not known. */
struct iface *link_iface(const struct link *);
/* Its interface is gone. */
void link_iface_gone(struct rns *, const struct iface *);
/* Receipts of link packets: PROOF, context NONE, destination a link id. */

/* The commands that concern links; core.c passes them on. */
int link_submit(struct rns *, const struct rns_cmd *);

#endif
