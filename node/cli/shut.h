/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_SHUT_H
#define WARREN_NODE_CLI_SHUT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"

/*
 * Does a node close each link as soon as it is there? One that has suspended
 * or revoked this identity, or trusts it at -2 or below, does, without a word;
 * so may one that is about to stop. Pure.
 */
struct shut { /* zeros at the beginning */
	unsigned n; /* links in a row that were closed with nothing answered */
	struct mono up_at, since;
	bool answered; /* something, on the present link */
	bool said;
};

void shut_up(struct shut *, struct mono now);
/* true: now it is to be said, once. */
bool shut_closed(struct shut *, struct mono now);
/* true: it was said, and is no longer so. */
bool shut_answered(struct shut *);
/* Until another link is tried: longer each time, so that it costs nobody. */
int64_t shut_wait_us(const struct shut *);

#endif
