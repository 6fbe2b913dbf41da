/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_IMAGE_H
#define WARREN_NODE_CLI_IMAGE_H

#include <jansson.h>

#include "node/cli/cli.h"
#include "sandbox/image/import.h"

/* What the verbs of `warren image` share. */

/*
 * Import what im names and say what came of it: as the last thing of the verb.
 * what: what is imported, for people. more: members for --json, taken; NULL.
 * Its exit status.
 */
int image_take(struct cli *, struct image_import *im, const char *what,
    json_t *more);

#endif
