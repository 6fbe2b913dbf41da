/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_DISK_H
#define WARREN_NODE_CLI_DISK_H

#include <rns/hash.h>

#include "node/cli/cli.h"

/*
 * After an import: a node that runs hears which list of files the image has
 * now, looks at it and lifts what it held against it. CLI_OK, also without one.
 */
int disk_imported(struct cli *, const struct id32 *image,
    const struct id32 *list);

#endif
