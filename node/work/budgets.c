/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/budgets.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "node/work/peers.h"

#define MAGIC 0x57424733u /* "WBG3" */
#define MAGIC_2 0x57424732u /* without images */
#define SIZE_PEER (16u + 64 + 1 + 2 * 16 + PEER_COUNTS * 8)
#define SIZE_OWNER (32u + 3 * 16 + 2 * 4)
#define SIZE_HEAD (4u + 8 + 4 + 4)

bool
budgets_due(struct node *n)
{
	bool old = !TAILQ_EMPTY(&n->jobs.live) &&
	    mono_reached(n->now, n->clock_at);

	return (n->budgets_changed || old) &&
	    (n->stopping || mono_reached(n->now, n->budgets_at));
}

/* ---- out ---- */

static void
put_bucket(struct wr *w, struct bucket *b, struct mono now)
{
	(void)bucket_left(b, now); /* as it is now */
	wr_u64(w, b->cap);
	wr_u64(w, (uint64_t)b->level);
}

static bool
worth_it(const struct peer *p)
{
	return p->count[PEER_REQUESTS] > 0;
}

static void
put_peer(struct wr *w, struct peer *p, struct mono now)
{
	wr_bytes(w, HASH_BYTES(p->rns_hash));
	wr_bytes(w, p->rns_public, 64);
	wr_bool(w, p->raised);
	put_bucket(w, &p->bytes, now);
	put_bucket(w, &p->requests, now);
	for (unsigned i = 0; i < PEER_COUNTS; i++)
		wr_u64(w, p->count[i]);
}

uint8_t *
budgets_encode(struct node *n, size_t *len)
{
	size_t cap = SIZE_HEAD + (size_t)n->npeers * SIZE_PEER +
	    (size_t)n->nowners * SIZE_OWNER;
	uint8_t *buf = malloc(cap);
	uint32_t peers = 0;
	struct owner *o;
	struct peer *p;
	struct wr w;

	if (buf == NULL)
		return NULL;
	w = wr_make(buf, cap);
	for (p = peer_next(n, NULL); p != NULL; p = peer_next(n, p))
		peers += worth_it(p);
	wr_u32(&w, MAGIC);
	wr_u64(&w, (uint64_t)n->wall_us);
	wr_u32(&w, peers);
	wr_u32(&w, n->nowners);
	for (p = peer_next(n, NULL); p != NULL; p = peer_next(n, p)) {
		if (worth_it(p))
			put_peer(&w, p, n->now);
	}
	for (o = owner_next(n, NULL); o != NULL; o = owner_next(n, o)) {
		wr_bytes(&w, o->fp.b, sizeof(o->fp.b));
		put_bucket(&w, &o->quota.jobs, n->now);
		put_bucket(&w, &o->quota.cpu, n->now);
		put_bucket(&w, &o->quota.images, n->now);
		wr_u32(&w, o->penalty.points);
		wr_u32(&w, o->penalty.since);
	}
	if (!wr_ok(&w)) {
		free(buf);
		return NULL;
	}
	*len = w.len;
	n->budgets_changed = false;
	n->budgets_at = mono_add(n->now, BUDGETS_S * MONO_SECOND);
	n->clock_at = mono_add(n->now, BUDGETS_CLOCK_S * MONO_SECOND);
	return buf;
}

/* ---- in ---- */

/* It has filled up meanwhile; a clock that was set back fills nothing. */
static bool
get_bucket(struct rd *r, struct bucket *b, int64_t ago_us, struct mono now)
{
	uint64_t cap, level;

	if (!rd_u64(r, &cap) || !rd_u64(r, &level) ||
	    (int64_t)level > (int64_t)MIN_OF(cap, (uint64_t)INT64_MAX))
		return false;
	bucket_restore(b, cap, (int64_t)level, ago_us, now);
	return true;
}

static bool
get_peer(struct node *n, struct rd *r, int64_t ago_us, bool take)
{
	struct peer one, *p;

	memset(&one, 0, sizeof(one));
	bucket_init(&one.bytes, 0, 60, n->now);
	bucket_init(&one.requests, 0, 60, n->now);
	if (!rd_copy(r, HASH_BYTES(one.rns_hash)) ||
	    !rd_copy(r, one.rns_public, 64) || !rd_bool(r, &one.raised) ||
	    !get_bucket(r, &one.bytes, ago_us, n->now) ||
	    !get_bucket(r, &one.requests, ago_us, n->now))
		return false;
	for (unsigned i = 0; i < PEER_COUNTS; i++) {
		if (!rd_u64(r, &one.count[i]))
			return false;
	}
	if (!take || (p = peer_get(n, &one.rns_hash, one.rns_public)) == NULL)
		return true;
	p->raised = one.raised;
	p->bytes = one.bytes;
	p->requests = one.requests;
	/* the operator may have changed it since */
	bucket_resize(&p->requests, n->policy.requests_per_minute, n->now);
	memcpy(p->count, one.count, sizeof(p->count));
	return true;
}

static bool
get_owner(struct node *n, struct rd *r, int64_t ago_us, bool images,
    bool take)
{
	struct penalty penalty;
	struct quota q;
	struct owner *o;
	struct fp fp;

	quota_init(&q, &n->caps, n->now);
	if (!rd_copy(r, fp.b, sizeof(fp.b)) ||
	    !get_bucket(r, &q.jobs, ago_us, n->now) ||
	    !get_bucket(r, &q.cpu, ago_us, n->now) ||
	    (images && !get_bucket(r, &q.images, ago_us, n->now)) ||
	    !rd_u32(r, &penalty.points) || !rd_u32(r, &penalty.since) ||
	    penalty.points > PENALTY_MAX)
		return false;
	if (!take || (o = owner_get(n, &fp)) == NULL)
		return true;
	o->quota = q;
	quota_resize(&o->quota, &n->caps, n->now);
	o->penalty = penalty;
	return true;
}

static bool
decode(struct node *n, const uint8_t *buf, size_t len, uint32_t *saved,
    bool take)
{
	uint32_t magic, peers, owners;
	uint64_t wall;
	int64_t ago;
	struct rd r;

	r = rd_make(buf, len);
	if (!rd_u32(&r, &magic) || (magic != MAGIC && magic !=
	    MAGIC_2) || !rd_u64(&r, &wall) ||
	    !rd_u32(&r, &peers) || !rd_u32(&r, &owners) ||
	    peers > NODE_PEERS_MAX || owners > NODE_OWNERS_MAX ||
	    wall > (uint64_t)INT64_MAX / 2)
		return false;
	ago = MAX_OF(n->wall_us - (int64_t)wall, INT64_C(0));
	for (; peers > 0; peers--) {
		if (!get_peer(n, &r, ago, take))
			return false;
	}
	for (; owners > 0; owners--) {
		if (!get_owner(n, &r, ago, magic == MAGIC, take))
			return false;
	}
	*saved = (uint32_t)MIN_OF(wall / 1000000, (uint64_t)UINT32_MAX);
	return rd_end(&r);
}

bool
budgets_decode(struct node *n, const uint8_t *buf, size_t len,
    uint32_t *saved)
{
	/* the whole of it is read before a word of it counts */
	return decode(n, buf, len, saved, false) &&
	    decode(n, buf, len, saved, true);
}
