/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets and announces. */
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "common/util.h"
#include "transport/core/base/announce.h"
#include "transport/core/base/const.h"
#include "transport/core/base/crypt.h"
#include "transport/config/rnsconf.h"
#include "transport/core/base/packet.h"
#include "transport/core/link/link.h"
#include "transport/core/send/announceq.h"
#include "transport/core/send/forward.h"
#include "transport/core/table/dest.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/known.h"

#define OUT_MAX 4096 /* more than any packet here; RNS_MTU is the limit */

static void
put_packet(struct call *c, const struct packet *p)
{
	put_int(c, "flags", p->flags);
	put_int(c, "hops", p->hops);
	put_int(c, "header_type", p->header_2 ? 1 : 0);
	put_int(c, "context_flag", p->context_flag ? 1 : 0);
	put_int(c, "transport_type", p->transport ? 1 : 0);
	put_int(c, "destination_type", p->dest_type);
	put_int(c, "packet_type", p->type);
	put_hex(c, "destination_hash", HASH_BYTES(*p->dest));
	put_bytes(c, "transport_id", (struct bytes){
	    (uint8_t *)p->transport_id, RNS_HASH, p->transport_id != NULL});
	put_int(c, "context", p->context);
	put_hex(c, "data", p->data, p->data_len);
	put_hex(c, "hash", HASH_BYTES(p->hash));
}

/* ---- building ---- */

struct target {
	enum dest_type type;
	struct hash16 hash;
	uint8_t pub[RNS_KEY]; /* SINGLE */
	uint8_t group[64];
};

static struct target
target_new(struct call *c)
{
	struct target t = {.type = DEST_PLAIN};
	uint8_t priv[RNS_KEY];
	struct hash16 id;

	if (arg_is(c, "dest_type", "single"))
		t.type = DEST_SINGLE;
	else if (arg_is(c, "dest_type", "group"))
		t.type = DEST_GROUP;
	else if (!arg_is(c, "dest_type", "plain"))
		fail(c, "ValueError: unknown dest_type");
	rand_fill(NULL, priv, sizeof(priv));
	rand_fill(NULL, t.group, sizeof(t.group));
	must(c, rns_identity_derive(t.pub, &id, priv), "identity");
	must(c, rns_dest_hash(&t.hash, "conformance.packet",
	    t.type == DEST_PLAIN ? NULL : &id), "name");
	return t;
}

/* Which packets go in clear (reticulum-endpoint.md 3.7). */
static bool
in_clear(const struct target *t, enum packet_type type, uint8_t context)
{
	return t->type == DEST_PLAIN || type != PACKET_DATA ||
	    context == CTX_RESOURCE || context == CTX_KEEPALIVE ||
	    context == CTX_CACHE_REQUEST;
}

static struct bytes
payload(struct call *c, const struct target *t, enum packet_type type,
    uint8_t context)
{
	struct bytes in = arg_opt(c, "data"), out = in;
	uint8_t iv[16];

	if (in_clear(t, type, context))
		return in;
	if (t->type == DEST_SINGLE)
		return encrypt_to(c, t->pub, NULL, in);
	rand_fill(NULL, iv, sizeof(iv));
	out.p = call_alloc(c, token_len(in.n));
	must(c, token_encrypt(out.p, &out.n, token_len(in.n), t->group,
	    sizeof(t->group), iv, in.p, in.n), "encrypt");
	return out;
}

/* Header type 2 is the relay's: it leaves by an interface of a context. */
static size_t
build_header_2(struct call *c, uint8_t out[RNS_MTU], uint8_t flags,
    uint8_t hops, const uint8_t *transport_id, const struct target *t,
    uint8_t context, struct bytes data)
{
	struct rns_cmd cmd = {.type = RNS_CMD_IF_ADD, .iface = {.id = 1,
	    .kind = RNS_IF_NET, .mode = RNS_MODE_FULL, .out = true,
	    .online = true}};
	struct iovec_c v[3] = {{t->hash.b, RNS_HASH}, {&context, 1},
	    {data.p, data.n}};
	struct rns *r = scratch(c, wall_here());
	struct rns_tx tx;

	must(c, rns_submit(r, &cmd, mono_here()), "interface");
	must(c, forward(r, iface_find(r, 1), flags, hops, transport_id, v, 3),
	    "packet");
	if (!rns_next_tx(r, &tx) || tx.len > RNS_MTU)
		return 0;
	memcpy(out, tx.data, tx.len);
	return tx.len;
}

