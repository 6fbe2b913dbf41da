/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/throttle.h"

#include "common/util.h"
#include "node/work/state.h"

void
throttle_cpu(struct node *n, struct job *j)
{
	uint64_t milli = j->limits.v[LIMIT_CPU] / THROTTLE_CPU_PART;

	if (j->slowed || j->phase != PHASE_RUNNING)
		return;
	j->slowed = true;
	n->host.slow(n->host.ctx, j, (uint32_t)MAX_OF(milli, 1u));
}

void
throttle_wait(struct node *n, struct job *j, uint32_t ms)
{
	if (j->phase != PHASE_RUNNING || j->kill != 0)
		return;
	if (!n->host.freeze(n->host.ctx, j, true)) {
		throttle_cpu(n, j);
		return;
	}
	j->paused_until = mono_add(n->now, INT64_C(1000) *
	    MIN_OF(ms, THROTTLE_WAIT_MS));
}

void
throttle_over(struct node *n, struct job *j)
{
	if (j->paused_until.us == 0)
		return;
	j->paused_until.us = 0;
	/* it may stand still for another reason besides */
	if (!j->frozen)
		(void)n->host.freeze(n->host.ctx, j, false);
}

struct mono
throttle_tick(struct node *n, struct job *j)
{
	if (j->paused_until.us == 0)
		return MONO_NEVER;
	if (!mono_reached(n->now, j->paused_until))
		return j->paused_until;
	throttle_over(n, j);
	return MONO_NEVER;
}
