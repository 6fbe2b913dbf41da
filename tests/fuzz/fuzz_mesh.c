/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three cores in a row: two ends that do what programs do, and the relay
 * between them, which has strangers on two more interfaces and a bad channel to
 * both ends. The input says how the relay's interfaces are set (five bytes) and
 * what happens then; each step is a kind, a length (two bytes) and so many
 * bytes:
 *
 *   0  a packet of a stranger: of which interface, then the packet
 *   1  time: milliseconds, four bytes
 *   2  the channel: how many packets, then one byte for each that goes over it:
 *      0 as it is, 1 lost, 2 twice, 3 cut, 4 late, from 5 on a bit of it
 *   3  an end does something: which and what, then as it needs
 *   4  a packet that was seen comes again: which, from where, a bit of it
 *   5  the operator does something: what, then as it needs
 *
 * Whatever it is: no table beyond its bound, no timer that does not let go, no
 * memory beyond what the bounds allow, and all of it is given back.
 */
#include <stdlib.h>
#include <string.h>

#include <rns/rns.h>

#include "common/util.h"
#include "common/wire.h"
#include "tests/fuzz/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
extern unsigned fuzz_taken;
unsigned fuzz_taken; /* answers that came whole */

#define NODES 3
#define RELAY 1
#define STRANGER 3 /* the relay's interfaces from here on */
#define IFACES 4
#define SEEN 64
#define STEPS 96
#define ROUNDS 4000 /* of one moment, until nothing moves any more */
#define BYTES 20000
#define MEMORY (8u << 20)
#define HOUR_MS 3600000u

struct frame {
	uint8_t raw[RNS_MTU + 64];
	size_t len;
	unsigned node, ifid; /* where it was to arrive */
};

struct world {
	struct rns *r[NODES];
	struct rns_limits limits;
	struct rns_if ifaces[IFACES + 1]; /* the relay's */
	struct hash16 dest[NODES], id[NODES];
	struct hash16 link[NODES]; /* the last that came up there */
	bool up[NODES];
	struct mono now;
	struct frame seen[SEEN], late;
	unsigned nseen, nfaults;
	const uint8_t *faults;
	uint64_t tag;
	size_t before; /* bytes that were allocated */
};

static const uint8_t bytes[BYTES]; /* what is not copied stays as it is */
/* Packed values: binary of so many bytes. */
#define VALUES 4
static const uint16_t value_len[VALUES] = {4, 420, 3000, BYTES};
static uint8_t values[VALUES][BYTES];

static void
submit(struct world *w, unsigned node, const struct rns_cmd *c)
{
	if (rns_submit(w->r[node], c, w->now) != RNS_OK)
		abort();
}

/* Of the relay's, as the first bytes say; ends have a plain one. */
static struct rns_if
iface(unsigned id, uint8_t how, uint8_t codes)
{
	static const uint32_t bitrates[] = {0, 1200, 62500, 10000000};
	struct rns_if i = {.id = id, .kind = RNS_IF_NET, .out = true,
	    .online = true, .hw_mtu = 1064, .mtu_signal = (how & 8) != 0,
	    .mode = (enum rns_if_mode)(how % 7 + RNS_MODE_FULL),
	    .bitrate = bitrates[how >> 6], .recursive_prs = (how & 16) != 0,
	    .wants_tunnel = (how & 32) != 0, .announce_cap_permille = 20,
	    .ar_target_s = (how & 16) != 0 ? 30 : 0, .ar_grace = 1,
	    .ar_penalty_s = 60, .gravity = how & 3};

	if (id == STRANGER + 1)
		i.kind = RNS_IF_LOCAL_CLIENT;
	if ((codes >> id & 1) != 0) {
		i.ifac_size = 8;
		memset(i.ifac_key, 5, sizeof(i.ifac_key));
	}
	i.name_hash.b[0] = (uint8_t)id;
	return i;
}

