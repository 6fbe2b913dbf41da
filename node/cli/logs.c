/* SPDX-License-Identifier: BSD-2-Clause */
/* warren logs JOB [-f] [--stderr] */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/b64.h"
#include "common/clock.h"
#include "common/util.h"

#include "node/cli/ask.h"
#include "node/cli/bothlogs.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "node/cli/target.h"

/* of one answer of the control socket, which has lines of 64 KiB */
#define HERE_SLICE BOTH_SLICE
#define PACE_US (500 * 1000)

struct logs {
	struct target t;
	bool follow;
	uint8_t stream; /* 1 stdout, 2 stderr; with follow 0: both */
	uint64_t have;	/* bytes printed */
	bool failed;	/* our standard output is gone, or an answer is bad */
	bool end;
	/* of both */
	struct both both;
	bool eof[2];
	int rc; /* why a fetch failed */
	uint8_t bytes[BOTH_SLICE], runs[PROTO_RUNS_MAX * 4];
	struct both_got got;
};

static bool
set_option(struct cli *c, void *ctx, int option, const char *value)
{
	struct logs *l = ctx;

	(void)c;
	if (option == OPT_FOLLOW)
		l->follow = true;
	else if (option == OPT_STDERR)
		l->stream = 2;
	else
		return target_option(&l->t, option, value);
	return true;
}

static bool
print_at(struct logs *l, unsigned stream, uint64_t offset, const uint8_t *p,
    size_t n)
{
	struct cli *c = l->t.cli;

	if (n == 0)
		return true;
	if (c->json) {
		size_t cap = sodium_base64_encoded_len(n,
		    sodium_base64_VARIANT_ORIGINAL);
		char *text = malloc(cap);

		if (text != NULL) {
			(void)sodium_bin2base64(text, cap, p, n,
			    sodium_base64_VARIANT_ORIGINAL);
			cli_json(json_pack("{s:s,s:s,s:I,s:s}", "event", "log",
			    "stream", stream == 1 ? "stdout" : "stderr",
			    "offset", (json_int_t)offset, "base64", text));
		}
		l->failed = text == NULL || ferror(stdout) != 0;
		free(text);
	} else {
		/* both at once go where they belong, one of them to ours */
		l->failed = !cli_write_stream(c, l->stream == 0 && stream == 2 ?
			STDERR_FILENO : STDOUT_FILENO, p, n);
	}
	return !l->failed;
}

static void
print_bytes(struct logs *l, const uint8_t *p, size_t n)
{
	(void)print_at(l, l->stream, l->have, p, n);
	l->have += n;
}

static void
on_bytes(void *arg, const uint8_t *p, size_t n, bool eof)
{
	struct logs *l = arg;

	if (l->end)
		return; /* asked twice, and sent twice */
	print_bytes(l, p, n);
	l->end = eof;
	if (l->end || l->failed)
		session_wake(l->t.session);
}

/* What there is; *end: the job has ended, nothing will be added. */
static int
read_log(struct logs *l, bool *end)
{
	struct proto_req req = {.path = PATH_LOG,
	    .id = l->t.job.b,
	    .stream = l->stream,
	    .n = PROTO_SLICE};
	struct proto_ans a;
	struct pbin b;

	do {
		int rc;

		req.offset = l->have;
		rc = session_ask(l->t.session, &req, &a, NULL, NULL);
		if (rc != CLI_OK)
			return rc;
		if (a.status != ST_OK)
			return session_refused(l->t.cli, &a);
		if (!proto_get_bytes(&b, &a)) {
			cli_error(l->t.cli, "malformed answer");
			return CLI_FAILED;
		}
		print_bytes(l, b.p, b.n);
	} while (b.n > 0 && !l->failed);
	*end = a.meta.has_end && a.meta.end;
	return l->failed ? CLI_FAILED : CLI_OK;
}

/* One follow on one link; SESSION_BROKEN: ask again. */
static int
follow_once(struct logs *l)
{
	struct proto_req req = {.path = PATH_FOLLOW,
	    .id = l->t.job.b,
	    .stream = l->stream,
	    .offset = l->have};
	unsigned generation = session_generation(l->t.session);
	struct proto_ans a;
	uint64_t o;
	int rc;

	if (session_stream(l->t.session, l->stream, on_bytes, l) != 0)
		return SESSION_BROKEN;
	rc = session_ask(l->t.session, &req, &a, NULL, NULL);
	if (rc != CLI_OK)
		return rc;
	if (a.status != ST_OK)
		return session_refused(l->t.cli, &a);
	if (!proto_get_offset(&o, &a) || o != req.offset) {
		cli_error(l->t.cli, "the node follows from another place");
		return CLI_FAILED;
	}
	while (!l->end && !l->failed && session_link_id(l->t.session) != NULL &&
	    session_generation(l->t.session) == generation &&
	    !session_interrupted(l->t.session))
		session_run(l->t.session, PACE_US);
	if (session_interrupted(l->t.session) || l->failed)
		return CLI_FAILED;
	return l->end ? CLI_OK : SESSION_BROKEN;
}

