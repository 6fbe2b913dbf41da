/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/link/link_in.h"

#include <string.h>

#include "transport/core/base/event.h"
#include "transport/core/link/channel.h"
#include "transport/core/link/link_open.h"
#include "transport/core/link/request.h"
#include "transport/core/link/resource.h"
#include "transport/core/link/resource_asm.h"
#include "transport/core/link/resource_tx.h"
#include "transport/core/table/dest.h"
#include "transport/core/table/receipt.h"

/*
 * Packets on a link (reticulum-endpoint.md 6.16), and what hangs on a link when
 * it ends.
 */

static void
link_parts_closed(struct rns *r, struct link *l)
{
	channel_closed(r, l);
	resource_closed(r, l);
	resource_tx_closed(r, l);
	request_closed(r, l);
}

int
link_in_new(struct rns *r)
{
	r->links->closed = link_parts_closed;
	return RNS_OK;
}

static void
link_identify_in(struct rns *r, struct link *l, const uint8_t *p, size_t n)
{
	uint8_t text[RNS_HASH + RNS_KEY];
	struct hash16 hash;

	if (l->initiator || n != LINK_IDENTIFY_LEN || l->identified) {
		core_drop(r, RNS_DROP_IDENTIFY);
		return;
	}
	memcpy(text, HASH_BYTES(l->id));
	memcpy(text + RNS_HASH, p, RNS_KEY);
	if (!crypt_ed25519_verify(p + 32, p + RNS_KEY, text, sizeof(text))) {
		core_drop(r, RNS_DROP_IDENTIFY);
		return;
	}
	rns_identity_hash_of(&hash, p);
	if (core_blackholed(r, &hash)) {
		core_drop(r, RNS_DROP_BLACKHOLE);
		link_teardown_own(r, l);
		return;
	}
	l->identified = true;
	memcpy(l->peer_pub, p, RNS_KEY);
	l->peer_hash = hash;
	link_event(r, l, RNS_EV_LINK_IDENTIFIED);
}

static void
link_data_in(struct rns *r, struct link *l, const struct packet *p,
    const uint8_t *data, size_t n)
{
	struct rns_event ev = {.type = RNS_EV_LINK_DATA};
	const struct dest *d = l->initiator ? NULL : dest_find(r, &l->dest);
	enum rns_prove prove = d != NULL ? d->prove : RNS_PROVE_NONE;

	ev.packet.dest = l->id;
	ev.packet.packet_hash = p->hash;
	ev.packet.data = data;
	ev.packet.len = n;
	ev.packet.ifid = l->iface->cfg.id;
	ev.packet.prove_app = prove == RNS_PROVE_APP;
	if (event_push(r, &ev) != RNS_OK)
		return; /* not delivered, hence not proved */
	if (prove == RNS_PROVE_ALL)
		link_prove(r, l, &p->hash);
}

static void
link_close_in(struct rns *r, struct link *l, const uint8_t *p, size_t n)
{
	if (n != RNS_HASH || !crypt_equal(p, HASH_BYTES(l->id))) {
		core_drop(r, RNS_DROP_DECRYPT);
		return;
	}
	link_end(r, l,
	    l->initiator ? RNS_CLOSE_DESTINATION : RNS_CLOSE_INITIATOR);
}

static void
link_heard(struct rns *r, struct link *l)
{
	l->last_in = r->now;
	if (l->status == LINK_STALE)
		(void)link_set_state(r, l, LINK_ACTIVE);
	if (l->status == LINK_ACTIVE && l->iface != NULL)
		l->iface->use.linked = r->now;
}

static void
link_keepalive_in(struct rns *r, struct link *l, const struct packet *p)
{
	static const uint8_t answer = 0xfe;

	if (p->data_len != 1 || p->data[0] != (l->initiator ? 0xfe : 0xff)) {
		core_drop(r, RNS_DROP_CONTEXT);
		return;
	}
	link_heard(r, l);
	if (!l->initiator && link_since(r->now, l->last_out) >= l->keepalive)
		(void)link_send_clear(r, l, PACKET_DATA, CTX_KEEPALIVE,
		    &answer, 1);
}

