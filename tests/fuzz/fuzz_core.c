/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole core: the input is a world, then a script of what comes in and of
 * how much time goes by. The world is a byte of settings (1 relays, 2 signals
 * link MTUs, 4 implicit proofs, 8 hides where a packet begins) and one for each
 * interface (the mode in three bits, 8 access code, 16 an attached program, 32
 * wants a tunnel and searches on, 64 limits announces and has a slow frame, 128
 * offline at first). Each step is a kind, a length (two bytes) and that many
 * bytes; the kind's upper half is the interface, 0: as stands here.
 *
 *   0-3  a packet from interface 1 to 4 as it stands
 *   4    a packet for our destination: context, then what is encrypted
 *   5    a signed announce: whose, then the application's data
 *   6    a link request for our destination: 67 bytes or what there is
 *   7    time: milliseconds, the first four bytes
 *   8    a path request for our destination: the tag
 *   9    a packet to relay: flags, hops, whose (as in 5), context, data
 *   10   a proof for what 9 sent last: flags, context, data
 *   11   a packet with the right access code, else as it stands
 *   12   an interface: 0 goes, 1 comes, 2 is down, 3 is up; its byte, as above
 *   13   a command of the caller, and whom it is about
 *   14   a path request for another: whose, whose id asks, the tag
 *   15   up to 64 announces at once, as 5; each with its own random bytes
 *
 * After each step: tables within their limits, each drop in the totals once and
 * once at the interface that was listened to, what comes in at the door refused
 * for the one reason that it has, no timer in the past, memory within a bound,
 * and nothing sent where it may not be: by a code that is missing, to an access
 * point, from a network to a network by one that does not relay.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/core/base/announce.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/ctx.h"
#include "transport/core/base/ifac.h"
#include "common/util.h"
#include "common/wire.h"
#include "tests/fuzz/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define IFACES 6
#define STEPS 64
#define IFAC_SIZE 8
#define HW_MTU 1064
#define EVENT_BYTES (1u << 20)
#define RESOURCE_BYTES (1u << 20)
#define BURST 64
/*
 * Ours: what may be held after a script. Events and resources have their own
 * limits, the tables some hundred bytes for each of a few dozen entries, and of
 * announces some hundreds may wait.
 */
#define HELD_MAX (RESOURCE_BYTES + EVENT_BYTES + (4u << 20))

enum { BIT_IFAC = 8, BIT_LOCAL = 16, BIT_SEARCH = 32, BIT_SLOW = 64,
    BIT_DOWN = 128 };

struct world {
	struct rns *r;
	struct mono now;
	struct identity id;
	struct hash16 dest;
	struct hash16 last; /* truncated hash, or link id */
	unsigned at; /* the interface of this step, 0: the kind's own */
	uint8_t said[IFACES + 1]; /* of each interface; its byte */
	bool there[IFACES + 1], online[IFACES + 1];
	bool relays;
	struct ifac code;
	size_t before; /* bytes that an empty world holds */
	uint64_t dropped;
	unsigned seen; /* so that it is looked at */
};

static const struct rns_limits limits = {8, 8, 16, 16, 4, 4, 8, 16, 64, 8, 64,
    64, RESOURCE_BYTES, EVENT_BYTES};

static void
submit(struct world *w, const struct rns_cmd *c)
{
	must(rns_submit(w->r, c, w->now) == RNS_OK);
}

static void
iface_add_as(struct world *w, unsigned id, uint8_t said)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD};
	bool local = (said & BIT_LOCAL) != 0;

	c.iface.id = id;
	c.iface.kind = local ? RNS_IF_LOCAL_CLIENT : RNS_IF_NET;
	/* programs are mode full (reticulum-transport.md 12.3) */
	c.iface.mode = local ? RNS_MODE_FULL :
	    (enum rns_if_mode)(RNS_MODE_FULL + (said & 7) % 7);
	c.iface.bitrate = (said & BIT_SLOW) != 0 ? 1200 : 1000 * id;
	c.iface.hw_mtu = HW_MTU;
	c.iface.mtu_signal = id == 1;
	c.iface.out = true;
	c.iface.online = (said & BIT_DOWN) == 0;
	c.iface.wants_tunnel = c.iface.recursive_prs =
	    (said & BIT_SEARCH) != 0 && !local;
	if ((said & BIT_SLOW) != 0) {
		c.iface.frame = 300;
		c.iface.ar_target_s = 60;
		c.iface.ar_penalty_s = 120;
		c.iface.announce_cap_permille = 20;
	}
	c.iface.ifac_size = (said & BIT_IFAC) != 0 ? IFAC_SIZE : 0;
	memset(c.iface.name_hash.b, (int)id, sizeof(c.iface.name_hash.b));
	submit(w, &c);
	w->said[id] = said;
	w->there[id] = true;
	w->online[id] = c.iface.online;
}

