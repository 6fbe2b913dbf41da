/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/freeze.h"

#include "node/work/event.h"

static void
tell_jail(struct node *n, const struct job *j, bool on)
{
	struct msg_J_FREEZE m = {.on = on};

	m.job = j->id;
	n->host.send_J_FREEZE(n->host.ctx, &m);
}

void
job_freeze(struct node *n, struct job *j, const char *why)
{
	if (j->frozen || j->phase != PHASE_RUNNING || j->kill != 0 ||
	    !n->host.freeze(n->host.ctx, j, true))
		return;
	tell_jail(n, j, true);
	j->frozen = true;
	j->frozen_at = n->now;
	node_event(n, EVK_JOB_FROZEN, 0, j, NULL, "freeze", why, 1, 0);
}

void
job_thaw(struct node *n, struct job *j)
{
	if (!j->frozen)
		return;
	(void)n->host.freeze(n->host.ctx, j, false);
	tell_jail(n, j, false);
	j->frozen = false;
	/* its time stood still */
	j->started_at = mono_add(j->started_at,
	    mono_sub(n->now, j->frozen_at));
	node_event(n, EVK_JOB_FROZEN, 0, j, NULL, "thaw", NULL, 0, 0);
}

void
job_thaw_found(struct node *n, struct job *j)
{
	(void)n->host.freeze(n->host.ctx, j, false);
	tell_jail(n, j, false);
}
