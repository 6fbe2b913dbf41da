/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_OPTIONS_H
#define WARREN_NODE_CLI_OPTIONS_H

#include "node/cli/cli.h"
#include "node/cli/verbs.h"

/*
 * set() gets each option of the verb that is given; it returns false after it
 * has said what is wrong with the value (cli_error).
 */
typedef bool cli_set_fn(struct cli *, void *ctx, int option, const char *value);

/*
 * Reads the shared options and those of the verb, and counts the words that
 * are none. argv[0] is the verb. Returns CLI_OK with c->arg set, or CLI_USAGE
 * (said), or -1: --help was printed, leave with 0.
 */
int cli_options(struct cli *, enum cli_verb_id, int argc, char **argv,
    cli_set_fn *, void *ctx);

#endif
