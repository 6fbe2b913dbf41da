/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/link/resource_tx.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/bz.h"
#include "transport/core/base/event.h"
#include "common/mpk.h"

/*
 * Outgoing resources (reticulum-endpoint.md 8.2 to 8.10), one at a time on a
 * link.
 */

#define ADV_MAX 512       /* reticulum-endpoint.md 8.13: 431 at most */
#define HMU_MAX (RNS_FULL_HASH + 16 + RES_HASHMAP_MAX * RES_MAPHASH)
#define REQ_SEEN 64       /* ours: request packets remembered */
#define WANTED_MAX RES_GUARD /* ours: more cannot match */
#define METADATA_HEAD 3

static void resource_tx_timer(struct rns *, void *);
static void tx_next(struct rns *, struct link *);

uint8_t *
resource_metadata_block(const uint8_t *p, size_t n, size_t *out_len)
{
	struct wr w;
	uint8_t *b;

	if (n > RES_METADATA_MAX || (b = malloc(n + METADATA_HEAD)) == NULL)
		return NULL;
	w = wr_make(b, n + METADATA_HEAD);
	wr_u24(&w, (uint32_t)n);
	wr_bytes(&w, p, n);
	*out_len = w.len;
	return b;
}

/* ---- life ---- */

static void
tx_segment_clear(struct res_out *x)
{
	free(x->stream_base);
	free(x->map);
	free(x->sent_once);
	x->stream_base = x->stream = x->map = x->sent_once = NULL;
}

static void
tx_free(struct rns *r, struct res_out *x)
{
	timer_clear(r, &x->timer);
	tx_segment_clear(x);
	TAILQ_REMOVE(&x->link->res_out, x, entry);
	x->link->res_out_count--;
	if (x->head != NULL)
		crypt_wipe(x->head, x->head_len);
	free(x->head);
	free(x);
}

/* Tell the owner, free it, and let the next one go. */
static void
tx_end(struct rns *r, struct res_out *x, enum res_status status, bool tell)
{
	struct rns_event ev = {.type = RNS_EV_SENT};
	struct hash16 id;
	struct link *l = x->link;
	bool has_tag = x->has_tag;
	res_sent_fn *sent = x->sent_fn;

	if (tell && x->status != RES_QUEUED)
		(void)link_send(r, l, CTX_RESOURCE_ICL, HASH_BYTES(x->hash),
		    NULL);
	ev.sent.link = l->id;
	ev.sent.tag = x->tag;
	ev.sent.status = (enum rns_resource_status)status;
	id = x->request_id;
	tx_free(r, x);
	if (has_tag)
		(void)event_push(r, &ev);
	if (sent != NULL)
		sent(r, l, &id, status == RES_COMPLETE);
	tx_next(r, l);
}

void
resource_tx_closed(struct rns *r, struct link *l)
{
	struct res_out *x;

	while ((x = TAILQ_FIRST(&l->res_out)) != NULL)
		tx_end(r, x, RES_FAILED, false);
}

static uint64_t
tx_total(const struct res_out *x)
{
	return (uint64_t)x->head_len + x->len;
}

/* ---- preparing a segment (reticulum-endpoint.md 8.2) ---- */

/* The bytes of head || data that the segment holds. */
static size_t
tx_content(const struct res_out *x, const struct links *ls,
    struct iovec_c v[2])
{
	uint64_t from = (uint64_t)(x->segment - 1) * ls->segment_max;
	uint64_t to = MIN_OF(from + ls->segment_max, tx_total(x));
	size_t count = 0;

	if (from < x->head_len)
		v[count++] = (struct iovec_c){x->head + from,
		    (size_t)(MIN_OF(to, (uint64_t)x->head_len) - from)};
	if (to > x->head_len) {
		from = from > x->head_len ? from - x->head_len : 0;
		v[count++] = (struct iovec_c){x->data + from,
		    (size_t)(to - x->head_len - from)};
	}
	return count;
}

