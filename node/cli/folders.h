/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_FOLDERS_H
#define WARREN_NODE_CLI_FOLDERS_H

#include "node/cli/cli.h"

/*
 * The configuration folder (--config, else as rnsd finds it); false after it
 * said that there is none.
 */
bool cli_config_dir(struct cli *, char out[CLI_PATH]);
/* The person's folder: --identity, else ~/.config/warren. */
bool cli_person_dir(struct cli *, char out[CLI_PATH]);
/* a/b into out; false when it does not fit. */
bool cli_path(char out[CLI_PATH], const char *a, const char *b);

#endif
