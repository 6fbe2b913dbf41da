/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/proto/proto_req.h"

#include <string.h>

#include "common/mpk.h"
#include "common/util.h"

/* ---- reading requests ---- */

enum key {
	K_B, K_N, K_W, K_M, K_P, K_D, K_O, K_ID, K_S, K_SINCE, K_AFTER, K_T,
	K_F, K_R, K_A, K_U, K_H, K_V, K_G, K_K, K_I, K_L,
	K_COUNT
};
static const char *const KEYS[K_COUNT] = {
    "b", "n", "w", "m", "p", "d", "o", "id", "s", "since", "after",
    "t", "f", "r", "a", "u", "h", "v", "g", "k", "i", "l"};
#define BIT(k) (1u << (k))

/* Which members a path knows, and which it needs. */
static const struct {
	uint32_t knows, needs;
} MEMBERS[PATH_COUNT] = {
    [PATH_DESCRIBE] = {BIT(K_B) | BIT(K_T) | BIT(K_K), 0},
    [PATH_CHALLENGE] = {BIT(K_N) | BIT(K_W), BIT(K_N) | BIT(K_W)},
    [PATH_SUBMIT] = {BIT(K_M) | BIT(K_B) | BIT(K_P) | BIT(K_W) | BIT(K_F) |
	BIT(K_G), BIT(K_M)},
    [PATH_BLOB_HAVE] = {BIT(K_D), BIT(K_D)},
    [PATH_BLOB_PUT] = {BIT(K_D) | BIT(K_O) | BIT(K_N) | BIT(K_B),
	BIT(K_D) | BIT(K_N) | BIT(K_B)},
    [PATH_BLOB_GET] = {BIT(K_D) | BIT(K_O) | BIT(K_N), BIT(K_D)},
    [PATH_STATUS] = {BIT(K_ID) | BIT(K_SINCE) | BIT(K_W) | BIT(K_F) |
	BIT(K_G), BIT(K_ID)},
    [PATH_LOG] = {BIT(K_ID) | BIT(K_S) | BIT(K_O) | BIT(K_N) | BIT(K_R),
	BIT(K_ID) | BIT(K_S)},
    [PATH_FOLLOW] = {BIT(K_ID) | BIT(K_S) | BIT(K_O), BIT(K_ID) | BIT(K_S)},
    [PATH_RESULT] = {BIT(K_ID), BIT(K_ID)},
    [PATH_CANCEL] = {BIT(K_ID), BIT(K_ID)},
    [PATH_LIST] = {BIT(K_AFTER) | BIT(K_N), 0},
    [PATH_REVIEW] = {BIT(K_AFTER) | BIT(K_N), 0},
    [PATH_APPROVE] = {BIT(K_F), BIT(K_F)},
    [PATH_ROOT] = {BIT(K_A) | BIT(K_V), BIT(K_A) | BIT(K_V)},
    [PATH_HEAD] = {BIT(K_A), BIT(K_A)},
    [PATH_GET] = {BIT(K_U) | BIT(K_H) | BIT(K_M) | BIT(K_O) | BIT(K_N),
	BIT(K_U)},
    [PATH_DELTA] = {BIT(K_A) | BIT(K_P) | BIT(K_F),
	BIT(K_A) | BIT(K_P) | BIT(K_F)},
    [PATH_SET] = {BIT(K_A) | BIT(K_P) | BIT(K_AFTER) | BIT(K_N),
	BIT(K_A) | BIT(K_P)},
    [PATH_TLOG] = {BIT(K_A) | BIT(K_V) | BIT(K_ID), BIT(K_A)},
    [PATH_EVENTS] = {BIT(K_B), BIT(K_B)},
    [PATH_ALERT] = {BIT(K_B), BIT(K_B)},
    [PATH_IMAGE_PART] = {BIT(K_I) | BIT(K_L) | BIT(K_O) | BIT(K_N),
	BIT(K_I)},
    [PATH_IMAGE_GET] = {BIT(K_ID) | BIT(K_D) | BIT(K_N),
	BIT(K_ID) | BIT(K_D)},
};

/* It answers a page of jobs. */
static bool
is_page(enum proto_path path)
{
	return path == PATH_LIST || path == PATH_REVIEW;
}

/* The most of n, and what it is when nothing is said. */
static uint64_t
most(enum proto_path path)
{
	return is_page(path) ? PROTO_LIST_MAX : path == PATH_SET ?
	    PROTO_SET_MAX : PROTO_SLICE;
}

bool
proto_of_documents(enum proto_path path)
{
	return path == PATH_ROOT || path == PATH_HEAD || path == PATH_GET ||
	    path == PATH_DELTA || path == PATH_SET || path == PATH_TLOG;
}

