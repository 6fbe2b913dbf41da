/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/util.h"
#include "node/parent/child.h"
#include "node/parent/listen.h"
#include "node/parent/parent.h"
#include "node/parent/resolve.h"

/*
 * Transport names an interface of config by its place; host, port and device
 * are read from our own copy. When to ask again is transport's decision.
 */
#define CONNECT_SECONDS 5.0 /* for each address; reticulum-transport.md 10.3 */
#define DIALS_MAX 256
#define LOOKUPS_MAX 16 /* ours: processes at once, whatever transport asks */

union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct dial {
	struct dial *next;
	struct parent *parent;
	uint32_t index, seq;
	uint16_t port;
	struct resolve *resolve;
	struct resolved list[RESOLVE_MAX];
	unsigned count, at;
	bool by_name;  /* the addresses are a host's */
	bool bind, v6; /* listen there; IPv6 before IPv4 */
	int fd;
	ev_io connected;
	ev_timer late;
};

static void
answer(struct parent *p, uint32_t index, uint32_t seq, int error, int fd,
    const char *text)
{
	struct msg_OPENED m = {.index = index, .seq = seq, .error = error};
	struct child *t = &p->child[PROGRAM_TRANSPORT];

	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	if (t->ev != NULL &&
	    ipc_send_OPENED(ipc_ev_channel(t->ev), &m, &fd, error == 0) < 0) {
		/* it must have an answer: an interface waits for it */
		m.error = errno;
		log_warn("transport", "OPENED");
		(void)snprintf(m.text, sizeof(m.text), "opened, but not to be "
		    "handed on: %s", strerror(m.error));
		(void)ipc_send_OPENED(ipc_ev_channel(t->ev), &m, NULL, 0);
	}
	if (fd >= 0)
		(void)close(fd);
}

static const struct rnsconf_if *
interface(struct parent *p, uint32_t index)
{
	for (unsigned i = 0; i < p->rns->nifs; i++)
		if (p->rns->ifs[i].index == index && p->rns->ifs[i].enabled)
			return &p->rns->ifs[i];
	return NULL;
}

static socklen_t
address_of(union address *a, const struct resolved *r, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	if (r->family == 4) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		memcpy(&a->v4.sin_addr, r->addr, 4);
		return sizeof(a->v4);
	}
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_port = htons(port);
	memcpy(&a->v6.sin6_addr, r->addr, 16);
	return sizeof(a->v6);
}

static bool
numeric(const char *host, struct resolved *r)
{
	memset(r, 0, sizeof(*r));
	r->family = 4;
	if (inet_pton(AF_INET, host, r->addr) == 1)
		return true;
	r->family = 6;
	return inet_pton(AF_INET6, host, r->addr) == 1;
}

static void
dial_free(struct dial *d)
{
	struct dial **at = &d->parent->dials;

	while (*at != NULL && *at != d)
		at = &(*at)->next;
	if (*at == d)
		*at = d->next;
	ev_io_stop(d->parent->loop, &d->connected);
	ev_timer_stop(d->parent->loop, &d->late);
	resolve_stop(d->resolve);
	if (d->fd >= 0)
		(void)close(d->fd);
	free(d);
}

void
dial_clear(struct parent *p)
{
	while (p->dials != NULL)
		dial_free(p->dials);
}

static void
done(struct dial *d, int error, const char *text)
{
	int fd = error == 0 ? steal_fd(&d->fd) : -1;

	answer(d->parent, d->index, d->seq, error, fd, text);
	dial_free(d);
}

/* No address answered; a name's last one is told with why. */
static void
failed(struct dial *d, int error)
{
	const struct resolved *r = &d->list[d->count - 1];
	char ip[INET6_ADDRSTRLEN] = "", text[200];

	(void)inet_ntop(r->family == 4 ? AF_INET : AF_INET6, r->addr, ip,
	    sizeof(ip));
	(void)snprintf(text, sizeof(text), "%s%s%s", d->by_name ? ip : "",
	    d->by_name ? ": " : "", strerror(error));
	done(d, error, text);
}

/* Begins to connect to the next address; the last one's error is told. */
static void
try_next(struct dial *d, int error)
{
	for (; d->at < d->count; d->at++) {
		union address a;
		socklen_t len = address_of(&a, &d->list[d->at], d->port);

		d->fd = socket(a.sa.sa_family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (d->fd >= 0 && (connect(d->fd, &a.sa, len) == 0 ||
				      errno == EINPROGRESS)) {
			d->at++;
			ev_io_set(&d->connected, d->fd, EV_WRITE);
			ev_io_start(d->parent->loop, &d->connected);
			ev_timer_set(&d->late, CONNECT_SECONDS, 0.);
			ev_timer_start(d->parent->loop, &d->late);
			return;
		}
		error = errno;
		if (d->fd >= 0)
			(void)close(d->fd);
		d->fd = -1;
	}
	failed(d, error);
}

static void
on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct dial *d = w->data;

	(void)revents;
	ev_io_stop(loop, &d->connected);
	(void)close(d->fd);
	d->fd = -1;
	try_next(d, ETIMEDOUT);
}

static void
on_connected(struct ev_loop *loop, ev_io *w, int revents)
{
	struct dial *d = w->data;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)revents;
	ev_io_stop(loop, &d->connected);
	ev_timer_stop(loop, &d->late);
	if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0) {
		done(d, 0, "");
		return;
	}
	(void)close(d->fd);
	d->fd = -1;
	try_next(d, error);
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
bind_next(struct dial *d)
{
	int error = EADDRNOTAVAIL;

	for (unsigned i = 0; i < 2 * d->count; i++) {
		const struct resolved *r = &d->list[i % d->count];
		union address a;

		if ((r->family == (d->v6 ? 6 : 4)) != (i < d->count))
			continue;
		(void)address_of(&a, r, d->port);
		d->fd = listen_at(&a);
		if (d->fd >= 0) {
			done(d, 0, "");
			return;
		}
		error = errno;
	}
	failed(d, error);
}

