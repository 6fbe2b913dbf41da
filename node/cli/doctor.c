/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren doctor: each layer of the sandbox attacked on this machine, in a jail
 * of its own; what holds, what is missing and how to get it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/ipc_msg.h"
#include "common/mistake.h"
#include "common/runner.h"
#include "common/util.h"
#include "node/cli/ask.h"
#include "node/cli/clockdoubt.h"
#include "node/cli/doctor_rows.h"
#include "node/cli/folders.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/scratch.h"
#include "node/cli/table.h"
#include "node/cli/verb.h"
#include "node/cli/warmth.h"
#include "node/check/netident.h"
#include "node/config/nodeconf.h"

#define ROWS_MAX 512
#define NODE_YAML_MAX (1u << 20)

struct examination {
	struct cli *c;
	struct doctor d;
	struct scratch s;
	struct baits baits;
	char node_missing[1025], watched[450], runner[RUNNER_TEXT];
	char exposed[PATH_MAX]; /* a secret that others can read; "" none */
	char clock[160]; /* what speaks against it; "" */
	json_t *warm; /* the node's; NULL */
};

/* ---- what is asked for ---- */

/* A file of the configuration folder, whose name is path then; NULL: none. */
static char *
config_file(struct cli *c, char path[CLI_PATH], const char *name, size_t max,
    size_t *len)
{
	_cleanup_fd_ int dir = -1;

	*len = 0;
	if (cli_config_dir(c, path))
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir >= 0 ? file_load(dir, name, max, len) : NULL;
}

/* node.yaml's word, or the default where there is none that can be read. */
static uint32_t
required_layers(struct cli *c)
{
	struct node_config *conf = NULL;
	struct mistakes m = {.n = 0};
	char path[CLI_PATH];
	uint32_t layers;
	size_t len;
	_cleanup_free_ char *text = config_file(c, path, "node.yaml",
	    NODE_YAML_MAX, &len);

	(void)node_config_look(&conf, text == NULL ? "" : text,
	    text == NULL ? 0 : len, &m);
	if (conf == NULL && node_config_parse(&conf, "", 0, &m) < 0)
		return LAYERS_FLOOR;
	layers = conf->require_layers;
	node_config_free(conf);
	return layers;
}

static void
look_at_secrets(struct examination *e)
{
	struct rnsconf *conf = NULL;
	struct mistakes m = {.n = 0};
	char path[CLI_PATH], file[PATH_MAX];
	size_t len;
	_cleanup_free_ char *text = config_file(e->c, path, "config",
	    CONF_TEXT_MAX, &len);

	if (text == NULL)
		return;
	rnsconf_look(&conf, text, len, &m);
	explicit_bzero(text, len);
	if (conf == NULL || !netident_exposed(conf, path, file, sizeof(file)))
		file[0] = '\0';
	/* a path is no UTF-8 always, and JSON and terminals are */
	text_printable(e->exposed, sizeof(e->exposed), file, strlen(file));
	rnsconf_free(conf);
}

static void
look_at_clock(struct examination *e)
{
	char path[CLI_PATH];
	int64_t newest = cli_config_dir(e->c, path) ? clock_newest(path) : 0;

	(void)clock_doubt(e->clock, sizeof(e->clock), (int64_t)time(NULL),
	    newest);
}

static bool
keep_node(void *arg, const json_t *o)
{
	struct examination *e = arg;
	const char *layers = json_string_value(json_object_get(o, "layers"));
	const char *missing = json_string_value(json_object_get(o, "missing"));
	const char *watched = json_string_value(json_object_get(o, "watched"));
	const char *runner = json_string_value(json_object_get(o, "runner"));
	char word[32];

	if (layers == NULL)
		return true;
	e->d.has_node = true;
	for (size_t n; *layers != '\0'; layers += n) {
		layers += strspn(layers, " ");
		n = strcspn(layers, " ");
		(void)snprintf(word, sizeof(word), "%.*s", (int)n, layers);
		e->d.node |= layer_bit(word);
	}
	/* what this node runs, and no wall */
	e->d.modules = (e->d.node & LAYER_WASM) != 0;
	e->d.node &= ~(uint32_t)LAYERS_WASM;
	(void)snprintf(e->node_missing, sizeof(e->node_missing), "%s",
	    missing == NULL ? "" : missing);
	(void)snprintf(e->watched, sizeof(e->watched), "%s", watched == NULL ?
	    "" : watched);
	e->warm = json_incref(json_object_get(o, "warm"));
	(void)snprintf(e->runner, sizeof(e->runner), "%s", runner == NULL ?
	    "" : runner);
	return true;
}

