/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/link/request.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/event.h"
#include "transport/core/link/resource_tx.h"
#include "transport/core/table/dest.h"
#include "common/mpk.h"

/* s, reticulum-endpoint.md 7.1: 10 * 1.125 */
#define REQUEST_TIMEOUT_FIXED 11.25
#define REQUEST_HEAD 28  /* array of 3, float64, bin16 */
#define RESPONSE_HEAD 19 /* array of 2, bin16 */
/* reticulum-endpoint.md 7.4: packed size minus 2 is compared */
#define RESPONSE_PACKED_EXTRA 2

static void
request_free(struct rns *r, struct request *q)
{
	timer_clear(r, &q->timer);
	TAILQ_REMOVE(&q->link->requests, q, entry);
	q->link->request_count--;
	free(q);
}

void
request_fail(struct rns *r, struct request *q, bool too_large)
{
	struct rns_event ev = {.type = RNS_EV_REQUEST_FAILED};

	ev.response.link = q->link->id;
	ev.response.tag = q->tag;
	ev.response.too_large = too_large;
	ev.response.delivered = q->delivered;
	ev.response.took_us = mono_sub(r->now, q->started);
	request_free(r, q);
	(void)event_push(r, &ev);
}

static void
request_timer(struct rns *r, void *arg)
{
	request_fail(r, arg, false);
}

struct request *
request_find(struct link *l, const struct hash16 *id)
{
	struct request *q;

	TAILQ_FOREACH(q, &l->requests, entry)
		if (hash16_eq(&q->id, id))
			return q;
	return NULL;
}

static void
served_free(struct link *l, struct served *s)
{
	TAILQ_REMOVE(&l->served, s, entry);
	l->served_count--;
	free(s);
}

void
request_closed(struct rns *r, struct link *l)
{
	struct request *q;
	struct served *s;

	while ((q = TAILQ_FIRST(&l->requests)) != NULL)
		request_fail(r, q, false);
	while ((s = TAILQ_FIRST(&l->served)) != NULL)
		served_free(l, s);
}

/* ---- asking (reticulum-endpoint.md 7.1) ---- */

static size_t
request_head(struct rns *r, uint8_t out[REQUEST_HEAD], const char *path)
{
	struct wr w = wr_make(out, REQUEST_HEAD);
	struct hash16 hash;

	rns_path_hash(&hash, path);
	mpk_put_array(&w, 3);
	mpk_put_double(&w, (double)core_wall_us(r) / 1e6);
	mpk_put_bin(&w, HASH_BYTES(hash));
	return w.len;
}

/* The transfer of a request is over, well or not. */
static void
request_sent(struct rns *r, struct link *l, const struct hash16 *id,
    bool ok)
{
	struct request *q = request_find(l, id);

	/* the answer may overtake the proof of the question */
	if (q == NULL || q->receiving)
		return;
	if (!ok) {
		request_fail(r, q, false);
		return;
	}
	q->delivered = true;
	timer_set(r, &q->timer, mono_add(r->now, q->timeout_us));
}

static int
request_as_resource(struct rns *r, struct link *l, struct request *q,
    const uint8_t *head, size_t head_len, const uint8_t *data, size_t len)
{
	struct res_spec s = {.kind = RES_REQUEST, .head_len = head_len + len,
	    .compress = head_len + len <= RES_COMPRESS_MAX,
	    .request_id = &q->id, .has_progress = true, .tag = q->tag,
	    .sent_fn = request_sent};
	struct id32 hash;

	if (len > SIZE_MAX - head_len ||
	    (s.head = malloc(head_len + len)) == NULL)
		return RNS_ENOMEM;
	memcpy(s.head, head, head_len);
	memcpy(s.head + head_len, data, len);
	crypt_sha256(&hash, s.head, s.head_len);
	q->id = *hash16_at(hash.b);
	return resource_tx_start(r, l, &s);
}

static int
request_start(struct rns *r, struct link *l, struct request *q,
    const struct rns_cmd *c)
{
	static const uint8_t nil = 0xc0;
	const uint8_t *data = c->request.data != NULL ? c->request.data : &nil;
	size_t len = c->request.data != NULL ? c->request.len : 1;
	uint8_t head[REQUEST_HEAD];
	struct id32 hash;
	size_t n = request_head(r, head, c->request.path);
	const struct iovec_c v[2] = {{head, n}, {data, len}};
	int rc;

	if (len == 0)
		return RNS_EINVAL;
	if (len > l->mdu || n + len > l->mdu)
		return request_as_resource(r, l, q, head, n, data, len);
	rc = link_sendv(r, l, CTX_REQUEST, v, 2, &hash);
	if (rc != RNS_OK)
		return rc;
	q->id = *hash16_at(hash.b);
	timer_set(r, &q->timer, mono_add(r->now, q->timeout_us));
	return RNS_OK;
}

