/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole core: the input is a script of what comes in and of how much time
 * goes by. Each step is a kind, a length (two bytes) and that many bytes:
 *
 *   0-3  a packet from interface 1 to 4 as it stands
 *   4    a packet for our destination: context, then what is encrypted
 *   5    a signed announce: whose, then the application's data
 *   6    a link request for our destination: 67 bytes or what there is
 *   7    time: milliseconds, the first four bytes
 *   8    a path request for our destination: the tag
 *   9    a packet to relay: flags, hops, whose (as in 5), context, data
 *   10   a proof for what 9 sent last: flags, context, data
 */
#include <stdlib.h>
#include <string.h>

#include "transport/core/base/announce.h"
#include "transport/core/base/crypt.h"
#include "common/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define IFACES 4
#define STEPS 64

struct world {
	struct rns *r;
	struct mono now;
	struct identity id;
	struct hash16 dest;
	struct hash16 last; /* truncated hash, or link id */
};

static void
numbers(void *arg, uint8_t *out, size_t n)
{
	uint32_t *state = arg;

	for (size_t i = 0; i < n; i++) {
		*state = *state * 1664525u + 1013904223u;
		out[i] = (uint8_t)(*state >> 24);
	}
}

static void
submit(struct world *w, const struct rns_cmd *c)
{
	if (rns_submit(w->r, c, w->now) != RNS_OK)
		abort();
}

static void
world_new(struct world *w, uint32_t *seed)
{
	struct rns_config cfg = {
	    .random = numbers,
	    .random_arg = seed,
	    .wall_us = INT64_C(1700000000000000),
	    .transport = true,
	    .link_mtu_discovery = true,
	};
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD};
	uint8_t priv[RNS_KEY];

	memset(priv, 4, sizeof(priv));
	memset(cfg.identity, 3, sizeof(cfg.identity));
	cfg.limits = (struct rns_limits){8, 8, 16, 16, 4, 4, 8, 16, 64, 8, 64, 64,
	    1 << 20, 1 << 20};
	w->now = (struct mono){0};
	w->r = rns_new(&cfg, w->now);
	if (w->r == NULL || identity_load(&w->id, priv) != RNS_OK ||
	    rns_dest_hash(&w->dest, "fuzz.core", &w->id.hash) != RNS_OK)
		abort();
	c.dest.type = RNS_SINGLE;
	c.dest.name = "fuzz.core";
	c.dest.has_identity = true;
	memcpy(c.dest.identity, priv, RNS_KEY);
	c.dest.prove = RNS_PROVE_ALL;
	c.dest.accept_links = true;
	c.dest.resources = RNS_ACCEPT_ALL;
	submit(w, &c);
	for (unsigned i = 1; i <= IFACES; i++) {
		memset(&c, 0, sizeof(c));
		c.type = RNS_CMD_IF_ADD;
		c.iface.id = i;
		c.iface.kind = i == 3 ? RNS_IF_LOCAL_CLIENT : RNS_IF_NET;
		c.iface.mode = RNS_MODE_FULL;
		c.iface.bitrate = 1000 * i;
		c.iface.hw_mtu = 1064;
		c.iface.mtu_signal = i == 1;
		c.iface.out = c.iface.online = true;
		c.iface.ifac_size = i == 4 ? 8 : 0;
		submit(w, &c);
	}
}

static void
drain(struct world *w)
{
	struct rns_tx tx;
	struct rns_event ev;

	while (rns_next_tx(w->r, &tx)) {
		if (tx.ifid < 1 || tx.ifid > IFACES || tx.len < 19)
			abort();
	}
	while (rns_next_event(w->r, &ev))
		continue;
}

static void
recv_raw(struct world *w, unsigned ifid, const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);

	if (copy == NULL)
		return;
	if (n > 0)
		memcpy(copy, p, n);
	if (rns_recv(w->r, ifid, copy, n, w->now) != RNS_OK)
		abort();
	free(copy);
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
		recv_raw(w, 1, raw, HEADER_1_LEN + len);
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
		recv_raw(w, 2, raw, len);
	}
}

static void
recv_built(struct world *w, uint8_t flags, const struct hash16 *dest,
    const uint8_t *p, size_t n)
{
	uint8_t raw[RNS_MTU];
	size_t len = packet_build(raw, sizeof(raw), flags, dest, 0, p, n);

	if (len > 0)
		recv_raw(w, 1, raw, len);
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
	recv_raw(w, 1, raw, n);
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
		recv_raw(w, 2, raw, len);
}

static void
step(struct world *w, uint8_t kind, const uint8_t *p, size_t n)
{
	static const struct hash16 request =
	    {{0x6b, 0x9f, 0x66, 0x01, 0x4d, 0x98, 0x53, 0xfa, 0xab, 0x22, 0x0f,
	    0xba, 0x47, 0xd0, 0x27, 0x61}};
	uint8_t buf[64];

	switch (kind % 11) {
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
		recv_built(w, PACKET_FLAGS(DEST_PLAIN, PACKET_DATA), &request,
		    buf, RNS_HASH + n);
		break;
	case 9:
		recv_relay(w, p, n);
		break;
	case 10:
		recv_proof(w, p, n);
		break;
	default:
		recv_raw(w, 1 + kind % 11, p, n);
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

	world_new(&w, &seed);
	for (int i = 0; i < STEPS && rd_u8(&in, &kind) && rd_u16(&in, &len) &&
	    rd_ref(&in, &data, len); i++) {
		step(&w, kind, data, len);
		drain(&w);
		if (rns_deadline(w.r).us <= w.now.us)
			rns_tick(w.r, w.now);
		drain(&w);
	}
	rns_free(w.r);
	return 0;
}
