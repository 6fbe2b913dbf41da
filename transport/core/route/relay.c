/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/route/relay.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/crypt.h"
#include "transport/core/base/dedup.h"
#include "transport/core/route/pathreq.h"
#include "transport/core/send/forward.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/known.h"
#include "transport/core/table/reverse.h"
#include "transport/core/table/share.h"

/*
 * Relaying (reticulum-transport.md 3.7 to 3.10): packets by transport id, and
 * the link table (reticulum-transport.md 2.4) that the packets of a link follow
 * afterwards.
 */

/* ours: links in use that are passed over in search of an idle one */
#define IDLEST_LOOK 64

struct relay {
	struct htab links;
};

int
relay_new(struct rns *r)
{
	r->relay = calloc(1, sizeof(*r->relay));
	if (r->relay == NULL)
		return RNS_ENOMEM;
	if (htab_init(r, &r->relay->links, sizeof(struct rlink)) != RNS_OK) {
		free(r->relay);
		r->relay = NULL;
		return RNS_ENOMEM;
	}
	return reverse_new(r);
}

static struct rlink_ages *
rlink_list(const struct rlink *e)
{
	return e->validated ? &e->received->proved_links :
	    &e->received->young_links;
}

static void
rlink_free(struct rns *r, struct rlink *e)
{
	timer_clear(r, &e->timer);
	htab_remove(&r->relay->links, e);
	TAILQ_REMOVE(rlink_list(e), e, age);
	share_give(r, e->received, SHARE_LINKS);
	if (e->validated)
		r->counts.link_table_active--;
	r->counts.link_table--;
	htab_free(&r->relay->links, e);
}

void
relay_free(struct rns *r)
{
	struct rlink *e;

	reverse_free(r);
	if (r->relay == NULL)
		return;
	while ((e = htab_first(&r->relay->links)) != NULL)
		rlink_free(r, e);
	htab_clear(&r->relay->links);
	free(r->relay);
	r->relay = NULL;
}

void
relay_iface_gone(struct rns *r, const struct iface *i)
{
	struct rlink *e, *next;

	for (e = htab_first(&r->relay->links); e != NULL; e = next) {
		next = htab_after(&r->relay->links, &e->id, false);
		if (e->next == i || e->received == i) {
			(void)core_drop_of(r, RNS_DROP_IF_GONE, &e->id,
			    i->cfg.id);
			rlink_free(r, e);
		}
	}
	reverse_iface_gone(r, i);
}

static struct rlink *
rlink_find(const struct rns *r, const struct hash16 *id)
{
	return r->counts.link_table != 0 ? htab_find(&r->relay->links, id) :
	    NULL;
}

static bool
is_program(const struct iface *i)
{
	return i->cfg.kind == RNS_IF_LOCAL_CLIENT;
}

bool
relay_has_link(const struct rns *r, const struct hash16 *id,
    bool *next_local, bool *received_local)
{
	const struct rlink *e = rlink_find(r, id);

	if (e == NULL)
		return false;
	*next_local = is_program(e->next);
	*received_local = is_program(e->received);
	return true;
}

void
relay_show(const struct rns *r, const struct hash16 *id,
    struct rns_about *out)
{
	const struct rlink *e = rlink_find(r, id);

	if (e == NULL)
		return;
	out->relayed_link = true;
	out->link_dest = e->dest;
	out->link_proved = e->validated;
	out->link_from_ifid = e->received->cfg.id;
	out->link_to_ifid = e->next->cfg.id;
	out->link_hops_taken = e->taken;
	out->link_hops_left = e->remaining;
	out->link_used_us = core_wall_of(r, e->used);
}

/*
 * The link was never proved: the path may be gone (reticulum-transport.md 2.4).
 * First match of the four rules; rules 3 and 4 do the same.
 */
static void
rlink_rediscover(struct rns *r, const struct rlink *e)
{
	struct path *path = path_find(r, &e->dest);
	bool throttled = pathreq_throttled(r, &e->dest);

	if (path == NULL) {
		pathreq_rediscover(r, &e->dest, NULL);
	} else if (throttled) {
		return;
	} else if (e->taken == 0) {
		pathreq_rediscover(r, &e->dest, NULL);
	} else if (path->hops == 1 || e->taken == 1) {
		pathreq_rediscover(r, &e->dest, e->received);
		if (r->cfg.transport &&
		    e->received->cfg.mode != RNS_MODE_BOUNDARY)
			path->state = PATH_UNRESPONSIVE;
	} else {
		return;
	}
	if (!r->cfg.transport)
		path_drop(r, &e->dest);
}