int
request_submit(struct rns *r, struct link *l, const struct rns_cmd *c)
{
	struct request *q;
	int rc;

	if (c->request.path == NULL)
		return RNS_EINVAL;
	if (l->request_count >= LINK_PENDING_MAX)
		return RNS_ELIMIT;
	if ((q = calloc(1, sizeof(*q))) == NULL)
		return RNS_ENOMEM;
	timer_init(&q->timer, request_timer, q);
	q->link = l;
	q->tag = c->request.tag;
	q->started = r->now;
	q->max_response = c->request.max_response;
	q->timeout_us = c->request.timeout_us > 0 ? c->request.timeout_us :
	    mono_seconds(l->rtt * LINK_TRAFFIC_FACTOR + REQUEST_TIMEOUT_FIXED);
	TAILQ_INSERT_TAIL(&l->requests, q, entry);
	l->request_count++;
	rc = request_start(r, l, q, c);
	if (rc != RNS_OK)
		request_free(r, q);
	return rc;
}

int
request_cancel(struct rns *r, struct link *l, uint64_t tag, struct hash16 *id)
{
	struct request *q;

	TAILQ_FOREACH(q, &l->requests, entry)
		if (q->tag == tag)
			break;
	if (q == NULL)
		return RNS_ENOENT;
	*id = q->id;
	request_free(r, q);
	return RNS_OK;
}

/* ---- being asked (reticulum-endpoint.md 7.2) ---- */

bool
request_has_handlers(struct rns *r, const struct link *l, uint32_t *max)
{
	const struct dest *d = l->initiator ? NULL : dest_find(r, &l->dest);

	if (d == NULL || SLIST_EMPTY(&d->handlers))
		return false;
	*max = d->max_request;
	return true;
}

static bool
request_parse(const uint8_t *p, size_t n, double *when,
    struct hash16 *path, const uint8_t **data, size_t *len)
{
	struct rd rd = rd_make(p, n);
	size_t count;

	return mpk_get_array(&rd, &count) && count == 3 &&
	    mpk_get_number(&rd, when) &&
	    mpk_get_bin_exact(&rd, HASH_BYTES(*path)) &&
	    mpk_value(&rd, data, len);
}

static int64_t
request_wall(double s)
{
	/* years 1970 to about 2255; nothing else is a time of sending */
	if (!(s >= 0) || s > 9.0e9)
		return 0;
	return (int64_t)(s * 1e6);
}

static bool
served_add(struct link *l, const struct hash16 *id, uint64_t compress_max)
{
	struct served *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return false;
	if (l->served_count >= LINK_SERVED_MAX)
		served_free(l, TAILQ_FIRST(&l->served));
	s->id = *id;
	s->compress_max = compress_max;
	TAILQ_INSERT_TAIL(&l->served, s, entry);
	l->served_count++;
	return true;
}

/* b: NULL or the buffer that p lies in, which the event then takes. */
static void
request_deliver(struct rns *r, struct link *l, const struct hash16 *id,
    const uint8_t *p, size_t n, struct bytes *b, int64_t took_us)
{
	struct rns_event ev = {.type = RNS_EV_REQUEST};
	const struct dest *d = l->initiator ? NULL : dest_find(r, &l->dest);
	const struct handler *h;
	double when;

	if (d == NULL || !request_parse(p, n, &when, &ev.request.path_hash,
	    &ev.request.data, &ev.request.len) ||
	    (h = dest_handler(d, &ev.request.path_hash)) == NULL ||
	    !handler_allows(h, l->identified, &l->peer_hash)) {
		core_drop(r, RNS_DROP_REQUEST);
		return;
	}
	ev.request.link = l->id;
	ev.request.request_id = *id;
	ev.request.requested_us = request_wall(when);
	ev.request.took_us = took_us;
	ev.request.identified = l->identified;
	ev.request.identity_hash = l->peer_hash;
	if (!served_add(l, id, h->compress_max)) {
		core_drop(r, RNS_DROP_MEMORY);
		return;
	}
	(void)event_push_own(r, &ev, b != NULL ? b->base : NULL);
	if (b != NULL)
		b->base = NULL;
}

void
request_in(struct rns *r, struct link *l, const struct packet *p,
    const uint8_t *data, size_t n)
{
	uint32_t max;

	if (!link_usable(l) || !request_has_handlers(r, l, &max)) {
		core_drop(r, RNS_DROP_REQUEST);
		return;
	}
	if (max != 0 && n > max) {
		core_drop(r, RNS_DROP_REQUEST_BIG);
		return;
	}
	request_deliver(r, l, hash16_at(p->hash.b), data, n, NULL, 0);
}

void
request_whole(struct rns *r, struct link *l, struct bytes *b, int64_t took_us)
{
	struct id32 id;

	crypt_sha256(&id, b->base + b->off, b->len);
	request_deliver(r, l, hash16_at(id.b), b->base + b->off, b->len, b,
	    took_us);
	free(b->base);
	memset(b, 0, sizeof(*b));
}

static void
response_head(uint8_t out[RESPONSE_HEAD], const struct hash16 *id)
{
	struct wr w = wr_make(out, RESPONSE_HEAD);

	mpk_put_array(&w, 2);
	mpk_put_bin(&w, HASH_BYTES(*id));
}