static size_t
build(struct call *c, uint8_t out[RNS_MTU], const struct target *t)
{
	enum packet_type type =
	    (enum packet_type)arg_int(c, "packet_type", 0, 3);
	uint8_t context = (uint8_t)arg_int_or(c, "context", 0, 255, 0);
	uint8_t hops = (uint8_t)arg_int_or(c, "hops", 0, 255, 0);
	uint8_t flags = PACKET_FLAGS(t->type, type);
	struct bytes data = payload(c, t, type, context);
	size_t n;

	if (arg_int_or(c, "context_flag", 0, 1, 0) != 0)
		flags |= FLAG_CONTEXT;
	if (arg_int_or(c, "transport_type", 0, 1, 0) != 0)
		flags |= FLAG_TRANSPORT;
	if (arg_int_or(c, "header_type", 1, 2, 1) == 2) {
		if (type != PACKET_ANNOUNCE)
			fail(c, "OSError: only an announce is built so");
		return build_header_2(c, out, flags | FLAG_HEADER_2, hops,
		    arg_n(c, "transport_id", RNS_HASH), t, context, data);
	}
	n = packet_build(out, RNS_MTU, flags, &t->hash, context, data.p,
	    data.n);
	if (n > 0)
		out[1] = hops;
	return n;
}

void
cmd_packet_build(struct call *c)
{
	struct target t = target_new(c);
	uint8_t raw[RNS_MTU];
	size_t n = build(c, raw, &t);
	struct packet p;

	if (n == 0)
		fail(c, "OSError: over %d bytes", RNS_MTU);
	put_hex(c, "raw", raw, n);
	/* one without data is built, and taken by nobody */
	if (packet_parse(&p, raw, n) == RNS_OK)
		put_packet(c, &p);
}

/* What the library would not make is the error here. */
void
cmd_packet_build_raw_header2(struct call *c)
{
	struct target t = {.type = DEST_SINGLE};
	int64_t type = arg_int(c, "packet_type", 0, 3);
	struct bytes id = arg_opt(c, "transport_id");
	struct bytes data = arg_opt(c, "data");
	uint8_t raw[RNS_MTU];
	size_t n;

	rand_fill(NULL, HASH_BYTES(t.hash));
	if (id.n != RNS_HASH || type != PACKET_ANNOUNCE) {
		put_str(c, "error", id.n != RNS_HASH ? "no transport id" :
		    "only an announce is built with header type 2");
		put_str(c, "error_type", "OSError");
		return;
	}
	n = build_header_2(c, raw, FLAG_HEADER_2 | FLAG_TRANSPORT |
	    PACKET_FLAGS(t.type, PACKET_ANNOUNCE), 0, id.p, &t, CTX_NONE,
	    data);
	if (n == 0)
		fail(c, "OSError: over %d bytes", RNS_MTU);
	put_hex(c, "raw", raw, n);
}

void
cmd_packet_unpack(struct call *c)
{
	struct bytes raw = arg(c, "raw");
	struct packet p;
	bool ok = packet_parse(&p, raw.p, raw.n) == RNS_OK;

	put_bool(c, "unpacked", ok);
	if (ok)
		put_packet(c, &p);
}

void
cmd_packet_hash(struct call *c)
{
	struct bytes raw = arg(c, "raw");
	struct packet p;

	must(c, packet_parse(&p, raw.p, raw.n), "packet");
	put_hex(c, "hash", HASH_BYTES(p.hash));
}

void
cmd_packet_resend_observe(struct call *c)
{
	static const char *const keys[][2] = {{"raw_1", "hash_1"},
	    {"raw_2", "hash_2"}};
	struct target t = target_new(c);
	uint8_t raw[RNS_MTU];
	struct packet p;
	struct bytes data;
	size_t n;

	for (size_t i = 0; i < NELEM(keys); i++) {
		data = payload(c, &t, PACKET_DATA, CTX_NONE);
		n = packet_build(raw, sizeof(raw),
		    PACKET_FLAGS(t.type, PACKET_DATA), &t.hash, CTX_NONE,
		    data.p, data.n);
		if (n == 0)
			fail(c, "OSError: over %d bytes", RNS_MTU);
		must(c, packet_parse(&p, raw, n), "packet");
		put_hex(c, keys[i][0], raw, n);
		put_hex(c, keys[i][1], HASH_BYTES(p.hash));
	}
}

