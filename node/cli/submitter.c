/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/submitter.h"

#include <string.h>

#include "common/util.h"
#include "node/cli/pace.h"
#include "node/cli/repeat.h"
#include "node/cli/taken.h"
#include "node/cli/whole.h"
#include "node/proto/slice.h"

/*
 * ours: the node gives the next answer when something has changed, at the latest
 * after so long: in a while what is lost is noticed by it alone, unless streams
 * tell of the end.
 */
#define HOLD_S 60
#define HOLD_FOLLOWING_S 600
/* ours: bytes of logs, and of outputs, in one answer with the receipt; more are
 * resumed better, and of outputs more than a slice */
#define WHOLE_MAX 1024
#define WHOLE_OUTPUTS 8192u
/* ours: live proofs for one submit; a link that breaks needs another */
#define PROOFS_MAX 8
/* ours: asks again when the node does not know yet what it lacks */
#define MORE_US MONO_SECOND
/* ours: asks what has become of the job when its blob is not wanted any more */
#define UNWANTED_MAX 3

static const char *const phase_name[] = {
    "submit", "upload", "run", "result", "download", "download", "end"};

const char *
sub_phase_name(enum sub_phase p)
{
	return phase_name[p];
}

static void
set_text(char *dst, size_t cap, const char *src)
{
	size_t n = MIN_OF(strlen(src), cap - 1);

	memcpy(dst, src, n);
	dst[n] = '\0';
}

static void
finish(struct submitter *s, enum sub_end end, const char *why)
{
	s->phase = SUB_END;
	s->end = end;
	if (why != NULL)
		set_text(s->why, sizeof(s->why), why);
}

static void
bad_node(struct submitter *s, const char *why)
{
	finish(s, SUB_BAD_NODE, why);
}

static void
enter_watch(struct submitter *s, struct mono now)
{
	s->phase = SUB_WATCH;
	s->poll_us = PACE_FIRST_US;
	s->poll_at = now;
	s->has_seq = false;
	s->done_bytes = s->total_bytes = s->here_bytes = 0;
}

void
sub_init(struct submitter *s, struct mono now)
{
	if (s->slice_max == 0 || s->slice_max > PROTO_SLICE)
		s->slice_max = PROTO_SLICE;
	s->slice = MIN_OF(s->slice_max, slice_first(s->rtt_us));
	upload_init(&s->up, s->manifest);
	for (unsigned i = 0; i < MANIFEST_INPUTS; i++)
		s->up.v[i] = (struct upload_volume){.t = s->chunks[i]};
	s->phase = SUB_SUBMIT;
	s->poll_at = now;
	if (s->resume)
		enter_watch(s, now);
}

/* ---- what to ask ---- */

static bool
next_upload(struct submitter *s, struct proto_req *req)
{
	struct upload *u = &s->up;
	size_t n;

	if (!upload_next(u, s->slice, &n))
		return false;
	if (n > 0 && !s->store.input(s->store.input_arg, &u->sha, u->have,
		s->buf, n)) {
		finish(s, SUB_LOCAL, "an input cannot be read");
		return false;
	}
	req->path = PATH_BLOB_PUT;
	req->digest = u->sha.b;
	req->offset = u->have;
	req->n = u->size;
	req->body = (struct pbin){s->buf, n};
	return true;
}

static void
ask_whole(const struct submitter *s, struct proto_req *req)
{
	req->whole = WHOLE_MAX;
	for (unsigned i = 0; i < s->manifest->nvolumes; i++)
		if (s->manifest->volume[i].rw)
			req->outputs = MIN_OF(WHOLE_OUTPUTS, s->slice);
}

static bool
next_submit(struct submitter *s, struct mono now, struct proto_req *req,
    struct mono *at)
{
	if (s->shut_s > 0) {
		req->path = PATH_STATUS;
		return true;
	}
	if (s->proof_wanted && !s->has_proof)
		return false;
	if (!mono_reached(now, s->poll_at)) {
		*at = s->poll_at;
		return false;
	}
	req->path = PATH_SUBMIT;
	req->envelope = (struct pbin){s->envelope, s->envelope_len};
	req->binding = s->shown ? NULL : s->binding;
	req->proof = s->has_proof ? s->proof : NULL;
	if (!s->detach) {
		req->wait_s = s->hold_s;
		ask_whole(s, req);
	}
	return true;
}

