/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/timer.h"

#include "transport/core/base/ctx.h"

static int
timer_cmp(const struct timer *a, const struct timer *b)
{
	if (a->at.us != b->at.us)
		return a->at.us < b->at.us ? -1 : 1;
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	return 0;
}

TREE_PROTOTYPE(timer_tree, timer, node, timer_cmp)
TREE_GENERATE(timer_tree, timer, node, timer_cmp)

void
timers_init(struct timers *t)
{
	RB_INIT(&t->tree);
	t->seq = 0;
}

void
timer_init(struct timer *t, void (*fire)(struct rns *, void *), void *arg)
{
	*t = (struct timer){.fire = fire, .arg = arg};
}

void
timer_clear(struct rns *r, struct timer *t)
{
	if (!t->armed)
		return;
	RB_REMOVE(timer_tree, &r->timers.tree, t);
	t->armed = false;
}

void
timer_set(struct rns *r, struct timer *t, struct mono at)
{
	timer_clear(r, t);
	if (at.us == MONO_NEVER.us)
		return;
	/* What is set while timers run must sort behind what is due already. */
	t->at = at.us > r->now.us ? at : r->now;
	t->seq = ++r->timers.seq;
	t->armed = true;
	(void)RB_INSERT(timer_tree, &r->timers.tree, t);
}

struct mono
timers_next(const struct timers *t)
{
	struct timer *first;

	/* RB_MIN takes no const head, and changes nothing. */
	first = RB_MIN(timer_tree, (struct timer_tree *)(uintptr_t)&t->tree);
	return first != NULL ? first->at : MONO_NEVER;
}

void
timers_run(struct rns *r)
{
	uint64_t last = r->timers.seq;
	struct timer *t;

	/*
	 * A timer that sets itself to now again waits for the next call, so
	 * that no run is endless.
	 */
	while ((t = RB_MIN(timer_tree, &r->timers.tree)) != NULL &&
	    mono_reached(r->now, t->at) && t->seq <= last) {
		RB_REMOVE(timer_tree, &r->timers.tree, t);
		t->armed = false;
		t->fire(r, t->arg);
	}
}
