/* SPDX-License-Identifier: BSD-2-Clause */
/* warren approve, reject, and jobs --held of another node. */
#include "node/cli/review.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "common/util.h"
#include "node/cli/ask.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/table.h"
#include "node/cli/verb.h"
#include "trust/doc/approval.h"
#include "trust/doc/envelope.h"
#include "trust/doc/jdoc.h"
#include "trust/doc/manifest_parse.h"

#define COMMAND_CAP 400
#define SIGNED_WAIT_MS 50 /* until the node's keys have signed */
#define SIGNED_TRIES 240  /* ... 12 s in all */

/* ---- what is held there ---- */

/*
 * The submitter's manifest. What is signed is the digest of its bytes, so a node
 * that shows one job for another is found here.
 */
static bool
open_held(struct held_job *h, struct env *e, const struct proto_review_line *l)
{
	char why[MANIFEST_WHY];
	const char *bad;

	manifest_init(&h->m);
	if (env_parse(e, l->envelope.p, l->envelope.n, ENV_MANIFEST_MAX,
		ENV_MANIFEST_PAYLOAD, &bad) != 0 ||
	    manifest_parse(&h->m, e->payload, e->payload_len, why) != 0)
		return false;
	rns_sha256(&h->m.job, e->payload, e->payload_len);
	h->payload = e->payload;
	h->payload_len = e->payload_len;
	h->at = l->at;
	return memcmp(h->m.job.b, l->id, 32) == 0;
}

int
held_each(struct target *t, bool (*fn)(void *, const struct held_job *),
    void *arg, bool *hidden)
{
	struct proto_req req = {.path = PATH_REVIEW, .n = PROTO_LIST_MAX};
	bool more = true;

	while (more) {
		struct proto_review p;
		struct proto_ans a;
		int rc = session_ask(t->session, &req, &a, NULL, NULL);

		if (rc != CLI_OK)
			return rc;
		if (a.status == ST_REFUSED && hidden != NULL) {
			*hidden = true;
			return CLI_OK;
		}
		if (a.status != ST_OK)
			return session_refused(t->cli, &a);
		if (!proto_get_review(&p, &a)) {
			cli_error(t->cli, "malformed page of held jobs");
			return CLI_FAILED;
		}
		more = p.has_next && p.next > req.after;
		req.after = p.next;
		for (size_t i = 0; i < p.njobs; i++) {
			struct held_job h;
			struct env e = {.own = NULL};

			if (!open_held(&h, &e, &p.jobs[i]))
				cli_note(t->cli, "a held job is left out: its "
				    "manifest is not that of its id");
			else if (!fn(arg, &h))
				more = false;
			manifest_clear(&h.m);
			env_clear(&e);
		}
	}
	return CLI_OK;
}

static void
command_text(char out[COMMAND_CAP], const struct manifest *m)
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < m->command.n && n < COMMAND_CAP; i++)
		n += (size_t)snprintf(out + n, COMMAND_CAP - n, "%s%s",
		    i > 0 ? " " : "", m->command.v[i]);
}

enum { COL_JOB, COL_PERSON, COL_IMAGE, COL_COMMAND, COL_BOARD, COL_AGE, COLS };
static const struct cli_column columns[COLS] = {
    [COL_JOB] = {"JOB", COL_ID},
    [COL_PERSON] = {"PERSON", COL_ID},
    [COL_IMAGE] = {"IMAGE", COL_CUT},
    [COL_COMMAND] = {"COMMAND", COL_CUT},
    [COL_BOARD] = {"APPROVED BY", COL_CUT | COL_SPARSE},
    [COL_AGE] = {"HELD FOR", COL_RIGHT},
};

struct held_table {
	struct cli *c;
	struct cli_table *table;
	json_t *list;
	size_t n;
};

static bool
add_held(void *arg, const struct held_job *h)
{
	struct held_table *t = arg;
	char id[65], owner[65], command[COMMAND_CAP], age[24];
	const char *row[COLS] = {[COL_JOB] = id, [COL_PERSON] = owner,
	    [COL_IMAGE] = h->m.image, [COL_COMMAND] = command,
	    [COL_BOARD] = h->m.approved_by, [COL_AGE] = age};
	const char *why;

	t->n++;
	hex_encode(id, HASH_BYTES(h->m.job));
	hex_encode(owner, HASH_BYTES(h->m.submitter));
	if (t->list != NULL) {
		(void)json_array_append_new(t->list,
		    json_pack("{s:s,s:s,s:I,s:o}", "id", id, "owner", owner,
			"at", (json_int_t)h->at, "manifest",
			jdoc_parse(h->payload, h->payload_len,
			    ENV_MANIFEST_PAYLOAD, &why)));
		return true;
	}
	command_text(command, &h->m);
	(void)cli_age(age, (int64_t)time(NULL) - (int64_t)h->at);
	cli_table_row(t->table, row);
	return true;
}

