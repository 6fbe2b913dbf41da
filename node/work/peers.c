/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rns/rns.h>

#include "common/log.h"
#include "node/work/banned.h"
#include "node/work/event.h"
#include "node/work/late.h"
#include "node/work/hold.h"
#include "node/work/park.h"
#include "node/work/said.h"
#include "node/work/state.h"

/*
 * Links, the identities behind them, what trust said about those, and their
 * budgets. A peer is a Reticulum identity; an owner is a fingerprint, to whom
 * jobs and blobs belong.
 */

#define BLOCKED_AGAIN (3600 * MONO_SECOND) /* ours: lines of the trail */
#define MINUTE_S 60 /* compute.md 6: what budgets are counted by */

static int
cmp_peer(struct peer *a, struct peer *b)
{
	return hash16_cmp(&a->rns_hash, &b->rns_hash);
}

static int
cmp_caller(struct caller *a, struct caller *b)
{
	return hash16_cmp(&a->id, &b->id);
}

static int
cmp_owner(struct owner *a, struct owner *b)
{
	return fp_cmp(&a->fp, &b->fp);
}

TREE_PROTOTYPE(peers, peer, node, cmp_peer)
TREE_GENERATE(peers, peer, node, cmp_peer)
TREE_PROTOTYPE(callers, caller, node, cmp_caller)
TREE_GENERATE(callers, caller, node, cmp_caller)
TREE_PROTOTYPE(owners, owner, node, cmp_owner)
TREE_GENERATE(owners, owner, node, cmp_owner)

struct caller *
caller_find(struct node *n, const struct hash16 *id)
{
	struct caller key;

	key.id = *id;
	return RB_FIND(callers, &n->callers, &key);
}

struct peer *
peer_find(struct node *n, const struct hash16 *rns_hash)
{
	struct peer key;

	key.rns_hash = *rns_hash;
	return RB_FIND(peers, &n->peers, &key);
}

struct peer *
peer_next(struct node *n, struct peer *p)
{
	return p == NULL ? RB_MIN(peers, &n->peers) :
	    RB_NEXT(peers, &n->peers, p);
}

/* The unlinked one that was seen longest ago makes room. */
static bool
peer_evict(struct node *n)
{
	struct peer *p, *old = NULL;

	RB_FOREACH(p, peers, &n->peers) {
		if (p->links == 0 && (old == NULL || p->seen.us < old->seen.us))
			old = p;
	}
	if (old == NULL)
		return false;
	(void)RB_REMOVE(peers, &n->peers, old);
	free(old);
	n->npeers--;
	return true;
}

struct peer *
peer_get(struct node *n, const struct hash16 *rns_hash,
    const uint8_t rns_public[64])
{
	struct peer *p = peer_find(n, rns_hash);

	if (p != NULL) {
		p->seen = n->now;
		return p;
	}
	if (n->npeers >= NODE_PEERS_MAX && !peer_evict(n))
		return NULL;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->rns_hash = *rns_hash;
	memcpy(p->rns_public, rns_public, 64);
	p->seen = n->now;
	/* until a verdict says more, the share of level 0 */
	bucket_init(&p->bytes, quota_peer_bytes(n->policy.bytes_per_minute, 0),
	    MINUTE_S, n->now);
	bucket_init(&p->requests, n->policy.requests_per_minute, MINUTE_S,
	    n->now);
	(void)RB_INSERT(peers, &n->peers, p);
	n->npeers++;
	return p;
}

static bool
bucket_full(struct bucket *b, struct mono now)
{
	return bucket_left(b, now) >= b->cap;
}

static void
owner_forget(struct node *n, struct owner *o)
{
	(void)RB_REMOVE(owners, &n->owners, o);
	free(o);
	n->nowners--;
}

/*
 * Whoever can make a key can be an owner. One whose budgets are full is not
 * worth remembering: a new one has the same. Of those with points the one
 * that got his last longest ago makes room, when nobody else does.
 */