/* Its answer may come later, and may hold all that a job has come to. */
static bool
may_wait(enum proto_path path)
{
	return path == PATH_SUBMIT || path == PATH_STATUS;
}

/* An array of digests, each looked at here once. */
static bool
get_digests(struct rd *r, struct plist *l, size_t most)
{
	const uint8_t *d;
	size_t n;

	if (!mpk_get_array(r, &n) || n > most)
		return false;
	l->r = *r;
	l->n = n;
	for (size_t i = 0; i < n; i++) {
		if (!proto_exact(r, &d, PROTO_ID_LEN))
			return false;
	}
	l->r.end = r->p;
	return true;
}

/* Of documents, where a letter means something else; false: malformed. */
static bool
get_klp_member(struct proto_req *q, enum key k, struct rd *r)
{
	switch (k) {
	case K_A:
		return proto_exact(r, &q->atag, 8);
	case K_P:
		return proto_exact(r, &q->ptag, 4);
	case K_U:
		return mpk_get_str(r, &q->uri.p, &q->uri.n);
	case K_H:
		q->has_have = true;
		return proto_int(r, &q->version);
	case K_V:
	case K_F:
		return proto_int(r, &q->version);
	case K_M:
		q->has_max = true;
		return proto_int(r, &q->max);
	case K_AFTER:
	case K_ID:
		return proto_exact(r, &q->id16, 16);
	case K_O:
		return proto_int(r, &q->offset);
	default:
		return proto_int(r, &q->n);
	}
}

static bool
get_member(struct proto_req *q, enum key k, struct rd *r)
{
	const char *w;
	uint64_t v;
	size_t n;

	if (proto_of_documents(q->path))
		return get_klp_member(q, k, r);
	switch (k) {
	case K_B:
		if (q->path == PATH_BLOB_PUT || q->path == PATH_EVENTS ||
		    q->path == PATH_ALERT)
			return mpk_get_bin(r, &q->body.p, &q->body.n);
		return proto_exact(r, &q->binding, BINDING_LEN);
	case K_N:
		if (q->path == PATH_CHALLENGE)
			return proto_exact(r, &q->nonce, 32);
		return proto_int(r, &q->n);
	case K_W:
		if (may_wait(q->path))
			return proto_int(r, &q->wait_s);
		return mpk_get_str(r, &w, &n) && n == 4 &&
		    memcmp(w, "secp", 4) == 0;
	case K_M:
		return mpk_get_bin(r, &q->envelope.p, &q->envelope.n);
	case K_P:
		return proto_exact(r, &q->proof, PROTO_PROOF_LEN);
	case K_D:
		if (q->path == PATH_BLOB_HAVE || q->path == PATH_IMAGE_GET)
			return get_digests(r, &q->digests, PROTO_HAVE_MAX);
		return proto_exact(r, &q->digest, PROTO_ID_LEN);
	case K_O:
		return proto_int(r, &q->offset);
	case K_ID:
		return proto_exact(r, &q->id, PROTO_ID_LEN);
	case K_S:
		if (!proto_int(r, &v) || (v != 1 && v != 2))
			return false;
		q->stream = (uint8_t)v;
		return true;
	case K_R:
		q->has_runs = true;
		return proto_int(r, &q->runs);
	case K_SINCE:
		q->has_since = true;
		return proto_int(r, &q->since);
	case K_AFTER:
		return proto_int(r, &q->after);
	case K_T:
		q->has_time = true;
		return proto_int(r, &q->time);
	case K_F:
		if (may_wait(q->path))
			return proto_int(r, &q->whole);
		return mpk_get_bin(r, &q->frame.p, &q->frame.n);
	case K_I:
		return mpk_get_str(r, &q->image.p, &q->image.n);
	case K_L:
		return proto_int(r, &q->part);
	case K_G:
		return proto_int(r, &q->outputs);
	case K_K:
		if (!proto_int(r, &v))
			return false;
		q->brief = v > 0;
		return true;
	default:
		return false;
	}
}

static const char *
check_req(struct proto_req *q, unsigned seen)
{
	if ((seen & MEMBERS[q->path].needs) != MEMBERS[q->path].needs)
		return "a member is missing";
	if (q->n == 0)
		return "n: at least 1";
	if (q->path == PATH_BLOB_PUT) {
		if (q->offset > q->n || q->body.n > q->n - q->offset)
			return "o and b go beyond n";
	} else if (q->path == PATH_BLOB_GET || q->path == PATH_LOG ||
	    q->path == PATH_GET || q->path == PATH_IMAGE_PART) {
		if (q->offset > PROTO_INT_MAX - q->n)
			return "o and n go beyond 2^53-1";
	}
	if (q->path != PATH_BLOB_PUT)
		q->n = MIN_OF(q->n, most(q->path));
	return NULL;
}

