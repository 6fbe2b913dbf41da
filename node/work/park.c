/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/park.h"

#include <stdlib.h>

#include "node/work/peers.h"
#include "node/work/state.h"

bool
park_put(struct node *n, struct asked *a, enum asked_stage stage,
    uint64_t qid)
{
	if (stage <= a->stage) {
		n->count.edges++;
		return false;
	}
	if (n->nparked >= NODE_PARKED_MAX ||
	    a->caller->parked >= NODE_PARKED_LINK ||
	    n->parked_bytes + a->len > NODE_PARKED_BYTES) {
		n->count.parked_out++;
		return false;
	}
	a->stage = stage;
	a->qid = qid;
	/* the same for all of them, so the list is in the order of its end */
	a->until = mono_add(n->now, NODE_ASK_S * MONO_SECOND);
	TAILQ_INSERT_TAIL(&n->parked, a, entry);
	n->nparked++;
	n->parked_bytes += a->len;
	a->caller->parked++;
	return true;
}

static void
take_out(struct node *n, struct asked *a)
{
	TAILQ_REMOVE(&n->parked, a, entry);
	n->nparked--;
	n->parked_bytes -= a->len;
	a->caller->parked--;
	a->qid = 0;
}

struct asked *
park_take(struct node *n, uint64_t qid, enum asked_stage stage)
{
	struct asked *a;

	TAILQ_FOREACH(a, &n->parked, entry) {
		if (a->qid != qid || a->stage != stage)
			continue;
		take_out(n, a);
		return a;
	}
	return NULL;
}

struct asked *
park_expired(struct node *n, struct mono *next)
{
	struct asked *a = TAILQ_FIRST(&n->parked);

	*next = a == NULL ? MONO_NEVER : a->until;
	if (a == NULL || !mono_reached(n->now, a->until))
		return NULL;
	take_out(n, a);
	return a;
}

void
park_forget(struct node *n, const struct caller *c)
{
	struct asked *a, *next;

	for (a = TAILQ_FIRST(&n->parked); a != NULL; a = next) {
		next = TAILQ_NEXT(a, entry);
		if (a->caller != c)
			continue;
		take_out(n, a);
		free(a);
	}
}