static void
owners_evict(struct node *n)
{
	struct owner *o, *next, *old = NULL;

	for (o = RB_MIN(owners, &n->owners); o != NULL; o = next) {
		next = RB_NEXT(owners, &n->owners, o);
		if (!bucket_full(&o->quota.jobs, n->now) ||
		    !bucket_full(&o->quota.cpu, n->now) ||
		    !bucket_full(&o->quota.images, n->now))
			continue;
		if (penalty_left(&o->penalty, n->unix_now) == 0)
			owner_forget(n, o);
		else if (old == NULL || o->penalty.since < old->penalty.since)
			old = o;
	}
	if (n->nowners >= NODE_OWNERS_MAX && old != NULL)
		owner_forget(n, old);
}

struct owner *
owner_known(struct node *n, const struct fp *fp)
{
	struct owner key;

	key.fp = *fp;
	return RB_FIND(owners, &n->owners, &key);
}

struct owner *
owner_get(struct node *n, const struct fp *fp)
{
	struct owner *o = owner_known(n, fp);

	if (o != NULL)
		return o;
	if (n->nowners >= NODE_OWNERS_MAX)
		owners_evict(n);
	if (n->nowners >= NODE_OWNERS_MAX ||
	    (o = calloc(1, sizeof(*o))) == NULL)
		return NULL;
	o->fp = *fp;
	quota_init(&o->quota, &n->caps, n->now);
	(void)RB_INSERT(owners, &n->owners, o);
	n->nowners++;
	return o;
}

struct owner *
owner_next(struct node *n, struct owner *o)
{
	return o == NULL ? RB_MIN(owners, &n->owners) :
	    RB_NEXT(owners, &n->owners, o);
}

/* ---- links ---- */

static void
close_link(struct node *n, struct caller *l)
{
	struct msg_N_CLOSE m = {0};

	m.link = l->id;
	if (l->slip == NULL)
		n->host.send_N_CLOSE(n->host.ctx, &m);
	n->count.links_closed++;
	peers_closed(n, &l->id);
}

void
caller_spoke(struct node *n, struct caller *l)
{
	if (!l->is_idle)
		return;
	TAILQ_REMOVE(&n->idle, l, idle);
	l->is_idle = false;
	n->nidle--;
}

void
peers_link(struct node *n, const struct msg_T_LINK *m)
{
	struct forecast_path path = {.bitrate = m->bitrate,
	    .frame_us = m->frame_us, .rtt_us = m->rtt_us, .asker_rtt_us = m->asker_rtt_us,
	    .listen_us = m->listen_us, .slot_us = m->slot_us,
	    .direct = m->direct, .duplex = m->duplex, .hops = m->hops, .frame = m->frame,
	    .loss_permille = m->loss_permille};
	struct caller *l;

	if ((l = caller_find(n, &m->link)) != NULL) {
		l->path = path;
		return;
	}
	if (n->ncallers >= NODE_CALLERS_MAX ||
	    (l = calloc(1, sizeof(*l))) == NULL) {
		struct msg_N_CLOSE c = {0};

		c.link = m->link;
		n->host.send_N_CLOSE(n->host.ctx, &c);
		n->count.links_closed++;
		return;
	}
	l->id = m->link;
	l->created = n->now;
	l->path = path;
	bucket_init(&l->requests, QUOTA_UNIDENTIFIED_REQUESTS, MINUTE_S,
	    n->now);
	(void)RB_INSERT(callers, &n->callers, l);
	n->ncallers++;
	TAILQ_INSERT_TAIL(&n->idle, l, idle);
	l->is_idle = true;
	n->nidle++;
	/* at most so many that have said nothing: the oldest goes */
	while (n->nidle > NODE_IDLE_CALLERS)
		close_link(n, TAILQ_FIRST(&n->idle));
}

void
peers_closed(struct node *n, const struct hash16 *id)
{
	struct caller *l = caller_find(n, id);

	if (l == NULL)
		return;
	park_forget(n, l);
	hold_forget(n, l);
	for (unsigned i = 0; i < 2; i++) {
		if (l->follow[i].on)
			n->host.unfollow(n->host.ctx, id, i + 1);
	}
	caller_spoke(n, l);
	if (l->slip != NULL)
		n->mail.at = n->now; /* its letter looks for another */
	if (l->peer != NULL)
		l->peer->links--;
	(void)RB_REMOVE(callers, &n->callers, l);
	n->ncallers--;
	free(l);
}