static void
dest_add(struct world *w, const uint8_t priv[RNS_KEY])
{
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD};

	c.dest.type = RNS_SINGLE;
	c.dest.name = "fuzz.core";
	c.dest.has_identity = true;
	memcpy(c.dest.identity, priv, RNS_KEY);
	c.dest.prove = RNS_PROVE_ALL;
	c.dest.accept_links = true;
	c.dest.resources = RNS_ACCEPT_ALL;
	submit(w, &c);
}

/* false: not even a world. */
static bool
world_new(struct world *w, struct rd *in, uint32_t *seed)
{
	static const uint8_t key[64];
	struct rns_config cfg = {
	    .random = numbers,
	    .random_arg = seed,
	    .wall_us = INT64_C(1700000000000000),
	    .limits = limits,
	};
	uint8_t priv[RNS_KEY], set;
	const uint8_t *said;

	if (!rd_u8(in, &set) || !rd_ref(in, &said, IFACES))
		return false;
	memset(w, 0, sizeof(*w));
	w->relays = cfg.transport = (set & 1) != 0;
	cfg.link_mtu_discovery = (set & 2) != 0;
	cfg.implicit_proof = (set & 4) != 0;
	cfg.local_hops_delta = (set & 8) != 0;
	memset(priv, 4, sizeof(priv));
	memset(cfg.identity, 3, sizeof(cfg.identity));
	w->r = rns_new(&cfg, w->now);
	must(w->r != NULL && identity_load(&w->id, priv) == RNS_OK &&
	    rns_dest_hash(&w->dest, "fuzz.core", &w->id.hash) == RNS_OK &&
	    ifac_init(&w->code, IFAC_SIZE, key) == RNS_OK);
	dest_add(w, priv);
	for (unsigned i = 1; i <= IFACES; i++)
		iface_add_as(w, i, said[i - 1]);
	return true;
}

/* ---- what is always so ---- */

static uint64_t
drops_of(const struct world *w, unsigned ifid)
{
	uint64_t n = 0;

	for (int i = 0; i < RNS_DROP_COUNT; i++)
		n += ifid != 0 ? rns_if_drops(w->r, ifid, (enum rns_drop)i) :
		    rns_drops(w->r, (enum rns_drop)i);
	return n;
}

static void
check_tables(struct world *w)
{
	uint64_t dropped = drops_of(w, 0);
	struct rns_counts c;

	rns_counts(w->r, &c);
	must(c.interfaces <= limits.interfaces &&
	    c.destinations <= limits.destinations &&
	    c.known <= limits.known && c.paths <= limits.paths &&
	    c.links <= limits.links && c.link_table <= limits.link_table &&
	    c.link_table_active <= c.link_table &&
	    c.reverse <= limits.reverse && c.receipts <= limits.receipts);
	must(c.signals == 0);
	must(w->r->resource_bytes <= limits.resource_bytes);
	/* the next one makes room: reticulum-transport.md 2.8 */
	must(rns_hashes(w->r, NULL, 0) <= limits.hashes + 1);
	must(dropped >= w->dropped);
	w->dropped = dropped;
	must(allocated() <= w->before + HELD_MAX);
}

/* reticulum-transport.md 5.3, of those rows that do not ask what came later */
static void
check_modes(const struct world *w, const struct rns_tx *tx,
    const struct packet *p)
{
	if (p->type != PACKET_ANNOUNCE || p->context == CTX_PATH_RESPONSE ||
	    (w->said[tx->ifid] & BIT_LOCAL) != 0)
		return;
	must(RNS_MODE_FULL + (w->said[tx->ifid] & 7) % 7 != RNS_MODE_AP);
}

static void
check_tx(const struct world *w, const struct rns_tx *tx)
{
	bool code = (w->said[tx->ifid] & BIT_IFAC) != 0;
	uint8_t raw[HW_MTU + IFAC_SIZE];
	size_t len = tx->len;
	struct packet p;

	must(len <= sizeof(raw));
	if (code)
		must(ifac_unmask(&w->code, raw, &len, sizeof(raw), tx->data,
		    tx->len) == RNS_OK);
	else
		memcpy(raw, tx->data, len);
	must(packet_parse(&p, raw, len) == RNS_OK && p.hops <= RNS_HOPS_MAX);
	check_modes(w, tx, &p);
	if (!w->relays && tx->from != 0 && tx->from != tx->ifid)
		must((w->said[tx->from] & BIT_LOCAL) != 0 ||
		    (w->said[tx->ifid] & BIT_LOCAL) != 0);
}

