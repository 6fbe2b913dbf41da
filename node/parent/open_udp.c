/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/open.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "node/parent/parent.h"

/*
 * UDPInterface: reticulum-transport.md 10.2. One socket to receive, another to
 * send from, as the address that it listens at may be none to send from.
 */
#define RECEIVE_BUFFER (1 << 20) /* ours: a burst, until transport reads */

static int
datagram_socket(void)
{
	int on = 1, size = RECEIVE_BUFFER;
	_cleanup_fd_ int fd = socket(AF_INET,
	    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) < 0)
		return -1;
	/* the first is for root alone */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
		    sizeof(size));
	return steal_fd(&fd);
}

/* The broadcast address of a device, in the order of the network. 0: none. */
static uint32_t
broadcast_of(const char *device)
{
	struct ifaddrs *list;
	uint32_t found = 0;

	if (getifaddrs(&list) < 0)
		return 0;
	for (const struct ifaddrs *i = list; i != NULL && found == 0;
	    i = i->ifa_next) {
		if (strcmp(i->ifa_name, device) != 0 || i->ifa_addr == NULL ||
		    i->ifa_addr->sa_family != AF_INET ||
		    (i->ifa_flags & IFF_BROADCAST) == 0 ||
		    i->ifa_broadaddr == NULL)
			continue;
		found = ((const struct sockaddr_in *)(const void *)
		    i->ifa_broadaddr)->sin_addr.s_addr;
	}
	freeifaddrs(list);
	return found;
}

/* The first IPv4 address that was found; NULL, and it is answered. */
static const struct lookup_addr *
first_v4(struct opening *o)
{
	for (unsigned i = 0; i < o->count; i++)
		if (o->list[i].family == 4)
			return &o->list[i];
	opening_done(o, EAFNOSUPPORT, "the host has no IPv4 address");
	return NULL;
}

static void
send_to(struct opening *o, uint32_t to)
{
	o->to = to;
	if ((o->send_fd = datagram_socket()) < 0)
		opening_done(o, errno, strerror(errno));
	else
		opening_done(o, 0, "");
}

static void
target_found(struct opening *o)
{
	const struct lookup_addr *r = first_v4(o);
	uint32_t to;

	if (r == NULL)
		return;
	memcpy(&to, r->addr, sizeof(to));
	send_to(o, to);
}

/* The socket to receive from is there; now to whom it sends, if at all. */
static void
find_target(struct opening *o)
{
	if (o->host[0] != '\0')
		opening_find(o, o->host, target_found);
	else if (o->to != 0)
		send_to(o, o->to);
	else
		opening_done(o, 0, "");
}

static void
bind_to(struct opening *o, const union address *a)
{
	o->fd = datagram_socket();
	if (o->fd < 0 || bind(o->fd, &a->sa, sizeof(a->v4)) < 0)
		opening_done(o, errno, strerror(errno));
	else
		find_target(o);
}

static void
own_found(struct opening *o)
{
	const struct lookup_addr *r = first_v4(o);
	union address a;

	if (r == NULL)
		return;
	(void)address_of(&a, r, o->port);
	bind_to(o, &a);
}

void
open_udp(struct opening *o, const struct rnsconf_if *c)
{
	uint32_t all = 0;
	union address a = {.v4 = {.sin_family = AF_INET,
	    .sin_port = htons(c->listen_port)}};

	if (c->device != NULL && (c->listen_ip == NULL ||
	    c->forward_ip == NULL) && (all = broadcast_of(c->device)) == 0) {
		opening_done(o, ENODEV, "there is no such device, or it has "
		    "no IPv4 broadcast address (`ip address` shows them)");
		return;
	}
	o->port = c->listen_port;
	o->to_port = c->forward_port;
	(void)snprintf(o->host, sizeof(o->host), "%s",
	    c->forward_ip != NULL ? c->forward_ip : "");
	o->to = all;
	if (c->listen_ip != NULL) {
		opening_find(o, c->listen_ip, own_found);
	} else if (c->device != NULL) {
		a.v4.sin_addr.s_addr = all;
		bind_to(o, &a);
	} else if ((o->fd = datagram_socket()) < 0) {
		opening_done(o, errno, strerror(errno));
	} else {
		find_target(o);
	}
}
