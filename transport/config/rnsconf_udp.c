/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsconf_read.h"

#include <arpa/inet.h>
#include <string.h>

/* UDPInterface: reticulum-transport.md 10.2 */

static const struct knob knobs[] = {
	{"device", K_TEXT, FIELD(rnsconf_if, device), 0, 0},
	{"listen_ip", K_TEXT, FIELD(rnsconf_if, listen_ip), 0, 0},
	{"port", K_INT, FIELD(rnsconf_if, listen_port), PORT},
	{"port", K_INT, FIELD(rnsconf_if, forward_port), PORT},
	{"listen_port", K_INT, FIELD(rnsconf_if, listen_port), PORT},
	{"forward_ip", K_TEXT, FIELD(rnsconf_if, forward_ip), 0, 0},
	{"forward_port", K_INT, FIELD(rnsconf_if, forward_port), PORT},
};

/* The reference knows IPv4 alone here, and so would who sits at the far end. */
static void
note_address(struct reader *r, const char *key, const char *v)
{
	unsigned char raw[16];

	if (v != NULL && inet_pton(AF_INET6, v, raw) == 1)
		mistake_add(r->v.m, conf_line(&r->v, key), 1, "an address such "
		    "as 192.168.1.255, or a name of one", "%s: %s is IPv6, and "
		    "UDPInterface has IPv4 only", r->where, key);
	else if (v != NULL && strpbrk(v, ":/ ") != NULL)
		rnsconf_note(r, conf_line(&r->v, key), "a name or an address, "
		    "without port: that is a key of its own", "%s: %s "
		    "\"%.60s\" is no host", r->where, key, v);
}

static bool
has_port(const struct reader *r, const char *key)
{
	return conf_entry(r->v.sec, key) != NULL ||
	    conf_entry(r->v.sec, "port") != NULL;
}

void
rnsconf_read_udp(struct reader *r, struct rnsconf_if *i)
{
	bool listens, sends;

	rnsconf_knobs(r, knobs, NELEM(knobs), i);
	listens = i->listen_ip != NULL || i->device != NULL;
	sends = i->forward_ip != NULL || i->device != NULL;
	note_address(r, "listen_ip", i->listen_ip);
	note_address(r, "forward_ip", i->forward_ip);
	if (!listens && !sends) {
		rnsconf_missing(r, i, "listen_ip", "0.0.0.0");
		return;
	}
	if (listens && !has_port(r, "listen_port"))
		rnsconf_missing(r, i, "listen_port", "4242");
	if (sends && !has_port(r, "forward_port"))
		rnsconf_missing(r, i, "forward_port", "4242");
	if (!sends)
		rnsconf_note(r, i->line, "add forward_ip = 255.255.255.255, "
		    "or the address of the other end", "%s sends nothing: it "
		    "has no forward_ip", r->where);
	if (!listens)
		rnsconf_note(r, i->line, "add listen_ip = 0.0.0.0",
		    "%s receives nothing: it has no listen_ip", r->where);
}
