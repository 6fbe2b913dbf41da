/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/lives_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/host/blobs.h"
#include "node/host/outbox.h"
#include "node/proto/proto_get.h"
#include "node/proto/proto_req.h"
#include "node/work/answer.h"
#include "sandbox/plan/plan.h"
#include "transport/core/base/crypt.h"

/* Jail, keys, the judge, the trail and a submitter, who pretend. */

/* ---- jail ---- */

bool
its_job(const struct id32 *job)
{
	return w.jail.is != EMPTY && id32_eq(&w.jail.job, job);
}

void
jail_run(const struct msg_J_RUN *m)
{
	struct jail *j = &w.jail;
	const struct job *job;
	struct plan plan;

	OATH(plan_decode(rd_make(m->plan, m->plan_len), &plan), "a plan");
	OATH(j->is == EMPTY, "started while jail has it still");
	j->job = plan.job;
	j->slot = plan.slot;
	j->runs++;
	job = job_find(&w.wn.node.jobs, &j->job);
	OATH(job != NULL && job->state == JS_STAGING &&
	    job->attempts >= j->runs && !job->dirty,
	    "started before the ledger says so");
	OATH(j->runs <= 1 + w.life->retries, "started %u times", j->runs);
	j->is = BUILT;
	j->kill = 0;
	j->fell_last = false;
	j->ends = mono_add(w.now, 5000);
}

static void
jail_exit(uint8_t how, int32_t code)
{
	struct msg_J_EXITED x = {.how = how, .code = code,
	    .kill = w.jail.kill};

	w.jail.is = ENDED;
	w.jail.how = how;
	w.jail.code = code;
	w.jail.ends = MONO_NEVER;
	x.job = w.jail.job;
	x.ran_ms = w.jail.ran_ms = (uint64_t)mono_sub(w.now,
	    w.jail.began) / 1000;
	if (w.alive)
		POST(0, J_EXITED, &x);
}

static void
jail_failed(const char *code, const char *why)
{
	struct msg_J_FAILED f = {.kill = w.jail.kill, .slot = w.jail.slot};

	w.jail.is = FAILED;
	w.jail.ends = MONO_NEVER;
	f.job = w.jail.job;
	(void)snprintf(f.code, sizeof(f.code), "%s", code);
	(void)snprintf(f.why, sizeof(f.why), "%s", why);
	if (w.alive)
		POST(0, J_FAILED, &f);
}

void
jail_kill(const struct msg_J_KILL *m)
{
	if (!its_job(&m->job))
		return;
	if (w.jail.is == BUILT || w.jail.is == RUNS) {
		if (w.jail.kill == 0)
			w.jail.kill = m->why;
		if (w.jail.is == RUNS)
			jail_exit(EXIT_SIGNAL, 9);
		else
			jail_failed("internal", "killed while it was built");
	}
}

void
jail_forget(const struct msg_J_FORGET *m)
{
	struct msg_J_FORGOTTEN f = {.job = m->job};

	if (its_job(&m->job)) {
		f.slot = w.jail.slot;
		w.jail.is = EMPTY;
		w.jail.ends = MONO_NEVER;
	}
	POST(1, J_FORGOTTEN, &f);
}

/* What jail does by itself when its time has come. */
void
jail_works(void)
{
	struct msg_J_STARTED s = {.slot = w.jail.slot, .layers = 0x3ff};
	struct jail *j = &w.jail;

	if (j->ends.us > w.now.us)
		return;
	j->ends = MONO_NEVER;
	if (j->is == BUILT && w.life->fail_code != NULL) {
		jail_failed(w.life->fail_code, "because");
	} else if (j->is == BUILT) {
		j->is = RUNS;
		j->began = w.now;
		s.job = j->job;
		if (w.life->run_ms > 0)
			j->ends = mono_add(w.now, w.life->run_ms * 1000);
		if (w.alive)
			POST(0, J_STARTED, &s);
	} else if (j->is == RUNS && j->falls < w.life->jail_falls) {
		j->falls++;
		j->fell_last = true;
		j->is = EMPTY;
		if (w.alive) {
			drop_events(true);
			node_down(&w.wn.node, PROGRAM_JAIL);
			outbox_drop(&w.wn, PROGRAM_JAIL);
			node_up(&w.wn.node, PROGRAM_JAIL);
			POST(1, J_POSTURE, (&(struct msg_J_POSTURE){
			    .layers = 0x3ff, .slots = 1}));
		}
	} else if (j->is == RUNS) {
		jail_exit(EXIT_CODE, w.life->exit_code);
	}
}

void
jail_tells(void)
{
	if (w.jail.is == BUILT)
		POST(0, J_STAGING, (&(struct msg_J_STAGING){
		    .job = w.jail.job, .slot = w.jail.slot,
		    .kill = w.jail.kill}));
	if (w.jail.is == RUNS || w.jail.is == ENDED)
		POST(0, J_RUNNING, (&(struct msg_J_RUNNING){
		    .job = w.jail.job, .slot = w.jail.slot, .layers = 0x3ff,
		    .exited = w.jail.is == ENDED, .how = w.jail.how,
		    .code = w.jail.code, .kill = w.jail.kill,
		    .ran_ms = w.jail.ran_ms}));
	if (w.jail.is == FAILED)
		jail_failed(w.life->fail_code != NULL ? w.life->fail_code :
		    "internal", "because");
	POST(0, J_POSTURE, (&(struct msg_J_POSTURE){.layers = 0x3ff,
	    .slots = 1}));
}

