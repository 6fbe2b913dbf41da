/* SPDX-License-Identifier: BSD-2-Clause */
/* Letters on their way to the destination itself. */
#include <string.h>

#include "transport/lxmf/post_state.h"

#define PROOF_US (30 * MONO_SECOND) /* ours: a lone packet's proof */

/* It did not answer: the node's turn, or once more later. */
static void
unreached(struct post *p, struct out *o, const char *why, struct mono now)
{
	o->direct_tries++;
	o->direct.failed++;
	o->direct.why = why;
	if (o->way == POST_DIRECT || p->conf.nnodes == 0) {
		out_again(p, o, why, now);
		return;
	}
	/* one that there is a path to may only have lost a packet */
	if (p->io.path(p->io.arg, &o->dest) &&
	    o->direct_tries < POST_DIRECT_TRIES) {
		out_again(p, o, why, now);
		return;
	}
	out_hang_up(p, o);
	o->why = why;
	node_take(p, o, now);
}

static void
open_link(struct post *p, struct out *o, struct mono now)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_OPEN};

	o->cmd = post_tag(p);
	cmd.link_open.dest = o->dest;
	cmd.link_open.tag = o->cmd;
	cmd.link_open.resources = RNS_ACCEPT_NONE;
	o->step = OUT_LINK;
	o->at = mono_add(now, POST_LINK_US);
	if (post_do(p, &cmd) != RNS_OK)
		unreached(p, o, "no link could be asked for", now);
}

static bool
send_packet(struct post *p, struct out *o, struct mono now)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PACKET};

	/* whatever it brings about, it finds the letter waiting for it */
	o->cmd = o->proof = post_tag(p);
	o->step = OUT_SENT;
	o->at = mono_add(now, PROOF_US);
	cmd.packet.dest = o->dest;
	cmd.packet.type = RNS_SINGLE;
	cmd.packet.data = o->packed + sizeof(o->dest);
	cmd.packet.len = o->len - sizeof(o->dest);
	cmd.packet.receipt = true;
	cmd.packet.tag = o->cmd;
	return post_do(p, &cmd) == RNS_OK;
}

static void
send_now(struct post *p, struct out *o, struct mono now)
{
	bool fits = o->len - sizeof(o->dest) <= LXMF_PACKET_MAX;

	/* where a packet was not proved, a link shows whether anybody is there */
	if (!fits || o->direct_tries > 0 || !send_packet(p, o, now))
		open_link(p, o, now);
}

/* What its destination asks of strangers; it may have a stamp already. */
static bool
wants_stamp(struct post *p, struct out *o)
{
	uint8_t start[STAMP_LEN];
	struct stamp_work work;
	struct rns_known k;
	struct lxmf m;
	unsigned cost;

	if (!p->io.known(p->io.arg, &o->dest, &k) ||
	    (cost = lxmf_delivery_cost(k.app_data, k.app_data_len)) == 0 ||
	    lxmf_parse(&m, o->packed, o->len) != RNS_OK ||
	    lxmf_stamp_ok(&m, cost) || cost * STAMP_BIT > STAMP_COST_MAX)
		return false;
	p->io.random(p->io.arg, start, sizeof(start));
	stamp_work(&work, &m.id, sizeof(m.id), LXMF_ROUNDS);
	stamp_search_begin(&o->search, &work, cost * STAMP_BIT, start);
	o->step = OUT_STAMP;
	return true;
}

static void
go(struct post *p, struct out *o, struct mono now)
{
	if (!wants_stamp(p, o))
		send_now(p, o, now);
}

void
out_begin(struct post *p, struct out *o, struct mono now)
{
	bool by_node = o->way == POST_ANY && p->conf.nnodes > 0;

	if (o->way == POST_NODE) {
		node_take(p, o, now);
		return;
	}
	if (p->io.path(p->io.arg, &o->dest)) {
		go(p, o, now);
		return;
	}
	if (by_node && !mono_reached(now, o->search_at)) {
		node_take(p, o, now);
		return;
	}
	post_path_request(p, &o->dest);
	o->search_at = mono_add(now, POST_SEARCH_AGAIN_US);
	o->step = OUT_PATH;
	o->at = mono_add(now, by_node ? POST_SEARCH_US : POST_PATH_US);
}

/* The same message, and the same id, with the stamp behind it. */
void
out_stamped(struct post *p, struct out *o, struct mono now)
{
	uint8_t stamp[STAMP_LEN];
	struct lxmf m;
	size_t n;

	memcpy(stamp, o->search.stamp, sizeof(stamp));
	if (lxmf_parse(&m, o->packed, o->len) == RNS_OK &&
	    (n = LXMF_HEAD + m.payload.n) + 2 + STAMP_LEN <= o->cap) {
		o->packed[LXMF_HEAD] = 0x95;
		o->packed[n] = 0xc4; /* bin, its length */
		o->packed[n + 1] = STAMP_LEN;
		memcpy(o->packed + n + 2, stamp, sizeof(stamp));
		o->len = n + 2 + STAMP_LEN;
	}
	send_now(p, o, now);
}

