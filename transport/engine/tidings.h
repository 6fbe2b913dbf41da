/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_TIDINGS_H
#define WARREN_TRANSPORT_ENGINE_TIDINGS_H

#include <stdint.h>

#include <rns/rns.h>

struct engine;

/*
 * What nodes say in their announces is told to trust (M_HEARD), which looks at
 * it: heads and deltas of authorities. At most TIDINGS_A_SECOND, so that who
 * announces much does not fill the channel.
 */
#define TIDINGS_A_SECOND 32

struct tidings {
	int64_t second;
	unsigned told; /* in it */
	uint64_t heard, lost;
};

void tidings_event(struct engine *, const struct rns_event *);

#endif