void
jail_group_kill(void)
{
	if (w.jail.is == RUNS)
		jail_exit(EXIT_SIGNAL, 9);
}

/* ---- keys, trust, the trail ---- */

void
keys_sign(const struct msg_K_RECEIPT *m)
{
	struct msg_K_SIGNED s = {.qid = m->qid, .ok = true};
	struct job_receipt r = {.outcome = m->outcome, .code = m->code,
	    .attempts = m->attempts, .job = m->job, .outputs = m->outputs,
	    .logs = m->logs, .trail = m->trail};

	(void)job_receipt_put(s.receipt, &r);
	POST(0, K_SIGNED, &s);
}

void
trust_ask(const struct msg_V_ASK *m)
{
	struct msg_V_VERDICT v = {.qid = m->qid, .status = VERDICT_OK,
	    .level = 2, .key_kind = KEY_SECP256K1, .key_len = 33,
	    .valid_until = (uint32_t)(w.wall_us / 1000000) + 90 * 86400};

	v.rns_hash.b[0] = m->rns_public[0];
	v.fp.b[0] = m->rns_public[0];
	POST(0, V_VERDICT, &v);
}

void
trust_envelope(const struct msg_V_ENVELOPE *m, const int *fds)
{
	struct msg_V_MANIFEST v = {.qid = m->qid, .ok = true, .len = m->len};
	uint8_t *bytes = malloc(m->len);

	OATH(bytes != NULL && pread(fds[0], bytes, m->len, 0) ==
	    (ssize_t)m->len, "envelope");
	crypt_sha256(&v.job, bytes, m->len);
	post(0, IPC_V_MANIFEST, &v, sizeof(v), bytes, m->len);
	free(bytes);
}

void
trail(const struct msg_EVENT *m)
{
	struct msg_HEAD h = {.qid = m->qid, .seq = 1, .digest = {{0x77}}};

	if (m->qid != 0)
		POST(0, HEAD, &h);
}

/* ---- the submitter ---- */

static void
told_state(const struct proto_job_status *s)
{
	struct submitter *p = &w.peer;
	char state[16];

	(void)snprintf(state, sizeof(state), "%.*s", (int)s->state.n,
	    s->state.p);
	OATH(s->seq >= p->seq, "its seq went back to %u", (unsigned)s->seq);
	OATH(!p->ended || (strcmp(state, p->state) == 0 &&
	    s->outcome.kind == p->outcome && s->outcome.code == p->code),
	    "ended, and now %s", state);
	memcpy(p->state, state, sizeof(state));
	p->seq = s->seq;
	p->outcome = s->outcome.kind;
	p->code = s->outcome.code;
	if (s->outcome.kind == OUT_KILLED) {
		for (unsigned k = 1; k < KILL_REASONS; k++) {
			if (pstr_is(s->outcome.reason, kill_name(k)))
				p->code = (int32_t)k;
		}
	}
	p->attempts = s->attempts;
	/* lost may be queued again; with retries, only the last is the end */
	p->ended = strcmp(state, "done") == 0 ||
	    strcmp(state, "refused") == 0 || strcmp(state, "cancelled") == 0 ||
	    (strcmp(state, "lost") == 0 && s->attempts > w.life->retries);
}

static void
told_result(const struct proto_ans *a)
{
	struct submitter *p = &w.peer;
	struct proto_result r;
	struct job_receipt k;

	OATH(proto_get_result(&r, a), "a result that does not read");
	OATH(job_receipt_parse(&k, r.receipt, JOB_RECEIPT_LEN), "receipt");
	OATH(!p->has_receipt || memcmp(p->receipt, r.receipt,
	    JOB_RECEIPT_LEN) == 0, "another receipt");
	memcpy(p->receipt, r.receipt, JOB_RECEIPT_LEN);
	p->has_receipt = true;
	if (strcmp(p->state, "done") == 0)
		OATH(k.outcome == p->outcome && k.code == p->code &&
		    k.attempts == p->attempts, "a receipt of something else");
	else
		OATH(k.outcome == (strcmp(p->state, "lost") == 0 ? JOB_LOST :
		    JOB_CANCELLED), "a receipt of something else");
	if (w.life->volumes && strcmp(p->state, "done") == 0 &&
	    p->outcome == OUT_EXITED)
		OATH(r.noutputs == 1, "an output is lost");
	for (unsigned i = 0; i < r.noutputs; i++) {
		uint8_t buf[32];
		uint64_t size;

		OATH(blobs_get(w.wn.blobs, fp_at((uint8_t[32]){PEER}),
		    id32_at(r.outputs[i].sha256), 0, buf, 7, &size) == 7 &&
		    memcmp(buf, "output\n", 7) == 0, "its output is not here");
	}
}

