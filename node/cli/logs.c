/* SPDX-License-Identifier: BSD-2-Clause */
/* warren logs JOB [-f] [--stderr] */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/util.h"

#include "node/cli/ask.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "node/cli/target.h"

/* of one answer of the control socket, which has lines of 64 KiB */
#define HERE_SLICE 32768
#define PACE_US (500 * 1000)

struct logs {
	struct target t;
	bool follow;
	uint8_t stream; /* 1 stdout, 2 stderr */
	uint64_t have;	/* bytes printed */
	bool failed;	/* our standard output is gone */
	bool end;
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

static void
print_bytes(struct logs *l, const uint8_t *p, size_t n)
{
	struct cli *c = l->t.cli;

	if (n == 0)
		return;
	if (c->json) {
		size_t cap = sodium_base64_encoded_len(n,
		    sodium_base64_VARIANT_ORIGINAL);
		char *text = malloc(cap);

		if (text != NULL) {
			(void)sodium_bin2base64(text, cap, p, n,
			    sodium_base64_VARIANT_ORIGINAL);
			cli_json(json_pack("{s:s,s:s,s:I,s:s}", "event", "log",
			    "stream", l->stream == 1 ? "stdout" : "stderr",
			    "offset", (json_int_t)l->have, "base64", text));
		}
		l->failed = text == NULL || ferror(stdout) != 0;
		free(text);
	} else {
		l->failed = !cli_write_stream(c, STDOUT_FILENO, p, n);
	}
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

static int
logs_remote(struct logs *l)
{
	bool end;
	int rc = target_connect(&l->t);

	if (rc != CLI_OK)
		return rc;
	if (!l->follow)
		return read_log(l, &end);
	while ((rc = follow_once(l)) == SESSION_BROKEN) {
		rc = session_up(l->t.session);
		if (rc != CLI_OK)
			return rc;
	}
	return rc;
}

static bool
take_here(void *arg, const json_t *o)
{
	struct logs *l = arg;
	const json_t *text = json_object_get(o, "base64");
	uint8_t bytes[HERE_SLICE];
	size_t n = 0;

	if (json_is_string(text) &&
	    sodium_base642bin(bytes, sizeof(bytes), json_string_value(text),
		json_string_length(text), NULL, &n, NULL,
		sodium_base64_VARIANT_ORIGINAL) == 0)
		print_bytes(l, bytes, n);
	else
		n = 0;
	/* the last slice of a job that has ended */
	l->end = n == 0 && json_is_true(json_object_get(o, "ended"));
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
	struct logs l = {.stream = 1};
	int rc;

	target_init(&l.t, c);
	rc = cli_options(c, VERB_LOGS, argc, argv, set_option, &l);
	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	rc = target_find(&l.t, argv[c->arg]);
	if (rc == CLI_OK)
		rc = l.t.here ? logs_here(&l) : logs_remote(&l);
	target_close(&l.t);
	return rc;
}
