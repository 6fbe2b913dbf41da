/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/if_tcp.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "transport/engine/door.h"
#include "transport/engine/engine.h"
#include "transport/engine/opener.h"
#include "transport/engine/tcpopts.h"

/* An accepted connection: made by its server, and gone with it. */
static const struct nif_kind tcp_peer_kind = {
	.name = "TCPClientInterface",
	.carries = true,
	.send = nif_stream_send,
	.flush = nif_stream_flush,
	.stop = door_went,
};

/*
 * reticulum-transport.md 10.3: the longest packet goes by the bitrate, unless
 * it is fixed.
 */
static int
tcp_configure(struct nif *n)
{
	if (nif_configure(n, TCP_BITRATE) < 0)
		return -1;
	n->cfg.hw_mtu = n->conf->fixed_mtu != 0 ? n->conf->fixed_mtu :
	    rns_mtu_for_bitrate(n->cfg.bitrate);
	n->cfg.mtu_signal = true;
	/* reticulum-transport.md 7.1: the side that dials, with HDLC */
	n->cfg.wants_tunnel = n->conf->type == RNSCONF_TCP_CLIENT &&
	    !n->conf->kiss_framing;
	return 0;
}

/* Where a server listens, as config has it. */
static const char *
place_of(const struct rnsconf_if *c)
{
	return c->device != NULL ? c->device : c->listen_ip;
}

static void
tcp_failed(struct nif *n, int error, const char *text)
{
	const struct rnsconf_if *c = n->conf;
	char what[300];

	if (!n->kind->carries)
		(void)snprintf(what, sizeof(what), "cannot listen on %.200s "
		    "port %u", place_of(c), c->listen_port);
	else
		(void)snprintf(what, sizeof(what), "cannot connect to %.200s "
		    "port %u", c->target_host, c->target_port);
	opener_failed(n, what, error, text);
}

/* ---- the client side ---- */

static void
client_gone(void *arg, int error)
{
	struct nif *n = arg;

	opener_why(n, "connection to %s port %u lost: %s",
	    n->conf->target_host, n->conf->target_port,
	    error != 0 ? strerror(error) : "closed by the other end");
	opener_lost(n);
	nif_online(n, false);
}

static void
client_up(struct nif *n, int fd)
{
	tcpopts_set(fd, n->conf->i2p_tunneled);
	n->s.gone = client_gone;
	if (fsock_open(&n->s, fd, n->conf->kiss_framing ? RNS_FRAME_KISS :
	    RNS_FRAME_HDLC, nif_frame_limit(n)) < 0) {
		(void)close(fd);
		tcp_failed(n, errno, "");
		return;
	}
	opener_done(n);
	log_notice(n->conf->name, "connected to %s port %u",
	    n->conf->target_host, n->conf->target_port);
	nif_online(n, true);
}

/* ---- the server side ---- */

static void
peer_gone(void *arg, int error)
{
	struct nif *n = arg;

	if (nif_visit_said(n))
		log_info(n->name, "%s", error != 0 ? strerror(error) :
		    "closed by the other end");
	nif_free(n);
}

static void
accept_peer(void *arg, int fd, const struct sockaddr_storage *sa)
{
	struct nif *server = arg, *n;
	char remote[80];

	if (!door_ask(server, sa)) {
		(void)close(fd);
		return;
	}
	n = nif_new(server->e, server->kind->accepts, server->conf, server);
	if (n == NULL) {
		server->refused++;
		(void)close(fd);
		return;
	}
	door_address(sa, remote, sizeof(remote));
	(void)snprintf(n->name, sizeof(n->name), "%s[Client on %s/%s]",
	    server->conf->type == RNSCONF_BACKBONE ? "BackboneInterface" :
	    "TCPInterface", server->conf->name, remote);
	n->cfg = server->cfg;
	n->online = true;
	n->s.gone = peer_gone;
	tcpopts_set(fd, server->conf->i2p_tunneled);
	if (fsock_open(&n->s, fd, RNS_FRAME_HDLC, nif_frame_limit(n)) < 0) {
		(void)close(fd);
		server->refused++;
		nif_free(n);
		return;
	}
	if (nif_attach(n) < 0) {
		server->refused++;
		nif_free(n);
		return;
	}
	server->accepted++;
	door_came(n, sa);
	if (nif_visit_said(n))
		log_info(n->name, "accepted");
}

/* A listener on a device is known by the address that it got. */
static void
name_by_address(struct nif *n, int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char ip[NI_MAXHOST];

	if (n->conf->device != NULL &&
	    getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
	    getnameinfo((struct sockaddr *)&sa, len, ip, sizeof(ip), NULL, 0,
	    NI_NUMERICHOST) == 0)
		rnsconf_if_display_at(n->conf, ip, n->name, sizeof(n->name));
}

static void
server_up(struct nif *n, int fd)
{
	name_by_address(n, fd);
	nif_listen(n, fd, accept_peer);
	opener_done(n);
	log_notice(n->conf->name, "listening on %s port %u",
	    place_of(n->conf), n->conf->listen_port);
	nif_online(n, true);
}

void
tcp_opened(struct nif *n, const struct nif_open *o)
{
	int fd = o->fd;

	if (fd < 0) {
		tcp_failed(n, o->error, o->text);
		return;
	}
	if (n->s.fd >= 0 || n->listen_fd >= 0) { /* there is one already */
		(void)close(fd);
		return;
	}
	if (!n->kind->carries)
		server_up(n, fd);
	else
		client_up(n, fd);
}

const struct nif_kind tcp_client_kind = {
	.name = "TCPClientInterface",
	.carries = true,
	.configure = tcp_configure,
	.start = opener_ask,
	.opened = tcp_opened,
	.send = nif_stream_send,
	.flush = nif_stream_flush,
};

const struct nif_kind tcp_server_kind = {
	.name = "TCPServerInterface",
	.configure = tcp_configure,
	.start = opener_ask,
	.opened = tcp_opened,
	.accepts = &tcp_peer_kind,
};
