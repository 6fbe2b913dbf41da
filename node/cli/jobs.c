/* SPDX-License-Identifier: BSD-2-Clause */
/* warren jobs, show, cancel: over the mesh, or of this machine's node. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/units.h"
#include "common/util.h"

#include "node/cli/ask.h"
#include "node/cli/format.h"
#include "node/cli/outcome.h"
#include "node/cli/options.h"
#include "node/cli/review.h"
#include "node/cli/say.h"
#include "node/cli/table.h"
#include "node/cli/verb.h"
#include "node/cli/target.h"

static bool
set_target(struct cli *c, void *ctx, int option, const char *value)
{
	(void)c;
	return target_option(ctx, option, value);
}

/* "exited 0", "killed memory", "" */
static void
outcome_text(char *out, size_t cap, const struct proto_outcome_v *o)
{
	char reason[64];

	switch (o->kind) {
	case OUT_EXITED:
		(void)snprintf(out, cap, "exited %" PRId64, o->code);
		break;
	case OUT_SIGNALLED:
		(void)snprintf(out, cap, "signalled %" PRId64, o->code);
		break;
	case OUT_KILLED:
		pstr_copy(reason, sizeof(reason), o->reason);
		(void)snprintf(out, cap, "killed %s", reason);
		break;
	default:
		out[0] = '\0';
	}
}

static json_t *
outcome_json(const struct proto_outcome_v *o)
{
	char reason[64];

	switch (o->kind) {
	case OUT_EXITED:
		return json_pack("[s,I]", "exited", (json_int_t)o->code);
	case OUT_SIGNALLED:
		return json_pack("[s,I]", "signalled", (json_int_t)o->code);
	case OUT_KILLED:
		pstr_copy(reason, sizeof(reason), o->reason);
		return json_pack("[s,s]", "killed", reason);
	default:
		return json_null();
	}
}

/* ---- jobs ---- */

enum { COL_JOB, COL_NAME, COL_STATE, COL_RESULT, COL_IMAGE, COL_PERSON,
	COL_NODE, COL_AGE, COL_LABELS, COLS };
static const struct cli_column columns[COLS] = {
    [COL_JOB] = {"JOB", COL_ID},
    [COL_NAME] = {"NAME", COL_CUT | COL_SPARSE},
    [COL_STATE] = {"STATE", 0},
    [COL_RESULT] = {"RESULT", COL_CUT},
    [COL_IMAGE] = {"IMAGE", COL_CUT | COL_DROP},
    [COL_PERSON] = {"PERSON", COL_ID | COL_DROP},
    [COL_NODE] = {"NODE", COL_ID | COL_WIDE},
    [COL_AGE] = {"AGE", COL_RIGHT},
    [COL_LABELS] = {"LABELS", COL_CUT | COL_SPARSE | COL_DROP},
};

/* Of one that stands still: this node's own word, the protocol has none. */
#define FROZEN "frozen"

/* One job as it is listed; texts are the caller's, "" not known. */
struct job_row {
	char id[65];
	const char *state, *reason, *outcome, *image, *owner;
	bool frozen;	/* it is running, and stands still */
	json_t *ended;	/* the outcome; taken */
	int64_t at;	/* since when it is in this state; 0: not known */
	int64_t made;	/* submitted */
	const char *node;
};

struct job_table {
	struct cli *c;
	const struct target *t;
	const char *label; /* only those with it */
	bool held;	   /* only those that wait for a review */
	struct cli_table *table;
	json_t *list;
	size_t n;
	char me[65]; /* fingerprint; "" no keys yet */
	int64_t now;
};

static bool
has_label(const struct job_note *note, const char *want)
{
	size_t n = strlen(want);

	for (size_t i = 0; i < JOB_LABELS && note->label[i][0] != '\0'; i++)
		if (strncmp(note->label[i], want, n) == 0 &&
		    (note->label[i][n] == '\0' ||
			(note->label[i][n] == '=' &&
			    strchr(want, '=') == NULL)))
			return true;
	return false;
}

static json_t *
labels_json(const struct job_note *note)
{
	json_t *a = json_array();

	for (size_t i = 0; i < JOB_LABELS && note->label[i][0] != '\0'; i++)
		(void)json_array_append_new(a, json_string(note->label[i]));
	return a;
}

