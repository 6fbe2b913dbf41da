/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_RATE_H
#define WARREN_TRANSPORT_CORE_TABLE_RATE_H

#include "transport/core/table/iface.h"
#include "transport/core/table/path.h"

/*
 * How often each destination announces itself, and which do so too often
 * (reticulum-transport.md 2.6, 4.4). As many as there may be paths; the one
 * that was quiet for longest makes room, which is a drop. Most are heard once
 * in a while, and that is when their paths were learned: as long as such a
 * path stays as it is, it says so itself.
 */
int rates_new(struct rns *);
void rates_free(struct rns *);
/* That is the table of the paths. */
void rates_in_paths(struct rns *, const struct htab *);
/*
 * An announce was accepted from there, and the path learned by it just now.
 * True: too many; it is not passed on. Without memory nobody is blocked.
 */
bool rate_blocks(struct rns *, struct path *, const struct iface *from);
/* The path is to go, or to be learned anew. */
void rate_leaves_path(struct rns *, struct path *);
/* Unix time is to step: no path will tell when it was learned. */
void rates_leave_paths(struct rns *);

#endif
