/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/link/link_open.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "transport/core/send/outbound.h"
#include "transport/core/table/known.h"
#include "transport/core/table/path.h"
#include "common/mpk.h"

/*
 * How a link comes up: request, proof, RTT (reticulum-endpoint.md 6.3 to 6.8).
 */

/* ---- responder (reticulum-endpoint.md 6.4) ---- */

static bool
link_signalled(const struct packet *p, size_t base, uint32_t *mtu,
    uint8_t *mode)
{
	*mtu = RNS_MTU;
	*mode = LINK_MODE_AES256;
	if (p->data_len == base)
		return true;
	if (p->data_len != base + LINK_SIGNALLING_LEN)
		return false;
	signalling_get(p->data + base, mtu, mode);
	if (*mtu == 0)
		*mtu = RNS_MTU;
	return *mtu >= LINK_MTU_MIN;
}

static int
link_derive(struct link *l, const uint8_t x_priv[32], const uint8_t peer[32])
{
	uint8_t shared[32];
	int rc = crypt_x25519(shared, x_priv, peer);

	if (rc == RNS_OK)
		crypt_hkdf(l->key, sizeof(l->key), shared, sizeof(shared),
		    HASH_BYTES(l->id));
	crypt_wipe(shared, sizeof(shared));
	return rc;
}

/*
 * link id || responder X25519 || identity Ed25519 || signalling
 * (reticulum-endpoint.md 6.5)
 */
static size_t
link_proof_text(uint8_t out[RNS_HASH + 64 + LINK_SIGNALLING_LEN],
    const struct link *l, const uint8_t x_pub[32], const uint8_t ed_pub[32],
    const uint8_t *signalling, size_t n)
{
	struct wr w = wr_make(out, RNS_HASH + 64 + LINK_SIGNALLING_LEN);

	wr_bytes(&w, HASH_BYTES(l->id));
	wr_bytes(&w, x_pub, 32);
	wr_bytes(&w, ed_pub, 32);
	wr_bytes(&w, signalling, n);
	return w.len;
}

static int
link_proof_send(struct rns *r, struct link *l, const struct dest *d)
{
	uint8_t text[RNS_HASH + 64 + LINK_SIGNALLING_LEN];
	uint8_t data[LINK_PROOF_LEN + LINK_SIGNALLING_LEN];
	size_t n;

	signalling_put(data + LINK_PROOF_LEN, l->mtu, LINK_MODE_AES256);
	n = link_proof_text(text, l, l->x_pub, d->identity.pub + 32,
	    data + LINK_PROOF_LEN, LINK_SIGNALLING_LEN);
	identity_sign(&d->identity, data, text, n);
	memcpy(data + 64, l->x_pub, 32);
	return link_send_clear(r, l, PACKET_PROOF, CTX_LRPROOF, data,
	    sizeof(data));
}

/*
 * Requests cost their sender nothing: the oldest that did not come up yet makes
 * room for another one, and for a link of our own.
 */
static void
links_room(struct rns *r)
{
	struct link *l;

	if (r->links->count < r->cfg.limits.links ||
	    (l = TAILQ_FIRST(&r->links->young)) == NULL)
		return;
	core_drop_of(r, RNS_DROP_LIMIT, &l->dest, 0);
	link_end(r, l, RNS_CLOSE_TIMEOUT);
	links_reap(r);
}

