/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/open.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "node/parent/afar.h"
#include "node/parent/parent.h"

/*
 * An interface that a stranger announced (reticulum-transport.md 7.8). What
 * reaches us of it is an address of fixed size, or a name that goes unread to
 * the child that looks it up; what comes back is checked like the address.
 */
#define OWN_MAX 256 /* ours: addresses of this machine that are looked at */

static unsigned
own_nets(struct own_net own[OWN_MAX])
{
	struct ifaddrs *list;
	unsigned n = 0;

	if (getifaddrs(&list) < 0)
		return 0;
	for (const struct ifaddrs *i = list; i != NULL && n < OWN_MAX;
	    i = i->ifa_next) {
		const struct sockaddr *a = i->ifa_addr, *m = i->ifa_netmask;
		bool v4 = a != NULL && a->sa_family == AF_INET;
		const uint8_t *mask;

		if (a == NULL || (!v4 && a->sa_family != AF_INET6))
			continue;
		own[n].at.family = v4 ? 4 : 6;
		if (v4)
			memcpy(own[n].at.addr, &((const struct sockaddr_in *)
			    (const void *)a)->sin_addr, 4);
		else
			memcpy(own[n].at.addr, &((const struct sockaddr_in6 *)
			    (const void *)a)->sin6_addr, 16);
		own[n].bits = v4 ? 32 : 128;
		mask = m == NULL ? NULL : v4 ?
		    (const uint8_t *)&((const struct sockaddr_in *)
		    (const void *)m)->sin_addr :
		    (const uint8_t *)&((const struct sockaddr_in6 *)
		    (const void *)m)->sin6_addr;
		if (mask != NULL) {
			unsigned bits = 0;

			while (bits < own[n].bits &&
			    (mask[bits / 8] & 0x80 >> bits % 8) != 0)
				bits++;
			own[n].bits = bits;
		}
		n++;
	}
	freeifaddrs(list);
	return n;
}

/* Those that may not be connected to leave the list. */
static void
found_check(struct opening *o)
{
	struct own_net own[OWN_MAX];
	unsigned n = own_nets(own), kept = 0;
	const char *why = "no address";
	char text[120];

	if (n == 0) { /* what is ours is not known, so nothing is sure */
		opening_done(o, EACCES, "the addresses of this machine cannot "
		    "be read");
		return;
	}
	for (unsigned i = 0; i < o->count; i++) {
		const char *no = afar_refused(&o->list[i], own, n);

		if (no == NULL)
			o->list[kept++] = o->list[i];
		else
			why = no;
	}
	o->count = kept;
	if (kept > 0) {
		opening_connect(o);
		return;
	}
	(void)snprintf(text, sizeof(text), "refused: %s", why);
	opening_done(o, EACCES, text);
}

void
open_found(struct parent *p, const struct msg_DIAL_FOUND *m)
{
	const struct rnsconf_discovery *d = &p->rns->discovery;
	struct opening *o;

	if (!d->listen || d->autoconnect == 0) {
		opening_refuse(p, RNSCONF_FOUND, m->seq, EPERM,
		    "autoconnect_discovered_interfaces is not set");
		return;
	}
	if ((o = opening_new(p, RNSCONF_FOUND, m->seq)) == NULL) {
		opening_refuse(p, RNSCONF_FOUND, m->seq, ENOMEM,
		    "too many at once");
		return;
	}
	o->port = m->port;
	if (m->family == 0) {
		opening_look_up(o, m->host, found_check);
		return;
	}
	o->list[0].family = m->family;
	memcpy(o->list[0].addr, m->addr, sizeof(o->list[0].addr));
	o->count = 1;
	found_check(o);
}
