/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/submit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/proto/proto_put.h"
#include "node/work/anchored.h"
#include "node/work/answer.h"
#include "node/work/asked.h"
#include "node/work/banned.h"
#include "node/work/event.h"
#include "node/work/finish.h"
#include "node/work/hold.h"
#include "node/work/imagepolicy.h"
#include "node/work/inputs.h"
#include "node/work/park.h"
#include "node/work/peers.h"
#include "node/work/ready.h"
#include "node/work/review.h"
#include "node/work/run.h"
#include "node/work/said.h"
#include "node/work/small.h"
#include "node/work/spool.h"
#include "node/work/state.h"
#include "trust/doc/manifest_record.h"

/*
 * job/submit (compute.md 3 and 4) in stages, since trust must be asked:
 *
 *   ASKED_NEW       is there a fresh verdict for who asks, with this b?
 *   ASKED_VERDICT   steps 1 to 5; a live proof that came is checked
 *   ASKED_LIVE      the same again, with what the proof was worth
 *   ASKED_ENVELOPE  trust has opened the envelope: the repeat of a job that is
 *                   here, else steps 6 to 11
 */

#define LEASE_S UINT64_C(600) /* ours: a lease is not shorter */
#define LEASE_MORE_S 60	      /* ours: ... nor than the wait and this */
/* ours: bytes of a log that names no limit, and at most this part of max_airtime */
#define LOG_GUESS 65536
#define LOG_PART 10

/* ---- the answer ---- */

/* Who says nothing is not refused for what he may never say, on a slow way. */
static uint64_t
log_guess(const struct node *n, const struct forecast_path *way)
{
	return way->bitrate == 0 ? LOG_GUESS : MIN_OF((uint64_t)LOG_GUESS,
	    way->bitrate / 8 * n->policy.max_airtime_s / LOG_PART);
}

/* Logs as asked, or a small one; outputs as asked, or as they came. */
static uint64_t
bytes_to_go(struct node *n, const struct caller *l, const struct manifest *m)
{
	const struct peer *p = l->peer;
	uint64_t sum = m->limit[LIMIT_LOG] != 0 ? m->limit[LIMIT_LOG] :
	    log_guess(n, &l->path);
	struct limits row;

	if (level_row(&row, &n->policy, MAX_OF(p->v.level, 1)))
		sum = MIN_OF(sum, row.v[LIMIT_LOG]);
	for (unsigned i = 0; i < m->nvolumes; i++) {
		if (!m->volume[i].rw)
			continue;
		if (m->limit[LIMIT_OUTPUT] != 0)
			return sum + m->limit[LIMIT_OUTPUT];
		sum += m->volume[i].blob.size;
	}
	return sum;
}

/* Of a job that is known: what is left of it. */
static struct admitted
airtime_left(struct node *n, const struct asked *a, const struct job *j)
{
	struct forecast f;

	if (!job_waiting(j) || j->m == NULL)
		return (struct admitted){0};
	f = forecast(&a->caller->path, inputs_on_the_way(n, &j->owner, j->m),
	    bytes_to_go(n, a->caller, j->m));
	return (struct admitted){.airtime_s = forecast_s(f.us),
	    .airtime_p90_s = forecast_s(f.p90_us)};
}

/* May it end within the time that the asker gives? */
static bool
ends_soon(const struct asked *a, const struct job *j,
    const struct proto_submitted *s)
{
	return a->req.wait_s > s->wait_s && !job_ended(j) &&
	    j->state != JS_HELD && s->nmissing == 0 && !s->more;
}