void
peers_gone(struct node *n)
{
	struct caller *l;

	while ((l = RB_MIN(callers, &n->callers)) != NULL)
		peers_closed(n, &l->id);
}

static void
close_links_of(struct node *n, const struct peer *p)
{
	struct caller *l, *next;

	for (l = RB_MIN(callers, &n->callers); l != NULL; l = next) {
		next = RB_NEXT(callers, &n->callers, l);
		if (l->peer == p)
			close_link(n, l);
	}
}

/* He may come back each second: a line an hour, with how often he came. */
static void
say_blocked(struct node *n, struct peer *p, int level)
{
	if (p->said_blocked.us != 0 && p->blocked_level == level &&
	    mono_sub(n->now, p->said_blocked) < BLOCKED_AGAIN) {
		p->blocked++;
		return;
	}
	node_event(n, EVK_PEER_BLOCKED, 2, NULL, p, "trust", NULL, level,
	    (int64_t)p->blocked);
	p->said_blocked = n->now;
	p->blocked_level = level;
	p->blocked = 0;
}

/*
 * klp.md 3.8 below zero. Taken here for the operator's own pins as well, so
 * that a judge that was taken over cannot let those people in.
 */
void
peer_refuse(struct node *n, struct peer *p, int level)
{
	if (level > -2)
		return;
	if (level <= -3)
		banned_hole(n, &p->rns_hash);
	say_blocked(n, p, level);
	close_links_of(n, p);
}

void
peer_enforce(struct node *n, struct peer *p)
{
	peer_refuse(n, p, verdict_listed(&p->v) ? MIN_OF(p->v.level, -2) :
		p->v.level);
}

void
peers_identified(struct node *n, const struct msg_T_IDENTIFIED *m)
{
	struct caller *l = caller_find(n, &m->link);
	const struct listed *listed;
	struct peer *p;
	int pin;

	if (l == NULL || l->peer != NULL)
		return;
	if ((p = peer_get(n, &m->rns_hash, m->rns_public)) == NULL) {
		close_link(n, l);
		return;
	}
	caller_spoke(n, l);
	l->peer = p;
	p->links++;
	node_event(n, EVK_LINK_IDENTIFIED, 0, NULL, p, NULL, NULL, 0, 0);
	pin = policy_pinned(&n->policy, &p->rns_hash,
	    p->v.known ? &p->v.fp : NULL);
	listed = banned_peer(n, p->v.known && p->v.key_len > 0 ? &p->v.fp :
		NULL, &p->rns_hash);
	if (listed != NULL)
		pin = MIN_OF(pin, listed->suspended ? -2 : -3);
	if (pin <= -2) {
		peer_refuse(n, p, pin);
		return;
	}
	/* asked before it is needed: the first submit finds it here */
	if (!peer_verdict_fresh(n, p) && n->up[PROGRAM_TRUST] &&
	    !peer_asked(n, p))
		(void)peer_ask(n, p, NULL);
}

struct caller *
peers_letter(struct node *n, const struct hash16 *id, const uint8_t pub[64],
    struct slip *slip)
{
	struct msg_T_IDENTIFIED m = {.link = *id};
	const struct msg_T_LINK link = {.link = *id};
	struct caller *l;

	if (caller_find(n, id) != NULL || n->ncallers >= NODE_CALLERS_MAX)
		return NULL;
	peers_link(n, &link);
	if ((l = caller_find(n, id)) == NULL)
		return NULL;
	l->slip = slip;
	memcpy(m.rns_public, pub, 64);
	rns_identity_hash_of(&m.rns_hash, pub);
	peers_identified(n, &m);
	/* a link of his would have been closed when that was said */
	if ((l = caller_find(n, id)) != NULL && l->peer->v.known)
		peer_enforce(n, l->peer);
	return caller_find(n, id);
}

/* ---- verdicts ---- */

bool
verdict_listed(const struct verdict *v)
{
	return v->status == VERDICT_REVOKED || v->status == VERDICT_SUSPENDED;
}

bool
peer_verdict_fresh(const struct node *n, const struct peer *p)
{
	return p->v.known && p->v.gen == n->verdict_gen &&
	    n->unix_now < p->v.valid_until;
}