static void
rlink_timer(struct rns *r, void *arg)
{
	struct rlink *e = arg;
	struct mono end = mono_add(e->used, LINK_TIMEOUT * MONO_SECOND);

	if (e->validated && !mono_reached(r->now, end)) {
		timer_set(r, &e->timer, end);
		return;
	}
	(void)core_drop_of(r, e->validated ? RNS_DROP_LINK_IDLE :
	    RNS_DROP_LINK_UNPROVED, &e->id, e->received->cfg.id);
	/* That nobody answers what nobody knows says nothing of the path. */
	if (!e->validated && e->answerable)
		rlink_rediscover(r, e);
	rlink_free(r, e);
}

/* reticulum-transport.md 2.4 field 8 */
static struct mono
proof_timeout(const struct rns *r, const struct iface *next, uint8_t hops)
{
	int64_t us = (int64_t)PER_HOP_TIMEOUT * MAX_OF(1, hops) * MONO_SECOND;

	if (next->cfg.bitrate != 0)
		us += (int64_t)((uint64_t)RNS_MTU * 8 * MONO_SECOND /
		    next->cfg.bitrate);
	return mono_add(r->now, us);
}

/* The proved link of i that was unused for longest, or nearly so. */
static struct rlink *
rlink_idlest(struct iface *i)
{
	struct rlink *e;

	for (unsigned n = 0; n < IDLEST_LOOK; n++) {
		e = TAILQ_FIRST(&i->proved_links);
		if (e == NULL || e->used.us == e->looked.us)
			return e;
		e->looked = e->used;
		TAILQ_REMOVE(&i->proved_links, e, age);
		TAILQ_INSERT_TAIL(&i->proved_links, e, age);
	}
	return TAILQ_FIRST(&i->proved_links);
}

/*
 * When the table is full the oldest link that nobody has proved makes room,
 * since requests cost their sender nothing: of the interface that has more
 * than its share. That one's proved links go, too, but not for its own.
 */
static bool
rlink_room(struct rns *r, struct iface *from)
{
	struct iface *victim;
	struct rlink *e;

	if (r->counts.link_table < r->cfg.limits.link_table)
		return true;
	(void)core_drop(r, RNS_DROP_LINKS_FULL);
	victim = share_victim(r, from, SHARE_LINKS, r->cfg.limits.link_table);
	e = TAILQ_FIRST(&victim->young_links);
	if (e == NULL && victim != from)
		e = rlink_idlest(victim);
	if (e == NULL)
		return false;
	rlink_free(r, e);
	return true;
}

/* reticulum-1.6.md 10.2 rule 4: others are passed on, and not answered. */
static bool
is_answerable(const struct packet *p)
{
	uint32_t mtu;
	uint8_t mode;

	if (p->data_len == LINK_KEYS_LEN)
		return true;
	if (p->data_len != LINK_KEYS_LEN + LINK_SIGNALLING_LEN)
		return false;
	signalling_get(p->data + LINK_KEYS_LEN, &mtu, &mode);
	return mode == LINK_MODE_AES256;
}

struct rlink *
relay_put(struct rns *r, const struct hash16 *id, struct iface *received,
    struct iface *next)
{
	struct rlink *e = htab_add(&r->relay->links, id);

	if (e == NULL)
		return NULL;
	e->next = next;
	e->received = received;
	e->used = r->now;
	timer_init(&e->timer, rlink_timer, e);
	TAILQ_INSERT_TAIL(rlink_list(e), e, age);
	share_take(r, received, SHARE_LINKS);
	r->counts.link_table++;
	return e;
}

/*
 * The link id leaves the signalling bytes out, so another packet can have the
 * id of a link that there is: the first one keeps it, or whoever has heard a
 * link request could turn the link away.
 */
