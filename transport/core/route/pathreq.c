/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/route/pathreq.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/crypt.h"
#include "transport/core/base/dedup.h"
#include "transport/core/base/event.h"
#include "transport/core/base/value.h"
#include "transport/core/send/announceq.h"
#include "transport/core/send/announce_own.h"
#include "transport/core/send/outbound.h"
#include "transport/core/send/waiting.h"
#include "transport/core/table/dest.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/ingress.h"
#include "transport/core/table/known.h"
#include "transport/core/table/share.h"

/*
 * Path requests (reticulum-transport.md 2.8, 6, 18.4). All that is known about
 * requests for one destination is one entry: when we asked, whether the first
 * request of others is still open, who waits for the answer. Answered or 45 s
 * old, it goes.
 */
#define PATHREQ_MAX 16384 /* ours: destinations asked for at a time */
#define TAG_MAX 16
#define REQUEST_MAX (RNS_HASH + RNS_HASH + TAG_MAX)
#define BITRATE_MIN 5 /* reticulum-transport.md 1.1 MINIMUM_BITRATE */

struct pathreq {
	RB_ENTRY(pathreq) node;
	TAILQ_ENTRY(pathreq) age; /* in the list of `owner` */
	struct iface *owner;      /* who asked first; NULL: we, or gone */
	struct hash16 dest;
	struct mono sent;      /* by us; us < 0: never */
	struct mono in_flight; /* end of it; us < 0: not */
	struct mono discovery; /* end of it; us < 0: none */
	bool engaged;          /* we searched */
	struct iface **asked;  /* who waits for the answer */
	uint32_t asked_count;
	struct iface *local_for; /* asked for a program's destination */
	struct mono local_until; /* us < 0: nobody did */
	struct timer expire;
};
RB_HEAD(pathreq_tree, pathreq);

struct pathreq_job {
	struct hash16 dest;
	const struct iface *except;
};

struct pathreqs {
	struct pathreq_tree tree;
	uint32_t count;
	struct hashset tags;
	struct pathreq_job jobs[PATH_REQUEST_QUEUE];
	size_t job_count;
	struct timer worker;
};

/* One incoming request. */
struct asked {
	const uint8_t *dest, *requestor, *tag;
	size_t tag_len;
	struct iface *from;
	bool local; /* from a program of ours */
	bool burst; /* its interface brings too many */
};

static int
pathreq_cmp(const struct pathreq *a, const struct pathreq *b)
{
	return hash16_cmp(&a->dest, &b->dest);
}

TREE_PROTOTYPE(pathreq_tree, pathreq, node, pathreq_cmp)
TREE_GENERATE(pathreq_tree, pathreq, node, pathreq_cmp)

static void pathreq_work(struct rns *, void *);
static void pathreq_expire(struct rns *, void *);

int
pathreqs_new(struct rns *r)
{
	struct pathreqs *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return RNS_ENOMEM;
	RB_INIT(&t->tree);
	hashset_init(r, &t->tags, PATH_REQUEST_TAGS);
	timer_init(&t->worker, pathreq_work, t);
	r->pathreqs = t;
	return RNS_OK;
}

static void
pathreq_own(struct rns *r, struct pathreq *e, struct iface *owner)
{
	if (e->owner != NULL) {
		TAILQ_REMOVE(&e->owner->requests, e, age);
		share_give(r, e->owner, SHARE_REQUESTS);
	}
	e->owner = owner;
	if (owner != NULL) {
		TAILQ_INSERT_TAIL(&owner->requests, e, age);
		share_take(r, owner, SHARE_REQUESTS);
	}
}

static void
pathreq_free(struct rns *r, struct pathreq *e)
{
	timer_clear(r, &e->expire);
	pathreq_own(r, e, NULL);
	RB_REMOVE(pathreq_tree, &r->pathreqs->tree, e);
	r->pathreqs->count--;
	free(e->asked);
	free(e);
}

