/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/turn.h"

#include <stddef.h>
#include <string.h>

#include "node/work/peers.h"

static int
cmp_peer(struct job *a, struct job *b)
{
	int c = hash16_cmp(&a->rns_hash, &b->rns_hash);

	if (c != 0)
		return c;
	return a->order < b->order ? -1 : a->order > b->order;
}

TREE_PROTOTYPE(job_peers, job, by_peer, cmp_peer)
TREE_GENERATE(job_peers, job, by_peer, cmp_peer)

struct job *
turn_job(struct sched_job *t)
{
	return (struct job *)(void *)((char *)t - offsetof(struct job, turn));
}

void
turn_fill(struct sched_job *t, const struct fp *owner, const struct limits *l,
    int level)
{
	t->owner = *owner;
	t->level = level;
	t->memory = l->v[LIMIT_MEMORY];
	t->cpu_milli = (uint32_t)MIN_OF(l->v[LIMIT_CPU],
	    (uint64_t)UINT32_MAX);
	t->time_ms = l->v[LIMIT_TIME];
}

static void
fill(struct job *j)
{
	turn_fill(&j->turn, &j->owner, &j->limits, j->level);
	j->turn.order = j->order;
	j->turn.since = j->queued_at;
}

static void
fall_asleep(struct node *n, struct job *j)
{
	sched_unready(&n->sched, &j->turn);
	if (j->asleep)
		return;
	j->asleep = true;
	(void)RB_INSERT(job_peers, &n->asleep, j);
	n->sleep_at = mono_min(n->sleep_at,
	    mono_add(n->now, TURN_SLEEP_S * MONO_SECOND));
}

static void
awake(struct node *n, struct job *j)
{
	if (!j->asleep)
		return;
	j->asleep = false;
	(void)RB_REMOVE(job_peers, &n->asleep, j);
}

void
turn_changed(struct node *n, struct job *j)
{
	bool queued = j->state == JS_QUEUED && j->slot == 0 &&
	    strcmp(j->reason, "inputs") != 0;

	if (!queued) {
		awake(n, j);
		sched_unready(&n->sched, &j->turn);
		return;
	}
	if (j->asleep || j->turn.where != SCHED_OUT)
		return;
	fill(j);
	n->unsaid |= !n->lends;
	if (!sched_ready(&n->sched, &j->turn))
		fall_asleep(n, j); /* out of memory: in a second again */
}

void
turn_taken(struct node *n, struct job *j, struct mono since)
{
	if (j->turn.where == SCHED_OUT)
		fill(j);
	(void)sched_start(&n->sched, &j->turn, since);
}

void
turn_over(struct node *n, struct job *j)
{
	int64_t us = mono_sub(n->now, j->turn.started);

	sched_end(&n->sched, &j->turn, j->cpu_ms,
	    us > 0 ? (uint64_t)us / 1000 : 0);
	/* one that was lost may be queued again already */
	turn_changed(n, j);
}

/* ---- those that sleep ---- */

static bool
needs_verdict(struct node *n, struct job *j)
{
	struct peer *p;

	if (j->verdict_gen == n->verdict_gen)
		return false;
	if ((p = peer_get(n, &j->rns_hash, j->rns_public)) == NULL)
		return true;
	if (peer_verdict_fresh(n, p))
		return false;
	if (n->up[PROGRAM_TRUST] && !peer_asked(n, p))
		(void)peer_ask(n, p, NULL);
	return true;
}

/* No key is known for its identity now: that is no word against it. */
static bool
unbound(struct node *n, const struct job *j)
{
	const struct peer *p = peer_find(n, &j->rns_hash);

	return j->verdict_gen != n->verdict_gen && p != NULL &&
	    peer_verdict_fresh(n, p) && p->v.status == VERDICT_NO_BINDING;
}

/* Why it does not start whoever else does; NULL: nothing of that kind. */
static const char *
waits_for(struct node *n, struct job *j)
{
	if (j->doubted != 0)
		return "clock";
	if (!unbound(n, j)) {
		j->unbound_at.us = 0;
		return NULL;
	}
	if (j->unbound_at.us == 0)
		j->unbound_at = n->now;
	return mono_reached(n->now, mono_add(j->unbound_at,
	    TURN_UNBOUND_S * MONO_SECOND)) ? NULL : "binding";
}

static void
sleep_for(struct node *n, struct job *j, const char *reason)
{
	fall_asleep(n, j);
	(void)job_set(&n->jobs, j, JS_QUEUED, reason, n->unix_now);
}

bool
turn_waits(struct node *n, struct job *j)
{
	const char *reason = waits_for(n, j);

	if (reason != NULL)
		sleep_for(n, j, reason);
	return reason != NULL;
}

void
turn_sleeps(struct node *n, struct job *j)
{
	sleep_for(n, j, "trust");
}

bool
turn_waits_for_trust(struct node *n, struct job *j)
{
	if (!needs_verdict(n, j))
		return false;
	turn_sleeps(n, j);
	return true;
}

static void
wake_up(struct node *n, struct job *j)
{
	awake(n, j);
	(void)job_set(&n->jobs, j, JS_QUEUED, "slots", n->unix_now);
	turn_changed(n, j);
}

/* One that sleeps: what it waits for has come, or is another thing now. */
static void
look(struct node *n, struct job *j)
{
	const char *reason;

	if (j->doubted == 0 && needs_verdict(n, j))
		return;
	reason = waits_for(n, j);
	if (reason != NULL)
		(void)job_set(&n->jobs, j, JS_QUEUED, reason, n->unix_now);
	else
		wake_up(n, j);
}

void
turn_judged(struct node *n, const struct hash16 *rns_hash)
{
	struct job key, *j, *next;

	key.rns_hash = *rns_hash;
	key.order = 0;
	for (j = RB_NFIND(job_peers, &n->asleep, &key); j != NULL &&
	    hash16_eq(&j->rns_hash, rns_hash); j = next) {
		next = RB_NEXT(job_peers, &n->asleep, j);
		look(n, j);
	}
}

struct mono
turn_tick(struct node *n)
{
	struct job *j, *next;

	if (RB_EMPTY(&n->asleep))
		return MONO_NEVER;
	if (!mono_reached(n->now, n->sleep_at))
		return n->sleep_at;
	n->sleep_at = mono_add(n->now, TURN_SLEEP_S * MONO_SECOND);
	for (j = RB_MIN(job_peers, &n->asleep); j != NULL; j = next) {
		next = RB_NEXT(job_peers, &n->asleep, j);
		look(n, j);
	}
	return RB_EMPTY(&n->asleep) ? MONO_NEVER : n->sleep_at;
}
