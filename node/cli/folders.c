/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/folders.h"

#include <stdio.h>
#include <string.h>

#include "common/where.h"
#include "node/cli/say.h"

bool
cli_path(char out[CLI_PATH], const char *a, const char *b)
{
	int n = snprintf(out, CLI_PATH, "%s/%s", a, b);

	return n > 0 && n < CLI_PATH;
}

bool
cli_config_dir(struct cli *c, char out[CLI_PATH])
{
	if (c->config != NULL) {
		if (strlen(c->config) >= CLI_PATH) {
			cli_error(c, "--config: the path is too long");
			return false;
		}
		memcpy(out, c->config, strlen(c->config) + 1);
		return true;
	}
	if (where_config(out, CLI_PATH))
		return true;
	cli_error(c, "no configuration folder; name one with --config DIR");
	return false;
}

bool
cli_person_dir(struct cli *c, char out[CLI_PATH])
{
	if (c->identity != NULL && strlen(c->identity) < CLI_PATH) {
		memcpy(out, c->identity, strlen(c->identity) + 1);
		return true;
	}
	if (c->identity == NULL && where_person(out, CLI_PATH))
		return true;
	cli_error(c, "no folder for your keys; name one with --identity DIR");
	return false;
}
