/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_BURY_H
#define WARREN_NODE_PARENT_BURY_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/ipc_msg.h"

/*
 * Files of revoked images go (klp.md 4.6), at node's word, in a child, since
 * there may be gigabytes of them. One at a time: node says it again until the
 * image is gone.
 */
struct parent;

struct bury {
	ev_child exited;
	bool busy, failed; /* failed: of this image it was said already */
	struct id32 image;
	uint8_t reason;
};

void bury(struct parent *, const struct msg_N_BURY *);

#endif