int
held_list(struct target *t)
{
	struct held_table ht = {.c = t->cli};
	int rc = target_connect(t);

	if (rc != CLI_OK)
		return rc;
	ht.table = cli_table_new(t->cli, columns);
	if (t->cli->json)
		ht.list = json_array();
	rc = held_each(t, add_held, &ht, NULL);
	if (rc == CLI_OK && ht.list != NULL)
		cli_json(json_pack("{s:O}", "jobs", ht.list));
	else if (rc == CLI_OK && ht.n == 0)
		fprintf(stderr, "No jobs wait for a review there.\n");
	else if (rc == CLI_OK) {
		cli_table_print(ht.table);
		ht.table = NULL;
	}
	cli_table_free(ht.table);
	json_decref(ht.list);
	return rc;
}

/* ---- approve, reject ---- */

struct word {
	struct target t;
	bool approve;
	unsigned found; /* held there, with that id */
	char image[MANIFEST_TEXT + 1], command[COMMAND_CAP], owner[65];
	json_t *last; /* the node's answer at node.sock */
};

static bool
is_it(void *arg, const struct held_job *h)
{
	struct word *w = arg;
	char hex[65];

	hex_encode(hex, HASH_BYTES(h->m.job));
	if (strncmp(hex, w->t.id, strlen(w->t.id)) != 0)
		return true;
	w->found++;
	w->t.job = h->m.job;
	hex_encode(w->owner, HASH_BYTES(h->m.submitter));
	(void)snprintf(w->image, sizeof(w->image), "%s", h->m.image);
	command_text(w->command, &h->m);
	return true;
}

/* The id whole, and what it is; a job that is not held there has to be. */
static int
find_held(struct word *w)
{
	bool is_short = strlen(w->t.id) < 64, hidden = false;
	/* of a board, and no reviewer: whoever asked for it has the id */
	int rc = held_each(&w->t, is_it, w, is_short ? NULL : &hidden);

	if (rc != CLI_OK)
		return rc;
	if (hidden)
		cli_note(w->t.cli, "that node shows its held jobs to reviewers "
		    "only: this is signed by its id alone");
	if (w->found == 1) {
		hex_encode(w->t.id, HASH_BYTES(w->t.job));
		return CLI_OK;
	}
	if (w->found == 0 && !is_short)
		return CLI_OK;
	cli_error(w->t.cli, w->found > 1 ? "more than one held job begins "
	    "with %s" : "no job that is held there begins with %s", w->t.id);
	cli_hint(w->t.cli, "`warren jobs --held --to NODE` lists them; the "
	    "whole id can be approved before the job comes.");
	return w->found > 1 ? CLI_USAGE : CLI_FAILED;
}

static void
print_word(const struct word *w, const char *state, const char *reason)
{
	const struct cli *c = w->t.cli;
	char text[4 * COMMAND_CAP];

	if (c->json) {
		cli_json(json_pack("{s:s,s:s,s:s?,s:s?}", "id", w->t.id,
		    "verdict", w->approve ? "approve" : "reject", "state",
		    state, "reason", reason[0] != '\0' ? reason : NULL));
		return;
	}
	if (w->found > 0) {
		(void)text_escape(text, sizeof(text), w->image,
		    strlen(w->image));
		printf("person    %s\nimage     %s\n", w->owner, text);
		(void)text_escape(text, sizeof(text), w->command,
		    strlen(w->command));
		printf("command   %s\n", text);
	}
	printf("%.16s %s: %s%s%s\n", w->t.id,
	    w->approve ? "approved" : "rejected",
	    state != NULL ? state : "kept until the job comes",
	    reason[0] != '\0' ? " " : "", reason);
}

/*
 * A job that has ended, or that runs, is past a reviewer's word. One that was
 * held a moment ago may have come so far by this very word.
 */
static bool
word_took(const struct word *w, const char *state, const char *reason)
{
	static const char *const over[] = {"done", "lost", "cancelled",
	    "refused", "running"};
	bool past = false;

	for (size_t i = 0; i < NELEM(over); i++)
		past |= strcmp(state, over[i]) == 0;
	if (!past || (w->approve && w->found > 0))
		return true;
	return w->approve ? strcmp(state, "running") == 0 :
	    strcmp(state, "cancelled") == 0 && strcmp(reason, "review") == 0;
}

