/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mpk.h"
#include "node/work/answer.h"
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
describe(struct node *n, struct caller *l, const uint8_t request[16])
{
	static struct proto_describe d;
	const struct peer *p = l->peer;
	const struct job *j;
	struct answer a;
	int level = p != NULL && p->v.known && p->v.status != VERDICT_REVOKED ?
	    p->v.level : 0;

	memset(&d, 0, sizeof(d));
	d.name = pstr_of(n->policy.name);
	d.urn = pstr_of(n->urn);
	d.key = pstr_of(n->key_text);
	d.profile = pstr_of(n->policy.profile_name);
	d.roles = ROLE_COMPUTE;
	d.runtimes = RUNTIME_OCI;
	d.arch = app_arch_here();
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
	answer_begin(&a, n, l, request);
	proto_ans_head(&a.w, ST_OK, NULL);
	proto_put_describe(&a.w, &d);
	answer_send(&a);
}

static void
describe_request(struct node *n, struct caller *l, const uint8_t request[16],
    const struct proto_req *q, const uint8_t *data, size_t len,
    const struct parked *was)
{
	struct peer *p = l->peer;
	bool news;

	if (p == NULL || was != NULL) {
		struct refusal r = {.code = "binding"};

		if (was != NULL && was->bad_binding) {
			(void)snprintf(r.why, sizeof(r.why), "%s", was->why);
			answer_refusal(n, l, request, &r);
			return;
		}
		describe(n, l, request);
		return;
	}
	news = q->binding != NULL && !(p->has_sent &&
	    memcmp(p->sent, q->binding, PROTO_BINDING_LEN) == 0);
	if (peer_verdict_fresh(n, p) && !news) {
		describe(n, l, request);
		return;
	}
	if (!n->up[PROGRAM_TRUST]) {
		answer_busy(n, l, request, NODE_BUSY_S);
		return;
	}
	(void)park_put(n, l, request, PATH_DESCRIBE, data, len,
	    STAGE_VERDICT, peer_ask(n, p, news ? q->binding : NULL));
}

static void
challenge_answer(struct node *n, struct caller *l, const uint8_t request[16])
{
	struct proto_challenge c = {n->binding, l->chal_s, l->chal_m};
	struct answer a;

	answer_begin(&a, n, l, request);
	proto_ans_head(&a.w, ST_OK, NULL);
	proto_put_challenge(&a.w, &c);
	answer_send(&a);
}

static void
challenge_request(struct node *n, struct caller *l, const uint8_t request[16],
    const struct proto_req *q, const uint8_t *data, size_t len)
{
	struct msg_K_CHALLENGE m = {0};

	if (!n->has_binding || !n->up[PROGRAM_KEYS]) {
		answer_busy(n, l, request, NODE_BUSY_S);
		return;
	}
	if (l->chal != CHAL_NONE && memcmp(l->chal_n, q->nonce, 32) != 0) {
		struct refusal r = {.code = "binding"};

		(void)snprintf(r.why, sizeof(r.why),
		    "one challenge for each link");
		answer_refusal(n, l, request, &r);
		return;
	}
	if (l->chal == CHAL_DONE) {
		challenge_answer(n, l, request);
		return;
	}
	if (l->chal == CHAL_ASKED) {
		answer_busy(n, l, request, 1);
		return;
	}
	m.qid = node_qid(n);
	memcpy(m.link, l->id, 16);
	memcpy(m.n, q->nonce, 32);
	if (l->peer != NULL)
		memcpy(m.initiator, l->peer->rns_public, 64);
	if (park_put(n, l, request, PATH_CHALLENGE, data, len, STAGE_NEW,
		m.qid) == NULL)
		return;
	memcpy(l->chal_n, q->nonce, 32);
	l->chal = CHAL_ASKED;
	l->chal_qid = m.qid;
	n->host.send(n->host.ctx, IPC_K_CHALLENGE, &m, NULL, 0);
}

void
serve_challenged(struct node *n, const struct msg_K_CHALLENGED *m)
{
	struct parked *p = park_find(n, m->qid);
	struct caller *l;

	if (p == NULL)
		return;
	if ((l = caller_find(n, p->link)) != NULL && l->chal_qid == m->qid) {
		struct refusal r = {.code = "binding"};

		l->chal = CHAL_DONE;
		memcpy(l->chal_s, m->s, 64);
		memcpy(l->chal_m, m->m, 32);
		if (m->ok) {
			challenge_answer(n, l, p->request);
		} else {
			l->chal = CHAL_NONE;
			answer_refusal(n, l, p->request, &r);
		}
	}
	park_drop(n, p);
}

/* ---- blobs ---- */