/* ---- both streams ---- */

static bool
print_both(void *arg, unsigned stream, uint64_t offset, const uint8_t *p,
    size_t n)
{
	return print_at(arg, stream, offset, p, n);
}

static bool
fetch_remote(void *arg, unsigned stream, uint64_t offset, bool want,
    uint64_t from, struct both_got *g)
{
	struct logs *l = arg;
	struct proto_req req = {.path = PATH_LOG,
	    .id = l->t.job.b,
	    .stream = (uint8_t)stream,
	    .offset = offset,
	    .n = BOTH_SLICE,
	    .has_runs = want,
	    .runs = from};
	struct proto_ans a;
	struct pbin b;

	l->rc = session_ask(l->t.session, &req, &a, NULL, NULL);
	if (l->rc == CLI_OK && a.status != ST_OK)
		l->rc = session_refused(l->t.cli, &a);
	if (l->rc != CLI_OK)
		return false;
	if (!proto_get_bytes(&b, &a)) {
		cli_error(l->t.cli, "malformed answer");
		l->rc = CLI_FAILED;
		return false;
	}
	*g = (struct both_got){.p = b.p, .n = b.n,
	    .end = a.meta.has_end && a.meta.end, .runs = a.meta.runs.p,
	    .nruns = a.meta.runs.n / 4};
	return true;
}

static void
came(struct logs *l, unsigned stream, const uint8_t *p, size_t n, bool eof)
{
	if (l->eof[stream - 1])
		return; /* asked twice, and sent twice */
	(void)both_came(&l->both, stream, p, n);
	l->eof[stream - 1] = eof;
	if (l->failed || (l->eof[0] && l->eof[1]))
		session_wake(l->t.session);
}

static void
on_stdout(void *arg, const uint8_t *p, size_t n, bool eof)
{
	came(arg, 1, p, n, eof);
}

static void
on_stderr(void *arg, const uint8_t *p, size_t n, bool eof)
{
	came(arg, 2, p, n, eof);
}

/* What is written from now on comes by itself, in the order of its coming. */
static int
follow_both(struct logs *l)
{
	struct session *s = l->t.session;
	unsigned generation = session_generation(s);

	l->eof[0] = l->eof[1] = false;
	for (uint8_t k = 1; k <= 2; k++) {
		struct proto_req req = {.path = PATH_FOLLOW,
		    .id = l->t.job.b,
		    .stream = k,
		    .offset = l->both.printed[k - 1]};
		struct proto_ans a;
		uint64_t o;
		int rc;

		if (session_generation(s) != generation ||
		    session_stream(s, k, k == 1 ? on_stdout : on_stderr,
			l) != 0)
			return SESSION_BROKEN;
		rc = session_ask(s, &req, &a, NULL, NULL);
		if (rc != CLI_OK)
			return rc;
		if (a.status != ST_OK)
			return session_refused(l->t.cli, &a);
		if (!proto_get_offset(&o, &a) || o != req.offset) {
			cli_error(l->t.cli, "the node follows from another "
					    "place");
			return CLI_FAILED;
		}
	}
	while (!(l->eof[0] && l->eof[1]) && !l->failed &&
	    session_link_id(s) != NULL &&
	    session_generation(s) == generation && !session_interrupted(s))
		session_run(s, PACE_US);
	if (session_interrupted(s) || l->failed)
		return CLI_FAILED;
	return l->eof[0] && l->eof[1] ? CLI_OK : SESSION_BROKEN;
}

static int
both_remote(struct logs *l)
{
	int rc;

	l->both.fetch = fetch_remote;
	for (;;) {
		if (!both_drain(&l->both))
			return l->failed ? CLI_FAILED : l->rc;
		if (both_ended(&l->both))
			return CLI_OK;
		rc = follow_both(l);
		if (rc != SESSION_BROKEN)
			return rc;
		if ((rc = session_up(l->t.session)) != CLI_OK)
			return rc;
	}
}