bool
peer_binding_new(const struct peer *p, const uint8_t *b)
{
	return b != NULL && !(p->has_sent &&
	    memcmp(p->sent, b, BINDING_LEN) == 0);
}

void
peer_binding_good(struct peer *p, const uint8_t b[BINDING_LEN])
{
	p->has_sent = true;
	memcpy(p->sent, b, BINDING_LEN);
}

bool
peer_asked(struct node *n, struct peer *p)
{
	return late_trust(n, &p->ask_qid, p->asked, NULL, p, "V_ASK");
}

uint64_t
peer_ask(struct node *n, struct peer *p, const uint8_t *b)
{
	struct msg_V_ASK m = {.qid = node_qid(n), .scope = "job.submit"};

	memcpy(m.rns_public, p->rns_public, 64);
	/* this life of trust may not know what the last one has seen */
	if (b == NULL && p->has_sent && p->sent_life != n->trust_life)
		b = p->sent;
	p->sent_life = n->trust_life;
	if (b != NULL) {
		m.binding_len = BINDING_LEN;
		memcpy(m.binding, b, BINDING_LEN);
	}
	n->host.send_V_ASK(n->host.ctx, &m);
	p->ask_qid = m.qid;
	p->asked_gen = n->verdict_gen;
	p->asked = n->now;
	return m.qid;
}

/*
 * The budget that this level has. It was a stranger's at first: what that was
 * smaller is given once, so that nobody fills his budget by changing his key.
 */
static void
set_budget(struct node *n, struct peer *p)
{
	uint64_t was = p->bytes.cap;
	uint64_t cap = quota_peer_bytes(n->policy.bytes_per_minute, p->v.level);

	bucket_resize(&p->bytes, cap, n->now);
	if (p->raised || p->v.level < 1 || p->bytes.cap <= was)
		return;
	p->raised = true;
	bucket_return(&p->bytes, p->bytes.cap - was, n->now);
}

int
peer_lowered(struct node *n, const struct peer *p, int level,
    uint32_t *points)
{
	struct owner *o;
	uint32_t left = 0;

	if (p->v.known && p->v.key_len > 0 && !p->v.pinned &&
	    (o = owner_known(n, &p->v.fp)) != NULL)
		left = penalty_left(&o->penalty, n->unix_now);
	if (points != NULL)
		*points = left;
	return MIN_OF(level, penalty_level(left));
}

static void
take_verdict(struct node *n, struct peer *p, const struct msg_V_VERDICT *m)
{
	struct verdict *v = &p->v;
	bool key = m->key_len > 0;
	int pin = policy_pinned(&n->policy, &p->rns_hash, key ? &m->fp : NULL);
	uint32_t points;
	int level;

	memset(v, 0, sizeof(*v));
	v->known = true;
	v->gen = n->verdict_gen;
	v->status = (enum verdict_status)m->status;
	v->level = MAX_OF(-3, MIN_OF(m->level, LEVEL_MAX));
	if (pin < 0)
		v->level = MIN_OF(v->level, pin);
	v->key_kind = m->key_kind;
	v->bip340 = m->bip340;
	v->live_needed = m->live_needed;
	v->pinned = m->pinned;
	v->jobs = m->jobs;
	if (key) {
		v->fp = m->fp;
		v->key_len = (uint8_t)m->key_len;
		memcpy(v->key, m->key, m->key_len);
	}
	v->valid_until = m->valid_until > n->unix_now ? m->valid_until :
	    n->unix_now + NODE_VERDICT_S;
	(void)snprintf(v->why, sizeof(v->why), "%.127s", m->why);
	level = peer_lowered(n, p, v->level, &points);
	if (level < v->level) {
		v->lowered = v->level >= 0;
		v->level = level;
		v->valid_until = MIN_OF(v->valid_until, n->unix_now +
		    PENALTY_LOOK_S);
		(void)snprintf(v->why, sizeof(v->why), "its jobs have broken "
		    "their contracts here: %u points", points);
	}
	set_budget(n, p);
}