static bool
rlink_add(struct rns *r, const struct packet *p, const struct path *path)
{
	struct hash16 id;
	struct rlink *e;

	packet_link_id(&id, p);
	if (rlink_find(r, &id) != NULL)
		return core_drop(r, RNS_DROP_DUPLICATE);
	if (!rlink_room(r, p->rx))
		return false;
	e = relay_put(r, &id, p->rx, path->rx);
	if (e == NULL)
		return core_drop(r, RNS_DROP_MEMORY);
	e->dest = *p->dest;
	e->remaining = path->hops;
	e->taken = p->hops;
	e->answerable = is_answerable(p);
	timer_set(r, &e->timer, proof_timeout(r, path->rx, path->hops));
	return true;
}

/*
 * MTU rule of 3.7. *cut: bytes to leave out at the end; *put: 3 new ones stand
 * there. False: dropped.
 */
static bool
clamp_mtu(const struct packet *p, const struct iface *to, size_t *cut,
    bool *put, uint8_t sig[LINK_SIGNALLING_LEN])
{
	uint32_t mtu, n = to->cfg.hw_mtu, q = p->rx->cfg.hw_mtu;
	uint8_t mode;

	*cut = 0;
	*put = false;
	if (p->data_len != LINK_KEYS_LEN + LINK_SIGNALLING_LEN)
		return true;
	signalling_get(p->data + LINK_KEYS_LEN, &mtu, &mode);
	if (n == 0 || !to->cfg.mtu_signal) {
		*cut = LINK_SIGNALLING_LEN;
		return true;
	}
	if (n >= mtu && (q == 0 || q >= mtu))
		return true;
	if (q == 0 || mode != LINK_MODE_AES256)
		return false;
	*cut = LINK_SIGNALLING_LEN;
	*put = true;
	signalling_put(sig, MIN_OF(n, q), mode);
	return true;
}

/*
 * The hop byte of a packet that is passed on: what a program of ours sends may
 * look as if it came from further away (reticulum-transport.md 5.4).
 */
static uint8_t
hops_on(const struct rns *r, const struct packet *p, const struct iface *to)
{
	return p->from_local ? hops_out(r, to, p->hops) : p->hops;
}

/* forward() of what did not begin here. */
static int
pass_on(struct rns *r, struct iface *to, uint8_t flags, uint8_t hop,
    const uint8_t *transport_id, const struct iovec_c *rest, size_t count)
{
	int err;

	r->passing = true;
	err = forward(r, to, flags, hop, transport_id, rest, count);
	r->passing = false;
	return err;
}

bool
relay_forward(struct rns *r, struct packet *p, struct path *path)
{
	uint8_t flags = p->flags, sig[LINK_SIGNALLING_LEN];
	const uint8_t *tid = p->transport_id;
	struct iovec_c v[2];
	size_t cut = 0;
	bool put = false;

	if (p->type == PACKET_LINKREQUEST) {
		if (!clamp_mtu(p, path->rx, &cut, &put, sig))
			return core_drop(r, RNS_DROP_LINK_REQUEST);
		if (!rlink_add(r, p, path))
			return false;
	} else {
		reverse_add(r, hash16_at(p->hash.b), p->rx, path->rx);
	}
	if (path->hops > 1) {
		tid = path->next_hop.b;
	} else if (path->hops == 1 || (r->hops_delta != 0 && p->header_2 &&
	    is_program(path->rx))) {
		tid = NULL;
		flags &= FLAGS_LOW;
	}
	v[0] = (struct iovec_c){p->dest->b, RNS_HASH + 1 + p->data_len - cut};
	v[1] = (struct iovec_c){sig, sizeof(sig)};
	path_touch(r, path);
	if (pass_on(r, path->rx, flags, hops_on(r, p, path->rx), tid, v,
	    put ? 2 : 1) != RNS_OK)
		return false;
	p->rx->use.useful = path->rx->use.useful = r->now;
	return true;
}

/* Everything behind the hop byte stays (reticulum-transport.md 3.8). */
static bool
rlink_forward(struct rns *r, struct packet *p, struct iface *to)
{
	struct iovec_c v = {p->dest->b, RNS_HASH + 1 + p->data_len};

	if (!packet_exempt(p->context))
		dedup_add(r, &p->hash);
	if (pass_on(r, to, p->flags, hops_on(r, p, to), p->transport_id, &v,
	    1) != RNS_OK)
		return false;
	/* proved, or it would not have come here */
	p->rx->use.linked = to->use.linked = r->now;
	r->counts.relayed++;
	return true;
}

