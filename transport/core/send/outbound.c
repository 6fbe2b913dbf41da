/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/send/outbound.h"

#include <string.h>

#include "transport/core/base/crypt.h"
#include "transport/core/base/dedup.h"
#include "transport/core/base/packet.h"
#include "transport/core/send/announceq.h"
#include "transport/core/send/forward.h"
#include "transport/core/send/txq.h"
#include "transport/core/table/iface.h"

/* Packets made here, and announces passed on (reticulum-transport.md 5). */

enum verdict {
	BLOCK,
	SEND,
	QUEUE, /* send subject to the announce cap */
};

/*
 * reticulum-transport.md 5.3; `from` is the interface that the announce came in
 * on.
 */
static enum verdict
announce_rule(const struct iface *this, const struct iface *from, bool local,
    uint8_t hops)
{
	enum rns_if_mode mode = this->cfg.mode, origin;

	if (!local && from == NULL)
		return BLOCK;
	origin = local ? RNS_MODE_FULL : from->cfg.mode;
	if (origin == RNS_MODE_INTERNAL && this->cfg.from_internal_blocked)
		return BLOCK;
	if (mode == RNS_MODE_AP)
		return BLOCK;
	if (local)
		return SEND;
	switch (mode) {
	case RNS_MODE_INTERNAL:
		return origin == RNS_MODE_BOUNDARY && !from->cfg.to_internal ?
		    BLOCK : SEND;
	case RNS_MODE_ROAMING:
		return origin == RNS_MODE_ROAMING ||
		    origin == RNS_MODE_BOUNDARY ? BLOCK : SEND;
	case RNS_MODE_BOUNDARY:
		return origin == RNS_MODE_ROAMING ? BLOCK : SEND;
	default:
		return hops == 0 ? SEND : QUEUE;
	}
}

/* Whether it goes there at all, and how; one that does not is counted. */
static enum verdict
announce_verdict(struct rns *r, const struct iface *this,
    const struct iface *from, bool local, uint8_t hops,
    const struct hash16 *dest)
{
	enum verdict v = announce_rule(this, from, local, hops);

	if (v == BLOCK)
		(void)core_drop_of(r, RNS_DROP_ANNOUNCE_MODE, dest,
		    this->cfg.id);
	return v;
}

/* Our own packet must not be taken for a stranger's when it is heard again. */
static void
remember(struct rns *r, const uint8_t *raw, size_t len)
{
	struct id32 hash;

	if (r->cfg.attached)
		return;
	packet_hash(&hash, raw, len, false);
	dedup_add(r, &hash);
}

/*
 * Whether the filter would ever look the packet up
 * (reticulum-transport.md 3.3).
 */
static bool
filtered(uint8_t type, uint8_t dest_type, uint8_t context)
{
	return type != PACKET_ANNOUNCE && dest_type != DEST_PLAIN &&
	    dest_type != DEST_GROUP && !packet_exempt(context);
}

/* reticulum-transport.md 5.4: as if it came from further away. */
static int
out_far(struct rns *r, struct iface *i, uint8_t hops, const uint8_t *raw,
    size_t len)
{
	struct iovec_c rest = {raw + 2, len - 2};

	if ((raw[0] & 3) == PACKET_ANNOUNCE)
		return forward(r, i, raw[0] | FLAG_HEADER_2 | FLAG_TRANSPORT,
		    hops, r->self.hash.b, &rest, 1);
	return forward(r, i, raw[0], hops, NULL, &rest, 1);
}

/* What transport itself says is counted where it goes. */
static int
out_on(struct rns *r, struct iface *i, const uint8_t *raw, size_t len,
    const struct hash16 *dest)
{
	uint8_t hops = hops_out(r, i, raw[1]), dest_type = raw[0] >> 2 & 3;
	int err;

	if (hops == raw[1] || dest_type == DEST_PLAIN ||
	    dest_type == DEST_GROUP)
		err = core_tx(r, i, raw, len);
	else
		err = out_far(r, i, hops, raw, len);
	if (err != RNS_OK)
		return err;
	if ((raw[0] & 3) == PACKET_ANNOUNCE)
		traffic_count(r, &i->traffic[TRAFFIC_ANNOUNCE_OUT], len);
	else if (hash16_eq(dest, &r->path_request_dest))
		traffic_count(r, &i->traffic[TRAFFIC_PATH_OUT], len);
	return RNS_OK;
}

