/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/open.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "node/parent/child.h"
#include "node/parent/parent.h"

#define OPENINGS_MAX 256
#define LOOKUPS_MAX 16 /* ours: processes at once, whatever transport asks */

static void
send_answer(struct parent *p, struct msg_OPENED *m, const int *fd,
    unsigned nfds)
{
	struct child *t = &p->child[PROGRAM_TRANSPORT];

	if (t->ev == NULL ||
	    ipc_send_OPENED(ipc_ev_channel(t->ev), m, fd, nfds) == 0)
		return;
	/* it must have an answer: an interface waits for it */
	m->error = errno;
	log_warn("transport", "OPENED");
	(void)snprintf(m->text, sizeof(m->text), "opened, but not to be "
	    "handed on: %s", strerror(m->error));
	(void)ipc_send_OPENED(ipc_ev_channel(t->ev), m, NULL, 0);
}

void
opening_refuse(struct parent *p, uint32_t index, uint32_t seq, int error,
    const char *text)
{
	struct msg_OPENED m = {.index = index, .seq = seq, .error = error};

	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	send_answer(p, &m, NULL, 0);
}

static void
opening_free(struct opening *o)
{
	struct opening **at = &o->parent->openings;

	while (*at != NULL && *at != o)
		at = &(*at)->next;
	if (*at == o)
		*at = o->next;
	if (o->stop != NULL)
		o->stop(o);
	ev_io_stop(o->parent->loop, &o->io);
	ev_timer_stop(o->parent->loop, &o->late);
	resolve_stop(o->resolve);
	if (o->fd >= 0)
		(void)close(o->fd);
	if (o->send_fd >= 0)
		(void)close(o->send_fd);
	free(o);
}

void
opening_clear(struct parent *p)
{
	while (p->openings != NULL)
		opening_free(p->openings);
}

void
opening_forget(struct parent *p, uint32_t index)
{
	struct opening *o = p->openings;

	while (o != NULL) {
		struct opening *next = o->next;

		if (o->index == index)
			opening_free(o);
		o = next;
	}
}

struct opening *
opening_new(struct parent *p, uint32_t index, uint32_t seq)
{
	struct opening *o;
	unsigned n = 0;

	for (o = p->openings; o != NULL; o = o->next)
		n++;
	o = n < OPENINGS_MAX ? calloc(1, sizeof(*o)) : NULL;
	if (o == NULL)
		return NULL;
	o->parent = p;
	o->index = index;
	o->seq = seq;
	o->fd = o->send_fd = -1;
	ev_init(&o->io, NULL);
	ev_init(&o->late, NULL);
	o->io.data = o->late.data = o;
	o->next = p->openings;
	p->openings = o;
	return o;
}

void
opening_done(struct opening *o, int error, const char *text)
{
	struct msg_OPENED m = {.index = o->index, .seq = o->seq, .to = o->to,
	    .to_port = o->to_port};
	int fd[] = {o->fd, o->send_fd};

	if (error != 0)
		opening_refuse(o->parent, o->index, o->seq, error, text);
	else
		send_answer(o->parent, &m, fd, o->send_fd >= 0 ? 2 : 1);
	opening_free(o);
}

void
opening_stands(struct opening *o, int fd)
{
	struct msg_OPENED m = {.index = o->index, .seq = o->seq};

	send_answer(o->parent, &m, &fd, fd >= 0);
	if (fd >= 0)
		(void)close(fd);
}

void
opening_over(struct opening *o)
{
	opening_free(o);
}

/* ---- addresses ---- */

socklen_t
address_of(union address *a, const struct lookup_addr *r, uint16_t port)
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
	a->v6.sin6_scope_id = r->scope;
	return sizeof(a->v6);
}

/* fe80::1%eth0: which link it is on; 0: there is no such device. */
static uint32_t
link_of(const char *zone)
{
	uint32_t scope = if_nametoindex(zone);
	char *end;

	if (scope != 0)
		return scope;
	scope = (uint32_t)strtoul(zone, &end, 10);
	return *zone != '\0' && *end == '\0' ? scope : 0;
}

static bool
numeric(const char *host, struct lookup_addr *r)
{
	const char *zone = strchr(host, '%');
	char ip[INET6_ADDRSTRLEN];

	memset(r, 0, sizeof(*r));
	if (zone != NULL && (size_t)(zone - host) < sizeof(ip)) {
		memcpy(ip, host, (size_t)(zone - host));
		ip[zone - host] = '\0';
		r->scope = link_of(zone + 1);
		host = ip;
	}
	r->family = 4;
	if (inet_pton(AF_INET, host, r->addr) == 1)
		return true;
	r->family = 6;
	return inet_pton(AF_INET6, host, r->addr) == 1;
}

void
opening_failed(struct opening *o, int error)
{
	const struct lookup_addr *r = &o->list[o->count - 1];
	char ip[INET6_ADDRSTRLEN] = "", text[200];

	(void)inet_ntop(r->family == 4 ? AF_INET : AF_INET6, r->addr, ip,
	    sizeof(ip));
	(void)snprintf(text, sizeof(text), "%s%s%s", o->by_name ? ip : "",
	    o->by_name ? ": " : "", strerror(error));
	opening_done(o, error, text);
}

bool
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

/* ---- names ---- */

static void
on_resolved(void *ctx, const struct lookup_addr *list, unsigned count,
    const char *error)
{
	struct opening *o = ctx;
	char text[200];

	o->resolve = NULL;
	if (count == 0) {
		(void)snprintf(text, sizeof(text), "host not found (%s)",
		    error);
		opening_done(o, EHOSTUNREACH, text);
		return;
	}
	o->by_name = true;
	memcpy(o->list, list, count * sizeof(*list));
	o->count = count;
	o->found(o);
}

static unsigned
lookups(const struct parent *p)
{
	unsigned n = 0;

	for (const struct opening *o = p->openings; o != NULL;
	    o = o->next)
		n += o->resolve != NULL;
	return n;
}

void
opening_find(struct opening *o, const char *host,
    void (*found)(struct opening *))
{
	o->by_name = false;
	if (numeric(host, &o->list[0])) {
		if (strchr(host, '%') != NULL && o->list[0].scope == 0) {
			opening_done(o, ENODEV, "there is no device of the "
			    "name behind % (`ip link` shows them)");
			return;
		}
		o->count = 1;
		found(o);
		return;
	}
	opening_look_up(o, host, found);
}

void
opening_look_up(struct opening *o, const char *host,
    void (*found)(struct opening *))
{
	if (lookups(o->parent) >= LOOKUPS_MAX) {
		opening_done(o, EAGAIN, "too many look-ups at once");
		return;
	}
	o->found = found;
	o->resolve = resolve_start(o->parent, host, on_resolved, o);
	if (o->resolve == NULL)
		opening_done(o, errno, "the look-up cannot start");
}
