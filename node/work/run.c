/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/run.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "node/work/anchored.h"
#include "node/work/banned.h"
#include "node/work/contracts.h"
#include "node/work/finish.h"
#include "node/work/imagepolicy.h"
#include "node/work/inputs.h"
#include "node/work/late.h"
#include "node/work/lend.h"
#include "node/work/peers.h"
#include "node/work/ready.h"
#include "node/work/review.h"
#include "node/work/turn.h"

/* Whose turn it is, and what a job's start needs: up to J_RUN. */

static void
waits_for(struct node *n, struct job *j, const char *reason)
{
	(void)job_set(&n->jobs, j, JS_QUEUED, reason, n->unix_now);
}

static struct sched_room
room_of(const struct node *n)
{
	return (struct sched_room){
	    .slots = MIN_OF(n->slots, n->policy.jobs_running),
	    .memory = n->policy.ceiling.v[LIMIT_MEMORY],
	    .cpu_milli = (uint32_t)MIN_OF(n->policy.ceiling.v[LIMIT_CPU],
		(uint64_t)UINT32_MAX)};
}

uint32_t
run_wait_s(struct node *n, const struct fp *owner, const struct limits *want,
    const struct job *here)
{
	struct sched_room room = room_of(n);
	struct sched_job one = {.where = SCHED_OUT};
	uint32_t s;

	turn_fill(&one, owner, want, 0);
	s = sched_wait_s(&n->sched, &room, here != NULL &&
		here->turn.where == SCHED_READY ? &here->turn : &one, n->now);
	s = MIN_OF(s, 86400u * 365u);
	return s + lend_wait_s(n);
}

/* Steps 3, 5 and 8 again when verdicts were void in between. */
static bool
still_admitted(struct node *n, struct job *j)
{
	struct peer *p = peer_get(n, &j->rns_hash, j->rns_public);
	struct admit_node an = node_admit(n);
	struct admit_job aj = {.m = j->m,
	    /* a module is an input, and is here when they are */
	    .image = (j->m->has & HAS_WASM) != 0 ? IMAGE_HERE :
		n->host.image_here(n->host.ctx, &j->image),
	    .unanchored = anchored_lacks(n, &j->image),
	    .unsigned_ = imagepolicy_lacks(n, &j->image)};
	struct admit_peer ap;
	const char *which;
	struct refusal r;

	if (banned_job(n, j, &which) != NULL)
		aj.revoked = which;
	if (p == NULL) {
		finish_refuse(n, j, "trust", "too many peers");
		return false;
	}
	if (j->verdict_gen != n->verdict_gen) {
		ap = peer_admit(n, NULL, p);
		/* the key may have gone to another identity meanwhile */
		if (!ap.has_binding || !fp_eq(&p->v.fp, &j->owner))
			ap.level = 0;
		if (!admit_again(&r, &an, &ap, &aj)) {
			finish_refuse(n, j, r.code,
			    r.why[0] != '\0' ? r.why : r.which);
			return false;
		}
		j->verdict_gen = n->verdict_gen;
	} else if (aj.image != IMAGE_HERE) {
		(void)admit_image(&r, &an, &aj);
		finish_refuse(n, j, r.code, r.why);
		return false;
	}
	return true;
}

static uint32_t
free_slot(const struct node *n)
{
	for (uint32_t i = 1; i <= n->slots; i++) {
		if (n->slot[i] == NULL && !n->ghost[i])
			return i;
	}
	return 0;
}

