/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/route/inbound.h"

#include <string.h>

#include "transport/core/base/dedup.h"
#include "transport/core/base/kind.h"
#include "transport/core/base/value.h"
#include "transport/core/link/link.h"
#include "transport/core/link/link_in.h"
#include "transport/core/link/link_open.h"
#include "transport/core/route/announce_in.h"
#include "transport/core/route/deliver.h"
#include "transport/core/route/pathreq.h"
#include "transport/core/route/relay.h"
#include "transport/core/route/tunnel_in.h"
#include "transport/core/send/txq.h"
#include "transport/core/table/dest.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/path.h"
#include "transport/core/table/receipt.h"

/*
 * From a parsed packet to the one who wants it, in the order of
 * reticulum-transport.md 3: filter, hop, PLAIN broadcast, transit, local
 * destinations.
 */

/* The other control destination, of tunnels (reticulum-transport.md 7.1). */
#define TUNNEL_NAME "rnstransport.tunnel.synthesize"

int
inbound_new(struct rns *r)
{
	int err = rns_dest_hash(&r->path_request_dest, PATH_REQUEST_NAME, NULL);

	if (err != RNS_OK)
		return err;
	return rns_dest_hash(&r->tunnel_dest, TUNNEL_NAME, NULL);
}

static bool
same16(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, RNS_HASH) == 0;
}

static bool
is_ours(const struct rns *r, const struct packet *p)
{
	return p->transport_id != NULL &&
	    same16(p->transport_id, r->self.hash.b);
}

/*
 * 3.3 and 3.4. The hash is remembered here unless it is not certain yet that
 * it is our turn: an overheard copy would kill the real one.
 */
static bool
filter(struct rns *r, const struct packet *p, bool relayed)
{
	bool announce = p->type == PACKET_ANNOUNCE, fresh;

	if (r->cfg.attached)
		return true;
	if (p->header_2 && !announce && !is_ours(r, p))
		return core_drop(r, RNS_DROP_NOT_FOR_US);
	if (packet_exempt(p->context))
		return true;
	if (p->dest_type == DEST_PLAIN || p->dest_type == DEST_GROUP) {
		if (announce)
			return core_drop(r, RNS_DROP_PLAIN_ANNOUNCE);
		if (p->hops > 1)
			return core_drop(r, RNS_DROP_PLAIN_HOPS);
		return true;
	}
	if (announce && p->dest_type == DEST_SINGLE)
		return true; /* decided by the path table */
	if (relayed || (p->type == PACKET_PROOF && p->context == CTX_LRPROOF))
		fresh = !dedup_has(r, &p->hash);
	else
		fresh = dedup_take(r, &p->hash);
	return fresh || core_drop(r, RNS_DROP_DUPLICATE);
}

/* reticulum-transport.md 3.6 */
static void
plain_relay(struct rns *r, const struct packet *p)
{
	struct iface *i;

	if (p->dest_type != DEST_PLAIN || p->transport ||
	    same16(p->dest->b, r->path_request_dest.b) ||
	    same16(p->dest->b, r->tunnel_dest.b) ||
	    (!p->from_local && r->local_clients == 0))
		return;
	TAILQ_FOREACH(i, &r->ifaces, entry) {
		if (i == p->rx || !iface_sends(i) || (!p->from_local &&
		    i->cfg.kind != RNS_IF_LOCAL_CLIENT))
			continue;
		r->passing = true;
		(void)core_tx(r, i, p->raw, p->raw_len);
		r->passing = false;
	}
}

static void
link_request_value(struct rns *r, const struct packet *p)
{
	if (p->data_len >= LINK_KEYS_LEN)
		value_link_request(r, p->dest, p->data);
}

/*
 * reticulum-transport.md 3.7 to 3.9; true: there is nothing left to do with the
 * packet.
 */
