/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/bound.h"

#include "node/work/state.h"
#include "node/work/throttle.h"
#include "node/work/watch.h"
#include "node/work/watched.h"

static void
follows(struct node *n, struct job *j, uint8_t rule, enum contract_action does,
    uint32_t wait_ms)
{
	switch (does) {
	case ACTION_KILL:
		watched_kill(n, j, rule);
		break;
	case ACTION_FREEZE:
		watched_stop(n, j, rule, contract_rule_name(rule));
		break;
	case ACTION_THROTTLE:
		if (wait_ms > 0)
			throttle_wait(n, j, wait_ms);
		else
			throttle_cpu(n, j);
		break;
	default:
		break;
	}
}

static void
broken(struct node *n, struct job *j, const struct msg_W_FLAG *m)
{
	enum contract_action does = contract_action(n, j, m->rule);

	if (does == ACTION_KILL && !watched_may_kill(n, j))
		does = ACTION_NOTE;
	if (contract_tell(&j->watch, m->rule))
		contract_told(n, j, m->rule, does, m->text);
	else if (does != ACTION_THROTTLE)
		return; /* an audit that is new tells it again */
	follows(n, j, m->rule, does, m->wait_ms);
}

void
bound_flag(struct node *n, const struct msg_W_FLAG *m)
{
	struct job *j;

	if (m->does != WATCH_BROKEN) {
		watched_flag(n, m);
		return;
	}
	j = job_find(&n->jobs, &m->job);
	/* only what it declares: audit gives no other numbers of contracts */
	if (j == NULL || !job_active(j) || j->phase > PHASE_PACKING ||
	    j->contract == NULL || !contract_declares(j->contract, m->rule))
		n->count.edges++;
	else
		broken(n, j, m);
}
