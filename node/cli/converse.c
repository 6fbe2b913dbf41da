/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/converse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/util.h"
#include "node/cli/busy.h"
#include "node/cli/format.h"
#include "node/cli/leftout.h"
#include "node/cli/outcome.h"
#include "node/cli/repeat.h"
#include "node/cli/say.h"
#include "node/cli/taken.h"

#define PROGRESS_US MONO_SECOND
#define AIRTIME_SAID_S 10 /* of a link that is as slow */

/* ---- streams ---- */

static void
stream(struct talk *s, unsigned which, const uint8_t *p, size_t n, bool eof)
{
	sub_stream(&s->sub, which, p, n, eof);
	if (s->sub.phase == SUB_END)
		session_give_up(s->session);
	else if (eof)
		session_wake(s->session);
}

static void
on_stream1(void *arg, const uint8_t *p, size_t n, bool eof)
{
	stream(arg, 1, p, n, eof);
}

static void
on_stream2(void *arg, const uint8_t *p, size_t n, bool eof)
{
	stream(arg, 2, p, n, eof);
}

/* ---- what people see ---- */

/* What a queued job waits for, in words (compute.md 3.4). */
static const struct {
	const char *reason, *text;
} waits[] = {
	{"inputs", "its inputs"},
	{"slots", "its turn"},
	{"resources", "memory or processors that others use"},
	{"trust", "the part of the node that judges keys"},
	{"binding", "a binding of the key"},
	{"clock", "the clock of the node to be set"},
	{"image", "its image"},
	{"review", "a review"},
};

/*
 * What the job does now and for how long; until its own output begins, which
 * the line would be written into.
 */
static void
say_wait(struct talk *s)
{
	const struct submitter *m = &s->sub;
	int64_t us = mono_sub(clock_mono(), s->state_since);
	uint64_t past = (uint64_t)MAX_OF(us, INT64_C(0)) / MONO_SECOND;
	const char *what = m->reason;
	char hex[65], left[32] = "", t[24], most[24];

	if (m->phase != SUB_WATCH || m->state[0] == '\0' ||
	    s->dir.shown[0] + s->dir.shown[1] > 0)
		return;
	hex_encode(hex, HASH_BYTES(s->manifest->job));
	for (size_t i = 0; i < NELEM(waits); i++)
		if (strcmp(m->reason, waits[i].reason) == 0)
			what = waits[i].text;
	if (m->reason[0] != '\0') {
		if (m->wait_s > past)
			(void)snprintf(left, sizeof(left), ", about %s more",
			    cli_duration(t, (int64_t)(m->wait_s - past) *
				1000));
		cli_progress(s->c, "%.16s %s, waits for %s%s", hex, m->state,
		    what, left);
	} else if (strcmp(m->state, "running") == 0 &&
	    s->manifest->limit[LIMIT_TIME] != 0) {
		cli_progress(s->c, "%.16s running for %s of at most %s", hex,
		    cli_duration(t, us / 1000), cli_duration(most,
			(int64_t)s->manifest->limit[LIMIT_TIME]));
	} else {
		cli_progress(s->c, "%.16s %s for %s", hex, m->state,
		    cli_duration(t, us / 1000));
	}
}

static const char *
said_s(char out[24], uint64_t s)
{
	return cli_duration(out, (int64_t)MIN_OF(s, UINT64_C(31622400)) *
	    1000);
}

static void
say_state(struct talk *s)
{
	struct submitter *m = &s->sub;
	char hex[65], t[24], most[24];

	if (!m->state_changed)
		return;
	m->state_changed = false;
	if (m->resume && strcmp(m->reason, "inputs") == 0)
		cli_note(s->c, "the job waits for its inputs: submit its file "
			       "again to send the rest");
	hex_encode(hex, HASH_BYTES(s->manifest->job));
	if (s->c->json)
		cli_json(json_pack("{s:s,s:s,s:s,s:s?,s:I,s:I,s:I}", "event",
		    "state",
		    "id", hex, "state", m->state, "reason",
		    m->reason[0] != '\0' ? m->reason : NULL, "wait_s",
		    (json_int_t)m->wait_s, "airtime_s",
		    (json_int_t)m->airtime_s, "airtime_p90_s", (json_int_t)
		    MAX_OF(m->airtime_p90_s, m->airtime_s)));
	else if (m->airtime_s >= AIRTIME_SAID_S && m->phase == SUB_UPLOAD)
		cli_note(s->c, "the link to the node needs about %s%s%s for "
		    "what is still to move", said_s(t, m->airtime_s),
		    m->airtime_p90_s > m->airtime_s ? ", perhaps " : "",
		    m->airtime_p90_s > m->airtime_s ?
			said_s(most, m->airtime_p90_s) : "");
	s->state_since = clock_mono();
	say_wait(s);
}