static int
respond_file(struct rns *r, struct link *l, const struct rns_cmd *c,
    struct res_spec *s)
{
	if (c->respond.len == 0)
		return RNS_EINVAL; /* reticulum-endpoint.md 16.35 */
	s->head = resource_metadata_block(c->respond.metadata,
	    c->respond.metadata_len, &s->head_len);
	if (s->head == NULL)
		return RNS_ENOMEM;
	s->has_metadata = true;
	return resource_tx_start(r, l, s);
}

int
request_respond(struct rns *r, struct link *l, const struct rns_cmd *c)
{
	struct res_spec s = {.kind = RES_RESPONSE, .data = c->respond.data,
	    .len = c->respond.len, .request_id = &c->respond.request_id,
	    .has_tag = true, .tag = c->respond.tag};
	uint8_t head[RESPONSE_HEAD];
	const struct iovec_c v[2] = {{head, sizeof(head)},
	    {c->respond.data, c->respond.len}};
	struct served *sv;
	bool resource = true;
	int rc;

	TAILQ_FOREACH(sv, &l->served, entry)
		if (hash16_eq(&sv->id, &c->respond.request_id))
			break;
	if (sv == NULL)
		return RNS_ENOENT;
	if (c->respond.data == NULL || c->respond.len == 0)
		return RNS_EINVAL;
	s.compress = c->respond.len <= sv->compress_max;
	response_head(head, &c->respond.request_id);
	if (c->respond.metadata != NULL) {
		rc = respond_file(r, l, c, &s);
	} else if (c->respond.len <= l->mdu &&
	    sizeof(head) + c->respond.len <= l->mdu) {
		resource = false;
		rc = link_sendv(r, l, CTX_RESPONSE, v, 2, NULL);
	} else if ((s.head = malloc(sizeof(head))) == NULL) {
		rc = RNS_ENOMEM;
	} else {
		memcpy(s.head, head, sizeof(head));
		s.head_len = sizeof(head);
		rc = resource_tx_start(r, l, &s);
	}
	if (rc != RNS_OK)
		return rc;
	served_free(l, sv);
	if (c->respond.as_resource != NULL)
		*c->respond.as_resource = resource;
	return RNS_OK;
}

/* ---- being answered (reticulum-endpoint.md 7.4) ---- */

static bool
response_parse(const uint8_t *p, size_t n, struct hash16 *id,
    const uint8_t **data, size_t *len)
{
	struct rd rd = rd_make(p, n);
	size_t count;

	return mpk_get_array(&rd, &count) && count == 2 &&
	    mpk_get_bin_exact(&rd, HASH_BYTES(*id)) &&
	    mpk_value(&rd, data, len);
}

static void
response_event(struct rns *r, struct request *q, struct rns_event *ev,
    struct bytes *b)
{
	struct link *l = q->link;
	struct hash16 id = q->id;
	int rc;

	ev->type = RNS_EV_RESPONSE;
	ev->response.link = l->id;
	ev->response.tag = q->tag;
	ev->response.took_us = mono_sub(r->now, q->started);
	rc = event_push_own(r, ev, b != NULL ? b->base : NULL);
	if (b != NULL)
		b->base = NULL;
	if (rc != RNS_OK)
		request_fail(r, q, rc == RNS_ELIMIT);
	else
		request_free(r, q);
	resource_tx_answered(r, l, &id);
}

void
request_response_in(struct rns *r, struct link *l, const uint8_t *p, size_t n)
{
	struct rns_event ev = {0};
	struct hash16 id;
	struct request *q;

	if (!response_parse(p, n, &id, &ev.response.data, &ev.response.len) ||
	    (q = request_find(l, &id)) == NULL) {
		core_drop(r, RNS_DROP_RESPONSE);
		return;
	}
	if (q->max_response != 0 &&
	    ev.response.len > q->max_response + RESPONSE_PACKED_EXTRA) {
		core_drop(r, RNS_DROP_RESPONSE_BIG);
		request_fail(r, q, true);
		return;
	}
	response_event(r, q, &ev, NULL);
}

void
request_response_whole(struct rns *r, struct request *q, struct bytes *b,
    bool has_metadata, const uint8_t *metadata, size_t metadata_len)
{
	struct rns_event ev = {0};
	struct hash16 id;

	if (has_metadata) {
		ev.response.data = b->base + b->off;
		ev.response.len = b->len;
		ev.response.metadata = metadata;
		ev.response.metadata_len = metadata_len;
	} else if (!response_parse(b->base + b->off, b->len, &id,
	    &ev.response.data, &ev.response.len) ||
	    !hash16_eq(&id, &q->id)) {
		core_drop(r, RNS_DROP_RESPONSE);
		request_fail(r, q, false);
		goto out;
	}
	response_event(r, q, &ev, b);
out:
	free(b->base);
	memset(b, 0, sizeof(*b));
}

void
request_progress(struct rns *r, struct request *q, uint64_t done,
    uint64_t total)
{
	struct rns_event ev = {.type = RNS_EV_PROGRESS};

	ev.progress.link = q->link->id;
	ev.progress.tag = q->tag;
	ev.progress.incoming = true;
	ev.progress.done = done;
	ev.progress.total = total;
	(void)event_push(r, &ev);
}
