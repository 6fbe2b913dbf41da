/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/link/resource.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/event.h"
#include "transport/core/link/charge.h"
#include "transport/core/link/request.h"
#include "transport/core/link/resource_adv.h"
#include "transport/core/link/resource_asm.h"
#include "transport/core/link/resource_tx.h"
#include "common/mpk.h"

/*
 * Incoming resources (reticulum-endpoint.md 8.4 to 8.8); resource_asm.c puts a
 * segment together.
 */

#define REQ_HEAD_MAX (1 + RES_MAPHASH + RNS_FULL_HASH)

static void resource_timer(struct rns *, void *);
static void resource_ask(struct rns *, struct res_in *);

/* ---- life ---- */

static struct res_in *
resource_find(struct link *l, const struct id32 *hash, bool orig)
{
	struct res_in *x;

	TAILQ_FOREACH(x, &l->res_in, entry)
		if (id32_eq(id32_at(orig ? x->orig.b : x->hash.b), hash))
			return x;
	return NULL;
}

static void
resource_rcl(struct rns *r, struct link *l, const struct id32 *hash)
{
	(void)link_send(r, l, CTX_RESOURCE_RCL, HASH_BYTES(*hash), NULL);
}

static void
resource_refuse(struct rns *r, struct link *l, const struct adv *a,
    enum rns_drop why)
{
	core_drop(r, why);
	resource_rcl(r, l, &a->hash);
}

static void
resource_segment_clear(struct rns *r, struct res_in *x)
{
	uint64_t n = (uint64_t)x->size + (uint64_t)x->parts * (RES_MAPHASH + 1);

	if (x->stream != NULL)
		charge_sub(r, &x->charged, n);
	free(x->stream);
	free(x->map);
	free(x->got);
	x->stream = x->map = x->got = NULL;
}

/* The buffers of one segment; the memory is counted before it is taken. */
static bool
resource_segment_set(struct rns *r, struct res_in *x, const struct adv *a)
{
	uint32_t sdu = x->link->mtu - RES_SDU_OVERHEAD;
	uint32_t size = (uint32_t)a->size;
	uint32_t parts = (size + sdu - 1) / sdu;
	uint64_t n = (uint64_t)size + (uint64_t)parts * (RES_MAPHASH + 1);

	if (size < TOKEN_OVERHEAD + 16 ||
	    !charge_add(r, &x->charged, n))
		return false;
	x->stream = malloc(size);
	x->map = malloc((size_t)parts * RES_MAPHASH);
	x->got = calloc(parts, 1);
	if (x->stream == NULL || x->map == NULL || x->got == NULL) {
		free(x->stream);
		free(x->map);
		free(x->got);
		x->stream = x->map = x->got = NULL;
		charge_sub(r, &x->charged, n);
		return core_drop(r, RNS_DROP_MEMORY);
	}
	x->size = size;
	x->parts = parts;
	x->sdu = sdu;
	x->hash = a->hash;
	memcpy(x->random, a->random, RES_RANDOM);
	x->segment = (uint32_t)a->segment;
	x->compressed = (a->flags & RES_FLAG_COMPRESSED) != 0;
	x->height = (uint32_t)MIN_OF(a->map_len / RES_MAPHASH, parts);
	memcpy(x->map, a->map, (size_t)x->height * RES_MAPHASH);
	x->received = x->next = x->high = x->outstanding = 0;
	x->waiting_hmu = x->held = x->answered = false;
	x->window = x->link->prev_window != 0 ?
	    x->link->prev_window : RES_WINDOW;
	x->window_min = RES_WINDOW_MIN;
	x->window_max = RES_WINDOW_MAX_SLOW;
	x->fast_rounds = x->very_slow_rounds = 0;
	x->retries = RES_MAX_RETRIES;
	x->factor = 4;
	x->rtt = -1;
	x->resp_rate = x->data_rate = 0;
	x->activity = r->now;
	return true;
}

static struct res_in *
resource_new(struct rns *r, struct link *l, const struct adv *a,
    enum res_kind kind)
{
	struct res_in *x;

	if (l->res_in_count >= LINK_RES_IN_MAX) {
		core_drop(r, RNS_DROP_LIMIT);
		return NULL;
	}
	if ((x = calloc(1, sizeof(*x))) == NULL) {
		core_drop(r, RNS_DROP_MEMORY);
		return NULL;
	}
	timer_init(&x->timer, resource_timer, x);
	x->link = l;
	x->kind = kind;
	x->status = RES_TRANSFERRING;
	x->began = r->now;
	x->total = a->total;
	x->segments = (uint32_t)a->segments;
	x->has_metadata = (a->flags & RES_FLAG_METADATA) != 0;
	x->orig = a->orig;
	x->request_id = a->request_id;
	if (!resource_segment_set(r, x, a)) {
		free(x);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&l->res_in, x, entry);
	l->res_in_count++;
	return x;
}

