/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/stepped.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/util.h"
#include "node/work/event.h"
#include "node/work/peers.h"
#include "node/work/said.h"

/* ---- what moves ---- */

/* 0 is no time at all, and stays that. */
static uint32_t
moved(uint32_t at, int64_t s)
{
	int64_t to = (int64_t)at + s;

	return at == 0 ? 0 :
	    (uint32_t)MIN_OF(MAX_OF(to, INT64_C(1)), (int64_t)UINT32_MAX);
}

static void
move_job(struct node *n, struct job *j, int64_t s)
{
	j->at = moved(j->at, s);
	j->admitted_at = moved(j->admitted_at, s);
	j->deadline = moved(j->deadline, s);
	job_touch(&n->jobs, j);
}

static void
move(struct node *n, int64_t s)
{
	struct owner *o;
	struct mail *m;
	struct job *j;

	TAILQ_FOREACH(j, &n->jobs.live, link)
		move_job(n, j, s);
	TAILQ_FOREACH(j, &n->jobs.ended, link)
		move_job(n, j, s);
	for (o = owner_next(n, NULL); o != NULL; o = owner_next(n, o))
		o->penalty.since = moved(o->penalty.since, s);
	TAILQ_FOREACH(m, &n->mail.bag.open, link) {
		m->came = moved(m->came, s);
		m->wrote = moved(m->wrote, s);
	}
}

/* ---- when ---- */

/* Several before they are told are one: from the first to the last. */
static void
note(struct node *n, uint32_t from, uint32_t to)
{
	if (!n->step.untold)
		n->step.from = from;
	n->step.to = to;
	n->step.at = n->now;
	n->step.count++;
	n->step.untold = true;
}

void
stepped_look(struct node *n, struct mono now, int64_t wall_us)
{
	int64_t apart = wall_us - now.us, by = apart - n->wall_apart;
	int64_t s, half = by < 0 ? -MONO_SECOND / 2 : MONO_SECOND / 2;

	if (n->wall_us == 0) {
		n->wall_apart = n->own_apart = apart;
		by = 0;
	}
	n->own_now = (uint32_t)((now.us + n->own_apart) / MONO_SECOND);
	if (llabs(by) < STEPPED_LEAST_US)
		return;
	/* the rest counts with the next one; the two are not read at once */
	s = (by + half) / MONO_SECOND;
	n->wall_apart += s * MONO_SECOND;
	move(n, s);
	note(n, (uint32_t)((wall_us - s * MONO_SECOND) / MONO_SECOND),
	    (uint32_t)(wall_us / MONO_SECOND));
}

/* The last time of which anything is known. */
static uint32_t
last_known(const struct node *n)
{
	uint32_t at = n->budgets_saved;
	const struct job *j;

	TAILQ_FOREACH(j, &n->jobs.live, link)
		at = MAX_OF(at, j->at);
	TAILQ_FOREACH(j, &n->jobs.ended, link)
		at = MAX_OF(at, j->at);
	return at;
}

void
stepped_start(struct node *n)
{
	uint32_t last = last_known(n);
	int64_t away = (int64_t)n->unix_now - last;
	struct job *j;

	if (last == 0)
		return;
	if (away < -(int64_t)STEPPED_LEAST_US / MONO_SECOND) {
		move(n, away);
		note(n, last, n->unix_now);
		return;
	}
	if (away < STEPPED_AWAY_S)
		return;
	/* years ahead, or years away: what was promised is kept in both cases */
	TAILQ_FOREACH(j, &n->jobs.ended, link) {
		j->at = moved(j->at, away - STEPPED_AWAY_COUNTS_S);
		job_touch(&n->jobs, j);
	}
	note(n, last, n->unix_now);
}

bool
stepped_say(struct node *n)
{
	char text[120], a[24], b[24];

	if (!n->step.untold)
		return false;
	n->step.untold = false;
	(void)snprintf(text, sizeof(text), "stepped from %s to %s, by %lld s",
	    said_moment(a, n->step.from), said_moment(b, n->step.to),
	    (long long)n->step.to - (long long)n->step.from);
	log_notice("clock", "%s: what jobs have left stays as it was",
	    text);
	node_event(n, EVK_CLOCK_STEP, 2, NULL, NULL, "clock_stepped", text,
	    n->step.from, n->step.to);
	return true;
}
