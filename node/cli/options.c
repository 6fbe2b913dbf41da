/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/options.h"

#include <getopt.h>
#include <stdio.h>

#include "common/util.h"

#define OPTIONS_MAX 24

enum shared_option { OPT_JSON = 1000, OPT_RAW, OPT_CONFIG, OPT_IDENTITY, OPT_HELP };

static void
print_help(const struct cli *c, const struct cli_option *own, size_t count)
{
	printf("usage: warren %s %s\n", c->verb,
	    c->args != NULL ? c->args : "");
	for (size_t i = 0; i < count; i++) {
		char letter[8] = "    ";

		if (own[i].letter != 0)
			(void)snprintf(letter, sizeof(letter), "-%c, ",
			    own[i].letter);
		printf("  %s--%s%s\n", letter, own[i].name,
		    own[i].takes ? " VALUE" : "");
	}
	printf("      --json, --raw, --config DIR, --identity DIR\n"
	       "See `man warren`.\n");
}

int
cli_options(struct cli *c, int argc, char **argv, const struct cli_option *own,
    size_t count, cli_set_fn *set, void *ctx)
{
	static const struct option shared[] = {
	    {"json", no_argument, NULL, OPT_JSON},
	    {"raw", no_argument, NULL, OPT_RAW},
	    {"config", required_argument, NULL, OPT_CONFIG},
	    {"identity", required_argument, NULL, OPT_IDENTITY},
	    {"help", no_argument, NULL, OPT_HELP},
	};
	struct option list[OPTIONS_MAX + NELEM(shared) + 1];
	char letters[2 * OPTIONS_MAX + 2] = "";
	size_t n = 0, k = 0;
	int o;

	if (count > OPTIONS_MAX)
		return CLI_USAGE;
	for (size_t i = 0; i < NELEM(shared); i++)
		list[n++] = shared[i];
	for (size_t i = 0; i < count; i++) {
		list[n++] = (struct option){own[i].name,
		    own[i].takes ? required_argument : no_argument, NULL,
		    2000 + (int)i};
		if (own[i].letter != 0) {
			letters[k++] = own[i].letter;
			if (own[i].takes)
				letters[k++] = ':';
		}
	}
	list[n] = (struct option){0};
	letters[k] = '\0';
	optind = 0; /* glibc: from the beginning, whatever was read before */
	while ((o = getopt_long(argc, argv, letters, list, NULL)) != -1) {
		int index = -1;

		switch (o) {
		case OPT_JSON:
			c->json = true;
			continue;
		case OPT_RAW:
			c->raw = true;
			continue;
		case OPT_CONFIG:
			c->config = optarg;
			continue;
		case OPT_IDENTITY:
			c->identity = optarg;
			continue;
		case OPT_HELP:
			print_help(c, own, count);
			return -1;
		case '?':
			return CLI_USAGE; /* getopt has said which */
		default:
			break;
		}
		if (o >= 2000)
			index = o - 2000;
		for (size_t i = 0; index < 0 && i < count; i++)
			if (own[i].letter == o)
				index = (int)i;
		if (index < 0 || !set(c, ctx, index, optarg))
			return CLI_USAGE;
	}
	c->arg = optind;
	return CLI_OK;
}
