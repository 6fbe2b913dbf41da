/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_LEFTOUT_H
#define WARREN_NODE_CLI_LEFTOUT_H

#include <jansson.h>

#include "common/left.h"
#include "node/cli/cli.h"
#include "trust/doc/manifest.h"

/* What packing volumes left out, for people and for scripts. */

/* {"count", "items": [{"target", "name", "reason"} ...]} */
json_t *leftout_json(const struct left *, const struct manifest *);
/*
 * Some lines on standard error, nothing when nothing was left out; what:
 * "inputs", "outputs". Shown by the local folders of the volumes, or, when
 * local is NULL, by their targets.
 */
void leftout_say(struct cli *, const char *what, const struct left *,
    const struct manifest *, const char (*local)[CLI_PATH]);

#endif
