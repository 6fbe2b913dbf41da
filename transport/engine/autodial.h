/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_AUTODIAL_H
#define WARREN_TRANSPORT_ENGINE_AUTODIAL_H

struct autodial;
struct engine;
struct offer_entry;

/*
 * Connections to interfaces that others offer
 * (autoconnect_discovered_interfaces, reticulum-transport.md 7.8). The parent
 * connects, and refuses what lies on this machine or beside it. NULL, where
 * nothing is to be connected to, is fine for all of these but the first.
 */

/* NULL: the configuration wants none, or no memory. */
struct autodial *autodial_new(struct engine *);
void autodial_free(struct autodial *); /* its interfaces are gone */
/* One was heard of: connect to it if there is room. */
void autodial_heard(struct engine *, const struct offer_entry *);
/* Once a second. */
void autodial_tick(struct autodial *);

#endif