/* ---- events ---- */

static struct out *
out_of(struct post *p, uint64_t tag)
{
	struct out *o;

	TAILQ_FOREACH(o, &p->outs, entry)
		if (tag != 0 && o->cmd == tag)
			return o;
	return NULL;
}

static void
send_on_link(struct post *p, struct out *o, uint32_t mdu, struct mono now)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_SEND};

	o->cmd = post_tag(p);
	o->resource = out_by_resource(o, o->len, mdu);
	if (o->resource) {
		cmd.type = RNS_CMD_RESOURCE_SEND;
		cmd.resource.link = o->link;
		cmd.resource.data = o->packed;
		cmd.resource.len = o->len;
		cmd.resource.compress = true;
		cmd.resource.tag = o->cmd;
	} else {
		cmd.packet.dest = o->link;
		cmd.packet.data = o->packed;
		cmd.packet.len = o->len;
		cmd.packet.receipt = true;
		cmd.packet.tag = o->cmd;
	}
	o->step = OUT_SENT;
	o->at = mono_add(now, o->resource ? 30 * POST_LINK_US : POST_LINK_US);
	if (post_do(p, &cmd) != RNS_OK)
		unreached(p, o, "it could not be sent over the link", now);
}

static bool
link_event(struct post *p, const struct rns_event *ev, struct mono now)
{
	struct out *o = out_of(p, ev->link.tag), *any;

	if (o != NULL && ev->type == RNS_EV_LINK_PENDING) {
		o->has_link = true;
		o->link = ev->link.id;
		return true;
	}
	if (o != NULL && ev->type == RNS_EV_LINK_UP) {
		send_on_link(p, o, ev->link.mdu, now);
		return true;
	}
	TAILQ_FOREACH(any, &p->outs, entry)
		if (any->has_link && hash16_eq(&any->link, &ev->link.id))
			break;
	o = o != NULL ? o : any;
	if (o == NULL || ev->type != RNS_EV_LINK_CLOSED)
		return o != NULL;
	o->has_link = false;
	unreached(p, o, "its destination does not answer", now);
	return true;
}

/*
 * The proof of a packet says that its destination has the letter, also when that
 * is on another way by now.
 */
static bool
proved(struct post *p, uint64_t tag)
{
	struct out *o;

	TAILQ_FOREACH(o, &p->outs, entry)
		if (tag != 0 && o->proof == tag)
			break;
	if (o == NULL)
		return false;
	out_end(p, o, POST_DELIVERED, NULL);
	return true;
}

static bool
sent(struct post *p, struct out *o, bool good, struct mono now)
{
	if (o == NULL || o->step != OUT_SENT)
		return false;
	if (good) {
		out_end(p, o, POST_DELIVERED, NULL);
	} else if (o->has_link && !o->resource) {
		o->late = true;
		send_on_link(p, o, 0, now);
	} else {
		unreached(p, o, "its destination did not take it", now);
	}
	return true;
}

bool
out_event(struct post *p, const struct rns_event *ev, struct mono now)
{
	switch (ev->type) {
	case RNS_EV_LINK_PENDING:
	case RNS_EV_LINK_UP:
	case RNS_EV_LINK_CLOSED:
		return link_event(p, ev, now);
	case RNS_EV_RECEIPT:
		if (ev->receipt.status == RNS_RECEIPT_DELIVERED &&
		    proved(p, ev->receipt.tag))
			return true;
		return sent(p, out_of(p, ev->receipt.tag),
		    ev->receipt.status == RNS_RECEIPT_DELIVERED, now);
	case RNS_EV_SENT:
		return sent(p, out_of(p, ev->sent.tag),
		    ev->sent.status == RNS_RES_COMPLETE, now);
	default:
		return false;
	}
}

void
out_tick(struct post *p, struct out *o, struct mono now)
{
	/* a path is news of the core's tables, not an event of ours */
	if (o->step == OUT_PATH && p->io.path(p->io.arg, &o->dest)) {
		go(p, o, now);
		return;
	}
	if (o->step == OUT_STAMP || !mono_reached(now, o->at))
		return;
	switch (o->step) {
	case OUT_WAIT:
		out_begin(p, o, now);
		break;
	case OUT_PATH:
		unreached(p, o, "there is no path to its destination", now);
		break;
	case OUT_LINK:
	case OUT_SENT:
		unreached(p, o, "its destination does not answer", now);
		break;
	default:
		break;
	}
}
