/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "transport/core/base/const.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/ctx.h"
#include "transport/core/base/dedup.h"
#include "transport/core/base/event.h"
#include "transport/core/base/identity.h"
#include "transport/core/base/ifac.h"
#include "transport/core/base/noted.h"
#include "transport/core/base/packet.h"
#include "transport/core/base/timer.h"
#include "transport/core/link/link.h"
#include "transport/core/link/link_cmd.h"
#include "transport/core/link/link_in.h"
#include "transport/core/route/announce_in.h"
#include "transport/core/route/deliver.h"
#include "transport/core/route/inbound.h"
#include "transport/core/route/pathreq.h"
#include "transport/core/route/relay.h"
#include "transport/core/route/tunnel_in.h"
#include "transport/core/send/announce_own.h"
#include "transport/core/send/announceq.h"
#include "transport/core/send/txq.h"
#include "transport/core/send/waiting.h"
#include "transport/core/table/dest.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/ingress.h"
#include "transport/core/table/known.h"
#include "transport/core/table/path.h"
#include "transport/core/table/rate.h"
#include "transport/core/table/receipt.h"
#include "transport/core/table/reverse.h"
#include "transport/core/table/share.h"
#include "transport/core/table/signals.h"
#include "transport/core/table/tunnel.h"
#include "common/util.h"

/*
 * Shorter is no packet, with or without an access code
 * (reticulum-transport.md 3.1).
 */
#define RX_MIN 3

static bool
limits_ok(const struct rns_limits *l)
{
	return l->interfaces != 0 && l->destinations != 0 && l->known != 0 &&
	    l->paths != 0 && l->tunnels != 0 && l->links != 0 &&
	    l->link_table != 0 &&
	    l->reverse != 0 && l->hashes != 0 && l->receipts != 0 &&
	    l->events != 0 && l->tx_packets != 0 && l->resource_bytes != 0 &&
	    l->event_bytes != 0;
}

/* ---- interfaces ---- */

static int
if_add(struct rns *r, const struct rns_if *cfg)
{
	struct iface *i;
	int err = iface_add(r, cfg, &i);

	if (err != RNS_OK)
		return err;
	announceq_init(i);
	announce_in_init(i);
	if (r->shared == i)
		deliver_attached(r);
	tunnel_show(r, i);
	return RNS_OK;
}

static int
if_online(struct rns *r, unsigned id, bool online)
{
	struct iface *i = iface_find(r, id);
	bool came = i != NULL && online && !i->cfg.online;
	int err = iface_online(r, id, online);

	if (came)
		tunnel_show(r, i);
	return err;
}

/* Everybody who points at it lets go before it goes. */
static int
if_del(struct rns *r, unsigned id)
{
	struct iface *i = iface_find(r, id);

	if (i == NULL)
		return RNS_ENOENT;
	i->cfg.online = false;
	link_iface_gone(r, i);
	waiting_iface_gone(r, i);
	tunnels_iface_gone(r, i);
	paths_iface_gone(r, i);
	relay_iface_gone(r, i);
	pathreqs_iface_gone(r, i);
	deliver_iface_gone(r, i);
	announceq_clear(r, i);
	held_clear(r, i);
	share_iface_gone(r, i);
	iface_free(r, i);
	return RNS_OK;
}

static void
if_free_all(struct rns *r)
{
	struct iface *i;

	TAILQ_FOREACH(i, &r->ifaces, entry) {
		announceq_clear(r, i);
		held_clear(r, i);
	}
	ifaces_free(r);
}

/* ---- life ---- */

/* Each entry makes one table; rns_free() copes with those that are not. */
static int (*const parts_new[])(struct rns *) = {
    noted_new, txq_new, evq_new, dedup_new, known_table_new, dests_new, deliver_new,
    rates_new, paths_new, tunnels_new, waiting_new, relay_new, pathreqs_new,
    receipts_new, links_new,
    link_in_new, inbound_new};

