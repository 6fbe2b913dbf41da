/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_DISCOVERY_DESCRIBE_H
#define WARREN_TRANSPORT_DISCOVERY_DESCRIBE_H

#include <stdbool.h>

#include "transport/config/rnsconf.h"
#include "transport/discovery/offer.h"

/*
 * What is said of an interface of our own (reticulum-transport.md 7.8): its
 * section of the configuration, and what the running node knows. Pure.
 */
struct describe_node {
	bool transport;
	struct hash16 transport_id;
	const char *version;
	/* what a program that reachable_on names has said; NULL: none has */
	const char *host;
	/* the same of location_cmd; NULL: none has */
	const bool *placed;
	const double *place;
	/* the address of an I2PInterface, without ".b32.i2p"; NULL: none yet */
	const char *b32;
};

/*
 * False: of a type that is not offered, or without what others need to reach
 * it. An I2PInterface that nobody can connect to is described, as in the
 * reference, and host is empty: whoever hears it drops it.
 */
bool describe_offer(struct offer *, const struct rnsconf_if *,
    const struct describe_node *);

#endif
