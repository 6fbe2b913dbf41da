/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_CHECK_AIR_H
#define WARREN_NODE_CHECK_CHECK_AIR_H

#include "node/check/finding.h"
#include "node/config/nodeconf.h"

/* Whether `airtime` of node.yaml names interfaces of config that have any. */
void check_air(struct check *, const struct node_config *);

#endif