static void
resource_free(struct rns *r, struct res_in *x)
{
	timer_clear(r, &x->timer);
	resource_segment_clear(r, x);
	charge_sub(r, &x->charged, x->charged);
	TAILQ_REMOVE(&x->link->res_in, x, entry);
	x->link->res_in_count--;
	if (x->whole.base != NULL)
		crypt_wipe(x->whole.base, x->whole.cap);
	free(x->whole.base);
	free(x->metadata);
	free(x);
}

static void
resource_done_event(struct rns *r, const struct res_in *x,
    enum res_status status)
{
	struct rns_event ev = {.type = RNS_EV_RESOURCE_DONE};

	ev.resource.link = x->link->id;
	ev.resource.hash = x->orig;
	ev.resource.size = x->total;
	ev.resource.offset = x->delivered;
	ev.resource.status = (enum rns_resource_status)status;
	(void)event_push(r, &ev);
}

/* Over: events, RESOURCE_RCL unless silent, memory. Frees it. */
static void
resource_end(struct rns *r, struct res_in *x, enum res_status status,
    bool silent)
{
	struct link *l = x->link;
	struct request *q = NULL;

	if (!silent && status != RES_COMPLETE)
		resource_rcl(r, l, &x->hash);
	if (x->kind == RES_PLAIN)
		resource_done_event(r, x, status);
	else if (x->kind == RES_RESPONSE && status != RES_COMPLETE)
		q = request_find(l, &x->request_id);
	resource_free(r, x);
	if (q != NULL)
		request_fail(r, q, false);
}

void
resource_closed(struct rns *r, struct link *l)
{
	struct res_in *x;

	while ((x = TAILQ_FIRST(&l->res_in)) != NULL)
		resource_end(r, x, RES_FAILED, true);
}

/* ---- accepting (reticulum-endpoint.md 8.5) ---- */

static void
resource_adv_request(struct rns *r, struct link *l, const struct adv *a)
{
	struct res_in *x;
	uint32_t max;

	if (!request_has_handlers(r, l, &max)) {
		core_drop(r, RNS_DROP_REQUEST);
		return;
	}
	if (max != 0 && a->total > max) {
		resource_refuse(r, l, a, RNS_DROP_REQUEST_BIG);
		return;
	}
	if (a->total > r->cfg.limits.resource_bytes || a->segment != 1 ||
	    (x = resource_new(r, l, a, RES_REQUEST)) == NULL) {
		resource_refuse(r, l, a, RNS_DROP_RESOURCE_REFUSED);
		return;
	}
	resource_ask(r, x);
}

static void
resource_adv_response(struct rns *r, struct link *l, const struct adv *a)
{
	struct request *q = request_find(l, &a->request_id);
	uint64_t max = r->cfg.limits.resource_bytes;
	struct res_in *x;

	if (q == NULL) /* it would be advertised again, and others wait */
		resource_rcl(r, l, &a->hash);
	if (q == NULL || q->receiving) {
		core_drop(r, RNS_DROP_RESPONSE);
		return;
	}
	if (q->max_response != 0 && q->max_response < max)
		max = q->max_response;
	if (a->total > max) {
		resource_refuse(r, l, a, RNS_DROP_RESPONSE_BIG);
		request_fail(r, q, true);
		return;
	}
	if (a->segment != 1 ||
	    (x = resource_new(r, l, a, RES_RESPONSE)) == NULL) {
		resource_refuse(r, l, a, RNS_DROP_RESOURCE_REFUSED);
		request_fail(r, q, false);
		return;
	}
	q->receiving = true;
	timer_clear(r, &q->timer);
	resource_tx_answered(r, l, &a->request_id);
	resource_ask(r, x);
}

