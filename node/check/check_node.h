/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_CHECK_NODE_H
#define WARREN_NODE_CHECK_CHECK_NODE_H

#include "node/check/finding.h"

/* node.yaml, the keys behind it, and what this machine has; sets c->profile. */
void check_node(struct check *);

#endif