static void
labels_text(const struct job_note *note, char *out, size_t cap)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < JOB_LABELS && note->label[i][0] != '\0' &&
	     n < cap; i++)
		n += (size_t)snprintf(out + n, cap - n, "%s%s",
		    i > 0 ? "," : "", note->label[i]);
}

static const char *
or_null(const char *s)
{
	return s[0] != '\0' ? s : NULL;
}

static void
add_json(struct job_table *jt, const struct job_row *r,
    const struct job_note *note)
{
	json_t *o = json_pack("{s:s,s:s,s:s?,s:o,s:I,s:I,s:s?,s:s?,s:s?,s:o,"
			      "s:s?,s:b}",
	    "id", r->id, "state", r->state, "reason", or_null(r->reason),
	    "outcome", r->ended, "at", (json_int_t)r->at, "submitted",
	    (json_int_t)r->made, "owner", or_null(r->owner), "image",
	    or_null(r->image), "name", or_null(note->name), "labels",
	    labels_json(note), "node", or_null(r->node), "frozen", r->frozen);

	(void)json_array_append_new(jt->list, o);
}

static void
add_job(struct job_table *jt, const struct job_row *r,
    const struct job_note *note)
{
	char age[24] = "", labels[1024];
	bool mine = jt->me[0] != '\0' && strcmp(r->owner, jt->me) == 0;
	const char *row[COLS] = {[COL_JOB] = r->id, [COL_NAME] = note->name,
	    [COL_STATE] = r->frozen ? FROZEN : r->state,
	    [COL_RESULT] = r->outcome[0] != '\0' ? r->outcome : r->reason,
	    [COL_IMAGE] = r->image, [COL_PERSON] = mine ? "you" : r->owner,
	    [COL_NODE] = r->node, [COL_AGE] = age, [COL_LABELS] = labels};

	if ((jt->label != NULL && !has_label(note, jt->label)) ||
	    (jt->held && strcmp(r->state, "held") != 0)) {
		json_decref(r->ended);
		return;
	}
	jt->n++;
	if (jt->list != NULL) {
		add_json(jt, r, note);
		return;
	}
	json_decref(r->ended);
	labels_text(note, labels, sizeof(labels));
	if (r->made > 0)
		(void)cli_age(age, jt->now - r->made);
	cli_table_row(jt->table, row);
	cli_table_colour(jt->table, COL_STATE,
	    cli_job_colour(row[COL_STATE], r->outcome));
}

/* The note of a job of ours; one without anything when there is none. */
static void
find_note(const struct job_table *jt, const char *id, struct job_note *note)
{
	struct id32 job;

	if (!hex_decode(HASH_BYTES(job), id, strlen(id)) ||
	    !person_get_job(&jt->t->person, &job, note))
		memset(note, 0, sizeof(*note));
}

/* ["exited", 0], ["killed", "memory"]; anything else is "". */
static void
ended_text(char *out, size_t cap, const json_t *ended)
{
	const char *kind = json_string_value(json_array_get(ended, 0));
	const json_t *detail = json_array_get(ended, 1);

	out[0] = '\0';
	if (kind != NULL && json_is_string(detail))
		(void)snprintf(out, cap, "%s %s", kind,
		    json_string_value(detail));
	else if (kind != NULL)
		(void)snprintf(out, cap, "%s %lld", kind,
		    (long long)json_integer_value(detail));
}

static bool
take_here(void *arg, const json_t *o)
{
	struct job_table *jt = arg;
	struct job_note note;
	const json_t *j;
	size_t i;

	json_array_foreach(json_object_get(o, "jobs"), i, j) {
		const json_t *out = json_object_get(j, "outcome");
		char text[96] = "";
		struct job_row r = {.state = ask_text(j, "state"),
		    .frozen = json_is_true(json_object_get(j, "frozen")),
		    .reason = ask_text(j, "reason"), .outcome = text,
		    .image = ask_text(j, "image_name"),
		    .owner = ask_text(j, "owner"), .node = "",
		    .at = ask_int(j, "at"), .made = ask_int(j, "admitted"),
		    .ended = out != NULL ? json_deep_copy(out) : json_null()};

		(void)snprintf(r.id, sizeof(r.id), "%s", ask_text(j, "id"));
		ended_text(text, sizeof(text), out);
		if (r.image[0] == '\0')
			r.image = ask_text(j, "image");
		if (r.id[0] == '\0' || r.state[0] == '\0') {
			(void)snprintf(r.id, sizeof(r.id), "?");
			r.state = "?";
		}
		find_note(jt, r.id, &note);
		add_job(jt, &r, &note);
	}
	return true;
}