/* Bytes that an event shows are there to be read. */
static unsigned
look(const uint8_t *p, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; p != NULL && i < n; i++)
		sum += p[i];
	return sum;
}

static unsigned
look_event(const struct rns_event *ev)
{
	switch (ev->type) {
	case RNS_EV_ANNOUNCE:
		return look(ev->announce.app_data, ev->announce.app_data_len) +
		    look(ev->announce.ratchet, RNS_RATCHET) +
		    look(ev->announce.raw, ev->announce.raw_len);
	case RNS_EV_PACKET:
	case RNS_EV_LINK_DATA:
		return look(ev->packet.data, ev->packet.len);
	case RNS_EV_REQUEST:
		return look(ev->request.data, ev->request.len);
	case RNS_EV_RESOURCE_DATA:
		return look(ev->resource.data, ev->resource.len) +
		    look(ev->resource.metadata, ev->resource.metadata_len);
	default:
		return 0;
	}
}

static void
drain(struct world *w)
{
	struct rns_tx tx;
	struct rns_event ev;

	must(rns_tx_waiting(w->r) <= limits.tx_packets);
	while (rns_next_tx(w->r, &tx)) {
		must(tx.ifid >= 1 && tx.ifid <= IFACES && tx.len >= 19);
		/* what was queued before it went stays in no queue */
		if (w->there[tx.ifid] && w->online[tx.ifid])
			check_tx(w, &tx);
	}
	while (rns_next_event(w->r, &ev))
		w->seen += look_event(&ev);
}

/* What a packet must be refused for at the door; RNS_DROP_COUNT: nothing. */
static enum rns_drop
door(const struct world *w, unsigned ifid, const uint8_t *p, size_t n)
{
	bool code = (w->said[ifid] & BIT_IFAC) != 0;

	if (n < 3)
		return RNS_DROP_SHORT;
	if (n > HW_MTU + (code ? IFAC_SIZE : 0u))
		return RNS_DROP_LONG;
	if ((p[0] & FLAG_IFAC) != 0 && !code)
		return RNS_DROP_IFAC_UNEXPECTED;
	if ((p[0] & FLAG_IFAC) == 0 && code)
		return RNS_DROP_IFAC_MISSING;
	if (!code && p[1] >= RNS_HOPS_MAX)
		return RNS_DROP_HOPS;
	return RNS_DROP_COUNT;
}

static void
recv_raw(struct world *w, unsigned ifid, const uint8_t *p, size_t n)
{
	uint64_t all = drops_of(w, 0), there, one = 0;
	enum rns_drop why;
	uint8_t *copy;

	if (!w->there[ifid]) {
		must(rns_recv(w->r, ifid, p, n, w->now) == RNS_ENOENT);
		return;
	}
	if ((copy = malloc(n > 0 ? n : 1)) == NULL)
		return;
	if (n > 0)
		memcpy(copy, p, n);
	there = drops_of(w, ifid);
	if ((why = door(w, ifid, p, n)) != RNS_DROP_COUNT)
		one = rns_drops(w->r, why);
	must(rns_recv(w->r, ifid, copy, n, w->now) == RNS_OK);
	free(copy);
	all = drops_of(w, 0) - all;
	there = drops_of(w, ifid) - there;
	if (why == RNS_DROP_COUNT)
		must(there <= all);
	else
		must(all == 1 && there == 1 &&
		    rns_drops(w->r, why) == one + 1);
}

/* With the access code of where it comes in. */
static void
recv_on(struct world *w, unsigned ifid, const uint8_t *p, size_t n)
{
	uint8_t raw[HW_MTU];

	if (w->at != 0)
		ifid = w->at;
	if ((w->said[ifid] & BIT_IFAC) == 0) {
		recv_raw(w, ifid, p, n);
		return;
	}
	if ((n = ifac_mask(&w->code, raw, sizeof(raw), p, n)) > 0)
		recv_raw(w, ifid, raw, n);
}

static void
recv_data(struct world *w, const uint8_t *p, size_t n)
{
	static const uint8_t eph[32] = {1}, iv[16] = {2};
	uint8_t raw[RNS_MTU];
	size_t len;

	if (n < 1)
		return;
	(void)packet_head(raw, PACKET_FLAGS(DEST_SINGLE, PACKET_DATA), &w->dest,
	    p[0]);
	if (identity_encrypt(raw + HEADER_1_LEN, &len,
		sizeof(raw) - HEADER_1_LEN, w->id.pub, &w->id.hash, NULL, eph,
		iv, p + 1, n - 1) == RNS_OK)
		recv_on(w, 1, raw, HEADER_1_LEN + len);
}