static void
node_new(struct world *w, unsigned n, uint32_t *seed)
{
	struct rns_config cfg = {.random = numbers, .random_arg = seed,
	    .limits = w->limits, .wall_us = INT64_C(1700000000000000),
	    .transport = n == RELAY, .implicit_proof = n == 0,
	    .link_mtu_discovery = true};
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD,
	    .dest = {.type = RNS_SINGLE, .name = "fuzz.mesh",
		.has_identity = true, .prove = RNS_PROVE_ALL,
		.accept_links = true, .resources = RNS_ACCEPT_ALL,
		.ratchets = n == 2}};
	struct rns_cmd h = {.type = RNS_CMD_HANDLER_ADD,
	    .handler = {.path = "/echo", .allow = RNS_ALLOW_ALL,
		.compress_max = 4096}};
	uint8_t pub[RNS_KEY];

	memset(cfg.identity, 3 + (int)n, sizeof(cfg.identity));
	memset(c.dest.identity, 13 + (int)n, RNS_KEY);
	w->r[n] = rns_new(&cfg, w->now);
	if (w->r[n] == NULL ||
	    rns_identity_derive(pub, &w->id[n], c.dest.identity) != RNS_OK ||
	    rns_dest_hash(&w->dest[n], "fuzz.mesh", &w->id[n]) != RNS_OK)
		abort();
	submit(w, n, &c);
	h.handler.dest = w->dest[n];
	submit(w, n, &h);
}

static void
world_new(struct world *w, const uint8_t set[5], uint32_t *seed)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD};

	memset(w, 0, sizeof(*w));
	w->before = allocated();
	w->limits = (struct rns_limits){8, 8, 16, 16, 4, 4, 8, 16, 64, 8, 64,
	    64, 1 << 18, 1 << 18};
	for (unsigned n = 0; n < NODES; n++)
		node_new(w, n, seed);
	for (unsigned i = 1; i <= IFACES; i++) {
		c.iface = w->ifaces[i] = iface(i, set[i - 1], set[4]);
		submit(w, RELAY, &c);
		if (i >= STRANGER)
			continue;
		c.iface.id = 1;
		c.iface.mode = RNS_MODE_FULL;
		submit(w, i == 1 ? 0 : 2, &c);
	}
}

/* ---- what goes over the channel ---- */

static void
arrives(struct world *w, const struct frame *f)
{
	uint8_t *copy = malloc(MAX_OF(f->len, (size_t)1));

	if (copy == NULL)
		return;
	memcpy(copy, f->raw, f->len);
	/* an interface that is gone: RNS_ENOENT */
	(void)rns_recv(w->r[f->node], f->ifid, copy, f->len, w->now);
	free(copy);
}

static void
change_bit(struct frame *f, unsigned bit)
{
	if (f->len > 0)
		f->raw[bit / 8 % f->len] ^= (uint8_t)(1u << bit % 8);
}

static void
crosses(struct world *w, struct frame *f)
{
	struct frame late = w->late;
	uint8_t fault = 0;

	w->late.len = 0;
	if (w->nfaults > 0) {
		fault = *w->faults++;
		w->nfaults--;
	}
	switch (fault) {
	case 1:
		break;
	case 3:
		f->len /= 2;
		arrives(w, f);
		break;
	case 4:
		w->late = *f;
		break;
	case 2:
		arrives(w, f);
		/* FALLTHROUGH */
	case 0:
		arrives(w, f);
		break;
	default:
		change_bit(f, fault * 7u);
		arrives(w, f);
		break;
	}
	if (late.len > 0)
		arrives(w, &late);
}

static void
sent(struct world *w, unsigned node, const struct rns_tx *tx)
{
	struct frame f = {.len = tx->len};

	if (tx->len < 19 || tx->len > sizeof(f.raw) || tx->ifid < 1 ||
	    tx->ifid > (node == RELAY ? IFACES : 1u))
		abort();
	memcpy(f.raw, tx->data, tx->len);
	f.node = node != RELAY ? RELAY : tx->ifid == 1 ? 0 : 2;
	f.ifid = node == 2 ? 2 : 1;
	w->seen[w->nseen++ % SEEN] = f;
	if (node != RELAY || tx->ifid < STRANGER)
		crosses(w, &f);
}

/* ---- what programs do ---- */

