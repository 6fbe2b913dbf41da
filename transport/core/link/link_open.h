/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_LINK_OPEN_H
#define WARREN_TRANSPORT_CORE_LINK_LINK_OPEN_H

#include "transport/core/link/link.h"
#include "transport/core/table/dest.h"

/*
 * How a link comes up: request, proof, RTT (reticulum-endpoint.md 6.3 to 6.8).
 */

/*
 * LINK_OPEN: sends the request; event LINK_PENDING, later LINK_UP or
 * LINK_CLOSED. RNS_ENOENT: unknown destination, or no interface; RNS_ELIMIT;
 * RNS_ENOMEM; RNS_EEXIST: two requests alike.
 */
int link_open(struct rns *, const struct rns_cmd *);
/* A link request for a destination of ours (reticulum-transport.md 3.10). */
void link_request_in(struct rns *, struct dest *, struct packet *);
/* LRPROOF with the id of one of our links (reticulum-transport.md 3.9). */
void link_proof_in(struct rns *, struct link *, struct packet *);
/* The plaintext of LRRTT: the responder's link is up. May end it. */
void link_rtt_in(struct rns *, struct link *, const uint8_t *, size_t);
/* It was lost, and another packet under the link's key says the same. */
bool link_rtt_lost(struct rns *, struct link *);

#endif