static void
say_progress(struct talk *s, uint64_t more)
{
	struct submitter *m = &s->sub;
	struct mono now = clock_mono();
	uint64_t done = m->done_bytes + more;
	char a[24], b[24], r[24], left[24];
	double secs, rate;

	if (m->phase != s->shown_phase) {
		s->shown_phase = m->phase;
		s->phase_since = now;
		s->progress_at = mono_add(now, PROGRESS_US / 4);
	}
	if (m->total_bytes == 0 || !mono_reached(now, s->progress_at))
		return;
	s->progress_at = mono_add(now, PROGRESS_US);
	if (s->c->json) {
		cli_json(json_pack("{s:s,s:s,s:I,s:I}", "event", "progress",
		    "phase", sub_phase_name(m->phase), "bytes",
		    (json_int_t)done, "total", (json_int_t)m->total_bytes));
		return;
	}
	secs = (double)mono_sub(now, s->phase_since) / 1e6;
	rate = secs > 0 ? (double)(done - MIN_OF(done, m->here_bytes)) / secs :
			  0;
	cli_progress(s->c, "%s %s of %s, %s/s, %s left",
	    sub_phase_name(m->phase), cli_bytes(a, done),
	    cli_bytes(b, m->total_bytes), cli_bytes(r, (uint64_t)rate),
	    rate > 0 ? cli_duration(left,
			   (int64_t)((double)(m->total_bytes -
					 MIN_OF(done, m->total_bytes)) /
			       rate * 1000)) :
		       "?");
}

static void
on_progress(void *arg, bool sending, uint64_t done, uint64_t total)
{
	struct talk *s = arg;

	(void)sending;
	if (total == 0) /* an answer that has time */
		say_wait(s);
	else
		say_progress(s, done);
}

/* A transfer begins: what it takes by the node's budget is known before. */
static void
foresee(struct talk *s)
{
	const struct submitter *m = &s->sub;
	const struct remote *n = s->node;
	uint64_t bytes = m->total_bytes - MIN_OF(m->done_bytes, m->total_bytes);
	double since = (double)mono_sub(clock_mono(), n->described) / 1e6;
	uint64_t left = n->budget_left +
	    (uint64_t)((double)n->budget * since / 60);

	session_to_move(s->session, bytes);
	if (m->phase != SUB_UPLOAD && m->phase != SUB_OUTPUTS)
		return;
	/* again when it turns out to be more: the node has seen the list */
	if (m->phase == s->foreseen && bytes / 2 <= s->foreseen_bytes)
		return;
	s->foreseen = m->phase;
	s->foreseen_bytes = bytes;
	busy_foresee(s->c, sub_phase_name(m->phase), bytes, n->budget,
	    MIN_OF(left, n->budget), n->kept);
}

/* ---- the conversation ---- */

static int
prove(struct talk *s)
{
	uint8_t proof[PROTO_PROOF_LEN], aux[32];
	struct id32 digest;
	const struct hash16 *link = hash16_at(session_link_id(s->session));

	if (link == NULL)
		return CLI_UNREACHABLE;
	randombytes_buf(proof + 64, 32);
	randombytes_buf(aux, sizeof(aux));
	challenge_digest(&digest, link, s->sub.proof_n, proof + 64,
	    s->person->rns_pub, s->node->rns_pub);
	if (!secp_sign(proof, &s->person->secret, &digest, aux))
		return CLI_FAILED;
	sub_prove(&s->sub, proof);
	return CLI_OK;
}

/* What a job may write that does not say it itself. */
static void
set_bounds(struct talk *s)
{
	const uint64_t *asked = s->manifest->limit;
	const struct remote *n = s->node;

	taken_bounds(&s->sub, asked[LIMIT_LOG] != 0 ? asked[LIMIT_LOG] :
	    n->max_log, asked[LIMIT_OUTPUT] != 0 ? asked[LIMIT_OUTPUT] :
	    n->max_output);
	s->sub.bounds_old = n->kept &&
	    (asked[LIMIT_LOG] == 0 || asked[LIMIT_OUTPUT] == 0);
}

static int
renew_bounds(struct talk *s)
{
	int rc = remote_renew(s->c, s->session, s->person, s->node);

	if (rc == CLI_OK)
		set_bounds(s);
	return rc;
}

