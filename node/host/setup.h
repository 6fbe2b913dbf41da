/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_SETUP_H
#define WARREN_NODE_HOST_SETUP_H

#include "node/host/world.h"

/*
 * From SETTINGs to policy, and the machine: cpus, or 0: not known. Ends the
 * process on what cannot be used.
 */
void setup_policy(struct warren_node *, struct policy *, unsigned cpus);
/*
 * node.yaml has changed (a sealed memfd): of it pins, floor and
 * require_live_secp are taken, and verdicts are asked for anew.
 */
void setup_trust(struct warren_node *, int fd);

#endif