struct rns *
rns_new(const struct rns_config *cfg, struct mono now)
{
	struct rns *r;

	if (cfg->random == NULL || !limits_ok(&cfg->limits))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->cfg = *cfg;
	r->now = now;
	r->wall_offset = cfg->wall_us - now.us;
	timers_init(&r->timers);
	ifaces_init(r);
	if (identity_load(&r->self, cfg->identity) != RNS_OK) {
		rns_free(r);
		return NULL;
	}
	crypt_wipe(r->cfg.identity, sizeof(r->cfg.identity));
	if (cfg->local_hops_delta && !cfg->attached) {
		core_random(r, &r->hops_delta, 1);
		r->hops_delta = (uint8_t)(r->hops_delta % 6 + 2);
	}
	for (size_t i = 0; i < NELEM(parts_new); i++) {
		if (parts_new[i](r) != RNS_OK) {
			rns_free(r);
			return NULL;
		}
	}
	return r;
}

void
rns_free(struct rns *r)
{
	if (r == NULL)
		return;
	r->closing = true;
	links_free(r);
	receipts_free(r);
	pathreqs_free(r);
	relay_free(r);
	waiting_free(r);
	tunnels_free(r);
	paths_free(r);
	rates_free(r);
	deliver_free(r);
	dests_free(r);
	known_table_free(r);
	dedup_free(r);
	signals_free(r);
	if_free_all(r);
	evq_free(r);
	txq_free(r);
	noted_free(r);
	free(r->rx_buf);
	identity_clear(&r->self);
	crypt_wipe(r, sizeof(*r));
	free(r);
}

/* The edge where time enters. */
static void
core_enter(struct rns *r, struct mono now)
{
	if (now.us > r->now.us)
		r->now = now;
}

void
rns_set_wall(struct rns *r, int64_t wall_us, struct mono now)
{
	core_enter(r, now);
	rates_leave_paths(r);
	r->wall_offset = wall_us - r->now.us;
}

/* What files noted for those above them. */
static void
notes_take(struct rns *r)
{
	struct hash16 dest;

	waiting_forget(r);
	while (link_lost_next(r, &dest))
		(void)path_request(r, &dest, true);
}

static void
turn_end(struct rns *r)
{
	if (r->notes != 0)
		notes_take(r);
}

/*
 * Access code (reticulum-transport.md 3.1): *raw is replaced by the packet
 * without it.
 */
static bool
rx_unmask(struct rns *r, const struct iface *i, const uint8_t **raw,
    size_t *len)
{
	uint8_t *buf;

	if (i->ifac.size == 0) {
		if (((*raw)[0] & FLAG_IFAC) != 0)
			return core_drop(r, RNS_DROP_IFAC_UNEXPECTED);
		return true;
	}
	if (((*raw)[0] & FLAG_IFAC) == 0)
		return core_drop(r, RNS_DROP_IFAC_MISSING);
	if (*len > r->rx_cap) {
		buf = realloc(r->rx_buf, *len);
		if (buf == NULL)
			return core_drop(r, RNS_DROP_MEMORY);
		r->rx_buf = buf;
		r->rx_cap = *len;
	}
	if (ifac_unmask(&i->ifac, r->rx_buf, len, r->rx_cap, *raw, *len) !=
	    RNS_OK)
		return core_drop(r, RNS_DROP_IFAC_WRONG);
	*raw = r->rx_buf;
	return true;
}

/*
 * A packet to pass on is looked for in four tables, which are larger than the
 * cache, an announce in three: they are fetched side by side, and while its
 * hash is reckoned. True: a packet.
 */
static bool
relay_soon(const struct rns *r, const struct packet *p, const struct iface *i)
{
	if (p->type == PACKET_ANNOUNCE) {
		path_soon(r, p->dest);
		known_soon(r, p->dest);
	}
	if (!r->cfg.transport || p->type != PACKET_DATA || !p->header_2 ||
	    p->dest_type != DEST_SINGLE)
		return false;
	path_soon(r, p->dest);
	reverse_room_soon(r, i);
	return true;
}