static void
resource_adv_plain(struct rns *r, struct link *l, const struct adv *a)
{
	struct rns_event ev = {.type = RNS_EV_RESOURCE_ADV};
	struct res_in *x;

	if (l->resources == RNS_ACCEPT_NONE) {
		core_drop(r, RNS_DROP_RESOURCE_REFUSED);
		return;
	}
	if (a->segment != 1 ||
	    (x = resource_new(r, l, a, RES_PLAIN)) == NULL) {
		resource_refuse(r, l, a, RNS_DROP_RESOURCE_REFUSED);
		return;
	}
	if (l->resources == RNS_ACCEPT_ALL) {
		resource_ask(r, x);
		return;
	}
	x->status = RES_NONE; /* until the application has decided */
	timer_set(r, &x->timer, mono_add(r->now,
	    mono_seconds(RES_ANSWER_WAIT)));
	ev.resource.link = l->id;
	ev.resource.hash = x->orig;
	ev.resource.size = x->total;
	(void)event_push(r, &ev);
}

/* The next segment of a transfer that goes on. */
static void
resource_adv_next(struct rns *r, struct res_in *x, const struct adv *a)
{
	if (x->stream != NULL) /* sent again, or out of turn */
		return;
	if (a->segment != (uint64_t)x->segment + 1 ||
	    a->segments != x->segments || a->total != x->total) {
		core_drop(r, RNS_DROP_RESOURCE_ADV);
		return;
	}
	if (!resource_segment_set(r, x, a)) {
		x->hash = a->hash;
		resource_end(r, x, RES_FAILED, false);
		return;
	}
	resource_ask(r, x);
}

void
resource_adv_in(struct rns *r, struct link *l, const uint8_t *p, size_t n)
{
	struct res_in *x;
	struct adv a;

	if (!adv_parse(&a, p, n)) {
		core_drop(r, RNS_DROP_RESOURCE_ADV);
		link_teardown(r, l, l->initiator ? RNS_CLOSE_INITIATOR :
		    RNS_CLOSE_DESTINATION);
		return;
	}
	if ((a.flags & RES_FLAG_ENCRYPTED) == 0) {
		resource_refuse(r, l, &a, RNS_DROP_RESOURCE_ADV);
		return;
	}
	if (resource_prove_again(r, l, &a.hash))
		return;
	if ((x = resource_find(l, &a.orig, true)) != NULL)
		resource_adv_next(r, x, &a);
	else if (a.has_id && (a.flags & RES_FLAG_REQUEST) != 0)
		resource_adv_request(r, l, &a);
	else if (a.has_id && (a.flags & RES_FLAG_RESPONSE) != 0)
		resource_adv_response(r, l, &a);
	else
		resource_adv_plain(r, l, &a);
}

int
resource_answer(struct rns *r, struct link *l, const struct rns_cmd *c)
{
	struct res_in *x = resource_find(l, &c->answer.hash, true);

	if (x == NULL)
		return RNS_ENOENT;
	if (x->status != RES_NONE)
		return RNS_ESTATE;
	if (!c->answer.accept) {
		resource_rcl(r, l, &x->hash);
		resource_free(r, x);
		return RNS_OK;
	}
	x->status = RES_TRANSFERRING;
	resource_ask(r, x);
	return RNS_OK;
}

int
resource_cancel(struct rns *r, struct link *l, const struct id32 *hash)
{
	struct res_in *x = resource_find(l, hash, true);

	if (x == NULL)
		return RNS_ENOENT;
	resource_end(r, x, RES_FAILED, false);
	return RNS_OK;
}

void
resource_unanswered(struct rns *r, struct link *l, const struct hash16 *id)
{
	struct res_in *x, *next;

	TAILQ_FOREACH_SAFE(x, &l->res_in, entry, next)
		if (x->kind == RES_RESPONSE && hash16_eq(&x->request_id, id))
			resource_end(r, x, RES_FAILED, false);
}

void
resource_icl_in(struct rns *r, struct link *l, const uint8_t *p, size_t n)
{
	struct res_in *x;

	if (n != RNS_FULL_HASH || (x = resource_find(l, id32_at(p), false)) ==
	    NULL) {
		core_drop(r, RNS_DROP_RESOURCE);
		return;
	}
	resource_end(r, x, RES_FAILED, false);
}

/* ---- asking for parts (reticulum-endpoint.md 8.6) ---- */

double
resource_eifr(const struct res_in *x)
{
	const struct link *l = x->link;
	double rtt = l->rtt > 1e-6 ? l->rtt : 1e-6;

	if (x->data_rate > 0)
		return x->data_rate * 8;
	if (l->prev_eifr > 0)
		return l->prev_eifr;
	return (double)l->cost * 8 / rtt;
}

