/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_IMAGEDIR_H
#define WARREN_NODE_CLI_IMAGEDIR_H

#include <rns/hash.h>
#include <stdbool.h>

#include "node/cli/cli.h"

/*
 * DIR/warren/images of --config, for the verbs of images. make: to write, with
 * its folders, which only DIR's owner may do. A descriptor; -1: said, *rc, which
 * is CLI_OK where there is no store yet.
 */
int imagedir_open(struct cli *, bool make, int *rc);
/*
 * A name or a digest of an image whose files are here. CLI_OK, or what to leave
 * with: said; images -1 is an empty store.
 */
int imagedir_find(struct cli *, int images, const char *name,
    struct id32 *digest);

#endif