void
pathreqs_free(struct rns *r)
{
	struct pathreq *e;

	if (r->pathreqs == NULL)
		return;
	timer_clear(r, &r->pathreqs->worker);
	while ((e = RB_ROOT(&r->pathreqs->tree)) != NULL)
		pathreq_free(r, e);
	hashset_clear(&r->pathreqs->tags);
	free(r->pathreqs);
	r->pathreqs = NULL;
}

static struct pathreq *
pathreq_find(const struct rns *r, const struct hash16 *dest)
{
	struct pathreq key;

	key.dest = *dest;
	return RB_FIND(pathreq_tree, &r->pathreqs->tree, &key);
}

/* The oldest of the interface that has more than its share makes room. */
static bool
pathreq_room(struct rns *r, struct iface *owner)
{
	struct iface *victim;
	struct pathreq *e;

	if (r->pathreqs->count < PATHREQ_MAX)
		return true;
	victim = share_victim(r, owner, SHARE_REQUESTS, PATHREQ_MAX);
	if (victim == NULL || TAILQ_EMPTY(&victim->requests))
		/* all of them are our own */
		return core_drop(r, RNS_DROP_PATHREQS_FULL);
	e = TAILQ_FIRST(&victim->requests);
	(void)core_drop_of(r, RNS_DROP_PATHREQS_FULL, &e->dest,
	    victim->cfg.id);
	pathreq_free(r, e);
	return true;
}

/* owner: who asks; NULL: we do. */
static struct pathreq *
pathreq_get(struct rns *r, const struct hash16 *dest, struct iface *owner)
{
	struct pathreq *e = pathreq_find(r, dest);

	if (e != NULL)
		return e;
	if (!pathreq_room(r, owner))
		return NULL;
	e = calloc(1, sizeof(*e));
	if (e == NULL) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return NULL;
	}
	e->dest = *dest;
	e->sent = e->in_flight = e->discovery = e->local_until = MONO_NONE;
	timer_init(&e->expire, pathreq_expire, e);
	(void)RB_INSERT(pathreq_tree, &r->pathreqs->tree, e);
	r->pathreqs->count++;
	pathreq_own(r, e, owner);
	return e;
}

static struct mono
pathreq_sent_end(const struct pathreq *e)
{
	return e->sent.us < 0 ? MONO_NONE :
	    mono_add(e->sent, PATH_REQUEST_GATE_TIMEOUT * MONO_SECOND);
}

static void
pathreq_arm(struct rns *r, struct pathreq *e)
{
	struct mono at = pathreq_sent_end(e);

	if (e->in_flight.us > at.us)
		at = e->in_flight;
	if (e->discovery.us > at.us)
		at = e->discovery;
	if (e->local_until.us > at.us)
		at = e->local_until;
	timer_set(r, &e->expire, at);
}

static void
discovery_end(struct pathreq *e)
{
	free(e->asked);
	e->asked = NULL;
	e->asked_count = 0;
	e->engaged = false;
	e->discovery = MONO_NONE;
}

/* Whoever waited has waited in vain. */
static void
discovery_over(struct rns *r, struct pathreq *e)
{
	if (e->asked_count != 0)
		(void)core_drop_of(r, RNS_DROP_PATH_UNANSWERED, &e->dest,
		    e->asked[0]->cfg.id);
	discovery_end(e);
}

/* An entry goes as a whole when the last of its times is over. */
static void
pathreq_expire(struct rns *r, void *arg)
{
	discovery_over(r, arg);
	pathreq_free(r, arg);
}

void
pathreqs_iface_gone(struct rns *r, const struct iface *i)
{
	struct pathreqs *t = r->pathreqs;
	struct pathreq *e;
	uint32_t n;

	RB_FOREACH(e, pathreq_tree, &t->tree) {
		if (e->owner == i)
			pathreq_own(r, e, NULL);
		if (e->local_for == i)
			e->local_for = NULL;
		n = 0;
		for (uint32_t k = 0; k < e->asked_count; k++)
			if (e->asked[k] != i)
				e->asked[n++] = e->asked[k];
		e->asked_count = n;
	}
	for (size_t k = 0; k < t->job_count; k++)
		if (t->jobs[k].except == i)
			t->jobs[k].except = NULL;
}

