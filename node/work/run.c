/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/run.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "node/work/finish.h"
#include "node/work/inputs.h"
#include "node/work/peers.h"
#include "node/work/ready.h"
#include "node/work/sched.h"

/* Whose turn it is, and what a job's start needs: up to J_RUN. */

static void
job_view(struct sched_job *s, const struct node *n, const struct job *j,
    bool running)
{
	s->owner = j->owner;
	s->order = j->order;
	s->level = j->level;
	s->memory = j->limits.v[LIMIT_MEMORY];
	s->cpu_milli = (uint32_t)MIN_OF(j->limits.v[LIMIT_CPU],
	    (uint64_t)UINT32_MAX);
	s->time_ms = j->limits.v[LIMIT_TIME];
	s->running = running;
	s->ran_ms = 0;
	s->waited_s = 0;
	if (running && j->phase >= PHASE_RUNNING)
		s->ran_ms = (uint64_t)MAX_OF(INT64_C(0),
		    mono_sub(n->now, j->started_at)) / 1000;
	if (!running)
		s->waited_s = (uint32_t)MIN_OF(MAX_OF(INT64_C(0),
		    mono_sub(n->now, j->queued_at)) / MONO_SECOND,
		    INT64_C(1000000));
}

static void
waits_for(struct node *n, struct job *j, const char *reason)
{
	(void)job_set(&n->jobs, j, JS_QUEUED, reason, n->unix_now);
}

/* Verdicts were void since it was admitted: a fresh one is needed first. */
static bool
waits_for_trust(struct node *n, struct job *j)
{
	struct peer *p;

	if (j->verdict_gen == n->verdict_gen)
		return false;
	if ((p = peer_get(n, &j->rns_hash, j->rns_public)) != NULL) {
		if (peer_verdict_fresh(n, p))
			return false;
		if (n->up[PROGRAM_TRUST] && p->ask_qid == 0)
			(void)peer_ask(n, p, NULL);
	}
	waits_for(n, j, "trust");
	return true;
}

/* What the scheduler looks at; queued ones only when they are ready. */
static size_t
view(struct node *n)
{
	struct sched_job *out = n->view;
	struct job **who = n->viewed;
	struct job *j;
	size_t k = 0;

	for (uint32_t i = 1; i <= n->slots; i++) {
		if (n->slot[i] == NULL)
			continue;
		job_view(&out[k], n, n->slot[i], true);
		who[k++] = n->slot[i];
	}
	TAILQ_FOREACH(j, &n->jobs.live, link) {
		if (k == NODE_VIEW_MAX)
			break;
		if (j->state != JS_QUEUED || j->slot != 0 ||
		    !job_inputs_here(n, j) || waits_for_trust(n, j))
			continue;
		job_view(&out[k], n, j, false);
		who[k++] = j;
	}
	return k;
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
run_wait_s(struct node *n, const struct limits *want)
{
	struct sched_room room = room_of(n);
	size_t k = view(n);
	uint32_t s = sched_wait_s(n->view, k, &room, want->v[LIMIT_MEMORY],
	    (uint32_t)MIN_OF(want->v[LIMIT_CPU], (uint64_t)UINT32_MAX));

	return MIN_OF(s, 86400u * 365u);
}

/* Steps 3, 5 and 8 again when verdicts were void in between. */
static bool
still_admitted(struct node *n, struct job *j)
{
	struct peer *p = peer_get(n, &j->rns_hash, j->rns_public);
	struct admit_node an = node_admit(n);
	struct admit_job aj = {.m = j->m,
	    .image = n->host.image_here(n->host.ctx, &j->image)};
	struct admit_peer ap;
	struct refusal r;

	if (p == NULL) {
		finish_refuse(n, j, "trust", "too many peers");
		return false;
	}
	if (j->verdict_gen != n->verdict_gen) {
		ap = peer_admit(NULL, p);
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
		(void)admit_image(&r, &aj);
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
	j->forgetting = false;
	(void)job_set_phase(&n->jobs, j, PHASE_FILLING);
	j->kill = 0;
	j->group_killed = false;
	j->oom = false;
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
}

bool
run_schedule(struct node *n)
{
	struct sched_room room = room_of(n);
	const char *reason = NULL;
	bool started = false;
	size_t k, i;

	if (n->stopping || !n->has_posture || !n->up[PROGRAM_JAIL] ||
	    n->ledger_fails)
		return false;
	while (reason == NULL) {
		k = view(n);
		switch (sched_next(&i, n->view, k, &room)) {
		case SCHED_START:
			if (n->host.disk_free(n->host.ctx) == 0)
				reason = "resources";
			else if (free_slot(n) == 0)
				reason = "slots";
			else if (still_admitted(n, n->viewed[i])) {
				start(n, n->viewed[i]);
				started = true;
			}
			break;
		case SCHED_SLOTS:
			reason = "slots";
			break;
		case SCHED_RESOURCES:
			reason = "resources";
			break;
		default:
			reason = "";
		}
	}
	for (i = 0; *reason != '\0' && i < k; i++) {
		if (!n->view[i].running && n->viewed[i]->state == JS_QUEUED)
			waits_for(n, n->viewed[i], reason);
	}
	return started;
}