static bool
next_watch(struct submitter *s, struct mono now, struct proto_req *req,
    struct mono *at)
{
	for (unsigned i = 0; i < 2; i++)
		if (!s->follow_asked[i] && !s->eof[i]) {
			req->path = PATH_FOLLOW;
			req->stream = (uint8_t)(i + 1);
			req->offset = s->follow_from[i] = s->log_have[i];
			return true;
		}
	if (!mono_reached(now, s->poll_at)) {
		*at = s->poll_at;
		return false;
	}
	req->path = PATH_STATUS;
	req->has_since = s->has_seq;
	req->since = s->seq;
	/* what the streams have brought is not brought again */
	if (s->log_have[0] + s->log_have[1] == 0)
		ask_whole(s, req);
	if (s->has_seq)
		req->wait_s = s->following[0] && s->following[1] ?
		    HOLD_FOLLOWING_S : HOLD_S;
	return true;
}

static bool
next_request(struct submitter *s, struct mono now, struct proto_req *req,
    struct mono *at)
{
	switch (s->phase) {
	case SUB_SUBMIT:
		return next_submit(s, now, req, at);
	case SUB_UPLOAD:
		if (next_upload(s, req))
			return true;
		if (s->phase == SUB_END)
			return false;
		/* the state, and what more it lacks */
		s->phase = SUB_SUBMIT;
		return next_submit(s, now, req, at);
	case SUB_WATCH:
		return next_watch(s, now, req, at);
	case SUB_RESULT:
		if (!mono_reached(now, s->poll_at)) {
			*at = s->poll_at;
			return false;
		}
		req->path = PATH_RESULT;
		return true;
	case SUB_OUTPUTS:
		req->path = PATH_BLOB_GET;
		req->digest = s->out[s->iout].sha256.b;
		req->offset = s->out[s->iout].have;
		req->n = s->slice;
		return true;
	case SUB_LOGS:
		req->path = PATH_LOG;
		req->stream = (uint8_t)(s->ilog + 1);
		req->offset = s->log_have[s->ilog];
		req->n = s->slice;
		return true;
	case SUB_END:
		break;
	}
	return false;
}

bool
sub_next(struct submitter *s, struct mono now, struct proto_req *req,
    struct mono *at)
{
	memset(req, 0, sizeof(*req));
	req->id = s->manifest->job.b;
	*at = MONO_NEVER;
	s->sent_at = now;
	if (s->bounds_wanted || !next_request(s, now, req, at))
		return false;
	s->asked = req->path;
	s->waiting = true;
	s->held_s = (uint32_t)req->wait_s;
	s->asked_whole = req->whole > 0;
	s->asked_stream = req->stream;
	return true;
}

/* ---- what came ---- */

static void
adapt_slice(struct submitter *s, struct mono now, size_t moved)
{
	s->slice = slice_after(s->slice, (uint32_t)moved,
	    mono_sub(now, s->sent_at), s->slice_max);
}

static void
take_state(struct submitter *s, struct pstr state, struct pstr reason)
{
	char st[sizeof(s->state)], re[sizeof(s->reason)];

	pstr_copy(st, sizeof(st), state);
	pstr_copy(re, sizeof(re), reason);
	if (strcmp(st, s->state) != 0 || strcmp(re, s->reason) != 0)
		s->state_changed = true;
	memcpy(s->state, st, sizeof(st));
	memcpy(s->reason, re, sizeof(re));
}

/* The job has ended, and all of it is here: the signature is over it. */
static void
answer_whole(struct submitter *s, const struct proto_whole *f)
{
	uint64_t outputs = 0;
	struct whole w;
	const char *why;

	for (size_t i = 0; i < f->noutputs; i++)
		outputs += f->output[i].n;
	/* asked again then */
	if (taken_more(s, f->log[0].n + f->log[1].n, outputs))
		return;
	if (!whole_take(&w, f, s->manifest, &s->node_key)) {
		finish(s, SUB_BAD_RECEIPT, "it is not signed by the node's key "
		    "for this job, these outputs and these logs");
		return;
	}
	taken_whole(s, &w, f);
	if (taken_logs_too_large(s) ||
	    (s->max_output > 0 && outputs > s->max_output)) {
		finish(s, SUB_BAD_RECEIPT, "logs or outputs are larger than "
		    "the job's limit");
		return;
	}
	if ((why = taken_write(s, &w, f)) != NULL) {
		finish(s, SUB_LOCAL, why);
		return;
	}
	take_state(s, pstr_of(whole_state(&w)), (struct pstr){NULL, 0});
	s->iout = s->ilog = 0;
	s->phase = SUB_OUTPUTS;
}