static void
start(struct node *n, struct job *j)
{
	const char *code = "internal";
	char why[128] = "", hex[9];
	uint32_t slot = free_slot(n);

	if (slot == 0 || !job_set(&n->jobs, j, JS_STAGING, NULL, n->unix_now))
		return;
	j->slot = slot;
	n->slot[slot] = j;
	turn_taken(n, j, n->now);
	j->forgetting = false;
	(void)job_set_phase(&n->jobs, j, PHASE_FILLING);
	late_run(n, j);
	j->kill = 0;
	j->compile_ms = 0;
	j->overtaken = j->group_killed = false;
	j->oom = j->pids_hit = false;
	j->rule = 0;
	j->unwatched = j->watched = j->watch_asked = false;
	j->unverified = false;
	j->watch_events = j->watch_lost = 0;
	j->ruled_until.us = 0;
	j->ruled_kill = false;
	j->paused_until.us = 0;
	j->slowed = false;
	memset(&j->watch, 0, sizeof(j->watch));
	j->watch_at = n->now;
	j->lost_output[0] = '\0';
	memset(j->log, 0, sizeof(j->log));
	j->log_open = j->seal_waits = false;
	/* before anything of this attempt: whoever finds a log goes on with it */
	n->host.log_drop(n->host.ctx, j);
	if (n->host.start(n->host.ctx, j, &code, why))
		return;
	/* nothing has reached jail: the slot is free at once */
	n->slot[slot] = NULL;
	j->slot = 0;
	(void)job_set_phase(&n->jobs, j, PHASE_NONE);
	hex_encode(hex, j->id.b, 4);
	log_warnx(hex, "cannot be started: %s: %s", code, why);
	if (strcmp(code, "internal") == 0)
		(void)job_lose(&n->jobs, j, why, n->unix_now, n->now);
	else
		finish_refuse(n, j, code, why);
	turn_over(n, j);
}

/* It was admitted before the ceilings were lowered. */
static void
too_large(struct node *n, struct job *j)
{
	const struct policy *p = &n->policy;
	char why[128];

	if (j->limits.v[LIMIT_MEMORY] > p->ceiling.v[LIMIT_MEMORY])
		(void)snprintf(why, sizeof(why), "memory: %llu bytes, of %llu "
		    "that this node lends",
		    (unsigned long long)j->limits.v[LIMIT_MEMORY],
		    (unsigned long long)p->ceiling.v[LIMIT_MEMORY]);
	else
		(void)snprintf(why, sizeof(why), "cpu: %llu thousandths, of "
		    "%llu that this node lends",
		    (unsigned long long)j->limits.v[LIMIT_CPU],
		    (unsigned long long)p->ceiling.v[LIMIT_CPU]);
	finish_refuse(n, j, "too_large", why);
}

/* Its turn, if nothing has changed since. false: nothing starts now. */
static bool
its_turn(struct node *n, struct job *j, bool *started)
{
	if (!job_inputs_here(n, j)) {
		waits_for(n, j, "inputs");
		return true;
	}
	if (j->doubted == 0 && turn_waits_for_trust(n, j))
		return true;
	if (turn_waits(n, j))
		return true;
	if (!review_fresh(n, j)) {
		if (j->state == JS_QUEUED)
			turn_sleeps(n, j);
		return true;
	}
	/* trust reads it when it is here; until then nobody knows what it takes */
	if (!contract_ready(n, j)) {
		if (j->state == JS_QUEUED)
			turn_sleeps(n, j);
		return true;
	}
	if (n->host.disk_free(n->host.ctx) == 0) {
		waits_for(n, j, "resources");
		return false;
	}
	if (free_slot(n) == 0)
		return false;
	if (!still_admitted(n, j))
		return true;
	start(n, j);
	*started = true;
	return true;
}

/* While the machine is not lent, and again when it is. */
static void
say_when(struct node *n)
{
	const char *reason = n->lends ? "slots" : "when";
	const char *was = n->lends ? "when" : "slots";
	struct job *j;

	n->unsaid = false;
	TAILQ_FOREACH(j, &n->jobs.live, link) {
		if (j->state == JS_QUEUED && (strcmp(j->reason, was) == 0 ||
		    (!n->lends && strcmp(j->reason, "resources") == 0)))
			waits_for(n, j, reason);
	}
}

bool
run_schedule(struct node *n)
{
	struct sched_room room = room_of(n);
	struct sched_job *t;
	bool started = false, more = true;

	if (n->stopping || !n->has_posture || !n->up[PROGRAM_JAIL] ||
	    n->ledger_fails)
		return false;
	if (n->unsaid)
		say_when(n);
	if (!n->lends)
		return false;
	while (more) {
		switch (sched_next(&n->sched, &t, &room, n->now)) {
		case SCHED_START:
			more = its_turn(n, turn_job(t), &started);
			break;
		case SCHED_NEVER:
			too_large(n, turn_job(t));
			break;
		default:
			more = false;
		}
	}
	/* the others wait for their turn, which is what they say */
	for (unsigned i = 0; i < n->sched.npassed; i++)
		waits_for(n, turn_job(n->sched.passed[i]), "resources");
	return started;
}