double
resource_wait(const struct res_in *x)
{
	double eifr = resource_eifr(x), hmu = 0;
	double extra = RES_PER_RETRY_DELAY * (RES_MAX_RETRIES - x->retries);

	if (!(x->resp_rate > 0))
		return x->factor * (3.0 * x->sdu / eifr) + RES_RETRY_GRACE +
		    extra;
	if (x->waiting_hmu || x->outstanding == 0)
		hmu = x->sdu * 8.0 * RES_HMU_WAIT / eifr;
	return x->factor * (x->outstanding * 8.0 * x->sdu / eifr) + hmu +
	    RES_RETRY_GRACE + extra;
}

static void
resource_watch(struct rns *r, struct res_in *x)
{
	timer_set(r, &x->timer,
	    mono_add(x->activity, mono_seconds(resource_wait(x))));
}

void
resource_shrink(struct res_in *x)
{
	if (x->window <= x->window_min)
		return;
	x->window--;
	if (x->window_max > x->window_min) {
		x->window_max--;
		/* a window of the resource before may be above its maximum */
		if (x->window_max > x->window + RES_WINDOW_FLEX - 1)
			x->window_max--;
	}
}

static void
resource_progress(struct rns *r, const struct res_in *x)
{
	struct request *q;
	uint64_t done = x->delivered + (uint64_t)x->received * x->sdu;

	if (x->kind != RES_RESPONSE ||
	    (q = request_find(x->link, &x->request_id)) == NULL)
		return;
	request_progress(r, q, MIN_OF(done, x->total), x->total);
}

/* Time in which we ask for nothing is none that it takes to come. */
static void
resource_let_go(const struct rns *r, struct res_in *x)
{
	if (x->held)
		x->began = mono_add(x->began, mono_sub(r->now, x->held_at));
	x->held = false;
}

static void
resource_ask(struct rns *r, struct res_in *x)
{
	uint8_t head[REQ_HEAD_MAX], want[RES_WINDOW_MAX_FAST * RES_MAPHASH];
	struct wr h = wr_make(head, sizeof(head));
	struct wr w = wr_make(want, sizeof(want));
	uint32_t end = MIN_OF(x->next + x->window, x->parts);
	bool exhausted = false;
	struct iovec_c v[2];

	if (!mono_reached(r->now, x->link->hold)) {
		if (!x->held)
			x->held_at = r->now;
		x->held = true;
		timer_set(r, &x->timer, x->link->hold);
		return;
	}
	resource_let_go(r, x);
	x->outstanding = 0;
	for (uint32_t i = x->next; i < end && !exhausted; i++) {
		if (x->got[i] != 0)
			continue;
		exhausted = i >= x->height;
		if (exhausted)
			break;
		wr_bytes(&w, x->map + (size_t)i * RES_MAPHASH, RES_MAPHASH);
		x->outstanding++;
	}
	if (end > x->high)
		x->high = end;
	wr_u8(&h, exhausted ? RES_EXHAUSTED : RES_MORE);
	if (exhausted && x->height > 0)
		wr_bytes(&h, x->map + (size_t)(x->height - 1) * RES_MAPHASH,
		    RES_MAPHASH);
	else if (exhausted)
		wr_zero(&h, RES_MAPHASH);
	wr_bytes(&h, HASH_BYTES(x->hash));
	x->waiting_hmu = exhausted;
	x->asked = x->outstanding + exhausted;
	x->answered = false;
	x->req_bytes = 0;
	x->req_sent = x->activity = r->now;
	v[0] = (struct iovec_c){head, h.len};
	v[1] = (struct iovec_c){want, w.len};
	(void)link_sendv(r, x->link, CTX_RESOURCE_REQ, v, 2, NULL);
	x->req_len = HEADER_1_LEN + token_len(h.len + w.len);
	resource_progress(r, x);
	resource_watch(r, x);
}

/*
 * A round is over, whole or not. When nothing came the request was lost and
 * nothing was sent, unless it was for one, where it is either.
 */
static void
resource_counted(struct rns *r, struct res_in *x)
{
	uint32_t missing = x->outstanding + x->waiting_hmu;
	uint32_t part = link_frames(x->link, HEADER_1_LEN + x->sdu);
	uint32_t request = link_frames(x->link, x->req_len);

	if (x->asked == 1) {
		link_counted(r, x->link, request + part, 1, missing);
	} else if (missing == x->asked) {
		link_counted(r, x->link, request, 1, 1);
	} else {
		link_counted(r, x->link, request, 1, 0);
		link_counted(r, x->link, part, x->asked, missing);
	}
}

