/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_TERM_H
#define WARREN_NODE_CLI_TERM_H

#include "node/cli/cli.h"

/*
 * What standard output and error are: terminals or not, how wide, and whether
 * colour is wanted there. NO_COLOR (not empty) and TERM=dumb say that it is
 * not; COLUMNS, where it is set, is the width.
 */
void cli_terminal(struct cli *);

#endif
