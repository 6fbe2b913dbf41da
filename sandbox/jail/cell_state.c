/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/cell_state.h"

static const char *const names[] = {
#define CELL_NAME(n) [CELL_##n] = #n,
	CELL_STATES(CELL_NAME)
};

/* Where each state leads. Whatever lives may break; what is broken stays. */
#define TO(n) (1u << CELL_##n)
static const uint32_t edges[CELL_STATE_COUNT] = {
	[CELL_FREE] = TO(FILLING) | TO(BROKEN),
	/* the next volume; refused; all are full; failed; forgotten */
	[CELL_FILLING] = TO(FILLING) | TO(FREE) | TO(STARTING) | TO(ENDED) |
	    TO(CLEANING) | TO(LEAVING) | TO(BROKEN),
	[CELL_STARTING] = TO(RUNNING) | TO(ENDED) | TO(BROKEN),
	[CELL_RUNNING] = TO(ENDED) | TO(BROKEN),
	[CELL_ENDED] = TO(PACKING) | TO(CLEANING) | TO(LEAVING) | TO(BROKEN),
	[CELL_PACKING] = TO(ENDED) | TO(BROKEN),
	[CELL_CLEANING] = TO(CLEANING) | TO(LEAVING) | TO(BROKEN),
	[CELL_LEAVING] = TO(FREE) | TO(BROKEN),
	[CELL_BROKEN] = 0,
};

const char *
cell_state_name(enum cell_state s)
{
	return s < CELL_STATE_COUNT ? names[s] : "?";
}

bool
cell_set_state(struct cell_life *l, enum cell_state to)
{
	if (l->state >= CELL_STATE_COUNT || to >= CELL_STATE_COUNT ||
	    (edges[l->state] >> to & 1) == 0) {
		l->refused++;
		return false;
	}
	l->state = to;
	return true;
}