/* ---- asking ---- */

static void
tag_make(struct rns *r, const struct hash16 *dest, uint8_t tag[TAG_MAX])
{
	const struct rns_stamps *s = &r->cfg.stamps;

	if (s->tag == NULL || !s->tag(s->arg, dest, tag))
		core_random(r, tag, TAG_MAX);
}

/* reticulum-transport.md 6.1, 6.4; tag NULL: a fresh one. */
static int
pathreq_send(struct rns *r, const struct hash16 *dest, const uint8_t *tag,
    size_t tag_len, struct iface *via)
{
	uint8_t data[REQUEST_MAX], raw[HEADER_1_LEN + REQUEST_MAX];
	struct pathreq *e = pathreq_get(r, dest, NULL);
	struct wr w = wr_make(data, sizeof(data));
	uint8_t fresh[TAG_MAX];
	size_t len;

	if (tag == NULL) {
		tag_make(r, dest, fresh);
		tag = fresh;
		tag_len = sizeof(fresh);
	}
	wr_bytes(&w, HASH_BYTES(*dest));
	if (r->cfg.transport)
		wr_bytes(&w, HASH_BYTES(r->self.hash));
	wr_bytes(&w, tag, tag_len);
	if (!wr_ok(&w))
		return RNS_EINVAL;
	if (e != NULL) {
		e->sent = r->now;
		pathreq_arm(r, e);
	}
	len = packet_build(raw, sizeof(raw),
	    PACKET_FLAGS(DEST_PLAIN, PACKET_DATA), &r->path_request_dest,
	    CTX_NONE, data, w.len);
	return core_out(r, raw, len, via);
}

static void
pathreq_send_except(struct rns *r, const struct hash16 *dest,
    const struct iface *except)
{
	uint8_t tag[TAG_MAX];
	struct iface *i;

	tag_make(r, dest, tag);
	TAILQ_FOREACH(i, &r->ifaces, entry)
		if (i != except && iface_sends(i))
			(void)pathreq_send(r, dest, tag, sizeof(tag), i);
}

bool
pathreq_throttled(const struct rns *r, const struct hash16 *dest)
{
	const struct pathreq *e = pathreq_find(r, dest);

	return e != NULL && e->sent.us >= 0 && mono_sub(r->now, e->sent) <
	    PATH_REQUEST_INTERVAL * MONO_SECOND;
}

bool
pathreq_wanted(const struct rns *r, const struct hash16 *dest)
{
	const struct pathreq *e = pathreq_find(r, dest);

	return e != NULL && (!mono_reached(r->now, pathreq_sent_end(e)) ||
	    !mono_reached(r->now, e->discovery));
}

/* Waits in the queue of automatic requests; a destination once. */
void
pathreq_rediscover(struct rns *r, const struct hash16 *dest,
    const struct iface *except)
{
	struct pathreqs *t = r->pathreqs;

	for (size_t i = 0; i < t->job_count; i++)
		if (hash16_eq(&t->jobs[i].dest, dest))
			return;
	if (t->job_count == NELEM(t->jobs)) {
		(void)core_drop_of(r, RNS_DROP_PATH_QUEUE, dest, 0);
		return;
	}
	t->jobs[t->job_count].dest = *dest;
	t->jobs[t->job_count++].except = except;
	if (!t->worker.armed)
		timer_set(r, &t->worker,
		    mono_add(r->now, PATH_REQUEST_PAUSE_MS * 1000));
}

static void
pathreq_work(struct rns *r, void *arg)
{
	struct pathreqs *t = arg;
	struct pathreq_job job;

	if (t->job_count == 0)
		return;
	job = t->jobs[0];
	t->job_count--;
	memmove(&t->jobs[0], &t->jobs[1], t->job_count * sizeof(t->jobs[0]));
	pathreq_send_except(r, &job.dest, job.except);
	if (t->job_count != 0)
		timer_set(r, &t->worker,
		    mono_add(r->now, PATH_REQUEST_PAUSE_MS * 1000));
}