static int
bring(struct word *w)
{
	uint8_t frame[APPROVAL_LEN], aux[32];
	struct proto_req req = {.path = PATH_APPROVE,
	    .frame = {frame, sizeof(frame)}};
	struct approval a = {.approve = w->approve, .job = w->t.job,
	    .issued = (uint32_t)time(NULL)};
	struct pstr st, re;
	char state[16], reason[160];
	struct proto_ans ans;
	const uint8_t *id;
	int rc;

	a.expires = a.issued + APPROVAL_LIFE;
	randombytes_buf(aux, sizeof(aux));
	if (!approval_sign(frame, &a, &w->t.person.secret, aux)) {
		cli_error(w->t.cli, "the approval could not be signed");
		return CLI_FAILED;
	}
	rc = session_ask(w->t.session, &req, &ans, NULL, NULL);
	if (rc != CLI_OK)
		return rc;
	if (ans.status == ST_NOT_FOUND) {
		print_word(w, NULL, "");
		return CLI_OK;
	}
	if (ans.status != ST_OK)
		return session_refused(w->t.cli, &ans);
	if (!proto_get_approved(&id, &st, &re, &ans) ||
	    memcmp(id, w->t.job.b, 32) != 0) {
		cli_error(w->t.cli, "malformed answer");
		return CLI_FAILED;
	}
	pstr_copy(state, sizeof(state), st);
	pstr_copy(reason, sizeof(reason), re);
	if (!word_took(w, state, reason)) {
		cli_error(w->t.cli, "it does not wait any more: %s%s%s", state,
		    reason[0] != '\0' ? " " : "", reason);
		if (!w->approve)
			cli_hint(w->t.cli, "Its submitter or the operator of "
			    "the node can end it: `warren cancel`.");
		return CLI_FAILED;
	}
	print_word(w, state, reason);
	return CLI_OK;
}

static int
word_remote(struct word *w)
{
	int rc;

	/* a short id is looked for among those that are held, not yours */
	w->t.is_short = false;
	if ((rc = target_connect(&w->t)) != CLI_OK ||
	    (rc = find_held(w)) != CLI_OK)
		return rc;
	return bring(w);
}

static bool
keep_answer(void *arg, const json_t *o)
{
	struct word *w = arg;

	json_decref(w->last);
	w->last = json_deep_copy(o);
	return true;
}

/* The node signs with its own key: asked again until it has. */
static int
word_here(struct word *w)
{
	const struct timespec pause = {0, SIGNED_WAIT_MS * 1000000L};
	int rc = CLI_OK;

	for (unsigned i = 0; i < SIGNED_TRIES; i++) {
		rc = ask(w->t.cli, ASK_NODE, json_pack("{s:s,s:s}", "verb",
			w->approve ? "approve" : "reject", "id", w->t.id),
		    keep_answer, w);
		if (rc != CLI_OK)
			return rc;
		if (!json_is_true(json_object_get(w->last, "pending"))) {
			(void)snprintf(w->t.id, sizeof(w->t.id), "%s",
			    ask_text(w->last, "id"));
			print_word(w, ask_text(w->last, "state"),
			    ask_text(w->last, "reason"));
			return CLI_OK;
		}
		(void)nanosleep(&pause, NULL);
	}
	cli_error(w->t.cli, "the node's keys have not signed it");
	cli_hint(w->t.cli, "`warren status` tells how warren-keys is.");
	return CLI_FAILED;
}

static bool
set_option(struct cli *c, void *ctx, int option, const char *value)
{
	(void)c;
	return target_option(&((struct word *)ctx)->t, option, value);
}

static int
give_word(struct cli *c, int argc, char **argv, bool approve)
{
	struct word w = {.approve = approve};
	int rc;

	target_init(&w.t, c);
	rc = cli_options(c, approve ? VERB_APPROVE : VERB_REJECT, argc, argv,
	    set_option, &w);
	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	rc = target_find(&w.t, argv[c->arg]);
	if (rc == CLI_OK)
		rc = w.t.here ? word_here(&w) : word_remote(&w);
	json_decref(w.last);
	target_close(&w.t);
	return rc;
}

int
verb_approve(struct cli *c, int argc, char **argv)
{
	return give_word(c, argc, argv, true);
}

int
verb_reject(struct cli *c, int argc, char **argv)
{
	return give_word(c, argc, argv, false);
}
