/* SPDX-License-Identifier: BSD-2-Clause */
/* Envelopes, chunks and gates, as packets of the library show them. */
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/far.h"
#include "tests/interop/bridge/peer.h"
#include "transport/core/base/packet.h"
#include "transport/core/link/channel.h"
#include "transport/core/link/link.h"
#include "transport/core/link/stream.h"

/* ---- envelopes and chunks ---- */

static void
channels(struct call *c, struct far *f)
{
	struct rns_cmd cmd = {.type = RNS_CMD_CHANNEL_OPEN};

	far_start(c, f, true);
	cmd.hash = f->id;
	must(c, rns_submit(f->near, &cmd, mono_here()), "channel");
	must(c, rns_submit(f->far, &cmd, mono_here()), "channel");
}

/* The envelope that near sends next. */
static struct bytes
envelope(struct call *c, struct far *f)
{
	struct bytes raw = far_next(c, f->near, PACKET_DATA, CTX_CHANNEL);

	if (raw.n == 0)
		fail(c, "RuntimeError: nothing was sent");
	return far_open(c, f, raw);
}

void
cmd_wire_channel_envelope_pack(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_CHANNEL_SEND};
	struct bytes data = arg_opt(c, "data");
	struct far f;

	channels(c, &f);
	f.nl->channel->tx_next = (uint16_t)arg_int(c, "sequence", 0, 0xffff);
	put_int(c, "sequence", f.nl->channel->tx_next);
	cmd.channel.link = f.id;
	cmd.channel.msgtype = (uint16_t)arg_int(c, "msgtype", 0, 0xffff);
	cmd.channel.data = data.p;
	cmd.channel.len = data.n;
	must(c, rns_submit(f.near, &cmd, mono_here()), "message");
	put_bytes(c, "raw", envelope(c, &f));
}

static void
stream_unpack(struct call *c, struct far *f, struct bytes raw)
{
	uint8_t text[CHANNEL_HEAD + RNS_MTU] = {CHANNEL_STREAM >> 8, 0};
	struct rns_cmd cmd = {.type = RNS_CMD_STREAM_OPEN};
	struct rns_event ev, got = {.type = 0};

	if (raw.n > RNS_MTU)
		fail(c, "ValueError: too long for one packet");
	cmd.stream.link = f->id;
	cmd.stream.stream = raw.n < STREAM_HEAD ? 0 :
	    (uint16_t)((raw.p[0] << 8 | raw.p[1]) & 0x3fff);
	must(c, rns_submit(f->far, &cmd, mono_here()), "stream");
	memcpy(text + CHANNEL_HEAD, raw.p, raw.n);
	far_hear(f->far, far_seal(c, f, CTX_CHANNEL, text,
	    CHANNEL_HEAD + raw.n));
	while (rns_next_event(f->far, &ev)) {
		if (ev.type != RNS_EV_STREAM_DATA)
			continue;
		got = ev;
		put_hex(c, "data", ev.channel.data, ev.channel.len);
	}
	if (got.type != RNS_EV_STREAM_DATA || got.channel.err != RNS_OK) {
		put_str(c, "error", got.type != RNS_EV_STREAM_DATA ?
		    "dropped" : rns_strerror(got.channel.err));
		return;
	}
	put_int(c, "stream_id", got.channel.msgtype);
	put_bool(c, "eof", got.channel.eof);
	put_bool(c, "compressed", (raw.p[0] & 0x40) != 0);
}

