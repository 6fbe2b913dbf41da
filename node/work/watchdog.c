/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/watchdog.h"

#include <stdio.h>

#include "common/layers.h"
#include "common/log.h"
#include "common/util.h"
#include "node/work/event.h"
#include "node/work/finish.h"
#include "node/work/freeze.h"
#include "node/work/state.h"
#include "node/work/throttle.h"

/* ---- is it there ---- */

void
watchdog_there(struct node *n, const struct msg_D_THERE *m)
{
	n->dog_there = m->there;
	/* one that fell has three ticks to come again (klp.md 10) */
	if (m->there != DOG_WAITED_FOR)
		n->dog_ok = m->there == DOG_PRESENT;
}

void
watchdog_down(struct node *n)
{
	n->dog_there = DOG_NONE;
	n->dog_ok = false;
}

/* ---- what it sees ---- */

static struct watchdog_feed *
feed_of(struct node *n, const struct job *j)
{
	struct watchdog_feed *f = &n->dog_feed[j->slot];

	if (n->dog_room.period_s == 0)
		bucket_init(&n->dog_room, WATCHDOG_LOG, 1, n->now);
	if (!f->used || !id32_eq(&f->job, &j->id)) {
		*f = (struct watchdog_feed){.used = true, .job = j->id};
		bucket_init(&f->room, WATCHDOG_LOG_JOB, 1, n->now);
	}
	return f;
}

uint32_t
watchdog_sample(struct node *n, const struct job *j, unsigned stream,
    uint64_t *at)
{
	struct watchdog_feed *f;
	uint64_t len, end = j->log[stream];

	if (n->dog_there != DOG_PRESENT || j->slot == 0)
		return 0;
	f = feed_of(n, j);
	if (f->at[stream] > end) /* another attempt has begun */
		f->at[stream] = 0;
	len = MIN_OF(end - f->at[stream], (uint64_t)WATCHDOG_SAMPLE);
	if (len == 0)
		return 0;
	if (bucket_left(&f->room, n->now) < len ||
	    bucket_left(&n->dog_room, n->now) < len) {
		f->at[stream] = end;
		return 0;
	}
	bucket_take(&f->room, len, n->now);
	bucket_take(&n->dog_room, len, n->now);
	*at = f->at[stream];
	f->at[stream] += len;
	return (uint32_t)len;
}

/* ---- what it does ---- */

static const char *const names[DOG_ACTIONS] = {[DOG_FLAG] = "flag",
    [DOG_THROTTLE] = "throttle", [DOG_FREEZE] = "freeze",
    [DOG_KILL] = "kill"};

static void
say(struct node *n, const struct job *j, enum dog_action what,
    const char *text, uint32_t s)
{
	char id[9];

	hex_encode(id, j->id.b, 4);
	log_notice(id, "watchdog: %s: %s", names[what], text);
	node_event(n, EVK_WATCHDOG_DID, 0, j, NULL, names[what], text, 0,
	    (int64_t)s);
}

static bool
may_kill(struct node *n)
{
	if (mono_reached(n->now, n->dog_hour)) {
		n->dog_hour = mono_add(n->now, 3600 * MONO_SECOND);
		n->dog_kills = 0;
	}
	return n->dog_kills < WATCHDOG_KILLS_HOUR;
}

static void
kill_it(struct node *n, struct job *j)
{
	if (j->kill != 0 || j->phase > PHASE_RUNNING) {
		say(n, j, DOG_KILL, "it ends already", 0);
		return;
	}
	if (!may_kill(n)) {
		say(n, j, DOG_KILL, "not done: 6 were killed this hour", 0);
		return;
	}
	n->dog_kills++;
	j->dog_until.us = 0;
	say(n, j, DOG_KILL, "killed", 0);
	finish_kill(n, j, KILL_WATCHDOG);
}

static void
freeze_it(struct node *n, struct job *j, uint32_t s)
{
	if (j->phase != PHASE_RUNNING || j->kill != 0) {
		say(n, j, DOG_FREEZE, "not done: it does not run", 0);
		return;
	}
	job_freeze(n, j, "watchdog");
	if (!j->frozen) {
		say(n, j, DOG_FREEZE, "not done: this machine cannot", 0);
		return;
	}
	j->dog_until = mono_add(n->now, (int64_t)s * MONO_SECOND);
	say(n, j, DOG_FREEZE, "stands still", s);
}

static void
throttle_it(struct node *n, struct job *j, uint32_t s)
{
	if (j->phase != PHASE_RUNNING || j->kill != 0) {
		say(n, j, DOG_THROTTLE, "not done: it does not run", 0);
		return;
	}
	if ((j->layers & LAYER_CPU) == 0) {
		say(n, j, DOG_THROTTLE, "not done: this machine cannot", 0);
		return;
	}
	n->host.slow(n->host.ctx, j, (uint32_t)MAX_OF(
	    j->limits.v[LIMIT_CPU] / WATCHDOG_SLOW_PART, UINT64_C(1)));
	j->dog_slow = mono_add(n->now, (int64_t)s * MONO_SECOND);
	say(n, j, DOG_THROTTLE, "slower", s);
}

void
watchdog_act(struct node *n, const struct msg_D_ACT *m)
{
	struct job *j = job_find(&n->jobs, &m->job);
	uint32_t s = MIN_OF(m->ttl_s, (uint32_t)WATCHDOG_TTL_S);

	if (j == NULL || !job_active(j)) {
		n->count.edges++;
		return;
	}
	log_info("watchdog", "%.200s", m->reason);
	switch (m->action) {
	case DOG_FLAG:
		j->dog_flagged = true;
		say(n, j, DOG_FLAG, "marked", 0);
		break;
	case DOG_THROTTLE:
		throttle_it(n, j, s);
		break;
	case DOG_FREEZE:
		freeze_it(n, j, s);
		break;
	case DOG_KILL:
		kill_it(n, j);
		break;
	default: /* what else it says is an event and no more */
		n->count.edges++;
		break;
	}
}

/* ---- and undoes ---- */

static struct mono
frozen(struct node *n, struct job *j)
{
	if (j->phase != PHASE_RUNNING || j->kill != 0) {
		j->dog_until.us = 0;
		return MONO_NEVER;
	}
	if (!mono_reached(n->now, j->dog_until)) {
		job_freeze(n, j, "watchdog"); /* others may have thawed it */
		return j->dog_until;
	}
	j->dog_until.us = 0;
	if (!j->suspended && j->ruled_until.us == 0)
		job_thaw(n, j);
	n->lend_at = n->now; /* may it go on? */
	return MONO_NEVER;
}

static struct mono
slowed(struct node *n, struct job *j)
{
	if (!mono_reached(n->now, j->dog_slow) && j->phase == PHASE_RUNNING)
		return j->dog_slow;
	j->dog_slow.us = 0;
	/* one that ends has all that there is */
	if (j->phase == PHASE_RUNNING && j->kill == 0)
		n->host.slow(n->host.ctx, j, (uint32_t)MAX_OF(
		    j->limits.v[LIMIT_CPU] / (j->slowed ? THROTTLE_CPU_PART :
			1), UINT64_C(1))); /* its contract may slow it too */
	return MONO_NEVER;
}

struct mono
watchdog_tick(struct node *n)
{
	struct mono at = MONO_NEVER;
	struct job *j;

	TAILQ_FOREACH(j, &n->jobs.active, active_link) {
		if (j->dog_until.us != 0)
			at = mono_min(at, frozen(n, j));
		if (j->dog_slow.us != 0)
			at = mono_min(at, slowed(n, j));
	}
	return at;
}