static bool
tx_collides(const uint8_t *map, uint32_t i)
{
	uint32_t from = i > RES_GUARD ? i - RES_GUARD : 0;

	for (uint32_t k = from; k < i; k++)
		if (memcmp(map + (size_t)k * RES_MAPHASH,
		    map + (size_t)i * RES_MAPHASH, RES_MAPHASH) == 0)
			return true;
	return false;
}

static bool
tx_map(struct res_out *x)
{
	struct id32 hash;
	struct iovec_c v[2] = {{NULL, 0}, {x->random, RES_RANDOM}};

	for (uint32_t i = 0; i < x->parts; i++) {
		v[0].p = x->stream + (size_t)i * x->sdu;
		v[0].n = MIN_OF(x->sdu, x->size - i * x->sdu);
		crypt_sha256v(&hash, v, 2);
		memcpy(x->map + (size_t)i * RES_MAPHASH, hash.b, RES_MAPHASH);
		if (tx_collides(x->map, i))
			return false;
	}
	return true;
}

/* Resource hash, proof and map for a random hash that gives no collision. */
static void
tx_hashes(struct rns *r, struct res_out *x, const struct iovec_c *content,
    size_t count)
{
	do {
		core_random(r, x->random, RES_RANDOM);
		crypt_sha256_proof(&x->hash, &x->proof, content, count,
		    x->random, RES_RANDOM);
	} while (!tx_map(x));
	if (x->segment == 1)
		x->orig = x->hash;
}

static int
tx_encrypt(struct rns *r, struct res_out *x, const struct iovec_c *body,
    size_t count, size_t len)
{
	uint8_t prefix[RES_RANDOM], iv[16];
	struct iovec_c v[3] = {{prefix, sizeof(prefix)}};
	size_t cap = token_len(len + RES_RANDOM), n;
	int rc;

	memcpy(v + 1, body, count * sizeof(v[0]));
	x->stream_base = malloc(HEADER_1_LEN + cap);
	if (x->stream_base == NULL)
		return RNS_ENOMEM;
	x->stream = x->stream_base + HEADER_1_LEN;
	core_random(r, prefix, sizeof(prefix));
	core_random(r, iv, sizeof(iv));
	rc = token_encryptv(x->stream, &n, cap, x->link->key,
	    sizeof(x->link->key), iv, v, count + 1);
	x->size = (uint32_t)n;
	return rc;
}

/*
 * bz2 on what does not get shorter is nine tenths of the time of a transfer on
 * a fast link. Ours: from SAMPLE_FROM bytes on, three samples must get shorter
 * before the whole is tried.
 */
#define SAMPLE_FROM 131072
#define SAMPLE 16384

static int
tx_looks_dense(const struct iovec_c *body, bool *dense)
{
	struct iovec_c v[3];
	uint8_t *out;
	size_t n;

	*dense = false;
	if (body->n < SAMPLE_FROM)
		return RNS_OK;
	for (size_t i = 0; i < 3; i++)
		v[i] = (struct iovec_c){(const uint8_t *)body->p +
		    (body->n - SAMPLE) / 2 * i, SAMPLE};
	if ((out = malloc(3 * SAMPLE)) == NULL)
		return RNS_ENOMEM;
	*dense = bz_compress(out, &n, 3 * SAMPLE - 1, v, 3) == RNS_EBIG;
	free(out);
	return RNS_OK;
}

/* bz2 of the content when that is shorter; *out is NULL when it is not. */
static int
tx_compress(const struct res_out *x, const struct iovec_c *v, size_t count,
    size_t len, uint8_t **out, size_t *out_len)
{
	bool dense;
	int rc;

	*out = NULL;
	if (!x->compress || len < 2)
		return RNS_OK;
	if ((rc = tx_looks_dense(v + count - 1, &dense)) != RNS_OK)
		return rc;
	if (dense)
		return RNS_OK;
	if ((*out = malloc(len - 1)) == NULL)
		return RNS_ENOMEM;
	rc = bz_compress(*out, out_len, len - 1, v, count);
	if (rc == RNS_OK)
		return RNS_OK;
	free(*out);
	*out = NULL;
	return RNS_OK; /* then it goes as it is, as in 1.5.x */
}

