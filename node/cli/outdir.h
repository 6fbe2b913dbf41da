/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_OUTDIR_H
#define WARREN_NODE_CLI_OUTDIR_H

#include <rns/hash.h>

#include "node/cli/cli.h"
#include "node/cli/person.h"

/*
 * What lies in the folder that --out of `submit` names, before jobdir_open().
 * That of another job of this person that ended before it ever ran (cancelled
 * while it waited, or refused: by its receipt, or by what was last seen of it)
 * and that nothing was written into is emptied, and it is said. CLI_OK: it is
 * to be opened, or is not ours to judge. CLI_USAGE (said, with what helps):
 * it is another job's.
 */
int outdir_take(struct cli *, const struct person *, const char *out,
    const struct id32 *job);

#endif