static void
have_request(struct node *n, struct caller *l, const uint8_t request[16],
    struct proto_req *q)
{
	uint8_t bits[PROTO_HAVE_MAX / 8] = {0};
	size_t total = q->digests.n, i = 0;
	const uint8_t *d;
	struct answer a;

	while (plist_next(&q->digests, &d)) {
		if (n->host.blob_has(n->host.ctx, l->peer->v.fp, d, NULL))
			bits[i / 8] |= (uint8_t)(1u << (7 - i % 8));
		i++;
	}
	answer_begin(&a, n, l, request);
	proto_ans_head(&a.w, ST_OK, NULL);
	mpk_put_bin(&a.w, bits, (total + 7) / 8);
	answer_send(&a);
}

static void
get_request(struct node *n, struct caller *l, const uint8_t request[16],
    const struct proto_req *q)
{
	struct proto_meta m = {.has_size = true};
	struct answer a;
	uint8_t *room, *buf = malloc(PROTO_SLICE);
	ssize_t got;

	if (buf == NULL) {
		answer_busy(n, l, request, NODE_BUSY_S);
		return;
	}
	got = n->host.blob_get(n->host.ctx, l->peer->v.fp, q->digest,
	    q->offset, buf, (size_t)q->n, &m.size);
	if (got < 0) {
		answer_status(n, l, request, ST_NOT_FOUND, NULL);
	} else {
		n->host.blob_use(n->host.ctx, l->peer->v.fp, q->digest);
		answer_begin(&a, n, l, request);
		proto_ans_head(&a.w, ST_OK, &m);
		mpk_put_bin_head(&a.w, (size_t)got);
		if ((room = wr_room(&a.w, (size_t)got)) != NULL && got > 0)
			memcpy(room, buf, (size_t)got);
		answer_send(&a);
	}
	free(buf);
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
put_answer(struct node *n, struct caller *l, const uint8_t request[16],
    uint64_t have)
{
	struct answer a;

	answer_begin(&a, n, l, request);
	proto_ans_head(&a.w, ST_OK, NULL);
	proto_put_have(&a.w, have);
	answer_send(&a);
}

static void
put_bad(struct node *n, struct caller *l, const uint8_t request[16],
    const uint8_t sha[32])
{
	struct proto_meta m = {.code = pstr_of("digest"), .has_step = true};
	struct answer a;
	char hex[65];

	hex_encode(hex, sha, 32);
	n->count.blobs_bad++;
	l->peer->n_refused++;
	node_event(n, EVK_BLOB_BAD, 2, NULL, l->peer, "digest", hex, 0, 0);
	answer_begin(&a, n, l, request);
	proto_ans_head(&a.w, ST_REFUSED, &m);
	proto_put_have(&a.w, 0);
	answer_send(&a);
}

static void
put_request(struct node *n, struct caller *l, const uint8_t request[16],
    const struct proto_req *q)
{
	const uint8_t *fp = l->peer->v.fp;
	struct refusal r = {.code = "not_wanted"};
	struct proto_meta bad = {.why = pstr_of("n")};
	uint64_t size, have;

	if (!wanted(n, fp, q->digest, &size)) {
		/* the last slice once more, when its job is over already */
		if (n->host.blob_has(n->host.ctx, fp, q->digest, &size) &&
		    size == q->n)
			put_answer(n, l, request, size);
		else
			answer_refusal(n, l, request, &r);
		return;
	}
	if (size != q->n) {
		answer_status(n, l, request, ST_MALFORMED, &bad);
		return;
	}
	if (q->body.n > 0 && n->host.disk_free(n->host.ctx) < q->body.n) {
		node_event(n, EVK_DISK_LOW, 2, NULL, NULL, "disk", NULL, 0, 0);
		answer_busy(n, l, request, 60);
		return;
	}
	switch (n->host.blob_put(n->host.ctx, fp, q->digest, size, q->offset,
	    q->body.p, q->body.n, &have)) {
	case BLOB_MORE:
		if (q->body.n > 0)
			run_inputs(n, fp, q->digest, false);
		put_answer(n, l, request, have);
		break;
	case BLOB_WHOLE:
		run_inputs(n, fp, q->digest, true);
		put_answer(n, l, request, have);
		break;
	case BLOB_BAD:
		put_bad(n, l, request, q->digest);
		break;
	case BLOB_FULL:
		r = (struct refusal){.code = "quota", .has_limit = true,
		    .limit = n->policy.peer_spool, .value = size};
		(void)snprintf(r.why, sizeof(r.why), "spool");
		answer_refusal(n, l, request, &r);
		break;
	default:
		answer_busy(n, l, request, 60);
	}
}

/* ---- the door ---- */

/* Paths that need a known fingerprint: ask for it when it is not here. */
static bool
known_peer(struct node *n, struct caller *l, const uint8_t request[16],
    enum proto_path path, const uint8_t *data, size_t len,
    const struct parked *was)
{
	struct refusal r = {.code = "not_identified"};
	struct peer *p = l->peer;

	if (p == NULL) {
		answer_refusal(n, l, request, &r);
		return false;
	}
	if (!peer_verdict_fresh(n, p) && was == NULL && n->up[PROGRAM_TRUST]) {
		(void)park_put(n, l, request, path, data, len, STAGE_VERDICT,
		    peer_ask(n, p, NULL));
		return false;
	}
	/* trust is away: what it said last holds */
	if (!p->v.known) {
		answer_busy(n, l, request, NODE_BUSY_S);
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
	answer_refusal(n, l, request, &r);
	return false;
}

static void
dispatch(struct node *n, struct caller *l, const uint8_t request[16],
    struct proto_req *q, const uint8_t *data, size_t len, struct parked *was)
{
	if (q->path == PATH_DESCRIBE) {
		describe_request(n, l, request, q, data, len, was);
		return;
	}
	if (q->path == PATH_CHALLENGE) {
		challenge_request(n, l, request, q, data, len);
		return;
	}
	if (q->path == PATH_SUBMIT) {
		submit_request(n, l, request, q, data, len, was);
		return;
	}
	if (!known_peer(n, l, request, q->path, data, len, was))
		return;
	if (q->path == PATH_BLOB_HAVE)
		have_request(n, l, request, q);
	else if (q->path == PATH_BLOB_PUT)
		put_request(n, l, request, q);
	else if (q->path == PATH_BLOB_GET)
		get_request(n, l, request, q);
	else
		query_request(n, l, request, q);
}

void
serve_request(struct node *n, const struct msg_T_REQUEST *m,
    const uint8_t *data, size_t len)
{
	struct caller *l = caller_find(n, m->link);
	struct proto_meta meta = {0};
	struct proto_req q;
	enum proto_path path;
	const char *why;
	uint64_t max;
	uint32_t s;
	int rc;

	n->count.requests++;
	if (l == NULL || !proto_path_find(&path, m->path_hash)) {
		n->count.mute++;
		return;
	}
	if (l->is_idle) {
		TAILQ_REMOVE(&n->idle, l, idle);
		l->is_idle = false;
		n->nidle--;
	}
	if ((s = peer_charge_request(n, l, len)) > 0) {
		answer_busy(n, l, m->request, s);
		return;
	}
	rc = proto_req_get(&q, path, data, len, &why, &max);
	if (rc == PROTO_MUTE) {
		n->count.mute++;
	} else if (rc == PROTO_BAD) {
		n->count.malformed++;
		meta.why = pstr_of(why);
		answer_status(n, l, m->request, ST_MALFORMED, &meta);
	} else if (rc == PROTO_LARGE) {
		meta.has_max = true;
		meta.max = max;
		answer_status(n, l, m->request, ST_TOO_LARGE, &meta);
	} else if (n->ledger_fails && path != PATH_DESCRIBE &&
	    path != PATH_CHALLENGE) {
		/* nothing is promised that cannot be written down */
		answer_busy(n, l, m->request, 30);
	} else {
		dispatch(n, l, m->request, &q, data, len, NULL);
	}
}

void
serve_resume(struct node *n, struct parked *p)
{
	struct caller *l = caller_find(n, p->link);
	struct proto_req q;
	const char *why;
	uint64_t max;

	/* out of the list first: what follows may close the link, or park */
	park_take(n, p);
	if (l != NULL &&
	    proto_req_get(&q, p->path, p->data, p->len, &why, &max) == 0)
		dispatch(n, l, p->request, &q, p->data, p->len, p);
	free(p);
}

void
serve_verdict(struct node *n, const struct msg_V_VERDICT *m)
{
	struct peer *p = peers_verdict(n, m);
	bool bad = m->status == VERDICT_BAD_BINDING;
	struct parked *q;

	if (p == NULL)
		return;
	if ((q = park_find(n, m->qid)) != NULL) {
		struct proto_req r;
		const char *why;
		uint64_t max;

		q->bad_binding = bad;
		(void)snprintf(q->why, sizeof(q->why), "%.127s", m->why);
		if (!bad && m->status == VERDICT_OK &&
		    proto_req_get(&r, q->path, q->data, q->len, &why, &max) ==
			0 && r.binding != NULL) {
			p->has_sent = true;
			memcpy(p->sent, r.binding, PROTO_BINDING_LEN);
		}
		serve_resume(n, q);
	}
	/* the request may have made room for another peer */
	if (bad || (p = peer_find(n, m->rns_hash)) == NULL)
		return;
	if (p->v.status == VERDICT_OK || p->v.status == VERDICT_REVOKED)
		run_owner(n, p->v.fp, p->v.level,
		    p->v.status == VERDICT_REVOKED);
	peer_enforce(n, p);
}
