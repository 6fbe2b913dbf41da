/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/serve.h"

#include <stdio.h>
#include <string.h>

#include "common/mpk.h"
#include "node/work/answer.h"
#include "node/work/asked.h"
#include "node/work/node.h"
#include "node/work/park.h"
#include "node/work/peers.h"
#include "node/work/query.h"
#include "node/work/submit.h"
#include "trust/doc/tlv.h"

/* ---- describe, challenge ---- */

static uint32_t
queued_of(const struct node *n, const uint8_t fp[FP_LEN])
{
	const struct job *j;
	uint32_t count = 0;

	TAILQ_FOREACH(j, &n->jobs.live, link) {
		if (job_waiting(j) && memcmp(j->owner, fp, FP_LEN) == 0)
			count++;
	}
	return count;
}

static void
describe_limits(struct node *n, struct proto_describe *d,
    const struct peer *p, int level)
{
	struct limits row;

	d->limits.slice = PROTO_SLICE;
	if (level < MAX_OF(n->policy.floor, 0) ||
	    !level_row(&row, &n->policy, MAX_OF(level, 1)))
		return;
	d->limits.memory = row.v[LIMIT_MEMORY];
	d->limits.cpu = row.v[LIMIT_CPU];
	d->limits.time = row.v[LIMIT_TIME];
	d->limits.pids = row.v[LIMIT_PIDS];
	d->limits.output = row.v[LIMIT_OUTPUT];
	d->limits.log = row.v[LIMIT_LOG];
	d->limits.spool = n->policy.peer_spool;
	d->left.jobs_queued = n->policy.jobs_queued;
	d->left.jobs_per_hour = n->policy.jobs_per_hour;
	d->left.spool = n->policy.peer_spool;
	if (p != NULL && p->v.known && p->v.status == VERDICT_OK) {
		struct owner *o = owner_get(n, p->v.fp);
		uint64_t held = n->host.blob_held(n->host.ctx, p->v.fp);
		uint32_t q = queued_of(n, p->v.fp);

		d->left.jobs_queued -= MIN_OF(q, n->policy.jobs_queued);
		d->left.spool -= MIN_OF(held, d->left.spool);
		if (o != NULL)
			d->left.jobs_per_hour = MIN_OF(d->left.jobs_per_hour,
			    bucket_left(&o->quota.jobs, n->now));
	}
}

static void
describe(struct node *n, const struct asked *a)
{
	struct proto_describe d = {.name = pstr_of(n->policy.name),
	    .urn = pstr_of(n->urn), .key = pstr_of(n->key_text),
	    .profile = pstr_of(n->policy.profile_name), .roles = ROLE_COMPUTE,
	    .runtimes = RUNTIME_OCI, .arch = app_arch_here()};
	const struct peer *p = a->caller->peer;
	const struct job *j;
	struct wr w;
	int level = p != NULL && p->v.known && p->v.status != VERDICT_REVOKED ?
	    p->v.level : 0;

	d.accepting = node_accepting(n);
	d.level = level;
	describe_limits(n, &d, p, level);
	TAILQ_FOREACH(j, &n->jobs.live, link) {
		if (job_active(j))
			d.running++;
		else
			d.queued++;
	}
	d.layers = n->layers;
	d.time = n->unix_now;
	d.binding = n->has_binding ? n->binding : NULL;
	if (level >= MAX_OF(n->policy.floor, 0) && p != NULL)
		d.nimages = n->host.images(n->host.ctx, d.images,
		    PROTO_IMAGES_MAX);
	w = answer_begin(n, ST_OK, NULL);
	proto_put_describe(&w, &d);
	answer_send(n, a, &w);
}

static void
describe_request(struct node *n, struct asked *a)
{
	const uint8_t *b = a->req.binding;
	struct peer *p = a->caller->peer;
	struct refusal r = {.code = "binding"};
	bool news;

	if (a->bad_binding) {
		(void)snprintf(r.why, sizeof(r.why), "%s", a->why);
		answer_refusal(n, a, &r);
		return;
	}
	news = p != NULL && peer_binding_new(p, b);
	if (p == NULL || a->stage != ASKED_NEW ||
	    (peer_verdict_fresh(n, p) && !news))
		describe(n, a);
	else if (!n->up[PROGRAM_TRUST])
		answer_busy(n, a, NODE_BUSY_S);
	else
		(void)asked_wait(n, a, ASKED_VERDICT,
		    peer_ask(n, p, news ? b : NULL));
}

