/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren explain ID: why a job waits, was refused or died, why a peer is
 * refused or slowed down: with rule, limit, value and what helps. From this
 * machine's node and from the trail; the texts are refusal.c's and outcome.c's.
 * Of a hash of the mesh, what transport knows of it (explain_mesh.c).
 */
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "common/where.h"
#include "node/cli/ask.h"
#include "node/cli/explain_job.h"
#include "node/cli/explain_mesh.h"
#include "node/cli/explain_trail.h"
#include "node/cli/format.h"
#include "node/cli/hub.h"
#include "node/cli/mailway.h"
#include "node/cli/options.h"
#include "node/cli/person.h"
#include "node/cli/policyline.h"
#include "node/cli/say.h"
#include "node/cli/table.h"
#include "node/cli/trust.h"
#include "node/cli/verb.h"
#include "trust/doc/keytext.h"

#define DIGITS_MIN 4 /* node.sock's */

struct explain {
	struct cli *c;
	char id[65];
	json_t *answer; /* of node.sock; NULL: nobody answers */
	json_t *mesh;	/* of mesh.sock; NULL: nobody answers */
	json_t *events; /* of the trail, newest first; NULL: why */
	bool mesh_silent; /* it answers, and knows nothing of it */
	bool by_letter; /* a job of ours that has no answer yet */
	struct mailway way;
	struct job_note note;
	char why[256];
};

/* ---- whom it is about ---- */

/* A key in any form, digits of an id, or the name of a job of ours. */
static bool
parse_id(struct explain *x, const char *text)
{
	size_t n = strlen(text);
	struct person p;
	struct fp fp;
	int found;

	if (ident_parse(&fp, text, n)) {
		hex_encode(x->id, HASH_BYTES(fp));
		return true;
	}
	person_peek(x->c, &p);
	found = person_find_job(&p, text, &x->note);
	x->by_letter = found == 1 && mailway_get(&p, &x->note.job, &x->way);
	person_clear(&p);
	if (found == 1) {
		hex_encode(x->id, HASH_BYTES(x->note.job));
		return true;
	}
	if (n >= DIGITS_MIN && n <= 64 &&
	    text[strspn(text, "0123456789abcdefABCDEF")] == '\0') {
		for (size_t i = 0; i <= n; i++)
			x->id[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ?
				text[i] + 'a' - 'A' : text[i]);
		return true;
	}
	cli_error(x->c, "%s: no URN, no key, no name of a job and no id (%d to "
	    "64 hex digits)", text, DIGITS_MIN);
	return false;
}

static bool
keep(void *arg, const json_t *o)
{
	struct explain *x = arg;

	json_decref(x->answer);
	x->answer = json_deep_copy(o);
	return true;
}

/* The one peer or job, or NULL. */
static const json_t *
only(const struct explain *x, const char *list)
{
	return json_array_get(json_object_get(x->answer, list), 0);
}

static bool
is_ambiguous(const struct explain *x)
{
	const json_t *jobs = json_object_get(x->answer, "jobs");
	const json_t *peers = json_object_get(x->answer, "peers"), *o;
	size_t i;

	if (json_array_size(jobs) + json_array_size(peers) < 2)
		return false;
	/* identities that have one key in common are one person */
	if (json_array_size(jobs) == 0 && strlen(x->id) == 64)
		return false;
	cli_error(x->c, "more than one begins with %s", x->id);
	json_array_foreach(jobs, i, o)
		cli_hint(x->c, "job %s", ask_text(o, "id"));
	json_array_foreach(peers, i, o)
		cli_hint(x->c, "peer %s", ask_text(o, "identity"));
	return true;
}

/* ---- a peer ---- */

