/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsconf_read.h"

#include <arpa/inet.h>
#include <string.h>

/* TCPServerInterface, TCPClientInterface: reticulum-transport.md 10.3 */

static const struct knob server_knobs[] = {
	{"listen_ip", K_TEXT, FIELD(rnsconf_if, listen_ip), 0, 0},
	{"port", K_INT, FIELD(rnsconf_if, listen_port), PORT},
	{"listen_port", K_INT, FIELD(rnsconf_if, listen_port), PORT},
	{"device", K_TEXT, FIELD(rnsconf_if, device), 0, 0},
	{"prefer_ipv6", K_BOOL, FIELD(rnsconf_if, prefer_ipv6), 0, 0},
	{"i2p_tunneled", K_BOOL, FIELD(rnsconf_if, i2p_tunneled), 0, 0},
	{"block_fast_flapping", K_BOOL, FIELD(rnsconf_if, block_flapping), 0,
	    0},
	{"fast_flapping_threshold", K_INT, FIELD(rnsconf_if, flap_threshold_s),
	    NAT},
	{"fast_flapping_grace", K_INT, FIELD(rnsconf_if, flap_grace), NAT},
	{"fast_flapping_block_time", K_INT, FIELD(rnsconf_if, flap_block_min),
	    NAT},
};

static const struct knob client_knobs[] = {
	{"target_host", K_TEXT, FIELD(rnsconf_if, target_host), 0, 0},
	{"target_port", K_INT, FIELD(rnsconf_if, target_port), PORT},
	{"kiss_framing", K_BOOL, FIELD(rnsconf_if, kiss_framing), 0, 0},
	{"i2p_tunneled", K_BOOL, FIELD(rnsconf_if, i2p_tunneled), 0, 0},
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

void
rnsconf_read_tcp_server(struct reader *r, struct rnsconf_if *i)
{
	i->block_flapping = true;
	i->flap_threshold_s = 20;
	i->flap_grace = 5;
	i->flap_block_min = 720;
	rnsconf_knobs(r, server_knobs, NELEM(server_knobs), i);
	if (i->listen_port == 0 &&
	    conf_entry(r->v.sec, "port") == NULL &&
	    conf_entry(r->v.sec, "listen_port") == NULL)
		rnsconf_missing(r, i, "listen_port", "4242");
	if (i->listen_ip == NULL && i->device == NULL)
		rnsconf_missing(r, i, "listen_ip", "0.0.0.0");
	note_host(r, "listen_ip", i->listen_ip);
}

void
rnsconf_read_tcp_client(struct reader *r, struct rnsconf_if *i)
{
	int64_t timeout;

	rnsconf_knobs(r, client_knobs, NELEM(client_knobs), i);
	note_host(r, "target_host", i->target_host);
	(void)conf_get_int(&r->v, "connect_timeout", NAT, &timeout);
	if (i->target_host == NULL)
		rnsconf_missing(r, i, "target_host", "relay.example.org");
	if (i->target_port == 0 && conf_entry(r->v.sec, "target_port") == NULL)
		rnsconf_missing(r, i, "target_port", "4242");
}