static void
submitted(struct node *n, const struct asked *a, const struct job *j,
    const struct admitted *air)
{
	static struct id32 missing[PROTO_MISSING_MAX];
	struct proto_submitted s = {.id = j->id.b,
	    .airtime_s = air->airtime_s};
	const char *later = NULL;
	struct wr w;

	s.missing_put = missing;
	if (job_waiting(j))
		s.nmissing = job_missing(n, j, missing, PROTO_MISSING_MAX,
		    &s.more, &later);
	/* nothing to send yet is not nothing to send */
	if (later != NULL && s.nmissing == 0) {
		answer_busy(n, a, later, NODE_SOON_S);
		return;
	}
	s.more |= later != NULL;
	if (!job_waiting(j)) { /* a chunk list was none */
		s.nmissing = 0;
		s.more = false;
	}
	/* what comes surely needs no second number */
	if (air->airtime_p90_s > air->airtime_s)
		s.airtime_p90_s = air->airtime_p90_s;
	s.state = pstr_of(job_state_name(j->state));
	s.reason = job_reason_of(j);
	s.image = j->image.b;
	s.wait_s = job_waiting(j) ? run_wait_s(n, &j->owner,
	    &j->limits, j) : 0;
	/* what it will have come to by then is one answer, and not several */
	if ((job_ended(j) && small_answer(n, a, j)) ||
	    (ends_soon(a, j, &s) && hold_put(n, a, j)))
		return;
	s.lease = MIN_OF((uint64_t)j->not_after,
	    (uint64_t)n->unix_now + MAX_OF(s.wait_s + LEASE_MORE_S, LEASE_S));
	w = answer_begin(n, ST_OK, NULL);
	proto_put_submitted(&w, &s);
	answer_send(n, a, &w);
}

static void
submitted_left(struct node *n, const struct asked *a, const struct job *j)
{
	struct admitted air = airtime_left(n, a, j);

	submitted(n, a, j, &air);
}

static void
refuse(struct node *n, const struct asked *a, const struct manifest *m,
    const struct refusal *r)
{
	const struct id32 *id = m == NULL ? NULL : &m->job;
	struct job fake;

	memset(&fake, 0, sizeof(fake));
	if (id != NULL)
		fake.id = *id;
	/* lines wait for the ledger, and whoever asks must not pile them up */
	if (!n->ledger_fails)
		node_event_refused(n, id == NULL ? NULL : &fake,
		    a->caller->peer, r);
	/* a demand for a proof is no refusal yet */
	if (!r->live)
		said_refused(n, a->caller->peer, id, m, r);
	answer_refusal(n, a, r);
}

/* ---- steps 1 to 5 ---- */

static struct quota_answer
quota_now(struct node *n, const struct fp *fp)
{
	struct owner *o = owner_get(n, fp);

	if (o == NULL)
		return (struct quota_answer){QUOTA_JOBS_QUEUED, NODE_FULL_S, 0,
		    0};
	return quota_job(&o->quota, &n->caps, jobs_waiting_of(&n->jobs, fp),
	    n->now);
}

/* The envelope is refused: but a used-up budget comes first (step 6). */
static void
bad_envelope(struct node *n, const struct asked *a, const char *why)
{
	struct quota_answer quota = quota_now(n, &a->caller->peer->v.fp);
	struct refusal r = {.code = "manifest", .step = 7};

	(void)snprintf(r.why, sizeof(r.why), "%.160s", why);
	if (quota.kind != QUOTA_FITS)
		(void)admit_quota(&r, &quota);
	refuse(n, a, NULL, &r);
}

static void
ask_live(struct node *n, struct asked *a)
{
	const struct caller *l = a->caller;
	const struct verdict *v = &l->peer->v;
	const uint8_t *proof = a->req.proof;
	struct msg_V_LIVE m = {.qid = node_qid(n), .bip340 = v->bip340};

	if (!asked_wait(n, a, ASKED_LIVE, m.qid))
		return;
	m.link = l->id;
	memcpy(m.n, l->live_n, 32);
	memcpy(m.s, proof, 64);
	memcpy(m.m, proof + 64, 32);
	memcpy(m.initiator, l->peer->rns_public, 64);
	memcpy(m.responder, n->rns_public, 64);
	memcpy(m.key, v->key, 33);
	n->host.send_V_LIVE(n->host.ctx, &m);
}