static void
link_dispatch(struct rns *r, struct link *l, struct packet *p,
    const uint8_t *data, size_t n)
{
	switch (p->context) {
	case CTX_NONE:
		link_data_in(r, l, p, data, n);
		return;
	case CTX_LINKIDENTIFY:
		link_identify_in(r, l, data, n);
		return;
	case CTX_REQUEST:
		request_in(r, l, p, data, n);
		return;
	case CTX_RESPONSE:
		request_response_in(r, l, data, n);
		return;
	case CTX_LRRTT:
		link_rtt_in(r, l, data, n);
		return;
	case CTX_LINKCLOSE:
		link_close_in(r, l, data, n);
		return;
	case CTX_RESOURCE_ADV:
		resource_adv_in(r, l, data, n);
		return;
	case CTX_RESOURCE_REQ:
		resource_tx_request_in(r, l, p, data, n);
		return;
	case CTX_RESOURCE_HMU:
		resource_hmu_in(r, l, data, n);
		return;
	case CTX_RESOURCE_ICL:
		resource_icl_in(r, l, data, n);
		return;
	case CTX_RESOURCE_RCL:
		resource_tx_rcl_in(r, l, data, n);
		return;
	default:
		core_drop(r, RNS_DROP_CONTEXT);
	}
}

static void
link_proofs_in(struct rns *r, struct link *l, struct packet *p)
{
	if (p->context == CTX_RESOURCE_PRF) {
		resource_tx_proof_in(r, l, p);
	} else if (p->context == CTX_NONE) {
		if (receipt_proof_in(r, p, l))
			l->last_proof = r->now;
		else
			core_drop(r, RNS_DROP_PROOF);
	} else {
		core_drop(r, RNS_DROP_CONTEXT);
	}
}

/*
 * What says under the link's key that the other end is up: the RTT packet, of
 * which there is one, or what came behind it when that was lost.
 */
static bool
link_opens(uint8_t context)
{
	return context == CTX_LRRTT || context == CTX_LINKIDENTIFY ||
	    context == CTX_REQUEST || context == CTX_RESOURCE_ADV ||
	    context == CTX_NONE;
}

/* true: goes on to the parts of a link that is up. */
static bool
link_accepts(struct rns *r, struct link *l, const struct packet *p)
{
	if (l->iface == NULL || l->status == LINK_PENDING)
		return core_drop(r, RNS_DROP_LINK_STATE);
	if (p->rx != l->iface)
		return core_drop(r, RNS_DROP_LINK_IF);
	if (p->dest_type != DEST_LINK)
		return core_drop(r, RNS_DROP_CONTEXT);
	if (l->status == LINK_HANDSHAKE &&
	    (p->type != PACKET_DATA ||
	    (!link_opens(p->context) && p->context != CTX_LINKCLOSE)))
		return core_drop(r, RNS_DROP_LINK_STATE);
	if (p->type != PACKET_DATA && p->type != PACKET_PROOF)
		return core_drop(r, RNS_DROP_CONTEXT);
	return true;
}

void
link_packet_in(struct rns *r, struct link *l, struct packet *p)
{
	size_t n;

	links_reap(r);
	if (!link_accepts(r, l, p))
		return;
	if (p->type == PACKET_DATA && p->context == CTX_KEEPALIVE) {
		link_keepalive_in(r, l, p);
		return;
	}
	link_heard(r, l);
	if (p->type == PACKET_PROOF) {
		link_proofs_in(r, l, p);
		return;
	}
	switch (p->context) {
	case CTX_RESOURCE:
		resource_part_in(r, l, p);
		return;
	case CTX_CACHE_REQUEST:
		resource_cache_in(r, l, p);
		return;
	case CTX_CHANNEL:
		channel_in(r, l, p);
		return;
	default:
		break;
	}
	if (p->data_len > r->links->scratch_cap ||
	    token_decrypt(r->links->plain, &n, r->links->scratch_cap, l->key,
	    sizeof(l->key), p->data, p->data_len) != RNS_OK) {
		core_drop(r, RNS_DROP_DECRYPT);
		return;
	}
	if (l->status == LINK_HANDSHAKE && p->context != CTX_LRRTT &&
	    p->context != CTX_LINKCLOSE && !link_rtt_lost(r, l))
		return;
	link_dispatch(r, l, p, r->links->plain, n);
}