static const struct budget {
	const char *name, *used, *left, *limit, *full;
	bool bytes;
} BUDGETS[] = {
    {"bytes a minute", NULL, "bytes_left", "bytes_limit", "bytes_full_s", true},
    {"requests a minute", NULL, "requests_left", "requests_limit",
	"requests_full_s", false},
    {"jobs that wait", "jobs_waiting", NULL, "jobs_waiting_limit", NULL, false},
    {"jobs an hour", NULL, "jobs_hour_left", "jobs_hour_limit",
	"jobs_hour_full_s", false},
    {"cpu seconds a day", NULL, "cpu_s_left", "cpu_s_limit", "cpu_s_full_s",
	false},
    {"images a day", NULL, "images_left", "images_limit", "images_full_s",
	true},
    {"spool", "spool", NULL, "spool_limit", NULL, true},
};

static const char *
amount(char out[24], const struct budget *b, json_int_t v)
{
	if (b->bytes)
		return cli_bytes(out, (uint64_t)MAX_OF(v, 0));
	(void)snprintf(out, 24, "%lld", (long long)v);
	return out;
}

static void
print_budgets(const struct cli *c, const json_t *p)
{
	static const struct cli_column columns[] = {{"BUDGET", 0},
	    {"USED", COL_RIGHT}, {"LEFT", COL_RIGHT}, {"OF", COL_RIGHT},
	    {"FULL IN", COL_RIGHT}};
	struct cli_table *t = cli_table_new(c, columns);

	for (size_t i = 0; i < NELEM(BUDGETS); i++) {
		const struct budget *b = &BUDGETS[i];
		json_int_t of = ask_int(p, b->limit), left, used;
		char text[4][24];
		const char *row[] = {b->name, text[0], text[1], text[2],
		    text[3]};

		/* of a peer without a key there are no budgets of jobs */
		if (json_object_get(p, b->limit) == NULL)
			continue;
		left = b->left != NULL ? ask_int(p, b->left) :
		    MAX_OF(of - ask_int(p, b->used), 0);
		used = b->used != NULL ? ask_int(p, b->used) :
		    MAX_OF(of - left, 0);
		(void)amount(text[0], b, used);
		if (of == 0) {
			row[2] = "-";
			row[3] = "no limit";
		} else {
			(void)amount(text[1], b, left);
			(void)amount(text[2], b, of);
		}
		if (b->full == NULL || ask_int(p, b->full) == 0)
			row[4] = "-";
		else
			(void)cli_duration(text[3], ask_int(p, b->full) * 1000);
		cli_table_row(t, row);
	}
	cli_table_print(t);
}

static void
print_peer(struct explain *x, const json_t *p, const json_t *why)
{
	const char *listed = ask_text(p, "listed");
	/* what node holds of somebody who is not here may be of long ago */
	bool judged = ask_text(why, "why")[0] != '\0';
	json_int_t held = ask_int(p, "level");
	json_int_t level = judged ? ask_int(why, "level") : held;
	const char *words = level == held ? ask_text(p, "why") : "";

	printf("peer      %s\n", ask_text(p, "identity"));
	if (ask_text(p, "fp")[0] != '\0')
		printf("key       %s\n", ask_text(p, "fp"));
	printf("level     %+lld, jobs need %+lld%s%s\n",
	    (long long)level, (long long)MAX_OF(ask_int(p, "floor"), 0),
	    words[0] != '\0' ? ": " : "", words);
	if (judged)
		printf("because   %s (`warren trust why` shows the path)\n",
		    ask_text(why, "why"));
	if (ask_text(why, "jobs")[0] != '\0')
		printf("no jobs   %s\n", ask_text(why, "jobs"));
	if (listed[0] != '\0')
		printf("listed    %s%s\n", listed,
		    strcmp(listed, "revoked") == 0 ?
			": its links are closed and its announces dropped" :
			": its jobs stand still or are refused");
	printf("asked     %lld requests, %lld refused, %lld told to wait, %lld "
	       "bad blobs; %lld links now\n\n",
	    (long long)ask_int(p, "requests"), (long long)ask_int(p, "refused"),
	    (long long)ask_int(p, "delayed"), (long long)ask_int(p, "blobs_bad"),
	    (long long)ask_int(p, "links"));
	print_budgets(x->c, p);
}

/* ---- the trail ---- */