void
cmd_packet_constants(struct call *c)
{
	put_int(c, "mtu", RNS_MTU);
	put_int(c, "header_minsize", HEADER_1_LEN);
	put_int(c, "header_maxsize", HEADER_2_LEN);
	put_int(c, "ifac_min_size", RNS_MTU - HEADER_2_LEN - PLAIN_MDU);
	put_int(c, "mdu", PLAIN_MDU);
	put_int(c, "packet_mdu", PLAIN_MDU);
	put_int(c, "packet_plain_mdu", PLAIN_MDU);
	put_int(c, "packet_encrypted_mdu", ENCRYPTED_MDU);
	put_int(c, "link_mdu", link_mdu(RNS_MTU));
	put_int(c, "hashlength", 8 * RNS_FULL_HASH);
	put_int(c, "siglength", 8 * RNS_SIG);
	put_int(c, "truncated_hashlength", 8 * RNS_HASH);
	put_int(c, "keysize", 8 * RNS_KEY);
	put_int(c, "name_hash_length", 8 * RNS_NAME_HASH);
	put_int(c, "token_overhead", TOKEN_OVERHEAD);
	put_int(c, "aes128_blocksize", (int64_t)token_len(0) -
	    TOKEN_OVERHEAD);
}

void
cmd_packet_context_constants(struct call *c)
{
	static const struct {
		const char *name;
		uint8_t value;
	} all[] = {{"NONE", CTX_NONE}, {"RESOURCE", CTX_RESOURCE},
	    {"RESOURCE_ADV", CTX_RESOURCE_ADV},
	    {"RESOURCE_REQ", CTX_RESOURCE_REQ},
	    {"RESOURCE_HMU", CTX_RESOURCE_HMU},
	    {"RESOURCE_PRF", CTX_RESOURCE_PRF},
	    {"RESOURCE_ICL", CTX_RESOURCE_ICL},
	    {"RESOURCE_RCL", CTX_RESOURCE_RCL},
	    {"CACHE_REQUEST", CTX_CACHE_REQUEST}, {"REQUEST", CTX_REQUEST},
	    {"RESPONSE", CTX_RESPONSE}, {"PATH_RESPONSE", CTX_PATH_RESPONSE},
	    /* reserved (reticulum-endpoint.md 3.2): the library has none */
	    {"COMMAND", 0x0c}, {"COMMAND_STATUS", 0x0d},
	    {"CHANNEL", CTX_CHANNEL}, {"KEEPALIVE", CTX_KEEPALIVE},
	    {"LINKIDENTIFY", CTX_LINKIDENTIFY}, {"LINKCLOSE", CTX_LINKCLOSE},
	    {"LINKPROOF", CTX_LINKPROOF}, {"LRRTT", CTX_LRRTT},
	    {"LRPROOF", CTX_LRPROOF}};

	for (size_t i = 0; i < NELEM(all); i++)
		put_int(c, all[i].name, all[i].value);
}

/* ---- announces ---- */

static void
put_announce(struct call *c, const struct announce *a, const struct packet *p)
{
	put_hex(c, "destination_hash", HASH_BYTES(*p->dest));
	put_hex(c, "announce_data", p->data, p->data_len);
	put_hex(c, "public_key", a->public_key, RNS_KEY);
	put_hex(c, "name_hash", a->name_hash, RNS_NAME_HASH);
	put_hex(c, "random_hash", a->random_hash, ANNOUNCE_BLOB);
	put_hex(c, "ratchet", a->ratchet, a->ratchet != NULL ? RNS_RATCHET :
	    0);
	put_hex(c, "signature", a->signature, RNS_SIG);
	put_hex(c, "app_data", a->app_data, a->app_data_len);
	put_bool(c, "has_ratchet", a->ratchet != NULL);
}

