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
 * The operator's files have changed: node.yaml (a sealed memfd) has come behind
 * the profiles. All of it is taken, or nothing.
 */
void setup_again(struct warren_node *, int fd);

#endif
