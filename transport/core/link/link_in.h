/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_LINK_IN_H
#define WARREN_TRANSPORT_CORE_LINK_LINK_IN_H

#include "transport/core/link/link.h"

/* Behind links_new(): a link that ends tells its parts. */
int link_in_new(struct rns *);
/*
 * A packet whose destination is a link of ours, but for the proof that brings
 * it up (link_proof_in). It may end the link.
 */
void link_packet_in(struct rns *, struct link *, struct packet *);

#endif
