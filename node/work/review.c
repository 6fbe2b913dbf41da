/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/review.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/proto/proto_put.h"
#include "node/work/answer.h"
#include "node/work/asked.h"
#include "node/work/event.h"
#include "node/work/finish.h"
#include "node/work/inputs.h"
#include "node/work/late.h"
#include "node/work/peers.h"
#include "node/work/state.h"
#include "node/work/votes.h"
#include "trust/doc/approval.h"

#define REVIEW_LEVEL 2	     /* compute.md 3 */
#define REVIEW_SIGN_S 10     /* ours: keys has had its time */
#define REVIEW_TICK_S 60     /* ours */
#define PAGE_ROOM 8192	     /* of a page: what is not envelope */

/* ---- what a job waits for ---- */

static bool
needs_board(const struct node *n, const struct manifest *m)
{
	return (m->has & HAS_APPROVED_BY) != 0 &&
	    policy_board(&n->policy, m->approved_by);
}

static bool
needs_word(const struct node *n, const struct job *j)
{
	return j->m != NULL &&
	    (j->m->requires_review || needs_board(n, j->m));
}

/* What trust must say before it can be decided; false: nothing. */
static bool
fill_review(struct node *n, struct job *j, struct msg_V_REVIEW *m)
{
	struct vote *v;

	memset(m, 0, sizeof(*m));
	for (v = votes_of(&n->votes, &j->id); v != NULL; v = votes_next(v)) {
		uint8_t *at = m->signers + m->signers_len;

		v->asked = VOTE_NOT_ASKED;
		if (fp_eq(&v->signer, &n->fp) || fp_eq(&v->signer, &j->owner))
			continue;
		v->asked = (uint8_t)(m->signers_len / IPC_SIGNER);
		memcpy(at, HASH_BYTES(v->signer));
		memcpy(at + FP_LEN, HASH_BYTES(v->rns));
		m->signers_len = (uint16_t)(m->signers_len + IPC_SIGNER);
	}
	if (needs_board(n, j->m))
		(void)snprintf(m->board, sizeof(m->board), "%s",
		    j->m->approved_by);
	return m->signers_len > 0;
}

static void
released(struct node *n, struct job *j)
{
	j->queued_at = j->input_at = n->now;
	(void)job_set(&n->jobs, j, JS_QUEUED,
	    job_inputs_here(n, j) ? "slots" : "inputs", n->unix_now);
}

/* Trust has said what the votes are worth, or has nothing to say. */
static void
decide(struct node *n, struct job *j, const struct msg_V_REVIEWED *r)
{
	struct review_terms t = {.owner = j->owner, .self = n->fp,
	    .reviewer = j->m->requires_review, .board = needs_board(n, j->m),
	    .threshold = r->threshold, .reviewers = r->reviewers,
	    .members = r->members, .revoked = r->revoked};

	switch (review_decide(&n->votes, &j->id, &t)) {
	case REVIEW_REJECTED:
		(void)job_set(&n->jobs, j, JS_CANCELLED, "review", n->unix_now);
		break;
	case REVIEW_PASSED:
		j->review_gen = n->verdict_gen;
		if (j->state == JS_HELD)
			released(n, j);
		break;
	case REVIEW_HELD:
		/* it was released by a word that does not count any more */
		if (j->state == JS_QUEUED && r->revoked != 0)
			finish_refuse(n, j, "revoked", "approver");
		else if (j->state == JS_QUEUED)
			finish_refuse(n, j, "trust",
			    "its approval does not count any more");
		break;
	}
}

/* The number of the question to trust; 0: decided, or trust is away. */
static uint64_t
look(struct node *n, struct job *j)
{
	static const struct msg_V_REVIEWED nothing;
	struct msg_V_REVIEW m;

	if (!job_waiting(j) || j->m == NULL)
		return 0;
	if (!fill_review(n, j, &m)) {
		j->review_qid = 0;
		decide(n, j, &nothing);
		return 0;
	}
	if (!n->up[PROGRAM_TRUST])
		return 0;
	m.qid = j->review_qid = node_qid(n);
	j->review_asked = n->now;
	n->host.send_V_REVIEW(n->host.ctx, &m);
	return m.qid;
}

bool
review_fresh(struct node *n, struct job *j)
{
	if (!needs_word(n, j) || j->review_gen == n->verdict_gen)
		return true;
	if (!late_trust(n, &j->review_qid, j->review_asked, j, NULL,
	    "V_REVIEW"))
		(void)look(n, j);
	return j->state == JS_QUEUED && j->review_gen == n->verdict_gen;
}