/* All of the job is there: that was it, or its end is to be told. */
static void
given(struct submitter *s, struct mono now)
{
	if (s->detach && strcmp(s->state, "refused") != 0)
		finish(s, SUB_DETACHED, NULL);
	else
		enter_watch(s, now);
}

static void
answer_submit(struct submitter *s, struct mono now, const struct proto_ans *a)
{
	struct proto_submitted v;
	uint64_t more;

	if (!proto_get_submitted(&v, a)) {
		bad_node(s, "malformed answer to submit");
		return;
	}
	if (!id32_eq(id32_at(v.id), &s->manifest->job)) {
		bad_node(s, "it answers for another job");
		return;
	}
	take_state(s, v.state, v.reason);
	s->wait_s = v.wait_s;
	s->airtime_s = v.airtime_s;
	s->airtime_p90_s = v.airtime_p90_s;
	if (v.image != NULL)
		s->image = *id32_at(v.image);
	if (!upload_round(&s->up, &v.missing, v.more, &more)) {
		bad_node(s, "it asks for a blob that the job does not name");
		return;
	}
	s->total_bytes = s->done_bytes + more;
	if (s->up.n > 0) {
		s->phase = SUB_UPLOAD;
	} else if (v.more) {
		/* not known yet what */
		s->poll_at = mono_add(now, MORE_US);
	} else {
		given(s, now);
	}
}

/* Of one that was refused as a repeat. */
static void
answer_shut(struct submitter *s, struct mono now, const struct proto_ans *a)
{
	struct proto_job_status v;
	uint32_t wait_s;

	if (!proto_get_status(&v, a)) {
		bad_node(s, "malformed status");
		return;
	}
	take_state(s, v.state, v.reason);
	if (repeat_waits(s, &wait_s))
		s->poll_at = mono_add(now, wait_s * MONO_SECOND);
	else
		given(s, now);
}

static void
answer_put(struct submitter *s, struct mono now, const struct proto_ans *a,
    bool discarded)
{
	uint64_t have, before, moved;
	bool asked = s->up.ask;

	if (!proto_get_have(&have, a) || have > s->up.size) {
		bad_node(s, "malformed answer to blob/put");
		return;
	}
	if (discarded) {
		finish(s, SUB_LOCAL, "an input changed while it was sent");
		return;
	}
	moved = upload_had(&s->up, have, &before);
	/* a question says nothing of how long the slice took */
	if (!asked)
		adapt_slice(s, now, (size_t)(moved - before));
	/* it arrived, and nothing of it was kept in its time */
	else if (moved == 0)
		s->slice = slice_broken(s->slice);
	s->done_bytes += moved;
	s->here_bytes += before;
	s->total_bytes = MAX_OF(s->total_bytes, s->done_bytes);
}

static bool
ended(const char *state)
{
	return strcmp(state, "done") == 0 || strcmp(state, "lost") == 0 ||
	    strcmp(state, "cancelled") == 0;
}

static void
answer_status(struct submitter *s, struct mono now, const struct proto_ans *a)
{
	struct proto_job_status v;
	bool changed;

	pace_next(s, now);
	if (a->status == ST_NOT_MODIFIED)
		return;
	if (!proto_get_status(&v, a)) {
		bad_node(s, "malformed status");
		return;
	}
	/* asked at once, the next answer is one that the node can keep back */
	changed = !s->has_seq || v.seq != s->seq;
	s->seq = v.seq;
	s->has_seq = true;
	if (changed) {
		s->poll_us = PACE_FIRST_US;
		s->poll_at = now;
	}
	take_state(s, v.state, v.reason);
	if (v.attempts > s->attempts && s->attempts > 0) {
		/* logs are those of the last attempt */
		sub_link_lost(s);
		s->log_have[0] = s->log_have[1] = 0;
		s->eof[0] = s->eof[1] = false;
	}
	s->attempts = v.attempts;
	s->wall_ms = v.wall_ms;
	s->cpu_ms = v.cpu_ms;
	s->memory_kb = v.memory_kb;
	memcpy(s->kept, v.log, sizeof(s->kept));
	if (strcmp(s->state, "refused") == 0) {
		set_text(s->code, sizeof(s->code), s->reason);
		refusal_reason(&s->refusal, s->reason);
		finish(s, SUB_NO_RECEIPT, NULL);
	} else if (ended(s->state)) {
		s->phase = SUB_RESULT;
		s->poll_at = now;
		s->poll_us = PACE_FIRST_US;
	} else if (repeat_lacks(s, v.seq)) {
		s->phase = SUB_SUBMIT;
		s->poll_at = now;
	}
}

