/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_SEND_ANNOUNCE_OWN_H
#define WARREN_TRANSPORT_CORE_SEND_ANNOUNCE_OWN_H

#include "transport/core/table/dest.h"
#include "transport/core/table/iface.h"

/*
 * Announces of our own destinations, at most one of each in a second.
 */

/*
 * Announce it with its default app data as a path response
 * (reticulum-transport.md 5.6) on via. Within a second of its last announce
 * that one is what leaves.
 */
int announce_own(struct rns *, struct dest *, struct iface *via);
/*
 * ANNOUNCE. Within a second of the last it leaves when that is over; of several
 * that wait the last one does. RNS_ENOENT: no such destination or interface.
 */
int announce_submit(struct rns *, const struct rns_cmd *);

#endif