static void
ask_envelope(struct node *n, struct asked *a)
{
	const struct verdict *v = &a->caller->peer->v;
	const struct pbin *e = &a->req.envelope;
	struct msg_V_ENVELOPE m = {.qid = node_qid(n), .key_kind = v->key_kind,
	    .bip340 = v->bip340, .len = (uint32_t)e->n};

	if (!asked_wait(n, a, ASKED_ENVELOPE, m.qid))
		return;
	m.fp = v->fp;
	m.key_len = v->key_len;
	memcpy(m.key, v->key, v->key_len);
	n->host.envelope(n->host.ctx, &m, e->p, e->n);
}

/* A proof came to a nonce of ours, and trust has not looked at it yet. */
static bool
proof_to_check(const struct node *n, const struct asked *a)
{
	return a->req.proof != NULL && a->caller->live_asked &&
	    a->stage < ASKED_LIVE && n->up[PROGRAM_TRUST];
}

void
submit_request(struct node *n, struct asked *a)
{
	const struct proto_req *q = &a->req;
	struct peer *p = a->caller->peer;
	struct admit_node an;
	struct admit_peer ap;
	struct refusal r;
	bool news = p != NULL && peer_binding_new(p, q->binding);

	/* a disk that has filled up since takes no job */
	node_disk(n);
	an = node_admit(n);

	/* steps 1 and 2 need nobody's word */
	if (a->stage == ASKED_NEW && p != NULL && an.shut == NULL && (news || !peer_verdict_fresh(n, p)) &&
	    n->up[PROGRAM_TRUST]) {
		(void)asked_wait(n, a, ASKED_VERDICT,
		    peer_ask(n, p, news ? q->binding : NULL));
		return;
	}
	ap = peer_admit(n, a->caller, p);
	if (a->bad_binding) {
		ap.bad_binding = true;
		ap.why = a->why;
	}
	if (!admit_first(&r, &an, &ap)) {
		asked_binding_time(n, a, &r);
		/* a proof that came with the request is looked at before it */
		if (r.live && proof_to_check(n, a))
			ask_live(n, a);
		else
			refuse(n, a, NULL, &r);
		return;
	}
	/* above_2: the proof is worth a level, so it is looked at as well */
	if (ap.live_needed && !ap.live_done && proof_to_check(n, a))
		ask_live(n, a);
	else if (q->envelope.n > PROTO_ENVELOPE_MAX)
		bad_envelope(n, a, "envelope: over 96 KiB");
	else if (!n->up[PROGRAM_TRUST])
		answer_busy(n, a, "trust", NODE_BUSY_S);
	else
		ask_envelope(n, a);
}

void
submit_live(struct node *n, const struct msg_V_LIVE_OK *m)
{
	struct asked *a = park_take(n, m->qid, ASKED_LIVE);
	struct caller *l;

	if (a == NULL)
		return;
	l = a->caller;
	l->live_done = m->ok;
	/* a proof is good once: the next one answers another nonce */
	l->live_asked = m->ok;
	node_event(n, m->ok ? EVK_CHALLENGE_OK : EVK_CHALLENGE_BAD,
	    m->ok ? 0 : 2, NULL, l->peer, NULL, NULL, 0, 0);
	submit_request(n, a);
	asked_end(a);
}

/* ---- steps 6 to 11 ---- */