static void
add_remote(struct job_table *jt, const struct proto_job_line *j)
{
	char state[16], reason[160], out[96], node[33];
	struct job_note note;
	struct job_row r = {.state = state, .reason = reason, .outcome = out,
	    .image = note.image, .owner = jt->me, .node = node,
	    .at = (int64_t)j->at, .ended = outcome_json(&j->outcome)};

	hex_encode(r.id, j->id, 32);
	hex_encode(node, HASH_BYTES(jt->t->dest));
	pstr_copy(state, sizeof(state), j->state);
	pstr_copy(reason, sizeof(reason), j->reason);
	outcome_text(out, sizeof(out), &j->outcome);
	find_note(jt, r.id, &note);
	r.made = note.at != 0 ? note.at : r.at;
	person_saw_job(&jt->t->person, id32_at(j->id), state,
	    out[0] != '\0' ? out : reason);
	add_job(jt, &r, &note);
}

static int
list_remote(struct target *t, struct job_table *jt)
{
	struct proto_req req = {.path = PATH_LIST, .n = PROTO_LIST_MAX};
	int rc = target_connect(t);

	while (rc == CLI_OK) {
		struct proto_list l;
		struct proto_ans a;

		rc = session_ask(t->session, &req, &a, NULL, NULL);
		if (rc != CLI_OK)
			break;
		if (a.status != ST_OK)
			return session_refused(t->cli, &a);
		if (!proto_get_list(&l, &a)) {
			cli_error(t->cli, "malformed list");
			return CLI_FAILED;
		}
		for (size_t i = 0; i < l.njobs; i++)
			add_remote(jt, &l.jobs[i]);
		if (!l.has_next || l.next <= req.after)
			break;
		req.after = l.next;
	}
	return rc;
}

/* ---- yours, as noted ---- */

struct note_list {
	struct job_note *v;
	size_t n, cap;
};

static bool
keep_note(void *arg, const struct job_note *n)
{
	struct note_list *l = arg;

	if (l->n == l->cap) {
		size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
		struct job_note *grown = realloc(l->v, cap * sizeof(*grown));

		if (grown == NULL)
			return true;
		l->v = grown;
		l->cap = cap;
	}
	l->v[l->n++] = *n;
	return false;
}

static int
by_age(const void *a, const void *b)
{
	return job_note_later(a, b);
}

static int
list_noted(struct job_table *jt)
{
	struct note_list l = {0};

	(void)person_each_job(&jt->t->person, keep_note, &l);
	if (l.n > 0)
		qsort(l.v, l.n, sizeof(*l.v), by_age);
	for (size_t i = 0; i < l.n; i++) {
		const struct job_note *n = &l.v[i];
		char node[33];
		struct job_row r = {.reason = "", .outcome = n->outcome,
		    .state = n->state[0] != '\0' ? n->state : "submitted",
		    .image = n->image, .owner = jt->me, .node = node,
		    .made = n->at, .ended = json_null()};

		hex_encode(r.id, HASH_BYTES(n->job));
		hex_encode(node, HASH_BYTES(n->dest));
		add_job(jt, &r, n);
	}
	free(l.v);
	return CLI_OK;
}

struct jobs_options {
	struct target t;
	bool mine, held;
	const char *label;
};

static bool
set_jobs(struct cli *c, void *ctx, int option, const char *value)
{
	struct jobs_options *o = ctx;

	(void)c;
	if (option == OPT_MINE)
		o->mine = true;
	else if (option == OPT_HELD)
		o->held = true;
	else if (option == OPT_LABEL)
		o->label = value;
	else
		return target_option(&o->t, option, value);
	return true;
}

