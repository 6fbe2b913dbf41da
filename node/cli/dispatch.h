/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_DISPATCH_H
#define WARREN_NODE_CLI_DISPATCH_H

#include <stdbool.h>

#include "node/cli/verbs.h"

/*
 * Which verb do the words of a command line name? Options may stand before it
 * and between its words. CLI_OK: *verb, and argv and *argc are what its
 * cli_options() reads: the verb's last word, then all that is left in its
 * order. -1: answered (help, version), leave with 0. CLI_USAGE: said. *json:
 * --json stands somewhere; a mistake before it is for a script as well.
 */
int cli_dispatch(int *argc, char **argv, enum cli_verb_id *verb, bool *json);

#endif
