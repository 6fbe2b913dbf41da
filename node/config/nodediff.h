/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CONFIG_NODEDIFF_H
#define WARREN_NODE_CONFIG_NODEDIFF_H

#include "node/config/nodeconf.h"

/*
 * What an operator changed in node.yaml: fn is called for each key whose value
 * is another one now, sections key by key ("limits.memory"). Pure.
 */
typedef void node_diff_fn(void *ctx, const char *key);
void node_config_diff(const struct node_config *was,
    const struct node_config *now, node_diff_fn *, void *ctx);

#endif
