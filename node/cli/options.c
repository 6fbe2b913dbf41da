/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/options.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "node/cli/say.h"

static void
print_help(const struct cli_verb *v)
{
	printf("usage: warren %s%s%s\n%c%s.\n\n", v->name,
	    v->args[0] != '\0' ? " " : "", v->args,
	    /* our own words, in ASCII */
	    v->does[0] >= 'a' && v->does[0] <= 'z' ? v->does[0] - 'a' + 'A' :
						     v->does[0],
	    v->does + 1);
	opts_print(stdout, v->options, v->noptions);
	opts_print(stdout, cli_shared, cli_nshared);
	printf("\n%sSee `man warren`.\n", v->more != NULL ? v->more : "");
}

static int
wrong(struct cli *c, const struct cli_verb *v, const char *why)
{
	cli_error(c, "%s", why);
	cli_hint(c, "usage: warren %s%s%s", v->name,
	    v->args[0] != '\0' ? " " : "", v->args);
	cli_hint(c, "`warren %s --help` lists the options.", v->name);
	return CLI_USAGE;
}

/* false: it is one of the verb's own. */
static bool
shared(struct cli *c, int option, const char *value)
{
	switch (option) {
	case OPT_JSON:
		c->json = true;
		return true;
	case OPT_WIDE:
		c->wide = true;
		return true;
	case OPT_RAW:
		c->raw = true;
		return true;
	case OPT_CONFIG:
		c->config = value;
		return true;
	case OPT_IDENTITY:
		c->identity = value;
		return true;
	}
	return false;
}

int
cli_options(struct cli *c, enum cli_verb_id id, int argc, char **argv,
    cli_set_fn *set, void *ctx)
{
	const struct cli_verb *v = &cli_verbs[id];
	const char *value;
	char why[OPTS_WHY] = "";
	struct opts o;
	int option, words;

	opts_init(&o, v->options, v->noptions);
	opts_add(&o, cli_shared, cli_nshared);
	while ((option = opts_next(&o, argc, argv, &value, why)) > 0) {
		if (option == OPT_HELP) {
			print_help(v);
			return -1;
		}
		if (!shared(c, option, value) && !set(c, ctx, option, value))
			return CLI_USAGE;
	}
	if (option < 0 && v->most < 0)
		cli_note(c, "options of the command itself stand behind `--`");
	if (option < 0)
		return wrong(c, v, why);
	c->arg = o.at;
	words = argc - c->arg;
	if (words < v->least) {
		(void)snprintf(why, sizeof(why), "%.*s is missing",
		    (int)strcspn(v->args, " "), v->args);
		return wrong(c, v, why);
	}
	if (v->most >= 0 && words > v->most) {
		(void)snprintf(why, sizeof(why), "%.200s is too much",
		    argv[c->arg + v->most]);
		return wrong(c, v, why);
	}
	return CLI_OK;
}
