/* SPDX-License-Identifier: BSD-2-Clause */
/* Live: what passed over a link, looked at afterwards. */
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/peer.h"
#include "common/util.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/packet.h"
#include "transport/core/link/channel.h"
#include "transport/core/link/link.h"
#define bytes res_bytes /* the library has others of these names */
#define served link_served
#include "transport/core/link/request.h"
#undef bytes
#undef served

static void
not_masked(struct call *c, const struct peer *p)
{
	if (p->iface.ifac_size > 0)
		fail(c, "NotImplementedError: behind an access code");
}

/* A packet that came in, as the tap kept it; false: it is none. */
static bool
tapped(struct call *c, const json_t *o, struct bytes *raw, struct packet *k)
{
	const char *hex = json_string_value(json_object_get(o, "raw_hex"));

	raw->n = strlen(hex) / 2;
	raw->p = call_alloc(c, raw->n);
	return hex_decode(raw->p, raw->n, hex, 2 * raw->n) &&
	    packet_parse(k, raw->p, raw->n) == RNS_OK;
}

/* Sends one message and waits for its proof; the packet that it was. */
static struct packet
message(struct call *c, struct peer *p, const struct link *l,
    struct bytes data, struct result **res)
{
	struct rns_cmd cmd = {.type = RNS_CMD_CHANNEL_SEND};
	struct packet k;

	not_masked(c, p);
	*res = peer_result(c, p);
	cmd.channel.link = l->id;
	cmd.channel.msgtype = BRIDGE_MESSAGE;
	cmd.channel.data = data.p;
	cmd.channel.len = data.n;
	cmd.channel.tag = (*res)->tag;
	p->sent_len = 0;
	must(c, rns_submit(p->r, &cmd, mono_here()), "message");
	peer_turn(p);
	must(c, packet_parse(&k, p->sent, p->sent_len), "what was sent");
	return k;
}

void
cmd_wire_channel_emit_capture(struct call *c)
{
	struct peer *p = peer_of(c);
	const struct link *l = peer_open_link(c, p);
	struct result *res;
	struct packet k = message(c, p, l, arg(c, "data"), &res);

	put_int(c, "context", k.context);
	put_int(c, "packet_type", k.type);
	put_hex(c, "packet_hash", k.hash.b, sizeof(k.hash.b));
	put_int(c, "channel_context", CTX_CHANNEL);
	put_int(c, "data_context", CTX_NONE);
	peer_wait(c, res);
	put_bool(c, "delivered", res->done);
}

/* The proof of a message that was delivered comes once more. */
void
cmd_wire_channel_spurious_proof(struct call *c)
{
	struct peer *p = peer_of(c);
	struct link *l = peer_open_link(c, p);
	struct bytes text = {(uint8_t *)"spurious", 8, true}, raw, proof = {
	    .n = 0};
	struct hash16 id = l->id;
	struct id32 hash;
	struct result *res;
	struct packet k;
	json_t *o;
	size_t i;

	hash = message(c, p, l, text, &res).hash;
	peer_wait(c, res);
	put_bool(c, "delivered", res->done);
	json_array_foreach(p->tap, i, o) {
		if (tapped(c, o, &raw, &k) && k.type == PACKET_PROOF &&
		    k.data_len == PROOF_EXPLICIT_LEN &&
		    memcmp(k.data, hash.b, sizeof(hash.b)) == 0)
			proof = raw;
	}
	if (proof.n == 0)
		fail(c, "RuntimeError: no proof came in");
	l = peer_open_link(c, p);
	put_int(c, "window_before", l->channel->window);
	put_int(c, "tx_ring_before", l->channel->ring_count);
	(void)rns_recv(p->r, l->iface->cfg.id, proof.p, proof.n, mono_here());
	peer_turn(p);
	l = link_find(p->r, &id);
	put_bool(c, "link_closed", l == NULL);
	put_int(c, "link_status", l != NULL ? (int)l->status : LINK_CLOSED);
	put(c, "errors", json_array());
	if (l == NULL)
		return;
	put_int(c, "window_after_duplicate", l->channel->window);
	put_int(c, "window_final", l->channel->window);
	put_int(c, "tx_ring_final", l->channel->ring_count);
}

