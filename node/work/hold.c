/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/hold.h"

#include <stdlib.h>

#include "node/work/jobs.h"
#include "node/work/small.h"
#include "node/work/state.h"

#define LOOK_MS 100 /* ours: at the logs of jobs that are waited for */

static struct asked *
copy_of(struct node *n, const struct asked *a, const struct job *j)
{
	struct asked *h = malloc(sizeof(*h));

	if (h == NULL)
		return NULL;
	*h = (struct asked){.caller = a->caller, .stage = ASKED_JOB,
	    .qid = node_qid(n)};
	h->id = a->id;
	h->job = j->id;
	h->until = mono_add(n->now, MONO_SECOND *
		(int64_t)MIN_OF(a->req.wait_s, (uint64_t)HOLD_MOST_S));
	h->req.path = a->req.path;
	h->req.id = h->job.b;
	h->req.has_since = a->req.has_since;
	h->req.since = a->req.since;
	h->req.whole = a->req.whole;
	h->req.outputs = a->req.outputs;
	return h;
}

bool
hold_put(struct node *n, const struct asked *a, const struct job *j)
{
	struct asked *h;
	unsigned mine = 0;

	TAILQ_FOREACH(h, &n->held, entry)
		mine += h->caller == a->caller;
	if (n->nheld >= HOLD_MAX || mine >= HOLD_LINK ||
	    (h = copy_of(n, a, j)) == NULL)
		return false;
	TAILQ_INSERT_TAIL(&n->held, h, entry);
	n->nheld++;
	return true;
}

static void
take_out(struct node *n, struct asked *h)
{
	TAILQ_REMOVE(&n->held, h, entry);
	n->nheld--;
	h->qid = 0;
}

void
hold_forget(struct node *n, const struct caller *c)
{
	struct asked *h, *next;

	for (h = TAILQ_FIRST(&n->held); h != NULL; h = next) {
		next = TAILQ_NEXT(h, entry);
		if (h->caller != c)
			continue;
		take_out(n, h);
		free(h);
	}
}

/* It comes in no small answer any more: who asks may follow it from now on. */
static bool
prints_much(const struct asked *h, const struct job *j)
{
	return j->log[0] + j->log[1] >
	    MIN_OF(h->req.whole, (uint64_t)SMALL_MAX);
}

static bool
is_due(struct node *n, const struct asked *h)
{
	const struct job *j = job_find(&n->jobs, &h->job);

	if (mono_reached(n->now, h->until) || j == NULL || job_ended(j))
		return true;
	return h->req.path == PATH_STATUS ? j->seq != h->req.since :
	    prints_much(h, j);
}

struct asked *
hold_due(struct node *n, struct mono *next)
{
	struct asked *h;

	*next = MONO_NEVER;
	TAILQ_FOREACH(h, &n->held, entry) {
		if (is_due(n, h)) {
			take_out(n, h);
			return h;
		}
		*next = mono_min(*next, h->until);
		if (h->req.path == PATH_SUBMIT)
			*next = mono_min(*next,
			    mono_add(n->now, LOOK_MS * INT64_C(1000)));
	}
	return NULL;
}
