/* SPDX-License-Identifier: BSD-2-Clause */
/* warren jobs, show, cancel: over the mesh, or of this machine's node. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#include "node/cli/ask.h"
#include "node/cli/format.h"
#include "node/cli/outcome.h"
#include "node/cli/options.h"
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

/* As cli_options(). */
static int
read_options(struct target *t, struct cli *c, enum cli_verb_id id, int argc,
    char **argv)
{
	target_init(t, c);
	return cli_options(c, id, argc, argv, set_target, t);
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

struct job_table {
	struct cli *c;
	struct cli_table *t;
	json_t *list;
	size_t n;
};

static void
add_job(struct job_table *jt, const char *id, const char *state,
    const char *reason, const char *outcome, json_t *steal_outcome,
    int64_t at)
{
	char when[24], short_id[17];
	const char *row[] = {short_id, state, reason, outcome, when};

	(void)snprintf(short_id, sizeof(short_id), "%.16s", id);
	(void)cli_time(when, at);
	jt->n++;
	if (jt->list != NULL)
		(void)json_array_append_new(jt->list,
		    json_pack("{s:s,s:s,s:s?,s:o,s:I}", "id", id, "state",
			state, "reason", reason[0] != '\0' ? reason : NULL,
			"outcome", steal_outcome, "at", (json_int_t)at));
	else
		json_decref(steal_outcome);
	cli_table_row(jt->t, row);
}

static bool
take_here(void *arg, const json_t *o)
{
	struct job_table *jt = arg;
	const json_t *j;
	size_t i;

	json_array_foreach(json_object_get(o, "jobs"), i, j) {
		const json_t *out = json_object_get(j, "outcome");
		const char *reason = json_string_value(
		    json_object_get(j, "reason"));
		const char *id = json_string_value(json_object_get(j, "id"));
		const char *st = json_string_value(json_object_get(j, "state"));
		const json_t *detail = json_array_get(out, 1);
		char text[96] = "";

		if (json_is_array(out) && json_is_string(detail))
			(void)snprintf(text, sizeof(text), "%s %s",
			    json_string_value(json_array_get(out, 0)),
			    json_string_value(detail));
		else if (json_is_array(out))
			(void)snprintf(text, sizeof(text), "%s %lld",
			    json_string_value(json_array_get(out, 0)),
			    (long long)json_integer_value(detail));
		add_job(jt, id != NULL ? id : "?", st != NULL ? st : "?",
		    reason != NULL ? reason : "", text,
		    out != NULL ? json_deep_copy(out) : json_null(),
		    json_integer_value(json_object_get(j, "at")));
	}
	return true;
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
		for (size_t i = 0; i < l.njobs; i++) {
			const struct proto_job_line *j = &l.jobs[i];
			char id[65], state[16], reason[160], out[96];

			hex_encode(id, j->id, 32);
			pstr_copy(state, sizeof(state), j->state);
			pstr_copy(reason, sizeof(reason), j->reason);
			outcome_text(out, sizeof(out), &j->outcome);
			add_job(jt, id, state, reason, out,
			    outcome_json(&j->outcome), (int64_t)j->at);
		}
		if (!l.has_next || l.next <= req.after)
			break;
		req.after = l.next;
	}
	return rc;
}

