/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/open.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/util.h"
#include "node/parent/child.h"
#include "node/parent/parent.h"

/*
 * AutoInterface (reticulum-transport.md 10.1): devices that have a link-local
 * address, as they come, change and go. The kernel says on a netlink socket
 * that something changed; what, is asked for each time, and now and then
 * without being told.
 */
#define DEVICES_MAX 64  /* ours: of one AutoInterface */
#define SETTLE_S 0.1    /* ours: after a change, others follow */
#define AGAIN_S 1.25    /* a device that cannot be used yet */
#define LOOK_S 20.0     /* ours: nothing was said */
#define FAILS_TOLD 4    /* an address is being checked for a second or two */
#define EVENTS_MAX 64   /* ours: messages read in a turn */
#define RECEIVE_BUFFER (1 << 20)

enum { GROUP, DISCOVERY, DATA, SOCKETS };

struct device {
	char name[IFNAMSIZ]; /* "": a free place */
	unsigned id;
	struct in6_addr addr;
	bool open;
	unsigned fails;
	/* as it was seen now; 0: not */
	unsigned id_now;
	struct in6_addr addr_now;
};

struct watch {
	struct in6_addr group;
	bool link_scope;
	uint16_t port[SOCKETS];
	char *only, *ignored; /* names, each with its NUL, then an empty one */
	struct device device[DEVICES_MAX];
};

/* ---- sockets ---- */

static int
datagrams(const struct in6_addr *addr, uint16_t port, unsigned id, bool shared)
{
	int on = 1, size = RECEIVE_BUFFER;
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = *addr,
	    .sin6_port = htons(port), .sin6_scope_id = id};
	_cleanup_fd_ int fd = socket(AF_INET6,
	    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 ||
	    (shared && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on,
	    sizeof(on)) < 0)) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -1;
	/* the first is for root alone */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
		    sizeof(size));
	return steal_fd(&fd);
}

static int
device_sockets(const struct watch *w, const struct device *d, int fd[SOCKETS])
{
	struct ipv6_mreq join = {.ipv6mr_multiaddr = w->group,
	    .ipv6mr_interface = d->id};
	unsigned id = d->id;

	fd[GROUP] = datagrams(&w->group, w->port[GROUP],
	    w->link_scope ? id : 0, true);
	fd[DISCOVERY] = datagrams(&d->addr, w->port[DISCOVERY], id, false);
	fd[DATA] = datagrams(&d->addr, w->port[DATA], id, false);
	if (fd[GROUP] < 0 || fd[DISCOVERY] < 0 || fd[DATA] < 0)
		return -1;
	/* tokens leave from there, so that their source is the address */
	if (setsockopt(fd[DISCOVERY], IPPROTO_IPV6, IPV6_MULTICAST_IF, &id,
	    sizeof(id)) < 0)
		return -1;
	return setsockopt(fd[GROUP], IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &join,
	    sizeof(join));
}

/* ---- what transport is told ---- */

static int
tell(struct opening *o, const struct device *d, int error, const int *fd,
    unsigned nfds)
{
	struct msg_DEVICE m = {.index = o->index, .seq = o->seq,
	    .device = d->id, .error = error};
	struct child *t = &o->parent->child[PROGRAM_TRANSPORT];

	memcpy(m.addr, &d->addr, sizeof(m.addr));
	memcpy(m.name, d->name, sizeof(m.name));
	return t->ev == NULL ? -1 :
	    ipc_send_DEVICE(ipc_ev_channel(t->ev), &m, fd, nfds);
}

static void
device_open(struct opening *o, struct device *d)
{
	int fd[SOCKETS] = {-1, -1, -1}, error;

	d->open = device_sockets(o->own, d, fd) == 0 &&
	    tell(o, d, 0, fd, SOCKETS) == 0;
	error = errno;
	for (unsigned i = 0; i < SOCKETS; i++)
		if (fd[i] >= 0)
			(void)close(fd[i]);
	d->fails = d->open ? 0 : d->fails + 1;
	if (d->fails == FAILS_TOLD)
		(void)tell(o, d, error, NULL, 0);
}

/* ---- which devices ---- */

static bool
listed(const char *names, const char *name)
{
	for (; *names != '\0'; names += strlen(names) + 1)
		if (strcmp(names, name) == 0)
			return true;
	return false;
}

static bool
fit(const struct watch *w, const struct ifaddrs *i)
{
	const struct sockaddr_in6 *a = (const void *)i->ifa_addr;

	return a != NULL && a->sin6_family == AF_INET6 &&
	    IN6_IS_ADDR_LINKLOCAL(&a->sin6_addr) &&
	    (i->ifa_flags & (IFF_UP | IFF_MULTICAST | IFF_LOOPBACK)) ==
	    (IFF_UP | IFF_MULTICAST) && strlen(i->ifa_name) < IFNAMSIZ &&
	    !listed(w->ignored, i->ifa_name) &&
	    (w->only == NULL || listed(w->only, i->ifa_name));
}

