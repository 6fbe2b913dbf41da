/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/modem/airq.h"

#include <stdlib.h>
#include <string.h>

#include "transport/modem/airq_state.h"
#include "common/wire.h"

/* ours: announces go before the relay within this share of time, permille */
#define PROMISE 200
/* ours: a device may be given the next one so long before the air is free */
#define AHEAD_US 20000

enum air_book
airq_book(enum rns_kind kind)
{
	if (kind == RNS_KIND_NEAR || kind == RNS_KIND_FAR)
		return BOOK_ANNOUNCES;
	return kind == RNS_KIND_JOBS ? BOOK_JOBS : BOOK_ALL;
}

int64_t
airq_limit_us(const struct airq *q, enum air_book book)
{
	int64_t all = q->conf.window_us / AIRQ_DUTY_ALL * q->conf.duty;
	uint32_t share = book == BOOK_ANNOUNCES ? q->conf.announces :
	    book == BOOK_JOBS ? q->conf.jobs : 0;

	return share == 0 ? all : all / 100 * share;
}

int64_t
airq_counts_us(const struct airq *q)
{
	int64_t spare = q->medium.silent_us +
	    2 * airtime_us(&q->medium, AIRTIME_LONGEST);

	if (q->medium.silent_us == 0)
		return q->conf.window_us;
	return q->conf.window_us + MAX_OF(spare, q->conf.window_us /
	    AIRQ_SPARE);
}

const struct airbook *
airq_kept(const struct airq *q, enum air_book book)
{
	return q->conf.duty != 0 ? q->books[book] : NULL;
}

/* ---- made, changed, gone ---- */

static void
drop(struct air_lane *l, struct air_packet *p, enum airq_drop why)
{
	TAILQ_REMOVE(&l->packets, p, entry);
	l->count--;
	l->bytes -= p->len;
	l->peers[p->peer].bytes -= p->len;
	l->flows[p->flow].bytes -= p->len;
	l->drops[why]++;
	free(p);
}

size_t
airq_clear(struct airq *q, size_t *bytes)
{
	struct air_packet *p;
	size_t n = 0;

	*bytes = airq_waiting(q);
	for (unsigned k = 0; k < RNS_KINDS; k++)
		for (; (p = TAILQ_FIRST(&q->lanes[k].packets)) != NULL; n++)
			drop(&q->lanes[k], p, AIRQ_DROP_GONE);
	return n;
}

size_t
airq_waiting(const struct airq *q)
{
	size_t sum = 0;

	for (unsigned k = 0; k < RNS_KINDS; k++)
		sum += q->lanes[k].bytes;
	return sum;
}

void
airq_free(struct airq *q)
{
	size_t bytes;

	if (q == NULL)
		return;
	(void)airq_clear(q, &bytes);
	for (unsigned b = 0; b < BOOKS; b++)
		free(q->books[b]);
	free(q->out);
	free(q);
}

struct airq *
airq_new(const struct airq_conf *conf)
{
	struct airq *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	for (unsigned k = 0; k < RNS_KINDS; k++)
		TAILQ_INIT(&q->lanes[k].packets);
	q->busy = q->far_from = (struct mono){INT64_MIN};
	q->promise[0] = q->promise[1] = q->busy;
	q->flying = RNS_KINDS;
	if (airq_limit(q, conf) < 0) {
		airq_free(q);
		return NULL;
	}
	return q;
}

static void
set_books(struct airq *q)
{
	for (unsigned b = 0; b < BOOKS; b++)
		if (q->books[b] != NULL)
			q->books[b]->window_us = airq_counts_us(q);
}

int
airq_limit(struct airq *q, const struct airq_conf *conf)
{
	for (unsigned b = 0; b < BOOKS && conf->duty != 0; b++) {
		if (q->books[b] != NULL)
			continue;
		q->books[b] = malloc(sizeof(*q->books[b]));
		if (q->books[b] == NULL)
			return -1;
		airbook_init(q->books[b], conf->window_us);
	}
	q->conf = *conf;
	set_books(q);
	if (q->conf.bytes == 0)
		q->conf.bytes = AIRQ_BYTES;
	if (q->conf.age_us == 0)
		q->conf.age_us = AIRQ_AGE_US;
	return 0;
}

void
airq_medium(struct airq *q, const struct airtime *medium)
{
	q->medium = *medium;
	set_books(q);
}

const struct airtime *
airq_get_medium(const struct airq *q)
{
	return &q->medium;
}

/* ---- what comes ---- */

