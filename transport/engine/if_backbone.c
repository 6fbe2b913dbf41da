/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/if_backbone.h"

#include <errno.h>
#include <netinet/in.h>

#include "common/log.h"
#include "transport/engine/door.h"
#include "transport/engine/if_tcp.h"
#include "transport/engine/opener.h"

static int
backbone_configure(struct nif *n)
{
	if (nif_configure(n, BACKBONE_BITRATE) < 0)
		return -1;
	n->cfg.hw_mtu = rns_mtu_for_bitrate(n->cfg.bitrate);
	n->cfg.mtu_signal = true;
	/* reticulum-transport.md 7.1: the side that dials */
	n->cfg.wants_tunnel = n->conf->type == RNSCONF_BACKBONE_CLIENT;
	return 0;
}

static bool
backbone_send(struct nif *n, const uint8_t *packet, size_t len)
{
	if (!n->stall.stalled)
		return nif_stream_send(n, packet, len);
	n->s.tx_drops++;
	n->s.tx_drop_bytes += len;
	return false;
}

static void
backbone_second(struct nif *n)
{
	bool before = n->stall.stalled;

	if (n->s.fd < 0) {
		n->stall = (struct stall){.sent = n->s.tx_bytes};
		return;
	}
	if (stall_second(&n->stall, fsock_waiting(&n->s), n->s.tx_bytes)) {
		log_notice(n->name, "took nothing for %d s: closed",
		    STALL_DEAD_S);
		n->stall = (struct stall){.sent = n->s.tx_bytes};
		fsock_fail(&n->s, ETIMEDOUT);
		return;
	}
	if (n->stall.stalled && !before)
		log_info(n->name, "too slow for what is sent to it: packets "
		    "are dropped until it has caught up");
}

static void
backbone_stats(const struct nif *n, struct stats_if *s)
{
	s->tx_stalled = n->stall.stalled;
}

static void
listener_stats(const struct nif *n, struct stats_if *s)
{
	static char text[STATS_BLOCKED_MAX][INET6_ADDRSTRLEN];
	unsigned at = 0, shown = 0;
	struct rns_if_stats c;
	uint8_t a[16];

	nif_stats(n, &c);
	s->ann_burst.clients = c.bursts;
	s->pr_burst.clients = c.pr_bursts;
	s->blocks = true;
	while (callers_blocked(&n->e->callers, n->e->now, &at, a)) {
		s->nblocked++;
		if (shown + 1 >= STATS_BLOCKED_MAX)
			continue;
		door_text(a, text[shown]);
		s->blocked[shown] = text[shown];
		shown++;
	}
	s->blocked[shown] = NULL;
}

/* An accepted connection: made by its server, and gone with it. */
static const struct nif_kind backbone_peer_kind = {
	.name = "BackboneClientInterface",
	.carries = true,
	.send = backbone_send,
	.flush = nif_stream_flush,
	.second = backbone_second,
	.stats = backbone_stats,
	.stop = door_went,
};

const struct nif_kind backbone_client_kind = {
	.name = "BackboneClientInterface",
	.carries = true,
	.configure = backbone_configure,
	.start = opener_ask,
	.opened = tcp_opened,
	.send = backbone_send,
	.flush = nif_stream_flush,
	.second = backbone_second,
	.stats = backbone_stats,
};

const struct nif_kind backbone_server_kind = {
	.name = "BackboneInterface",
	.configure = backbone_configure,
	.start = opener_ask,
	.opened = tcp_opened,
	.accepts = &backbone_peer_kind,
	.stats = listener_stats,
};