static void
other_dest(struct hash16 *dest, struct identity *id, uint8_t who)
{
	uint8_t priv[RNS_KEY] = {1};

	priv[40] = who & 7;
	if (identity_load(id, priv) != RNS_OK ||
	    rns_dest_hash(dest, "fuzz.other", &id->hash) != RNS_OK)
		abort();
}

static void
recv_announce(struct world *w, const uint8_t *p, size_t n)
{
	uint8_t raw[RNS_MTU], name[RNS_NAME_HASH];
	struct hash16 dest;
	struct identity id;
	size_t len;

	if (n < 7)
		return;
	other_dest(&dest, &id, p[0]);
	rns_name_hash(name, "fuzz.other");
	len = announce_build(raw, &id, &dest, name, p + 1, p[6],
	    (p[0] & 8) != 0 ? id.pub : NULL, p + 7, n - 7, (p[0] & 16) != 0);
	if (len > 0) {
		raw[1] = p[0] >> 5;
		recv_on(w, 2, raw, len);
	}
}

static void
recv_built(struct world *w, uint8_t flags, const struct hash16 *dest,
    const uint8_t *p, size_t n)
{
	uint8_t raw[RNS_MTU];
	size_t len = packet_build(raw, sizeof(raw), flags, dest, 0, p, n);

	if (len > 0)
		recv_on(w, 1, raw, len);
}

static void
recv_relay(struct world *w, const uint8_t *p, size_t n)
{
	uint8_t raw[RNS_MTU];
	struct identity id;
	struct packet q;

	if (n < 4 || n - 4 > sizeof(raw) - HEADER_2_LEN)
		return;
	raw[0] = (uint8_t)((p[0] & 0x2f) | FLAG_HEADER_2 | FLAG_TRANSPORT);
	raw[1] = p[1];
	memcpy(raw + 2, rns_identity_hash(w->r), RNS_HASH);
	other_dest(hash16_into(raw + 2 + RNS_HASH), &id, p[2]);
	raw[HEADER_2_LEN - 1] = p[3];
	memcpy(raw + HEADER_2_LEN, p + 4, n - 4);
	n += HEADER_2_LEN - 4;
	if (packet_parse(&q, raw, n) == RNS_OK) {
		w->last = *hash16_at(q.hash.b);
		if (q.type == PACKET_LINKREQUEST)
			packet_link_id(&w->last, &q);
	}
	recv_on(w, 1, raw, n);
}

static void
recv_proof(struct world *w, const uint8_t *p, size_t n)
{
	uint8_t raw[RNS_MTU];
	size_t len;

	if (n < 2)
		return;
	len = packet_build(raw, sizeof(raw), p[0], &w->last, p[1], p + 2,
	    n - 2);
	if (len > 0)
		recv_on(w, 2, raw, len);
}

/* Of one destination each, or of all of them in turn. */
static void
recv_burst(struct world *w, const uint8_t *p, size_t n)
{
	uint8_t one[RNS_MTU];

	if (n < 8 || n > 300)
		return;
	memcpy(one, p + 1, n - 1);
	for (unsigned i = 0; i <= p[0] % BURST; i++) {
		one[0] = (uint8_t)(p[1] ^ ((p[0] & 128) != 0 ? i & 7 : 0));
		one[1] = (uint8_t)i;
		recv_announce(w, one, n - 1);
	}
}

static void
recv_asked(struct world *w, const uint8_t *p, size_t n)
{
	uint8_t buf[2 * RNS_HASH + 32];
	struct identity id;

	if (n < 2)
		return;
	n = MIN_OF(n - 2, (size_t)32);
	other_dest(hash16_into(buf), &id, p[0]);
	memset(buf + RNS_HASH, p[1], RNS_HASH);
	memcpy(buf + 2 * RNS_HASH, p + 2, n);
	recv_built(w, PACKET_FLAGS(DEST_PLAIN, PACKET_DATA),
	    &w->r->path_request_dest, buf, 2 * RNS_HASH + n);
}

/* ---- what the caller does ---- */

static void
interface(struct world *w, const uint8_t *p, size_t n)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ONLINE};
	unsigned id = w->at != 0 ? w->at : 1;
	bool there = w->there[id];

	if (n < 2)
		return;
	switch (p[0] & 3) {
	case 0:
		c.type = RNS_CMD_IF_DEL;
		c.ifid = id;
		w->there[id] = false;
		break;
	case 1:
		if (!there)
			iface_add_as(w, id, p[1]);
		return;
	default:
		c.online.ifid = id;
		c.online.online = (p[0] & 1) != 0;
		w->online[id] = there && c.online.online;
		break;
	}
	must((rns_submit(w->r, &c, w->now) == RNS_OK) == there);
}