static void
challenge_answer(struct node *n, const struct asked *a)
{
	const struct caller *l = a->caller;
	struct proto_challenge c = {n->binding, l->chal_s, l->chal_m};
	struct wr w = answer_begin(n, ST_OK, NULL);

	proto_put_challenge(&w, &c);
	answer_send(n, a, &w);
}

static void
challenge_request(struct node *n, struct asked *a)
{
	struct refusal r = {.code = "binding",
	    .why = "one challenge for each link"};
	const uint8_t *nonce = a->req.nonce;
	struct msg_K_CHALLENGE m = {0};
	struct caller *l = a->caller;

	if (!n->has_binding || !n->up[PROGRAM_KEYS]) {
		answer_busy(n, a, NODE_BUSY_S);
		return;
	}
	if (l->chal != CHAL_NONE && memcmp(l->chal_n, nonce, 32) != 0) {
		answer_refusal(n, a, &r);
		return;
	}
	if (l->chal == CHAL_DONE) {
		challenge_answer(n, a);
		return;
	}
	if (l->chal == CHAL_ASKED) {
		answer_busy(n, a, 1);
		return;
	}
	m.qid = node_qid(n);
	memcpy(m.link, l->id, 16);
	memcpy(m.n, nonce, 32);
	if (l->peer != NULL)
		memcpy(m.initiator, l->peer->rns_public, 64);
	if (!asked_wait(n, a, ASKED_CHALLENGE, m.qid))
		return;
	memcpy(l->chal_n, nonce, 32);
	l->chal = CHAL_ASKED;
	l->chal_qid = m.qid;
	n->host.send(n->host.ctx, IPC_K_CHALLENGE, &m, NULL, 0);
}

void
serve_challenged(struct node *n, const struct msg_K_CHALLENGED *m)
{
	struct asked *a = park_take(n, m->qid, ASKED_CHALLENGE);
	struct refusal r = {.code = "binding"};
	struct caller *l;

	if (a == NULL)
		return;
	l = a->caller;
	if (l->chal_qid == m->qid && m->ok) {
		l->chal = CHAL_DONE;
		memcpy(l->chal_s, m->s, 64);
		memcpy(l->chal_m, m->m, 32);
		challenge_answer(n, a);
	} else if (l->chal_qid == m->qid) {
		l->chal = CHAL_NONE;
		answer_refusal(n, a, &r);
	}
	asked_end(a);
}

/* ---- blobs ---- */

static void
have_request(struct node *n, struct asked *a)
{
	const uint8_t *fp = a->caller->peer->v.fp, *d;
	uint8_t bits[PROTO_HAVE_MAX / 8] = {0};
	struct plist l = a->req.digests;
	size_t i = 0;
	struct wr w;

	for (; plist_next(&l, &d); i++) {
		if (n->host.blob_has(n->host.ctx, fp, d, NULL))
			bits[i / 8] |= (uint8_t)(1u << (7 - i % 8));
	}
	w = answer_begin(n, ST_OK, NULL);
	mpk_put_bin(&w, bits, (i + 7) / 8);
	answer_send(n, a, &w);
}

static void
get_request(struct node *n, struct asked *a)
{
	const uint8_t *fp = a->caller->peer->v.fp;
	const struct proto_req *q = &a->req;
	struct proto_meta m = {.has_size = true};
	ssize_t got = n->host.blob_get(n->host.ctx, fp, q->digest, q->offset,
	    answer_slice(n), (size_t)q->n, &m.size);

	if (got < 0) {
		answer_status(n, a, ST_NOT_FOUND, NULL);
		return;
	}
	n->host.blob_use(n->host.ctx, fp, q->digest);
	answer_bytes(n, a, &m, (size_t)got);
}