void
review_again(struct node *n)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&n->jobs.live); j != NULL; j = next) {
		next = TAILQ_NEXT(j, link);
		j->review_qid = 0;
		if (job_waiting(j) && (j->state == JS_HELD || needs_word(n, j)))
			(void)look(n, j);
	}
}

/* ---- votes ---- */

static void
drop(struct node *n, struct vote *v)
{
	n->host.drop_vote(n->host.ctx, v);
	vote_remove(&n->votes, v);
}

void
review_over(struct node *n, struct job *j)
{
	struct vote *v;

	while ((v = votes_of(&n->votes, &j->id)) != NULL)
		drop(n, v);
}

void
review_restore(struct node *n, const struct vote *v)
{
	struct job *j = job_find(&n->jobs, &v->job);
	struct vote *out;

	if (j != NULL && job_ended(j) && j->state != JS_LOST)
		n->host.drop_vote(n->host.ctx, v);
	else
		(void)votes_put(&n->votes, v, j != NULL, &out);
}

static void
said(struct node *n, const struct vote *v, const struct job *j)
{
	struct peer by = {.v = {.known = true, .key_len = 33,
	    .fp = v->signer}};
	struct job named = {.id = v->job};

	node_event(n, EVK_APPROVAL, 1, j != NULL ? j : &named, &by,
	    v->approve ? "approve" : "reject", v->cosigned ?
		"in the manifest's envelope" : NULL, v->approve, v->issued);
}

/* VOTE_FULL: no room. */
static enum vote_put
cast(struct node *n, const struct vote *v, const struct job *j)
{
	enum vote_put got;
	struct vote *kept;

	got = votes_put(&n->votes, v, j != NULL, &kept);
	if (got == VOTE_NEW) {
		n->host.keep_vote(n->host.ctx, kept);
		said(n, kept, j);
	}
	return got;
}

void
review_admitted(struct node *n, struct job *j, const struct msg_V_MANIFEST *m)
{
	bool board = needs_board(n, j->m);

	if ((j->m->has & HAS_APPROVED_BY) != 0 && !board)
		node_event(n, EVK_BOARD_ABSENT, 2, j, NULL, "approved_by",
		    j->m->approved_by, 0, 0);
	votes_known(&n->votes, &j->id);
	for (unsigned i = 0; board && i < m->cosigned_len / IPC_SIGNER; i++) {
		const uint8_t *at = m->cosigned + (size_t)i * IPC_SIGNER;
		struct vote v = {.job = j->id, .by = j->owner,
		    .approve = true, .cosigned = true, .until = j->not_after};

		memcpy(v.signer.b, at, FP_LEN);
		if (!fp_eq(&v.signer, &j->owner))
			(void)cast(n, &v, j);
	}
	if (votes_of(&n->votes, &j->id) != NULL)
		(void)look(n, j);
}

/* ---- job/approve ---- */

static void
answer_job(struct node *n, const struct asked *a, const struct job *j)
{
	struct wr w = answer_begin(n, ST_OK, NULL);

	proto_put_approved(&w, j->id.b, pstr_of(job_state_name(j->state)),
	    job_reason_of(j));
	answer_send(n, a, &w);
}

static void
ask_approval(struct node *n, struct asked *a)
{
	const struct pbin *f = &a->req.frame;
	struct msg_V_APPROVAL m = {.qid = node_qid(n)};
	struct proto_meta meta = {.why = pstr_of("f: no approval")};

	if (f->n > sizeof(m.frame)) {
		n->count.malformed++;
		answer_status(n, a, ST_MALFORMED, &meta);
		return;
	}
	if (!n->up[PROGRAM_TRUST]) {
		answer_busy(n, a, "trust", NODE_BUSY_S);
		return;
	}
	if (!asked_wait(n, a, ASKED_APPROVAL, m.qid))
		return;
	memcpy(m.rns_public, a->caller->peer->rns_public, 64);
	m.frame_len = (uint16_t)f->n;
	memcpy(m.frame, f->p, f->n);
	n->host.send_V_APPROVAL(n->host.ctx, &m);
}