/* reticulum-transport.md 5.1 */
static int
out_by_path(struct rns *r, struct path *path, const uint8_t *raw, size_t len)
{
	uint8_t flags = FLAG_HEADER_2 | FLAG_TRANSPORT | (raw[0] & FLAGS_LOW);
	struct iovec_c rest = {raw + 2, len - 2};
	int err;

	if (path->hops > 1 || (path->hops == 1 && r->cfg.attached))
		err = forward(r, path->rx, flags, hops_out(r, path->rx,
		    raw[1]), path->next_hop.b, &rest, 1);
	else
		err = out_on(r, path->rx, raw, len, &path->dest);
	if (err == RNS_OK)
		path_touch(r, path);
	return err;
}

/* reticulum-transport.md 5.2 */
static int
out_broadcast(struct rns *r, const uint8_t *raw, size_t len,
    const struct hash16 *dest, struct iface *via)
{
	bool announce = (raw[0] & 3) == PACKET_ANNOUNCE;
	bool local = announce && dest_find(r, dest) != NULL;
	int err = RNS_ENOENT, one;
	struct iface *i;

	if (via != NULL)
		return out_on(r, via, raw, len, dest);
	TAILQ_FOREACH(i, &r->ifaces, entry) {
		if (!iface_sends(i) || (announce &&
		    announce_verdict(r, i, NULL, local, raw[1],
		    hash16_at(raw + 2)) == BLOCK))
			continue;
		one = out_on(r, i, raw, len, dest);
		if (one == RNS_OK || err == RNS_ENOENT)
			err = one;
	}
	return err;
}

int
core_out(struct rns *r, const uint8_t *raw, size_t len, struct iface *via)
{
	struct rd rd = rd_make(raw, len);
	uint8_t flags, hops, context, dest_type, type;
	const uint8_t *dest;
	struct path *path = NULL;
	int err;

	if (!rd_u8(&rd, &flags) || !rd_u8(&rd, &hops) ||
	    !rd_ref(&rd, &dest, RNS_HASH) || !rd_u8(&rd, &context) ||
	    rd_end(&rd) || (flags & FLAG_HEADER_2) != 0 ||
	    hops >= RNS_HOPS_MAX)
		return RNS_EINVAL;
	type = flags & 3;
	dest_type = flags >> 2 & 3;
	if (type != PACKET_ANNOUNCE && dest_type == DEST_SINGLE)
		path = path_find(r, hash16_at(dest));
	if (path != NULL)
		err = out_by_path(r, path, raw, len);
	else
		err = out_broadcast(r, raw, len, hash16_at(dest), via);
	if (err == RNS_OK && filtered(type, dest_type, context))
		remember(r, raw, len);
	return err == RNS_ESTATE ? RNS_ENOENT : err;
}

int
announce_out(struct rns *r, const struct path *path, uint8_t hops,
    uint8_t context, struct iface *via)
{
	struct announce_packet a;
	struct iface *i;
	enum verdict rule;
	int err = announce_pack(r, path, hops, context, &a);

	if (err != RNS_OK)
		return err;
	if (via != NULL)
		return announce_tx(r, via, &a);
	err = RNS_ENOENT;
	TAILQ_FOREACH(i, &r->ifaces, entry) {
		/*
		 * Programs heard it when it came (reticulum-transport.md 4.5
		 * step 4).
		 */
		if (i->cfg.kind == RNS_IF_LOCAL_CLIENT || !iface_sends(i))
			continue;
		rule = announce_verdict(r, i, path->rx, false, hops,
		    &path->dest);
		if (rule == BLOCK)
			continue;
		if (rule == QUEUE &&
		    !announceq_now(r, i, a.v[0].n + a.v[1].n))
			announceq_put(r, i, path, hops);
		else if (announce_tx(r, i, &a) != RNS_OK)
			continue;
		err = RNS_OK;
	}
	return err;
}
