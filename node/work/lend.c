/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/lend.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "node/work/event.h"
#include "node/work/finish.h"
#include "node/work/freeze.h"

void
lend_facts(struct node *n, const struct msg_FACTS *m)
{
	uint32_t jobs = m->jobs_known ? m->jobs_milli :
	    (uint32_t)MIN_OF(n->sched.cpu_milli, (uint64_t)UINT32_MAX);

	n->facts = (struct when_facts){.known = true,
	    .busy_milli = m->busy_milli - MIN_OF(jobs, m->busy_milli),
	    .mains = m->mains, .memory_free = m->memory_free,
	    .offset_s = m->offset_s, .next_at = m->next_at,
	    .next_offset_s = m->next_offset_s};
	n->facts_at = n->now;
	n->lend_at = n->now;
}

void
lend_again(struct node *n)
{
	n->lend_at = n->lend_hold = n->now;
}

uint32_t
lend_wait_s(const struct node *n)
{
	int64_t gone = mono_sub(n->now, n->lent_at) / MONO_SECOND;

	if (n->lends)
		return 0;
	return gone >= (int64_t)n->lent.s ? 1 :
	    (uint32_t)((int64_t)n->lent.s - gone);
}

/* ---- jobs that run ---- */

/* Ended for the operator's sake, and no fault of the job: lost. */
static void
give_back(struct node *n, struct job *j)
{
	if (j->given || j->kill != 0 || j->phase > PHASE_RUNNING)
		return;
	j->given = true;
	finish_kill(n, j, KILL_WATCHDOG);
}

static void
apply(struct node *n, struct job *j)
{
	if (j->suspended)
		return; /* revoke.c lets it go on */
	if (j->ruled_until.us != 0 || j->dog_until.us != 0)
		return; /* watched.c or watchdog.c does, after a time */
	if (n->lends || n->policy.when.running == WHEN_FINISH)
		job_thaw(n, j);
	else if (n->policy.when.running == WHEN_FREEZE)
		job_freeze(n, j, n->lent.why);
	else
		give_back(n, j);
}

/* ---- the door ---- */

static void
turned(struct node *n, bool was)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&n->jobs.active); j != NULL; j = next) {
		next = TAILQ_NEXT(j, active_link);
		apply(n, j);
	}
	if (n->lends == was)
		return;
	if (n->lends) {
		log_notice("jobs", "start again: this machine is lent now");
		node_event(n, EVK_LENDING, 0, NULL, NULL, "open", NULL, 1, 0);
	} else {
		log_notice("jobs", "wait: %s", n->lent.why);
		node_event(n, EVK_LENDING, 0, NULL, NULL, "shut", n->lent.why,
		    0, n->lent.s);
	}
	/* those that wait say for what */
	n->unsaid = true;
}

static void
decide(struct node *n)
{
	struct when_answer a;
	struct when_facts f = n->facts;

	if (mono_sub(n->now, n->facts_at) > LEND_STALE_S * MONO_SECOND)
		f.known = false;
	when_decide(&a, &n->policy.when, &f, n->unix_now);
	if (!a.open && a.measured)
		n->lend_hold = mono_add(n->now, LEND_HOLD_S * MONO_SECOND);
	if (a.open && !mono_reached(n->now, n->lend_hold)) {
		/* as it was a moment ago: not open and shut by turns */
		n->lent.s = (uint32_t)(mono_sub(n->lend_hold, n->now) /
		    MONO_SECOND + 1);
		n->lent_at = n->now;
		return;
	}
	n->lent = a;
	n->lent_at = n->now;
	n->lends = a.open;
}

struct mono
lend_tick(struct node *n)
{
	bool was = n->lends;
	uint32_t s;

	if (!mono_reached(n->now, n->lend_at))
		return n->lend_at;
	decide(n);
	turned(n, was);
	s = n->lends ? n->lent.next : n->lent.s;
	if (!n->policy.when.set)
		n->lend_at = MONO_NEVER;
	else
		n->lend_at = mono_add(n->now, MONO_SECOND *
			(int64_t)MIN_OF(s == 0 ? LEND_LOOK_S : s,
			    (uint32_t)LEND_LOOK_S));
	return n->lend_at;
}
