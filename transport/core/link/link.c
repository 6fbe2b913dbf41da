/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/link/link.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/event.h"
#include "transport/core/send/outbound.h"
#include "transport/core/send/forward.h"
#include "transport/core/table/path.h"
#include "transport/core/table/receipt.h"

#define FLAGS_DATA PACKET_FLAGS(DEST_LINK, PACKET_DATA)

static int
link_cmp(const struct link *a, const struct link *b)
{
	return hash16_cmp(&a->id, &b->id);
}

TREE_PROTOTYPE(link_tree, link, node, link_cmp)
TREE_GENERATE(link_tree, link, node, link_cmp)

static void link_timer(struct rns *, void *);

/* ---- values ---- */

uint32_t
link_mdu(uint32_t mtu)
{
	return (mtu - 1 - HEADER_1_LEN - TOKEN_OVERHEAD) / 16 * 16 - 1;
}

double
link_keepalive(double rtt)
{
	double k = rtt * LINK_KEEPALIVE_MAX / LINK_KEEPALIVE_MAX_RTT;

	if (k > LINK_KEEPALIVE_MAX)
		return LINK_KEEPALIVE_MAX;
	return k < LINK_KEEPALIVE_MIN ? LINK_KEEPALIVE_MIN : k;
}

double
link_establish_initiator(int64_t first_hop_us, uint8_t hops)
{
	return link_seconds(first_hop_us) +
	    LINK_HOP_TIMEOUT * (hops > 1 ? hops : 1);
}

double
link_establish_responder(uint8_t hops)
{
	return LINK_HOP_TIMEOUT * (hops > 1 ? hops : 1) + LINK_RESPONDER_GRACE;
}

bool
link_usable(const struct link *l)
{
	return l->status == LINK_ACTIVE || l->status == LINK_STALE;
}

/* ---- life ---- */

int
links_new(struct rns *r)
{
	struct links *ls = calloc(1, sizeof(*ls));

	if (ls == NULL)
		return RNS_ENOMEM;
	RB_INIT(&ls->tree);
	TAILQ_INIT(&ls->dead);
	TAILQ_INIT(&ls->young);
	ls->segment_max = RES_SEGMENT_MAX;
	r->links = ls;
	return RNS_OK;
}

void
links_reap(struct rns *r)
{
	struct link *l;

	while ((l = TAILQ_FIRST(&r->links->dead)) != NULL) {
		TAILQ_REMOVE(&r->links->dead, l, dead);
		r->notes -= l->lost;
		free(l);
	}
}

void
link_wipe(struct link *l)
{
	crypt_wipe(l->x_priv, sizeof(l->x_priv));
	crypt_wipe(l->sign_sk, sizeof(l->sign_sk));
	crypt_wipe(l->key, sizeof(l->key));
}

static void
link_receipts_clear(struct rns *r, struct link *l)
{
	struct link_receipt *lr;
	struct rns_event ev = {.type = RNS_EV_RECEIPT};

	while ((lr = TAILQ_FIRST(&l->receipts)) != NULL) {
		TAILQ_REMOVE(&l->receipts, lr, entry);
		receipt_drop(r, lr->receipt);
		ev.receipt.tag = lr->tag;
		ev.receipt.status = RNS_RECEIPT_FAILED;
		(void)event_push(r, &ev);
		free(lr);
	}
}

static void
link_grown(struct rns *r, struct link *l)
{
	if (l->is_young)
		TAILQ_REMOVE(&r->links->young, l, young);
	l->is_young = false;
}

/* The only way to CLOSED; nothing is sent here. */
void
link_end(struct rns *r, struct link *l, enum rns_link_reason why)
{
	if (l->status == LINK_CLOSED || !link_set_state(r, l, LINK_CLOSED))
		return;
	l->reason = why;
	link_grown(r, l);
	timer_clear(r, &l->timer);
	RB_REMOVE(link_tree, &r->links->tree, l);
	r->links->count--;
	r->counts.links--;
	r->links->closed(r, l);
	link_receipts_clear(r, l);
	link_event(r, l, RNS_EV_LINK_CLOSED);
	link_wipe(l);
	TAILQ_INSERT_TAIL(&r->links->dead, l, dead);
}