/* What has waited for too long; the oldest stand first. */
static void
expire(struct airq *q, struct mono now)
{
	struct air_packet *p;

	for (unsigned k = 0; k < RNS_KINDS; k++)
		while ((p = TAILQ_FIRST(&q->lanes[k].packets)) != NULL &&
		    mono_sub(now, p->at) > q->conf.age_us)
			drop(&q->lanes[k], p, AIRQ_DROP_OLD);
}

static unsigned
most_of(const struct air_share *s, unsigned n)
{
	unsigned most = 0;

	for (unsigned i = 1; i < n; i++)
		if (s[i].bytes > s[most].bytes)
			most = i;
	return most;
}

/* The flow of that peer that has most; p, which does not wait yet, counts. */
static unsigned
most_of_peer(const struct air_lane *l, unsigned peer,
    const struct air_packet *p)
{
	size_t bytes[AIRQ_FLOWS] = {0};
	const struct air_packet *w;
	unsigned most = 0;

	TAILQ_FOREACH(w, &l->packets, entry)
		if (w->peer == peer)
			bytes[w->flow] += w->len;
	if (p->peer == peer)
		bytes[p->flow] += p->len;
	for (unsigned i = 1; i < AIRQ_FLOWS; i++)
		if (bytes[i] > bytes[most])
			most = i;
	return most;
}

/*
 * Room for p, whose bytes are in its shares already: of who has most, the last.
 * False: that is p.
 */
static bool
make_room(const struct airq *q, struct air_lane *l, const struct air_packet *p)
{
	struct air_packet *w;
	unsigned peer, flow;

	while (l->count >= AIRQ_PACKETS || l->bytes + p->len > q->conf.bytes) {
		peer = most_of(l->peers, AIRQ_PEERS);
		flow = most_of_peer(l, peer, p);
		if (p->peer == peer && p->flow == flow)
			return false;
		TAILQ_FOREACH_REVERSE(w, &l->packets, air_packets, entry)
			if (w->peer == peer && w->flow == flow)
				break;
		if (w == NULL)
			return false;
		drop(l, w, AIRQ_DROP_FULL);
	}
	return true;
}

/* It begins to wait, or waits with others of its own. */
static void
share_join(struct air_share *s, uint64_t level, size_t len)
{
	if (s->bytes == 0)
		s->served = MAX_OF(s->served, level);
	s->bytes += len;
}

static bool
put_drop(struct air_lane *l, struct air_packet *p, enum airq_drop why)
{
	l->drops[why]++;
	free(p);
	return false;
}

bool
airq_put(struct airq *q, const struct rns_tx *tx, struct mono now)
{
	struct air_lane *l = &q->lanes[tx->kind];
	struct air_packet *p = malloc(sizeof(*p) + tx->len);
	struct air_share *peer, *flow;

	if (p == NULL)
		return put_drop(l, p, AIRQ_DROP_MEMORY);
	expire(q, now);
	*p = (struct air_packet){.at = now, .dest = *tx->dest, .len = tx->len,
	    .peer = tx->from % AIRQ_PEERS,
	    .flow = (uint8_t)((get_u32(tx->dest->b) ^ tx->from) % AIRQ_FLOWS)};
	memcpy(p->data, tx->data, tx->len);
	if (airq_kept(q, airq_book(tx->kind)) != NULL && airtime_us(&q->medium,
	    tx->len) > airq_limit_us(q, airq_book(tx->kind)))
		return put_drop(l, p, AIRQ_DROP_NEVER);
	peer = &l->peers[p->peer];
	flow = &l->flows[p->flow];
	share_join(peer, l->level, p->len);
	share_join(flow, peer->level, p->len);
	if (!make_room(q, l, p)) {
		peer->bytes -= p->len;
		flow->bytes -= p->len;
		return put_drop(l, p, AIRQ_DROP_FULL);
	}
	TAILQ_INSERT_TAIL(&l->packets, p, entry);
	l->count++;
	l->bytes += p->len;
	return true;
}

/*
 * ours: of a time in which a silent device heard nothing, what it has surely
 * sent; the rest was others' whom it did not understand, or listening
 */
#define SENT_PART 4

/* Of the time since it was looked at last, so much was others'. */
static void
silent_owes(struct airq *q, int64_t others_us, struct mono now)
{
	int64_t free_us = mono_sub(now, q->owed_at) - others_us;

	/* not even the shortest fits in less */
	if (free_us >= airtime_us(&q->medium, 0))
		q->owed_us = MAX_OF(q->owed_us - free_us / SENT_PART, 0);
	q->owed_at = now;
}