static int
tx_prepare(struct rns *r, struct res_out *x)
{
	struct iovec_c v[2], body;
	size_t count = tx_content(x, r->links, v), len = 0, packed_len = 0;
	uint8_t *packed = NULL;
	int rc;

	tx_segment_clear(x);
	for (size_t i = 0; i < count; i++)
		len += v[i].n;
	rc = tx_compress(x, v, count, len, &packed, &packed_len);
	if (rc != RNS_OK)
		return rc;
	x->compressed = packed != NULL;
	body = (struct iovec_c){packed, packed_len};
	rc = packed != NULL ? tx_encrypt(r, x, &body, 1, packed_len) :
	    tx_encrypt(r, x, v, count, len);
	free(packed);
	if (rc != RNS_OK)
		return rc;
	x->sdu = x->link->mtu - RES_SDU_OVERHEAD;
	x->parts = (x->size + x->sdu - 1) / x->sdu;
	x->map = malloc((size_t)x->parts * RES_MAPHASH);
	x->sent_once = calloc(x->parts, 1);
	if (x->map == NULL || x->sent_once == NULL)
		return RNS_ENOMEM;
	tx_hashes(r, x, v, count);
	x->sent = x->low = x->seen_count = 0;
	x->rtt = -1;
	return RNS_OK;
}

/* ---- advertisement (reticulum-endpoint.md 8.4) ---- */

static uint64_t
tx_flags(const struct res_out *x)
{
	uint64_t f = RES_FLAG_ENCRYPTED;

	if (x->compressed)
		f |= RES_FLAG_COMPRESSED;
	if (x->segments > 1)
		f |= RES_FLAG_SPLIT;
	if (x->kind == RES_REQUEST)
		f |= RES_FLAG_REQUEST;
	if (x->kind == RES_RESPONSE)
		f |= RES_FLAG_RESPONSE;
	if (x->has_metadata)
		f |= RES_FLAG_METADATA;
	return f;
}

static size_t
tx_adv_pack(const struct res_out *x, uint8_t out[ADV_MAX])
{
	struct wr w = wr_make(out, ADV_MAX);

	mpk_put_map(&w, 11);
	mpk_put_str(&w, "t");
	mpk_put_uint(&w, x->size);
	mpk_put_str(&w, "d");
	mpk_put_uint(&w, tx_total(x));
	mpk_put_str(&w, "n");
	mpk_put_uint(&w, x->parts);
	mpk_put_str(&w, "h");
	mpk_put_bin(&w, HASH_BYTES(x->hash));
	mpk_put_str(&w, "r");
	mpk_put_bin(&w, x->random, RES_RANDOM);
	mpk_put_str(&w, "o");
	mpk_put_bin(&w, HASH_BYTES(x->orig));
	mpk_put_str(&w, "i");
	mpk_put_uint(&w, x->segment);
	mpk_put_str(&w, "l");
	mpk_put_uint(&w, x->segments);
	mpk_put_str(&w, "q");
	if (x->kind == RES_PLAIN)
		mpk_put_nil(&w);
	else
		mpk_put_bin(&w, HASH_BYTES(x->request_id));
	mpk_put_str(&w, "f");
	mpk_put_uint(&w, tx_flags(x));
	mpk_put_str(&w, "m");
	mpk_put_bin(&w, x->map, (size_t)MIN_OF(x->parts,
	    (uint32_t)RES_HASHMAP_MAX) * RES_MAPHASH);
	return w.len;
}