int
path_request(struct rns *r, const struct hash16 *dest, bool automatic)
{
	if (!automatic)
		return pathreq_send(r, dest, NULL, 0, NULL);
	if (!pathreq_throttled(r, dest))
		pathreq_rediscover(r, dest, NULL);
	return RNS_OK;
}

/* ---- being asked ---- */

static void
asked_drop(struct rns *r, enum rns_drop why, const struct asked *q)
{
	(void)core_drop_of(r, why, hash16_at(q->dest), q->from->cfg.id);
}

/* max(15 s, medium path time-out of reticulum-transport.md 6.7) */
static int64_t
discovery_life_us(const struct rns *r)
{
	const struct iface *i;
	uint64_t slowest = 0;
	int64_t us = PATH_REQUEST_TIMEOUT * MONO_SECOND, medium;

	TAILQ_FOREACH(i, &r->ifaces, entry)
		if (i->cfg.online && i->cfg.bitrate != 0 &&
		    (slowest == 0 || i->cfg.bitrate < slowest))
			slowest = i->cfg.bitrate;
	if (slowest == 0)
		return us;
	slowest = MAX_OF(slowest, (uint64_t)BITRATE_MIN);
	medium = (int64_t)(UINT64_C(2) * RNS_MTU * 8 * MONO_SECOND / slowest) +
	    PER_HOP_TIMEOUT * MONO_SECOND;
	return MAX_OF(us, medium);
}

/* `from` waits for the answer too. */
static void
discovery_join(struct rns *r, struct pathreq *e, struct iface *from)
{
	struct iface **grown;

	for (uint32_t k = 0; k < e->asked_count; k++)
		if (e->asked[k] == from)
			return;
	grown = realloc(e->asked, (e->asked_count + 1) * sizeof(*grown));
	if (grown == NULL) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return;
	}
	grown[e->asked_count++] = from;
	e->asked = grown;
	if (e->discovery.us < 0 || mono_reached(r->now, e->discovery))
		e->discovery = mono_add(r->now, discovery_life_us(r));
}

/* reticulum-transport.md 6.3: a search must not crowd out announces. */
static bool
may_search(struct rns *r, struct iface *i, size_t tag_len)
{
	return announceq_now(r, i, HEADER_1_LEN + 2 * RNS_HASH + tag_len);
}

/* reticulum-transport.md 6.2 step 5 */
static void
search(struct rns *r, struct pathreq *e, const struct asked *q)
{
	bool restricted = !q->from->cfg.recursive_prs &&
	    q->from->cfg.mode == RNS_MODE_BOUNDARY;
	struct iface *i;

	if (e->engaged && !mono_reached(r->now, e->discovery)) {
		asked_drop(r, RNS_DROP_PATH_WAITS, q);
		return;
	}
	if (q->burst) {
		asked_drop(r, RNS_DROP_PATH_BURST, q);
		return;
	}
	if (mono_reached(r->now, e->discovery))
		discovery_over(r, e);
	e->discovery = mono_add(r->now, discovery_life_us(r));
	discovery_join(r, e, q->from);
	e->engaged = true;
	TAILQ_FOREACH(i, &r->ifaces, entry) {
		if (i == q->from || !iface_sends(i) || (restricted &&
		    i->cfg.mode != RNS_MODE_BOUNDARY &&
		    i->cfg.mode != RNS_MODE_GATEWAY))
			continue;
		if (egress_limits(r, i))
			(void)core_drop_of(r, RNS_DROP_PATH_EGRESS, &e->dest,
			    i->cfg.id);
		else if (!may_search(r, i, q->tag_len))
			(void)core_drop_of(r, RNS_DROP_PATH_SHARE, &e->dest,
			    i->cfg.id);
		else
			(void)pathreq_send(r, hash16_at(q->dest), q->tag,
			    q->tag_len, i);
	}
}