static void
silent_given(struct airq *q, int64_t air_us, struct mono now)
{
	silent_owes(q, 0, now);
	if (q->owed_us == 0)
		q->owed_since = now;
	q->owed_us += air_us;
	q->last_us = air_us;
}

/* Who hears does not send: what it was given is still to come. */
static void
silent_heard(struct airq *q, int64_t air_us, struct mono now)
{
	silent_owes(q, air_us, now);
	for (unsigned b = 0; b < BOOKS && q->owed_us > 0; b++)
		if (q->books[b] != NULL)
			airbook_owed(q->books[b], q->owed_since, q->owed_us,
			    mono_add(now, q->owed_us));
	if (q->busy.us > now.us - air_us)
		q->busy = mono_add(now, q->last_us);
}

void
airq_heard(struct airq *q, enum rns_kind kind, size_t len, struct mono now)
{
	struct air_count *c = &q->lanes[kind].rx;
	int64_t air_us = airtime_us(&q->medium, len);

	c->frames++;
	c->bytes += len;
	c->air_us += air_us;
	if (q->medium.silent_us != 0)
		silent_heard(q, air_us, now);
}

/* ---- whose turn ---- */

/* Less served: first of peers, of one peer of its flows; else the older. */
static bool
goes_before(const struct air_lane *l, const struct air_packet *a,
    const struct air_packet *b)
{
	if (a->peer != b->peer)
		return l->peers[a->peer].served < l->peers[b->peer].served;
	return l->flows[a->flow].served < l->flows[b->flow].served;
}

struct air_packet *
airq_pick(const struct airq *q, enum rns_kind kind)
{
	const struct air_lane *l = &q->lanes[kind];
	struct air_packet *p, *best = TAILQ_FIRST(&l->packets);

	TAILQ_FOREACH(p, &l->packets, entry)
		if (goes_before(l, p, best))
			best = p;
	return best;
}

struct air_gate
airq_gate(const struct airq *q, enum rns_kind kind,
    const struct air_packet *p, struct mono now)
{
	enum air_book book = airq_book(kind);
	struct mono at = now;

	if (book != BOOK_ALL && airq_kept(q, book) != NULL)
		at = airbook_when(airq_kept(q, book), now,
		    airtime_us(&q->medium, p->len), airq_limit_us(q, book));
	if (kind == RNS_KIND_FAR && q->far_from.us > at.us)
		return (struct air_gate){q->far_from, AIRQ_PACE};
	return (struct air_gate){at, AIRQ_SHARE};
}

/* All orders in which the classes may go; bit by bit, what is decided now. */
enum rns_kind
airq_choose(const struct airq *q, struct mono now)
{
	bool led = q->lead_us > AIRQ_LEAD_US &&
	    q->lanes[RNS_KIND_RELAY].count != 0;
	bool near = mono_reached(now, q->promise[0]);
	bool far = mono_reached(now, q->promise[1]);
	const struct {
		bool now;
		enum rns_kind kind;
	} order[] = {
	    {!led, RNS_KIND_CONTROL}, {near, RNS_KIND_NEAR},
	    {far, RNS_KIND_FAR}, {true, RNS_KIND_RELAY},
	    {led, RNS_KIND_CONTROL}, {!near, RNS_KIND_NEAR},
	    {!far, RNS_KIND_FAR}, {true, RNS_KIND_JOBS},
	};
	const struct air_packet *p;

	for (unsigned i = 0; i < NELEM(order); i++) {
		enum rns_kind kind = order[i].kind;

		if (!order[i].now || (p = airq_pick(q, kind)) == NULL)
			continue;
		if (mono_reached(now, airq_gate(q, kind, p, now).at))
			return kind;
	}
	return RNS_KINDS;
}

struct mono
airq_room(const struct airq *q, size_t len, struct mono now)
{
	struct mono at = now;

	if (airq_kept(q, BOOK_ALL) != NULL)
		at = airbook_when(airq_kept(q, BOOK_ALL), now,
		    airtime_us(&q->medium, len), airq_limit_us(q, BOOK_ALL));
	if ((q->medium.paced || q->conf.duty != 0) && q->busy.us > INT64_MIN)
		at.us = MAX_OF(at.us, q->busy.us - AHEAD_US);
	return at;
}

struct mono
airq_due(const struct airq *q, struct mono now)
{
	enum rns_kind kind = airq_choose(q, now);
	struct mono at = MONO_NEVER;
	const struct air_packet *p;

	if (kind != RNS_KINDS)
		return airq_room(q, airq_pick(q, kind)->len, now);
	for (unsigned k = 0; k < RNS_KINDS; k++)
		if ((p = airq_pick(q, k)) != NULL)
			at = mono_min(at, airq_gate(q, k, p, now).at);
	return at;
}