int
proto_req_get(struct proto_req *q, enum proto_path path, const void *data,
    size_t len, const char **why, uint64_t *max)
{
	struct rd r = rd_make(data, len), whole = r;
	unsigned seen = 0;
	size_t pairs;

	memset(q, 0, sizeof(*q));
	q->path = path;
	q->n = most(path);
	*why = "not a map";
	*max = 0;
	if (!mpk_skip(&whole) || !rd_end(&whole))
		return PROTO_MUTE;
	if (!mpk_get_map(&r, &pairs))
		return PROTO_BAD;
	for (size_t i = 0; i < pairs; i++) {
		struct mpk name;
		struct rd before = r;
		unsigned k;

		/* a key that is no str is a member that nobody knows */
		if (!mpk_get(&r, &name) || name.type == MPK_ARRAY ||
		    name.type == MPK_MAP) {
			r = before;
			(void)mpk_skip(&r);
			(void)mpk_skip(&r);
			continue;
		}
		for (k = 0; k < K_COUNT; k++) {
			if (mpk_str_is(&name, KEYS[k]))
				break;
		}
		if (k == K_COUNT || (MEMBERS[path].knows & BIT(k)) == 0) {
			(void)mpk_skip(&r);
			continue;
		}
		*why = KEYS[k];
		/* maps of many pairs are not searched for repeats by mpk */
		if ((seen & BIT(k)) != 0 || !get_member(q, (enum key)k, &r))
			return PROTO_BAD;
		seen |= BIT(k);
	}
	if ((*why = check_req(q, seen)) != NULL)
		return PROTO_BAD;
	/* an envelope that is too long is refused at its step of admission */
	if (q->body.n > PROTO_SLICE) {
		*max = PROTO_SLICE;
		return PROTO_LARGE;
	}
	return 0;
}

/* ---- writing requests ---- */

static void
put_bin(struct wr *w, enum key k, const void *p, size_t n)
{
	mpk_put_str(w, KEYS[k]);
	mpk_put_bin(w, p, n);
}

static void
put_int(struct wr *w, enum key k, uint64_t v)
{
	mpk_put_str(w, KEYS[k]);
	mpk_put_uint(w, v);
}

void
proto_req_put_have(struct wr *w, const struct id32 *digests, size_t n)
{
	mpk_put_map(w, 1);
	mpk_put_str(w, KEYS[K_D]);
	mpk_put_array(w, n);
	for (size_t i = 0; i < n; i++)
		mpk_put_bin(w, digests[i].b, PROTO_ID_LEN);
}

/* 0 is what a node takes for what is not there. */
static size_t
waits(const struct proto_req *q)
{
	return (size_t)(q->wait_s > 0) + (q->whole > 0) + (q->outputs > 0);
}

static void
put_waits(struct wr *w, const struct proto_req *q)
{
	if (q->wait_s > 0)
		put_int(w, K_W, q->wait_s);
	if (q->whole > 0)
		put_int(w, K_F, q->whole);
	if (q->outputs > 0)
		put_int(w, K_G, q->outputs);
}

static void
put_submit(struct wr *w, const struct proto_req *q)
{
	mpk_put_map(w, 1u + (q->binding != NULL) + (q->proof != NULL) +
		waits(q));
	put_bin(w, K_M, q->envelope.p, q->envelope.n);
	if (q->binding != NULL)
		put_bin(w, K_B, q->binding, BINDING_LEN);
	if (q->proof != NULL)
		put_bin(w, K_P, q->proof, PROTO_PROOF_LEN);
	put_waits(w, q);
}

static void
put_digests(struct wr *w, const struct proto_req *q)
{
	struct plist l = q->digests;
	const uint8_t *d;

	mpk_put_map(w, 1);
	mpk_put_str(w, KEYS[K_D]);
	mpk_put_array(w, l.n);
	while (plist_next(&l, &d))
		mpk_put_bin(w, d, PROTO_ID_LEN);
}

static void
put_image(struct wr *w, const struct proto_req *q)
{
	struct plist l = q->digests;
	const uint8_t *d;

	mpk_put_map(w, q->path == PATH_IMAGE_PART ? 4 : 3);
	put_int(w, K_N, q->n);
	if (q->path == PATH_IMAGE_PART) {
		mpk_put_str(w, KEYS[K_I]);
		mpk_put_strn(w, q->image.p, q->image.n);
		put_int(w, K_L, q->part);
		put_int(w, K_O, q->offset);
		return;
	}
	put_bin(w, K_ID, q->id, PROTO_ID_LEN);
	mpk_put_str(w, KEYS[K_D]);
	mpk_put_array(w, q->digests_put != NULL ? q->ndigests : l.n);
	for (size_t i = 0; q->digests_put != NULL && i < q->ndigests; i++)
		mpk_put_bin(w, q->digests_put[i].b, PROTO_ID_LEN);
	while (q->digests_put == NULL && plist_next(&l, &d))
		mpk_put_bin(w, d, PROTO_ID_LEN);
}

