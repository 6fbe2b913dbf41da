/* SPDX-License-Identifier: BSD-2-Clause */
/* warren check-config: every mistake with file, line and column. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "common/where.h"
#include "node/check/check.h"
#include "common/numbers.h"
#include "node/cli/ask.h"
#include "node/cli/folders.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"

struct listing {
	const char *path; /* of the folder */
	json_t *list;
};

static void
add(void *ctx, bool note, const char *file, const struct mistake *m)
{
	struct listing *l = ctx;
	char path[CLI_PATH], text[600], hint[600];

	if (!cli_path(path, l->path, file))
		return;
	/* a value that was cut in the middle of a character is no JSON */
	(void)text_escape(text, sizeof(text), m->text, strlen(m->text));
	(void)text_escape(hint, sizeof(hint), m->hint, strlen(m->hint));
	(void)json_array_append_new(l->list,
	    json_pack("{s:s,s:s,s:I,s:I,s:s,s:s}", "kind",
		note ? "note" : "mistake", "file", file[0] != '\0' ? path :
		l->path, "line", (json_int_t)m->line, "column",
		(json_int_t)m->column, "text", text, "hint", hint));
}

int
verb_check_config(struct cli *c, int argc, char **argv)
{
	bool root = numbers_usable(WARREN_UID_BASE);
	char path[CLI_PATH];
	struct listing l = {.path = path};
	unsigned n;
	int rc = cli_options(c, VERB_CHECK_CONFIG, argc, argv, NULL, NULL);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if (!cli_config_dir(c, path))
		return CLI_USAGE;
	if (!c->json) {
		if (check_print(path, root) == 0)
			return CLI_OK;
		if (access(path, F_OK) != 0)
			(void)ask_hint_service(c, WHERE_SERVICE);
		return CLI_USAGE;
	}
	l.list = json_array();
	n = check_config(path, root, NULL, add, &l);
	cli_json(json_pack("{s:b,s:o}", "ok", n == 0, "findings", l.list));
	return n == 0 ? CLI_OK : CLI_USAGE;
}