struct peer *
peer_judged(struct node *n, const struct msg_V_VERDICT *m)
{
	struct peer *p = peer_find(n, &m->rns_hash);

	if (p == NULL)
		return NULL;
	if (p->ask_qid == m->qid)
		p->ask_qid = 0;
	if (m->status == VERDICT_BAD_BINDING) {
		node_event(n, EVK_BINDING_BAD, 2, NULL, p, "binding", m->why,
		    0, 0);
		peer_counted(n, p, PEER_REFUSED);
	} else {
		/* it has forgotten it: whoever shows it again is heard */
		if (m->status == VERDICT_NO_BINDING)
			p->has_sent = false;
		if (m->status == VERDICT_OK && !p->v.known)
			node_event(n, EVK_BINDING_OK, 0, NULL, p, NULL, NULL,
			    m->level, 0);
		take_verdict(n, p, m);
	}
	return p;
}

void
peers_changed(struct node *n)
{
	struct peer *p;
	struct job *j;

	n->verdict_gen++;
	if (!n->up[PROGRAM_TRUST])
		return;
	RB_FOREACH(p, peers, &n->peers) {
		if (p->links > 0)
			(void)peer_ask(n, p, NULL);
	}
	/* a submitter may have gone away while his job is here */
	TAILQ_FOREACH(j, &n->jobs.live, link) {
		p = peer_get(n, &j->rns_hash, j->rns_public);
		if (p != NULL && (p->ask_qid == 0 ||
		    p->asked_gen != n->verdict_gen))
			(void)peer_ask(n, p, NULL);
	}
	/* whom transport drops has no link that asks for him */
	for (size_t i = 0; i < n->nholes; i++) {
		p = peer_find(n, &n->holes[i]);
		if (p != NULL && (p->ask_qid == 0 ||
		    p->asked_gen != n->verdict_gen))
			(void)peer_ask(n, p, NULL);
	}
}

void
peers_broke(struct node *n, struct job *j, uint32_t points)
{
	struct owner *o = owner_get(n, &j->owner);
	struct peer *p;

	if (o == NULL)
		return;
	penalty_more(&o->penalty, points, n->unix_now);
	n->budgets_changed = true;
	points = o->penalty.points;
	node_event(n, EVK_PENALTY, points >= PENALTY_DISTRUST ? 3 : 1, j, NULL,
	    "penalty", NULL, points, MIN_OF(penalty_level(points), 0));
	if (points < PENALTY_DISTRUST)
		return;
	for (p = peer_next(n, NULL); p != NULL; p = peer_next(n, p)) {
		if (!p->v.known || p->v.key_len == 0 || p->v.pinned ||
		    !fp_eq(&p->v.fp, &j->owner))
			continue;
		/* he is judged where all are, and not before */
		p->v.valid_until = 0;
		if (n->up[PROGRAM_TRUST])
			(void)peer_ask(n, p, NULL);
	}
}

void
peer_counted(struct node *n, struct peer *p, enum peer_count what)
{
	p->count[what]++;
	n->budgets_changed = true;
}

struct admit_peer
peer_admit(const struct node *n, const struct caller *l, const struct peer *p)
{
	struct admit_peer a = {.identified = p != NULL};

	if (p == NULL)
		return a;
	a.has_binding = p->v.known && (p->v.status == VERDICT_OK ||
	    (verdict_listed(&p->v) && p->v.key_len > 0));
	a.revoked = verdict_listed(&p->v) || banned_peer(n,
	    p->v.known && p->v.key_len > 0 ? &p->v.fp : NULL,
	    &p->rns_hash) != NULL;
	a.jobs = p->v.jobs;
	a.level = p->v.level;
	a.why = p->v.why;
	a.live_needed = p->v.live_needed;
	a.live_done = l != NULL && l->live_done;
	return a;
}

/* ---- budgets ---- */

static void
hold(struct node *n, struct caller *l, uint32_t ms)
{
	struct msg_N_HOLD m = {.ms = MIN_OF(ms, NODE_HOLD_MS)};

	if (l->slip != NULL || !mono_reached(n->now, l->held_until))
		return;
	m.link = l->id;
	l->held_until = mono_add(n->now, (int64_t)m.ms * 1000);
	n->host.send_N_HOLD(n->host.ctx, &m);
}

