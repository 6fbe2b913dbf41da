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

/* UINT32_MAX is no deadline at all, and stays that. */
static void
move_deadline(struct job *j, int64_t s)
{
	if (j->deadline != UINT32_MAX)
		j->deadline = moved(j->deadline, s);
}

/*
 * The clock has been set: what was doubted of it is so much more or less. When
 * it is little, the clock counts as it stands, where it is not behind.
 */
static void
move_doubt(struct node *n, struct job *j, int64_t s)
{
	int64_t doubted = (int64_t)j->doubted + s;

	if (j->doubted == 0)
		return;
	if (doubted >= STEPPED_AWAY_S) {
		j->doubted = (uint32_t)MIN_OF(doubted, (int64_t)UINT32_MAX);
		return;
	}
	if (doubted > 0)
		move_deadline(j, -doubted);
	j->doubted = 0;
	n->waiting_at = n->now;
}

static void
move_job(struct node *n, struct job *j, int64_t s)
{
	j->at = moved(j->at, s);
	j->admitted_at = moved(j->admitted_at, s);
	move_deadline(j, s);
	move_doubt(n, j, s);
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

/* It keeps what it had left, and does not start; once for each such start. */
static void
doubt(struct node *n, struct job *j, int64_t away)
{
	j->at = moved(j->at, away);
	j->admitted_at = moved(j->admitted_at, away);
	move_deadline(j, away);
	j->doubted = (uint32_t)MIN_OF((int64_t)j->doubted + away,
	    (int64_t)UINT32_MAX);
	job_touch(&n->jobs, j);
}

/* Jobs that are doubted, from this start or an earlier one. */
static void
say_doubt(const struct node *n)
{
	const struct job *j;
	unsigned count = 0;

	TAILQ_FOREACH(j, &n->jobs.live, link)
		count += j->doubted != 0;
	if (count > 0)
		log_warnx("clock", "it may be wrong: %u days or more ahead of "
		    "the last time that is known here: %u jobs keep what they "
		    "had left, and do not start until it is set, an authority "
		    "has signed something of late, or `warren trust clock "
		    "--lower` says that it is right",
		    (unsigned)(STEPPED_AWAY_S / 86400), count);
}

/* What the clock of this start says of all that there is. */
static void
judge(struct node *n)
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
		/* a lost one whose requeueing did not reach the ledger */
		if (j->state == JS_LOST && !j->has_receipt)
			doubt(n, j, away);
		else
			j->at = moved(j->at, away - STEPPED_AWAY_COUNTS_S);
		job_touch(&n->jobs, j);
	}
	TAILQ_FOREACH(j, &n->jobs.live, link)
		doubt(n, j, away);
	note(n, last, n->unix_now);
}

void
stepped_start(struct node *n)
{
	judge(n);
	say_doubt(n);
}

void
stepped_right(struct node *n, const char *who)
{
	struct job *j;
	unsigned count = 0;

	TAILQ_FOREACH(j, &n->jobs.live, link) {
		if (j->doubted == 0)
			continue;
		move_deadline(j, -(int64_t)j->doubted);
		j->doubted = 0;
		job_touch(&n->jobs, j);
		count++;
	}
	n->waiting_at = n->now;
	if (count > 0)
		log_notice("clock", "it is right, by %s: the deadlines of %u "
		    "jobs are what they were", who, count);
}

void
stepped_signed(struct node *n, uint32_t unix_s)
{
	if (unix_s <= n->unix_now && n->unix_now - unix_s < STEPPED_AWAY_S)
		stepped_right(n, "what an authority has signed");
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
