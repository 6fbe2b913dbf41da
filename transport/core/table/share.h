/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_SHARE_H
#define WARREN_TRANSPORT_CORE_TABLE_SHARE_H

#include "transport/core/table/iface.h"

/*
 * Fair shares of the tables that strangers fill. Each entry belongs to the
 * interface that made it necessary. A table that is full takes the place for
 * the next one from an interface that has more than its fair share, which is
 * the size of the table over the number of interfaces that have entries; so
 * one at full speed pushes out its own entries and nobody else's.
 */

/* One more, or less, of i. */
void share_take(struct rns *, struct iface *, enum share_table);
void share_give(struct rns *, struct iface *, enum share_table);
/*
 * Who gives a place of the full table of `size` entries to i (NULL: to us): i
 * itself when it has its fair share already, else the one that has most.
 */
struct iface *share_victim(struct rns *, struct iface *, enum share_table,
    uint32_t size);
/* It goes, and has nothing left. */
void share_iface_gone(struct rns *, const struct iface *);

#endif
