/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_DISCOVERY_SLOTS_H
#define WARREN_TRANSPORT_DISCOVERY_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

#include <rns/hash.h>
#include <rns/mono.h>

#include "transport/discovery/offer.h"

/*
 * The connections that are made to interfaces of others without being asked
 * (reticulum-transport.md 7.8): how many there may be, which end, whether one
 * more is wanted. Pure.
 */
#define SLOTS_MAX 64 /* of autoconnect_discovered_interfaces; ours */
#define SLOTS_DOWN_US (12 * MONO_SECOND)

struct slot {
	bool used, online;
	struct id32 endpoint;
	struct mono since; /* online, or offline */
};

struct slots {
	unsigned max;
	struct slot slot[SLOTS_MAX];
};

/* H("host:port"): one place is connected to once. */
void slots_endpoint(struct id32 *, const char *host, uint16_t port);
void slots_init(struct slots *, unsigned max);
/* Its index; -1: all are used, or the endpoint has one. */
int slots_take(struct slots *, const struct id32 *endpoint, struct mono now);
bool slots_has(const struct slots *, const struct id32 *endpoint);
void slots_release(struct slots *, unsigned i);
void slots_online(struct slots *, unsigned i, bool online, struct mono now);
/* One that has been down for too long; -1: none. */
int slots_overdue(const struct slots *, struct mono now);
unsigned slots_up(const struct slots *);
/* More than a quarter is free: one that is known is tried. */
bool slots_hungry(const struct slots *);

/* What becomes of interfaces with bootstrap_only. */
enum slots_bootstrap { BOOTSTRAP_AS_IT_IS, BOOTSTRAP_OFF, BOOTSTRAP_ON };
enum slots_bootstrap slots_bootstrap(const struct slots *);

#endif
