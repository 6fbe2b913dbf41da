/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_POLLS_H
#define WARREN_SANDBOX_JAIL_POLLS_H

#include <poll.h>

#include "sandbox/jail/cell.h"
#include "sandbox/jail/jail.h"

/* What jail waits for in a turn: channels, then what its cells have open. */
#define POLLS_MAX (2 + 7 * JAIL_SLOTS_MAX)

struct polls {
	struct pollfd p[POLLS_MAX];
	struct {
		struct cell *cell;
		void (*on)(struct jail *, struct cell *);
	} who[POLLS_MAX];
	nfds_t n;
};
/* Anew; how many of the first are channels. */
nfds_t polls_fill(struct polls *, const struct jail *);
/* Until the next clock of a cell or of what is held back; -1: none. */
int polls_timeout_ms(const struct jail *);

#endif