/* Does a live job of this owner name it, and with which size? */
static bool
wanted(const struct node *n, const uint8_t fp[FP_LEN], const uint8_t sha[32],
    uint64_t *size)
{
	const struct job *j;

	TAILQ_FOREACH(j, &n->jobs.live, link) {
		if (j->m == NULL || memcmp(j->owner, fp, FP_LEN) != 0)
			continue;
		for (unsigned i = 0; i < j->m->nvolumes; i++) {
			const struct blob_ref *b = &j->m->volume[i].blob;

			if (memcmp(b->sha256, sha, 32) == 0) {
				*size = b->size;
				return true;
			}
		}
	}
	return false;
}

static void
put_answer(struct node *n, const struct asked *a, uint64_t have)
{
	struct wr w = answer_begin(n, ST_OK, NULL);

	proto_put_have(&w, have);
	answer_send(n, a, &w);
}

static void
put_bad(struct node *n, const struct asked *a)
{
	struct proto_meta m = {.code = pstr_of("digest"), .has_step = true};
	struct peer *p = a->caller->peer;
	char hex[65];
	struct wr w;

	hex_encode(hex, a->req.digest, 32);
	n->count.blobs_bad++;
	p->n_refused++;
	node_event(n, EVK_BLOB_BAD, 2, NULL, p, "digest", hex, 0, 0);
	w = answer_begin(n, ST_REFUSED, &m);
	proto_put_have(&w, 0);
	answer_send(n, a, &w);
}

/* The slice is one that a job waits for: keep it. */
static void
put_slice(struct node *n, const struct asked *a, const uint8_t fp[FP_LEN])
{
	const struct proto_req *q = &a->req;
	struct refusal r = {.code = "quota", .has_limit = true,
	    .limit = n->policy.peer_spool, .value = q->n, .why = "spool"};
	uint64_t have;

	switch (n->host.blob_put(n->host.ctx, fp, q->digest, q->n, q->offset,
	    q->body.p, q->body.n, &have)) {
	case BLOB_MORE:
		if (q->body.n > 0)
			inputs_came(n, fp, q->digest, false);
		put_answer(n, a, have);
		break;
	case BLOB_WHOLE:
		inputs_came(n, fp, q->digest, true);
		put_answer(n, a, have);
		break;
	case BLOB_BAD:
		put_bad(n, a);
		break;
	case BLOB_FULL:
		answer_refusal(n, a, &r);
		break;
	default:
		answer_busy(n, a, NODE_FULL_S);
	}
}

static void
put_request(struct node *n, struct asked *a)
{
	const uint8_t *fp = a->caller->peer->v.fp;
	const struct proto_req *q = &a->req;
	struct refusal r = {.code = "not_wanted"};
	struct proto_meta bad = {.why = pstr_of("n")};
	uint64_t size;

	if (!wanted(n, fp, q->digest, &size)) {
		/* the last slice once more, when its job is over already */
		if (n->host.blob_has(n->host.ctx, fp, q->digest, &size) &&
		    size == q->n)
			put_answer(n, a, size);
		else
			answer_refusal(n, a, &r);
	} else if (size != q->n) {
		answer_status(n, a, ST_MALFORMED, &bad);
	} else if (q->body.n > 0 &&
	    n->host.disk_free(n->host.ctx) < q->body.n) {
		node_event(n, EVK_DISK_LOW, 2, NULL, NULL, "disk", NULL, 0, 0);
		answer_busy(n, a, NODE_FULL_S);
	} else {
		put_slice(n, a, fp);
	}
}

/* ---- the door ---- */

/* Paths that need a known fingerprint: ask for it when it is not here. */
static bool
known_peer(struct node *n, struct asked *a)
{
	struct refusal r = {.code = "not_identified"};
	struct peer *p = a->caller->peer;

	if (p == NULL) {
		answer_refusal(n, a, &r);
		return false;
	}
	if (!peer_verdict_fresh(n, p) && a->stage == ASKED_NEW &&
	    n->up[PROGRAM_TRUST]) {
		(void)asked_wait(n, a, ASKED_VERDICT, peer_ask(n, p, NULL));
		return false;
	}
	/* trust is away: what it said last holds */
	if (!p->v.known) {
		answer_busy(n, a, NODE_BUSY_S);
		return false;
	}
	if (p->v.status == VERDICT_OK && p->v.level >= 0)
		return true;
	if (p->v.status == VERDICT_REVOKED) {
		r.code = "revoked";
		r.which = "key";
	} else if (p->v.status == VERDICT_OK) {
		/* klp.md 3.8: -1, document requests only */
		r.code = "trust";
		(void)snprintf(r.why, sizeof(r.why), "level %d", p->v.level);
	} else {
		r.code = "binding";
		(void)snprintf(r.why, sizeof(r.why),
		    "no key is known for this identity: send b");
	}
	answer_refusal(n, a, &r);
	return false;
}

