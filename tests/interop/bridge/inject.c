/* SPDX-License-Identifier: BSD-2-Clause */
/* Live: what a link hears, genuine and damaged; streams. */
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/peer.h"
#include "transport/core/base/bz.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/packet.h"
#include "transport/core/link/channel.h"
#include "transport/core/link/link.h"
#include "transport/core/link/stream.h"

#define STREAM_MAX 16384 /* bytes of one chunk before it is packed */

static struct link *
link_there(struct call *c, struct peer *p)
{
	struct hash16 id = arg_hash(c, "link_id");
	struct link *l = link_find(p->r, &id);

	if (l == NULL || l->iface == NULL)
		fail(c, "KeyError: no such link, or it is closed");
	return l;
}

/* A packet as the other end would send it. */
static struct bytes
link_packet(struct call *c, const struct link *l, uint8_t context,
    struct bytes in)
{
	struct bytes out = {.set = true};
	uint8_t iv[16];
	size_t n = token_len(in.n);

	out.p = call_alloc(c, HEADER_1_LEN + n);
	rand_fill(NULL, iv, sizeof(iv));
	(void)packet_head(out.p, PACKET_FLAGS(DEST_LINK, PACKET_DATA), &l->id,
	    context);
	must(c, token_encrypt(out.p + HEADER_1_LEN, &n, n, l->key,
	    sizeof(l->key), iv, in.p, in.n), "encrypt");
	out.n = HEADER_1_LEN + n;
	return out;
}

/* As from the wire, on the interface of the link or another. */
static void
hear(struct call *c, struct peer *p, const struct iface *i, struct bytes raw)
{
	uint8_t *coded = call_alloc(c, raw.n + i->ifac.size);

	if (i->ifac.size > 0) {
		raw.n = ifac_mask(&i->ifac, coded, raw.n + i->ifac.size,
		    raw.p, raw.n);
		raw.p = coded;
	}
	(void)rns_recv(p->r, i->cfg.id, raw.p, raw.n, mono_here());
	peer_turn(p);
}

/* ---- channel ---- */

static struct bytes
envelope_of(struct call *c, const json_t *e, int64_t seq)
{
	const char *raw = json_string_value(json_object_get(e, "raw"));
	const char *data = json_string_value(json_object_get(e, "data"));
	int64_t type = json_integer_value(json_object_get(e, "msgtype"));
	const char *hex = raw != NULL ? raw : data != NULL ? data : "";
	size_t head = raw != NULL ? 0 : CHANNEL_HEAD, n = strlen(hex) / 2;
	struct bytes out = {.n = head + n, .set = true};
	struct wr w;

	out.p = call_alloc(c, out.n);
	w = wr_make(out.p, out.n);
	if (raw == NULL) {
		wr_u16(&w, (uint16_t)(type != 0 ? type :
		    BRIDGE_MESSAGE));
		wr_u16(&w, (uint16_t)seq);
		wr_u16(&w, (uint16_t)n);
	}
	if (!hex_decode(out.p + head, n, hex, strlen(hex)))
		fail(c, "ValueError: an envelope is no hexadecimal text");
	return out;
}

void
cmd_wire_channel_inject(struct call *c)
{
	struct peer *p = peer_of(c);
	const struct link *l = link_there(c, p);
	const json_t *list = json_object_get(c->params, "envelopes"), *e;
	json_t *done = json_array();
	int64_t seq;

	put(c, "injected", done);
	for (size_t i = 0; i < json_array_size(list); i++) {
		e = json_array_get(list, i);
		seq = json_integer_value(json_object_get(e, "sequence"));
		hear(c, p, l->iface, link_packet(c, l, CTX_CHANNEL,
		    envelope_of(c, e, seq)));
		(void)json_array_append_new(done, json_integer(seq));
		l = link_there(c, p);
	}
}

/* ---- streams ---- */

static void
manifest_add(json_t *list, const struct envelope *e)
{
	const uint8_t *d = e->data;

	(void)json_array_append_new(list, json_pack("{s:i, s:b, s:b, s:i}",
	    "bytes", (int)(e->len - CHANNEL_HEAD - 2), "compressed",
	    (d[CHANNEL_HEAD] & 0x40) != 0, "eof",
	    (d[CHANNEL_HEAD] & 0x80) != 0, "sequence", d[2] << 8 | d[3]));
}

/* One message; false: the time is over, or the link. */
static bool
stream_one(struct peer *p, struct rns_cmd *cmd,
    struct mono until, json_t *manifest)
{
	const struct link *l;
	int err;

