/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/if_udp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "transport/engine/engine.h"
#include "transport/engine/opener.h"
#include "transport/socket/dgram.h"

#define UDP_BITRATE 10000000 /* reticulum-transport.md 8.3 */
#define UDP_MTU 1064

struct udp {
	struct dgram in;
	int fd; /* to send from; -1: it does not */
	struct sockaddr_in to;
};

static void
on_packet(void *arg, const uint8_t *p, size_t len,
    const struct sockaddr_in6 *from)
{
	struct nif *n = arg;

	(void)from; /* reticulum-transport.md 10.2: whoever sends is heard */
	n->s.rx_frames++;
	n->s.rx_bytes += len;
	nif_frame(n, p, len);
}

static void
on_too_long(void *arg)
{
	struct nif *n = arg;

	n->s.rx_drops++;
}

static int
udp_configure(struct nif *n)
{
	struct udp *u = calloc(1, sizeof(*u));

	if ((n->own = u) == NULL || nif_configure(n, UDP_BITRATE) < 0)
		return -1;
	u->fd = -1;
	dgram_init(&u->in, n->e->loop);
	u->in.packet = on_packet;
	u->in.too_long = on_too_long;
	u->in.arg = n;
	n->cfg.hw_mtu = UDP_MTU;
	return 0;
}

/* "listen on 127.0.0.1 port 4242, send to 127.0.0.1 port 4243" */
static const char *
udp_text(const struct rnsconf_if *c, char *out, size_t cap)
{
	const char *own = c->listen_ip != NULL ? c->listen_ip : c->device;
	const char *to = c->forward_ip != NULL ? c->forward_ip : c->device;
	int n = 0;

	if (own != NULL)
		n = snprintf(out, cap, "listen on %.120s port %u%s", own,
		    c->listen_port, to != NULL ? ", " : "");
	if (to != NULL)
		(void)snprintf(out + n, cap - (size_t)n, "send to %.120s port "
		    "%u", to, c->forward_port);
	return out;
}

static void
udp_failed(struct nif *n, int error, const char *text)
{
	char what[320], where[300];

	(void)snprintf(what, sizeof(what), "cannot %s",
	    udp_text(n->conf, where, sizeof(where)));
	opener_failed(n, what, error, text);
}

static void
udp_opened(struct nif *n, const struct nif_open *o)
{
	struct udp *u = n->own;
	char where[300];

	if (o->fd < 0) {
		udp_failed(n, o->error, o->text);
		return;
	}
	if (u->in.fd >= 0) { /* there is one already */
		(void)close(o->fd);
		if (o->send_fd >= 0)
			(void)close(o->send_fd);
		return;
	}
	dgram_open(&u->in, o->fd);
	if ((u->fd = o->send_fd) >= 0)
		u->to = (struct sockaddr_in){.sin_family = AF_INET,
		    .sin_port = htons(o->to_port), .sin_addr.s_addr = o->to};
	opener_done(n);
	log_notice(n->conf->name, "up: %s", udp_text(n->conf, where,
	    sizeof(where)));
	nif_online(n, true);
}

static bool
udp_send(struct nif *n, const uint8_t *p, size_t len)
{
	struct udp *u = n->own;

	if (u->fd < 0) {
		n->s.tx_drops++;
		n->s.tx_drop_bytes += len;
		return false;
	}
	dgram_send(u->fd, &u->to, sizeof(u->to), p, len, &n->s);
	return true;
}

static void
udp_flush(struct nif *n)
{
	(void)n;
	dgram_flush();
}

static void
udp_stop(struct nif *n)
{
	struct udp *u = n->own;

	if (u == NULL)
		return;
	dgram_flush();
	dgram_close(&u->in);
	if (u->fd >= 0)
		(void)close(u->fd);
	free(u);
	n->own = NULL;
}

const struct nif_kind udp_kind = {
	.name = "UDPInterface",
	.carries = true,
	.configure = udp_configure,
	.start = opener_ask,
	.opened = udp_opened,
	.send = udp_send,
	.flush = udp_flush,
	.stop = udp_stop,
};