static void
answer_follow(struct submitter *s, const struct proto_ans *a, unsigned stream)
{
	uint64_t o;

	if (!proto_get_offset(&o, a)) {
		bad_node(s, "malformed answer to follow");
		return;
	}
	s->follow_asked[stream - 1] = true;
	s->following[stream - 1] = o == s->follow_from[stream - 1];
	/* from elsewhere: job/log brings the bytes when the job has ended */
	if (!s->following[stream - 1])
		s->log_have[stream - 1] = s->follow_from[stream - 1];
}

static void
answer_result(struct submitter *s, struct mono now, const struct proto_ans *a)
{
	struct proto_result v;
	const char *why;
	struct id32 root;

	if (a->status == ST_NOT_YET) {
		char state[sizeof(s->state)];

		pstr_copy(state, sizeof(state), a->meta.state);
		if (state[0] != '\0' && !ended(state)) {
			/* lost, and queued again */
			enter_watch(s, now);
			return;
		}
		pace_next(s, now);
		return;
	}
	if (!proto_get_result(&v, a)) {
		bad_node(s, "malformed result");
		return;
	}
	if (taken_more(s, v.log_size[0] + v.log_size[1], taken_sum(&v)))
		return;
	memcpy(s->receipt, v.receipt, job_receipt_len(v.receipt));
	why = NULL;
	if (!job_receipt_parse(&s->r, s->receipt,
	    job_receipt_len(v.receipt)) ||
	    !job_receipt_verify(&s->r, &s->node_key))
		why = "it is not signed by the node's key";
	else if (!id32_eq(&s->r.job, &s->manifest->job))
		why = "it is for another job";
	s->done_bytes = s->total_bytes = s->here_bytes = 0;
	if (why == NULL && !taken_outputs(s, &v))
		why = "the outputs are not those that were signed";
	taken_left(s, &v.left);
	if (why == NULL) {
		for (int i = 0; i < 2; i++) {
			s->log_sha[i] = *id32_at(v.log_sha[i]);
			s->log_size[i] = v.log_size[i];
		}
		logs_root(&root, id32_at(v.log_sha[0]), v.log_size[0],
		    id32_at(v.log_sha[1]), v.log_size[1]);
		if (!id32_eq(&root, &s->r.logs))
			why = "the logs are not those that were signed";
		else if (taken_logs_too_large(s))
			why = "the logs are larger than the job's limit";
	}
	if (why != NULL) {
		finish(s, SUB_BAD_RECEIPT, why);
		return;
	}
	taken_here(s);
	s->iout = s->ilog = 0;
	s->phase = SUB_OUTPUTS;
}

/*
 * A beginning that was here from before need not be one of this output: once,
 * it is read again from its beginning.
 */
static bool
output_again(struct submitter *s, struct sub_output *o)
{
	if (!o->here || !s->store.output(s->store.arg, o->volume, 0, NULL, 0))
		return false;
	o->here = false;
	s->done_bytes -= MIN_OF(s->done_bytes, o->size);
	s->here_bytes = 0;
	o->have = 0;
	return true;
}

/*
 * What was streamed may be of an attempt whose end was not seen: once, the log
 * is read again from its beginning.
 */
static bool
fetch_again(struct submitter *s)
{
	if (s->log_again[s->ilog])
		return false;
	s->log_again[s->ilog] = true;
	s->log_have[s->ilog] = 0;
	return s->store.log(s->store.arg, s->ilog + 1, 0, NULL, 0);
}