/* An advertisement, and the request that comes when it came. */
static uint32_t
tx_offer_frames(const struct res_out *x)
{
	return link_frames(x->link, HEADER_1_LEN + token_len(x->adv_len)) + 1;
}

double
resource_tx_wait(const struct res_out *x)
{
	double rtt = x->rtt >= 0 ? x->rtt : x->link->rtt;

	switch (x->status) {
	case RES_ADVERTISED:
		return x->timeout + RES_PROCESSING_GRACE;
	case RES_TRANSFERRING:
		return rtt * LINK_TRAFFIC_FACTOR * RES_MAX_RETRIES +
		    RES_SENDER_GRACE + RES_ALL_RETRIES;
	case RES_AWAITING_PROOF:
		return rtt * RES_PROOF_FACTOR + RES_SENDER_GRACE;
	default:
		return 0;
	}
}

static void
tx_watch(struct rns *r, struct res_out *x)
{
	timer_set(r, &x->timer,
	    mono_add(x->activity, mono_seconds(resource_tx_wait(x))));
}

static int
tx_advertise(struct rns *r, struct res_out *x)
{
	uint8_t adv[ADV_MAX];
	size_t n = tx_adv_pack(x, adv);
	int rc;

	x->status = RES_ADVERTISED;
	x->adv_len = n;
	x->adv_sent = x->activity = r->now;
	rc = link_send(r, x->link, CTX_RESOURCE_ADV, adv, n, NULL);
	tx_watch(r, x);
	return rc == RNS_EBIG ? rc : RNS_OK; /* others: it is sent again */
}

static int
tx_begin(struct rns *r, struct res_out *x)
{
	int rc = tx_prepare(r, x);

	if (rc != RNS_OK)
		return rc;
	x->retries = RES_MAX_ADV_RETRIES;
	return tx_advertise(r, x);
}

/* The first of the queue goes when none is on its way. */
static void
tx_next(struct rns *r, struct link *l)
{
	struct res_out *x = TAILQ_FIRST(&l->res_out);

	if (x == NULL || x->status != RES_QUEUED || !link_usable(l))
		return;
	if (tx_begin(r, x) != RNS_OK)
		tx_end(r, x, RES_FAILED, false);
}

int
resource_tx_start(struct rns *r, struct link *l, const struct res_spec *s)
{
	uint64_t total = (uint64_t)s->head_len + s->len;
	struct res_out *x = NULL;
	int rc = RNS_OK;

	if (l->res_out_count >= LINK_RES_OUT_MAX)
		rc = RNS_ELIMIT;
	else if (total / r->links->segment_max >= UINT32_MAX ||
	    (s->data == NULL && s->len > 0))
		rc = RNS_EINVAL;
	else if ((x = calloc(1, sizeof(*x))) == NULL)
		rc = RNS_ENOMEM;
	if (rc != RNS_OK) {
		free(s->head);
		return rc;
	}
	timer_init(&x->timer, resource_tx_timer, x);
	x->link = l;
	x->kind = s->kind;
	x->status = RES_QUEUED;
	x->tag = s->tag;
	x->has_tag = s->has_tag;
	x->has_progress = s->has_tag || s->has_progress;
	x->sent_fn = s->sent_fn;
	x->head = s->head;
	x->head_len = s->head_len;
	x->data = s->data;
	x->len = s->len;
	x->has_metadata = s->has_metadata;
	x->compress = s->compress && s->len <= RES_COMPRESS_MAX;
	if (s->request_id != NULL)
		x->request_id = *s->request_id;
	x->segments = total <= r->links->segment_max ? 1 :
	    (uint32_t)((total - 1) / r->links->segment_max + 1);
	x->segment = 1;
	x->timeout = s->timeout_us > 0 ? link_seconds(s->timeout_us) :
	    l->rtt * LINK_TRAFFIC_FACTOR;
	TAILQ_INSERT_TAIL(&l->res_out, x, entry);
	l->res_out_count++;
	if (TAILQ_FIRST(&l->res_out) == x)
		rc = tx_begin(r, x);
	if (rc != RNS_OK)
		tx_free(r, x);
	return rc;
}