static void
print_line(const char *name, const char *text)
{
	char safe[8192];

	if (text[0] == '\0')
		return;
	(void)text_printable(safe, sizeof(safe), text, strlen(text));
	printf("  %-10s%s\n", name, safe);
}

/* What it was refused for and who can do what; of anything else one line. */
static void
print_event(const json_t *e)
{
	char when[24], text[2048], safe[8192];
	const char *code = ask_text(e, "code"), *words = ask_text(e, "text");

	/* a state is in the message as well */
	if (strncmp(ask_text(e, "message"), code, strlen(code)) == 0)
		code = "";
	if (words[0] != '\0')
		(void)snprintf(text, sizeof(text), "refused: %s", words);
	else
		(void)snprintf(text, sizeof(text), "%s%s%s%s%s",
		    ask_text(e, "kind"), code[0] != '\0' ? " " : "", code,
		    ask_text(e, "message")[0] != '\0' ? ": " : "",
		    ask_text(e, "message"));
	(void)text_printable(safe, sizeof(safe), text, strlen(text));
	printf("%s  %s\n", cli_time(when, ask_int(e, "time")), safe);
	print_line("submitter", ask_text(e, "remedy"));
	print_line("operator", ask_text(e, "operator"));
}

static void
print_events(const struct explain *x, bool behind)
{
	const json_t *e;
	size_t i;

	if (x->events != NULL && json_array_size(x->events) == 0)
		printf("\nThe trail has nothing to tell of it.\n");
	if (json_array_size(x->events) > 0)
		printf("%sIn the trail, newest first:\n", behind ? "\n" : "");
	json_array_foreach(x->events, i, e)
		print_event(e);
}

/* ---- the verb ---- */

static int
nothing(const struct explain *x)
{
	cli_error(x->c, "nothing is known of %s", x->id);
	cli_hint(x->c, "Looked for among paths, links and drops of the mesh%s.",
	    x->mesh_silent ? "" : " (where nobody answers)");
	cli_hint(x->c, "Looked for among the jobs and peers of this machine's "
	    "node%s, and in the trail%s%s%s.", x->answer != NULL ? "" :
	    " (which does not answer)", x->events != NULL ? "" : " (",
	    x->events != NULL ? "" : x->why, x->events != NULL ? "" : ")");
	cli_hint(x->c, "A job of yours on another node: `warren show` it.");
	if (x->answer == NULL && !ask_answers(x->c, ASK_MESH))
		(void)ask_hint_service(x->c, WHERE_SERVICE);
	return CLI_FAILED;
}

/* It was refused for want of a signature: by what these are judged now. */
static const json_t *
policy_of(const struct explain *x, const json_t *told)
{
	const json_t *list = json_object_get(x->answer, "image_policy"), *e;
	bool is = strcmp(ask_text(told, "rule"), "signature") == 0;
	size_t i;

	json_array_foreach(x->events, i, e)
		is |= strcmp(ask_text(e, "code"), "signature") == 0;
	return is && json_array_size(list) > 0 ? list : NULL;
}

static void
say(struct explain *x, const json_t *job, const json_t *why)
{
	const json_t *p, *peers = json_object_get(x->answer, "peers");
	json_t *told = job != NULL ? explain_job(job) : NULL;
	const json_t *policy = policy_of(x, told);
	size_t i;

	if (x->c->json) {
		cli_json(json_pack("{s:s,s:b,s:O?,s:O?,s:o?,s:O?,s:O?,s:O?,"
				   "s:o?,s:O?}",
		    "id", x->id, "answered", x->answer != NULL, "mesh", x->mesh, "job", job,
		    "explained", told, "peers", job == NULL ? peers : NULL,
		    "trust", why, "trail", x->events, "letter",
		    x->by_letter ? mailway_json(&x->way) : NULL,
		    "image_policy", policy));
		return;
	}
	if (x->by_letter)
		mailway_print(&x->way, &x->note.job, &x->note.dest);
	if (x->by_letter && (x->mesh != NULL || job != NULL))
		printf("\n");
	if (x->mesh != NULL)
		explain_mesh_print(x->mesh);
	if (x->mesh != NULL && (job != NULL || json_array_size(peers) > 0))
		printf("\n");
	if (job != NULL)
		explain_job_print(job, told);
	else
		json_array_foreach(peers, i, p)
			print_peer(x, p, why);
	if ((x->mesh == NULL && !x->by_letter) || job != NULL ||
	    json_array_size(x->events) > 0)
		print_events(x, x->by_letter || x->mesh != NULL || job != NULL ||
		    json_array_size(peers) > 0);
	if (policy != NULL) {
		printf("\nSignatures of images are judged by:\n");
		policyline_print(policy);
	}
	json_decref(told);
}