/* Which of the three lists; CLI_OK or said. */
static int
list_jobs(struct jobs_options *o, struct job_table *jt)
{
	struct target *t = &o->t;
	int rc;

	if (o->mine && (t->to != NULL || t->want_here)) {
		cli_error(jt->c, "--mine, --to and --here exclude each other");
		return CLI_USAGE;
	}
	if (o->mine && o->held) {
		cli_error(jt->c, "--mine and --held exclude each other");
		return CLI_USAGE;
	}
	rc = target_find(t, NULL);
	if (rc != CLI_OK)
		return rc;
	person_own_fp(&t->person, jt->me);
	if (!t->here)
		return list_remote(t, jt);
	if (o->mine || (!t->want_here && !ask_possible(jt->c, ASK_NODE)))
		return list_noted(jt);
	return ask(jt->c, ASK_NODE, json_pack("{s:s}", "verb", "jobs"),
	    take_here, jt);
}

int
verb_jobs(struct cli *c, int argc, char **argv)
{
	struct jobs_options o = {.mine = false};
	struct job_table jt = {.c = c, .t = &o.t, .now = (int64_t)time(NULL)};
	int rc;

	target_init(&o.t, c);
	rc = cli_options(c, VERB_JOBS, argc, argv, set_jobs, &o);
	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if (o.held && o.t.to != NULL && !o.mine) {
		/* a page of its own: jobs of others, as they were signed */
		rc = target_find(&o.t, NULL);
		if (rc == CLI_OK)
			rc = held_list(&o.t);
		target_close(&o.t);
		return rc;
	}
	jt.label = o.label;
	jt.held = o.held;
	jt.table = cli_table_new(c, columns);
	if (c->json)
		jt.list = json_array();
	rc = list_jobs(&o, &jt);
	if (rc == CLI_OK && c->json)
		cli_json(json_pack("{s:O}", "jobs", jt.list));
	else if (rc == CLI_OK && jt.n == 0)
		fprintf(stderr, "No jobs.\n");
	else if (rc == CLI_OK) {
		cli_table_print(jt.table);
		jt.table = NULL;
	}
	cli_table_free(jt.table);
	json_decref(jt.list);
	target_close(&o.t);
	return rc;
}

/* ---- show, cancel ---- */

/* What is known of it here alone. */
static void
print_note(const struct job_note *n)
{
	char labels[1024], image[600], at[24];

	labels_text(n, labels, sizeof(labels));
	(void)text_escape(image, sizeof(image), n->image, strlen(n->image));
	if (n->name[0] != '\0')
		printf("name      %s\n", n->name);
	if (labels[0] != '\0')
		printf("labels    %s\n", labels);
	if (image[0] != '\0')
		printf("image     %s\n", image);
	if (n->at != 0)
		printf("submitted %s\n", cli_time(at, n->at));
}

static int
show_remote(struct target *t)
{
	struct proto_req req = {.path = PATH_STATUS, .id = t->job.b};
	struct proto_job_status s;
	struct proto_ans a;
	char state[16], reason[160], out[96], at[24], wall[24], mem[24];
	int rc = target_connect(t);

	if (rc == CLI_OK)
		rc = session_ask(t->session, &req, &a, NULL, NULL);
	if (rc != CLI_OK)
		return rc;
	if (a.status != ST_OK)
		return session_refused(t->cli, &a);
	if (!proto_get_status(&s, &a)) {
		cli_error(t->cli, "malformed status");
		return CLI_FAILED;
	}
	pstr_copy(state, sizeof(state), s.state);
	pstr_copy(reason, sizeof(reason), s.reason);
	outcome_text(out, sizeof(out), &s.outcome);
	person_saw_job(&t->person, &t->job, state,
	    out[0] != '\0' ? out : reason);
	if (t->cli->json) {
		cli_json(json_pack("{s:s,s:s,s:s?,s:o,s:I,s:I,s:I,s:{s:I,s:I,"
				   "s:I},s:[I,I,I],s:s?,s:o,s:s?}",
		    "id", t->id, "state", state, "reason",
		    reason[0] != '\0' ? reason : NULL, "outcome",
		    outcome_json(&s.outcome), "attempts",
		    (json_int_t)s.attempts, "at", (json_int_t)s.at, "progress",
		    (json_int_t)s.progress, "usage", "wall_ms",
		    (json_int_t)s.wall_ms, "cpu_ms", (json_int_t)s.cpu_ms,
		    "memory_kb", (json_int_t)s.memory_kb, "log",
		    (json_int_t)s.log[0], (json_int_t)s.log[1],
		    (json_int_t)s.log[2], "name", or_null(t->note.name),
		    "labels", labels_json(&t->note), "image",
		    or_null(t->note.image)));
		return CLI_OK;
	}
	printf("job       %s\n", t->id);
	print_note(&t->note);
	printf("state     %s%s%s%s since %s\n", state,
	    reason[0] != '\0' ? " (" : "", reason,
	    reason[0] != '\0' ? ")" : "", cli_time(at, (int64_t)s.at));
	if (out[0] != '\0')
		printf("outcome   %s, attempt %" PRIu64 "\n", out, s.attempts);
	if (!cli_job_goes_on(state))
		printf("usage     ran %s, cpu %" PRIu64 " ms, memory peak %s\n",
		    cli_duration(wall, (int64_t)s.wall_ms), s.cpu_ms,
		    cli_memory(mem, s.memory_kb));
	printf("output    stdout %" PRIu64 ", stderr %" PRIu64
	       " bytes kept, %" PRIu64 " discarded\n",
	    s.log[0], s.log[1], s.log[2]);
	if (t->folder[0] != '\0')
		printf("folder    %s\n", t->folder);
	return CLI_OK;
}

