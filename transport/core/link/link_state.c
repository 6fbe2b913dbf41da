/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/link/link_state.h"

#include "transport/core/link/link.h"

#define TO(status) (1u << (status))

static const struct {
	const char *name;
	unsigned next; /* TO() of the states that may follow */
} states[LINK_STATUS_COUNT] = {
    [LINK_PENDING] = {"pending",
        TO(LINK_HANDSHAKE) | TO(LINK_ACTIVE) | TO(LINK_CLOSED)},
    [LINK_HANDSHAKE] = {"handshake", TO(LINK_ACTIVE) | TO(LINK_CLOSED)},
    [LINK_ACTIVE] = {"active", TO(LINK_STALE) | TO(LINK_CLOSED)},
    [LINK_STALE] = {"stale", TO(LINK_ACTIVE) | TO(LINK_CLOSED)},
    [LINK_CLOSED] = {"closed", 0},
};

const char *
link_status_name(enum link_status status)
{
	return (unsigned)status < NELEM(states) ? states[status].name :
						  "unknown";
}

bool
link_set_state(struct rns *r, struct link *l, enum link_status to)
{
	if ((unsigned)to >= NELEM(states) ||
	    (states[l->status].next & TO(to)) == 0)
		return core_drop(r, RNS_DROP_LINK_EDGE);
	l->status = to;
	return true;
}