/* An answer has come: what to do now. */
static void
told(const struct proto_ans *a)
{
	struct submitter *p = &w.peer;
	struct proto_submitted sub;
	struct proto_job_status s;
	uint64_t have;

	p->asked = 0;
	p->wait_s = 0;
	if (a->status == ST_BUSY) {
		/* asks again; the disk is mended in the end */
		if (pstr_is(a->meta.code, "ledger") && ++p->busy == 3)
			bad_row(false);
		p->wait_s = a->meta.s;
		return;
	}
	OATH(!p->accepted || a->status != ST_NOT_FOUND || p->phase == GONE ||
	    strcmp(p->state, "refused") == 0, "accepted, and forgotten");
	switch (p->phase) {
	case SUBMIT:
		OATH(a->status == ST_OK && proto_get_submitted(&sub, a),
		    "not accepted: %u %.*s", (unsigned)a->status,
		    (int)a->meta.code.n, a->meta.code.p);
		p->accepted = true;
		p->phase = sub.missing.n > 0 ? PUT : WATCH;
		p->half = 0;
		break;
	case PUT:
		OATH(a->status == ST_OK && proto_get_have(&have, a), "put %u %.*s",
		    (unsigned)a->status, (int)a->meta.code.n, a->meta.code.p);
		p->half = have;
		if (have == TAR)
			p->phase = WATCH;
		break;
	case WATCH:
		OATH(proto_get_status(&s, a), "status");
		told_state(&s);
		if (p->ended)
			p->phase = RESULT;
		else if (w.life->cancel_in != NULL && !p->cancelled &&
		    strcmp(p->state, w.life->cancel_in) == 0)
			p->phase = CANCEL;
		break;
	case CANCEL:
		p->cancelled = a->status == ST_OK;
		p->phase = WATCH;
		break;
	case RESULT:
		if (a->status == ST_NOT_YET)
			break;
		OATH(a->status == ST_OK || (a->status == ST_NOT_FOUND &&
		    strcmp(p->state, "refused") == 0), "result: %u",
		    (unsigned)a->status);
		if (a->status == ST_OK)
			told_result(a);
		p->phase = w.life->expires ? GONE : END;
		break;
	case GONE:
		OATH(a->status == ST_OK || a->status == ST_GONE ||
		    a->status == ST_NOT_FOUND, "%u", (unsigned)a->status);
		if (a->status == ST_NOT_FOUND)
			p->phase = END;
		break;
	case END:
		break;
	}
}

static void
request(struct proto_req *q)
{
	static uint8_t buf[PROTO_REQUEST_MAX];
	struct msg_T_REQUEST m = {.link = {{1}}};
	struct wr out = wr_make(buf, sizeof(buf));

	proto_req_put(&out, q);
	m.len = (uint32_t)out.len;
	put_u32(m.request.b, w.peer.asked = ++w.requests);
	proto_path_hash(&m.path_hash, q->path);
	post(0, IPC_T_REQUEST, &m, sizeof(m), buf, out.len);
}

/* Whoever waits for an answer asks again some time later. */
void
peer_acts(void)
{
	struct submitter *p = &w.peer;
	struct proto_req q = {.id = w.id.b, .n = PROTO_SLICE};

	if (p->phase == END || p->next.us > w.now.us)
		return;
	p->next = mono_add(w.now, p->phase == GONE ?
	    300 * MONO_SECOND : p->phase != WATCH ? 1000000 :
	    w.life->run_ms > 0 ? 20000 : 500000);
	switch (p->phase) {
	case SUBMIT:
		q.path = PATH_SUBMIT;
		q.envelope = (struct pbin){w.env, w.env_len};
		break;
	case PUT:
		q.path = PATH_BLOB_PUT;
		q.digest = w.tar_sha.b;
		q.n = TAR;
		q.offset = p->half;
		q.body = (struct pbin){w.tar + p->half, (uint32_t)MIN_OF(
		    (uint64_t)TAR - p->half, UINT64_C(2000))};
		break;
	case CANCEL:
		q.path = PATH_CANCEL;
		break;
	case RESULT:
	case GONE:
		q.path = PATH_RESULT;
		break;
	default:
		q.path = PATH_STATUS;
	}
	request(&q);
}

void
peer_reply(const struct msg_N_REPLY *m, const int *fds, unsigned nfds)
{
	static uint8_t buf[NODE_ANSWER_MAX];
	struct proto_ans a;

	if (get_u32(m->request.b) != w.peer.asked)
		return;
	if (nfds > 0)
		OATH(pread(fds[0], buf, m->len, 0) == (ssize_t)m->len, "answer");
	else
		memcpy(buf, m->data, m->len);
	OATH(proto_ans_get(&a, buf, m->len), "an answer that does not read");
	told(&a);
	/* what it does next, at once, but a job is looked at now and then */
	if (w.peer.wait_s > 0)
		w.peer.next = mono_add(w.now, (int64_t)w.peer.wait_s *
		    MONO_SECOND);
	else if (w.peer.phase != WATCH && w.peer.phase != GONE)
		w.peer.next = mono_add(w.now, 1000);
}
