/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/watched.h"

#include <stdio.h>

#include "common/layers.h"
#include "common/log.h"
#include "common/util.h"
#include "node/work/anchored.h"
#include "node/work/event.h"
#include "node/work/finish.h"
#include "node/work/forensics.h"
#include "node/work/freeze.h"
#include "node/work/peers.h"
#include "node/work/seen.h"
#include "node/work/state.h"
#include "node/work/throttle.h"
#include "node/work/verified.h"

/* Where there is no group of a job, or no limit, nothing counts either. */
static void
say_by(struct node *n)
{
	const uint32_t limits = LAYER_MEMORY | LAYER_CPU | LAYER_PIDS;
	bool counted = n->watches && n->watch_layers == 0;

	(void)snprintf(n->watch_by, sizeof(n->watch_by), "%s%s%s%s",
	    n->watch_said,
	    counted && (n->jail_layers & LAYER_MEMORY) == 0 ?
	    " out_of_memory" : "",
	    counted && (n->jail_layers & LAYER_PIDS) == 0 ?
	    " fork_refused" : "",
	    counted && (n->jail_layers & limits) == 0 ? " cpu_burst" : "");
}

void
watched_layers(struct node *n)
{
	say_by(n);
	n->layers = n->jail_layers | n->watch_layers | anchored_layers(n);
	(void)snprintf(n->missing, sizeof(n->missing), "%s%s%s",
	    n->jail_missing, n->jail_missing[0] != '\0' &&
	    n->watch_missing[0] != '\0' ? "; " : "", n->watch_missing);
}

void
watched_waits(struct node *n, struct job *j)
{
	j->unwatched = true;
	j->unwatched_at = mono_add(n->now, INT64_C(1000) * SEEN_WAIT_MS);
}

/* Its J_RUN goes out, or it is refused where every job must be watched. */
static void
release(struct node *n, struct job *j, bool ok)
{
	j->unwatched = false;
	if (!job_active(j) || j->phase != PHASE_FILLING)
		return;
	j->watched = ok && n->watch_layers != 0;
	if (!j->watched && (n->policy.required & LAYER_BPF) != 0) {
		finish_slot_free(n, j);
		finish_refuse(n, j, "posture", "bpf: warren-audit cannot "
		    "watch it");
		return;
	}
	verified_go(n, j);
}

void
watched_ready(struct node *n, const struct msg_W_READY *m)
{
	struct job *j = job_find(&n->jobs, &m->job);

	if (j != NULL && j->unwatched)
		release(n, j, m->ok);
	else if (j != NULL && job_active(j) && !m->ok)
		j->layers &= ~(uint32_t)LAYER_BPF; /* a part of it was missed */
}

void
watched_found(struct node *n, struct job *j)
{
	if (n->watches && j->phase <= PHASE_RUNNING)
		n->host.watch(n->host.ctx, j);
}

void
watched_posture(struct node *n, const struct msg_W_POSTURE *m)
{
	struct job *j;

	n->has_watch = true;
	n->watches = true;
	n->watch_layers = m->layers & LAYER_BPF;
	n->watch_missing[0] = '\0';
	if (n->watch_layers == 0)
		(void)snprintf(n->watch_missing, sizeof(n->watch_missing),
		    "bpf: %.190s", m->missing);
	(void)snprintf(n->watch_said, sizeof(n->watch_said), "%.400s", m->by);
	watched_layers(n);
	if ((n->policy.required & LAYER_BPF & ~n->watch_layers) != 0)
		node_event(n, EVK_LAYER_MISSING, 2, NULL, NULL, "posture",
		    n->watch_missing, LAYER_BPF, n->layers);
	TAILQ_FOREACH(j, &n->jobs.active, active_link) {
		if (j->slot != 0 && !j->unwatched)
			watched_found(n, j);
	}
}

/* ---- what it broke ---- */

/* Audit may be wrong, or not itself any more: not every job ends for it. */
static bool
may_kill(struct node *n)
{
	if (mono_reached(n->now, n->watch_hour)) {
		n->watch_hour = mono_add(n->now, 3600 * MONO_SECOND);
		n->watch_kills = 0;
	}
	if (n->watch_kills >= WATCHED_KILLS_HOUR)
		return false;
	n->watch_kills++;
	return true;
}

bool
watched_may_kill(struct node *n, struct job *j)
{
	if (j->kill == 0 && may_kill(n))
		return true;
	log_warnx("audit", "a job broke a rule and is not ended for it: it "
	    "ends already, or %d were this hour", WATCHED_KILLS_HOUR);
	return false;
}

static void
kill_for(struct node *n, struct job *j, uint8_t rule)
{
	j->rule = rule;
	if (j->phase <= PHASE_RUNNING)
		finish_kill(n, j, KILL_VIOLATION);
	else /* it was quicker, and has done it all the same */
		j->kill = KILL_VIOLATION;
}

/* A rule of the operator's or the house's. */
static void
kill_ruled(struct node *n, struct job *j, uint8_t rule)
{
	if (!watched_may_kill(n, j))
		return;
	peers_broke(n, j, PENALTY_MAJOR);
	kill_for(n, j, rule);
}

