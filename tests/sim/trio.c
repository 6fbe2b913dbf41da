/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/trio.h"

#include <string.h>

#include "tests/sim/sim.h"
#include "common/util.h"

#define BIG 3000
#define LIMIT_PATHS 3
#define LIMIT_LINKS 3
#define LIMIT_TX 64

static const uint8_t payload[20000];
static uint8_t packed[BIG] = {0xc5, (BIG - 3) >> 8, (BIG - 3) & 0xff};
static const uint8_t packed_small[] = {0xc4, 3, 1, 2, 3};

static void
push(struct trio *t, unsigned to, unsigned ifid, const uint8_t *p, size_t len)
{
	struct trio_packet *k;

	if (t->count == TRIO_QUEUE || len > TRIO_PACKET)
		return;
	k = &t->q[(t->head + t->count++) % TRIO_QUEUE];
	k->to = to;
	k->ifid = ifid;
	k->len = len;
	memcpy(k->data, p, len);
}

static unsigned
other_end(unsigned node, unsigned ifid)
{
	if (node != TRIO_R)
		return TRIO_R;
	return ifid == TRIO_LEFT ? TRIO_A : TRIO_B;
}

static void
submit(struct trio *t, unsigned node, const struct rns_cmd *c)
{
	(void)rns_submit(t->n[node], c, t->now);
}

static void
on_event(struct trio *t, unsigned node, const struct rns_event *ev)
{
	struct rns_cmd c = {.type = RNS_CMD_RESPOND};

	t->events[ev->type]++;
	switch (ev->type) {
	case RNS_EV_LINK_PENDING:
	case RNS_EV_LINK_UP:
		t->link[node] = ev->link.id;
		break;
	case RNS_EV_REQUEST:
		c.respond.link = ev->request.link;
		c.respond.request_id = ev->request.request_id;
		c.respond.data = ev->request.len > 100 ? packed_small : packed;
		c.respond.len = ev->request.len > 100 ? sizeof(packed_small) :
		    sizeof(packed);
		submit(t, node, &c);
		break;
	default:
		break;
	}
}

static void
drain(struct trio *t)
{
	struct rns_event ev;
	struct rns_tx tx;
	bool more;

	do {
		more = false;
		for (unsigned i = 0; i < TRIO_NODES; i++) {
			while (rns_next_tx(t->n[i], &tx)) {
				more = true;
				push(t, other_end(i, tx.ifid), tx.ifid,
				    tx.data, tx.len);
			}
			while (rns_next_event(t->n[i], &ev)) {
				more = true;
				on_event(t, i, &ev);
			}
		}
	} while (more);
}

static void
if_add(struct trio *t, unsigned wire)
{
	bool local = wire == TRIO_LEFT && t->attached;
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD,
	    .iface = {.id = wire, .mode = RNS_MODE_GATEWAY,
	        .bitrate = 100000, .hw_mtu = RNS_MTU, .out = true,
	        .online = true, .announce_cap_permille = 200}};

	c.iface.kind = local ? RNS_IF_LOCAL_CLIENT : RNS_IF_NET;
	submit(t, TRIO_R, &c);
	c.iface.kind = local ? RNS_IF_SHARED : RNS_IF_NET;
	submit(t, wire == TRIO_LEFT ? TRIO_A : TRIO_B, &c);
}

static void
dest_add(struct trio *t, unsigned node)
{
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD,
	    .dest = {.type = RNS_SINGLE, .name = "trio.dest",
	        .has_identity = true, .prove = RNS_PROVE_ALL,
	        .accept_links = true, .resources = RNS_ACCEPT_ALL,
	        .ratchets = node == TRIO_B}};
	struct rns_cmd h = {.type = RNS_CMD_HANDLER_ADD,
	    .handler = {.path = "h", .allow = RNS_ALLOW_ALL}};
	uint8_t pub[RNS_KEY];
	struct hash16 id;

	memset(c.dest.identity, (int)(0x41 + node), RNS_KEY);
	submit(t, node, &c);
	(void)rns_identity_derive(pub, &id, c.dest.identity);
	(void)rns_dest_hash(&t->dest[node], "trio.dest", &id);
	h.handler.dest = t->dest[node];
	submit(t, node, &h);
}