static void
resource_timer(struct rns *r, void *arg)
{
	struct res_in *x = arg;

	if (x->status == RES_NONE || x->stream == NULL || x->retries == 0) {
		resource_end(r, x, RES_FAILED, false);
		return;
	}
	if (x->held) {
		resource_ask(r, x);
		return;
	}
	/* before the first part it is a guess how long that takes */
	if (x->resp_rate > 0)
		resource_counted(r, x);
	resource_shrink(x);
	x->retries--;
	x->waiting_hmu = false;
	resource_ask(r, x);
}

void
resource_hold(struct rns *r, struct link *l)
{
	struct res_in *x;

	TAILQ_FOREACH(x, &l->res_in, entry)
		if (x->held && x->stream != NULL)
			resource_ask(r, x);
}

void
resource_hmu_in(struct rns *r, struct link *l, const uint8_t *p, size_t n)
{
	struct rd rd = rd_make(p, n);
	const uint8_t *hash, *map;
	struct res_in *x;
	uint64_t segment, at;
	size_t count, map_len;

	if (!rd_ref(&rd, &hash, RNS_FULL_HASH) ||
	    !mpk_get_array(&rd, &count) || count != 2 ||
	    !mpk_get_uint(&rd, &segment) || !mpk_get_bin(&rd, &map, &map_len) ||
	    map_len % RES_MAPHASH != 0 ||
	    (x = resource_find(l, id32_at(hash), false)) == NULL ||
	    x->stream == NULL || !x->waiting_hmu) {
		core_drop(r, RNS_DROP_RESOURCE);
		return;
	}
	count = map_len / RES_MAPHASH;
	at = segment <= UINT32_MAX ? segment * RES_HASHMAP_MAX : UINT64_MAX;
	/* no holes in the map, and nothing behind its end */
	if (count == 0 || at > x->height || at >= x->parts ||
	    count > x->parts - at) {
		core_drop(r, RNS_DROP_RESOURCE);
		resource_end(r, x, RES_FAILED, false);
		return;
	}
	memcpy(x->map + at * RES_MAPHASH, map, map_len);
	x->height = (uint32_t)MAX_OF((uint64_t)x->height, at + count);
	x->retries = RES_MAX_RETRIES;
	x->waiting_hmu = false;
	resource_counted(r, x);
	resource_ask(r, x);
}

/* ---- the end of a segment (reticulum-endpoint.md 8.9) ---- */

static void
resource_complete(struct rns *r, struct res_in *x)
{
	struct link *l = x->link;
	enum res_kind kind = x->kind;
	struct bytes whole = x->whole;
	uint8_t *metadata = x->metadata;
	size_t metadata_len = x->metadata_len;
	bool has_metadata = x->has_metadata;
	int64_t took_us = mono_sub(r->now, x->began);
	struct request *q = NULL;

	if (kind == RES_RESPONSE)
		q = request_find(l, &x->request_id);
	memset(&x->whole, 0, sizeof(x->whole));
	x->metadata = NULL;
	resource_end(r, x, RES_COMPLETE, true);
	if (kind == RES_REQUEST)
		request_whole(r, l, &whole, took_us);
	else if (q != NULL)
		request_response_whole(r, q, &whole, has_metadata, metadata,
		    metadata_len);
	free(whole.base);
	free(metadata);
}

/* The segment is proved; wait for the next one, or be done. */
static void
resource_next(struct rns *r, struct res_in *x)
{
	struct link *l = x->link;

	l->prev_window = x->window;
	l->prev_eifr = resource_eifr(x);
	if (x->segment == x->segments) {
		resource_complete(r, x);
		return;
	}
	resource_segment_clear(r, x);
	timer_set(r, &x->timer, mono_add(r->now, mono_seconds(
	    l->rtt * LINK_TRAFFIC_FACTOR * RES_MAX_RETRIES +
	    RES_SENDER_GRACE + RES_ALL_RETRIES)));
}

/* rc of resource_assemble(); a bomb costs the peer its link. */
static void
resource_corrupt(struct rns *r, struct res_in *x, int rc)
{
	struct link *l = x->link;
	bool bomb = x->compressed && rc == RNS_EBIG;

	core_drop(r, rc == RNS_ENOMEM ? RNS_DROP_MEMORY :
	    RNS_DROP_RESOURCE_CORRUPT);
	resource_end(r, x, rc == RNS_ENOMEM || rc == RNS_ELIMIT ?
	    RES_FAILED : RES_CORRUPT, false);
	if (bomb)
		link_teardown(r, l, l->initiator ? RNS_CLOSE_INITIATOR :
		    RNS_CLOSE_DESTINATION);
}