/* The trail names a peer by its key where one is known. */
static void
read_trail(struct explain *x)
{
	const json_t *peer = only(x, "peers");
	const char *fp = json_string_value(json_object_get(peer, "fp"));
	const struct explain_wanted want = {{x->id, fp,
	    json_string_value(json_object_get(peer, "identity"))}};

	x->events = explain_trail(x->c, &want, x->why);
	if (x->events == NULL && x->why[0] != '\0' && x->mesh == NULL &&
	    !x->by_letter)
		cli_note(x->c, "the trail is not read: %s", x->why);
}

/* What transport has; digits that are the beginning of a job are the job's. */
static void
ask_mesh(struct explain *x)
{
	x->mesh = explain_mesh_ask(x->c, x->id);
	if (x->mesh != NULL && !explain_mesh_knows(x->mesh)) {
		json_decref(x->mesh);
		x->mesh = NULL;
		x->mesh_silent = true;
	}
	explain_mesh_add(x->mesh);
}

/* Several of the mesh begin so, and nothing else does: said. */
static bool
mesh_ambiguous(struct explain *x, bool else_known)
{
	const json_t *list = json_object_get(x->mesh, "candidates"), *o;
	size_t i;

	if (json_array_size(list) == 0)
		return false;
	if (!else_known) {
		cli_error(x->c, "more than one begins with %s", x->id);
		json_array_foreach((json_t *)list, i, o)
			cli_hint(x->c, "%s", json_string_value(o));
		return true;
	}
	json_decref(x->mesh);
	x->mesh = NULL;
	return false;
}

static int
explain(struct explain *x)
{
	const json_t *job, *peer;
	json_t *why = NULL;
	int rc;

	ask_mesh(x);
	if (ask_answers(x->c, ASK_NODE)) {
		rc = ask(x->c, ASK_NODE, json_pack("{s:s,s:s}", "verb",
		    "explain", "id", x->id), keep, x);
		if (rc != CLI_OK)
			return rc;
	} else if (x->mesh == NULL && !x->by_letter) {
		cli_note(x->c, "no node answers here: the trail alone says it");
	}
	if (is_ambiguous(x))
		return CLI_USAGE;
	job = only(x, "jobs");
	peer = only(x, "peers");
	if (mesh_ambiguous(x, job != NULL || peer != NULL))
		return CLI_USAGE;
	read_trail(x);
	if (job == NULL && peer == NULL && x->mesh == NULL && !x->by_letter &&
	    json_array_size(x->events) == 0)
		return nothing(x);
	if (job == NULL && peer != NULL)
		why = trust_why(x->c, ask_text(peer, "fp")[0] != '\0' ?
			ask_text(peer, "fp") : ask_text(peer, "identity"));
	say(x, job, why);
	json_decref(why);
	return CLI_OK;
}

int
verb_explain(struct cli *c, int argc, char **argv)
{
	struct explain x = {.c = c};
	int rc = cli_options(c, VERB_EXPLAIN, argc, argv, NULL, NULL);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if (strcmp(argv[c->arg], "hub") == 0)
		return hub_explain(c);
	if (!parse_id(&x, argv[c->arg]))
		return CLI_USAGE;
	rc = explain(&x);
	json_decref(x.answer);
	json_decref(x.mesh);
	json_decref(x.events);
	return rc;
}