bool
trio_open(struct trio *t, bool attached)
{
	struct rns_config c = {
	    .random = sim_random_bytes,
	    .wall_us = SIM_WALL_US,
	    .implicit_proof = true,
	    .link_mtu_discovery = true,
	};
	bool ok = true;

	memset(t, 0, sizeof(*t));
	t->attached = attached;
	rns_limits_default(&c.limits);
	c.limits.paths = LIMIT_PATHS;
	c.limits.links = LIMIT_LINKS;
	c.limits.link_table = LIMIT_LINKS;
	c.limits.hashes = 32;
	c.limits.reverse = 16;
	c.limits.receipts = 4;
	c.limits.tx_packets = LIMIT_TX;
	c.limits.resource_bytes = 100000;
	for (unsigned i = 0; i < TRIO_NODES; i++) {
		t->rng[i] = i + 1;
		c.random_arg = &t->rng[i];
		c.transport = i == TRIO_R;
		c.attached = i == TRIO_A && attached;
		memset(c.identity, (int)(0x11 + i), RNS_KEY);
		t->n[i] = rns_new(&c, t->now);
		ok = ok && t->n[i] != NULL;
	}
	if (!ok)
		return false;
	if_add(t, TRIO_LEFT);
	if_add(t, TRIO_RIGHT);
	dest_add(t, TRIO_A);
	dest_add(t, TRIO_B);
	drain(t);
	return true;
}

void
trio_close(struct trio *t)
{
	for (unsigned i = 0; i < TRIO_NODES; i++)
		rns_free(t->n[i]);
}

/* The commands that name a link of `from`. */
static void
link_cmd(struct trio *t, enum trio_what what, unsigned from)
{
	struct rns_cmd c = {0};
	const struct hash16 *id = &t->link[from];
	size_t taken;

	switch (what) {
	case TRIO_LINK_CLOSE:
		c.type = RNS_CMD_LINK_CLOSE;
		c.hash = *id;
		break;
	case TRIO_IDENTIFY:
		c.type = RNS_CMD_LINK_IDENTIFY;
		c.identify.link = *id;
		memset(c.identify.identity, 0x77, RNS_KEY);
		break;
	case TRIO_LINK_DATA:
		c.type = RNS_CMD_LINK_SEND;
		c.packet.dest = *id;
		c.packet.data = payload;
		c.packet.len = 100;
		c.packet.receipt = true;
		break;
	case TRIO_REQUEST:
	case TRIO_REQUEST_BIG:
		c.type = RNS_CMD_REQUEST;
		c.request.link = *id;
		c.request.path = "h";
		c.request.data = what == TRIO_REQUEST ? packed_small : packed;
		c.request.len = what == TRIO_REQUEST ? sizeof(packed_small) :
		    sizeof(packed);
		break;
	case TRIO_RESOURCE:
	case TRIO_RESOURCE_CANCEL:
		c.type = what == TRIO_RESOURCE ? RNS_CMD_RESOURCE_SEND :
		    RNS_CMD_RESOURCE_CANCEL;
		if (what == TRIO_RESOURCE) {
			c.resource.link = *id;
			c.resource.data = payload;
			c.resource.len = sizeof(payload);
			c.resource.tag = ++t->tag;
		} else {
			c.cancel.link = *id;
			c.cancel.tag = t->tag;
		}
		break;
	case TRIO_CHANNEL:
		c.type = RNS_CMD_CHANNEL_OPEN;
		c.hash = *id;
		submit(t, TRIO_A, &c);
		submit(t, TRIO_B, &c); /* both ends know it by this id */
		c = (struct rns_cmd){.type = RNS_CMD_CHANNEL_SEND};
		c.channel.link = *id;
		c.channel.msgtype = 7;
		c.channel.data = payload;
		c.channel.len = 50;
		break;
	case TRIO_STREAM:
		c.type = RNS_CMD_STREAM_OPEN;
		c.stream.link = *id;
		submit(t, TRIO_A, &c);
		submit(t, TRIO_B, &c);
		c.type = RNS_CMD_STREAM_SEND;
		c.stream.data = payload;
		c.stream.len = 1000;
		c.stream.taken = &taken;
		break;
	default:
		return;
	}
	submit(t, from, &c);
}

static void
iface_cmd(struct trio *t, enum trio_what what, unsigned from)
{
	unsigned wire = from == TRIO_A ? TRIO_LEFT : TRIO_RIGHT;
	struct rns_cmd c = {.type = RNS_CMD_IF_DEL, .ifid = wire};

	if (what == TRIO_IF_FLAP) {
		submit(t, from, &c);
		submit(t, TRIO_R, &c);
		if_add(t, wire);
		return;
	}
	c = (struct rns_cmd){.type = RNS_CMD_IF_ONLINE,
	    .online = {.ifid = wire, .online = (t->tag++ & 1) != 0}};
	submit(t, TRIO_R, &c);
}

