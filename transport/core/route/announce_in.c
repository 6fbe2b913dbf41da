/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/route/announce_in.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/announce.h"
#include "transport/core/base/dedup.h"
#include "transport/core/base/event.h"
#include "transport/core/base/value.h"
#include "transport/core/route/pathreq.h"
#include "transport/core/send/outbound.h"
#include "transport/core/send/waiting.h"
#include "transport/core/table/dest.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/ingress.h"
#include "transport/core/table/known.h"
#include "transport/core/table/path.h"
#include "transport/core/table/rate.h"

/*
 * Announces from outside (reticulum-transport.md 4). What would be refused
 * anyway is refused before its signature is looked at; what stands byte for
 * byte in the path table, or is held, was verified when it came there. None can
 * be told from outside, and all spare the dearest step.
 */

/* reticulum-transport.md 4.3 */
static bool
accepts(const struct rns *r, const struct path *path, const struct packet *p,
    const struct announce *a)
{
	uint64_t newest;
	bool known;

	if (path == NULL)
		return true;
	newest = path_timebase(path_blobs(path), path->blob_count);
	known = path_has_blob(path, a->random_hash);
	if (p->hops <= path->hops)
		return (!known && a->emitted > newest) ||
		    (a->emitted == newest &&
		    p->rx->cfg.gravity > path->rx->cfg.gravity);
	if (core_wall_us(r) >= path_expires_us(path))
		return !known;
	if (a->emitted > newest)
		return !known;
	return a->emitted == newest && path->state == PATH_UNRESPONSIVE;
}

/* The very announce whose bytes are there, at whatever hop count. */
static bool
same_announce(struct rd r, const struct packet *p)
{
	uint8_t flags;

	if (!rd_u8(&r, &flags) ||
	    ((flags ^ p->flags) & FLAG_CONTEXT) != 0 ||
	    !rd_skip(&r, (flags & FLAG_HEADER_2) != 0 ? HEADER_2_LEN - 1 :
	    HEADER_1_LEN - 1))
		return false;
	return rd_left(&r) == p->data_len &&
	    memcmp(r.p, p->data, p->data_len) == 0;
}

/*
 * A neighbour passes an announce of the destination on, this one or another
 * (reticulum-transport.md 4.2). Others are looked at only when that would say
 * something of what waits here.
 */
static void
heard_on(struct rns *r, const struct path *path, const struct packet *p,
    const struct announce *a)
{
	if (!waiting_listens(r, p->dest, p->hops))
		return;
	if (same_announce(path_announce(path), p) || (!core_blackholed(r, &a->identity_hash) &&
	    announce_signature_ok(a, p)))
		waiting_heard(r, p->dest, p->hops);
}

static void
announce_event(struct rns *r, const struct packet *p,
    const struct announce *a)
{
	struct rns_event ev = {
	    .type = RNS_EV_ANNOUNCE,
	    .announce = {
	        .app_data = a->app_data,
	        .app_data_len = a->app_data_len,
	        .ratchet = a->ratchet,
	        .raw = p->raw,
	        .raw_len = p->raw_len,
	        .hops = p->hops,
	        .ifid = p->rx->cfg.id,
	        .path_response = p->context == CTX_PATH_RESPONSE,
	    },
	};

	ev.announce.dest = *p->dest;
	memcpy(ev.announce.name_hash, a->name_hash, RNS_NAME_HASH);
	memcpy(ev.announce.public_key, a->public_key, RNS_KEY);
	ev.announce.identity_hash = a->identity_hash;
	ev.announce.packet_hash = p->hash;
	(void)event_push(r, &ev);
}

/*
 * When to pass it on. The reference looks once a second; ours: at the next
 * tick, whose mean wait is taken off the window.
 */
static struct mono
rebroadcast_at(struct rns *r)
{
	uint32_t window = PATH_REBROADCAST_WINDOW_MS * 1000 - TICK_US;

	return tick_after(mono_add(r->now, core_chance(r) % window));
}

/* reticulum-transport.md 4.5 steps 2 to 5 */
static void
pass_on(struct rns *r, const struct packet *p, struct path *path)
{
	bool response = p->context == CTX_PATH_RESPONSE;
	struct iface *i;

	path->blocked = !response && rate_blocks(r, path, p->rx);
	if (path->blocked)
		(void)core_drop(r, RNS_DROP_RATE);
	else if (!response && p->from_local)
		waiting_relay(r, path, r->now, 1);
	else if (!response && r->cfg.transport)
		waiting_relay(r, path, rebroadcast_at(r), 0);
	else if (p->from_local && pathreq_take_local(r, p->dest))
		waiting_relay(r, path, r->now, 1);
	if (r->local_clients == 0)
		return;
	TAILQ_FOREACH(i, &r->ifaces, entry)
		if (i->cfg.kind == RNS_IF_LOCAL_CLIENT && i != p->rx)
			(void)announce_out(r, path, p->hops, CTX_NONE, i);
}

/* reticulum-transport.md 4.5 */
static void
accepted(struct rns *r, const struct packet *p, const struct announce *a)
{
	struct path_new n = {
	    .dest = p->dest->b,
	    .next_hop = p->transport_id != NULL ? p->transport_id : p->dest->b,
	    .blob = a->random_hash,
	    .hops = p->hops,
	    .rx = p->rx,
	    .learned_us = core_wall_us(r),
	    .expires_us = core_wall_us(r) + path_life_us(p->rx),
	    .stamp = r->now,
	    .announce = p->raw,
	    .announce_len = p->raw_len,
	};
	struct path *path = path_store(r, &n);
	struct known *k;

	if (path == NULL) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return;
	}
	r->counts.announces++;
	p->rx->use.useful = r->now;
	value_announce(r, p->dest, a);
	if (!r->cfg.attached)
		pass_on(r, p, path);
	if (pathreq_answered(r, path) &&
	    (k = known_find(r, p->dest)) != NULL)
		known_mark_used(r, k);
	announce_event(r, p, a);
}

