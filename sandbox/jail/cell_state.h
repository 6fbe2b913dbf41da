/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_CELL_STATE_H
#define WARREN_SANDBOX_JAIL_CELL_STATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The life of a slot's job as jail sees it: states, the edges between them,
 * and the one writer. Pure.
 */
#define CELL_STATES(S)                                                         \
	S(FREE)                                                                \
	S(FILLING)  /* a volume's fill step runs */                            \
	S(STARTING) /* pid 1 builds */                                         \
	S(RUNNING)                                                             \
	S(ENDED)    /* exited or failed; volumes are kept */                   \
	S(PACKING)                                                             \
	S(CLEANING)                                                            \
	S(LEAVING)  /* the slot says whether it is free */                     \
	S(BROKEN)   /* its process is gone, or it is not empty */
enum cell_state {
#define CELL_ENUM(n) CELL_##n,
	CELL_STATES(CELL_ENUM)
	CELL_STATE_COUNT
};

/* All zero: free, nothing refused. Only cell_set_state() writes it. */
struct cell_life {
	enum cell_state state;
	uint32_t refused; /* edges that there are not */
};

/* "FREE", ...; "?" beyond the last. */
const char *cell_state_name(enum cell_state);
/*
 * true: the cell is in `to`. false: there is no such edge; the state stays and
 * the refusal is counted. The caller then gives the slot up: jail has lost
 * track of what runs in it.
 */
bool cell_set_state(struct cell_life *, enum cell_state to);

#endif
