/* SPDX-License-Identifier: BSD-2-Clause */
/* warren reload: SIGHUP with an answer. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/util.h"
#include "node/cli/ask.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"

#define WAIT_US (20 * MONO_SECOND) /* ours: it takes milliseconds */
#define LOOK_MS 20

struct answer {
	json_t *said; /* [{kind, text} ...] */
	json_int_t seq;
	bool done, changed;
};

static bool
take(void *arg, const json_t *o)
{
	struct answer *a = arg;
	const json_t *seq = json_object_get(o, "seq");

	if (seq != NULL)
		a->seq = json_integer_value(seq);
	a->done = json_is_true(json_object_get(o, "done"));
	a->changed = json_is_true(json_object_get(o, "changed"));
	if (json_object_get(o, "kind") != NULL)
		(void)json_array_append_new(a->said, json_pack("{s:O,s:O}",
		    "kind", json_object_get(o, "kind"), "text",
		    json_object_get(o, "text")));
	return true;
}

/* Until the parent has answered. */
static int
wait_for(struct cli *c, struct answer *a)
{
	const struct timespec look = {0, LOOK_MS * 1000000};
	struct mono end = mono_add(clock_mono(), WAIT_US);
	json_int_t asked = a->seq;
	int rc = CLI_OK;

	while (rc == CLI_OK && !a->done && mono_sub(end, clock_mono()) > 0) {
		(void)nanosleep(&look, NULL);
		(void)json_array_clear(a->said);
		rc = ask(c, ASK_MESH, json_pack("{s:s,s:I}", "verb",
		    "reloaded", "seq", asked), take, a);
	}
	if (rc == CLI_OK && !a->done) {
		cli_error(c, "the daemon does not answer");
		rc = CLI_FAILED;
	}
	return rc;
}

/* What keeps it from being taken goes to standard error. */
static void
print(const struct answer *a)
{
	static const char *const heads[][2] = {{"changed", ""},
	    {"waits", "waits: "}, {"note", ""}, {"mistake", ""}};
	const json_t *o;
	size_t i;

	json_array_foreach(a->said, i, o) {
		const char *kind = json_string_value(json_object_get(o, "kind"));
		const char *head = "";

		for (size_t k = 0; k < NELEM(heads); k++)
			if (strcmp(kind, heads[k][0]) == 0)
				head = heads[k][1];
		(void)fprintf(strcmp(kind, "mistake") == 0 ? stderr : stdout,
		    "%s%s\n", head,
		    json_string_value(json_object_get(o, "text")));
	}
	if (a->changed && json_array_size(a->said) == 0)
		(void)printf("Nothing is other than it was.\n");
}

int
verb_reload(struct cli *c, int argc, char **argv)
{
	struct answer a = {.said = json_array()};
	int rc = cli_options(c, VERB_RELOAD, argc, argv, NULL, NULL);

	if (rc == CLI_OK)
		rc = ask(c, ASK_MESH, json_pack("{s:s}", "verb", "reload"),
		    take, &a);
	if (rc == CLI_OK)
		rc = wait_for(c, &a);
	if (rc == CLI_OK && c->json)
		cli_json(json_pack("{s:b,s:O}", "ok", a.changed, "said",
		    a.said));
	else if (rc == CLI_OK)
		print(&a);
	json_decref(a.said);
	return rc < 0 ? CLI_OK : rc != CLI_OK || a.changed ? rc : CLI_USAGE;
}