static bool
searches(const struct rns *r, const struct iface *i)
{
	if (!r->cfg.transport)
		return false;
	switch (i->cfg.mode) {
	case RNS_MODE_AP:
	case RNS_MODE_GATEWAY:
	case RNS_MODE_ROAMING:
	case RNS_MODE_INTERNAL:
	case RNS_MODE_BOUNDARY:
		return true;
	default:
		return i->cfg.recursive_prs;
	}
}

/* reticulum-transport.md 6.2 step 3: from the path table. */
static void
answer(struct rns *r, const struct path *path, const struct asked *q)
{
	struct known *k = known_find(r, hash16_at(q->dest));
	int64_t wait_ms = PATH_REQUEST_GRACE_MS;

	if (path->heard == NULL) {
		asked_drop(r, RNS_DROP_PATH_BARE, q);
		return;
	}
	if ((q->from->cfg.mode == RNS_MODE_ROAMING && q->from == path->rx) ||
	    (q->requestor != NULL &&
	    hash16_eq(hash16_at(q->requestor), &path->next_hop))) {
		asked_drop(r, RNS_DROP_PATH_BACK, q);
		return;
	}
	if (q->from->cfg.mode == RNS_MODE_ROAMING)
		wait_ms += PATH_REQUEST_ROAMING_MS;
	if (q->local || path->rx->cfg.kind == RNS_IF_LOCAL_CLIENT)
		wait_ms = 0;
	waiting_answer(r, path, mono_add(r->now, wait_ms * 1000), q->from);
	if (k != NULL)
		known_mark_used(r, k);
}

static void
own_asked(struct rns *r, struct dest *d, const struct asked *q)
{
	struct rns_event ev = {.type = RNS_EV_PATH_REQUEST};

	ev.path_request.dest = *hash16_at(q->dest);
	ev.path_request.ifid = q->from->cfg.id;
	(void)event_push(r, &ev);
	if (d->type == RNS_SINGLE)
		(void)announce_own(r, d, q->from);
}

/*
 * reticulum-transport.md 6.2 step 6, with the tag as it came: it may be a
 * stamp (reticulum-1.6.md 10.2).
 */
static void
ask_programs(struct rns *r, const struct asked *q)
{
	struct iface *i;

	TAILQ_FOREACH(i, &r->ifaces, entry)
		if (i->cfg.kind == RNS_IF_LOCAL_CLIENT)
			(void)pathreq_send(r, hash16_at(q->dest), q->tag,
			    q->tag_len, i);
}

/*
 * reticulum-transport.md 6.2; true: D was answered and leaves the batch
 * (reticulum-transport.md 18.4).
 */
static bool
pathreq_handle(struct rns *r, struct pathreq *e, const struct asked *q)
{
	struct dest *d = dest_find(r, hash16_at(q->dest));
	struct path *path = path_find(r, hash16_at(q->dest));

	if (d != NULL) {
		own_asked(r, d, q);
		return true;
	}
	if (r->cfg.attached) {
		asked_drop(r, RNS_DROP_NO_DEST, q);
		return false;
	}
	if (path != NULL && path->rx->cfg.kind == RNS_IF_LOCAL_CLIENT) {
		e->local_for = q->from;
		e->local_until = mono_add(r->now,
		    PATH_REQUEST_GATE_TIMEOUT * MONO_SECOND);
	}
	if (path != NULL && (r->cfg.transport || q->local)) {
		answer(r, path, q);
		return true;
	}
	if (q->local)
		pathreq_send_except(r, hash16_at(q->dest), q->from);
	else if (searches(r, q->from))
		search(r, e, q);
	else if (r->local_clients != 0)
		ask_programs(r, q);
	else
		asked_drop(r, RNS_DROP_PATH_NOWHERE, q);
	return false;
}