static void
check_log(struct submitter *s)
{
	struct id32 d;

	while (s->phase == SUB_LOGS && s->log_have[s->ilog] >=
		s->log_size[s->ilog]) {
		if (!s->store.log_digest(s->store.arg, s->ilog + 1, &d)) {
			finish(s, SUB_LOCAL, "a log cannot be read back");
			return;
		}
		if (!id32_eq(&d, &s->log_sha[s->ilog])) {
			if (fetch_again(s))
				continue;
			finish(s, SUB_BAD_RECEIPT,
			    "a log is not the one that was signed");
			return;
		}
		if (++s->ilog == 2)
			finish(s, SUB_DONE, NULL);
	}
}

/* Past what is complete already: empty outputs, then logs. */
static void
advance(struct submitter *s)
{
	struct id32 d;

	while (s->phase == SUB_OUTPUTS) {
		struct sub_output *o = &s->out[s->iout];

		if (s->iout == s->nout) {
			s->phase = SUB_LOGS;
			break;
		}
		if (o->have < o->size)
			return;
		if (!s->store.output_digest(s->store.arg, o->volume, &d)) {
			finish(s, SUB_LOCAL, "an output cannot be read back");
			return;
		}
		if (!id32_eq(&d, &o->sha256)) {
			if (output_again(s, o))
				continue;
			bad_node(s, "an output has another digest");
			return;
		}
		s->iout++;
	}
	check_log(s);
}

static void
answer_bytes(struct submitter *s, struct mono now, const struct proto_ans *a)
{
	struct pbin b;
	bool ok;

	if (!proto_get_bytes(&b, a) || b.n == 0) {
		bad_node(s, "bytes that it signed for do not come");
		return;
	}
	adapt_slice(s, now, b.n);
	if (s->phase == SUB_OUTPUTS) {
		struct sub_output *o = &s->out[s->iout];

		if (b.n > o->size - o->have) {
			bad_node(s, "more bytes than it signed for");
			return;
		}
		ok = s->store.output(s->store.arg, o->volume, o->have, b.p,
		    b.n);
		o->have += b.n;
	} else {
		uint64_t left = s->log_size[s->ilog] - s->log_have[s->ilog];

		b.n = (size_t)MIN_OF(b.n, left);
		ok = s->store.log(s->store.arg, s->ilog + 1,
		    s->log_have[s->ilog], b.p, b.n);
		s->log_have[s->ilog] += b.n;
	}
	s->done_bytes += b.n;
	if (!ok)
		finish(s, SUB_LOCAL, "results cannot be written");
}

static void
refused(struct submitter *s, const struct proto_ans *a)
{
	/* it has forgotten what it was shown */
	if (a->status == ST_REFUSED && s->asked == PATH_SUBMIT && s->shown &&
	    pstr_is(a->meta.code, "binding") && a->meta.n == NULL) {
		s->shown = false;
		return;
	}
	/* a proof holds on one link: a second demand is a new link's */
	if (a->status == ST_REFUSED && s->asked == PATH_SUBMIT &&
	    pstr_is(a->meta.code, "binding") && a->meta.n != NULL &&
	    s->proofs < PROOFS_MAX) {
		memcpy(s->proof_n, a->meta.n, 32);
		s->proof_wanted = true;
		s->has_proof = false;
		return;
	}
	s->status = a->status;
	if (a->status == ST_REFUSED)
		pstr_copy(s->code, sizeof(s->code), a->meta.code);
	else
		set_text(s->code, sizeof(s->code),
		    proto_status_name(a->status));
	pstr_copy(s->why, sizeof(s->why), a->meta.why);
	if (s->why[0] == '\0')
		pstr_copy(s->why, sizeof(s->why), a->meta.value_text);
	s->step = (int)MIN_OF(a->meta.step, 11);
	refusal_take(&s->refusal, &a->meta, 0);
	if (a->status != ST_REFUSED)
		set_text(s->refusal.code, sizeof(s->refusal.code), s->code);
	finish(s, SUB_REFUSED, NULL);
}