static void
recv_packet(struct rns *r, struct iface *i, const uint8_t *raw, size_t len)
{
	struct packet p;
	bool soon;

	if (len < RX_MIN) {
		(void)core_drop(r, RNS_DROP_SHORT);
		return;
	}
	if (len > iface_rx_max(i) + i->ifac.size) {
		(void)core_drop(r, RNS_DROP_LONG);
		return;
	}
	if (!rx_unmask(r, i, &raw, &len))
		return;
	if (len >= RX_MIN && raw[1] >= RNS_HOPS_MAX) {
		(void)core_drop(r, RNS_DROP_HOPS);
		return;
	}
	if (packet_split(&p, raw, len) != RNS_OK) {
		(void)core_drop(r, RNS_DROP_HEADER);
		return;
	}
	i->use.heard = true;
	soon = relay_soon(r, &p, i);
	/* Parts of resources, the bulk of all bytes, are never looked up. */
	if (p.dest_type != DEST_LINK || p.context != CTX_RESOURCE ||
	    r->rx_signal != NULL)
		packet_hash(&p.hash, raw, len, p.header_2);
	if (r->rx_signal != NULL) {
		i->signal = *r->rx_signal;
		signals_add(r, &p.hash, r->rx_signal);
	}
	if (soon || p.type == PACKET_ANNOUNCE)
		dedup_soon(r, &p.hash);
	if (soon)
		reverse_soon(r, hash16_at(p.hash.b));
	p.rx = i;
	p.from_local = i->cfg.kind == RNS_IF_LOCAL_CLIENT;
	r->rx_packet = &p;
	inbound(r, &p);
	r->rx_packet = NULL;
}

int
rns_recv(struct rns *r, unsigned ifid, const uint8_t *raw, size_t len,
    struct mono now)
{
	struct iface *i;

	core_enter(r, now);
	i = iface_find(r, ifid);
	if (i == NULL)
		return RNS_ENOENT;
	i->rx_packets++;
	i->rx_bytes += len;
	r->counts.rx_packets++;
	r->counts.rx_bytes += len;
	r->rx_drops = i->drops;
	r->rx_from = ifid;
	r->rx_kind = RNS_KIND_RELAY;
	recv_packet(r, i, raw, len);
	i->rx_kinds[r->rx_kind].packets++;
	i->rx_kinds[r->rx_kind].bytes += len;
	r->rx_drops = NULL;
	turn_end(r);
	r->rx_from = 0;
	return RNS_OK;
}

int
rns_recv_signal(struct rns *r, unsigned ifid, const uint8_t *raw, size_t len,
    const struct rns_signal *signal, struct mono now)
{
	int err;

	r->rx_signal = signal != NULL && signal->has != 0 ? signal : NULL;
	err = rns_recv(r, ifid, raw, len, now);
	r->rx_signal = NULL;
	return err;
}

enum rns_kind
rns_rx_kind(const struct rns *r)
{
	return r->rx_kind;
}

int
rns_if_use(const struct rns *r, unsigned ifid, struct rns_if_use *out)
{
	const struct iface *i = iface_find(r, ifid);

	if (i == NULL)
		return RNS_ENOENT;
	*out = i->use;
	return RNS_OK;
}

/* ---- commands ---- */

static int
hashes_add(struct rns *r, const uint8_t *data, size_t len)
{
	if (len % RNS_FULL_HASH != 0)
		return RNS_EINVAL;
	for (size_t at = 0; at < len; at += RNS_FULL_HASH)
		dedup_add(r, id32_at(data + at));
	return RNS_OK;
}

static int
submit_dest(struct rns *r, const struct rns_cmd *cmd)
{
	static const struct hash16 none;
	int err;

	if (cmd->type == RNS_CMD_BLACKHOLE && cmd->blackhole.on &&
	    hash16_eq(&cmd->blackhole.identity, &none)) {
		paths_blackhole(r, NULL);
		return RNS_OK;
	}
	err = dest_submit(r, cmd);
	if (err != RNS_OK)
		return err;
	if (cmd->type == RNS_CMD_DEST_ADD && r->cfg.attached)
		deliver_introduce(r);
	if (cmd->type == RNS_CMD_BLACKHOLE && cmd->blackhole.on &&
	    !cmd->blackhole.more)
		paths_blackhole(r, &cmd->blackhole.identity);
	return RNS_OK;
}

static int
announces_drop(struct rns *r)
{
	struct iface *i;

	TAILQ_FOREACH(i, &r->ifaces, entry)
		announceq_clear(r, i);
	return RNS_OK;
}

