/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_RATE_H
#define WARREN_TRANSPORT_CORE_TABLE_RATE_H

#include <rns/hash.h>

#include "transport/core/table/iface.h"

/*
 * How often each destination announces itself, and which do so too often
 * (reticulum-transport.md 2.6, 4.4). As many as there may be paths; the one
 * that was quiet for longest makes room, which is a drop.
 */
int rates_new(struct rns *);
void rates_free(struct rns *);
/*
 * An announce of dest was accepted from there. True: too many; it is not
 * passed on. Without memory nobody is blocked.
 */
bool rate_blocks(struct rns *, const struct hash16 *dest,
    const struct iface *from);

#endif
