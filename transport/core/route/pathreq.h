/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_ROUTE_PATHREQ_H
#define WARREN_TRANSPORT_CORE_ROUTE_PATHREQ_H

#include <rns/hash.h>

#include "transport/core/base/packet.h"
#include "transport/core/table/path.h"

/* Path requests (reticulum-transport.md 2.8, 6, 18.4), both ways. */

int pathreqs_new(struct rns *);
void pathreqs_free(struct rns *);
/* Nobody there waits for an answer any more. */
void pathreqs_iface_gone(struct rns *, const struct iface *);
/*
 * Ask for a path (13). automatic: in its turn, at most once in 20 s for one
 * destination, and always RNS_OK; else now, with the errors of core_out().
 */
int path_request(struct rns *, const struct hash16 *dest, bool automatic);
/* A request came in: answered, searched for, or dropped and counted. */
void pathreq_in(struct rns *, struct packet *);
/* What is known of requests for it. */
void pathreq_show(const struct rns *, const struct hash16 *dest,
    struct rns_about *);
/*
 * An announce was accepted: answers the interfaces that asked
 * (reticulum-transport.md 4.5 step 5). Returns whether we had asked for it.
 */
bool pathreq_answered(struct rns *, const struct path *);
/*
 * reticulum-transport.md 4.5 step 3; true once, when a program's destination
 * was asked for.
 */
bool pathreq_take_local(struct rns *, const struct hash16 *dest);
/*
 * reticulum-transport.md 2.4: an automatic request, not on `except` (NULL:
 * everywhere).
 */
void pathreq_rediscover(struct rns *, const struct hash16 *dest,
    const struct iface *except);
/*
 * We asked for it, or others wait for it: its announce is never held back
 * (reticulum-transport.md 4.1 step 2).
 */
bool pathreq_wanted(const struct rns *, const struct hash16 *dest);
/* Asked for less than 20 s ago. */
bool pathreq_throttled(const struct rns *, const struct hash16 *dest);

#endif