void
relay_link_packet(struct rns *r, struct packet *p)
{
	struct rlink *e = rlink_find(r, p->dest);
	struct iface *to = NULL;

	if (e == NULL || !e->validated) {
		(void)core_drop(r, RNS_DROP_LINK_STATE);
		return;
	}
	if (p->rx != e->next && p->rx != e->received) {
		(void)core_drop(r, RNS_DROP_LINK_IF);
		return;
	}
	/* With one interface both directions come in on it. */
	if (p->rx == e->next && p->hops == e->remaining)
		to = e->received;
	else if (p->rx == e->received && p->hops == e->taken)
		to = e->next;
	if (to == NULL) {
		(void)core_drop(r, RNS_DROP_LINK_HOPS);
		return;
	}
	e->used = r->now;
	(void)rlink_forward(r, p, to);
}

/*
 * reticulum-transport.md 3.9 step 2: signed by the destination's identity,
 * known from an announce.
 */
static bool
proof_valid(const struct rns *r, const struct rlink *e,
    const struct packet *p)
{
	const struct known *k = known_find(r, &e->dest);
	uint8_t buf[RNS_HASH + 32 + 32 + LINK_SIGNALLING_LEN];
	uint8_t sig[LINK_SIGNALLING_LEN], mode;
	struct wr w = wr_make(buf, sizeof(buf));
	uint32_t mtu;

	if (k == NULL)
		return false;
	wr_bytes(&w, HASH_BYTES(e->id));
	wr_bytes(&w, p->data + RNS_SIG, 32);
	wr_bytes(&w, known_key(k) + 32, 32);
	if (p->data_len == LINK_PROOF_LEN + LINK_SIGNALLING_LEN) {
		signalling_get(p->data + LINK_PROOF_LEN, &mtu, &mode);
		if (mode != LINK_MODE_AES256)
			return false;
		signalling_put(sig, mtu, mode);
		wr_bytes(&w, sig, sizeof(sig));
	}
	return wr_ok(&w) && crypt_ed25519_verify(known_key(k) + 32, p->data,
	    buf, w.len);
}

void
relay_link_proof(struct rns *r, struct packet *p)
{
	struct rlink *e = rlink_find(r, p->dest);
	struct known *k;

	if (e == NULL || p->rx != e->next) {
		(void)core_drop(r, RNS_DROP_LINK_IF);
		return;
	}
	if (p->hops != e->remaining && e->validated) {
		(void)core_drop(r, RNS_DROP_LINK_HOPS);
		return;
	}
	if ((p->data_len != LINK_PROOF_LEN &&
	    p->data_len != LINK_PROOF_LEN + LINK_SIGNALLING_LEN) ||
	    !proof_valid(r, e, p)) {
		(void)core_drop(r, RNS_DROP_LINK_PROOF);
		return;
	}
	if (p->hops != e->remaining) {
		/* The way back differs from what the announce said. */
		e->remaining = p->hops;
		path_rebalance(r, &e->dest, e->next, p->hops);
	}
	if (!e->validated) {
		TAILQ_REMOVE(rlink_list(e), e, age);
		e->validated = true;
		TAILQ_INSERT_TAIL(rlink_list(e), e, age);
		r->counts.link_table_active++;
		timer_set(r, &e->timer,
		    mono_add(e->used, LINK_TIMEOUT * MONO_SECOND));
		k = known_find(r, &e->dest);
		if (k != NULL)
			known_mark_used(r, k);
	}
	(void)rlink_forward(r, p, e->received);
}

bool
relay_proof(struct rns *r, const struct packet *p)
{
	struct iovec_c v = {p->dest->b, RNS_HASH + 1 + p->data_len};
	struct iface *in, *out;

	if (!reverse_take(r, p->dest, &in, &out))
		return false;
	if (p->rx != out)
		return !core_drop(r, RNS_DROP_PROOF);
	if (pass_on(r, in, p->flags, hops_on(r, p, in), p->transport_id, &v,
	    1) == RNS_OK) {
		p->rx->use.useful = in->use.useful = r->now;
		r->counts.relayed++;
	}
	return true;
}

bool
relay_proof_for_local(const struct rns *r, const struct hash16 *dest)
{
	const struct iface *in = reverse_in(r, dest);

	return in != NULL && is_program(in);
}
