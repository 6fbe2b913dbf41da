/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_MODULES_H
#define WARREN_TRANSPORT_CORE_MODULES_H

#include "transport/core/core.h"
#include "transport/core/send/waiting.h"
#include "transport/core/table/dest.h"
#include "transport/core/table/path.h"

/*
 * How the files of the node's own half find each other; what link.c and
 * dest.c may use is in core.h, path.h and receipt.h.
 */

/* ---- inbound.c ---- */

/* One packet whose access code was checked; p->rx is set. */
void inbound(struct rns *, struct packet *);
/* Transport's own control destinations (6.1, 7.1). */
int inbound_new(struct rns *);

/* ---- outbound.c ---- */

/*
 * An announce of the path table as it is passed on (4.5, 4.6): header type 2,
 * our transport id. via NULL: everywhere by the rules of 5.3.
 */
struct path;
int announce_out(struct rns *, const struct path *, uint8_t hops,
    uint8_t context, struct iface *via);
/* Announce it with its default app data as a path response (5.6) on via. */
int announce_own(struct rns *, struct dest *, struct iface *via);
/* ANNOUNCE. RNS_ENOENT: no such destination or interface. */
int announce_submit(struct rns *, const struct rns_cmd *);

/* ---- deliver.c ---- */

int deliver_new(struct rns *);
void deliver_free(struct rns *);
/* DATA for a destination of ours (3.10; endpoint 5.8, 3.8). */
void deliver_data(struct rns *, struct dest *, const struct packet *);
/* PACKET and PROVE. */
int deliver_submit(struct rns *, const struct rns_cmd *);
/* Attached (12.2, 12.4): tell the daemon which destinations live here. */
void deliver_attached(struct rns *);
void deliver_introduce(struct rns *);
void deliver_iface_gone(struct rns *, const struct iface *);

/* ---- announce_in.c ---- */

void announce_in(struct rns *, struct packet *);

/* ---- relay.c ---- */

int relay_new(struct rns *);
void relay_free(struct rns *);
void relay_iface_gone(struct rns *, const struct iface *);
/* Is it a link that we relay? Which ends are programs of ours (3.5)? */
bool relay_has_link(const struct rns *, const uint8_t id[RNS_HASH],
    bool *next_local, bool *received_local);
/* 3.7: p is for the path's next hop. False: it was dropped. */
bool relay_forward(struct rns *, struct packet *, struct path *);
/* 3.8: any other packet of a relayed link. */
void relay_link_packet(struct rns *, struct packet *);
/* 3.9: its link proof. */
void relay_link_proof(struct rns *, struct packet *);
/* 3.10: a proof for a packet that went through here; true: it was. */
bool relay_proof(struct rns *, const struct packet *);
/* 3.5: a proof that a program of ours waits for. */
bool relay_proof_for_local(const struct rns *, const uint8_t dest[RNS_HASH]);

/* ---- pathreq.c ---- */

int pathreqs_new(struct rns *);
void pathreqs_free(struct rns *);
void pathreqs_iface_gone(struct rns *, const struct iface *);
/* Ask for a path (13); at most one in 20 s for one destination when auto. */
int path_request(struct rns *, const uint8_t dest[RNS_HASH], bool automatic);
void pathreq_in(struct rns *, struct packet *);
/*
 * An announce was accepted: answers the interfaces that asked (4.5 step 5).
 * Returns whether we had asked for it.
 */
bool pathreq_answered(struct rns *, const struct path *,
    const struct iface *from);
/* 4.5 step 3; true once, when a program's destination was asked for. */
bool pathreq_take_local(struct rns *, const uint8_t dest[RNS_HASH]);
/* 2.4: an automatic request, not on `except`. */
void pathreq_rediscover(struct rns *, const uint8_t dest[RNS_HASH],
    const struct iface *except);
/* Asked for less than 20 s ago. */
bool pathreq_throttled(const struct rns *, const uint8_t dest[RNS_HASH]);

#endif