int
resource_tx_submit(struct rns *r, struct link *l, const struct rns_cmd *c)
{
	struct res_spec s = {.kind = RES_PLAIN, .data = c->resource.data,
	    .len = c->resource.len, .compress = c->resource.compress,
	    .timeout_us = c->resource.timeout_us, .has_tag = true,
	    .tag = c->resource.tag};

	if (c->resource.metadata != NULL) {
		if (c->resource.len == 0) /* reticulum-endpoint.md 16.35 */
			return RNS_EINVAL;
		s.head = resource_metadata_block(c->resource.metadata,
		    c->resource.metadata_len, &s.head_len);
		if (s.head == NULL)
			return c->resource.metadata_len > RES_METADATA_MAX ?
			    RNS_EBIG : RNS_ENOMEM;
		s.has_metadata = true;
	}
	return resource_tx_start(r, l, &s);
}

int
resource_tx_cancel(struct rns *r, struct link *l, uint64_t tag)
{
	struct res_out *x;

	TAILQ_FOREACH(x, &l->res_out, entry) {
		if (!x->has_tag || x->tag != tag)
			continue;
		tx_end(r, x, RES_FAILED, true);
		return RNS_OK;
	}
	return RNS_ENOENT;
}

void
resource_tx_unasked(struct rns *r, struct link *l, const struct hash16 *id)
{
	struct res_out *x;

	TAILQ_FOREACH(x, &l->res_out, entry) {
		if (x->kind != RES_REQUEST || !hash16_eq(&x->request_id, id))
			continue;
		tx_end(r, x, RES_FAILED, true);
		return;
	}
}

/* ---- parts and map updates (reticulum-endpoint.md 8.6, 8.7) ---- */

static void
tx_progress(struct rns *r, const struct res_out *x)
{
	struct rns_event ev = {.type = RNS_EV_PROGRESS};
	uint64_t done = (uint64_t)(x->segment - 1) * r->links->segment_max +
	    (uint64_t)x->sent * x->sdu;

	if (!x->has_progress)
		return;
	ev.progress.link = x->link->id;
	ev.progress.tag = x->tag;
	ev.progress.total = tx_total(x);
	ev.progress.done = MIN_OF(done, ev.progress.total);
	(void)event_push(r, &ev);
}

/*
 * The header is written over the end of the part before it and taken away
 * again, so that no part is copied on its way to the transmit queue.
 */
static void
tx_part(struct rns *r, struct res_out *x, uint32_t i)
{
	uint8_t *raw = x->stream + (size_t)i * x->sdu - HEADER_1_LEN;
	size_t n = MIN_OF(x->sdu, x->size - i * x->sdu);
	uint8_t saved[HEADER_1_LEN];

	memcpy(saved, raw, sizeof(saved));
	(void)packet_head(raw, PACKET_FLAGS(DEST_LINK, PACKET_DATA),
	    &x->link->id, CTX_RESOURCE);
	(void)link_send_raw(r, x->link, raw, HEADER_1_LEN + n);
	memcpy(raw, saved, sizeof(saved));
	/* who asks again for what was sent has not got it */
	if (x->sent_once[i] == 0 || mono_reached(r->now, x->leave))
		link_counted(r, x->link, link_frames(x->link, HEADER_1_LEN +
		    n), 1, x->sent_once[i]);
	if (x->sent_once[i] == 0) {
		x->sent_once[i] = 1;
		x->sent++;
	}
}

/* us of so many parts, by what is known of the interface. */
static int64_t
tx_lasts(const struct res_out *x, size_t parts)
{
	const struct iface *i = x->link->iface;

	return i == NULL || i->cfg.bitrate == 0 ? 0 : mono_seconds(
	    (double)(parts * (HEADER_1_LEN + x->sdu) * 8) /
	    (double)i->cfg.bitrate);
}