void
trio_do(struct trio *t, enum trio_what what, unsigned from)
{
	unsigned to = from == TRIO_A ? TRIO_B : TRIO_A;
	struct rns_cmd c = {0};

	switch (what) {
	case TRIO_ANNOUNCE:
		c.type = RNS_CMD_ANNOUNCE;
		c.announce.dest = t->dest[from];
		submit(t, from, &c);
		break;
	case TRIO_PATH_REQUEST:
	case TRIO_PATH_DROP:
		c.type = what == TRIO_PATH_DROP ? RNS_CMD_PATH_DROP :
		    RNS_CMD_PATH_REQUEST;
		c.hash = t->dest[to];
		submit(t, from, &c);
		break;
	case TRIO_SEND:
		c.type = RNS_CMD_PACKET;
		c.packet.dest = t->dest[to];
		c.packet.data = payload;
		c.packet.len = 60;
		c.packet.receipt = true;
		submit(t, from, &c);
		break;
	case TRIO_LINK_OPEN:
		c.type = RNS_CMD_LINK_OPEN;
		c.link_open.dest = t->dest[to];
		c.link_open.resources = RNS_ACCEPT_ALL;
		submit(t, from, &c);
		break;
	case TRIO_IF_FLAP:
	case TRIO_IF_TOGGLE:
		iface_cmd(t, what, from);
		break;
	case TRIO_DEST_FLAP:
		c.type = RNS_CMD_DEST_DEL;
		c.hash = t->dest[from];
		submit(t, from, &c);
		dest_add(t, from);
		break;
	case TRIO_BLACKHOLE:
		c.type = RNS_CMD_BLACKHOLE;
		memset(&c.blackhole.identity, (int)t->tag++,
		    sizeof(c.blackhole.identity));
		c.blackhole.on = true;
		submit(t, TRIO_R, &c);
		break;
	default:
		link_cmd(t, what, from);
		break;
	}
	drain(t);
}

bool
trio_next(struct trio *t, enum trio_fate fate, uint32_t arg)
{
	static struct trio_packet p;

	if (t->count == 0)
		return false;
	p = t->q[t->head];
	t->head = (t->head + 1) % TRIO_QUEUE;
	t->count--;
	switch (fate) {
	case TRIO_LOSE:
		return true;
	case TRIO_DOUBLE:
		(void)rns_recv(t->n[p.to], p.ifid, p.data, p.len, t->now);
		break;
	case TRIO_FLIP:
		if (p.len != 0)
			p.data[arg / 8 % p.len] ^= (uint8_t)(1u << arg % 8);
		break;
	case TRIO_CUT:
		p.len = p.len != 0 ? arg % p.len : 0;
		break;
	case TRIO_LATE:
		push(t, p.to, p.ifid, p.data, p.len);
		return true;
	case TRIO_ASTRAY:
		p.to = TRIO_R;
		p.ifid = p.ifid == TRIO_LEFT ? TRIO_RIGHT : TRIO_LEFT;
		break;
	default:
		break;
	}
	(void)rns_recv(t->n[p.to], p.ifid, p.data, p.len, t->now);
	drain(t);
	return true;
}

/* At most as many packets as could be under way when it began, and a few. */
static void
deliver_some(struct trio *t)
{
	for (unsigned i = 0; i < 2 * TRIO_QUEUE; i++)
		if (!trio_next(t, TRIO_DELIVER, 0))
			return;
}

void
trio_run(struct trio *t, int64_t us)
{
	struct mono end = mono_add(t->now, us), at;

	for (unsigned turn = 0; turn < 2000; turn++) {
		deliver_some(t);
		at = end;
		for (unsigned i = 0; i < TRIO_NODES; i++)
			at = mono_min(at, rns_deadline(t->n[i]));
		if (at.us > t->now.us)
			t->now = at;
		if (at.us >= end.us)
			break;
		for (unsigned i = 0; i < TRIO_NODES; i++)
			rns_tick(t->n[i], t->now);
		drain(t);
	}
	t->now = end;
	for (unsigned i = 0; i < TRIO_NODES; i++)
		rns_tick(t->n[i], t->now);
	drain(t);
}

bool
trio_bounded(const struct trio *t)
{
	struct rns_counts c;

	for (unsigned i = 0; i < TRIO_NODES; i++) {
		rns_counts(t->n[i], &c);
		if (c.paths > LIMIT_PATHS || c.links > LIMIT_LINKS ||
		    c.link_table > LIMIT_LINKS || c.receipts > 4 ||
		    c.announces_waiting > LIMIT_PATHS || c.interfaces > 2)
			return false;
	}
	return true;
}