static void
count_in(struct rns *r, const struct packet *p)
{
	traffic_count(r, &p->rx->traffic[TRAFFIC_ANNOUNCE_IN], p->raw_len);
}

/*
 * Its signature; a copy of one that is held, there or on another interface, was
 * looked at with that.
 */
static bool
signature_ok(const struct rns *r, const struct packet *p,
    const struct announce *a)
{
	const struct iface *i;

	if (r->counts.held != 0)
		TAILQ_FOREACH(i, &r->ifaces, entry)
			if (same_announce(held_announce(i, p->dest), p))
				return true;
	return announce_signature_ok(a, p);
}

/*
 * reticulum-transport.md 18.2; released: it was held, so this was done, but
 * its identity may be blackholed now.
 */
static bool
admitted(struct rns *r, const struct packet *p, const struct announce *a,
    bool known, bool released)
{
	if (core_blackholed(r, &a->identity_hash))
		return core_drop(r, RNS_DROP_BLACKHOLE);
	if (released)
		return true;
	if (!signature_ok(r, p, a))
		return core_drop(r, RNS_DROP_ANNOUNCE_SIG);
	count_in(r, p);
	if (known || pathreq_wanted(r, p->dest) ||
	    !ingress_limits_announces(r, p->rx))
		return true;
	held_put(r, p->rx, p->dest, a->emitted, p->hops, p->raw, p->raw_len);
	return false;
}

static bool
learned(struct rns *r, const struct packet *p, const struct announce *a,
    bool known)
{
	int err;

	if (!announce_dest_ok(a, p))
		return core_drop(r, RNS_DROP_ANNOUNCE_DEST);
	if (!known)
		path_room(r, p->rx);
	err = known_learn(r, a, p);
	if (err == RNS_EAUTH)
		return core_drop(r, RNS_DROP_ANNOUNCE_DEST);
	if (err != RNS_OK)
		return core_drop(r, err == RNS_ENOMEM ? RNS_DROP_MEMORY :
		    RNS_DROP_LIMIT);
	return true;
}

/*
 * One that makes no path may still say what is new of its destination: another
 * of the same second as the newest, whose app data and ratchet count then
 * (reticulum-transport.md 4.1 step 3). Older ones do not, as they do in the
 * reference: whoever plays one back would bring a ratchet back that is gone.
 * The filter remembers those that were taken, each once.
 */
static void
learn_besides(struct rns *r, const struct path *path,
    const struct packet *p, const struct announce *a)
{
	if (path_has_blob(path, a->random_hash) || a->emitted !=
	    path_timebase(path_blobs(path), path->blob_count) ||
	    core_blackholed(r, &a->identity_hash) || dedup_has(r, &p->hash))
		return;
	if (!announce_signature_ok(a, p)) {
		(void)core_drop(r, RNS_DROP_ANNOUNCE_SIG);
		return;
	}
	if (learned(r, p, a, true))
		dedup_add(r, &p->hash);
}

static void
announce_handle(struct rns *r, const struct packet *p, bool released)
{
	struct announce a;
	struct path *path;

	if (announce_parse(&a, p) != RNS_OK) {
		(void)core_drop(r, RNS_DROP_HEADER);
		return;
	}
	if (dest_find(r, p->dest) != NULL) {
		count_in(r, p);
		(void)core_drop(r, RNS_DROP_ANNOUNCE_OWN);
		return;
	}
	path = path_find(r, p->dest);
	if (path != NULL && p->header_2 && r->cfg.transport)
		heard_on(r, path, p, &a);
	if (!accepts(r, path, p, &a)) {
		count_in(r, p);
		learn_besides(r, path, p, &a);
		(void)core_drop(r, RNS_DROP_ANNOUNCE_OLD);
		return;
	}
	if (admitted(r, p, &a, path != NULL, released) &&
	    learned(r, p, &a, path != NULL))
		accepted(r, p, &a);
}

void
announce_in(struct rns *r, const struct packet *p)
{
	if (p->raw_len > RNS_MTU)
		(void)core_drop(r, RNS_DROP_ANNOUNCE_LONG);
	else if (p->dest_type != DEST_SINGLE)
		(void)core_drop(r, RNS_DROP_PLAIN_ANNOUNCE);
	else if (p->hops > RNS_HOPS_MAX)
		(void)core_drop(r, RNS_DROP_HOPS);
	else
		announce_handle(r, p, false);
}

/* Every 5 s while there is a burst, or what one has left behind. */
static void
ingress_job(struct rns *r, void *arg)
{
	struct iface *i = arg;
	struct packet p;
	struct held *h;

	(void)ingress_limits_announces(r, i);
	(void)ingress_limits_requests(r, i);
	h = held_take(r, i);
	if (h != NULL && packet_parse(&p, h->raw, h->len) == RNS_OK) {
		p.rx = i;
		p.hops++;
		r->rx_packet = &p;
		announce_handle(r, &p, true);
		r->rx_packet = NULL;
	}
	free(h);
	if (ingress_busy(i))
		ingress_arm(r, i);
}

void
announce_in_init(struct iface *i)
{
	timer_init(&i->ingress_job, ingress_job, i);
}