static bool
transit(struct rns *r, struct packet *p, bool relayed, bool link_local)
{
	bool lrproof = p->type == PACKET_PROOF && p->context == CTX_LRPROOF;
	bool for_local;
	struct path *path;

	if (relayed && p->type != PACKET_LINKREQUEST) {
		if (!r->cfg.transport && !p->from_local && !link_local)
			return !core_drop(r, RNS_DROP_NOT_FOR_US);
		if (lrproof)
			relay_link_proof(r, p);
		else
			relay_link_packet(r, p);
		return true;
	}
	/* Without our id it can only be for a program. */
	if (p->transport_id == NULL && r->local_clients == 0)
		return false;
	/* What lives here is never sent on, whoever claims a path to it. */
	if (dest_find(r, p->dest) != NULL)
		return false;
	path = path_find(r, p->dest);
	for_local = path != NULL && path->hops == 0;
	if (!r->cfg.transport && !p->from_local && !for_local)
		return false;
	if (!is_ours(r, p) && (p->transport_id != NULL || !for_local))
		return false;
	if (path == NULL) {
		if (p->dest_type != DEST_SINGLE || p->type == PACKET_PROOF)
			return false;
		return !core_drop(r, RNS_DROP_NO_PATH);
	}
	if (relay_forward(r, p, path)) {
		r->counts.relayed++;
		if (p->type == PACKET_LINKREQUEST)
			link_request_value(r, p);
	}
	return true;
}

/* A packet of one of our own links. */
static void
own_link(struct rns *r, struct link *l, struct packet *p)
{
	if (l->iface != NULL && l->iface != p->rx) {
		/* The copy that comes the right way must be accepted. */
		dedup_del(r, &p->hash);
		(void)core_drop(r, RNS_DROP_LINK_IF);
		return;
	}
	link_packet_in(r, l, p);
}

static void
own_data(struct rns *r, struct packet *p)
{
	struct dest *d;
	struct link *l;

	if (p->dest_type == DEST_LINK) {
		l = link_find(r, p->dest);
		if (l != NULL)
			own_link(r, l, p);
		else
			(void)core_drop(r, RNS_DROP_NO_LINK);
		return;
	}
	if (p->dest_type == DEST_PLAIN &&
	    same16(p->dest->b, r->path_request_dest.b)) {
		pathreq_in(r, p);
		return;
	}
	if (p->dest_type == DEST_PLAIN &&
	    same16(p->dest->b, r->tunnel_dest.b)) {
		tunnel_in(r, p);
		return;
	}
	d = dest_find(r, p->dest);
	if (d == NULL || (unsigned)d->type != (unsigned)p->dest_type)
		(void)core_drop(r, RNS_DROP_NO_DEST);
	else
		deliver_data(r, d, p);
}

static void
own_link_request(struct rns *r, struct packet *p)
{
	struct dest *d = dest_find(r, p->dest);

	if (p->transport_id != NULL && !is_ours(r, p))
		(void)core_drop(r, RNS_DROP_NOT_FOR_US);
	else if (d == NULL || (unsigned)d->type != (unsigned)p->dest_type)
		(void)core_drop(r, RNS_DROP_NO_DEST);
	else {
		link_request_value(r, p);
		link_request_in(r, d, p);
	}
}

static void
own_proof(struct rns *r, struct packet *p)
{
	struct link *l = link_find(r, p->dest);

	if (p->context == CTX_LRPROOF) {
		if (l != NULL)
			link_proof_in(r, l, p);
		else
			(void)core_drop(r, RNS_DROP_NO_LINK);
		return;
	}
	if (l != NULL) {
		own_link(r, l, p);
		return;
	}
	if ((r->cfg.transport || p->from_local ||
	    relay_proof_for_local(r, p->dest)) && relay_proof(r, p))
		return;
	if (!receipt_proof_in(r, p, NULL))
		(void)core_drop(r, RNS_DROP_PROOF);
}

void
inbound(struct rns *r, struct packet *p)
{
	bool next_local = false, received_local = false, relayed = false;

	if (p->type != PACKET_ANNOUNCE && !r->cfg.attached)
		relayed = relay_has_link(r, p->dest, &next_local,
		    &received_local);
	if (!filter(r, p, relayed))
		return;
	/* Hops are free on local sockets (reticulum-transport.md 3.2). */
	if (p->rx->cfg.kind == RNS_IF_NET)
		p->hops++;
	if (p->type == PACKET_ANNOUNCE) {
		r->rx_kind = (uint8_t)packet_kind(p->flags, p->context,
		    p->hops > 1, false);
		announce_in(r, p);
		return;
	}
	if (!r->cfg.attached) {
		plain_relay(r, p);
		if (transit(r, p, relayed, next_local || received_local))
			return;
	}
	r->rx_kind = (uint8_t)packet_kind(p->flags, p->context, false, false);
	switch (p->type) {
	case PACKET_DATA:
		own_data(r, p);
		break;
	case PACKET_LINKREQUEST:
		own_link_request(r, p);
		break;
	case PACKET_PROOF:
		own_proof(r, p);
		break;
	case PACKET_ANNOUNCE:
		break;
	}
}
