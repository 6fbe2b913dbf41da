/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsconf_read.h"

#include <arpa/inet.h>
#include <string.h>

/* What speaks over TCP: reticulum-transport.md 10.3 and 10.4 */

static const struct knob server_knobs[] = {
	{"port", K_INT, FIELD(rnsconf_if, listen_port), PORT},
	{"listen_port", K_INT, FIELD(rnsconf_if, listen_port), PORT},
	{"device", K_TEXT, FIELD(rnsconf_if, device), 0, 0},
	{"prefer_ipv6", K_BOOL, FIELD(rnsconf_if, prefer_ipv6), 0, 0},
	{"i2p_tunneled", K_BOOL, FIELD(rnsconf_if, i2p_tunneled), 0, 0},
};

static const struct knob flap_knobs[] = {
	{"block_fast_flapping", K_BOOL, FIELD(rnsconf_if, block_flapping), 0,
	    0},
	{"fast_flapping_threshold", K_INT, FIELD(rnsconf_if, flap_threshold_s),
	    NAT},
	{"fast_flapping_grace", K_INT, FIELD(rnsconf_if, flap_grace), NAT},
	{"fast_flapping_block_time", K_INT, FIELD(rnsconf_if, flap_block_min),
	    NAT},
};

static const struct knob client_knobs[] = {
	{"target_port", K_INT, FIELD(rnsconf_if, target_port), PORT},
	{"kiss_framing", K_BOOL, FIELD(rnsconf_if, kiss_framing), 0, 0},
	{"i2p_tunneled", K_BOOL, FIELD(rnsconf_if, i2p_tunneled), 0, 0},
	{"prefer_ipv6", K_BOOL, FIELD(rnsconf_if, prefer_ipv6), 0, 0},
	{"connect_timeout", K_INT, FIELD(rnsconf_if, connect_timeout_s), NAT},
	{"max_reconnect_tries", K_INT, FIELD(rnsconf_if, max_reconnect_tries),
	    NAT},
	{"fixed_mtu", K_INT, FIELD(rnsconf_if, fixed_mtu), RNS_MTU, 524288},
};

/* Neither an address nor what could be a name: with a port, or http://. */
static void
note_host(struct reader *r, const char *key, const char *host)
{
	unsigned char raw[16];

	if (host == NULL || inet_pton(AF_INET6, host, raw) == 1 ||
	    strchr(host, '%') != NULL || /* a zone: fe80::1%eth0 */
	    strpbrk(host, ":/ ") == NULL)
		return;
	rnsconf_note(r, conf_line(&r->v, key),
	    "a name or an address, without http:// and port",
	    "%s: %s \"%.60s\" is no host", r->where, key, host);
}

/*
 * One name or address; [::1] is ::1. Reticulum takes no list either, and its
 * interface is off then.
 */
static void
read_host(struct reader *r, const char *key, const char **host)
{
	const struct conf_entry *e = conf_entry(r->v.sec, key);
	const char *text;
	size_t len;

	if (e != NULL && e->list) {
		(void)conf_ask(&r->v, key);
		mistake_add(r->v.m, e->line, 1, "give each address a section "
		    "of its own, or listen on 0.0.0.0 or ::, which are all",
		    "\"%s\" takes one name or address, not a list", key);
		return;
	}
	if (conf_get_text(&r->v, key, &text) <= 0 || *text == '\0' ||
	    strcmp(text, "None") == 0)
		return;
	len = strlen(text);
	if (len > 2 && text[0] == '[' && text[len - 1] == ']' &&
	    (text = conf_keep(r->v.tree, text + 1, len - 2)) == NULL) {
		rnsconf_no_memory(r);
		return;
	}
	note_host(r, key, text);
	*host = text;
}