void
link_request_in(struct rns *r, struct dest *d, struct packet *p)
{
	uint32_t mtu, local;
	uint8_t mode, x_priv[32];
	struct hash16 id;
	struct link *l;
	int rc;

	links_reap(r);
	if (d->type != RNS_SINGLE || !d->accept_links ||
	    p->dest_type != DEST_SINGLE) {
		core_drop(r, RNS_DROP_NO_DEST);
		return;
	}
	if (!link_signalled(p, LINK_KEYS_LEN, &mtu, &mode)) {
		core_drop(r, RNS_DROP_LINK_REQUEST);
		return;
	}
	if (mode != LINK_MODE_AES256) {
		core_drop(r, RNS_DROP_LINK_MODE);
		return;
	}
	packet_link_id(&id, p);
	if (link_find(r, &id) != NULL) {
		core_drop(r, RNS_DROP_LINK_REQUEST);
		return;
	}
	links_room(r);
	if ((l = link_new(r)) == NULL) {
		core_drop(r, RNS_DROP_LIMIT);
		return;
	}
	l->id = id;
	local = p->rx->cfg.mtu_signal && p->rx->cfg.hw_mtu != 0 ?
	    p->rx->cfg.hw_mtu : RNS_MTU;
	if (p->rx->cfg.hw_mtu == 0 || mtu > local)
		mtu = p->rx->cfg.hw_mtu == 0 ? RNS_MTU : local;
	core_random(r, x_priv, sizeof(x_priv));
	crypt_x25519_public(l->x_pub, x_priv);
	rc = link_derive(l, x_priv, p->data);
	crypt_wipe(x_priv, sizeof(x_priv));
	if (rc != RNS_OK ||
	    link_mtu_set(r, l, mtu) != RNS_OK ||
	    !link_set_state(r, l, LINK_HANDSHAKE)) {
		core_drop(r, RNS_DROP_LINK_REQUEST);
		link_wipe(l);
		free(l);
		return;
	}
	l->dest = d->hash;
	memcpy(l->peer_ed, p->data + 32, 32);
	memcpy(l->sign_sk, d->identity.ed_sk, sizeof(l->sign_sk));
	l->resources = d->resources;
	l->iface = p->rx;
	l->hops = p->hops;
	l->last_in = r->now;
	l->establish = link_establish_responder(p->hops);
	link_insert(r, l);
	TAILQ_INSERT_TAIL(&r->links->young, l, young);
	l->is_young = true;
	l->cost = (uint32_t)p->raw_len + HEADER_1_LEN + LINK_PROOF_LEN +
	    LINK_SIGNALLING_LEN;
	(void)link_proof_send(r, l, d);
	link_timer_set(r, l, l->establish);
}

/* ---- initiator (reticulum-endpoint.md 6.3, 6.5) ---- */

int
link_open(struct rns *r, const struct rns_cmd *c)
{
	uint8_t seed[32], data[LINK_KEYS_LEN + LINK_SIGNALLING_LEN];
	uint8_t raw[HEADER_1_LEN + sizeof(data)];
	const struct rns_stamps *s = &r->cfg.stamps;
	struct known *k = known_find(r, &c->link_open.dest);
	struct iface *via = path_iface(r, &c->link_open.dest);
	struct packet p;
	struct link *l;
	uint32_t mtu = RNS_MTU;
	size_t n;
	int rc;

	if (k == NULL)
		return RNS_ENOENT;
	links_room(r);
	if (r->links->count >= r->cfg.limits.links)
		return RNS_ELIMIT;
	if (r->cfg.link_mtu_discovery && via != NULL && via->cfg.mtu_signal &&
	    via->cfg.hw_mtu >= LINK_MTU_MIN)
		mtu = MIN_OF(via->cfg.hw_mtu, LINK_MTU_MASK);
	if ((l = link_new(r)) == NULL || link_mtu_set(r, l, mtu) != RNS_OK) {
		free(l);
		return RNS_ENOMEM;
	}
	core_random(r, l->x_priv, sizeof(l->x_priv));
	core_random(r, seed, sizeof(seed));
	crypt_ed25519_expand(l->sign_sk, seed);
	crypt_wipe(seed, sizeof(seed));
	if (s->link_key != NULL)
		(void)s->link_key(s->arg, &c->link_open.dest, l->sign_sk + 32,
		    l->x_priv);
	crypt_x25519_public(data, l->x_priv);
	memcpy(data + 32, l->sign_sk + 32, 32);
	signalling_put(data + LINK_KEYS_LEN, mtu, LINK_MODE_AES256);
	n = packet_build(raw, sizeof(raw),
	    PACKET_FLAGS(DEST_SINGLE, PACKET_LINKREQUEST), &c->link_open.dest,
	    CTX_NONE, data, sizeof(data));
	rc = packet_parse(&p, raw, n);
	if (rc == RNS_OK) {
		packet_link_id(&l->id, &p);
		if (link_find(r, &l->id) != NULL)
			rc = RNS_EEXIST;
	}
	l->dest = c->link_open.dest;
	memcpy(l->peer_pub, known_key(k), RNS_KEY);
	l->peer_hash = known_identity(k);
	memcpy(l->peer_ed, known_key(k) + 32, 32);
	known_mark_used(r, k);
	l->initiator = true;
	l->tag = c->link_open.tag;
	l->resources = c->link_open.resources;
	l->mtu_asked = mtu;
	l->hops = path_hops(r, &l->dest);
	l->cost = (uint32_t)n;
	l->establish = link_establish_initiator(
	    path_first_hop_timeout_us(r, &l->dest), l->hops);
	if (rc == RNS_OK)
		rc = core_out(r, raw, n, NULL);
	if (rc != RNS_OK) {
		link_wipe(l);
		free(l);
		return rc;
	}
	l->last_out = r->now;
	link_insert(r, l);
	link_timer_set(r, l, l->establish);
	link_event(r, l, RNS_EV_LINK_PENDING);
	return RNS_OK;
}

