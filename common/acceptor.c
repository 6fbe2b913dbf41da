/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* accept4 */
#include "common/acceptor.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/log.h"

static void
on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct acceptor *a = w->data;

	(void)revents;
	ev_io_start(loop, &a->io);
}

static void
look_away(struct acceptor *a)
{
	/* the first time only: whoever holds the descriptors makes the rest */
	if (a->refused++ == 0)
		log_warn("listener", "accept, paused");
	ev_io_stop(a->loop, &a->io);
	ev_timer_stop(a->loop, &a->again);
	ev_timer_set(&a->again, ACCEPTOR_PAUSE_S, 0.);
	ev_timer_start(a->loop, &a->again);
}

static void
on_accept(struct ev_loop *loop, ev_io *w, int revents)
{
	struct acceptor *a = w->data;
	int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)loop;
	(void)revents;
	if (fd >= 0)
		a->take(a->ctx, fd);
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		look_away(a);
}

void
acceptor_start(struct acceptor *a, struct ev_loop *loop, int fd,
    void (*take)(void *ctx, int fd), void *ctx)
{
	*a = (struct acceptor){.loop = loop, .take = take, .ctx = ctx};
	ev_io_init(&a->io, on_accept, fd, EV_READ);
	ev_timer_init(&a->again, on_again, ACCEPTOR_PAUSE_S, 0.);
	a->io.data = a->again.data = a;
	ev_io_start(loop, &a->io);
}

void
acceptor_stop(struct acceptor *a)
{
	ev_io_stop(a->loop, &a->io);
	ev_timer_stop(a->loop, &a->again);
}
