/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/slices.h"

#include <string.h>

#include "common/mpk.h"
#include "node/proto/proto_put.h"
#include "node/work/answer.h"
#include "node/work/asked.h"
#include "node/work/event.h"
#include "node/work/inputs.h"
#include "node/work/peers.h"
#include "node/work/state.h"

void
slice_have(struct node *n, const struct asked *a)
{
	const struct fp *fp = &a->caller->peer->v.fp;
	static struct id32 asked[PROTO_HAVE_MAX];
	static bool here[PROTO_HAVE_MAX];
	uint8_t bits[PROTO_HAVE_MAX / 8] = {0};
	struct plist l = a->req.digests;
	const uint8_t *d;
	unsigned k = 0;
	struct wr w;

	for (; k < PROTO_HAVE_MAX && plist_next(&l, &d); k++) {
		asked[k] = *id32_at(d);
		here[k] = n->host.blob_has(n->host.ctx, fp, &asked[k], NULL);
	}
	n->host.chunks_here(n->host.ctx, fp, asked, k, here);
	for (unsigned i = 0; i < k; i++)
		if (here[i])
			bits[i / 8] |= (uint8_t)(1u << (7 - i % 8));
	w = answer_begin(n, ST_OK, NULL);
	mpk_put_bin(&w, bits, (k + 7) / 8);
	answer_send(n, a, &w);
}

void
slice_get(struct node *n, const struct asked *a)
{
	const struct fp *fp = &a->caller->peer->v.fp;
	const struct proto_req *q = &a->req;
	struct proto_meta m = {.has_size = true};
	ssize_t got = n->host.blob_get(n->host.ctx, fp, id32_at(q->digest),
	    q->offset, answer_slice(n), (size_t)q->n, &m.size);

	if (got < 0) {
		answer_status(n, a, jobs_had(&n->jobs, fp,
		    id32_at(q->digest)) ? ST_GONE : ST_NOT_FOUND, NULL);
		return;
	}
	n->host.blob_use(n->host.ctx, fp, id32_at(q->digest));
	answer_bytes(n, a, &m, (size_t)got);
}

/* What a live job of this owner waits for. */
struct want {
	uint64_t size;
	struct id32 of; /* what the job names: it, or the whole of the chunk */
	bool chunk;
};

static bool
named(const struct node *n, const struct fp *fp, const struct id32 *sha,
    uint64_t *size)
{
	struct manifest_input in;
	const struct job *j;

	for (j = job_next_live(&n->jobs, fp, 0); j != NULL;
	    j = job_next_live(&n->jobs, fp, j->order)) {
		if (j->m == NULL)
			continue;
		for (unsigned i = 0; i < MANIFEST_INPUTS; i++) {
			if (!manifest_input(j->m, i, &in))
				continue;
			if (id32_eq(&in.blob->sha256, sha)) {
				*size = in.blob->size;
				return true;
			}
			if (in.chunks != NULL &&
			    id32_eq(&in.chunks->sha256, sha)) {
				*size = in.chunks->size;
				return true;
			}
		}
	}
	return false;
}

static bool
wanted(struct node *n, const struct fp *fp, const struct id32 *sha,
    struct want *w)
{
	uint64_t whole;

	w->of = *sha;
	w->chunk = false;
	if (named(n, fp, sha, &w->size))
		return true;
	w->chunk = true;
	return n->host.chunk_of(n->host.ctx, fp, sha, &w->of, &w->size) &&
	    named(n, fp, &w->of, &whole);
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
	peer_counted(n, p, PEER_REFUSED);
	peer_counted(n, p, PEER_BLOBS_BAD);
	node_event(n, EVK_BLOB_BAD, 2, NULL, p, "digest", hex, 0, 0);
	w = answer_begin(n, ST_REFUSED, &m);
	proto_put_have(&w, 0);
	answer_send(n, a, &w);
}

/* It is kept; of a job that has had all its airtime nothing more is. */
static void
kept(struct node *n, const struct asked *a, const struct fp *fp,
    const struct want *w, uint64_t have)
{
	struct refusal r = {.code = "airtime", .step = 11, .has_limit = true,
	    .limit = n->policy.max_airtime_s, .why = "max_airtime"};
	uint64_t air_ms = 0;

	if (a->took_ms > 0)
		inputs_took(n, fp, &w->of, a->took_ms, &air_ms);
	r.value = air_ms / 1000 + 1;
	if (air_ms > 0)
		answer_refusal(n, a, &r);
	else
		put_answer(n, a, have);
}

/*
 * No room in the spool. In his own there may never be any; in that of all there
 * is some when others' results expire, and he is no nearer to it elsewhere.
 */
static void
full(struct node *n, const struct asked *a, const struct fp *fp)
{
	struct refusal r = {.code = "quota", .has_limit = true,
	    .limit = n->policy.peer_spool, .why = "spool"};

	r.value = n->host.blob_held(n->host.ctx, fp) -
	    n->host.blob_claimed(n->host.ctx, fp, id32_at(a->req.digest)) +
	    MAX_OF(a->req.n, (uint64_t)BLOB_CHARGE_LEAST);
	if (r.value > r.limit)
		answer_refusal(n, a, &r);
	else
		answer_busy(n, a, "disk", NODE_FULL_S);
}

/* The slice is one that a job waits for: keep it. */
static void
keep(struct node *n, const struct asked *a, const struct fp *fp,
    const struct want *w)
{
	const struct proto_req *q = &a->req;
	uint64_t have;

	switch ((w->chunk ? n->host.chunk_put : n->host.blob_put)(n->host.ctx,
	    fp, id32_at(q->digest), q->n, q->offset, q->body.p, q->body.n,
	    &have)) {
	case BLOB_MORE:
		if (q->body.n > 0)
			inputs_came(n, fp, &w->of, false);
		kept(n, a, fp, w, have);
		break;
	case BLOB_WHOLE:
		inputs_came(n, fp, &w->of, !w->chunk);
		kept(n, a, fp, w, have);
		break;
	case BLOB_LATER:
		answer_busy(n, a, "load", NODE_SOON_S);
		break;
	case BLOB_BAD:
		put_bad(n, a);
		break;
	case BLOB_FULL:
		full(n, a, fp);
		break;
	default:
		answer_busy(n, a, "disk", NODE_FULL_S);
	}
}

void
slice_put(struct node *n, const struct asked *a)
{
	const struct fp *fp = &a->caller->peer->v.fp;
	const struct proto_req *q = &a->req;
	struct refusal r = {.code = "not_wanted"};
	struct proto_meta bad = {.why = pstr_of("n")};
	struct want w;
	uint64_t size;

	if (!wanted(n, fp, id32_at(q->digest), &w)) {
		/* the last slice once more, when nobody waits for it now */
		if (n->host.blob_get(n->host.ctx, fp, id32_at(q->digest), 0,
			answer_slice(n), 0, &size) >= 0 && size == q->n)
			put_answer(n, a, size);
		else
			answer_refusal(n, a, &r);
	} else if (w.size != q->n) {
		answer_status(n, a, ST_MALFORMED, &bad);
	} else if (q->body.n > 0 &&
	    n->host.disk_free(n->host.ctx) < q->body.n) {
		node_event(n, EVK_DISK_LOW, 2, NULL, NULL, "disk", NULL, 0, 0);
		answer_busy(n, a, "disk", NODE_FULL_S);
	} else {
		keep(n, a, fp, &w);
	}
}
