/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/watchdog_wire.h"

#include "common/log.h"

static void
event(void *ctx, const struct msg_EVENT *e)
{
	struct dogwire *w = ctx;

	w->event(w->ctx, e);
}

static void
there(void *ctx, const struct msg_D_THERE *m)
{
	struct dogwire *w = ctx;

	(void)program_send_D_THERE(w->prog, m, NULL, 0);
}

static void
act(void *ctx, const struct msg_D_ACT *m)
{
	struct dogwire *w = ctx;

	(void)program_send_D_ACT(w->prog, m, NULL, 0);
}

static unsigned
counts(void *ctx, struct dog_count *c, unsigned max)
{
	struct dogwire *w = ctx;

	return *w->watch == NULL ? 0 : watch_counts(*w->watch, c, max);
}

struct dogpipe *
dogwire_open(struct ev_loop *loop, int dir, struct dogwire *w)
{
	const struct dogpipe_ops ops = {w, event, there, act, counts};
	struct dogpipe *p = dogpipe_new(loop, dir, &ops);

	if (p == NULL)
		fatalx("out of memory");
	return p;
}