/* ---- names ---- */

static void
on_resolved(void *ctx, const struct resolved *list, unsigned count,
    const char *error)
{
	struct dial *d = ctx;
	char text[200];

	d->resolve = NULL;
	if (count == 0) {
		(void)snprintf(text, sizeof(text), "host not found (%s)",
		    error);
		done(d, EHOSTUNREACH, text);
		return;
	}
	d->by_name = true;
	memcpy(d->list, list, count * sizeof(*list));
	d->count = count;
	if (d->bind)
		bind_next(d);
	else
		try_next(d, EHOSTUNREACH);
}

static struct dial *
dial_new(struct parent *p, uint32_t index, uint32_t seq, uint16_t port)
{
	struct dial *d;
	unsigned n = 0;

	for (d = p->dials; d != NULL; d = d->next)
		n++;
	d = n < DIALS_MAX ? calloc(1, sizeof(*d)) : NULL;
	if (d == NULL)
		return NULL;
	d->parent = p;
	d->index = index;
	d->seq = seq;
	d->port = port;
	d->fd = -1;
	ev_init(&d->connected, on_connected);
	ev_init(&d->late, on_late);
	d->connected.data = d->late.data = d;
	d->next = p->dials;
	p->dials = d;
	return d;
}

static unsigned
lookups(const struct parent *p)
{
	unsigned n = 0;

	for (const struct dial *d = p->dials; d != NULL; d = d->next)
		n += d->resolve != NULL;
	return n;
}

static void
find(struct dial *d, const char *host)
{
	if (lookups(d->parent) >= LOOKUPS_MAX) {
		done(d, EAGAIN, "too many look-ups at once");
		return;
	}
	d->resolve = resolve_start(d->parent, host, on_resolved, d);
	if (d->resolve == NULL)
		done(d, errno, "the look-up cannot start");
}

void
dial(struct parent *p, const struct msg_DIAL *m)
{
	const struct rnsconf_if *c = interface(p, m->index);
	struct dial *d;

	if (c == NULL || c->type != RNSCONF_TCP_CLIENT) {
		answer(p, m->index, m->seq, EINVAL, -1, "no such interface");
		return;
	}
	d = dial_new(p, m->index, m->seq, c->target_port);
	if (d == NULL) {
		answer(p, m->index, m->seq, ENOMEM, -1, "too many at once");
		return;
	}
	if (numeric(c->target_host, &d->list[0])) {
		d->count = 1;
		try_next(d, EINVAL);
		return;
	}
	find(d, c->target_host);
}

/* The first address of a device, of the family that is preferred. */
static bool
device_address(const char *device, bool v6, uint16_t port, union address *a)
{
	struct ifaddrs *list;
	bool found = false;

	if (getifaddrs(&list) < 0)
		return false;
	for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
		int family = i->ifa_addr != NULL ? i->ifa_addr->sa_family : 0;

		if (strcmp(i->ifa_name, device) != 0 ||
		    (family != AF_INET && family != AF_INET6))
			continue;
		if (found && (family == AF_INET6) != v6)
			continue;
		memset(a, 0, sizeof(*a));
		if (family == AF_INET) {
			memcpy(&a->v4, i->ifa_addr, sizeof(a->v4));
			a->v4.sin_port = htons(port);
		} else {
			memcpy(&a->v6, i->ifa_addr, sizeof(a->v6));
			a->v6.sin6_port = htons(port);
		}
		found = true;
		if ((family == AF_INET6) == v6)
			break;
	}
	freeifaddrs(list);
	return found;
}

/* listen_ip is a name: the reference looks it up, and so do we. */
static void
bind_by_name(struct parent *p, const struct msg_BIND *m,
    const struct rnsconf_if *c)
{
	struct dial *d = dial_new(p, m->index, m->seq, c->listen_port);

	if (d == NULL) {
		answer(p, m->index, m->seq, ENOMEM, -1, "too many at once");
		return;
	}
	d->bind = true;
	d->v6 = c->prefer_ipv6;
	find(d, c->listen_ip != NULL ? c->listen_ip : "");
}

void
dial_bind(struct parent *p, const struct msg_BIND *m)
{
	const struct rnsconf_if *c = interface(p, m->index);
	const char *ip;
	union address a;
	struct resolved r;
	int fd;

	if (c == NULL || c->type != RNSCONF_TCP_SERVER) {
		answer(p, m->index, m->seq, EINVAL, -1, "no such interface");
		return;
	}
	ip = c->listen_ip;
	if (ip != NULL && strcmp(ip, "localhost") == 0)
		ip = "127.0.0.1";
	if (ip == NULL && c->device != NULL) {
		if (!device_address(c->device, c->prefer_ipv6, c->listen_port,
			&a)) {
			answer(p, m->index, m->seq, ENODEV, -1,
			    "there is no such device, or it has no address "
			    "(`ip address` shows them)");
			return;
		}
	} else if (ip != NULL && numeric(ip, &r)) {
		(void)address_of(&a, &r, c->listen_port);
	} else {
		bind_by_name(p, m, c);
		return;
	}
	fd = listen_at(&a);
	if (fd < 0)
		answer(p, m->index, m->seq, errno, -1, strerror(errno));
	else
		answer(p, m->index, m->seq, 0, fd, "");
}