/* ---- attacks ---- */

static int
read_list(struct examination *e, struct probe_row *rows, unsigned *n)
{
	static struct scratch_end end;
	char *save = NULL;

	*n = 0;
	if (scratch_run(&e->s, "list", e->baits.env, &end) < 0)
		return -1;
	if (!end.started || end.how != EXIT_CODE || end.status != 0) {
		(void)snprintf(e->s.why, sizeof(e->s.why), "no job runs: "
		    "%.30s %.200s", end.code, end.why);
		return -1;
	}
	for (char *l = strtok_r(end.said, "\n", &save); l != NULL &&
	     *n < ROWS_MAX; l = strtok_r(NULL, "\n", &save))
		if (probe_row_parse(&rows[*n], l))
			(*n)++;
	return 0;
}

static int
attack(struct examination *e)
{
	static struct probe_row rows[ROWS_MAX];
	static struct scratch_end end;
	unsigned n;

	if (read_list(e, rows, &n) < 0)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		cli_progress(e->c, "%u of %u: %s", i + 1, n, rows[i].name);
		if (scratch_run(&e->s, rows[i].name, e->baits.env, &end) < 0)
			return -1;
		doctor_count(&e->d, &rows[i], !end.started ? DOCTOR_NOT_RUN :
		    doctor_outcome(&rows[i], end.how != EXIT_CODE, end.status,
		    end.oom_kills));
	}
	cli_progress_end(e->c);
	return 0;
}

/* Without one of the floor nothing runs, and so nothing is attacked. */
static bool
can_run(const struct examination *e)
{
	return (e->d.posture & LAYERS_FLOOR) == LAYERS_FLOOR &&
	    e->s.posture.slots > 0;
}

/* ---- what is said ---- */

static json_t *
layer_json(const struct examination *e, unsigned i)
{
	const struct doctor_layer *l = &e->d.layer[i];
	enum doctor_state s = doctor_state(&e->d, i);

	return json_pack("{s:s,s:s,s:b,s:i,s:i,s:s,s:s}", "layer",
	    layer_name(i), "state", doctor_state_name(s), "required",
	    (e->d.required & 1u << i) != 0, "attacks", (int)l->attacks,
	    "through", (int)l->through, "names", l->names, "remedy",
	    s == DOCTOR_MISSING || s == DOCTOR_NODE_HAS ? doctor_remedy(i) :
	    "");
}

static void
say_json(const struct examination *e, bool ok)
{
	json_t *rows = json_array(), *node = json_null();

	for (unsigned i = 0; i < LAYER_COUNT; i++)
		(void)json_array_append_new(rows, layer_json(e, i));
	if (e->d.has_node) {
		json_decref(node);
		node = json_pack("{s:o,s:s,s:s,s:s,s:O?}", "layers",
		    cli_layers_json(e->d.node), "missing", e->node_missing,
		    "watched", e->watched, "runner", e->runner, "warm",
		    e->warm);
	}
	cli_json(json_pack("{s:b,s:o,s:{s:o,s:s},s:o,s:i,s:i,s:i,s:o,s:s,s:s}",
	    "ok", ok, "layers", rows, "posture", "layers",
	    cli_layers_json(e->d.posture), "missing", e->s.posture.missing,
	    "node", node, "attacks", (int)e->d.attacks, "through",
	    (int)e->d.through, "skipped", (int)e->d.skipped, "lacking",
	    cli_layers_json(doctor_lacking(&e->d)), "exposed", e->exposed,
	    "clock", e->clock));
}

static void
say_table(struct examination *e)
{
	static const struct cli_column columns[] = {{"LAYER", 0}, {"STATE", 0},
	    {"NEEDED", 0}, {"ATTACKS", COL_RIGHT}, {"WHAT GOT THROUGH",
	    COL_CUT | COL_SPARSE}};
	struct cli_table *t = cli_table_new(e->c, columns);

	for (unsigned i = 0; t != NULL && i < LAYER_COUNT; i++) {
		const struct doctor_layer *l = &e->d.layer[i];
		enum doctor_state s = doctor_state(&e->d, i);
		char attacks[16];
		const char *cells[] = {layer_name(i), doctor_state_name(s),
		    (e->d.required & 1u << i) != 0 ? "yes" : "no", attacks,
		    l->names};

		if (s == DOCTOR_UNUSED)
			continue;
		(void)snprintf(attacks, sizeof(attacks), "%u", l->attacks);
		cli_table_row(t, cells);
		cli_table_colour(t, 1, s == DOCTOR_HOLDS ? COLOUR_GOOD :
		    s == DOCTOR_OPEN ? COLOUR_BAD : COLOUR_WAIT);
	}
	if (t != NULL)
		cli_table_print(t);
}