static void
put_get(struct wr *w, const struct proto_req *q)
{
	mpk_put_map(w, 3u + q->has_have + q->has_max);
	mpk_put_str(w, KEYS[K_U]);
	mpk_put_strn(w, q->uri.p, q->uri.n);
	if (q->has_have)
		put_int(w, K_H, q->version);
	if (q->has_max)
		put_int(w, K_M, q->max);
	put_int(w, K_O, q->offset);
	put_int(w, K_N, q->n);
}

void
proto_req_put(struct wr *w, const struct proto_req *q)
{
	switch (q->path) {
	case PATH_DESCRIBE:
		mpk_put_map(w, (size_t)(q->binding != NULL) + q->has_time +
			q->brief);
		if (q->binding != NULL)
			put_bin(w, K_B, q->binding, BINDING_LEN);
		if (q->has_time)
			put_int(w, K_T, q->time);
		if (q->brief)
			put_int(w, K_K, 1);
		break;
	case PATH_CHALLENGE:
		mpk_put_map(w, 2);
		put_bin(w, K_N, q->nonce, 32);
		mpk_put_str(w, KEYS[K_W]);
		mpk_put_str(w, "secp");
		break;
	case PATH_SUBMIT:
		put_submit(w, q);
		break;
	case PATH_BLOB_HAVE:
		put_digests(w, q);
		break;
	case PATH_BLOB_PUT:
	case PATH_BLOB_GET:
		mpk_put_map(w, q->path == PATH_BLOB_PUT ? 4 : 3);
		put_bin(w, K_D, q->digest, PROTO_ID_LEN);
		put_int(w, K_O, q->offset);
		put_int(w, K_N, q->n);
		if (q->path == PATH_BLOB_PUT)
			put_bin(w, K_B, q->body.p, q->body.n);
		break;
	case PATH_STATUS:
		mpk_put_map(w, 1u + q->has_since + waits(q));
		put_bin(w, K_ID, q->id, PROTO_ID_LEN);
		if (q->has_since)
			put_int(w, K_SINCE, q->since);
		put_waits(w, q);
		break;
	case PATH_LOG:
	case PATH_FOLLOW:
		mpk_put_map(w, q->path == PATH_LOG ? 4u + q->has_runs : 3);
		put_bin(w, K_ID, q->id, PROTO_ID_LEN);
		put_int(w, K_S, q->stream);
		put_int(w, K_O, q->offset);
		if (q->path == PATH_LOG)
			put_int(w, K_N, q->n);
		if (q->path == PATH_LOG && q->has_runs)
			put_int(w, K_R, q->runs);
		break;
	case PATH_RESULT:
	case PATH_CANCEL:
		mpk_put_map(w, 1);
		put_bin(w, K_ID, q->id, PROTO_ID_LEN);
		break;
	case PATH_LIST:
	case PATH_REVIEW:
		mpk_put_map(w, 2);
		put_int(w, K_AFTER, q->after);
		put_int(w, K_N, q->n);
		break;
	case PATH_APPROVE:
		mpk_put_map(w, 1);
		put_bin(w, K_F, q->frame.p, q->frame.n);
		break;
	case PATH_EVENTS:
	case PATH_ALERT:
		mpk_put_map(w, 1);
		put_bin(w, K_B, q->body.p, q->body.n);
		break;
	case PATH_ROOT:
		mpk_put_map(w, 2);
		put_bin(w, K_A, q->atag, 8);
		put_int(w, K_V, q->version);
		break;
	case PATH_TLOG:
		mpk_put_map(w, 2u + (q->id16 != NULL));
		put_bin(w, K_A, q->atag, 8);
		put_int(w, K_V, q->version);
		if (q->id16 != NULL)
			put_bin(w, K_ID, q->id16, 16);
		break;
	case PATH_HEAD:
		mpk_put_map(w, 1);
		put_bin(w, K_A, q->atag, 8);
		break;
	case PATH_GET:
		put_get(w, q);
		break;
	case PATH_IMAGE_PART:
	case PATH_IMAGE_GET:
		put_image(w, q);
		break;
	case PATH_DELTA:
		mpk_put_map(w, 3);
		put_bin(w, K_A, q->atag, 8);
		put_bin(w, K_P, q->ptag, 4);
		put_int(w, K_F, q->version);
		break;
	case PATH_SET:
		mpk_put_map(w, 3u + (q->id16 != NULL));
		put_bin(w, K_A, q->atag, 8);
		put_bin(w, K_P, q->ptag, 4);
		put_int(w, K_N, q->n);
		if (q->id16 != NULL)
			put_bin(w, K_AFTER, q->id16, 16);
		break;
	default:
		w->failed = true;
	}
}