static void
dispatch(struct node *n, struct asked *a)
{
	switch (a->req.path) {
	case PATH_DESCRIBE:
		describe_request(n, a);
		return;
	case PATH_CHALLENGE:
		challenge_request(n, a);
		return;
	case PATH_SUBMIT:
		submit_request(n, a);
		return;
	default:
		break;
	}
	if (!known_peer(n, a))
		return;
	switch (a->req.path) {
	case PATH_BLOB_HAVE:
		have_request(n, a);
		break;
	case PATH_BLOB_PUT:
		put_request(n, a);
		break;
	case PATH_BLOB_GET:
		get_request(n, a);
		break;
	default:
		query_request(n, a);
	}
}

/* What has come is read, once; what does not read is answered here. */
static bool
parse(struct node *n, struct asked *a, enum proto_path path)
{
	struct proto_meta meta = {0};
	const char *why;

	switch (proto_req_get(&a->req, path, a->data, a->len, &why,
	    &meta.max)) {
	case 0:
		return true;
	case PROTO_MUTE:
		n->count.mute++;
		break;
	case PROTO_LARGE:
		meta.has_max = true;
		answer_status(n, a, ST_TOO_LARGE, &meta);
		break;
	default:
		n->count.malformed++;
		meta.why = pstr_of(why);
		answer_status(n, a, ST_MALFORMED, &meta);
	}
	return false;
}

void
serve_request(struct node *n, const struct msg_T_REQUEST *m,
    const uint8_t *data, size_t len)
{
	struct asked early = {.caller = caller_find(n, m->link)}, *a;
	enum proto_path path;
	uint32_t s;

	n->count.requests++;
	if (early.caller == NULL || !proto_path_find(&path, m->path_hash)) {
		n->count.mute++;
		return;
	}
	/* no byte of it is looked at or kept before it is paid for */
	memcpy(early.id, m->request, sizeof(early.id));
	caller_spoke(n, early.caller);
	if ((s = peer_charge_request(n, early.caller, len)) > 0) {
		answer_busy(n, &early, s);
		return;
	}
	if ((a = asked_new(early.caller, m, data, len)) == NULL) {
		answer_busy(n, &early, NODE_BUSY_S);
		return;
	}
	/* nothing is promised that cannot be written down */
	if (parse(n, a, path)) {
		if (n->ledger_fails && path != PATH_DESCRIBE &&
		    path != PATH_CHALLENGE)
			answer_busy(n, a, NODE_LEDGER_S);
		else
			dispatch(n, a);
	}
	asked_end(a);
}

void
serve_verdict(struct node *n, const struct msg_V_VERDICT *m)
{
	struct peer *p = peers_verdict(n, m);
	bool bad = m->status == VERDICT_BAD_BINDING;
	struct asked *a;

	if (p == NULL)
		return;
	if ((a = park_take(n, m->qid, ASKED_VERDICT)) != NULL) {
		a->bad_binding = bad;
		(void)snprintf(a->why, sizeof(a->why), "%.127s", m->why);
		if (m->status == VERDICT_OK && a->req.binding != NULL)
			peer_binding_good(p, a->req.binding);
		dispatch(n, a);
		asked_end(a);
	}
	/* the request may have made room for another peer */
	if (bad || (p = peer_find(n, m->rns_hash)) == NULL)
		return;
	if (p->v.status == VERDICT_OK || p->v.status == VERDICT_REVOKED)
		run_owner(n, p->v.fp, p->v.level,
		    p->v.status == VERDICT_REVOKED);
	peer_enforce(n, p);
}
