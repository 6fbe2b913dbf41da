/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_LINK_STATE_H
#define WARREN_TRANSPORT_CORE_LINK_LINK_STATE_H

#include "transport/core/base/ctx.h"

/*
 * The states of a link (reticulum-endpoint.md 6.1), with the numbers of the
 * specification. A new one is PENDING; who was asked goes to HANDSHAKE at once.
 * The proof (or, there, the RTT) makes it ACTIVE, silence STALE, traffic ACTIVE
 * again; from each of them it goes to CLOSED, which is the end.
 */
enum link_status {
	LINK_PENDING = 0,
	LINK_HANDSHAKE = 1,
	LINK_ACTIVE = 2,
	LINK_STALE = 3,
	LINK_CLOSED = 4,
};
#define LINK_STATUS_COUNT 5

struct link;

/* For people; "unknown" for what is no state. */
const char *link_status_name(enum link_status);
/*
 * The only writer of a link's status. false: there is no such edge; the status
 * stays, RNS_DROP_LINK_EDGE counts it, and the caller goes no further.
 */
bool link_set_state(struct rns *, struct link *, enum link_status to);

#endif
