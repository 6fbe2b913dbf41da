/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_SEND_ANNOUNCEQ_H
#define WARREN_TRANSPORT_CORE_SEND_ANNOUNCEQ_H

#include "transport/core/table/path.h"

/*
 * The announce cap (reticulum-transport.md 5.3) of an interface, and what waits
 * for its turn.
 */

#define ANNOUNCEQ_MAX 4096    /* MAX_QUEUED_ANNOUNCES */
#define ANNOUNCEQ_LIFE 10800  /* s, QUEUED_ANNOUNCE_LIFE */

/* Of an interface that was just made. */
void announceq_init(struct iface *);
/* What waits there is forgotten; before the interface goes. */
void announceq_clear(struct rns *, struct iface *);
/* May an announce of len bytes leave at once? Then it has been counted. */
bool announceq_now(struct rns *, struct iface *, size_t len);
/*
 * If not: it leaves when its turn comes, unless its path is gone by then. A
 * full queue and want of memory are counted as drops.
 */
void announceq_put(struct rns *, struct iface *, const struct path *,
    uint8_t hops);
/* Does an announce of dest wait there? */
bool announceq_has(const struct iface *, const struct hash16 *dest);

#endif