static struct job *
make_job(struct node *n, const struct caller *l, struct manifest *m,
    const struct admitted *got, const struct id32 *image)
{
	struct job *j = job_new(&m->job, &l->peer->v.fp);
	struct manifest_input in;

	if (j == NULL)
		return NULL;
	memcpy(j->rns_public, l->peer->rns_public, 64);
	j->rns_hash = l->peer->rns_hash;
	memcpy(j->nonce, m->nonce, 16);
	j->not_after = m->not_after;
	j->deadline = m->deadline;
	j->retries = (uint8_t)m->retries;
	j->level = MAX_OF(got->level, 0);
	j->limits = got->limits;
	j->image = *image;
	j->verdict_gen = n->verdict_gen;
	for (unsigned i = 0; i < MANIFEST_INPUTS; i++)
		if (manifest_input(m, i, &in))
			j->bytes_in += in.blob->size;
	for (unsigned i = 0; i < m->nvolumes; i++)
		j->nouts += m->volume[i].rw;
	if (j->nouts > 0 &&
	    (j->outs = calloc(j->nouts, sizeof(*j->outs))) == NULL) {
		job_free(j);
		return NULL;
	}
	for (unsigned i = 0, k = 0; i < m->nvolumes; i++) {
		if (!m->volume[i].rw)
			continue;
		j->outs[k].volume = (uint8_t)i;
		(void)snprintf(j->outs[k].target, sizeof(j->outs[k].target),
		    "%s", m->volume[i].target);
		k++;
	}
	return j;
}

/* How long it would wait for its turn, with what it would be granted. */
static uint32_t
queue_s(struct node *n, const struct peer *p, const struct manifest *m)
{
	struct limits asked, row, want;
	int level = level_granted(p->v.level, m->trust_level);

	/* without jail nobody runs, and nobody knows until when */
	if (!n->has_posture || !level_row(&row, &n->policy, MAX_OF(level, 1)))
		return 0;
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		asked.v[i] = m->limit[i];
	level_grant(&want, &row, &asked, &n->policy.profile);
	return run_wait_s(n, &p->v.fp, &want, NULL);
}

static void
weigh(struct node *n, struct caller *l, const struct manifest *m,
    struct admit_job *aj, struct id32 *image)
{
	const struct fp *fp = &l->peer->v.fp;
	static char why[HOST_WHY];
	bool wasm = (m->has & HAS_WASM) != 0;
	char profile[MANIFEST_TEXT + 1];
	struct manifest_input in;
	uint64_t room;

	aj->signer_is_peer = fp_eq(&m->submitter, fp);
	aj->nonce_used = job_by_nonce(&n->jobs, fp, m->nonce) != NULL;
	aj->now = n->unix_now;
	aj->forgotten = n->forgotten;
	aj->created = n->created;
	if (wasm) {
		aj->image = IMAGE_HERE;
		*image = m->wasm.sha256;
	} else {
		aj->image = n->host.image(n->host.ctx, m, image);
	}
	(void)banned_manifest(n, m, image, &aj->revoked);
	if (aj->image == IMAGE_HERE && !wasm)
		aj->volume_code = n->host.volumes(n->host.ctx, m, image, why);
	aj->unanchored = anchored_lacks(n, image);
	aj->unsigned_ = imagepolicy_lacks(n, image);
	aj->volume_why = why;
	manifest_seccomp(profile, m);
	aj->seccomp_why = n->host.seccomp(n->host.ctx, profile);
	for (unsigned i = 0; i < MANIFEST_INPUTS; i++)
		/* last to be evicted for this job's other inputs */
		if (manifest_input(m, i, &in) && n->host.blob_has(n->host.ctx,
		    fp, &in.blob->sha256, NULL))
			n->host.blob_use(n->host.ctx, fp, &in.blob->sha256);
	aj->spool_more = inputs_missing_bytes(n, fp, m);
	room = aj->spool_more + inputs_promised(n, fp);
	/* whether that was enough is step 6's to say, below the payload */
	(void)n->host.blob_room(n->host.ctx, fp, room);
	aj->spool_held = spool_held(n, fp) + room -
	    aj->spool_more;
	aj->spool_more = inputs_missing_bytes(n, fp, m);
	aj->disk_free = n->host.disk_free(n->host.ctx);
	aj->path = l->path;
	aj->bytes_to_come = inputs_on_the_way(n, fp, m);
	aj->bytes_to_go = bytes_to_go(n, l, m);
	aj->wait_s = queue_s(n, l->peer, m);
}