int
verb_jobs(struct cli *c, int argc, char **argv)
{
	static const char *const heads[] = {"JOB", "STATE", "REASON",
	    "OUTCOME", "SINCE"};
	struct job_table jt = {.c = c};
	struct target t;
	int rc;

	if ((rc = read_options(&t, c, VERB_JOBS, argc, argv)) != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	jt.t = cli_table_new(heads, NELEM(heads));
	if (c->json)
		jt.list = json_array();
	rc = target_find(&t, NULL);
	if (rc == CLI_OK && t.here)
		rc = ask(c, ASK_NODE, json_pack("{s:s}", "verb", "jobs"),
		    take_here, &jt);
	else if (rc == CLI_OK)
		rc = list_remote(&t, &jt);
	if (rc == CLI_OK && c->json)
		cli_json(json_pack("{s:O}", "jobs", jt.list));
	else if (rc == CLI_OK && jt.n == 0)
		fprintf(stderr, "No jobs.\n");
	else if (rc == CLI_OK) {
		cli_table_print(jt.t);
		jt.t = NULL;
	}
	cli_table_free(jt.t);
	json_decref(jt.list);
	target_close(&t);
	return rc;
}

/* ---- show, cancel ---- */

static int
show_remote(struct target *t)
{
	struct proto_req req = {.path = PATH_STATUS, .id = t->job};
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
	if (t->cli->json) {
		cli_json(json_pack("{s:s,s:s,s:s?,s:o,s:I,s:I,s:I,s:{s:I,s:I,"
				   "s:I},s:[I,I,I]}",
		    "id", t->id, "state", state, "reason",
		    reason[0] != '\0' ? reason : NULL, "outcome",
		    outcome_json(&s.outcome), "attempts",
		    (json_int_t)s.attempts, "at", (json_int_t)s.at, "progress",
		    (json_int_t)s.progress, "usage", "wall_ms",
		    (json_int_t)s.wall_ms, "cpu_ms", (json_int_t)s.cpu_ms,
		    "memory_kb", (json_int_t)s.memory_kb, "log",
		    (json_int_t)s.log[0], (json_int_t)s.log[1],
		    (json_int_t)s.log[2]));
		return CLI_OK;
	}
	printf("job       %s\n", t->id);
	printf("state     %s%s%s%s since %s\n", state,
	    reason[0] != '\0' ? " (" : "", reason,
	    reason[0] != '\0' ? ")" : "", cli_time(at, (int64_t)s.at));
	if (out[0] != '\0')
		printf("outcome   %s, attempt %" PRIu64 "\n", out, s.attempts);
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

static int
cancel_remote(struct target *t)
{
	struct proto_req req = {.path = PATH_CANCEL, .id = t->job};
	struct proto_ans a;
	struct pstr state, reason;
	char st[16], re[160];
	int rc = target_connect(t);

	if (rc == CLI_OK)
		rc = session_ask(t->session, &req, &a, NULL, NULL);
	if (rc != CLI_OK)
		return rc;
	if (a.status != ST_OK)
		return session_refused(t->cli, &a);
	if (!proto_get_cancelled(&state, &reason, &a)) {
		cli_error(t->cli, "malformed answer");
		return CLI_FAILED;
	}
	pstr_copy(st, sizeof(st), state);
	pstr_copy(re, sizeof(re), reason);
	if (t->cli->json)
		cli_json(json_pack("{s:s,s:s,s:s?}", "id", t->id, "state", st,
		    "reason", re[0] != '\0' ? re : NULL));
	else
		printf("%.16s %s%s%s\n", t->id, st, re[0] != '\0' ? " " : "",
		    re);
	return CLI_OK;
}

static int
on_target(struct cli *c, int argc, char **argv, enum cli_verb_id id,
    int (*remote)(struct target *))
{
	struct target t;
	int rc;

	if ((rc = read_options(&t, c, id, argc, argv)) != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	rc = target_find(&t, argv[c->arg]);
	if (rc == CLI_OK && t.here)
		rc = ask(c, ASK_NODE,
		    json_pack("{s:s,s:s}", "verb", cli_verbs[id].name, "id",
			t.id),
		    ask_print, c);
	else if (rc == CLI_OK)
		rc = remote(&t);
	target_close(&t);
	return rc;
}

int
verb_show(struct cli *c, int argc, char **argv)
{
	return on_target(c, argc, argv, VERB_SHOW, show_remote);
}

int
verb_cancel(struct cli *c, int argc, char **argv)
{
	return on_target(c, argc, argv, VERB_CANCEL, cancel_remote);
}