/* ---- what goes ---- */

/* How long an announce has to leave to others, so long after it. */
static struct mono
pace(struct mono now, int64_t air_us, uint32_t permille)
{
	return permille == 0 ? now : mono_add(now, air_us * 1000 / permille);
}

void
airq_shared(struct airq *q, enum rns_kind kind, size_t len, struct mono now)
{
	int64_t air_us = airtime_us(&q->medium, len);
	enum air_book book = airq_book(kind);
	struct mono begins;

	/* behind what is on the air, in every book */
	begins.us = MAX_OF(q->busy.us, now.us);
	q->busy = mono_add(begins, air_us);
	if (q->books[BOOK_ALL] != NULL) {
		(void)airbook_add(q->books[BOOK_ALL], begins, air_us);
		if (book != BOOK_ALL)
			(void)airbook_add(q->books[book], begins, air_us);
	}
}

/* It is on the air from now on. */
static void
charge(struct airq *q, enum rns_kind kind, size_t len, struct mono now)
{
	int64_t air_us = airtime_us(&q->medium, len);
	uint32_t cap = q->conf.announce_cap;
	struct air_count *c = &q->lanes[kind].tx;

	c->frames++;
	c->bytes += len;
	c->air_us += air_us;
	airq_shared(q, kind, len, now);
	if (q->medium.silent_us != 0)
		silent_given(q, air_us, now);
	if (kind == RNS_KIND_CONTROL && q->lanes[RNS_KIND_RELAY].count != 0)
		q->lead_us += air_us;
	else if (kind == RNS_KIND_RELAY)
		q->lead_us = MAX_OF(q->lead_us - air_us, 0);
	if (kind == RNS_KIND_FAR)
		q->far_from = pace(now, air_us, cap);
	if (kind == RNS_KIND_NEAR || kind == RNS_KIND_FAR)
		q->promise[kind == RNS_KIND_FAR] = pace(now, air_us,
		    cap == 0 || cap > PROMISE ? PROMISE : cap);
}

struct mono
airq_beacon_at(const struct airq *q, size_t len, struct mono now)
{
	return airq_room(q, len, now);
}

void
airq_beacon(struct airq *q, size_t len, struct mono now)
{
	charge(q, RNS_KIND_CONTROL, len, now);
	q->flying = RNS_KIND_CONTROL;
}

bool
airq_sent(struct airq *q, struct mono now)
{
	enum rns_kind kind = q->flying;

	if (kind == RNS_KINDS)
		return false;
	q->flying = RNS_KINDS;
	airq_shared_sent(q, kind, now);
	return true;
}

void
airq_shared_sent(struct airq *q, enum rns_kind kind, struct mono now)
{
	enum air_book book = airq_book(kind);

	if (q->books[BOOK_ALL] != NULL) {
		airbook_late(q->books[BOOK_ALL], now);
		if (book != BOOK_ALL)
			airbook_late(q->books[book], now);
	}
	/* a device that takes more than it sends is not waited for less */
	q->busy.us = MAX_OF(q->busy.us, now.us);
}

/* Out of its class, whose peers have had so much more. */
static void
take(struct airq *q, struct air_lane *l, struct air_packet *p)
{
	struct air_share *peer = &l->peers[p->peer];
	struct air_share *flow = &l->flows[p->flow];

	TAILQ_REMOVE(&l->packets, p, entry);
	l->count--;
	l->bytes -= p->len;
	l->level = peer->served;
	peer->level = flow->served;
	peer->served += p->len;
	flow->served += p->len;
	peer->bytes -= p->len;
	flow->bytes -= p->len;
	free(q->out);
	q->out = p;
}

bool
airq_next(struct airq *q, struct airq_packet *out, struct mono now)
{
	struct air_packet *p;
	enum rns_kind kind;
	struct mono at;

	expire(q, now);
	for (;;) {
		if ((kind = airq_choose(q, now)) == RNS_KINDS)
			return false;
		p = airq_pick(q, kind);
		at = airq_room(q, p->len, now);
		if (at.us != INT64_MAX)
			break;
		drop(&q->lanes[kind], p, AIRQ_DROP_NEVER);
	}
	if (!mono_reached(now, at))
		return false;
	take(q, &q->lanes[kind], p);
	charge(q, kind, p->len, now);
	q->flying = kind;
	*out = (struct airq_packet){.kind = kind, .data = p->data,
	    .len = p->len, .air_us = airtime_us(&q->medium, p->len)};
	return true;
}
