/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/found.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "node/work/event.h"
#include "common/layers.h"
#include "node/work/finish.h"
#include "node/work/freeze.h"
#include "node/work/late.h"
#include "node/work/turn.h"
#include "node/work/watched.h"

/* Jail's words at its hello, about jobs of a node that fell. */

/*
 * After a restart of ours: a job that jail has kept takes its slot again. NULL:
 * it is not ours any more, and jail is told to forget it.
 */
static struct job *
found(struct node *n, const struct id32 *id, uint32_t slot,
    enum job_phase phase)
{
	struct job *j = job_find(&n->jobs, id);

	if (slot == 0 || slot > NODE_SLOTS_MAX)
		return NULL;
	if (j == NULL || !job_active(j) || n->slot[slot] != NULL ||
	    j->slot != 0) {
		finish_send_kill(n, id, 0);
		finish_not_ours(n, id, slot);
		return NULL;
	}
	if (!job_set_phase(&n->jobs, j, phase))
		return NULL;
	late_run(n, j);
	j->slot = slot;
	n->slot[slot] = j;
	node_event(n, EVK_JOB_STATE, 1, j, NULL, "found",
	    job_phase_name(phase), slot, 0);
	return j;
}

/* What was decided of it before it was found, by us or by the last of us. */
static void
found_killed(struct node *n, struct job *j, uint8_t jail_kill)
{
	if (jail_kill != 0)
		j->kill = jail_kill;
	if (j->kill == 0)
		return;
	j->killed_at = n->now;
	j->overtaken = j->group_killed = false;
	finish_send_kill(n, &j->id, j->kill);
}

void
found_running(struct node *n, const struct msg_J_RUNNING *m)
{
	const struct msg_J_EXITED x = {.job = m->job, .how = m->how,
	    .code = m->code, .kill = m->kill, .ran_ms = m->ran_ms};
	struct job *j = found(n, &m->job, m->slot, PHASE_RUNNING);

	if (j == NULL)
		return;
	j->layers = m->layers | (j->layers & LAYERS_OTHERS);
	j->policy = m->policy;
	j->compile_ms = m->compile_ms;
	/* by jail's clock: ours may have been set meanwhile */
	j->started_at = mono_add(n->now, -(int64_t)MIN_OF(m->ran_ms,
		(uint64_t)(INT64_MAX / 2000)) * 1000);
	if (j->state == JS_STAGING) {
		j->started = n->unix_now - (uint32_t)MIN_OF(m->ran_ms / 1000,
		    (uint64_t)n->unix_now);
		(void)job_set(&n->jobs, j, JS_RUNNING, NULL, n->unix_now);
	}
	turn_taken(n, j, j->started_at);
	job_thaw_found(n, j);
	watched_found(n, j);
	n->lend_at = n->now;
	if (m->exited) {
		finish_exited(n, &x);
		return;
	}
	found_killed(n, j, m->kill);
	if (job_floods(j))
		finish_kill(n, j, KILL_OUTPUT);
	if (j->suspended)
		finish_suspend(n, j);
}

/* The same of one that is still built: J_STARTED or J_FAILED follows. */
void
found_staging(struct node *n, const struct msg_J_STAGING *m)
{
	struct job *j = found(n, &m->job, m->slot, PHASE_FILLING);

	if (j == NULL)
		return;
	turn_taken(n, j, n->now);
	found_killed(n, j, m->kill);
}

/* What was active and has not been found is lost. */
void
found_posture(struct node *n, const struct msg_J_POSTURE *m)
{
	struct job *j, *next;
	/* of what jail gives; audit says for itself (watched.c) */
	uint32_t missing = n->policy.required & ~m->layers &
	    ~(uint32_t)LAYERS_OTHERS;

	n->has_posture = true;
	n->jail_layers = m->layers;
	n->runner = (struct node_runner){.number = m->runner,
	    .version = {m->runner_1, m->runner_2, m->runner_3},
	    .pids = m->room_pids, .memory = m->room_memory};
	n->slots = MIN_OF(m->slots, (uint32_t)NODE_SLOTS_MAX);
	(void)snprintf(n->jail_missing, sizeof(n->jail_missing), "%.256s",
	    m->missing);
	watched_layers(n);
	if (missing != 0)
		node_event(n, EVK_LAYER_MISSING, 2, NULL, NULL, "posture",
		    n->jail_missing, missing, m->layers);
	for (j = TAILQ_FIRST(&n->jobs.live); j != NULL; j = next) {
		next = TAILQ_NEXT(j, link);
		if (job_active(j) && j->slot != 0) {
			j->runner = n->runner.number;
			memcpy(j->runner_version, n->runner.version,
			    sizeof(j->runner_version));
		}
		if (job_active(j) && j->slot == 0)
			(void)job_lose(&n->jobs, j, "not found running",
			    n->unix_now, n->now);
	}
}