	for (;;) {
		err = rns_submit(p->r, cmd, mono_here());
		if (err != RNS_EAGAIN || mono_reached(mono_here(), until))
			break;
		(void)peer_run(until, -1);
	}
	if (err != RNS_OK)
		return false;
	l = link_find(p->r, &cmd->stream.link);
	if (l != NULL && l->channel != NULL)
		manifest_add(manifest, TAILQ_LAST(&l->channel->ring,
		    envelope_ring));
	peer_turn(p);
	return true;
}

static void
put_drained(struct call *c, struct peer *p, const struct hash16 *id,
    struct mono until)
{
	const struct link *l;

	while ((l = link_find(p->r, id)) != NULL && l->channel != NULL &&
	    l->channel->ring_count > 0 && !mono_reached(mono_here(), until))
		(void)peer_run(until, -1);
	put_int(c, "tx_ring_after", l != NULL && l->channel != NULL ?
	    (int64_t)l->channel->ring_count : 0);
}

/* One message whose bytes unpack to as many as the call wants. */
static void
buffer_bomb(struct call *c, struct peer *p, struct mono until)
{
	size_t n = (size_t)arg_int_or(c, "bomb_decompressed_len", 1,
	    INT32_MAX, 65536), len, cap = n / 100 + 1000;
	struct link *l = peer_open_link(c, p);
	struct iovec_c zeros = {call_alloc(c, n), n}, v[2];
	uint8_t *packed = call_alloc(c, cap);
	uint8_t head[STREAM_HEAD];

	must(c, bz_compress(packed, &len, cap, &zeros, 1), "bz2");
	put_u16(head, (uint16_t)(0xc000 | arg_int_or(c, "stream_id", 0, 0x3fff,
	    0))); /* the end, compressed */
	v[0] = (struct iovec_c){head, sizeof(head)};
	v[1] = (struct iovec_c){packed, len};
	must(c, channel_open(p->r, l), "channel");
	put_int(c, "sequence", l->channel->tx_next);
	must(c, channel_send(p->r, l, CHANNEL_STREAM, v, 2, 0), "bomb");
	put(c, "manifest", json_pack("[{s:i, s:b, s:b, s:i}]", "bytes",
	    (int)len, "compressed", true, "eof", true, "sequence",
	    l->channel->tx_next - 1));
	peer_turn(p);
	put_bool(c, "bomb", true);
	put_int(c, "decompressed_len", (int64_t)n);
	put_int(c, "max_chunk_len", STREAM_MAX);
	put_int(c, "written", 0);
	put_bool(c, "eof", true);
	put_drained(c, p, &l->id, until);
}

void
cmd_wire_buffer_stream(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_STREAM_SEND};
	struct bytes data = arg_opt(c, "data");
	struct mono until = peer_until(c, 10000);
	const struct link *l = link_there(c, p);
	json_t *manifest, *returns;
	bool with = arg_bool(c, "eof_with_data", false), ok = true;
	size_t taken = 0, at = 0;

	if (arg_bool(c, "bomb", false)) {
		buffer_bomb(c, p, until);
		return;
	}
	put(c, "manifest", manifest = json_array());
	put(c, "write_returns", returns = json_array());
	put_int(c, "max_data_len", (int64_t)l->mdu - CHANNEL_HEAD - 2);
	put_int(c, "max_chunk_len", STREAM_MAX);
	put_int(c, "compression_tries", 4);
	cmd.stream.link = l->id;
	cmd.stream.stream = (uint16_t)arg_int_or(c, "stream_id", 0, 0xffff, 0);
	cmd.stream.taken = &taken;
	while (ok && at < data.n) {
		cmd.stream.data = data.p + at;
		cmd.stream.len = data.n - at;
		cmd.stream.eof = with;
		ok = stream_one(p, &cmd, until, manifest);
		(void)json_array_append_new(returns, json_integer(
		    (json_int_t)(ok ? taken : 0)));
		at += ok ? taken : 0;
	}
	cmd.stream.data = NULL;
	cmd.stream.len = 0;
	cmd.stream.eof = true;
	if (ok && (!with || data.n == 0))
		ok = stream_one(p, &cmd, until, manifest);
	put_int(c, "written", (int64_t)at);
	put_bool(c, "eof", ok);
	put_drained(c, p, &cmd.stream.link, until);
}

