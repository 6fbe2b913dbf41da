/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/warm.h"

#include <string.h>

static bool
wanted(const struct node *n)
{
	return n->policy.keep_warm_s > 0 && n->lends && !n->stopping &&
	    (!n->facts.known || n->facts.memory_free >= WARM_MEMORY_LEAST);
}

static void
say(struct node *n)
{
	struct msg_J_WARM m = {.on = wanted(n)};

	m.idle_s = m.on ? n->policy.keep_warm_s : 0;
	n->warm.on = m.on;
	n->warm.idle_s = m.idle_s;
	n->host.send_J_WARM(n->host.ctx, &m);
}

void
warm_tick(struct node *n)
{
	bool on = wanted(n);

	if (!n->up[PROGRAM_JAIL] || !n->has_posture)
		return;
	if (on != n->warm.on ||
	    (on && n->policy.keep_warm_s != n->warm.idle_s))
		say(n);
}

void
warm_down(struct node *n)
{
	memset(&n->warm, 0, sizeof(n->warm));
}

void
warm_void(struct node *n)
{
	/* one that is off has nothing */
	if (n->up[PROGRAM_JAIL] && n->warm.on)
		say(n);
}

void
warm_pool(struct node *n, const struct msg_J_POOL *m)
{
	n->warm.pool = *m;
}