void
sub_answer(struct submitter *s, struct mono now, const struct proto_ans *a)
{
	bool fine = a->status == ST_OK ||
	    (a->status == ST_NOT_MODIFIED && s->asked == PATH_STATUS) ||
	    (a->status == ST_NOT_YET && s->asked == PATH_RESULT);
	struct proto_whole f;

	s->waiting = false;
	if (s->phase == SUB_END)
		return; /* a stream has ended it meanwhile */
	if (s->asked == PATH_BLOB_PUT && a->status == ST_REFUSED &&
	    pstr_is(a->meta.code, "digest")) {
		answer_put(s, now, a, true);
		return;
	}
	if (s->asked == PATH_BLOB_PUT && a->status == ST_REFUSED &&
	    pstr_is(a->meta.code, "not_wanted") && s->unwanted < UNWANTED_MAX) {
		/* the job has ended while the link was away, or has all */
		s->unwanted++;
		upload_broke(&s->up);
		s->phase = SUB_SUBMIT;
		s->poll_at = now;
		return;
	}
	if (s->asked == PATH_FOLLOW && a->status != ST_OK) {
		/* no stream: the log is read when the job has ended */
		s->follow_asked[s->asked_stream - 1] = true;
		return;
	}
	if (!fine && repeat_unknown(s, a)) {
		finish(s, SUB_REFUSED, NULL); /* by what was said before */
		return;
	}
	if (!fine) {
		refused(s, a);
		if (repeat_shut(s, a))
			s->phase = SUB_SUBMIT;
		return;
	}
	if (s->asked_whole && a->status == ST_OK && proto_get_whole(&f, a)) {
		answer_whole(s, &f);
		if (s->phase == SUB_OUTPUTS)
			advance(s);
		return;
	}
	switch (s->phase) {
	case SUB_SUBMIT:
		(s->asked == PATH_STATUS ? answer_shut : answer_submit)(s, now,
		    a);
		break;
	case SUB_UPLOAD:
		answer_put(s, now, a, false);
		break;
	case SUB_WATCH:
		if (s->asked == PATH_FOLLOW)
			answer_follow(s, a, s->asked_stream);
		else
			answer_status(s, now, a);
		break;
	case SUB_RESULT:
		answer_result(s, now, a);
		break;
	case SUB_OUTPUTS:
	case SUB_LOGS:
		answer_bytes(s, now, a);
		break;
	case SUB_END:
		break;
	}
	if (s->phase == SUB_OUTPUTS || s->phase == SUB_LOGS)
		advance(s);
}

void
sub_stream(struct submitter *s, unsigned stream, const uint8_t *p, size_t n,
    bool eof)
{
	unsigned i = stream - 1;

	if (stream < 1 || stream > 2 || s->phase == SUB_LOGS ||
	    s->phase == SUB_END || s->eof[i])
		return;
	if (s->follow_asked[i] && !s->following[i])
		n = 0;
	/* what is more by old bounds comes when the job has ended */
	if (taken_more(s, s->log_have[0] + s->log_have[1] + n, 0)) {
		s->follow_asked[i] = true;
		s->following[i] = false;
		n = 0;
	}
	/* the first bytes may come before the answer: both start at have */
	if (s->max_log > 0 &&
	    n > s->max_log - MIN_OF(s->max_log,
		    s->log_have[0] + s->log_have[1])) {
		bad_node(s, "more output than the job's log limit");
		return;
	}
	if (n > 0) {
		if (!s->store.log(s->store.arg, stream, s->log_have[i], p, n)) {
			finish(s, SUB_LOCAL, "a log cannot be written");
			return;
		}
		s->log_have[i] += n;
	}
	if (eof) {
		s->eof[i] = true;
		s->follow_asked[i] = true;
		s->poll_at = (struct mono){0};
		s->poll_us = PACE_FIRST_US;
	}
}

void
sub_link_lost(struct submitter *s)
{
	for (int i = 0; i < 2; i++)
		s->following[i] = s->follow_asked[i] = false;
	upload_broke(&s->up);
	/* all of it was for nothing, and would be again on a link that never
	 * lives as long as this slice takes */
	if (s->waiting && (s->asked == PATH_BLOB_PUT ||
		s->asked == PATH_BLOB_GET || s->asked == PATH_LOG))
		s->slice = slice_broken(s->slice);
	s->waiting = false;
	s->proof_wanted = s->has_proof = false;
}

void
sub_unanswered(struct submitter *s)
{
	upload_ask(&s->up);
	s->waiting = false;
}

void
sub_prove(struct submitter *s, const uint8_t proof[PROTO_PROOF_LEN])
{
	memcpy(s->proof, proof, PROTO_PROOF_LEN);
	s->has_proof = true;
	s->proofs++;
}
