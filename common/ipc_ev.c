/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/ipc_ev.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

/* Messages of one channel in one turn, so that none starves the others. */
#define BATCH 32
#define DRAIN_MAX 65536 /* ours: more than a socket holds */

struct ipc_ev {
	struct ev_loop *loop;
	struct ipc *ipc;
	ev_io rd, wr;
	ev_prepare before; /* looks for queued messages each turn */
	ev_timer again;    /* ipc_held() */
	const struct ipc_ev_handlers *h;
	void *ctx;
	bool busy;    /* inside a handler: freed afterwards */
	bool dead;    /* ipc_ev_free() was called meanwhile */
	bool was_full;
	bool want_hello;
	struct id32 build;
};

static void
stop(struct ipc_ev *c)
{
	ev_io_stop(c->loop, &c->rd);
	ev_io_stop(c->loop, &c->wr);
	ev_prepare_stop(c->loop, &c->before);
	ev_timer_stop(c->loop, &c->again);
}

static void
destroy(struct ipc_ev *c)
{
	ipc_free(c->ipc);
	free(c);
}

static void
gone(struct ipc_ev *c, int error)
{
	stop(c);
	c->busy = true;
	c->h->gone(c->ctx, error);
	c->busy = false;
	if (c->dead)
		destroy(c);
}

static bool
hello_ok(struct ipc_ev *c, const struct ipc_in *in)
{
	struct msg_HELLO m;

	if (!c->want_hello)
		return true;
	c->want_hello = false;
	if (in->type == IPC_HELLO && msg_get_HELLO(in->body, &m) &&
	    id32_eq(&m.build, &c->build))
		return true;
	log_errx(program_name(in->from), "is of another build");
	return false;
}

/* One message, if there is one; false: none, or the channel is no more. */
static bool
read_one(struct ipc_ev *c)
{
	struct ipc_in in;
	int r = ipc_recv(c->ipc, &in);

	if (r == 0)
		return false;
	if (r < 0 || !hello_ok(c, &in)) {
		int error = r < 0 ? errno : EPROTO;

		ipc_in_done(&in);
		gone(c, error);
		return false;
	}
	c->busy = true;
	c->h->message(c->ctx, &in);
	c->busy = false;
	ipc_in_done(&in);
	if (!c->dead)
		return true;
	destroy(c);
	return false;
}

static void
on_read(struct ev_loop *loop, ev_io *w, int revents)
{
	struct ipc_ev *c = w->data;

	(void)loop;
	(void)revents;
	for (int i = 0; i < BATCH && ev_is_active(&c->rd); i++)
		if (!read_one(c))
			return;
}

static void
flush(struct ipc_ev *c)
{
	if (ipc_flush(c->ipc) < 0) {
		gone(c, 0);
		return;
	}
	if (!ipc_pending(c->ipc))
		ev_io_stop(c->loop, &c->wr);
	if (!c->was_full || ipc_full(c->ipc))
		return;
	c->was_full = false;
	if (c->h->room == NULL)
		return;
	c->busy = true;
	c->h->room(c->ctx);
	c->busy = false;
	if (c->dead)
		destroy(c);
}

static void
on_write(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	flush(w->data);
}

static void
on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	flush(w->data);
}

static void
on_prepare(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct ipc_ev *c = w->data;

	(void)revents;
	if (ipc_full(c->ipc))
		c->was_full = true;
	if (ipc_pending(c->ipc))
		ev_io_start(loop, &c->wr);
	if (ipc_held(c->ipc) && !ev_is_active(&c->again)) {
		ev_timer_set(&c->again, IPC_HELD_MS / 1000., 0.);
		ev_timer_start(loop, &c->again);
	}
}

struct ipc_ev *
ipc_ev_new(struct ev_loop *loop, struct ipc *ipc,
    const struct ipc_ev_handlers *h, void *ctx)
{
	struct ipc_ev *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->loop = loop;
	c->ipc = ipc;
	c->h = h;
	c->ctx = ctx;
	ev_io_init(&c->rd, on_read, ipc_fd(ipc), EV_READ);
	ev_io_init(&c->wr, on_write, ipc_fd(ipc), EV_WRITE);
	ev_prepare_init(&c->before, on_prepare);
	ev_init(&c->again, on_again);
	c->rd.data = c->wr.data = c->before.data = c->again.data = c;
	ev_io_start(loop, &c->rd);
	ev_prepare_start(loop, &c->before);
	return c;
}

void
ipc_ev_free(struct ipc_ev *c)
{
	if (c == NULL || c->dead)
		return;
	stop(c);
	if (c->busy)
		c->dead = true;
	else
		destroy(c);
}

/*
 * The socket has an end: who sends is dead, so nothing is added. The bound is
 * for one that is not.
 */
void
ipc_ev_drain(struct ipc_ev *c)
{
	for (unsigned i = 0; i < DRAIN_MAX && ev_is_active(&c->rd); i++)
		if (!read_one(c))
			return;
}

struct ipc *
ipc_ev_channel(struct ipc_ev *c)
{
	return c->ipc;
}

void
ipc_ev_expect_hello(struct ipc_ev *c, const struct id32 *build)
{
	c->build = *build;
	c->want_hello = true;
}