static int
logs_remote(struct logs *l)
{
	bool end;
	int rc = target_connect(&l->t);

	if (rc != CLI_OK)
		return rc;
	if (l->stream == 0)
		return both_remote(l);
	if (!l->follow)
		return read_log(l, &end);
	while ((rc = follow_once(l)) == SESSION_BROKEN) {
		rc = session_up(l->t.session);
		if (rc != CLI_OK)
			return rc;
	}
	return rc;
}

/* ---- on the node's own machine ---- */

/* Base64 of one answer into l->bytes; how many, -1. */
static ssize_t
bytes_of(struct logs *l, const json_t *o)
{
	const json_t *text = json_object_get(o, "base64");
	size_t n = 0;

	if (!json_is_string(text) ||
	    !b64_get(l->bytes, sizeof(l->bytes), json_string_value(text),
		json_string_length(text), &n, sodium_base64_VARIANT_ORIGINAL))
		return -1;
	return (ssize_t)n;
}

static bool
take_both(void *arg, const json_t *o)
{
	struct logs *l = arg;
	const char *runs = json_string_value(json_object_get(o, "runs"));
	ssize_t n = bytes_of(l, o);
	size_t len = runs == NULL ? 0 : strlen(runs) / 2;

	l->got = (struct both_got){.p = l->bytes,
	    .n = (size_t)MAX_OF(n, 0),
	    .end = json_is_true(json_object_get(o, "ended"))};
	if (len <= sizeof(l->runs) && len % 4 == 0 && runs != NULL &&
	    hex_decode(l->runs, len, runs, strlen(runs))) {
		l->got.runs = l->runs;
		l->got.nruns = len / 4;
	}
	return n >= 0;
}

static bool
fetch_here(void *arg, unsigned stream, uint64_t offset, bool want,
    uint64_t from, struct both_got *g)
{
	struct logs *l = arg;
	json_t *q = json_pack("{s:s,s:s,s:s,s:I,s:I}", "verb", "logs", "id",
	    l->t.id, "stream", stream == 1 ? "stdout" : "stderr", "offset",
	    (json_int_t)offset, "n", (json_int_t)BOTH_SLICE);

	if (want && q != NULL)
		(void)json_object_set_new(q, "runs",
		    json_integer((json_int_t)from));
	memset(&l->got, 0, sizeof(l->got));
	l->rc = ask(l->t.cli, ASK_NODE, q, take_both, l);
	*g = l->got;
	if (g->p == NULL)
		g->p = l->bytes;
	return l->rc == CLI_OK;
}

static int
both_here(struct logs *l)
{
	l->both.fetch = fetch_here;
	while (both_drain(&l->both)) {
		if (both_ended(&l->both))
			return CLI_OK;
		(void)usleep(PACE_US);
	}
	return l->failed ? CLI_FAILED : l->rc;
}

static bool
take_here(void *arg, const json_t *o)
{
	struct logs *l = arg;
	ssize_t n = bytes_of(l, o);

	if (n > 0)
		print_bytes(l, l->bytes, (size_t)n);
	/* the last slice of a job that has ended */
	l->end = n <= 0 && json_is_true(json_object_get(o, "ended"));
	return n > 0;
}

static int
logs_here(struct logs *l)
{
	uint64_t before;

	do {
		int rc;

		before = l->have;
		rc = ask(l->t.cli, ASK_NODE,
		    json_pack("{s:s,s:s,s:s,s:I,s:I}", "verb", "logs", "id",
			l->t.id, "stream", l->stream == 1 ? "stdout" : "stderr",
			"offset", (json_int_t)l->have, "n",
			(json_int_t)HERE_SLICE),
		    take_here, l);
		if (rc != CLI_OK)
			return rc;
		if (l->failed)
			return CLI_FAILED;
		if (l->have == before && l->follow && !l->end)
			(void)usleep(PACE_US);
	} while (l->have != before || (l->follow && !l->end));
	return CLI_OK;
}

int
verb_logs(struct cli *c, int argc, char **argv)
{
	struct logs *l = calloc(1, sizeof(*l));
	int rc;

	if (l == NULL)
		return CLI_FAILED;
	target_init(&l->t, c);
	l->both.print = print_both;
	l->both.arg = l;
	rc = cli_options(c, VERB_LOGS, argc, argv, set_option, l);
	if (rc == CLI_OK) {
		if (l->stream == 0 && !l->follow)
			l->stream = 1;
		rc = target_find(&l->t, argv[c->arg]);
		if (rc == CLI_OK)
			rc = !l->t.here ? logs_remote(l) :
			    l->stream == 0 ? both_here(l) : logs_here(l);
		target_close(&l->t);
	}
	free(l);
	return rc < 0 ? CLI_OK : rc;
}
