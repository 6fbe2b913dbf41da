/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_ROUTE_RELAY_H
#define WARREN_TRANSPORT_CORE_ROUTE_RELAY_H

#include <rns/hash.h>

#include "transport/core/base/packet.h"
#include "transport/core/table/path.h"

/*
 * Relaying (reticulum-transport.md 3.7 to 3.10) and the link table
 * (reticulum-transport.md 2.4).
 */
struct rlink {
	union {
		struct hitem item;
		struct hash16 id; /* its key */
	};
	TAILQ_ENTRY(rlink) age; /* in a list of `received` */
	struct hash16 dest;
	struct iface *next, *received; /* to the destination, the initiator */
	uint8_t remaining, taken;      /* hops, likewise */
	bool validated;
	bool answerable; /* of a form that destinations answer */
	struct mono used, looked; /* as it was when it was to be evicted */
	struct timer timer; /* proof time-out, then idle */
};

int relay_new(struct rns *);
void relay_free(struct rns *);
/*
 * An entry of a link that is not there yet, used just now; the rest of it, and
 * its time, are the caller's to say. NULL: no memory.
 */
struct rlink *relay_put(struct rns *, const struct hash16 *id,
    struct iface *received, struct iface *next);
/* Links and proofs that would go that way are forgotten. */
void relay_iface_gone(struct rns *, const struct iface *);
/* Of a link that we relay. */
void relay_show(const struct rns *, const struct hash16 *id,
    struct rns_about *);
/*
 * Is it a link that we relay? Then, which ends are programs of ours
 * (reticulum-transport.md 3.5); false leaves both alone.
 */
bool relay_has_link(const struct rns *, const struct hash16 *id,
    bool *next_local, bool *received_local);
/*
 * reticulum-transport.md 3.7: p is for the path's next hop. False: it was
 * dropped.
 */
bool relay_forward(struct rns *, struct packet *, struct path *);
/* reticulum-transport.md 3.8: any other packet of a relayed link. */
void relay_link_packet(struct rns *, struct packet *);
/* reticulum-transport.md 3.9: its link proof. */
void relay_link_proof(struct rns *, struct packet *);
/*
 * reticulum-transport.md 3.10: a proof for a packet that went through here;
 * true: it was.
 */
bool relay_proof(struct rns *, const struct packet *);
/* reticulum-transport.md 3.5: a proof that a program of ours waits for. */
bool relay_proof_for_local(const struct rns *, const struct hash16 *dest);

#endif
