/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/query.h"

#include <string.h>

#include "node/proto/proto_put.h"
#include "node/work/answer.h"
#include "node/work/asked.h"
#include "node/work/finish.h"
#include "node/work/hold.h"
#include "node/work/peers.h"
#include "node/work/small.h"
#include "node/work/state.h"

/* The paths of compute.md 3 about one's own jobs, once they are there. */

static void
status(struct node *n, const struct asked *a, const struct job *j)
{
	struct proto_job_status s = {.id = j->id.b, .seq = j->seq,
	    .attempts = j->attempts, .at = j->at,
	    .progress = job_progress(j, n->now), .wall_ms = j->wall_ms,
	    .cpu_ms = j->cpu_ms, .memory_kb = j->memory_kb};
	struct wr w;

	if (job_ended(j) && small_answer(n, a, j))
		return;
	if (a->req.wait_s > 0 && a->req.has_since && a->req.since == j->seq &&
	    !job_ended(j) && hold_put(n, a, j))
		return;
	if (a->req.has_since && a->req.since == j->seq) {
		answer_status(n, a, ST_NOT_MODIFIED, NULL);
		return;
	}
	s.state = pstr_of(job_state_name(j->state));
	s.reason = job_reason_of(j);
	job_outcome_of(&s.outcome, j);
	if (j->phase == PHASE_RUNNING)
		s.wall_ms = (uint64_t)MAX_OF(mono_sub(n->now, j->started_at),
		    INT64_C(0)) / 1000;
	for (unsigned i = 0; i < 3; i++)
		s.log[i] = j->log[i];
	w = answer_begin(n, ST_OK, NULL);
	proto_put_status(&w, &s);
	answer_send(n, a, &w);
}

static void
log_slice(struct node *n, const struct asked *a, const struct job *j)
{
	const struct proto_req *q = &a->req;
	struct proto_meta m = {.has_size = true, .size = j->log[q->stream - 1],
	    .has_end = true};
	uint8_t runs[PROTO_RUNS_MAX * 4];
	ssize_t got = 0;

	if (q->has_runs)
		m.runs = (struct pbin){runs, 4 *
			n->host.log_runs(n->host.ctx, j, q->runs, runs,
			    PROTO_RUNS_MAX)};
	if (q->offset < m.size)
		got = n->host.log_read(n->host.ctx, j, q->stream, q->offset,
		    answer_slice(n), (size_t)MIN_OF(q->n, m.size - q->offset));
	if (got < 0) {
		answer_busy(n, a, "stream", NODE_BUSY_S);
		return;
	}
	m.end = job_ended(j) && q->offset + (uint64_t)got >= m.size;
	answer_bytes(n, a, &m, (size_t)got);
}

/*
 * Asked once more for what has been sent to its end: its answer was lost. The
 * bytes were not, and a second copy would go into the same stream.
 */
static bool
followed(const struct follow *f, const struct job *j, uint64_t asked)
{
	return f->had && job_ended(j) && f->asked == asked &&
	    id32_eq(&f->job, &j->id);
}

static void
follow(struct node *n, const struct asked *a, const struct job *j)
{
	const struct proto_req *q = &a->req;
	struct caller *l = a->caller;
	struct follow *f = &l->follow[q->stream - 1u];
	struct wr w;
	uint64_t o;

	if (f->on && !id32_eq(&f->job, &j->id)) {
		answer_busy(n, a, "stream", NODE_BUSY_S);
		return;
	}
	if (!f->on && !followed(f, j, q->offset)) {
		o = job_waiting(j) || j->phase == PHASE_FILLING ? 0 :
		    MIN_OF(q->offset, j->log[q->stream - 1u]);
		if (!n->host.follow(n->host.ctx, &l->id, q->stream, j, o)) {
			answer_busy(n, a, "stream", NODE_BUSY_S);
			return;
		}
		*f = (struct follow){.on = true, .had = true,
		    .asked = q->offset, .o = o};
		f->job = j->id;
	}
	w = answer_begin(n, ST_OK, NULL);
	proto_put_offset(&w, f->o);
	answer_send(n, a, &w);
}

/* What one output lacks: its names move to its place in the answer. */
static void
output_left(struct left *to, unsigned place, const struct left *from,
    unsigned volume)
{
	struct left_item it;
	size_t at = 0;

	while (from != NULL && left_next(from, &at, &it))
		if (it.volume == volume)
			left_add(to, place, it.reason, it.name, it.len);
}

