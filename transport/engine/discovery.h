/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_DISCOVERY_H
#define WARREN_TRANSPORT_ENGINE_DISCOVERY_H

#include <stddef.h>
#include <stdint.h>

#include <rns/rns.h>

#include "transport/discovery/offers.h"

struct engine;
struct discovery;

/*
 * Interfaces that others offer (reticulum-transport.md 7.8): announces are
 * queued, and opened, weighed and stored in the loop's idle time, one at a
 * turn, so that no packet waits for the hash of a stranger's stamp. Records
 * are written without a sync: a torn one is left out when it is read, and
 * heard again.
 */

/*
 * dir: the storage folder, or -1. Reads what is stored. network: the private
 * key that opens what is encrypted for a network, NULL: none. heard: told of
 * each that is heard, from a turn of the loop. NULL: no memory.
 */
struct discovery *discovery_new(struct engine *, int dir,
    const uint8_t *network,
    void (*heard)(struct engine *, const struct offer_entry *));
void discovery_free(struct discovery *);
/* The core's events; others than announces of interfaces are passed over. */
void discovery_event(struct discovery *, const struct rns_event *);
/* Once a second: what is too old goes. */
void discovery_tick(struct discovery *);

/* For listings: offers_list() of it, and what was not taken. */
const struct offers *discovery_offers(const struct discovery *);
uint64_t discovery_drops(const struct discovery *, enum offer_drop);

#endif