/* Each signer that trust has named has said this; how many count. */
static unsigned
cast_all(struct node *n, const struct asked *a, const struct job *j,
    const struct msg_V_APPROVED *m, bool *full)
{
	struct vote v = {.job = m->job, .by = a->caller->peer->v.fp,
	    .approve = m->approve, .issued = m->issued};
	uint64_t most = (uint64_t)n->unix_now + VOTES_KEEP_S;
	unsigned count = 0;

	v.until = (uint32_t)MIN_OF((uint64_t)m->expires, most);
	*full = false;
	for (unsigned i = 0; i < m->signers_len / IPC_SIGNER; i++) {
		const uint8_t *at = m->signers + (size_t)i * IPC_SIGNER;

		memcpy(v.signer.b, at, FP_LEN);
		memcpy(v.rns.b, at + FP_LEN, sizeof(v.rns.b));
		if (j != NULL && fp_eq(&v.signer, &j->owner))
			continue;
		count++;
		if (j == NULL || job_waiting(j))
			*full |= cast(n, &v, j) == VOTE_FULL;
	}
	return count;
}

static void
approve(struct node *n, struct asked *a, const struct msg_V_APPROVED *m)
{
	struct job *j = job_find(&n->jobs, &m->job);
	struct refusal r = {.code = "trust"};
	uint64_t qid;
	bool full;

	if (cast_all(n, a, j, m, &full) == 0) {
		(void)snprintf(r.why, sizeof(r.why),
		    "the submitter's own key does not count");
		answer_refusal(n, a, &r);
	} else if (full) {
		answer_busy(n, a, "load", NODE_FULL_S);
	} else if (j == NULL) {
		answer_status(n, a, ST_NOT_FOUND, NULL);
	} else if ((qid = look(n, j)) == 0) {
		answer_job(n, a, j);
	} else if (asked_wait(n, a, ASKED_REVIEWED, qid)) {
		a->job = j->id;
	}
}

void
review_approved(struct node *n, const struct msg_V_APPROVED *m)
{
	struct asked *a = park_take(n, m->qid, ASKED_APPROVAL);
	struct proto_meta meta = {.why = pstr_of(m->why)};
	struct refusal r = {.code = "trust"};

	if (a == NULL)
		return;
	switch (m->status) {
	case APPROVAL_OK:
		approve(n, a, m);
		break;
	case APPROVAL_FORM:
		n->count.malformed++;
		answer_status(n, a, ST_MALFORMED, &meta);
		break;
	case APPROVAL_REVOKED:
		r.code = "revoked";
		r.which = "key";
		answer_refusal(n, a, &r);
		break;
	default:
		(void)snprintf(r.why, sizeof(r.why), "%s", m->why);
		answer_refusal(n, a, &r);
	}
	asked_end(a);
}

void
review_reviewed(struct node *n, const struct msg_V_REVIEWED *m)
{
	struct asked *a = park_take(n, m->qid, ASKED_REVIEWED);
	struct job *j;

	TAILQ_FOREACH(j, &n->jobs.live, link) {
		if (j->review_qid == m->qid)
			break;
	}
	if (j != NULL) {
		j->review_qid = 0;
		if (job_waiting(j) && j->m != NULL)
			decide(n, j, m);
	}
	if (a == NULL)
		return;
	/* an answer to an older question: what the job is now is true too */
	if ((j = job_find(&n->jobs, &a->job)) != NULL)
		answer_job(n, a, j);
	else
		answer_status(n, a, ST_NOT_FOUND, NULL);
	asked_end(a);
}

/* ---- job/review ---- */

static void
page(struct node *n, const struct asked *a)
{
	uint8_t *room = malloc(NODE_ANSWER_MAX - PAGE_ROOM), *at = room;
	size_t left = NODE_ANSWER_MAX - PAGE_ROOM;
	struct proto_review p = {0};
	uint64_t last = a->req.after;
	struct job *j;
	struct wr w;

	TAILQ_FOREACH(j, &n->jobs.live, link) {
		struct proto_review_line *l = &p.jobs[p.njobs];
		size_t len;

		if (room == NULL || j->state != JS_HELD ||
		    j->order <= a->req.after)
			continue;
		len = n->host.envelope_of(n->host.ctx, &j->id, at, left);
		if (p.njobs == a->req.n || len > left) {
			p.has_next = true;
			break;
		}
		last = j->order;
		if (len == 0)
			continue;
		*l = (struct proto_review_line){j->id.b, {at, len}, j->at};
		at += len;
		left -= len;
		p.njobs++;
	}
	p.next = last;
	w = answer_begin(n, ST_OK, NULL);
	proto_put_review(&w, &p);
	answer_send(n, a, &w);
	free(room);
}

