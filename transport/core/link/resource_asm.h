/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_RESOURCE_ASM_H
#define WARREN_TRANSPORT_CORE_LINK_RESOURCE_ASM_H

#include "transport/core/link/resource.h"

/*
 * A segment whose parts are all there (reticulum-endpoint.md 8.9): opened,
 * compared with its hash, handed on (plain ones as an event, others into
 * x->whole) and proved. RNS_OK; what comes next is the caller's. Else nothing
 * was proved and the transfer is over: RNS_ENOMEM and RNS_ELIMIT are ours, all
 * others say that the content is not what was advertised, RNS_EBIG that it is
 * longer.
 */
int resource_assemble(struct rns *, struct res_in *);
/*
 * The sender missed our proof and began anew: it needs only the proof. false:
 * none of this hash is kept.
 */
bool resource_prove_again(struct rns *, struct link *, const struct id32 *hash);
/* It asks for the proof, not encrypted: sent again while we have it. */
void resource_cache_in(struct rns *, struct link *, const struct packet *);

#endif
