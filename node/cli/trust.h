/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_TRUST_H
#define WARREN_NODE_CLI_TRUST_H

#include <jansson.h>

#include "node/cli/cli.h"

/*
 * What this machine's node says of somebody's level for job.submit, as `trust
 * why` shows it. id: 64 or 32 hex digits. NULL: said.
 */
json_t *trust_why(struct cli *, const char *id);

#endif
