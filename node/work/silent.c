/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/silent.h"

#include <stdio.h>

#include "node/work/finish.h"
#include "node/work/late.h"

/* A jail that lives and is silent: what it was asked goes on without it. */

/* What of it runs is killed past jail; then it is as if it had failed there. */
static void
no_run(struct node *n, struct job *j)
{
	struct msg_J_FAILED m = {
	    .why = "jail did not say that it started"};
	bool killed = n->host.kill(n->host.ctx, j);

	late_alarm(n, j, "J_RUN", killed ? "its group is killed" :
	    "and its group cannot be killed");
	(void)snprintf(m.code, sizeof(m.code), "internal");
	m.job = j->id;
	m.slot = j->slot;
	finish_failed(n, &m);
}

/* Its group was killed long ago, and nobody has seen it end. */
static void
no_exit(struct node *n, struct job *j)
{
	struct msg_J_FAILED m = {
	    .why = "killed, and jail did not say how it ended"};

	late_alarm(n, j, "J_KILL", "the job is lost");
	(void)snprintf(m.code, sizeof(m.code), "internal");
	m.job = j->id;
	m.slot = j->slot;
	finish_failed(n, &m);
}

/* Nobody gets the slot: something of the job may be there. */
static void
no_forget(struct node *n, struct job *j)
{
	uint32_t slot = j->slot;

	late_alarm(n, j, "J_FORGET", "its slot is not used until it does");
	finish_slot_free(n, j);
	n->ghost[slot] = true;
}

static void
look(struct node *n, struct job *j, struct mono *next)
{
	bool packs = j->phase == PHASE_PACKING && !j->seal_waits;
	bool killed = j->phase == PHASE_RUNNING && j->group_killed;

	/* what waits for the ledger has not been asked yet: outbox.c */
	if (n->ledger_fails && j->forgetting)
		late_forget(n, j);
	else if ((n->ledger_fails || j->unverified) &&
	    j->phase == PHASE_FILLING)
		late_run(n, j);
	if ((!j->forgetting && !packs && !killed &&
		j->phase != PHASE_FILLING) || !late_passed(n, j, next))
		return;
	*next = n->now;
	if (j->forgetting) {
		no_forget(n, j);
	} else if (packs) {
		late_alarm(n, j, "J_STEP", "its outputs are lost");
		finish_unpacked(n, j, "jail did not pack it");
	} else if (killed) {
		no_exit(n, j);
	} else {
		no_run(n, j);
	}
}

struct mono
silent_tick(struct node *n)
{
	struct mono next = MONO_NEVER;

	for (uint32_t i = 1; i <= NODE_SLOTS_MAX; i++) {
		if (n->slot[i] != NULL)
			look(n, n->slot[i], &next);
	}
	return next;
}