void
links_free(struct rns *r)
{
	struct link *l;

	if (r->links == NULL)
		return;
	while ((l = RB_MIN(link_tree, &r->links->tree)) != NULL)
		link_end(r, l, RNS_CLOSE_NONE);
	links_reap(r);
	if (r->links->plain != NULL)
		crypt_wipe(r->links->plain, r->links->scratch_cap);
	free(r->links->scratch);
	free(r->links->plain);
	free(r->links);
	r->links = NULL;
}

struct link *
link_find(const struct rns *r, const struct hash16 *id)
{
	struct link key;

	key.id = *id;
	return RB_FIND(link_tree, &r->links->tree, &key);
}

/* Two buffers for every link: one packet, and what it decrypts to. */
static int
link_room(struct rns *r, uint32_t mtu)
{
	struct links *ls = r->links;
	uint8_t *a, *b;

	if (mtu <= ls->scratch_cap)
		return RNS_OK;
	a = malloc(mtu);
	b = malloc(mtu);
	if (a == NULL || b == NULL) {
		free(a);
		free(b);
		return RNS_ENOMEM;
	}
	free(ls->scratch);
	if (ls->plain != NULL)
		crypt_wipe(ls->plain, ls->scratch_cap);
	free(ls->plain);
	ls->scratch = a;
	ls->plain = b;
	ls->scratch_cap = mtu;
	return RNS_OK;
}

int
link_mtu_set(struct rns *r, struct link *l, uint32_t mtu)
{
	int rc = link_room(r, mtu);

	if (rc != RNS_OK)
		return rc;
	l->mtu = mtu;
	l->mdu = link_mdu(mtu);
	return RNS_OK;
}

struct link *
link_new(struct rns *r)
{
	struct link *l;

	if (r->links->count >= r->cfg.limits.links)
		return NULL;
	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	TAILQ_INIT(&l->receipts);
	TAILQ_INIT(&l->requests);
	TAILQ_INIT(&l->served);
	TAILQ_INIT(&l->res_in);
	TAILQ_INIT(&l->res_out);
	timer_init(&l->timer, link_timer, l);
	l->rtt = 0;
	l->keepalive = LINK_KEEPALIVE_MAX;
	l->stale = LINK_STALE_FACTOR * l->keepalive;
	l->requested = r->now;
	l->last_in = l->last_out = l->last_proof = l->last_keepalive =
	    (struct mono){INT64_MIN / 2};
	return l;
}

void
link_insert(struct rns *r, struct link *l)
{
	RB_INSERT(link_tree, &r->links->tree, l);
	r->links->count++;
	r->counts.links++;
}

void
link_event(struct rns *r, const struct link *l, enum rns_event_type type)
{
	struct rns_event ev = {.type = type};

	ev.link.id = l->id;
	ev.link.dest = l->dest;
	ev.link.tag = l->tag;
	ev.link.initiator = l->initiator;
	if (l->identified || (l->initiator && link_usable(l))) {
		memcpy(ev.link.identity, l->peer_pub, RNS_KEY);
		ev.link.identity_hash = l->peer_hash;
	}
	ev.link.reason = l->reason;
	ev.link.rtt_us = mono_seconds(l->rtt);
	ev.link.mtu = l->mtu;
	ev.link.mdu = l->mdu;
	ev.link.hops = l->hops;
	ev.link.ifid = l->iface != NULL ? l->iface->cfg.id : 0;
	(void)event_push(r, &ev);
}

/* ---- sending ---- */

static int
link_out(struct rns *r, struct link *l, const uint8_t *raw, size_t len,
    struct id32 *hash)
{
	int rc = core_out(r, raw, len, l->iface);