/*
 * Following a job costs about four ways there and back: one that ends within
 * that time is better waited for. Output that comes later is shown as it comes.
 */
static uint32_t
hold_s(int64_t rtt_us)
{
	return (uint32_t)MAX_OF(INT64_C(1), MIN_OF(INT64_C(20),
	    4 * rtt_us / MONO_SECOND));
}

static int
converse(struct talk *s)
{
	struct proto_req req;
	struct proto_ans ans;
	struct mono at;

	/* what is here of the logs; a retried job may have begun them anew */
	if (s->sub.resume && s->manifest->retries == 0)
		jobdir_logs_here(&s->dir, s->sub.log_have);
	if (s->ask == NULL)
		s->sub.rtt_us = session_rtt_us(s->session);
	s->sub.hold_s = hold_s(s->sub.rtt_us);
	sub_init(&s->sub, clock_mono());
	s->generation = session_generation(s->session);
	session_give_back(s->session);
	if (!s->sub.resume)
		jobdir_uploading(&s->dir, true);
	while (s->sub.phase != SUB_END) {
		int rc = CLI_OK;

		if (session_generation(s->session) != s->generation) {
			s->generation = session_generation(s->session);
			sub_link_lost(&s->sub);
		}
		if (!sub_next(&s->sub, clock_mono(), &req, &at)) {
			if (s->sub.proof_wanted && !s->sub.has_proof)
				rc = prove(s);
			else if (s->sub.bounds_wanted)
				rc = renew_bounds(s);
			else if (at.us != INT64_MAX) {
				say_wait(s);
				session_run(s->session,
				    mono_sub(at, clock_mono()));
			}
			/* a stream has ended it meanwhile */
			if (rc == SESSION_BROKEN)
				continue;
			if (rc != CLI_OK)
				return rc;
			if (session_interrupted(s->session))
				return CLI_FAILED;
			continue;
		}
		s->sent |= req.path == PATH_SUBMIT;
		if (s->ask != NULL)
			rc = s->ask(s->ask_arg, &req, &ans);
		else if (req.path == PATH_FOLLOW &&
		    session_stream(s->session, req.stream,
			req.stream == 1 ? on_stream1 : on_stream2, s) != 0)
			rc = SESSION_BROKEN;
		else
			rc = session_ask(s->session, &req, &ans, on_progress,
			    s);
		if (req.path == PATH_SUBMIT && s->ask == NULL)
			s->unsure |= session_unsure(s->session);
		s->sub.unsure = s->unsure;
		if (rc == SESSION_UNANSWERED) {
			sub_unanswered(&s->sub);
			continue;
		}
		if (rc == SESSION_BROKEN) {
			rc = session_up(s->session);
			if (rc != CLI_OK)
				return rc;
			continue;
		}
		if (rc != CLI_OK)
			return rc;
		if (session_generation(s->session) != s->generation) {
			s->generation = session_generation(s->session);
			sub_link_lost(&s->sub);
		}
		sub_answer(&s->sub, clock_mono(), &ans);
		if ((s->sub.phase > SUB_UPLOAD && s->sub.phase < SUB_END) ||
		    (s->sub.phase == SUB_END && s->sub.end == SUB_DETACHED))
			jobdir_uploading(&s->dir, false);
		say_state(s);
		foresee(s);
		say_progress(s, 0);
	}
	return CLI_OK;
}

static void
say_end_json(struct talk *s, bool verified)
{
	const struct submitter *m = &s->sub;
	json_t *outs = json_array();
	char hex[65];

	for (unsigned i = 0; i < m->nout; i++) {
		hex_encode(hex, HASH_BYTES(m->out[i].sha256));
		json_array_append_new(outs,
		    json_pack("{s:s,s:s,s:I}", "target",
			s->manifest->volume[m->out[i].volume].target, "sha256", hex,
			"size", (json_int_t)m->out[i].size));
	}
	hex_encode(hex, HASH_BYTES(s->manifest->job));
	cli_json(json_pack("{s:s,s:s,s:s,s:o,s:I,s:b,s:o,s:s,s:o,s:[I,I,I],"
			   "s:{s:I,s:I,s:I},s:o}",
	    "event", "end", "id", hex, "state", m->state, "outcome",
	    outcome_json_of(m->r.outcome, m->r.code, m->reason), "attempts",
	    (json_int_t)m->r.attempts, "verified",
	    verified ? 1 : 0, "layers", cli_layers_json(m->r.layers), "folder",
	    s->dir.path, "outputs", outs, "log", (json_int_t)m->kept[0],
	    (json_int_t)m->kept[1], (json_int_t)m->kept[2], "usage", "wall_ms",
	    (json_int_t)m->r.wall_ms, "cpu_ms", (json_int_t)m->r.cpu_ms,
	    "memory_kb", (json_int_t)m->r.memory_kb, "left_out",
	    leftout_json(&m->left, s->manifest)));
}