static void
result(struct node *n, const struct asked *a, const struct job *j)
{
	struct proto_meta m = {.state = pstr_of(job_state_name(j->state))};
	struct proto_result r = {.receipt = j->receipt};
	struct wr w;

	if (j->state == JS_REFUSED) {
		answer_status(n, a, ST_NOT_FOUND, NULL);
		return;
	}
	if (!j->has_receipt || !job_ended(j)) {
		answer_status(n, a, ST_NOT_YET, &m);
		return;
	}
	for (unsigned i = 0; i < j->nouts; i++) {
		if (!j->outs[i].packed)
			continue;
		output_left(&r.left, (unsigned)r.noutputs, j->left,
		    j->outs[i].volume);
		r.outputs[r.noutputs++] = (struct proto_output){
		    pstr_of(j->outs[i].target), j->outs[i].sha256.b,
		    j->outs[i].size};
	}
	for (unsigned i = 0; i < 2; i++) {
		r.log_sha[i] = j->log_sha[i].b;
		r.log_size[i] = j->log[i];
	}
	if (j->left != NULL)
		r.left.count = j->left->count;
	w = answer_begin(n, ST_OK, NULL);
	proto_put_result(&w, &r);
	answer_send(n, a, &w);
}

void
job_cancel(struct node *n, struct job *j, bool operator_asks)
{
	if (job_waiting(j)) {
		(void)job_set(&n->jobs, j, JS_CANCELLED,
		    operator_asks ? "operator" : "submitter", n->unix_now);
	} else if (job_active(j) && j->phase <= PHASE_RUNNING) {
		finish_kill(n, j, operator_asks ? KILL_OPERATOR : KILL_CANCELLED);
	}
}

static void
cancel(struct node *n, const struct asked *a, struct job *j)
{
	struct wr w;

	job_cancel(n, j, false);
	w = answer_begin(n, ST_OK, NULL);
	proto_put_cancelled(&w, pstr_of(job_state_name(j->state)),
	    job_reason_of(j));
	answer_send(n, a, &w);
}

static void
list(struct node *n, const struct asked *a)
{
	const struct fp *fp = &a->caller->peer->v.fp;
	struct proto_list p = {0};
	uint64_t after = a->req.after;
	struct wr w;
	struct job *j;

	while ((j = job_next_of(&n->jobs, fp, after)) != NULL) {
		struct proto_job_line *at = &p.jobs[p.njobs];

		if (p.njobs == a->req.n) {
			p.has_next = true;
			p.next = after;
			break;
		}
		at->id = j->id.b;
		at->state = pstr_of(job_state_name(j->state));
		at->reason = job_reason_of(j);
		job_outcome_of(&at->outcome, j);
		at->at = j->at;
		after = j->order;
		p.njobs++;
	}
	w = answer_begin(n, ST_OK, NULL);
	proto_put_list(&w, &p);
	answer_send(n, a, &w);
}

void
query_request(struct node *n, const struct asked *a)
{
	const struct proto_req *q = &a->req;
	struct job *j;

	if (q->path == PATH_LIST) {
		list(n, a);
		return;
	}
	j = job_find(&n->jobs, id32_at(q->id));
	/* somebody else's is not here */
	if (j == NULL || !fp_eq(&j->owner, &a->caller->peer->v.fp)) {
		answer_status(n, a, ST_NOT_FOUND, NULL);
		return;
	}
	/* what it became may be nothing after a restart */
	if (j->aside) {
		answer_busy(n, a, "ledger", NODE_ASIDE_S);
		return;
	}
	if (j->expired && (q->path == PATH_LOG || q->path == PATH_FOLLOW ||
	    q->path == PATH_RESULT)) {
		answer_status(n, a, ST_GONE, NULL);
		return;
	}
	switch (q->path) {
	case PATH_STATUS:
		status(n, a, j);
		break;
	case PATH_LOG:
		log_slice(n, a, j);
		break;
	case PATH_FOLLOW:
		follow(n, a, j);
		break;
	case PATH_RESULT:
		result(n, a, j);
		break;
	case PATH_CANCEL:
		cancel(n, a, j);
		break;
	default: /* not of a job: serve.c leads none here */
		answer_status(n, a, ST_NOT_FOUND, NULL);
	}
}