void
cmd_wire_buffer_received(struct call *c)
{
	struct peer *p = peer_of(c);
	struct listener *l = peer_listener(c, p);
	int64_t id = arg_int_or(c, "stream_id", 0, 0x3fff, 0);
	struct mono until = peer_until(c, 0);
	struct stream_got *g;

	for (;;) {
		for (g = l->streams; g != NULL && g->id != id; g = g->next)
			;
		if ((g != NULL && (g->eof || g->err != RNS_OK)) ||
		    mono_reached(mono_here(), until))
			break;
		(void)peer_run(until, -1);
	}
	put_hex(c, "data", g != NULL ? g->data : NULL, g != NULL ? g->len : 0);
	put_bool(c, "eof", g != NULL && g->eof);
	if (g != NULL)
		g->len = 0;
	put_bool(c, "aborted", g != NULL && g->err != RNS_OK);
	if (g != NULL && g->err != RNS_OK)
		put_str(c, "error", rns_strerror(g->err));
	else
		put_null(c, "error");
}

/* ---- links ---- */

static int
status_now(struct peer *p, const struct hash16 *id)
{
	const struct link *l = link_find(p->r, id);

	return l != NULL ? (int)l->status : LINK_CLOSED;
}

/* Data packets of the listeners so far. */
size_t
peer_delivered(const struct peer *p)
{
	size_t n = 0;

	for (const struct listener *l = p->listeners; l != NULL; l = l->next)
		n += json_array_size(l->link_packets);
	return n + p->own_packets;
}

void
cmd_wire_inject_tampered_link_data(struct call *c)
{
	struct peer *p = peer_of(c);
	const struct link *l = link_there(c, p);
	const char *how = arg_str(c, "corruption");
	struct bytes raw = link_packet(c, l, CTX_NONE, arg(c, "data"));
	struct rns_cmd cmd = {.type = RNS_CMD_IF_ADD, .iface = p->iface};
	struct iface *i = l->iface;
	size_t before = peer_delivered(p);
	struct hash16 id = l->id;
	struct packet k;

	cmd.iface.id = 0x10000;
	if (strcmp(how, "ciphertext") == 0)
		raw.p[HEADER_1_LEN + 20] ^= 1;
	else if (strcmp(how, "hmac") == 0)
		raw.p[raw.n - 1] ^= 1;
	else if (strcmp(how, "truncate") == 0)
		raw.n -= 8;
	else if (strcmp(how, "foreign_interface") == 0) {
		peer_submit(c, p, &cmd, "interface");
		i = iface_find(p->r, cmd.iface.id);
	} else if (strcmp(how, "none") != 0) {
		fail(c, "ValueError: unknown corruption");
	}
	put_str(c, "corruption", how);
	put_bool(c, "unpacked", packet_parse(&k, raw.p, raw.n) == RNS_OK);
	hear(c, p, i, raw);
	put_bool(c, "delivered", peer_delivered(p) > before);
	put_bool(c, "link_active", status_now(p, &id) == LINK_ACTIVE);
	put_str(c, "status_name", status_names[status_now(p, &id)]);
	if (i->cfg.id == cmd.iface.id) {
		cmd = (struct rns_cmd){.type = RNS_CMD_IF_DEL,
		    .ifid = 0x10000};
		peer_submit(c, p, &cmd, "interface");
	}
}

void
cmd_wire_inject_closed_link_data(struct call *c)
{
	struct peer *p = peer_of(c);
	const struct link *l = link_there(c, p);
	struct bytes text = {(uint8_t *)"data", 4, true};
	struct bytes first = link_packet(c, l, CTX_NONE, text);
	struct bytes late = link_packet(c, l, CTX_NONE, text);
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_CLOSE, .hash = l->id};
	struct iface *i = l->iface;
	size_t before = peer_delivered(p);

	hear(c, p, i, first);
	put_bool(c, "delivered_before", peer_delivered(p) > before);
	peer_submit(c, p, &cmd, "close");
	before = peer_delivered(p);
	hear(c, p, i, late);
	put_bool(c, "delivered", peer_delivered(p) > before);
	put_str(c, "status_name", status_names[status_now(p, &cmd.hash)]);
	put_bool(c, "link_closed", status_now(p, &cmd.hash) == LINK_CLOSED);
}

/* Signed by somebody new, over the link and its key; then damaged. */
static struct bytes
identification(struct call *c, const struct link *l, const char *variant,
    struct hash16 *who)
{
	uint8_t key[RNS_KEY], *said = call_alloc(c, RNS_HASH + RNS_KEY);
	struct bytes out = {.n = RNS_KEY + RNS_SIG, .set = true};