	if (rc != RNS_OK)
		return rc;
	l->last_out = r->now;
	if (hash != NULL)
		packet_hash(hash, raw, len, false);
	return RNS_OK;
}

int
link_sendv(struct rns *r, struct link *l, uint8_t context,
    const struct iovec_c *v, size_t count, struct id32 *hash)
{
	uint8_t iv[16], *raw = r->links->scratch;
	size_t len = 0, n = 0;
	int rc;

	if (l->status == LINK_CLOSED || l->status == LINK_PENDING)
		return RNS_ESTATE;
	if (l->iface == NULL)
		return RNS_ENOENT;
	for (size_t i = 0; i < count; i++)
		len += v[i].n;
	if (len > l->mdu)
		return RNS_EBIG;
	core_random(r, iv, sizeof(iv));
	n = packet_head(raw, FLAGS_DATA, &l->id, context);
	rc = token_encryptv(raw + n, &len, l->mtu - n, l->key, sizeof(l->key),
	    iv, v, count);
	if (rc != RNS_OK)
		return rc;
	return link_out(r, l, raw, n + len, hash);
}

int
link_send(struct rns *r, struct link *l, uint8_t context, const void *p,
    size_t n, struct id32 *hash)
{
	const struct iovec_c v = {p, n};

	return link_sendv(r, l, context, &v, 1, hash);
}

int
link_send_clear(struct rns *r, struct link *l, enum packet_type type,
    uint8_t context, const void *p, size_t n)
{
	size_t len;

	if (l->iface == NULL)
		return RNS_ENOENT;
	len = packet_build(r->links->scratch, l->mtu,
	    PACKET_FLAGS(DEST_LINK, type), &l->id, context, p, n);
	if (len == 0)
		return RNS_EBIG;
	return link_out(r, l, r->links->scratch, len, NULL);
}

int
link_send_raw(struct rns *r, struct link *l, const uint8_t *raw, size_t len)
{
	struct iovec_c rest = {raw + 2, len - 2};
	int rc;

	if (l->iface == NULL)
		return RNS_ENOENT;
	rc = forward(r, l->iface, raw[0], hops_out(r, l->iface, raw[1]), NULL,
	    &rest, 1);
	if (rc == RNS_OK)
		l->last_out = r->now;
	return rc;
}

void
link_prove(struct rns *r, struct link *l, const struct id32 *hash)
{
	uint8_t data[PROOF_EXPLICIT_LEN];

	memcpy(data, HASH_BYTES(*hash));
	proof_sign(data + RNS_FULL_HASH, l->sign_sk, hash);
	(void)link_send_clear(r, l, PACKET_PROOF, CTX_NONE, data, sizeof(data));
}

void
link_teardown(struct rns *r, struct link *l, enum rns_link_reason why)
{
	if (l->status != LINK_PENDING && l->status != LINK_CLOSED)
		(void)link_send(r, l, CTX_LINKCLOSE, HASH_BYTES(l->id), NULL);
	link_end(r, l, why);
}

void
link_teardown_own(struct rns *r, struct link *l)
{
	link_teardown(r, l,
	    l->initiator ? RNS_CLOSE_INITIATOR : RNS_CLOSE_DESTINATION);
}

/* ---- watchdog (reticulum-endpoint.md 6.9) ---- */

double
link_since(struct mono now, struct mono then)
{
	return link_seconds(mono_sub(now, then));
}

struct link_check
link_watch(const struct link *l, struct mono now)
{
	struct link_check c = {.next = LINK_WATCHDOG_MAX};
	struct mono in = l->last_in;
	double left;

	if (l->status == LINK_PENDING || l->status == LINK_HANDSHAKE) {
		c.next = l->establish - link_since(now, l->requested);
		c.close = c.next <= 0;
		c.reason = RNS_CLOSE_TIMEOUT;
		return c;
	}
	if (l->status == LINK_STALE) {
		c.close = true;
		c.reason = RNS_CLOSE_TIMEOUT;
		return c;
	}
	if (l->last_proof.us > in.us)
		in = l->last_proof;
	if (l->activated.us > in.us)
		in = l->activated;
	if (link_since(now, in) >= l->keepalive ||
	    link_since(now, l->last_out) >= l->keepalive) {
		c.keepalive = l->initiator &&
		    link_since(now, l->last_keepalive) >= l->keepalive;
		c.stale = link_since(now, in) >= l->stale;
		return c;
	}
	left = l->keepalive - link_since(now, in);
	if (left < c.next)
		c.next = left;
	return c;
}

