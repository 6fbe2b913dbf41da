/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/modem/rnode.h"

static const char *const names[] = {
#define RNODE_NAME(n) [RNODE_##n] = #n,
	RNODE_STATES(RNODE_NAME)
};

/* Where each state leads; whatever is open can be closed, or opened anew. */
#define TO(n) (1u << RNODE_##n)
static const uint32_t edges[RNODE_STATE_COUNT] = {
	[RNODE_CLOSED] = TO(SETTLE),
	[RNODE_SETTLE] = TO(SETTLE) | TO(ASKED) | TO(CLOSED),
	/* a device that restarts before a radio is up is asked again */
	[RNODE_ASKED] = TO(SETTLE) | TO(ASKED) | TO(PAUSE) | TO(SETUP) |
	    TO(CLOSED),
	/* its vport is none of the device */
	[RNODE_PAUSE] = TO(SETTLE) | TO(ASKED) | TO(PAUSE) | TO(SETUP) |
	    TO(RUN) | TO(CLOSED),
	[RNODE_SETUP] = TO(SETTLE) | TO(ASKED) | TO(CALM) | TO(PAUSE) |
	    TO(RUN) | TO(CLOSED),
	[RNODE_CALM] = TO(SETTLE) | TO(ASKED) | TO(PAUSE) | TO(RUN) |
	    TO(CLOSED),
	/* one that failed, once more */
	[RNODE_RUN] = TO(SETTLE) | TO(ASKED) | TO(PAUSE) | TO(CLOSED),
};

const char *
rnode_state_name(enum rnode_state s)
{
	return s < RNODE_STATE_COUNT ? names[s] : "?";
}

bool
rnode_set_state(struct rnode_life *l, enum rnode_state to)
{
	if (l->state >= RNODE_STATE_COUNT || to >= RNODE_STATE_COUNT ||
	    (edges[l->state] >> to & 1) == 0) {
		l->refused++;
		return false;
	}
	l->state = to;
	return true;
}
