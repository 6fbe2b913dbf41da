/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_CHECK_KLP_H
#define WARREN_NODE_CHECK_CHECK_KLP_H

#include <stdbool.h>

#include "node/check/finding.h"
#include "node/config/nodeconf.h"

/*
 * The authorities that node.yaml names: their pinned roots and what lies in
 * klp/documents/. Notes alone: a start goes on without them, with whom pins and
 * anchors name.
 */
void check_klp(struct check *, const struct node_config *);
/*
 * Is there a web server to ask: one of node.yaml's, or of a pinned root in dir?
 */
bool check_klp_https(int dir, const struct node_config *);

#endif