static void
happened(struct world *w, unsigned node, const struct rns_event *ev)
{
	struct rns_cmd c = {.type = RNS_CMD_RESPOND};

	switch (ev->type) {
	case RNS_EV_LINK_UP:
		w->link[node] = ev->link.id;
		w->up[node] = true;
		c.type = RNS_CMD_CHANNEL_OPEN;
		c.hash = ev->link.id;
		(void)rns_submit(w->r[node], &c, w->now);
		c = (struct rns_cmd){.type = RNS_CMD_STREAM_OPEN};
		c.stream.link = ev->link.id;
		(void)rns_submit(w->r[node], &c, w->now);
		break;
	case RNS_EV_REQUEST:
		c.respond.link = ev->request.link;
		c.respond.request_id = ev->request.request_id;
		c.respond.data = values[w->tag % VALUES];
		c.respond.len = value_len[w->tag % VALUES];
		c.respond.tag = ++w->tag;
		(void)rns_submit(w->r[node], &c, w->now);
		break;
	case RNS_EV_RESPONSE:
		fuzz_taken++;
		break;
	default:
		break;
	}
}

static void
acts(struct world *w, const uint8_t *p, size_t n)
{
	unsigned node, other;
	struct rns_cmd c = {0};
	size_t taken, len;

	if (n < 4)
		return;
	node = (p[0] & 1) * 2;
	other = 2 - node;
	len = get_u16(p + 2) % BYTES;
	switch (p[1] % 13) {
	case 0:
		c.type = RNS_CMD_ANNOUNCE;
		c.announce.dest = w->dest[node];
		c.announce.app_data = bytes;
		c.announce.app_data_len = len % 300;
		break;
	case 1:
		c.type = RNS_CMD_LINK_OPEN;
		c.link_open.dest = w->dest[other];
		c.link_open.resources = RNS_ACCEPT_ALL;
		break;
	case 2:
		c.type = RNS_CMD_LINK_IDENTIFY;
		c.identify.link = w->link[node];
		memset(c.identify.identity, 13 + (int)node, RNS_KEY);
		break;
	case 3:
	case 4:
		c.type = RNS_CMD_REQUEST;
		c.request.link = w->link[node];
		c.request.path = "/echo";
		c.request.data = values[len % VALUES];
		c.request.len = value_len[len % VALUES];
		c.request.tag = ++w->tag;
		break;
	case 5:
		c.type = RNS_CMD_RESOURCE_SEND;
		c.resource.link = w->link[node];
		c.resource.data = bytes;
		c.resource.len = len;
		c.resource.compress = (p[0] & 2) != 0;
		c.resource.tag = ++w->tag;
		break;
	case 6:
		c.type = RNS_CMD_CHANNEL_SEND;
		c.channel.link = w->link[node];
		c.channel.msgtype = 7;
		c.channel.data = bytes;
		c.channel.len = len % 400;
		break;
	case 7:
		c.type = RNS_CMD_STREAM_SEND;
		c.stream.link = w->link[node];
		c.stream.data = bytes;
		c.stream.len = len;
		c.stream.eof = (p[0] & 2) != 0;
		c.stream.taken = &taken;
		break;
	case 8:
		c.type = RNS_CMD_PACKET;
		c.packet.dest = w->dest[other];
		c.packet.data = bytes;
		c.packet.len = len % 400;
		c.packet.receipt = true;
		break;
	case 9:
		c.type = RNS_CMD_LINK_CLOSE;
		c.hash = w->link[node];
		break;
	case 10:
		c.type = RNS_CMD_PATH_REQUEST;
		c.hash = w->dest[other];
		break;
	case 11:
		c.type = RNS_CMD_PATH_DROP;
		c.hash = w->dest[other];
		break;
	default:
		c.type = RNS_CMD_RESOURCE_CANCEL;
		c.cancel.link = w->link[node];
		c.cancel.tag = w->tag;
		break;
	}
	(void)rns_submit(w->r[node], &c, w->now);
}

static void
operates(struct world *w, const uint8_t *p, size_t n)
{
	struct rns_cmd c = {0};
	unsigned ifid;

	if (n < 2)
		return;
	ifid = 1 + p[1] % IFACES;
	switch (p[0] % 6) {
	case 0:
		c.type = RNS_CMD_IF_ONLINE;
		c.online.ifid = ifid;
		c.online.online = (p[1] & 128) != 0;
		break;
	case 1:
		c.type = RNS_CMD_IF_DEL;
		c.ifid = ifid;
		break;
	case 2:
		c.type = RNS_CMD_IF_ADD;
		c.iface = w->ifaces[ifid];
		c.iface.mode = (enum rns_if_mode)((p[1] >> 2) % 7 +
		    RNS_MODE_FULL);
		break;
	case 3:
		c.type = RNS_CMD_BLACKHOLE;
		c.blackhole.identity = w->id[(p[1] & 1) * 2];
		c.blackhole.on = (p[1] & 128) != 0;
		break;
	case 4:
		c.type = RNS_CMD_PATH_DROP;
		c.hash = w->dest[(p[1] & 1) * 2];
		break;
	default:
		c.type = RNS_CMD_ANNOUNCES_DROP;
		break;
	}
	(void)rns_submit(w->r[RELAY], &c, w->now);
}