static void
say_end(struct talk *s)
{
	const struct submitter *m = &s->sub;
	char wall[24], words[240], safe[960];
	const char *remedy, *denied;

	cli_progress_end(s->c);
	leftout_say(s->c, "outputs", &m->left, s->manifest, NULL);
	if (s->c->json) {
		say_end_json(s, true);
		return;
	}
	if (m->kept[2] > 0)
		fprintf(stderr,
		    "warren %s: %" PRIu64
		    " bytes of output are lost: over the log limit, or "
		    "without room on the disk of the node\n",
		    s->c->verb, m->kept[2]);
	if ((denied = outcome_denied(s->manifest, m->r.layers)) != NULL)
		cli_note(s->c, "%s", denied);
	if (m->r.outcome == JOB_EXITED && m->r.code == 0 && !s->c->err_tty)
		return;
	outcome_words(words, sizeof(words), m->r.outcome, m->r.code,
	    m->reason);
	text_printable(safe, sizeof(safe), words, strlen(words));
	fprintf(stderr, "%s%s%s; receipt verified; results in %s\n", safe,
	    m->r.wall_ms > 0 ? " after " : "", m->r.wall_ms > 0 ?
		cli_duration(wall, m->r.wall_ms) : "", s->dir.path);
	remedy = outcome_remedy(m->r.outcome, m->r.code, m->reason);
	if (remedy != NULL)
		cli_hint(s->c, "%s", remedy);
}

/* ---- the end ---- */

bool
talk_admitted(const struct talk *s)
{
	return s->sub.resume || s->sub.state[0] != '\0' || s->there ||
	    (s->sent && s->sub.phase != SUB_END);
}

void
talk_note(const struct talk *s)
{
	const struct submitter *m = &s->sub;
	char outcome[160] = "";
	bool done = m->phase == SUB_END && m->end == SUB_DONE;

	if (done && m->r.outcome == JOB_KILLED)
		(void)snprintf(outcome, sizeof(outcome), "killed %s",
		    kill_name((unsigned)m->r.code & 0xff));
	else if (done && (m->r.outcome == JOB_EXITED ||
			     m->r.outcome == JOB_SIGNALLED))
		(void)snprintf(outcome, sizeof(outcome), "%s %d",
		    outcome_name(m->r.outcome), m->r.code);
	else /* it goes on, or has no outcome: lost, refused */
		(void)snprintf(outcome, sizeof(outcome), "%s", m->reason);
	person_saw_job(s->person, &s->manifest->job, m->state, outcome);
}

static void
say_there(struct talk *s)
{
	char hex[65];

	hex_encode(hex, HASH_BYTES(s->manifest->job));
	cli_hint(s->c, "It was sent more than once, and the node may have it "
		       "all the same. The same command goes on with it, "
		       "`warren cancel %.16s` ends it.", hex);
}

int
talk_refused(struct talk *s)
{
	struct submitter *m = &s->sub;

	if (!talk_admitted(s))
		jobdir_discard(&s->dir);
	m->refusal.now = (int64_t)time(NULL);
	cli_refused(s->c, &m->refusal);
	if (s->there)
		say_there(s);
	return m->status == ST_REFUSED || m->status == ST_TOO_LARGE ?
	    CLI_REFUSED : CLI_FAILED;
}

/*
 * Refused was what came last. Another copy, of which no answer came, may have
 * been admitted before: a node that takes no jobs now refuses that as well
 * (compute.md 4).
 */
static void
ask_there(struct talk *s)
{
	struct proto_req req = {.path = PATH_STATUS,
	    .id = s->manifest->job.b};
	struct proto_ans a;
	int rc;

	if (!s->unsure || talk_admitted(s) || repeat_never_had(&s->sub))
		return;
	rc = session_ask(s->session, &req, &a, NULL, NULL);
	s->there = rc != CLI_OK || a.status != ST_NOT_FOUND;
}