static int
submit(struct rns *r, const struct rns_cmd *cmd)
{
	switch (cmd->type) {
	case RNS_CMD_IF_ADD:
		return if_add(r, &cmd->iface);
	case RNS_CMD_IF_DEL:
		return if_del(r, cmd->ifid);
	case RNS_CMD_IF_ONLINE:
		return if_online(r, cmd->online.ifid, cmd->online.online);
	case RNS_CMD_IF_BITRATE:
		return iface_bitrate(r, cmd->rate.ifid, cmd->rate.bitrate);
	case RNS_CMD_DEST_ADD:
	case RNS_CMD_DEST_DEL:
	case RNS_CMD_HANDLER_ADD:
	case RNS_CMD_HANDLER_DEL:
	case RNS_CMD_APP_DATA:
	case RNS_CMD_BLACKHOLE:
		return submit_dest(r, cmd);
	case RNS_CMD_ANNOUNCE:
		return announce_submit(r, cmd);
	case RNS_CMD_KNOWN_ADD:
	case RNS_CMD_RATCHET_ADD:
		return known_submit(r, cmd);
	case RNS_CMD_HASHES_ADD:
		return hashes_add(r, cmd->bytes.data, cmd->bytes.len);
	case RNS_CMD_PACKET:
		return deliver_submit(r, cmd);
	case RNS_CMD_PROVE:
		if (dest_find(r, &cmd->prove.dest) != NULL)
			return deliver_submit(r, cmd);
		return link_submit(r, cmd);
	case RNS_CMD_PATH_REQUEST:
		return path_request(r, &cmd->hash, false);
	case RNS_CMD_TUNNEL_ADD:
		return tunnel_submit(r, cmd);
	case RNS_CMD_ANNOUNCES_DROP:
		return announces_drop(r);
	case RNS_CMD_PATH_DROP:
	case RNS_CMD_PATH_ADD:
		if (cmd->type == RNS_CMD_PATH_ADD && cmd->path.tunnel != NULL)
			return tunnel_submit(r, cmd);
		return path_submit(r, cmd);
	case RNS_CMD_LINK_OPEN:
	case RNS_CMD_LINK_CLOSE:
	case RNS_CMD_LINK_IDENTIFY:
	case RNS_CMD_LINK_SEND:
	case RNS_CMD_LINK_HOLD:
	case RNS_CMD_REQUEST:
	case RNS_CMD_REQUEST_CANCEL:
	case RNS_CMD_RESPOND:
	case RNS_CMD_RESOURCE_SEND:
	case RNS_CMD_RESOURCE_ANSWER:
	case RNS_CMD_RESOURCE_CANCEL:
	case RNS_CMD_CHANNEL_OPEN:
	case RNS_CMD_CHANNEL_SEND:
	case RNS_CMD_STREAM_OPEN:
	case RNS_CMD_STREAM_SEND:
		return link_submit(r, cmd);
	}
	return RNS_EINVAL;
}

int
rns_submit(struct rns *r, const struct rns_cmd *cmd, struct mono now)
{
	int err;

	core_enter(r, now);
	err = submit(r, cmd);
	turn_end(r);
	return err;
}

void
rns_tick(struct rns *r, struct mono now)
{
	core_enter(r, now);
	timers_run(r);
	turn_end(r);
}

struct mono
rns_deadline(const struct rns *r)
{
	return timers_next(&r->timers);
}

bool
rns_next_tx(struct rns *r, struct rns_tx *tx)
{
	return txq_next(r, tx);
}

uint32_t
rns_tx_waiting(const struct rns *r)
{
	return txq_waiting(r);
}

bool
rns_next_event(struct rns *r, struct rns_event *ev)
{
	return evq_next(r, ev);
}

uint64_t
rns_drops(const struct rns *r, enum rns_drop why)
{
	return (unsigned)why < RNS_DROP_COUNT ? r->drops[why] : 0;
}

const uint8_t *
rns_identity_public(const struct rns *r)
{
	return r->self.pub;
}

const uint8_t *
rns_identity_hash(const struct rns *r)
{
	return r->self.hash.b;
}

void
rns_counts(const struct rns *r, struct rns_counts *out)
{
	*out = r->counts;
	out->interfaces = r->iface_count;
}