/* A rule of its contract has been told, and counted, when it was broken. */
static void
stand_kill(struct node *n, struct job *j)
{
	if (j->ruled >= RULE_WATCH || j->ruled == RULE_NONE)
		kill_ruled(n, j, j->ruled);
	else if (j->kill == 0)
		kill_for(n, j, j->ruled);
}

/* At once, or with its start: jail's word of it may be on its way still. */
static void
stand(struct node *n, struct job *j)
{
	char why[64];

	if (j->phase == PHASE_FILLING || j->frozen || j->kill != 0)
		return;
	if (j->ruled_kill) {
		j->ruled_until.us = 0;
		stand_kill(n, j);
		return;
	}
	if (j->phase != PHASE_RUNNING)
		return;
	(void)snprintf(why, sizeof(why), "rule %s", j->ruled_by);
	job_freeze(n, j, why);
	if (!j->frozen) /* this machine cannot: the safe side is its end */
		stand_kill(n, j);
	else
		forensics_ruled(n, j);
}

/* Before it runs its kill waits too; 0: it does not stand still either. */
static bool
waits(struct node *n, struct job *j, bool kills, uint8_t rule,
    const char *name)
{
	if (j->kill != 0 || j->ruled_kill || (!kills &&
		j->ruled_until.us != 0))
		return false;
	j->ruled_kill = kills;
	j->ruled_until = mono_add(n->now, WATCHED_FREEZE_S * MONO_SECOND);
	j->ruled = rule;
	(void)snprintf(j->ruled_by, sizeof(j->ruled_by), "%s", name);
	return true;
}

void
watched_stop(struct node *n, struct job *j, uint8_t rule, const char *name)
{
	if (waits(n, j, false, rule, name))
		stand(n, j);
}

void
watched_kill(struct node *n, struct job *j, uint8_t rule)
{
	if (j->phase != PHASE_FILLING)
		kill_for(n, j, rule);
	else
		(void)waits(n, j, true, rule, contract_rule_name(rule));
}

void
watched_flag(struct node *n, const struct msg_W_FLAG *m)
{
	struct job *j = job_find(&n->jobs, &m->job);

	if (j == NULL || !job_active(j) || j->phase > PHASE_PACKING ||
	    (m->rule != 0 && m->rule < RULE_WATCH)) {
		n->count.edges++;
		return;
	}
	if (m->does != WATCH_FREEZE && j->phase != PHASE_FILLING)
		kill_ruled(n, j, m->rule);
	else if (waits(n, j, m->does != WATCH_FREEZE, m->rule, m->name))
		stand(n, j);
}

/* ---- its end ---- */

static void
done(struct node *n, struct job *j)
{
	j->watch_asked = false;
	if (j->ruled_kill) /* it was quicker than the word that it runs */
		stand(n, j);
	finish_watched(n, j);
}

void
watched_done(struct node *n, const struct msg_W_DONE *m)
{
	struct job *j = job_find(&n->jobs, &m->job);

	if (j == NULL || !j->watch_asked)
		return;
	j->watch_events = m->events;
	j->watch_lost = m->lost;
	done(n, j);
}

void
watched_down(struct node *n)
{
	struct job *j, *next;

	n->has_watch = n->watches = false;
	n->watch_layers = 0;
	n->watch_said[0] = '\0';
	(void)snprintf(n->watch_missing, sizeof(n->watch_missing),
	    "bpf: warren-audit has ended, and is started again");
	watched_layers(n);
	for (j = TAILQ_FIRST(&n->jobs.active); j != NULL; j = next) {
		next = TAILQ_NEXT(j, active_link);
		/* not all the time, so its receipt does not say so */
		j->layers &= ~(uint32_t)LAYER_BPF;
		j->watched = false;
		if (j->unwatched)
			release(n, j, false);
		else if (j->watch_asked)
			done(n, j);
	}
}

/* A job that a rule has stopped: when to look at it again. */
static struct mono
ruled(struct node *n, struct job *j)
{
	stand(n, j);
	if (!mono_reached(n->now, j->ruled_until))
		return j->ruled_until;
	j->ruled_until.us = 0;
	if (j->frozen && !j->suspended)
		job_thaw(n, j);
	n->lend_at = n->now; /* may it go on? */
	return MONO_NEVER;
}

struct mono
watched_tick(struct node *n)
{
	struct mono at = MONO_NEVER;
	struct job *j, *next;

	for (j = TAILQ_FIRST(&n->jobs.active); j != NULL; j = next) {
		next = TAILQ_NEXT(j, active_link);
		if (j->ruled_until.us != 0)
			at = mono_min(at, ruled(n, j));
		at = mono_min(at, throttle_tick(n, j));
		if (!j->unwatched && !j->watch_asked)
			continue;
		if (!mono_reached(n->now, j->unwatched_at)) {
			at = mono_min(at, j->unwatched_at);
			continue;
		}
		log_errx("audit", "does not answer for a job: on without it");
		if (j->unwatched)
			release(n, j, false);
		else
			done(n, j);
	}
	return at;
}