	rand_fill(NULL, key, sizeof(key));
	out.p = call_alloc(c, out.n);
	must(c, rns_identity_derive(out.p, who, key), "identity");
	memcpy(said, HASH_BYTES(l->id));
	memcpy(said + RNS_HASH, out.p, RNS_KEY);
	if (strcmp(variant, "wrong_signed_data") == 0)
		said[0] ^= 1;
	must(c, rns_identity_sign(out.p + RNS_KEY, key, said,
	    RNS_HASH + RNS_KEY), "sign");
	if (strcmp(variant, "forged_signature") == 0)
		out.p[out.n - 1] ^= 1;
	else if (strcmp(variant, "wrong_length") == 0)
		out.n--;
	return out;
}

void
cmd_wire_inject_crafted_link_identify(struct call *c)
{
	struct peer *p = peer_of(c);
	struct link *l = link_there(c, p);
	const char *variant = arg_str(c, "variant");
	struct hash16 who;
	struct bytes body = identification(c, l, variant, &who);

	hear(c, p, l->iface, link_packet(c, l, CTX_LINKIDENTIFY, body));
	l = link_there(c, p);
	put_str(c, "variant", variant);
	put_hex(c, "claimed_identity_hash", HASH_BYTES(who));
	put_bytes(c, "remote_identity_after", (struct bytes){
	    (uint8_t *)l->peer_hash.b, RNS_HASH, l->identified});
	put_bool(c, "adopted", l->identified &&
	    hash16_eq(&l->peer_hash, &who));
	put_bool(c, "initiator", l->initiator);
}

/* A close that names another link, and is otherwise as the other end's. */
void
cmd_wire_send_forged_link_close(struct call *c)
{
	struct peer *p = peer_of(c);
	const struct link *l = link_there(c, p);
	struct bytes body = arg(c, "forged_id");
	struct hash16 id = l->id;

	put_int(c, "status_before", l->status);
	hear(c, p, l->iface, link_packet(c, l, CTX_LINKCLOSE, body));
	put_int(c, "status_after", status_now(p, &id));
	put_str(c, "status_name_after", status_names[status_now(p, &id)]);
	put_bool(c, "torn_down", status_now(p, &id) == LINK_CLOSED);
	put_bytes(c, "forged_id", body);
	put_hex(c, "real_link_id", HASH_BYTES(id));
}

void
cmd_wire_send_over_closed_link(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_SEND};
	struct bytes data = arg(c, "data");
	struct rns_counts before, after;
	int err;

	cmd.packet.dest = arg_hash(c, "link_id");
	cmd.packet.data = data.p;
	cmd.packet.len = data.n;
	rns_counts(p->r, &before);
	err = rns_submit(p->r, &cmd, mono_here());
	rns_counts(p->r, &after);
	peer_turn(p);
	put_int(c, "link_status", status_now(p, &cmd.packet.dest));
	put_str(c, "link_status_name",
	    status_names[status_now(p, &cmd.packet.dest)]);
	put_bool(c, "sent", err == RNS_OK);
	put_int(c, "bytes_transmitted",
	    (int64_t)(after.tx_bytes - before.tx_bytes));
}

void
cmd_wire_send_oversize_link_packet(struct call *c)
{
	struct peer *p = peer_of(c);
	const struct link *l = link_there(c, p);
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_SEND};
	size_t n = (size_t)arg_int(c, "size", 0, 1 << 20);
	struct rns_counts before, after;
	int err;

	put_int(c, "size", (int64_t)n);
	put_int(c, "mtu", l->mtu);
	put_int(c, "mdu", l->mdu);
	put_int(c, "packet_mtu", l->mtu);
	cmd.packet.dest = l->id;
	cmd.packet.data = call_alloc(c, n);
	cmd.packet.len = n;
	rns_counts(p->r, &before);
	err = rns_submit(p->r, &cmd, mono_here());
	rns_counts(p->r, &after);
	peer_turn(p);
	put_bool(c, "sent", err == RNS_OK);
	put_bool(c, "rejected", err == RNS_EBIG);
	put(c, "error", err == RNS_OK ? json_null() : json_sprintf(
	    "%s: the link's packets have %u bytes", rns_strerror(err), l->mtu));
	put(c, "raw_len", err == RNS_OK ? json_integer((json_int_t)
	    (after.tx_bytes - before.tx_bytes)) : json_null());
}