void
cmd_announce_build(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	struct bytes app = arg_opt(c, "app_data");
	int64_t wall = has(c, "emission_ts") ? arg_int(c, "emission_ts", 0,
	    INT64_C(0xffffffffff)) * MONO_SECOND : wall_here();
	struct rns *r = scratch(c, wall);
	uint8_t pub[RNS_KEY];
	struct hash16 id, hash;
	struct announce a;
	struct packet p;
	struct dest *d;

	memcpy(cmd.dest.identity, arg_n(c, "private_key", RNS_KEY), RNS_KEY);
	cmd.dest.has_identity = true;
	cmd.dest.name = arg_name(c);
	cmd.dest.ratchets = arg_bool(c, "enable_ratchets", false);
	must(c, rns_identity_derive(pub, &id, cmd.dest.identity), "identity");
	must(c, rns_dest_hash(&hash, cmd.dest.name, &id), "name");
	rns_set_wall(r, wall, mono_here());
	must(c, rns_submit(r, &cmd, mono_here()), "destination");
	d = dest_find(r, &hash);
	must(c, dest_announce(r, d, app.p, app.n), "announce");
	must(c, packet_parse(&p, d->last, d->last_len), "packet");
	must(c, announce_parse(&a, &p), "announce");
	put_hex(c, "raw", d->last, d->last_len);
	put_announce(c, &a, &p);
}

void
cmd_announce_validate(struct call *c)
{
	struct bytes raw = arg(c, "raw");
	struct announce a = {.ratchet = NULL};
	struct packet p;
	bool ok;

	if (packet_parse(&p, raw.p, raw.n) != RNS_OK) {
		put_bool(c, "valid", false);
		return;
	}
	ok = p.type == PACKET_ANNOUNCE && announce_parse(&a, &p) == RNS_OK &&
	    announce_signature_ok(&a, &p) && announce_dest_ok(&a, &p) &&
	    known_learn(session(c), &a, &p) == RNS_OK;
	put_bool(c, "valid", ok);
	put_hex(c, "destination_hash", HASH_BYTES(*p.dest));
	put_bool(c, "has_ratchet", a.ratchet != NULL);
	if (a.ratchet != NULL)
		put_hex(c, "ratchet", a.ratchet, RNS_RATCHET);
}

/* A good announce, of whose destination there is another key, its own, none. */
void
cmd_wire_known_key_validate(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	struct rns_cmd known = {.type = RNS_CMD_KNOWN_ADD};
	bool other = arg_is(c, "plant", "mismatch");
	bool plant = other || arg_is(c, "plant", "match");
	struct rns *from = scratch(c, wall_here()), *to = scratch(c,
	    wall_here());
	uint8_t key[RNS_KEY];
	struct hash16 id;
	struct announce a;
	struct packet p;
	struct dest *d;

	rand_fill(NULL, cmd.dest.identity, RNS_KEY);
	cmd.dest.has_identity = true;
	cmd.dest.name = arg_name(c);
	must(c, rns_identity_derive(known.known.public_key, &id,
	    cmd.dest.identity), "identity");
	put_hex(c, "public_key", known.known.public_key, RNS_KEY);
	must(c, rns_dest_hash(&known.known.dest, cmd.dest.name, &id), "name");
	must(c, rns_submit(from, &cmd, mono_here()), "destination");
	d = dest_find(from, &known.known.dest);
	must(c, dest_announce(from, d, NULL, 0), "announce");
	rand_fill(NULL, key, sizeof(key));
	if (other)
		must(c, rns_identity_derive(known.known.public_key, &id, key),
		    "identity");
	known.known.heard_us = wall_here();
	if (plant)
		must(c, rns_submit(to, &known, mono_here()), "remember");
	must(c, packet_parse(&p, d->last, d->last_len), "packet");
	put_bool(c, "validated", announce_parse(&a, &p) == RNS_OK &&
	    announce_signature_ok(&a, &p) && announce_dest_ok(&a, &p) &&
	    known_learn(to, &a, &p) == RNS_OK);
	put_hex(c, "destination_hash", HASH_BYTES(known.known.dest));
	put_bytes(c, "planted_public_key", (struct bytes){
	    known.known.public_key, RNS_KEY, plant});
	put_str(c, "plant", arg_str(c, "plant"));
}

void
cmd_announce_queue_constants(struct call *c)
{
	put_num(c, "announce_cap", RNSCONF_LOCAL_CAP_PERMILLE / 10.0);
	put_int(c, "max_queued_announces", ANNOUNCEQ_MAX);
	put_int(c, "queued_announce_life", ANNOUNCEQ_LIFE);
}
