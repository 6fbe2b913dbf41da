/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_OPTIONS_H
#define WARREN_NODE_CLI_OPTIONS_H

#include "node/cli/cli.h"

/*
 * A verb's own options: name without dashes, takes: whether a value follows.
 * set() gets the index of the option in the verb's list; it returns false
 * after it has said what is wrong with the value (cli_error).
 */
struct cli_option {
	const char *name;
	char letter; /* 0: none */
	bool takes;
};
typedef bool cli_set_fn(struct cli *, void *ctx, int index, const char *value);

/*
 * Reads the shared options (--json --raw --config --identity --help) and the
 * verb's. argv[0] is the verb. Returns CLI_OK with c->arg set, or CLI_USAGE
 * (said), or -1: --help was printed, leave with 0.
 */
int cli_options(struct cli *, int argc, char **argv,
    const struct cli_option *own, size_t count, cli_set_fn *, void *ctx);

#endif