static int
conclude(struct talk *s)
{
	struct submitter *m = &s->sub;
	struct jobdir_end e = {.s = m, .binding = s->node->binding,
	    .node_urn = s->node->urn, .submitter = &s->person->key, .in_place = s->in_place,
	    .base = s->base,
	    .local = s->local};
	char hex[65];

	e.dest = s->node->dest;
	hex_encode(hex, HASH_BYTES(s->manifest->job));
	switch (m->end) {
	case SUB_DONE:
		if (jobdir_finish(&s->dir, &e) != CLI_OK)
			return CLI_FAILED;
		say_end(s);
		if (m->r.outcome != JOB_EXITED || m->r.code != 0)
			return CLI_JOB;
		return s->strict && m->left.count > 0 ? CLI_FAILED : CLI_OK;
	case SUB_DETACHED:
		cli_progress_end(s->c);
		if (!s->c->json)
			printf("%s\n", hex);
		return CLI_OK;
	case SUB_REFUSED:
		ask_there(s);
		if (talk_admitted(s))
			return talk_refused(s);
		if (s->renews && refusal_never_there(&m->refusal,
		    s->manifest->not_after))
			return TALK_LATE;
		return s->by_old && refusal_by_old(&m->refusal) ? TALK_OLD :
		    talk_refused(s);
	case SUB_NO_RECEIPT:
		cli_refused(s->c, &m->refusal);
		return CLI_REFUSED;
	case SUB_BAD_RECEIPT:
		cli_error(s->c, "the receipt is NOT valid: %s", m->why);
		if (s->node->kept)
			cli_hint(s->c, "The key of the node is the one that is "
				       "kept of it: `warren describe` with it "
				       "shows whether it has another now.");
		return CLI_FAILED;
	case SUB_BAD_NODE:
		cli_error(s->c, "the node breaks the protocol: %s", m->why);
		return CLI_FAILED;
	case SUB_LOCAL:
		jobdir_trouble(&s->dir, m->why);
		if (m->nout > 0)
			cli_hint(s->c, "The node keeps them: `warren result "
				       "%.16s` goes on.",
			    hex);
		return CLI_FAILED;
	}
	return CLI_FAILED;
}

/* An interrupt, or a node out of reach: what becomes of the job, what to do. */
static void
say_rest(struct talk *s)
{
	struct submitter *m = &s->sub;
	char hex[65], a[24], b[24];

	hex_encode(hex, HASH_BYTES(s->manifest->job));
	hex[16] = '\0';
	switch (m->phase) {
	case SUB_SUBMIT:
		cli_hint(s->c, "The node may have the job. The same command "
			       "goes on with it, `warren cancel %s` ends it.",
		    hex);
		break;
	case SUB_UPLOAD:
		cli_hint(s->c,
		    "The job waits 36 hours for the rest of its inputs (%s "
		    "of %s are there). The same command goes on, `warren cancel "
		    "%s` ends it.",
		    cli_bytes(a, m->done_bytes), cli_bytes(b, m->total_bytes),
		    hex);
		break;
	case SUB_WATCH:
		if (m->state[0] == '\0')
			cli_hint(s->c, "`warren result %s` asks for it again.",
			    hex);
		else if (strcmp(m->reason, "inputs") == 0)
			cli_hint(s->c, "The job waits for its inputs, and is "
				       "cancelled when none come within 36 "
				       "hours.");
		else if (strcmp(m->state, "held") == 0)
			cli_hint(s->c, "The job waits for a review. `warren "
				       "result %s` fetches what it made "
				       "afterwards, `warren cancel %s` ends "
				       "it.",
			    hex, hex);
		else
			cli_hint(s->c, "The job goes on. `warren result %s` "
				       "fetches what it made, `warren cancel "
				       "%s` ends it.",
			    hex, hex);
		break;
	default:
		cli_hint(s->c, "The job has ended. `warren result %s` goes on "
			       "with what it made.", hex);
		break;
	}
}

int
talk_run(struct talk *s)
{
	int rc = CLI_OK;

	if ((s->manifest->has & HAS_NODE) != 0)
		rc = remote_pinned(s->c, s->node, &s->manifest->node);
	if (rc != CLI_OK)
		return rc;
	s->sub.manifest = s->manifest;
	s->sub.node_key = s->node->key;
	s->sub.slice_max = s->node->slice;
	set_bounds(s);
	s->sub.buf = s->buf;
	jobdir_store(&s->dir, &s->sub.store);
	s->dir.show = !s->c->json && !s->sub.detach;
	rc = converse(s);
	if (rc == CLI_OK)
		return conclude(s);
	cli_progress_end(s->c);
	if (!talk_admitted(s)) {
		if (session_interrupted(s->session))
			cli_error(s->c, "interrupted before the node had the "
					"job");
		return rc;
	}
	if (session_interrupted(s->session))
		cli_error(s->c, "interrupted");
	say_rest(s);
	return rc;
}
