/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* accept4, struct ucred */
#include "common/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

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
	struct sockaddr_storage peer;
	socklen_t len;
	int fd;

	(void)loop;
	(void)revents;
	for (int i = 0; i < ACCEPTOR_BATCH; i++) {
		len = sizeof(peer);
		memset(&peer, 0, sizeof(peer));
		fd = accept4(w->fd, (struct sockaddr *)&peer, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			a->take(a->ctx, fd, &peer);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			look_away(a);
		return;
	}
}

void
acceptor_start(struct acceptor *a, struct ev_loop *loop, int fd,
    void (*take)(void *ctx, int fd, const struct sockaddr_storage *peer),
    void *ctx)
{
	int flags = fcntl(fd, F_GETFL);

	/* its flags may be those of whoever handed it over */
	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	*a = (struct acceptor){.loop = loop, .take = take, .ctx = ctx};
	ev_io_init(&a->io, on_accept, fd, EV_READ);
	ev_timer_init(&a->again, on_again, ACCEPTOR_PAUSE_S, 0.);
	a->io.data = a->again.data = a;
	ev_io_start(loop, &a->io);
}

void
acceptor_stop(struct acceptor *a)
{
	if (a->loop == NULL)
		return;
	ev_io_stop(a->loop, &a->io);
	ev_timer_stop(a->loop, &a->again);
}

void
acceptor_who(int fd, uid_t *uid, pid_t *pid)
{
	struct ucred cred = {.uid = (uid_t)-1};
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		cred = (struct ucred){.uid = (uid_t)-1};
	*uid = cred.uid;
	*pid = cred.pid;
}