static struct used_up
used_up(const char *code, const char *of, struct bucket *b, uint32_t s,
    struct mono now)
{
	return (struct used_up){.code = code, .of = of, .limit = b->cap,
	    .left = bucket_left(b, now), .s = MAX_OF(s, 1u),
	    .full_s = bucket_full_s(b, now)};
}

/* Both ways, and all links of a peer together. */
static void
charge(struct node *n, struct caller *l, uint64_t bytes, enum peer_count way)
{
	struct bucket *b = l->peer == NULL ? &n->unidentified : &l->peer->bytes;
	uint32_t ms;

	if (l->peer != NULL)
		l->peer->count[way] += bytes;
	n->budgets_changed = true;
	bucket_take(b, bytes, n->now);
	if ((ms = bucket_debt_ms(b, n->now)) > 0)
		hold(n, l, ms);
}

bool
peer_charge_request(struct node *n, struct caller *l, size_t len,
    struct used_up *u)
{
	const char *of = l->peer == NULL ? "strangers" : "peer";
	struct bucket *reqs, *bytes;
	uint32_t s;

	if (l->peer == NULL) {
		reqs = &l->requests;
		bytes = &n->unidentified;
	} else {
		reqs = &l->peer->requests;
		bytes = &l->peer->bytes;
		peer_counted(n, l->peer, PEER_REQUESTS);
	}
	if ((s = bucket_wait(reqs, 1, n->now)) > 0)
		*u = used_up("requests", l->peer == NULL ? "link" : of, reqs,
		    s, n->now);
	else if (bucket_debt_ms(bytes, n->now) > 0 &&
	    (s = bucket_wait(bytes, 1, n->now)) > 0)
		*u = used_up("bytes", of, bytes, s, n->now);
	if (s > 0) {
		said_slowed(n, l->peer, u);
		if (l->peer != NULL) {
			/* the first time is enough for the trail */
			peer_counted(n, l->peer, PEER_DELAYED);
			if (l->peer->count[PEER_DELAYED] == 1)
				node_event(n, EVK_PEER_THROTTLED, 1, NULL,
				    l->peer, u->code, NULL, s, 0);
		}
		n->count.busy++;
		return false;
	}
	bucket_take(reqs, 1, n->now);
	charge(n, l, len, PEER_BYTES_IN);
	return true;
}

void
peer_charge(struct node *n, struct caller *l, uint64_t bytes)
{
	charge(n, l, bytes, PEER_BYTES_OUT);
}

uint64_t
peer_follow_room(struct node *n, const struct hash16 *id, uint32_t *wait_ms)
{
	struct caller *l = caller_find(n, id);
	uint64_t left;

	*wait_ms = NODE_FOLLOW_MS;
	if (l == NULL || l->peer == NULL)
		return 0;
	left = bucket_left(&l->peer->bytes, n->now);
	if (left == 0)
		*wait_ms = MAX_OF(bucket_wait(&l->peer->bytes,
			NODE_FOLLOW_MIN, n->now), 1u) * 1000;
	return left;
}

struct mono
peers_tick(struct node *n)
{
	struct caller *l;

	while ((l = TAILQ_FIRST(&n->idle)) != NULL) {
		struct mono at = mono_add(l->created,
		    NODE_IDLE_S * MONO_SECOND);

		if (!mono_reached(n->now, at))
			return at;
		log_debug("link", "closed: nothing was said on it");
		close_link(n, l);
	}
	return MONO_NEVER;
}

void
peers_unasked(struct node *n)
{
	struct peer *p;

	RB_FOREACH(p, peers, &n->peers) {
		p->ask_qid = 0;
		if (p->links > 0 && !peer_verdict_fresh(n, p))
			(void)peer_ask(n, p, NULL);
	}
}

void
peers_clear(struct node *n)
{
	struct peer *p;
	struct owner *o;

	while ((p = RB_ROOT(&n->peers)) != NULL) {
		(void)RB_REMOVE(peers, &n->peers, p);
		free(p);
	}
	while ((o = RB_ROOT(&n->owners)) != NULL) {
		(void)RB_REMOVE(owners, &n->owners, o);
		free(o);
	}
	n->npeers = n->nowners = 0;
}