/* How to get what is not there, each remedy once. */
static void
say_remedies(const struct examination *e)
{
	const char *last = "";

	if (doctor_modules(&e->d)[0] != '\0')
		printf("\nwasm      %s\n", doctor_modules(&e->d));
	if (e->s.posture.missing[0] != '\0')
		printf("\nmissing   %s\n", e->s.posture.missing);
	if (e->clock[0] != '\0')
		printf("%sclock     %s\n", e->s.posture.missing[0] != '\0' ? "" :
		    "\n", e->clock);
	if (e->watched[0] != '\0')
		printf("watched   %s\n", e->watched);
	if (e->exposed[0] != '\0')
		printf("secrets   network_identity: others can read or write "
		    "%s:\n          chmod 600 it, and think about who has it by "
		    "now\n", e->exposed);
	warmth_print(e->warm);
	/* what was attacked here is the sandbox of our own */
	if (e->runner[0] != '\0' && e->runner[0] != '-' &&
	    strcmp(e->runner, runner_name(RUNNER_NATIVE)) != 0)
		printf("runner    jobs of this node are in containers of %s, "
		    "which was not attacked here\n", e->runner);
	for (unsigned i = 0; i < LAYER_COUNT; i++) {
		enum doctor_state s = doctor_state(&e->d, i);
		const char *how = doctor_remedy(i);

		if ((s != DOCTOR_MISSING && s != DOCTOR_NODE_HAS) ||
		    how[0] == '\0' || strcmp(how, last) == 0)
			continue;
		printf("%-9s %s\n", layer_name(i), how);
		last = how;
	}
	if (e->d.has_node && (e->d.node & ~e->d.posture) != 0)
		printf("node      it has groups of its own, which this command "
		    "was not given: what is\n          \"node only\" was not "
		    "attacked here\n");
	else if (e->d.has_node && (e->d.posture & ~e->d.node) != 0)
		printf("node      it has less than can be had here: start it "
		    "again\n");
}

static void
say_end(const struct examination *e)
{
	char names[256];
	uint32_t lacking = doctor_lacking(&e->d);

	if (!can_run(e))
		printf("\nNo job can run here, so nothing was attacked.\n");
	else if (e->d.through > 0)
		printf("\n%u of %u attacks GOT THROUGH. Take no jobs of "
		    "strangers on this machine.\n", e->d.through,
		    e->d.attacks);
	else
		printf("\n%u attacks, none got through.\n", e->d.attacks);
	if (lacking == 0)
		return;
	layers_text(names, sizeof(names), lacking);
	printf("Jobs are refused (posture) while these are needed and "
	    "missing: %s\n", names);
}

static int
verdict(struct examination *e)
{
	bool ok = can_run(e) && e->d.through == 0 &&
	    doctor_lacking(&e->d) == 0;

	if (e->c->json) {
		say_json(e, ok);
	} else {
		say_table(e);
		say_remedies(e);
		say_end(e);
	}
	if (ok)
		return CLI_OK;
	return e->d.through > 0 ? CLI_FAILED : CLI_REFUSED;
}

int
verb_doctor(struct cli *c, int argc, char **argv)
{
	static struct examination e;
	int rc = cli_options(c, VERB_DOCTOR, argc, argv, NULL, NULL);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	e.c = c;
	e.d.required = required_layers(c);
	look_at_secrets(&e);
	look_at_clock(&e);
	if (ask_answers(c, ASK_NODE))
		(void)ask(c, ASK_NODE, json_pack("{s:s}", "verb", "status"),
		    keep_node, &e);
	rc = CLI_FAILED;
	if (scratch_start(&e.s) < 0) {
		cli_error(c, "%s", e.s.why);
	} else {
		e.d.posture = e.s.posture.layers;
		if (baits_lay(&e.baits, e.s.folder, e.d.posture) < 0)
			cli_error(c, "baits: %s", strerror(errno));
		else if (can_run(&e) && attack(&e) < 0)
			cli_error(c, "%s", e.s.why);
		else
			rc = verdict(&e);
		baits_lift(&e.baits);
	}
	scratch_stop(&e.s);
	json_decref(e.warm);
	return rc;
}