/* A chunk of the library holds what it is given, or a shorter bz2 of it. */
void
cmd_wire_buffer_pack(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_STREAM_SEND};
	struct bytes data = arg_opt(c, "data"), out;
	size_t taken = 0;
	struct far f;
	int err;

	channels(c, &f);
	if (has(c, "unpack_raw")) {
		stream_unpack(c, &f, arg(c, "unpack_raw"));
		return;
	}
	if (arg_bool(c, "compressed", false))
		fail(c, "NotImplementedError: the library compresses itself");
	cmd.stream.link = f.id;
	cmd.stream.stream = (uint16_t)arg_int_or(c, "stream_id", 0, 0xffff, 0);
	cmd.stream.data = data.p;
	cmd.stream.len = data.n;
	cmd.stream.eof = arg_bool(c, "eof", false);
	cmd.stream.taken = &taken;
	err = rns_submit(f.near, &cmd, mono_here());
	if (err != RNS_OK) {
		put(c, "error", json_sprintf("stream %d, of 0 to 16383: %s",
		    cmd.stream.stream, rns_strerror(err)));
		return;
	}
	out = envelope(c, &f);
	put_hex(c, "raw", out.p + CHANNEL_HEAD, out.n - CHANNEL_HEAD);
	put_int(c, "msgtype", out.p[0] << 8 | out.p[1]);
}

/* ---- gates ---- */

static json_t *
opens(struct call *c, struct rns *r, const struct hash16 *dest)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_OPEN};
	uint32_t before = r->links->count;
	int err;

	(void)c;
	cmd.link_open.dest = *dest;
	err = rns_submit(r, &cmd, mono_here());
	return json_pack("{s:b, s:o, s:b}", "raised", err != RNS_OK, "error",
	    err != RNS_OK ? json_string(rns_strerror(err)) : json_null(),
	    "link_created", r->links->count > before);
}

/* Links lead to what has announced itself, and that is single. */
void
cmd_wire_link_type_gate(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	struct hash16 plain, group, id = {{0}};
	uint8_t pub[RNS_KEY];
	struct far f;

	(void)peer_of(c);
	far_start(c, &f, false);
	must(c, rns_dest_hash(&plain, "bridge.plain", NULL), "name");
	cmd.dest.name = "bridge.plain";
	cmd.dest.type = RNS_PLAIN;
	must(c, rns_submit(f.near, &cmd, mono_here()), "plain");
	rand_fill(NULL, cmd.dest.identity, RNS_KEY);
	must(c, rns_identity_derive(pub, &id, cmd.dest.identity), "identity");
	must(c, rns_dest_hash(&group, "bridge.group", &id), "name");
	cmd.dest.has_identity = true;
	cmd.dest.name = "bridge.group";
	cmd.dest.type = RNS_GROUP;
	cmd.dest.group_key = pub;
	cmd.dest.group_key_len = 64;
	must(c, rns_submit(f.near, &cmd, mono_here()), "group");
	put(c, "single", opens(c, f.near, &f.dest));
	put(c, "plain", opens(c, f.near, &plain));
	put(c, "group", opens(c, f.near, &group));
}

/* Whoever says who he is before the link is up is told so, and nothing goes. */
void
cmd_wire_link_identify_pending(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_OPEN};
	struct bytes request;
	const struct link *l;
	struct packet k;
	struct hash16 id;
	struct far f;
	int err;

	(void)peer_of(c);
	far_start(c, &f, false);
	cmd.link_open.dest = f.dest;
	must(c, rns_submit(f.near, &cmd, mono_here()), "link");
	request = far_next(c, f.near, PACKET_LINKREQUEST, CTX_NONE);
	must(c, packet_parse(&k, request.p, request.n), "request");
	packet_link_id(&id, &k);
	cmd = (struct rns_cmd){.type = RNS_CMD_LINK_IDENTIFY};
	cmd.identify.link = id;
	memcpy(cmd.identify.identity, arg_n(c, "private_key", RNS_KEY),
	    RNS_KEY);
	err = rns_submit(f.near, &cmd, mono_here());
	l = link_find(f.near, &id);
	put_bool(c, "crashed", false); /* or nobody would say so */
	put_bool(c, "refused", err != RNS_OK);
	put_bool(c, "identify_packet_sent", far_next(c, f.near, PACKET_DATA,
	    CTX_LINKIDENTIFY).n > 0);
	put_int(c, "status", l != NULL ? (int)l->status : LINK_CLOSED);
	put_str(c, "status_name", status_names[l != NULL ? (int)l->status :
	    LINK_CLOSED]);
	put_bool(c, "initiator", l != NULL && l->initiator);
}