/* A limit in the units of JOB.yaml. */
static const char *
limit_text(char out[24], const char *name, json_int_t v)
{
	if (strcmp(name, "time") == 0)
		units_time_text(out, 24, (uint64_t)v);
	else if (strcmp(name, "cpu") == 0)
		(void)snprintf(out, 24, "%lld.%03lld", (long long)v / 1000,
		    (long long)v % 1000);
	else if (strcmp(name, "pids") == 0)
		(void)snprintf(out, 24, "%lld", (long long)v);
	else
		units_size_text(out, 24, (uint64_t)v);
	return out;
}

/* What a job that waits or runs asks for, and who has said what of it. */
static void
print_wish(const json_t *o)
{
	const json_t *command = json_object_get(o, "command"), *v;
	char text[1024];
	size_t i;

	json_array_foreach(command, i, v) {
		(void)text_escape(text, sizeof(text), json_string_value(v),
		    json_string_length(v));
		printf("%s%s", i == 0 ? "command   " : " ", text);
	}
	if (json_array_size(command) > 0)
		printf("\n");
	if (json_is_true(json_object_get(o, "requires_review")))
		printf("review    asked for by its manifest\n");
	(void)text_escape(text, sizeof(text), ask_text(o, "approved_by"),
	    strlen(ask_text(o, "approved_by")));
	if (text[0] != '\0')
		printf("board     %s\n", text);
	json_array_foreach(json_object_get(o, "approvals"), i, v)
		printf("%s  by %s\n", strcmp(ask_text(v, "verdict"),
		    "approve") == 0 ? "approved" : "rejected",
		    ask_text(v, "signer"));
}

/* What this machine's node says of it, in the lines of show_remote(). */
static bool
print_here(void *arg, const json_t *o)
{
	const struct target *t = arg;
	const json_t *out = json_object_get(o, "outcome"), *v;
	const json_t *used = json_object_get(o, "usage");
	const json_t *log = json_object_get(o, "log");
	const char *reason = ask_text(o, "reason"), *key;
	char at[24], wall[24], mem[24], text[96] = "";

	if (t->cli->json)
		return ask_print(t->cli, o);
	if (t->note.at != 0)
		print_note(&t->note);
	ended_text(text, sizeof(text), out);
	printf("job       %s\nperson    %s, level %+lld\n", ask_text(o, "id"),
	    ask_text(o, "owner"), (long long)ask_int(o, "level"));
	printf("state     %s%s%s%s%s since %s\n",
	    json_is_true(json_object_get(o, "frozen")) ? FROZEN ", " : "",
	    ask_text(o, "state"),
	    reason[0] != '\0' ? " (" : "", reason,
	    reason[0] != '\0' ? ")" : "", cli_time(at, ask_int(o, "at")));
	if (text[0] != '\0')
		printf("outcome   %s, attempt %lld\n", text,
		    (long long)ask_int(o, "attempts"));
	printf("admitted  %s, ", cli_time(at, ask_int(o, "admitted")));
	printf("must end by %s\n", cli_time(at, ask_int(o, "deadline")));
	printf("image     sha256:%s\n", ask_text(o, "image"));
	print_wish(o);
	printf("limits   ");
	json_object_foreach(json_object_get(o, "limits"), key, v)
		printf(" %s %s", key,
		    limit_text(mem, key, json_integer_value(v)));
	printf("\nlayers    %s\n", ask_text(o, "layers"));
	if (!cli_job_goes_on(ask_text(o, "state")))
		printf("usage     ran %s, cpu %lld ms, memory peak %s\n",
		    cli_duration(wall, ask_int(used, "wall_ms")),
		    (long long)ask_int(used, "cpu_ms"),
		    cli_memory(mem, (uint64_t)ask_int(used, "memory_kb")));
	printf("output    stdout %lld, stderr %lld bytes kept, %lld "
	       "discarded\n",
	    (long long)json_integer_value(json_array_get(log, 0)),
	    (long long)json_integer_value(json_array_get(log, 1)),
	    (long long)json_integer_value(json_array_get(log, 2)));
	printf("receipt   %s\n", json_is_true(json_object_get(o, "receipt")) ?
		"signed" : "not yet");
	return true;
}