static void
tx_wanted(struct rns *r, struct res_out *x, const uint8_t *want, size_t n)
{
	uint32_t end = MIN_OF(x->low + RES_GUARD, x->parts);

	for (uint32_t i = x->low; i < end; i++) {
		const uint8_t *mine = x->map + (size_t)i * RES_MAPHASH;

		for (size_t k = 0; k < n; k++) {
			if (memcmp(want + k * RES_MAPHASH, mine,
			    RES_MAPHASH) == 0) {
				tx_part(r, x, i);
				break;
			}
		}
	}
}

/* false: the transfer was cancelled and x is gone. */
static bool
tx_update(struct rns *r, struct res_out *x, const uint8_t last[RES_MAPHASH])
{
	uint32_t end = MIN_OF(x->low + RES_GUARD, x->parts), p, n;
	uint8_t buf[HMU_MAX];
	struct wr w = wr_make(buf, sizeof(buf));

	for (p = x->low; p < end; p++)
		if (memcmp(x->map + (size_t)p * RES_MAPHASH, last,
		    RES_MAPHASH) == 0)
			break;
	p++;
	if (p > end || p % RES_HASHMAP_MAX != 0 || p >= x->parts) {
		core_drop(r, RNS_DROP_RESOURCE);
		tx_end(r, x, RES_FAILED, true);
		return false;
	}
	x->low = p > RES_WINDOW_MAX_FAST + 1 ? p - 1 - RES_WINDOW_MAX_FAST : 0;
	n = MIN_OF((uint32_t)RES_HASHMAP_MAX, x->parts - p);
	wr_bytes(&w, HASH_BYTES(x->hash));
	mpk_put_array(&w, 2);
	mpk_put_uint(&w, p / RES_HASHMAP_MAX);
	mpk_put_bin(&w, x->map + (size_t)p * RES_MAPHASH,
	    (size_t)n * RES_MAPHASH);
	(void)link_send(r, x->link, CTX_RESOURCE_HMU, buf, w.len, NULL);
	return true;
}

static struct res_out *
tx_find(struct link *l, const struct id32 *hash)
{
	struct res_out *x = TAILQ_FIRST(&l->res_out);

	if (x == NULL || x->status == RES_QUEUED ||
	    !id32_eq(&x->hash, hash))
		return NULL;
	return x;
}

/* The filter lets these packets through twice, so that is seen here. */
static bool
tx_seen(struct res_out *x, const struct id32 *hash)
{
	uint32_t n = MIN_OF(x->seen_count, (uint32_t)REQ_SEEN);

	for (uint32_t i = 0; i < n; i++)
		if (memcmp(x->seen[i], hash->b, sizeof(x->seen[i])) == 0)
			return true;
	memcpy(x->seen[x->seen_count++ % REQ_SEEN], hash->b,
	    sizeof(x->seen[0]));
	return false;
}

void
resource_tx_request_in(struct rns *r, struct link *l, const struct packet *p,
    const uint8_t *data, size_t n)
{
	struct rd rd = rd_make(data, n);
	const uint8_t *last = NULL, *hash, *want;
	struct res_out *x;
	uint8_t flag;

	if (!rd_u8(&rd, &flag) ||
	    (flag == RES_EXHAUSTED && !rd_ref(&rd, &last, RES_MAPHASH)) ||
	    !rd_ref(&rd, &hash, RNS_FULL_HASH) ||
	    (x = tx_find(l, id32_at(hash))) == NULL || tx_seen(x, &p->hash)) {
		core_drop(r, RNS_DROP_RESOURCE);
		return;
	}
	n = MIN_OF(rd_left(&rd) / RES_MAPHASH, (size_t)WANTED_MAX);
	if (!rd_ref(&rd, &want, n * RES_MAPHASH))
		return;
	if (x->rtt < 0)
		x->rtt = link_seconds(mono_sub(r->now, x->adv_sent));
	if (x->status == RES_ADVERTISED) {
		x->status = RES_TRANSFERRING;
		x->retries = RES_MAX_RETRIES;
		link_counted(r, l, tx_offer_frames(x), 1, 0);
	}
	x->activity = r->now;
	tx_wanted(r, x, want, n);
	x->leave = mono_add(mono_reached(r->now, x->leave) ? r->now : x->leave,
	    tx_lasts(x, n));
	if (last != NULL && !tx_update(r, x, last))
		return;
	if (x->sent == x->parts && x->status == RES_TRANSFERRING) {
		x->status = RES_AWAITING_PROOF;
		x->retries = RES_PROOF_RETRIES;
	}
	tx_progress(r, x);
	tx_watch(r, x);
}

