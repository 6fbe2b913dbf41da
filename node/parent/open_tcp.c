/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/open.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "node/parent/listen.h"
#include "node/parent/parent.h"

/* All that speaks over TCP: reticulum-transport.md 10.3, 10.4 */
#define CONNECT_SECONDS 5u /* for each address */
/* ours: transport waits for the answer, and a name may have eight addresses */
#define CONNECT_MAX 10u

/* ---- connecting ---- */

/* Begins to connect to the next address; the last one's error is told. */
static void
try_next(struct opening *o, int error)
{
	for (; o->at < o->count; o->at++) {
		union address a;
		socklen_t len = address_of(&a, &o->list[o->at], o->port);

		o->fd = socket(a.sa.sa_family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (o->fd >= 0 && (connect(o->fd, &a.sa, len) == 0 ||
				      errno == EINPROGRESS)) {
			o->at++;
			ev_io_set(&o->io, o->fd, EV_WRITE);
			ev_io_start(o->parent->loop, &o->io);
			ev_timer_set(&o->late, o->seconds, 0.);
			ev_timer_start(o->parent->loop, &o->late);
			return;
		}
		error = errno;
		if (o->fd >= 0)
			(void)close(o->fd);
		o->fd = -1;
	}
	opening_failed(o, error);
}

static void
on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct opening *o = w->data;

	(void)revents;
	ev_io_stop(loop, &o->io);
	(void)close(o->fd);
	o->fd = -1;
	try_next(o, ETIMEDOUT);
}

static void
on_connected(struct ev_loop *loop, ev_io *w, int revents)
{
	struct opening *o = w->data;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)revents;
	ev_io_stop(loop, &o->io);
	ev_timer_stop(loop, &o->late);
	if (getsockopt(o->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0) {
		opening_done(o, 0, "");
		return;
	}
	(void)close(o->fd);
	o->fd = -1;
	try_next(o, error);
}

/* Each address in turn, those of the preferred family before the others. */
void
opening_connect(struct opening *o)
{
	struct lookup_addr list[LOOKUP_MAX];
	unsigned n = 0;

	if (o->seconds == 0)
		o->seconds = CONNECT_SECONDS;
	ev_set_cb(&o->io, on_connected);
	ev_set_cb(&o->late, on_late);
	memcpy(list, o->list, sizeof(list));
	for (int pass = 0; o->v6 && pass < 2; pass++)
		for (unsigned i = 0; i < o->count; i++)
			if ((list[i].family == 6) == (pass == 0))
				o->list[n++] = list[i];
	try_next(o, EHOSTUNREACH);
}

void
open_connect(struct opening *o, const char *host)
{
	opening_find(o, host, opening_connect);
}

void
open_tcp_client(struct opening *o, const struct rnsconf_if *c)
{
	o->port = c->target_port;
	o->v6 = c->prefer_ipv6;
	o->seconds = c->connect_timeout_s == 0 ? CONNECT_SECONDS :
	    MIN_OF(c->connect_timeout_s, CONNECT_MAX);
	open_connect(o, c->target_host);
}

/* ---- listening ---- */

static int
listen_at(const union address *a)
{
	int on = 1;
	socklen_t len =
	    a->sa.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
	_cleanup_fd_ int fd = socket(a->sa.sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, &a->sa, len) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
		return -1;
	return steal_fd(&fd);
}

/* At the first address of a name that can be had, the preferred family first. */
static void
bind_next(struct opening *o)
{
	int error = EADDRNOTAVAIL;

	for (unsigned i = 0; i < 2 * o->count; i++) {
		const struct lookup_addr *r = &o->list[i % o->count];
		union address a;

		if ((r->family == (o->v6 ? 6 : 4)) != (i < o->count))
			continue;
		(void)address_of(&a, r, o->port);
		o->fd = listen_at(&a);
		if (o->fd >= 0) {
			opening_done(o, 0, "");
			return;
		}
		error = errno;
	}
	opening_failed(o, error);
}

void
open_tcp_server(struct opening *o, const struct rnsconf_if *c)
{
	const char *ip = c->listen_ip;
	union address a;

	o->port = c->listen_port;
	o->v6 = c->prefer_ipv6;
	if (c->device == NULL) {
		if (ip != NULL && strcmp(ip, "localhost") == 0)
			ip = "127.0.0.1";
		/* a name: the reference looks it up, and so do we */
		opening_find(o, ip != NULL ? ip : "", bind_next);
		return;
	}
	if (!device_address(c->device, o->v6, o->port, &a)) {
		opening_done(o, ENODEV, "there is no such device, or it has "
		    "no address (`ip address` shows them)");
		return;
	}
	o->fd = listen_at(&a);
	if (o->fd < 0)
		opening_done(o, errno, strerror(errno));
	else
		opening_done(o, 0, "");
}