/* The place of that device, a free one, or NULL: there are too many. */
static struct device *
place_of(struct watch *w, const char *name)
{
	struct device *free_place = NULL;

	for (unsigned i = 0; i < DEVICES_MAX; i++) {
		struct device *d = &w->device[i];

		if (strcmp(d->name, name) == 0)
			return d;
		if (d->name[0] == '\0' && free_place == NULL)
			free_place = d;
	}
	return free_place;
}

/* The last address of a device that is listed counts. */
static void
note_device(struct watch *w, const struct ifaddrs *i)
{
	const struct sockaddr_in6 *a = (const void *)i->ifa_addr;
	struct device *d = place_of(w, i->ifa_name);

	if (d == NULL)
		return;
	memcpy(d->name, i->ifa_name, strlen(i->ifa_name));
	d->id_now = a->sin6_scope_id;
	d->addr_now = a->sin6_addr;
}

/* What is to do about one after a look; whether all is well with it. */
static bool
settle(struct opening *o, struct device *d)
{
	if (d->id_now == 0) {
		if (d->open || d->fails >= FAILS_TOLD)
			(void)tell(o, d, 0, NULL, 0);
		*d = (struct device){0};
		return true;
	}
	if (d->id != d->id_now || memcmp(&d->addr, &d->addr_now, 16) != 0) {
		d->id = d->id_now;
		d->addr = d->addr_now;
		d->open = false;
		d->fails = 0;
	}
	if (!d->open)
		device_open(o, d);
	return d->open;
}

static void
look(struct opening *o)
{
	struct watch *w = o->own;
	struct ifaddrs *list;
	bool all = true;

	if (getifaddrs(&list) < 0) {
		ev_timer_set(&o->late, AGAIN_S, 0.);
		ev_timer_start(o->parent->loop, &o->late);
		return;
	}
	for (unsigned i = 0; i < DEVICES_MAX; i++)
		w->device[i].id_now = 0;
	for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next)
		if (fit(w, i))
			note_device(w, i);
	freeifaddrs(list);
	for (unsigned i = 0; i < DEVICES_MAX; i++)
		if (w->device[i].name[0] != '\0' && !settle(o, &w->device[i]))
			all = false;
	ev_timer_set(&o->late, all ? LOOK_S : AGAIN_S, 0.);
	ev_timer_start(o->parent->loop, &o->late);
}

/* ---- when to look ---- */

static void
on_look(struct ev_loop *loop, ev_timer *t, int revents)
{
	(void)loop;
	(void)revents;
	look(t->data);
}

/* What is said does not matter: that something is. */
static void
on_changed(struct ev_loop *loop, ev_io *io, int revents)
{
	struct opening *o = io->data;
	char some[4096];

	(void)revents;
	for (unsigned i = 0; i < EVENTS_MAX; i++)
		if (recv(o->fd, some, sizeof(some), MSG_DONTWAIT) < 0 &&
		    errno != ENOBUFS)
			break;
	ev_timer_stop(loop, &o->late);
	ev_timer_set(&o->late, SETTLE_S, 0.);
	ev_timer_start(loop, &o->late);
}

static int
changes(void)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK,
	    .nl_groups = RTMGRP_LINK | RTMGRP_IPV6_IFADDR};
	_cleanup_fd_ int fd = socket(AF_NETLINK,
	    SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -1;
	return steal_fd(&fd);
}

static void
auto_stop(struct opening *o)
{
	struct watch *w = o->own;

	free(w->only);
	free(w->ignored);
	free(w);
}

/* NULL: no memory. */
static char *
join(const char *const *names, unsigned n)
{
	size_t len = 1;
	char *all, *at;

	for (unsigned i = 0; i < n; i++)
		len += strlen(names[i]) + 1;
	if ((at = all = calloc(1, len)) == NULL)
		return NULL;
	for (unsigned i = 0; i < n; i++) {
		memcpy(at, names[i], strlen(names[i]));
		at += strlen(names[i]) + 1;
	}
	return all;
}

void
open_auto(struct opening *o, const struct rnsconf_if *c)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		opening_done(o, ENOMEM, strerror(ENOMEM));
		return;
	}
	o->own = w;
	o->stop = auto_stop;
	w->ignored = join(c->ignored, c->nignored);
	w->only = c->devices != NULL ? join(c->devices, c->ndevices) : NULL;
	if (w->ignored == NULL || (c->devices != NULL && w->only == NULL)) {
		opening_done(o, ENOMEM, strerror(ENOMEM));
		return;
	}
	rnsconf_auto_group(c, w->group.s6_addr);
	w->link_scope = c->scope == RNSCONF_SCOPE_LINK;
	w->port[GROUP] = c->discovery_port;
	w->port[DISCOVERY] = (uint16_t)(c->discovery_port + 1);
	w->port[DATA] = c->data_port;
	ev_set_cb(&o->late, on_look);
	ev_set_cb(&o->io, on_changed);
	if ((o->fd = changes()) >= 0) {
		ev_io_set(&o->io, o->fd, EV_READ);
		ev_io_start(o->parent->loop, &o->io);
	} else {
		log_warn(c->name, "changes of devices are seen late");
	}
	opening_stands(o, -1);
	look(o);
}
