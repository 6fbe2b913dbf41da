/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_SEND_OUTBOUND_H
#define WARREN_TRANSPORT_CORE_SEND_OUTBOUND_H

#include "transport/core/table/dest.h"
#include "transport/core/table/path.h"

/* Packets made here, and announces passed on (reticulum-transport.md 5). */

/*
 * A packet made here, header type 1: takes the path or is broadcast; its hash
 * goes into the filter. via: only this interface (link traffic, answers), or
 * NULL. RNS_EINVAL: no such packet; RNS_ENOENT: nothing took it (no interface,
 * or all offline); else what core_tx() says of the last that refused.
 */
int core_out(struct rns *, const uint8_t *raw, size_t len, struct iface *via);
/*
 * An announce of the path table as it is passed on (reticulum-transport.md 4.5,
 * 4.6): header type 2, our transport id. via NULL: everywhere by the rules of
 * reticulum-transport.md 5.3, where it may wait for its share. Errors of
 * announce_pack() and core_txv(); RNS_ENOENT: nothing took it.
 */
int announce_out(struct rns *, const struct path *, uint8_t hops,
    uint8_t context, struct iface *via);

#endif
