/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_AFAR_H
#define WARREN_NODE_PARENT_AFAR_H

#include <stdint.h>

#include "node/parent/resolve.h"

/*
 * Whether an address that a stranger announced may be connected to: not this
 * machine, and not what only this machine and its neighbours reach
 * (reticulum-transport.md 7.8). Pure.
 */
struct own_net { /* an address of this machine, and its network's bits */
	struct lookup_addr at;
	unsigned bits;
};

/* Why not, for people; NULL: it may. */
const char *afar_refused(const struct lookup_addr *, const struct own_net *own,
    unsigned n);

#endif
