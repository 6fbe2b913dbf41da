/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_HUB_H
#define WARREN_NODE_CLI_HUB_H

#include "node/cli/ask.h"

/* The hub that events go to, as node.sock tells of it (NULL: there is none). */
void hub_print(const json_t *);
/* `warren explain hub`: what it has, and what helps when it has nothing. */
int hub_explain(struct cli *);

#endif