/* ---- the end (reticulum-endpoint.md 8.9, 8.10, 8.12) ---- */

void
resource_tx_proof_in(struct rns *r, struct link *l, const struct packet *p)
{
	struct res_out *x;

	if (p->data_len != 2 * RNS_FULL_HASH ||
	    (x = tx_find(l, id32_at(p->data))) == NULL || x->sent < x->parts ||
	    !crypt_equal(p->data + RNS_FULL_HASH, HASH_BYTES(x->proof))) {
		core_drop(r, RNS_DROP_RESOURCE);
		return;
	}
	link_counted(r, l, 1, 1, 0);
	if (x->segment == x->segments) {
		tx_end(r, x, RES_COMPLETE, false);
		return;
	}
	x->segment++;
	if (tx_begin(r, x) != RNS_OK)
		tx_end(r, x, RES_FAILED, true);
}

void
resource_tx_answered(struct rns *r, struct link *l, const struct hash16 *id)
{
	struct res_out *x = TAILQ_FIRST(&l->res_out);

	if (x != NULL && x->kind == RES_REQUEST &&
	    x->status == RES_AWAITING_PROOF && x->segment == x->segments &&
	    hash16_eq(&x->request_id, id))
		tx_end(r, x, RES_COMPLETE, false);
}

void
resource_tx_rcl_in(struct rns *r, struct link *l, const uint8_t *p, size_t n)
{
	struct res_out *x;

	if (n != RNS_FULL_HASH || (x = tx_find(l, id32_at(p))) == NULL) {
		core_drop(r, RNS_DROP_RESOURCE);
		return;
	}
	tx_end(r, x, RES_REJECTED, false);
}

static void
tx_query(struct rns *r, struct res_out *x)
{
	uint8_t raw[HEADER_1_LEN + 2 * RNS_FULL_HASH];
	uint8_t data[2 * RNS_FULL_HASH];
	struct id32 hash;
	size_t n;

	memcpy(data, HASH_BYTES(x->hash));
	memcpy(data + RNS_FULL_HASH, HASH_BYTES(x->proof));
	n = packet_build(raw, sizeof(raw),
	    PACKET_FLAGS(DEST_LINK, PACKET_PROOF), &x->link->id,
	    CTX_RESOURCE_PRF, data, sizeof(data));
	packet_hash(&hash, raw, n, false);
	(void)link_send_clear(r, x->link, PACKET_DATA, CTX_CACHE_REQUEST,
	    HASH_BYTES(hash));
}

static void
resource_tx_timer(struct rns *r, void *arg)
{
	struct res_out *x = arg;

	if (x->retries == 0 || x->status == RES_TRANSFERRING) {
		tx_end(r, x, RES_FAILED, true);
		return;
	}
	x->retries--;
	if (x->status == RES_ADVERTISED) {
		link_counted(r, x->link, tx_offer_frames(x), 1, 1);
		(void)tx_advertise(r, x);
		return;
	}
	link_counted(r, x->link, 1, 1, 1); /* the proof */
	tx_query(r, x);
	x->activity = r->now;
	tx_watch(r, x);
}