static bool
link_proof_valid(const struct link *l, const struct packet *p)
{
	uint8_t text[RNS_HASH + 64 + LINK_SIGNALLING_LEN];
	size_t n = link_proof_text(text, l, p->data + 64, l->peer_ed,
	    p->data + LINK_PROOF_LEN, p->data_len - LINK_PROOF_LEN);

	return crypt_ed25519_verify(l->peer_ed, p->data, text, n);
}

static void
link_rtt_send(struct rns *r, struct link *l)
{
	uint8_t b[9];
	struct wr w = wr_make(b, sizeof(b));

	mpk_put_double(&w, l->rtt);
	(void)link_send(r, l, CTX_LRRTT, b, w.len, NULL);
}

void
link_proof_in(struct rns *r, struct link *l, struct packet *p)
{
	uint32_t mtu;
	uint8_t mode;

	links_reap(r);
	if (!l->initiator || l->status != LINK_PENDING) {
		core_drop(r, RNS_DROP_LINK_STATE);
		return;
	}
	if (p->data_len != LINK_PROOF_LEN &&
	    p->data_len != LINK_PROOF_LEN + LINK_SIGNALLING_LEN) {
		core_drop(r, RNS_DROP_LINK_PROOF);
		return;
	}
	/*
	 * The signature comes first, before anything changes: a forged proof
	 * must not spoil the state for the genuine one
	 * (reticulum-endpoint.md 16.23).
	 */
	if (!link_proof_valid(l, p)) {
		core_drop(r, RNS_DROP_LINK_PROOF);
		return;
	}
	if (!link_signalled(p, LINK_PROOF_LEN, &mtu, &mode) ||
	    mode != LINK_MODE_AES256) {
		core_drop(r, RNS_DROP_LINK_MODE);
		link_end(r, l, RNS_CLOSE_TIMEOUT);
		return;
	}
	if (mtu > l->mtu_asked)
		mtu = l->mtu_asked;
	if (p->hops != l->hops) {
		if (l->rebalanced) {
			core_drop(r, RNS_DROP_LINK_HOPS);
			return;
		}
		l->rebalanced = true;
		l->hops = p->hops;
		path_rebalance(r, &l->dest, p->rx, p->hops);
	}
	if (link_derive(l, l->x_priv, p->data + 64) != RNS_OK ||
	    link_mtu_set(r, l, mtu) != RNS_OK) {
		core_drop(r, RNS_DROP_LINK_PROOF);
		return;
	}
	crypt_wipe(l->x_priv, sizeof(l->x_priv));
	l->iface = p->rx;
	l->last_in = r->now;
	l->cost += (uint32_t)p->raw_len;
	if (!link_activate(r, l, link_since(r->now, l->requested)))
		return;
	l->asker_rtt = l->rtt;
	link_rtt_send(r, l);
	link_event(r, l, RNS_EV_LINK_UP);
}

bool
link_rtt_lost(struct rns *r, struct link *l)
{
	double rtt = link_since(r->now, l->requested);
	double most = l->establish - LINK_RESPONDER_GRACE + PER_HOP_TIMEOUT;

	/* the initiator may have been silent for long, but not before its proof
	 * had come: it would have given up */
	if (l->iface != NULL && l->iface->cfg.bitrate > 0)
		most += RNS_MTU * 8.0 / (double)l->iface->cfg.bitrate;
	if (!link_activate(r, l, rtt < most ? rtt : most))
		return false;
	link_event(r, l, RNS_EV_LINK_UP);
	return true;
}

void
link_rtt_in(struct rns *r, struct link *l, const uint8_t *p, size_t n)
{
	struct rd rd = rd_make(p, n);
	double rtt, own = link_since(r->now, l->requested);

	if (l->initiator || l->status != LINK_HANDSHAKE) {
		core_drop(r, RNS_DROP_LINK_STATE);
		return;
	}
	if (!mpk_get_number(&rd, &rtt) || isnan(rtt)) {
		core_drop(r, RNS_DROP_LINK_STATE);
		link_teardown_own(r, l);
		return;
	}
	if (!link_activate(r, l, rtt > own ? rtt : own))
		return;
	l->asker_rtt = rtt < 0 ? 0 : MIN_OF(rtt, l->rtt);
	link_event(r, l, RNS_EV_LINK_UP);
}