/* ---- and what must hold ---- */

static void
bounded(const struct world *w, unsigned node)
{
	const struct rns_limits *l = &w->limits;
	struct rns_counts c;

	rns_counts(w->r[node], &c);
	if (c.interfaces > l->interfaces || c.known > l->known ||
	    c.paths > 2 * l->paths || c.links > l->links ||
	    c.link_table > l->link_table || c.reverse > l->reverse ||
	    c.receipts > l->receipts || c.announces_waiting > l->paths ||
	    c.link_table_active > c.link_table ||
	    rns_tx_waiting(w->r[node]) > l->tx_packets)
		abort();
}

static void
settle(struct world *w)
{
	struct rns_tx tx;
	struct rns_event ev;
	bool moved = true;

	for (unsigned round = 0; moved; round++) {
		moved = false;
		if (round > ROUNDS)
			abort();
		for (unsigned n = 0; n < NODES; n++) {
			if (rns_deadline(w->r[n]).us <= w->now.us) {
				rns_tick(w->r[n], w->now);
				moved = true;
			}
			while (rns_next_tx(w->r[n], &tx)) {
				sent(w, n, &tx);
				moved = true;
			}
			while (rns_next_event(w->r[n], &ev))
				happened(w, n, &ev);
			bounded(w, n);
		}
	}
	if (allocated() > w->before + MEMORY)
		abort();
}

/* Timer by timer, so that each finds what it waits for. */
static void
goes_by(struct world *w, uint32_t ms)
{
	struct mono end = mono_add(w->now, 1000 * (int64_t)MIN_OF(ms, HOUR_MS));
	struct mono next;

	for (unsigned i = 0; i < 2 * ROUNDS; i++) {
		next = end;
		for (unsigned n = 0; n < NODES; n++)
			next = mono_min(next, rns_deadline(w->r[n]));
		w->now = next.us > w->now.us ? next : w->now;
		settle(w);
		if (w->now.us >= end.us)
			return;
	}
	w->now = end;
}

static void
step(struct world *w, uint8_t kind, const uint8_t *p, size_t n)
{
	struct frame f = {0};

	switch (kind % 6) {
	case 0:
		if (n < 1 || n - 1 > sizeof(f.raw))
			break;
		f.node = RELAY;
		f.ifid = STRANGER + (p[0] & 1);
		f.len = n - 1;
		memcpy(f.raw, p + 1, n - 1);
		arrives(w, &f);
		break;
	case 1:
		if (n >= 4)
			goes_by(w, get_u32(p));
		break;
	case 2:
		w->faults = p;
		w->nfaults = (unsigned)n;
		break;
	case 3:
		acts(w, p, n);
		break;
	case 4:
		if (n < 3)
			break;
		f = w->seen[p[0] % SEEN];
		f.node = RELAY;
		f.ifid = 1 + p[1] % IFACES;
		if (p[2] != 0)
			change_bit(&f, p[2] * 13u);
		if (f.len > 0)
			arrives(w, &f);
		break;
	default:
		operates(w, p, n);
		break;
	}
	settle(w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rd in = rd_make(p, n);
	static struct world w;
	const uint8_t *data;
	uint32_t seed = 1;
	uint16_t len;
	uint8_t kind;

	if (!rd_ref(&in, &data, 5))
		return 0;
	for (unsigned i = 0; i < VALUES; i++) {
		values[i][0] = 0xc5;
		put_u16(values[i] + 1, (uint16_t)(value_len[i] - 3));
	}
	world_new(&w, data, &seed);
	for (int i = 0; i < STEPS && rd_u8(&in, &kind) && rd_u16(&in, &len) &&
	    rd_ref(&in, &data, len); i++)
		step(&w, kind, data, len);
	/* what goes on ends by itself */
	w.nfaults = 0;
	for (unsigned i = 0; i < 2; i++)
		goes_by(&w, HOUR_MS);
	for (unsigned i = 0; i < NODES; i++)
		rns_free(w.r[i]);
	return 0;
}