static void
ask_scope(struct node *n, struct asked *a)
{
	struct msg_V_ASK m = {.qid = node_qid(n), .scope = "job.review"};

	if (!n->up[PROGRAM_TRUST]) {
		answer_busy(n, a, "trust", NODE_BUSY_S);
		return;
	}
	if (!asked_wait(n, a, ASKED_SCOPE, m.qid))
		return;
	memcpy(m.rns_public, a->caller->peer->rns_public, 64);
	n->host.send_V_ASK(n->host.ctx, &m);
}

bool
review_scope(struct node *n, const struct msg_V_VERDICT *m)
{
	struct asked *a = park_take(n, m->qid, ASKED_SCOPE);
	struct refusal r = {.code = "trust"};
	struct peer *p;
	int level, pin;

	if (a == NULL)
		return false;
	p = a->caller->peer;
	pin = policy_pinned(&n->policy, &p->rns_hash, &p->v.fp);
	level = pin < 0 ? MIN_OF(m->level, pin) : m->level;
	level = peer_lowered(n, p, level, NULL);
	if (m->status == VERDICT_OK && level >= REVIEW_LEVEL) {
		page(n, a);
	} else {
		(void)snprintf(r.why, sizeof(r.why),
		    "level %d for job.review, needed %d", level, REVIEW_LEVEL);
		answer_refusal(n, a, &r);
	}
	asked_end(a);
	return true;
}

void
review_request(struct node *n, struct asked *a)
{
	if (a->req.path == PATH_REVIEW)
		ask_scope(n, a);
	else
		ask_approval(n, a);
}

/* ---- the operator ---- */

static struct vote *
own_vote(struct node *n, const struct job *j)
{
	struct vote *v;

	for (v = votes_of(&n->votes, &j->id); v != NULL; v = votes_next(v)) {
		if (fp_eq(&v->signer, &n->fp))
			return v;
	}
	return NULL;
}

enum review_word
review_operator(struct node *n, struct job *j, bool approve_it,
    const char **why)
{
	struct msg_K_APPROVE m = {.approve = approve_it, .job = j->id};
	const struct vote *v = own_vote(n, j);

	/* the votes of a job that has ended since are gone */
	if ((v != NULL && v->approve == approve_it) ||
	    (j->approved && j->approve_is == approve_it))
		return REVIEW_SIGNED;
	*why = "it does not wait any more";
	if (!job_waiting(j))
		return REVIEW_NOT;
	*why = "approved before: cancel ends it";
	if (v != NULL && !approve_it && j->state != JS_HELD)
		return REVIEW_NOT;
	*why = "the submitter's own key does not count";
	if (fp_eq(&j->owner, &n->fp))
		return REVIEW_NOT;
	*why = "warren-keys, which signs, is not running";
	if (!n->has_binding || !n->up[PROGRAM_KEYS])
		return REVIEW_NOT;
	if (j->approve_qid != 0 && j->approve_is == approve_it &&
	    !mono_reached(n->now, j->approve_until))
		return REVIEW_ASKED;
	m.expires = n->unix_now + APPROVAL_LIFE;
	m.qid = j->approve_qid = node_qid(n);
	j->approve_is = approve_it;
	j->approved = false;
	j->approve_until = mono_add(n->now, REVIEW_SIGN_S * MONO_SECOND);
	n->host.send_K_APPROVE(n->host.ctx, &m);
	return REVIEW_ASKED;
}

void
review_signed(struct node *n, const struct msg_K_APPROVED *m)
{
	struct vote v = {.approve = true, .issued = n->unix_now,
	    .until = n->unix_now + APPROVAL_LIFE};
	struct job *j;

	TAILQ_FOREACH(j, &n->jobs.live, link) {
		if (j->approve_qid == m->qid)
			break;
	}
	if (j == NULL)
		return;
	j->approve_qid = 0;
	if (!m->ok || !job_waiting(j))
		return;
	v.job = j->id;
	v.signer = v.by = n->fp;
	v.approve = j->approve_is;
	if (cast(n, &v, j) == VOTE_FULL)
		return;
	j->approved = true;
	(void)look(n, j);
}

struct mono
review_tick(struct node *n)
{
	struct vote *v;

	if (mono_reached(n->now, n->votes_at)) {
		while ((v = votes_expired(&n->votes, n->unix_now)) != NULL)
			drop(n, v);
		n->votes_at = mono_add(n->now, REVIEW_TICK_S * MONO_SECOND);
	}
	return RB_EMPTY(&n->votes.tree) ? MONO_NEVER : n->votes_at;
}