/* ---- parts and rates (reticulum-endpoint.md 8.8) ---- */

static void
resource_fast(struct res_in *x, double rate)
{
	if (rate <= RES_RATE_FAST || x->fast_rounds >= RES_FAST_ROUNDS)
		return;
	if (++x->fast_rounds == RES_FAST_ROUNDS)
		x->window_max = RES_WINDOW_MAX_FAST;
}

static double
resource_elapsed(const struct rns *r, const struct res_in *x)
{
	double t = link_seconds(mono_sub(r->now, x->req_sent));

	return t > 1e-6 ? t : 1e-6;
}

static void
resource_first_part(struct rns *r, struct res_in *x, size_t raw_len)
{
	double t1 = resource_elapsed(r, x);

	x->answered = true;
	x->factor = 2;
	if (x->rtt < 0)
		x->rtt = x->link->rtt;
	else if (t1 < x->rtt)
		x->rtt = MAX_OF(x->rtt * 0.95, t1);
	else
		x->rtt = MIN_OF(x->rtt * 1.05, t1);
	x->resp_rate = (double)(raw_len + x->req_len) / t1;
	resource_fast(x, x->resp_rate);
}

static void
resource_round(struct rns *r, struct res_in *x)
{
	double rate = (double)x->req_bytes / resource_elapsed(r, x);

	if (x->window < x->window_max) {
		x->window++;
		if (x->window - x->window_min > RES_WINDOW_FLEX - 1)
			x->window_min++;
	}
	x->data_rate = rate;
	resource_fast(x, rate);
	if (x->fast_rounds == 0 && rate < RES_RATE_VERY_SLOW &&
	    x->very_slow_rounds < RES_VERY_SLOW_ROUNDS &&
	    ++x->very_slow_rounds == RES_VERY_SLOW_ROUNDS)
		x->window_max = RES_WINDOW_MAX_VERY_SLOW;
	if (x->waiting_hmu) {
		resource_watch(r, x); /* the update brings the next request */
		return;
	}
	resource_counted(r, x);
	resource_ask(r, x);
}

/* Index of the wanted part with these bytes, or parts when it is none. */
static uint32_t
resource_match(const struct res_in *x, const uint8_t *p, size_t n)
{
	const struct iovec_c v[2] = {{p, n}, {x->random, RES_RANDOM}};
	uint32_t end = MIN_OF(x->high, x->height);
	struct id32 hash;

	crypt_sha256v(&hash, v, 2);
	for (uint32_t i = x->next; i < end; i++)
		if (x->got[i] == 0 && memcmp(x->map + (size_t)i * RES_MAPHASH,
		    hash.b, RES_MAPHASH) == 0)
			return i;
	return x->parts;
}

static bool
resource_part(struct rns *r, struct res_in *x, const struct packet *p)
{
	uint32_t i, at;
	int rc;

	if (x->stream == NULL || x->status != RES_TRANSFERRING ||
	    p->data_len > x->sdu)
		return false;
	i = resource_match(x, p->data, p->data_len);
	if (i == x->parts)
		return false;
	at = i * x->sdu;
	if (p->data_len != MIN_OF(x->sdu, x->size - at))
		return false;
	memcpy(x->stream + at, p->data, p->data_len);
	x->got[i] = 1;
	x->received++;
	if (x->outstanding > 0)
		x->outstanding--;
	while (x->next < x->parts && x->got[x->next] != 0)
		x->next++;
	x->retries = RES_MAX_RETRIES;
	x->activity = r->now;
	x->req_bytes += p->data_len;
	if (!x->answered)
		resource_first_part(r, x, p->raw_len);
	if (x->received == x->parts) {
		timer_clear(r, &x->timer);
		resource_let_go(r, x); /* the last came late */
		resource_counted(r, x);
		rc = resource_assemble(r, x);
		if (rc == RNS_OK)
			resource_next(r, x);
		else
			resource_corrupt(r, x, rc);
	} else if (x->outstanding == 0) {
		resource_round(r, x);
	} else {
		resource_watch(r, x);
	}
	return true;
}

void
resource_part_in(struct rns *r, struct link *l, const struct packet *p)
{
	struct res_in *x;

	TAILQ_FOREACH(x, &l->res_in, entry)
		if (resource_part(r, x, p))
			return;
	core_drop(r, RNS_DROP_RESOURCE);
}