/* What every listener needs. */
static void
read_door(struct reader *r, struct rnsconf_if *i)
{
	i->block_flapping = true;
	i->flap_threshold_s = 20;
	i->flap_grace = 5;
	i->flap_block_min = 720;
	rnsconf_knobs(r, flap_knobs, NELEM(flap_knobs), i);
	if (i->listen_port == 0 && conf_entry(r->v.sec, "port") == NULL &&
	    conf_entry(r->v.sec, "listen_port") == NULL)
		rnsconf_missing(r, i, "listen_port", "4242");
	if (i->listen_ip == NULL && i->device == NULL)
		rnsconf_missing(r, i, "listen_ip", "0.0.0.0");
}

void
rnsconf_read_tcp_server(struct reader *r, struct rnsconf_if *i)
{
	rnsconf_knobs(r, server_knobs, NELEM(server_knobs), i);
	read_host(r, "listen_ip", &i->listen_ip);
	read_door(r, i);
}

void
rnsconf_read_tcp_client(struct reader *r, struct rnsconf_if *i)
{
	rnsconf_knobs(r, client_knobs, NELEM(client_knobs), i);
	read_host(r, "target_host", &i->target_host);
	if (i->target_host == NULL)
		rnsconf_missing(r, i, "target_host", "relay.example.org");
	if (i->target_port == 0 && conf_entry(r->v.sec, "target_port") == NULL)
		rnsconf_missing(r, i, "target_port", "4242");
}

/* ---- BackboneInterface: reticulum-transport.md 10.4 ---- */

/* `port` wins over both, as `remote` and `listen_on` do over their likes. */
static const struct knob listener_knobs[] = {
	{"listen_port", K_INT, FIELD(rnsconf_if, listen_port), PORT},
	{"port", K_INT, FIELD(rnsconf_if, listen_port), PORT},
	{"device", K_TEXT, FIELD(rnsconf_if, device), 0, 0},
	{"prefer_ipv6", K_BOOL, FIELD(rnsconf_if, prefer_ipv6), 0, 0},
};

static const struct knob remote_knobs[] = {
	{"target_port", K_INT, FIELD(rnsconf_if, target_port), PORT},
	{"port", K_INT, FIELD(rnsconf_if, target_port), PORT},
	{"i2p_tunneled", K_BOOL, FIELD(rnsconf_if, i2p_tunneled), 0, 0},
	{"prefer_ipv6", K_BOOL, FIELD(rnsconf_if, prefer_ipv6), 0, 0},
	{"connect_timeout", K_INT, FIELD(rnsconf_if, connect_timeout_s), NAT},
	{"max_reconnect_tries", K_INT, FIELD(rnsconf_if, max_reconnect_tries),
	    NAT},
};

static void
read_listener(struct reader *r, struct rnsconf_if *i)
{
	i->type = RNSCONF_BACKBONE;
	rnsconf_knobs(r, listener_knobs, NELEM(listener_knobs), i);
	read_host(r, "listen_ip", &i->listen_ip);
	read_host(r, "listen_on", &i->listen_ip);
	read_door(r, i);
}

void
rnsconf_read_backbone_client(struct reader *r, struct rnsconf_if *i)
{
	i->type = RNSCONF_BACKBONE_CLIENT;
	rnsconf_knobs(r, remote_knobs, NELEM(remote_knobs), i);
	read_host(r, "target_host", &i->target_host);
	read_host(r, "remote", &i->target_host);
	if (i->target_host == NULL)
		rnsconf_missing(r, i, conf_entry(r->v.sec, "remote") == NULL &&
		    conf_entry(r->v.sec, "target_host") != NULL ?
		    "target_host" : "remote", "relay.example.org");
	if (i->target_port == 0 && conf_entry(r->v.sec, "port") == NULL &&
	    conf_entry(r->v.sec, "target_port") == NULL)
		rnsconf_missing(r, i, "target_port", "4242");
}

/* One that says whom to connect to is a client. */
void
rnsconf_read_backbone(struct reader *r, struct rnsconf_if *i)
{
	if (conf_entry(r->v.sec, "target_host") != NULL ||
	    conf_entry(r->v.sec, "remote") != NULL)
		rnsconf_read_backbone_client(r, i);
	else
		read_listener(r, i);
}
