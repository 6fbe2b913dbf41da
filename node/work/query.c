/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/query.h"

#include <stdlib.h>
#include <string.h>

#include "common/mpk.h"
#include "node/work/answer.h"
#include "node/work/node.h"
#include "node/work/peers.h"

/* The paths of compute.md 3 about one's own jobs, once they are there. */

static void
status(struct node *n, struct caller *l, const uint8_t request[16],
    const struct job *j, const struct proto_req *q)
{
	struct proto_job_status s = {.id = j->id, .seq = j->seq,
	    .attempts = j->attempts, .at = j->at,
	    .progress = job_progress(j, n->now), .wall_ms = j->wall_ms,
	    .cpu_ms = j->cpu_ms, .memory_kb = j->memory_kb};
	struct answer a;

	if (q->has_since && q->since == j->seq) {
		answer_status(n, l, request, ST_NOT_MODIFIED, NULL);
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
	answer_begin(&a, n, l, request);
	proto_ans_head(&a.w, ST_OK, NULL);
	proto_put_status(&a.w, &s);
	answer_send(&a);
}

static void
log_slice(struct node *n, struct caller *l, const uint8_t request[16],
    const struct job *j, const struct proto_req *q)
{
	struct proto_meta m = {.has_size = true, .size = j->log[q->stream - 1],
	    .has_end = true};
	uint8_t *buf = malloc(PROTO_SLICE), *room;
	struct answer a;
	ssize_t got = 0;

	if (buf == NULL) {
		answer_busy(n, l, request, NODE_BUSY_S);
		return;
	}
	if (q->offset < m.size)
		got = n->host.log_read(n->host.ctx, j, q->stream, q->offset,
		    buf, (size_t)MIN_OF(q->n, m.size - q->offset));
	if (got < 0) {
		answer_busy(n, l, request, NODE_BUSY_S);
	} else {
		m.end = job_ended(j) && q->offset + (uint64_t)got >= m.size;
		answer_begin(&a, n, l, request);
		proto_ans_head(&a.w, ST_OK, &m);
		mpk_put_bin_head(&a.w, (size_t)got);
		if ((room = wr_room(&a.w, (size_t)got)) != NULL && got > 0)
			memcpy(room, buf, (size_t)got);
		answer_send(&a);
	}
	free(buf);
}

static void
follow(struct node *n, struct caller *l, const uint8_t request[16],
    const struct job *j, const struct proto_req *q)
{
	unsigned k = q->stream - 1u;
	struct answer a;
	uint64_t o;

	if (l->follow[k].on &&
	    memcmp(l->follow[k].job, j->id, 32) != 0) {
		answer_busy(n, l, request, NODE_BUSY_S);
		return;
	}
	if (l->follow[k].on) {
		o = l->follow[k].o;
	} else {
		o = job_waiting(j) || j->phase == PHASE_FILLING ? 0 :
		    MIN_OF(q->offset, j->log[k]);
		if (!n->host.follow(n->host.ctx, l->id, q->stream, j, o)) {
			answer_busy(n, l, request, NODE_BUSY_S);
			return;
		}
		l->follow[k].on = true;
		l->follow[k].o = o;
		memcpy(l->follow[k].job, j->id, 32);
	}
	answer_begin(&a, n, l, request);
	proto_ans_head(&a.w, ST_OK, NULL);
	proto_put_offset(&a.w, o);
	answer_send(&a);
}

static void
result(struct node *n, struct caller *l, const uint8_t request[16],
    const struct job *j)
{
	struct proto_meta m = {.state = pstr_of(job_state_name(j->state))};
	static struct proto_result r;
	struct answer a;

	if (j->state == JS_REFUSED) {
		answer_status(n, l, request, ST_NOT_FOUND, NULL);
		return;
	}
	if (!j->has_receipt || !job_ended(j)) {
		answer_status(n, l, request, ST_NOT_YET, &m);
		return;
	}
	memset(&r, 0, sizeof(r));
	r.receipt = j->receipt;
	for (unsigned i = 0; i < j->nouts; i++) {
		if (!j->outs[i].packed)
			continue;
		r.outputs[r.noutputs++] = (struct proto_output){
		    pstr_of(j->outs[i].target), j->outs[i].sha256,
		    j->outs[i].size};
	}
	for (unsigned i = 0; i < 2; i++) {
		r.log_sha[i] = j->log_sha[i];
		r.log_size[i] = j->log[i];
	}
	answer_begin(&a, n, l, request);
	proto_ans_head(&a.w, ST_OK, NULL);
	proto_put_result(&a.w, &r);
	answer_send(&a);
}

void
job_cancel(struct node *n, struct job *j, bool operator_asks)
{
	if (job_waiting(j)) {
		if (!job_set(&n->jobs, j, JS_CANCELLED,
			operator_asks ? "operator" : "submitter", n->unix_now))
			n->count.edges++;
	} else if (job_active(j) && j->phase <= PHASE_RUNNING) {
		run_kill(n, j, operator_asks ? KILL_OPERATOR : KILL_CANCELLED);
	}
}

static void
cancel(struct node *n, struct caller *l, const uint8_t request[16],
    struct job *j)
{
	struct answer a;

	job_cancel(n, j, false);
	answer_begin(&a, n, l, request);
	proto_ans_head(&a.w, ST_OK, NULL);
	proto_put_cancelled(&a.w, pstr_of(job_state_name(j->state)),
	    job_reason_of(j));
	answer_send(&a);
}

static void
list(struct node *n, struct caller *l, const uint8_t request[16],
    const struct proto_req *q)
{
	const uint8_t *fp = l->peer->v.fp;
	static struct proto_list p;
	uint64_t after = q->after;
	struct answer a;
	struct job *j;

	memset(&p, 0, sizeof(p));
	while ((j = job_next_of(&n->jobs, fp, after)) != NULL) {
		struct proto_job_line *at = &p.jobs[p.njobs];

		if (p.njobs == q->n) {
			p.has_next = true;
			p.next = after;
			break;
		}
		at->id = j->id;
		at->state = pstr_of(job_state_name(j->state));
		at->reason = job_reason_of(j);
		job_outcome_of(&at->outcome, j);
		at->at = j->at;
		after = j->order;
		p.njobs++;
	}
	answer_begin(&a, n, l, request);
	proto_ans_head(&a.w, ST_OK, NULL);
	proto_put_list(&a.w, &p);
	answer_send(&a);
}

void
query_request(struct node *n, struct caller *l, const uint8_t request[16],
    const struct proto_req *q)
{
	struct job *j;

	if (q->path == PATH_LIST) {
		list(n, l, request, q);
		return;
	}
	j = job_find(&n->jobs, q->id);
	/* somebody else's is not here */
	if (j == NULL || memcmp(j->owner, l->peer->v.fp, FP_LEN) != 0) {
		answer_status(n, l, request, ST_NOT_FOUND, NULL);
		return;
	}
	if (j->expired && (q->path == PATH_LOG || q->path == PATH_FOLLOW ||
	    q->path == PATH_RESULT)) {
		answer_status(n, l, request, ST_GONE, NULL);
		return;
	}
	switch (q->path) {
	case PATH_STATUS:
		status(n, l, request, j, q);
		break;
	case PATH_LOG:
		log_slice(n, l, request, j, q);
		break;
	case PATH_FOLLOW:
		follow(n, l, request, j, q);
		break;
	case PATH_RESULT:
		result(n, l, request, j);
		break;
	default:
		cancel(n, l, request, j);
	}
}