static void
admit_it(struct node *n, const struct asked *a, struct manifest *m,
    const struct msg_V_MANIFEST *v, const uint8_t *record, size_t rlen)
{
	struct caller *l = a->caller;
	const struct pbin *e = &a->req.envelope;
	struct admit_node an = node_admit(n);
	struct admit_peer ap = peer_admit(n, l, l->peer);
	struct quota_answer quota = quota_now(n, &l->peer->v.fp);
	struct admit_job aj = {.m = m};
	struct id32 image = {0};
	struct admitted got;
	struct owner *o;
	struct refusal r;
	struct job *j;

	/* what lacks must be known when the job is here */
	if (!inputs_settled(n, &l->peer->v.fp, m)) {
		answer_busy(n, a, "load", NODE_SOON_S);
		return;
	}
	/* the verdict may have changed while trust read the envelope */
	if (!admit_first(&r, &an, &ap) || !admit_quota(&r, &quota)) {
		refuse(n, a, m, &r);
		return;
	}
	weigh(n, l, m, &aj, &image);
	if (!admit_second(&r, &got, &an, &ap, &n->caps, &aj)) {
		refuse(n, a, m, &r);
		return;
	}
	if ((j = make_job(n, l, m, &got, &image)) == NULL ||
	    (j->m = malloc(sizeof(*j->m))) == NULL ||
	    !n->host.keep_body(n->host.ctx, j, record, rlen, e->p, e->n)) {
		job_free(j);
		answer_busy(n, a, "ledger", NODE_BUSY_S);
		return;
	}
	*j->m = *m; /* the texts are the job's now */
	manifest_init(m);
	if ((o = owner_get(n, &j->owner)) != NULL)
		bucket_take(&o->quota.jobs, 1, n->now);
	n->budgets_changed = true;
	n->count.admitted++;
	job_admit(&n->jobs, j, got.held, got.held ? "review" :
		job_inputs_here(n, j) ? "slots" : "inputs", n->unix_now,
	    n->now);
	review_admitted(n, j, v);
	anchored_record(n, j);
	(void)run_schedule(n);
	submitted(n, a, j, &got);
}

static void
opened(struct node *n, const struct asked *a, const struct msg_V_MANIFEST *v,
    const uint8_t *record, size_t rlen)
{
	struct manifest m;
	struct job *j;

	if (!v->ok) {
		bad_envelope(n, a, v->why);
		return;
	}
	if (!manifest_record_get(&m, record, rlen)) {
		bad_envelope(n, a, "record");
		return;
	}
	m.job = v->job;
	j = job_find(&n->jobs, &v->job);
	if (j != NULL && j->aside)
		answer_busy(n, a, "ledger", NODE_ASIDE_S);
	else if (j != NULL && fp_eq(&j->owner, &a->caller->peer->v.fp))
		submitted_left(n, a, j);
	else if (j != NULL)
		bad_envelope(n, a, "submitter");
	else
		admit_it(n, a, &m, v, record, rlen);
	manifest_clear(&m);
}

void
submit_repeat(struct node *n, const struct asked *a)
{
	const struct job *j = job_find(&n->jobs, &a->job);

	if (j == NULL || j->aside)
		answer_busy(n, a, "ledger", NODE_ASIDE_S);
	else
		submitted_left(n, a, j);
}

void
submit_manifest(struct node *n, const struct msg_V_MANIFEST *v,
    const uint8_t *record, size_t rlen)
{
	struct asked *a = park_take(n, v->qid, ASKED_ENVELOPE);

	if (a == NULL)
		return;
	opened(n, a, v, record, rlen);
	asked_end(a);
}