void
link_timer_set(struct rns *r, struct link *l, double s)
{
	int64_t us = mono_seconds(s);

	timer_set(r, &l->timer, mono_add(r->now, us > 0 ? us : 1));
}

/*
 * A node that relays keeps the path; others ask for a better one, but not when
 * one has come since: of that a request sent before says nothing.
 */
static void
link_never_up(struct rns *r, struct link *l)
{
	const struct path *path = path_find(r, &l->dest);
	int64_t age = mono_sub(r->now, l->requested);

	if (!l->initiator || r->cfg.transport ||
	    (path != NULL && path->learned_us > core_wall_us(r) - age))
		return;
	path_drop(r, &l->dest);
	l->lost = true;
	r->notes++;
}

bool
link_lost_next(struct rns *r, struct hash16 *dest)
{
	struct link *l;

	TAILQ_FOREACH(l, &r->links->dead, dead) {
		if (!l->lost)
			continue;
		l->lost = false;
		r->notes--;
		*dest = l->dest;
		return true;
	}
	return false;
}

static void
link_timer(struct rns *r, void *arg)
{
	static const uint8_t ask = 0xff;
	struct link *l = arg;
	struct link_check c = link_watch(l, r->now);

	if (c.close) {
		if (l->status == LINK_STALE) {
			link_teardown(r, l, c.reason);
			return;
		}
		if (l->status == LINK_PENDING)
			link_never_up(r, l);
		link_end(r, l, c.reason);
		return;
	}
	if (c.keepalive) {
		(void)link_send_clear(r, l, PACKET_DATA, CTX_KEEPALIVE, &ask,
		    1);
		l->last_keepalive = r->now;
	}
	if (c.stale && !link_set_state(r, l, LINK_STALE))
		return;
	link_timer_set(r, l, c.next);
}

bool
link_activate(struct rns *r, struct link *l, double rtt)
{
	if (!link_set_state(r, l, LINK_ACTIVE))
		return false;
	link_grown(r, l);
	/* an RTT that nobody can have measured must not stop the timers */
	if (!(rtt > 0))
		rtt = 0;
	l->rtt = rtt > LINK_RTT_MAX ? LINK_RTT_MAX : rtt;
	l->keepalive = link_keepalive(l->rtt);
	l->stale = LINK_STALE_FACTOR * l->keepalive;
	l->activated = r->now;
	link_timer_set(r, l, link_watch(l, r->now).next);
	return true;
}

uint32_t
link_frames(const struct link *l, size_t len)
{
	const struct rns_if *c = l->iface != NULL ? &l->iface->cfg : NULL;

	return c == NULL || c->frame == 0 ? 1 :
	    (uint32_t)((len + c->ifac_size + c->frame - 1) / c->frame);
}

void
link_counted(struct rns *r, struct link *l, uint32_t frames, uint32_t of,
    uint32_t lost)
{
	loss_count(&l->loss, frames, of, lost, r->now);
	if (l->iface != NULL)
		loss_count(&l->iface->loss, frames, of, lost, r->now);
}

void
link_iface_gone(struct rns *r, const struct iface *i)
{
	struct link *l, *next;

	for (l = RB_MIN(link_tree, &r->links->tree); l != NULL; l = next) {
		next = RB_NEXT(link_tree, &r->links->tree, l);
		if (l->iface != i)
			continue;
		l->iface = NULL;
		link_end(r, l, RNS_CLOSE_INTERFACE);
	}
}