static bool
asked_parse(struct asked *q, const struct packet *p)
{
	struct rd r = rd_make(p->data, p->data_len);

	*q = (struct asked){.from = p->rx, .local = p->from_local};
	if (!rd_ref(&r, &q->dest, RNS_HASH))
		return false;
	if (rd_left(&r) > TAG_MAX && !rd_ref(&r, &q->requestor, RNS_HASH))
		return false;
	q->tag_len = MIN_OF(rd_left(&r), (size_t)TAG_MAX);
	return q->tag_len != 0 && rd_ref(&r, &q->tag, q->tag_len);
}

void
pathreq_in(struct rns *r, struct packet *p)
{
	uint8_t key[HASHSET_KEY];
	struct iovec_c v[2];
	struct pathreq *e;
	struct asked q;

	if (!asked_parse(&q, p)) {
		(void)core_drop(r, RNS_DROP_PATH_REQUEST);
		return;
	}
	if (q.tag + q.tag_len != p->data + p->data_len)
		asked_drop(r, RNS_DROP_PATH_LONG, &q);
	v[0] = (struct iovec_c){q.dest, RNS_HASH};
	v[1] = (struct iovec_c){q.tag, q.tag_len};
	crypt_sha256v(id32_into(key), v, 2);
	if (hashset_has(&r->pathreqs->tags, key)) {
		asked_drop(r, RNS_DROP_PATH_TAG, &q);
		return;
	}
	traffic_count(r, &p->rx->traffic[TRAFFIC_PATH_IN], p->raw_len);
	value_path_request(r, hash16_at(q.dest), q.tag, q.tag_len);
	if (hashset_add(&r->pathreqs->tags, key) != RNS_OK)
		(void)core_drop(r, RNS_DROP_MEMORY);
	q.burst = ingress_limits_requests(r, q.from);
	e = pathreq_get(r, hash16_at(q.dest), q.from);
	if (e == NULL)
		return;
	if (!mono_reached(r->now, e->in_flight)) {
		if (q.burst) {
			asked_drop(r, RNS_DROP_PATH_BURST, &q);
			return;
		}
		asked_drop(r, RNS_DROP_PATH_WAITS, &q);
		discovery_join(r, e, q.from);
		pathreq_arm(r, e);
		return;
	}
	/* reticulum-transport.md 6.2 step 0 looks again */
	(void)ingress_limits_requests(r, q.from);
	e->in_flight =
	    mono_add(r->now, PATH_REQUEST_GATE_TIMEOUT * MONO_SECOND);
	if (pathreq_handle(r, e, &q))
		e->in_flight = MONO_NONE;
	pathreq_arm(r, e);
	if (!e->expire.armed || e->expire.at.us <= r->now.us)
		pathreq_free(r, e);
}

void
pathreq_show(const struct rns *r, const struct hash16 *dest,
    struct rns_about *out)
{
	const struct pathreq *e = pathreq_find(r, dest);

	if (e == NULL)
		return;
	out->asked_us = core_wall_of(r, e->sent);
	out->searched = e->engaged && !mono_reached(r->now, e->discovery);
	out->search_until_us = out->searched ? core_wall_of(r, e->discovery) :
	    0;
	out->askers = e->asked_count;
}

bool
pathreq_answered(struct rns *r, const struct path *path)
{
	struct pathreq *e = pathreq_find(r, &path->dest);
	bool ours;

	if (e == NULL)
		return false;
	ours = !mono_reached(r->now, pathreq_sent_end(e));
	e->in_flight = MONO_NONE;
	if (mono_reached(r->now, e->discovery))
		discovery_over(r, e);
	else
		for (uint32_t k = 0; k < e->asked_count; k++)
			(void)announce_out(r, path, path->hops,
			    CTX_PATH_RESPONSE, e->asked[k]);
	discovery_end(e);
	if (ours)
		pathreq_arm(r, e);
	else
		pathreq_free(r, e);
	return ours;
}

bool
pathreq_take_local(struct rns *r, const struct hash16 *dest)
{
	struct pathreq *e = pathreq_find(r, dest);
	bool was = e != NULL && e->local_for != NULL;

	if (was)
		e->local_for = NULL;
	return was;
}