/* The state is that of now: one that runs is killed a moment later. */
static void
say_cancelled(const char *id, const char *state, const char *reason)
{
	printf("%.16s %s%s%s%s\n", id, state, reason[0] != '\0' ? " " : "",
	    reason, cli_job_goes_on(state) ? ", is being ended" : "");
}

static int
cancel_remote(struct target *t)
{
	struct proto_req req = {.path = PATH_CANCEL, .id = t->job.b};
	struct proto_ans a;
	struct pstr state, reason;
	char st[16], re[160];
	int rc = target_connect(t);

	if (rc != CLI_OK)
		return rc;
	if ((rc = session_ask(t->session, &req, &a, NULL, NULL)) != CLI_OK) {
		/* said by now, if it is no interrupt */
		if (session_interrupted(t->session))
			cli_error(t->cli, "interrupted");
		cli_hint(t->cli, "The node may have heard of it all the same: "
		    "`warren show %s` says.", t->id);
		return rc;
	}
	if (a.status != ST_OK)
		return session_refused(t->cli, &a);
	if (!proto_get_cancelled(&state, &reason, &a)) {
		cli_error(t->cli, "malformed answer");
		return CLI_FAILED;
	}
	pstr_copy(st, sizeof(st), state);
	pstr_copy(re, sizeof(re), reason);
	person_saw_job(&t->person, &t->job, st, re);
	if (t->cli->json)
		cli_json(json_pack("{s:s,s:s,s:s?}", "id", t->id, "state", st,
		    "reason", re[0] != '\0' ? re : NULL));
	else
		say_cancelled(t->id, st, re);
	return CLI_OK;
}

static bool
print_cancelled(void *arg, const json_t *o)
{
	const struct target *t = arg;
	const char *reason = ask_text(o, "reason");

	if (t->cli->json)
		return ask_print(t->cli, o);
	say_cancelled(ask_text(o, "id"), ask_text(o, "state"), reason);
	return true;
}

static int
on_target(struct cli *c, int argc, char **argv, enum cli_verb_id id,
    int (*remote)(struct target *), bool (*here)(void *, const json_t *))
{
	struct target t;
	int rc;

	target_init(&t, c);
	rc = cli_options(c, id, argc, argv, set_target, &t);
	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	rc = target_find(&t, argv[c->arg]);
	if (rc == CLI_OK && t.here)
		rc = ask(c, ASK_NODE,
		    json_pack("{s:s,s:s}", "verb", cli_verbs[id].name, "id",
			t.id),
		    here, &t);
	else if (rc == CLI_OK)
		rc = remote(&t);
	target_close(&t);
	return rc;
}

int
verb_show(struct cli *c, int argc, char **argv)
{
	return on_target(c, argc, argv, VERB_SHOW, show_remote,
	    print_here);
}

int
verb_cancel(struct cli *c, int argc, char **argv)
{
	return on_target(c, argc, argv, VERB_CANCEL, cancel_remote,
	    print_cancelled);
}
