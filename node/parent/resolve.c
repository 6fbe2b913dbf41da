/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/parent/resolve.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/parent/parent.h"

struct resolve {
	struct ev_loop *loop;
	pid_t pid;
	int fd;
	ev_io readable;
	ev_timer late;
	ev_child exited;
	bool reaped, finished; /* freed when both are true */
	resolve_fn *fn;
	void *ctx;
};

static void
on_exited(struct ev_loop *loop, ev_child *w, int revents)
{
	struct resolve *r = w->data;

	(void)revents;
	ev_child_stop(loop, w);
	r->reaped = true;
	if (r->finished)
		free(r);
}

/* No more of it is heard: the answer is in, or nobody wants it. */
static void
finish(struct resolve *r)
{
	ev_io_stop(r->loop, &r->readable);
	ev_timer_stop(r->loop, &r->late);
	(void)close(r->fd);
	r->finished = true;
	if (r->reaped)
		free(r);
	else
		(void)kill(r->pid, SIGKILL);
}

void
resolve_stop(struct resolve *r)
{
	if (r != NULL)
		finish(r);
}

static void
on_answer(struct ev_loop *loop, ev_io *w, int revents)
{
	struct resolve *r = w->data;
	resolve_fn *fn = r->fn;
	void *ctx = r->ctx;
	struct lookup_answer a;
	const char *error = lookup_read(r->fd, &a);

	(void)loop;
	(void)revents;
	if (error == NULL && a.count == 0)
		return; /* not yet */
	finish(r);
	fn(ctx, error == NULL ? a.list : NULL, error == NULL ? a.count : 0,
	    error);
}

static void
on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct resolve *r = w->data;
	resolve_fn *fn = r->fn;
	void *ctx = r->ctx;

	(void)loop;
	(void)revents;
	finish(r);
	fn(ctx, NULL, 0, "no answer in 10 s");
}

struct resolve *
resolve_start(struct parent *p, const char *host, resolve_fn *fn, void *ctx)
{
	struct resolve *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->pid = lookup_start(host, p->root ? p->base + LOOKUP_UID : 0,
	    &r->fd);
	if (r->pid < 0) {
		free(r);
		return NULL;
	}
	r->loop = p->loop;
	r->fn = fn;
	r->ctx = ctx;
	ev_io_init(&r->readable, on_answer, r->fd, EV_READ);
	ev_timer_init(&r->late, on_late, LOOKUP_SECONDS, 0.);
	ev_child_init(&r->exited, on_exited, r->pid, 0);
	r->readable.data = r->late.data = r->exited.data = r;
	ev_io_start(p->loop, &r->readable);
	ev_timer_start(p->loop, &r->late);
	ev_child_start(p->loop, &r->exited);
	return r;
}