/* Answers, and advertisements of those that are long. */
void
cmd_wire_capture_response_packet(struct call *c)
{
	struct peer *p = peer_of(c);
	const struct link *l = peer_open_link(c, p);
	json_t *list = json_array(), *o;
	struct hash16 id = l->id;
	int64_t from = p->next_seq;
	struct bytes raw, plain;
	struct packet k;
	size_t i;

	not_masked(c, p);
	put(c, "captured", list);
	cmd_wire_link_request(c);
	l = peer_open_link(c, p);
	json_array_foreach(p->tap, i, o) {
		if (json_integer_value(json_object_get(o, "seq")) <= from ||
		    !tapped(c, o, &raw, &k) || !hash16_eq(k.dest, &id) ||
		    (k.context != CTX_RESPONSE && k.context !=
		    CTX_RESOURCE_ADV))
			continue;
		plain.p = call_alloc(c, raw.n);
		plain.set = token_decrypt(plain.p, &plain.n, raw.n, l->key,
		    sizeof(l->key), k.data, k.data_len) == RNS_OK;
		(void)json_array_append_new(list, json_pack("{s:i, s:o}",
		    "context", (int)k.context, "plaintext", plain.set ?
		    hex_json(plain.p, plain.n) : json_null()));
	}
}

/* How long a request is waited for, s; nobody waits here. */
static double
patience(struct call *c, struct peer *p, const struct link *l, int64_t ms)
{
	struct rns_cmd cmd = {.type = RNS_CMD_REQUEST};
	const struct request *q;
	double s = 0;

	cmd.request.link = l->id;
	cmd.request.path = arg_str(c, "path");
	cmd.request.tag = ++p->next_tag;
	cmd.request.timeout_us = ms * 1000;
	must(c, rns_submit(p->r, &cmd, mono_here()), "request");
	TAILQ_FOREACH(q, &l->requests, entry)
		if (q->tag == cmd.request.tag)
			s = (double)q->timeout_us / 1e6;
	if (s <= 0)
		fail(c, "RuntimeError: it is not waited for");
	return s;
}

void
cmd_wire_link_request_timeout(struct call *c)
{
	struct peer *p = peer_of(c);
	const struct link *l = peer_open_link(c, p);
	int64_t ms = arg_int_or(c, "timeout_ms", 0, 1 << 30, 0);
	double usual = patience(c, p, l, 0);

	put_num(c, "receipt_timeout", ms > 0 ? patience(c, p, l, ms) : usual);
	put_num(c, "rtt", l->rtt);
	put_int(c, "traffic_timeout_factor", LINK_TRAFFIC_FACTOR);
	/* what is not the round trip, of which the reference adds an eighth */
	put_num(c, "response_max_grace_time",
	    (usual - l->rtt * LINK_TRAFFIC_FACTOR) / 1.125);
	put(c, "explicit_timeout", ms > 0 ? json_real((double)ms / 1000) :
	    json_null());
	peer_turn(p);
}

void
cmd_wire_last_keepalive(struct call *c)
{
	struct peer *p = peer_of(c);
	struct hash16 id = arg_hash(c, "link_id");
	bool ours = p->keepalive_len > HEADER_1_LEN && memcmp(id.b,
	    p->keepalive + 2, RNS_HASH) == 0;

	if (peer_link(p, &id) == NULL)
		fail(c, "KeyError: no such link");
	put_bytes(c, "payload", (struct bytes){p->keepalive + HEADER_1_LEN,
	    p->keepalive_len - HEADER_1_LEN, ours});
}

/* What a listener's links proved of what came in. */
void
cmd_wire_listener_proof_log(struct call *c)
{
	struct peer *p = peer_of(c);
	const struct listener *ls = peer_listener(c, p);
	json_t *list = json_array(), *o;
	struct packet k, *in;
	struct bytes raw;
	const struct seen *s;
	int channel = 0;
	size_t i;

	not_masked(c, p);
	put(c, "contexts", list);
	json_array_foreach(p->tap, i, o) {
		in = &k;
		if (!tapped(c, o, &raw, in) || in->dest_type != DEST_LINK ||
		    (s = peer_link(p, in->dest)) == NULL ||
		    s->listener != ls || !peer_proved(p, &in->hash))
			continue;
		channel += in->context == CTX_CHANNEL;
		(void)json_array_append_new(list, json_integer(in->context));
	}
	put_int(c, "channel_proofs", channel);
	put_int(c, "channel_context", CTX_CHANNEL);
}