/* What only the input decides may be refused; it must not be lost. */
static void
command(struct world *w, const uint8_t *p, size_t n)
{
	struct rns_cmd c = {.type = RNS_CMD_PATH_REQUEST};
	struct identity id;
	struct hash16 who;

	if (n < 2)
		return;
	other_dest(&who, &id, p[1]);
	c.hash = who;
	switch (p[0] % 10) {
	case 0:
		break;
	case 1:
		c.type = RNS_CMD_PATH_DROP;
		break;
	case 2:
		c.type = RNS_CMD_ANNOUNCES_DROP;
		break;
	case 3:
		c.type = RNS_CMD_ANNOUNCE;
		c.announce.dest = w->dest;
		c.announce.app_data = p + 2;
		c.announce.app_data_len = n - 2;
		break;
	case 4:
		c.type = RNS_CMD_PACKET;
		c.packet.dest = who;
		c.packet.data = p + 2;
		c.packet.len = n - 2;
		c.packet.receipt = true;
		c.packet.tag = 1;
		break;
	case 5:
		c.type = RNS_CMD_LINK_OPEN;
		c.link_open.dest = who;
		c.link_open.tag = 2;
		break;
	case 6:
		c.type = RNS_CMD_BLACKHOLE;
		c.blackhole.identity = id.hash;
		c.blackhole.on = (p[1] & 8) == 0;
		break;
	case 7:
		c.type = RNS_CMD_LINK_CLOSE;
		c.hash = w->last;
		break;
	case 8:
		c.type = RNS_CMD_KNOWN_ADD;
		c.known.dest = who;
		memcpy(c.known.public_key, id.pub, RNS_KEY);
		c.known.app_data = p + 2;
		c.known.app_data_len = n - 2;
		break;
	default:
		c.type = RNS_CMD_TUNNEL_ADD;
		memset(c.tunnel.id.b, p[1], sizeof(c.tunnel.id.b));
		c.tunnel.expires_us = INT64_C(1700001000000000);
		break;
	}
	(void)rns_submit(w->r, &c, w->now);
}

/* ---- steps ---- */

static void
step(struct world *w, uint8_t kind, const uint8_t *p, size_t n)
{
	uint8_t buf[64];

	w->at = kind >> 4;
	if (w->at != 0)
		w->at = (w->at - 1) % IFACES + 1;
	kind &= 15;
	switch (kind) {
	case 4:
		recv_data(w, p, n);
		break;
	case 5:
		recv_announce(w, p, n);
		break;
	case 6:
		recv_built(w, PACKET_FLAGS(DEST_SINGLE, PACKET_LINKREQUEST),
		    &w->dest, p, n);
		break;
	case 7:
		if (n >= 4)
			w->now = mono_add(w->now, 1000 * (int64_t)get_u32(p));
		rns_tick(w->r, w->now);
		break;
	case 8:
		n = n < 48 ? n : 48;
		memcpy(buf, HASH_BYTES(w->dest));
		if (n > 0)
			memcpy(buf + RNS_HASH, p, n);
		recv_built(w, PACKET_FLAGS(DEST_PLAIN, PACKET_DATA),
		    &w->r->path_request_dest, buf, RNS_HASH + n);
		break;
	case 9:
		recv_relay(w, p, n);
		break;
	case 10:
		recv_proof(w, p, n);
		break;
	case 11:
		recv_on(w, 1, p, n);
		break;
	case 12:
		interface(w, p, n);
		break;
	case 13:
		command(w, p, n);
		break;
	case 14:
		recv_asked(w, p, n);
		break;
	case 15:
		recv_burst(w, p, n);
		break;
	default:
		recv_raw(w, w->at != 0 ? w->at : 1u + kind, p, n);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rd in = rd_make(p, n);
	uint32_t seed = 1;
	struct world w;
	const uint8_t *data;
	uint16_t len;
	uint8_t kind;

	if (!world_new(&w, &in, &seed))
		return 0;
	w.before = allocated();
	for (int i = 0; i < STEPS && rd_u8(&in, &kind) && rd_u16(&in, &len) &&
	    rd_ref(&in, &data, len); i++) {
		step(&w, kind, data, len);
		drain(&w);
		rns_tick(w.r, w.now);
		must(rns_deadline(w.r).us > w.now.us);
		drain(&w);
		check_tables(&w);
	}
	rns_free(w.r);
	return 0;
}
