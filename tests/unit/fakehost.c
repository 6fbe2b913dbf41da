/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/work/found.h"
#include "node/work/challenge.h"
#include "node/work/contracts.h"
#include "node/work/review.h"
#include "node/work/serve.h"
#include "node/work/submit.h"
#include "node/work/verified.h"
#include "node/work/watched.h"
#include "tests/unit/fakehost.h"
#include "transport/core/base/crypt.h"
#include "node/work/documents.h"
#include "trust/doc/tlv.h"

#define START_UNIX INT64_C(1800000000)

void
fake_post(struct world *w, int64_t ms, enum ipc_type type, const void *msg,
    size_t len, const uint8_t *data, size_t data_len)
{
	struct fake_event *e = calloc(1, sizeof(*e)), *k;

	assert_non_null(e);
	assert_true(len <= sizeof(e->msg));
	e->at = mono_add(w->now, ms * 1000);
	e->type = type;
	e->len = len;
	memcpy(e->msg, msg, len);
	if (data_len > 0) {
		e->data = malloc(data_len);
		assert_non_null(e->data);
		memcpy(e->data, data, data_len);
		e->data_len = data_len;
	}
	TAILQ_FOREACH(k, &w->events, link) {
		if (k->at.us > e->at.us) {
			TAILQ_INSERT_BEFORE(k, e, link);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&w->events, e, link);
}
#define POST(w, ms, TYPE, m)                                                   \
	fake_post(w, ms, IPC_##TYPE, m, sizeof(*(m)), NULL, 0)

void
world_fp(struct fp *fp, uint8_t who)
{
	memset(fp, 0, sizeof(*fp));
	fp->b[0] = who;
}

/* ---- the others ---- */

static void
trust_ask(struct world *w, const struct msg_V_ASK *m)
{
	struct msg_V_VERDICT v = {.qid = m->qid,
	    .status = (uint8_t)w->verdict_status, .level = w->level,
	    .key_kind = KEY_SECP256K1, .key_len = 33,
	    .jobs = w->verdict_jobs, .pinned = w->verdict_pinned,
	    .valid_until = w->n.unix_now + 3600, .live_needed = w->live_needed};

	w->asks++;
	w->has_binding |= m->binding_len > 0;
	if (w->trust_silent)
		return;
	v.rns_hash.b[0] = m->rns_public[0];
	world_fp(&v.fp, m->rns_public[0]);
	if (strcmp(m->scope, "job.review") == 0)
		v.level = w->reviewer[m->rns_public[0]] ? 2 : 1;
	if (w->needs_binding && !w->has_binding) {
		v.status = VERDICT_NO_BINDING;
		v.key_len = 0;
	}
	/* a binding of zeros is good, any other is not */
	if (m->binding_len > 0 && m->binding[0] != 0) {
		v.status = VERDICT_BAD_BINDING;
		(void)snprintf(v.why, sizeof(v.why), "signature");
	}
	POST(w, 0, V_VERDICT, &v);
}

static void
trust_envelope(struct world *w, const struct msg_V_ENVELOPE *m,
    const uint8_t *env, size_t len)
{
	struct msg_V_MANIFEST v = {.qid = m->qid, .ok = true,
	    .len = (uint32_t)len};

	w->envelopes++;
	assert_int_equal(m->len, len);
	if (w->trust_silent)
		return;
	crypt_sha256(&v.job, env, len);
	if (w->cosigner != 0) {
		struct fp fp;

		world_fp(&fp, w->cosigner);
		memcpy(v.cosigned, HASH_BYTES(fp));
		v.cosigned_len = IPC_SIGNER;
	}
	if (len > 0 && env[0] == 0xff) {
		v.ok = false;
		(void)snprintf(v.why, sizeof(v.why), "signature");
	}
	fake_post(w, 0, IPC_V_MANIFEST, &v, sizeof(v), env, len);
}

static void
keys_sign(struct world *w, const struct msg_K_RECEIPT *m)
{
	struct msg_K_SIGNED s = {.qid = m->qid, .ok = true};
	struct job_receipt r = {.outcome = m->outcome, .code = m->code,
	    .attempts = m->attempts, .started = m->started,
	    .wall_ms = m->wall_ms, .bytes_out = m->bytes_out};

	w->receipts++;
	r.job = m->job;
	r.outputs = m->outputs;
	r.trail = m->trail;
	(void)job_receipt_put(s.receipt, &r);
	if (!w->keys_silent)
		POST(w, 0, K_SIGNED, &s);
}

static int
jail_slot(struct world *w, const struct id32 *job)
{
	for (int i = 1; i <= NODE_SLOTS_MAX; i++) {
		if (id32_eq(&w->running_id[i], job))
			return i;
	}
	return 0;
}

static void
jail_exit(struct world *w, const struct id32 *job, int64_t ms, uint8_t how,
    int32_t code, uint8_t kill)
{
	struct msg_J_EXITED x = {.how = how, .code = code, .kill = kill};
	int slot = jail_slot(w, job);

	x.job = *job;
	x.ran_ms = (uint64_t)(mono_sub(w->now, w->began[slot]) / 1000 + ms);
	POST(w, ms, J_EXITED, &x);
}

/* The exit of this job that is still to come. */
static struct fake_event *
take_exit(struct world *w, const struct id32 *job)
{
	struct fake_event *e;

	TAILQ_FOREACH(e, &w->events, link) {
		if (e->type == IPC_J_EXITED && id32_eq(id32_at(e->msg), job)) {
			TAILQ_REMOVE(&w->events, e, link);
			return e;
		}
	}
	return NULL;
}

static void
jail_kill(struct world *w, const struct id32 *job, uint8_t why)
{
	struct msg_J_FAILED f = {.code = "cancelled", .why = "killed"};

	if (w->jail_deaf)
		return;
	if (w->killed_for[jail_slot(w, job)] == 0)
		w->killed_for[jail_slot(w, job)] = why;
	if (w->jail_silent && jail_slot(w, job) != 0) {
		/* it was still filled */
		f.job = *job;
		POST(w, 0, J_FAILED, &f);
		return;
	}
	/* an exit that was to come later comes now, as a signal */
	free(take_exit(w, job));
	if (jail_slot(w, job) != 0)
		jail_exit(w, job, 0, EXIT_SIGNAL, 9, why);
}

static void
jail_forget(struct world *w, const struct id32 *job)
{
	struct msg_J_FORGOTTEN f = {0};
	int slot = jail_slot(w, job);

	w->forgets++;
	if (w->forgets_silent)
		return;
	f.job = *job;
	f.slot = (uint32_t)slot;
	if (slot != 0) {
		memset(&w->running_id[slot], 0, sizeof(w->running_id[slot]));
		w->running--;
	}
	POST(w, 1, J_FORGOTTEN, &f);
}

/* What a step gives goes straight to node_packed(), as the program does it. */
static void
jail_step(struct world *w, const struct msg_J_STEP *m)
{
	w->packs++;
	if (w->steps_silent)
		return;
	fake_post(w, 1, IPC_J_STEP_DONE, m, sizeof(*m), NULL, 0);
}

static void
fake_reply(void *ctx, struct msg_N_REPLY *m, const uint8_t *answer, size_t len)
{
	struct world *w = ctx;
	struct fake_reply *p;

	assert_true(w->nreplies < FAKE_REPLIES);
	p = &w->replies[w->nreplies++];
	p->request = m->request;
	p->data = malloc(len + 1);
	assert_non_null(p->data);
	memcpy(p->data, answer, len);
	p->len = len;
	assert_true(proto_ans_get(&p->a, p->data, len));
}

static void
fake_envelope(void *ctx, const struct msg_V_ENVELOPE *m, const uint8_t *bytes,
    size_t len)
{
	trust_envelope(ctx, m, bytes, len);
}

static void
fake_N_CLOSE(void *ctx, const struct msg_N_CLOSE *m)
{
	struct world *w = ctx;

	w->closes++;
	w->last_closed = m->link;
}

static void
fake_N_APP_DATA(void *ctx, const struct msg_N_APP_DATA *m)
{
	struct world *w = ctx;
	struct app_data a;

	assert_true(app_data_parse(&a, m->data, m->data_len));
	w->last_app_data = *m;
	if (!m->announce)
		return; /* what is said when it is announced again */
	w->announces++;
	w->last_accepting = (a.caps.flags & APP_ACCEPTING) != 0;
	w->last_announce = w->now;
}

static void
fake_N_BLACKHOLE(void *ctx, const struct msg_N_BLACKHOLE *m)
{
	((struct world *)ctx)->blackholes += m->on;
	((struct world *)ctx)->lifted += !m->on && m->rns_hash.b[0] != 0;
	((struct world *)ctx)->last_hole = m->rns_hash;
}

static void
fake_N_BURY(void *ctx, const struct msg_N_BURY *m)
{
	((struct world *)ctx)->buries++;
	((struct world *)ctx)->last_bury = *m;
}

static void
fake_N_HOLD(void *ctx, const struct msg_N_HOLD *m)
{
	(void)m;
	((struct world *)ctx)->holds++;
}

static void
fake_N_NUMBER(void *ctx, const struct msg_N_NUMBER *m)
{
	struct world *w = ctx;

	if (w->nnumbers < NELEM(w->numbers))
		w->numbers[w->nnumbers++] = *m;
}

static void
fake_V_ASK(void *ctx, const struct msg_V_ASK *m)
{
	trust_ask(ctx, m);
}

static void
fake_V_LIVE(void *ctx, const struct msg_V_LIVE *m)
{
	struct msg_V_LIVE_OK ok = {m->qid, m->s[0] == 1, 0};
	struct world *w = ctx;

	w->lives++;
	if (!w->trust_silent)
		POST(w, 0, V_LIVE_OK, &ok);
}

static void
fake_K_CHALLENGE(void *ctx, const struct msg_K_CHALLENGE *m)
{
	struct msg_K_CHALLENGED d = {.qid = m->qid, .ok = true};

	d.s[0] = m->n[0];
	POST(ctx, 0, K_CHALLENGED, &d);
}

static void
fake_K_RECEIPT(void *ctx, const struct msg_K_RECEIPT *m)
{
	((struct world *)ctx)->last_receipt = *m;
	keys_sign(ctx, m);
}

static void
fake_J_KILL(void *ctx, const struct msg_J_KILL *m)
{
	jail_kill(ctx, &m->job, m->why);
}

static void
fake_J_FREEZE(void *ctx, const struct msg_J_FREEZE *m)
{
	struct world *w = ctx;

	w->jail_frozen = m->on;
}

static void
fake_J_WARM(void *ctx, const struct msg_J_WARM *m)
{
	struct world *w = ctx;

	w->warm = *m;
	w->warms++;
}

/* What a frozen job would have done comes when it goes on. */
static bool
fake_freeze(void *ctx, struct job *j, bool on)
{
	struct world *w = ctx;
	struct fake_event *e;

	if (w->cannot_freeze)
		return false;
	if (on == w->frozen)
		return true;
	w->frozen = on;
	if (on) {
		w->frozen_at = w->now;
		if ((e = take_exit(w, &j->id)) != NULL)
			w->held_ms = mono_sub(e->at, w->now) / 1000;
		free(e);
		return true;
	}
	w->began[j->slot] = mono_add(w->began[j->slot],
	    mono_sub(w->now, w->frozen_at));
	if (w->held_ms > 0)
		jail_exit(w, &j->id, w->held_ms, w->exit_how, w->exit_code,
		    j->kill);
	w->held_ms = 0;
	return true;
}

static void
fake_J_FORGET(void *ctx, const struct msg_J_FORGET *m)
{
	jail_forget(ctx, &m->job);
}

static void
fake_J_STEP(void *ctx, const struct msg_J_STEP *m)
{
	jail_step(ctx, m);
}

static void
fake_EVENT(void *ctx, const struct msg_EVENT *m)
{
	struct world *w = ctx;
	struct msg_HEAD h = {.qid = m->qid, .seq = w->audit_full ? 0 : 1};

	w->events_seen[m->kind]++;
	if (m->kind == EVK_JOB_REFUSED)
		w->refused = *m;
	if (m->qid == 0 || w->audit_silent)
		return;
	memset(&h.digest, w->audit_full ? 0 : 0x77, sizeof(h.digest));
	POST(w, 0, HEAD, &h);
}

/* a message without one of these does not compile */
#define FAKE_SEND(name, from, to, least, most)                                 \
	IPC_IF(NODE_PLAIN(from, most))(.send_##name = fake_##name, )

void
fake_run(void *ctx, struct job *j)
{
	struct world *w = ctx;
	struct msg_J_STARTED s = {.slot = j->slot, .layers = 0x3ff};
	struct msg_J_FAILED f = {0};

	w->starts++;
	assert_true(j->slot >= 1 && j->slot <= w->n.slots);
	assert_int_equal(jail_slot(w, &j->id), 0);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(w->running_id[j->slot].b[i], 0);
	w->running_id[j->slot] = j->id;
	w->began[j->slot] = w->now;
	w->killed_for[j->slot] = 0;
	w->running++;
	if (w->jail_silent)
		return;
	if (w->fail_code != NULL) {
		f.job = j->id;
		(void)snprintf(f.code, sizeof(f.code), "%s", w->fail_code);
		(void)snprintf(f.why, sizeof(f.why), "because");
		POST(w, 1, J_FAILED, &f);
		return;
	}
	s.job = j->id;
	POST(w, 1, J_STARTED, &s);
	if (w->run_ms > 0)
		jail_exit(w, &j->id, 1 + w->run_ms, w->exit_how, w->exit_code,
		    0);
}

static bool
fake_kill(void *ctx, struct job *j)
{
	struct world *w = ctx;

	(void)j;
	w->kills++;
	return !w->no_group_kill;
}

static void
fake_usage(void *ctx, struct job *j)
{
	struct world *w = ctx;

	j->oom = w->oom;
	j->pids_hit = w->pids_hit;
	j->cpu_ms = 5 + w->cpu_ms;
	j->memory_kb = 1000;
}

static void
fake_job(void *ctx, struct job *j)
{
	(void)ctx;
	(void)j;
}

static bool
fake_seal(void *ctx, struct job *j)
{
	struct world *w = ctx;

	if (w->seal_slow)
		return false;
	memset(j->log_sha, 0x22, sizeof(j->log_sha));
	return true;
}

static void
fake_const_job(void *ctx, const struct job *j)
{
	(void)ctx;
	(void)j;
}

/* ---- ledger, images ---- */

static void
fake_random(void *ctx, uint8_t *p, size_t n)
{
	(void)ctx;
	memset(p, 0x5a, n);
}

/* ---- the world ---- */

static void
make_node(struct world *w)
{
	struct host h = {.ctx = w, IPC_MESSAGES(FAKE_SEND)
	    .reply = fake_reply, .envelope = fake_envelope,
	    .contract = fake_contract,
	    .random = fake_random, .start = fake_start_job,
	    .run = fake_run, .watch = fake_watch, .freeze = fake_freeze,
	    .slow = fake_slow, .kill = fake_kill, .bundle = fake_bundle,
	    .usage = fake_usage, .ending = fake_job, .free_slot = fake_job,
	    .log_seal = fake_seal, .log_read = fake_log_read,
	    .log_runs = fake_runs, .log_drop = fake_const_job,
	    .follow = fake_follow, .unfollow = fake_unfollow,
	    .log_end = fake_const_job, .blob_has = fake_has,
	    .blob_claimed = fake_claimed, .blob_to_come = fake_to_come,
	    .blob_put = fake_put, .volume_begin = fake_begin,
	    .volume_lacks = fake_lacks, .chunk_of = fake_chunk_of,
	    .chunks_here = fake_chunks_here, .chunk_put = fake_chunk_put,
	    .blob_get = fake_get, .blob_held = fake_held,
	    .blob_room = fake_room, .blob_use = fake_blob_fn,
	    .blob_drop = fake_blob_fn, .disk_free = fake_disk,
	    .disk_readonly = fake_readonly, .keep_body = fake_keep,
	    .load_body = fake_load, .envelope_of = fake_envelope_of,
	    .keep_vote = fake_keep_vote, .drop_vote = fake_drop_vote,
	    .keep_mail = fake_keep_mail, .drop_mail = fake_drop_mail,
	    .mail = fake_mail, .drop_body = fake_const_job,
	    .forget = fake_const_job, .image = fake_image,
	    .image_here = fake_image_here, .image_rules = fake_image_rules,
	    .image_named = fake_image_named, .image_part = fake_image_part,
	    .image_contents = fake_image_contents,
	    .images = fake_images,
	    .roots = fake_roots, .volumes = fake_volumes,
	    .seccomp = fake_seccomp};

	if (w->own != NULL)
		w->own(w, &h);
	assert_true(node_init(&w->n, &w->policy, &h));
	node_time(&w->n, w->now, w->wall_us);
}

void
world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	TAILQ_INIT(&w->events);
	fake_bodies_none();
	fake_votes_none();
	fake_mail_none();
	w->now = (struct mono){1000 * MONO_SECOND};
	w->wall_us = START_UNIX * 1000000;
	w->level = 2;
	w->run_ms = 10;
	w->disk_free = UINT64_C(1) << 40;
	policy_init(&w->policy, 2, UINT64_C(4) << 30);
	w->policy.accept = true;
	w->policy.required = 0x3;
	make_node(w);
}

static void
drop_events(struct world *w)
{
	struct fake_event *e;

	while ((e = TAILQ_FIRST(&w->events)) != NULL) {
		TAILQ_REMOVE(&w->events, e, link);
		free(e->data);
		free(e);
	}
}

void
world_clear(struct world *w)
{
	node_clear(&w->n);
	drop_events(w);
	for (unsigned i = 0; i < w->nreplies; i++)
		free(w->replies[i].data);
	for (unsigned i = 0; i < w->nblobs; i++)
		free(w->blobs[i].data);
}

void
world_up(struct world *w, uint32_t slots)
{
	struct msg_J_POSTURE p = {.layers = 0x3ff, .slots = slots};
	struct msg_T_HELLO h = {.dest = {{9}}};
	struct msg_K_BINDING b = {0};

	for (int i = PROGRAM_TRANSPORT; i < PROGRAM_COUNT; i++)
		node_up(&w->n, (enum program)i);
	node_hello(&w->n, &h);
	w->n.has_binding = true; /* of zeros: no real keys here */
	(void)b;
	/* jobs that jail still has are told before */
	for (unsigned i = 1; i <= NODE_SLOTS_MAX; i++) {
		struct msg_J_RUNNING r = {.slot = i, .layers = 0x3ff,
		    .compile_ms = 700,
		    .ran_ms = (uint64_t)mono_sub(w->now, w->began[i]) / 1000};

		struct msg_J_STAGING s = {.slot = i, .kill = w->killed_for[i]};

		if (w->running_id[i].b[0] == 0 && w->running_id[i].b[1] == 0)
			continue;
		r.job = s.job = w->running_id[i];
		r.kill = w->killed_for[i];
		r.exited = r.kill != 0;
		r.how = EXIT_SIGNAL;
		r.code = 9;
		if (w->jail_silent)
			found_staging(&w->n, &s);
		else
			found_running(&w->n, &r);
	}
	found_posture(&w->n, &p);
}

/* What happens on the side of the program when jail's pack step is done. */
static void
packed(struct world *w, const struct msg_J_STEP *m)
{
	struct id32 sha = {{0xaa, m->volume}};

	if (w->pack != NULL) {
		w->pack(w, m);
		return;
	}
	node_packed(&w->n, &m->job, m->volume, !w->output_fails, &sha,
	    w->output_size, &w->output_left, w->output_fails ? "too many files" : "");
}

static void
deliver(struct world *w, struct fake_event *e)
{
	const struct msg_J_STARTED *s = (const void *)e->msg;
	struct job *j;

	switch (e->type) {
#define GIVE(T, fn)                                                            \
	case IPC_##T:                                                          \
		fn(&w->n, (const struct msg_##T *)(const void *)e->msg);       \
		break;
		GIVE(V_VERDICT, serve_verdict)
		GIVE(V_LIVE_OK, submit_live)
		GIVE(V_APPROVED, review_approved)
		GIVE(V_REVIEWED, review_reviewed)
		GIVE(V_CONTRACTED, contract_answer)
		GIVE(K_APPROVED, review_signed)
		GIVE(K_SIGNED, finish_signed)
		GIVE(K_CHALLENGED, challenge_done)
		GIVE(HEAD, finish_head)
		GIVE(W_READY, watched_ready)
		GIVE(I_CHECKED, verified_checked)
		GIVE(W_DONE, watched_done)
		GIVE(J_STARTED, finish_started)
		GIVE(J_FAILED, finish_failed)
		GIVE(J_EXITED, finish_exited)
		GIVE(J_FORGOTTEN, finish_forgotten)
	case IPC_V_MANIFEST:
		submit_manifest(&w->n, (const void *)e->msg, e->data,
		    e->data_len);
		break;
	case IPC_J_STEP_DONE:
		packed(w, (const void *)e->msg);
		break;
	case IPC_V_GIVEN:
		document_given(&w->n, (const void *)e->msg, e->data,
		    e->data_len);
		break;
	default:
		fail_msg("message %d", (int)e->type);
	}
	if (e->type == IPC_J_STARTED && w->prints > 0 &&
	    (j = job_find(&w->n.jobs, &s->job)) != NULL) {
		uint64_t log = j->limits.v[LIMIT_LOG];

		j->log[0] = MIN_OF(w->prints, log);
		j->log[2] = w->prints - j->log[0];
		node_output(&w->n, j);
	}
}

/* As the ledger does it, at the end of a turn. */
static void
commit(struct world *w)
{
	struct job *j;

	while ((j = TAILQ_FIRST(&w->n.jobs.dirty)) != NULL) {
		TAILQ_REMOVE(&w->n.jobs.dirty, j, dirty_link);
		j->dirty = false;
	}
}

void
world_run(struct world *w, int64_t ms)
{
	struct mono end = mono_add(w->now, ms * 1000);

	for (;;) {
		struct mono next;
		struct fake_event *e;

		node_time(&w->n, w->now, w->wall_us);
		next = node_tick(&w->n);
		commit(w);
		e = TAILQ_FIRST(&w->events);
		if (e != NULL && e->at.us <= w->now.us) {
			TAILQ_REMOVE(&w->events, e, link);
			deliver(w, e);
			free(e->data);
			free(e);
			continue;
		}
		if (e != NULL)
			next = mono_min(next, e->at);
		if (next.us > end.us)
			next = end;
		if (next.us <= w->now.us && w->now.us >= end.us)
			break;
		/* a tick that is due at once must do something */
		next.us = MAX_OF(next.us, w->now.us + 1);
		w->wall_us += next.us - w->now.us;
		w->now = next;
	}
}

void
world_restart(struct world *w)
{
	static uint8_t recs[FAKE_JOBS][JOB_RECORD_MAX];
	size_t lens[FAKE_JOBS], n = 0;
	uint32_t forgotten;
	struct fake_event *e, *next;
	struct job *j;

	TAILQ_FOREACH(j, &w->n.jobs.live, link) {
		assert_true(n < FAKE_JOBS);
		lens[n] = job_encode(recs[n], JOB_RECORD_MAX, j);
		n++;
	}
	TAILQ_FOREACH(j, &w->n.jobs.ended, link) {
		assert_true(n < FAKE_JOBS);
		lens[n] = job_encode(recs[n], JOB_RECORD_MAX, j);
		n++;
	}
	forgotten = w->n.forgotten; /* of the ledger */
	node_clear(&w->n);
	for (e = TAILQ_FIRST(&w->events); e != NULL; e = next) {
		next = TAILQ_NEXT(e, link);
		/* jail keeps what its jobs do; the rest was said to the dead */
		if (e->type == IPC_J_EXITED)
			continue;
		TAILQ_REMOVE(&w->events, e, link);
		free(e->data);
		free(e);
	}
	make_node(w);
	node_time(&w->n, w->now, w->wall_us);
	w->n.forgotten = forgotten;
	for (size_t i = 0; i < n; i++) {
		j = job_decode(recs[i], lens[i]);
		assert_non_null(j);
		job_restore(&w->n.jobs, j);
	}
	fake_votes_restore(w);
	node_restore(&w->n);
	fake_mail_restore(w);
}
