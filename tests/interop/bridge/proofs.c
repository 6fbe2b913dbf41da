/* SPDX-License-Identifier: BSD-2-Clause */
/* Live: proofs, seen on the wire; answers of a link. */
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/far.h"
#include "tests/interop/bridge/peer.h"
#include "transport/core/base/packet.h"
#include "transport/core/link/link.h"

/* The proof of a packet among what came in; NULL: none did. */
static const char *
proof_of(const struct peer *p, const struct id32 *hash)
{
	json_t *want = hex_json(hash->b, RNS_HASH), *o;
	const char *raw = NULL;
	size_t i;

	json_array_foreach(p->tap, i, o) {
		if (json_integer_value(json_object_get(o, "packet_type")) ==
		    PACKET_PROOF && json_equal(want,
		    json_object_get(o, "destination_hash_hex")))
			raw = json_string_value(json_object_get(o, "raw_hex"));
	}
	json_decref(want);
	return raw;
}

static void
put_proof(struct call *c, const struct peer *p, const struct id32 *hash)
{
	const char *hex = proof_of(p, hash);
	size_t n = hex != NULL ? strlen(hex) / 2 : 0;
	struct bytes raw = {.p = call_alloc(c, n), .n = n, .set = n > 0};
	struct packet k = {.data_len = 0};

	if (n > 0 && (!hex_decode(raw.p, n, hex, 2 * n) ||
	    packet_parse(&k, raw.p, n) != RNS_OK))
		fail(c, "ValueError: a proof that is no packet");
	put_bytes(c, "proof_raw", raw);
	put_bytes(c, "proof_data", (struct bytes){(uint8_t *)k.data,
	    k.data_len, n > 0});
	put_int(c, "proof_len", (int64_t)k.data_len);
	put_bool(c, "proof_is_implicit", k.data_len == PROOF_IMPLICIT_LEN);
	put_bool(c, "proof_is_explicit", k.data_len == PROOF_EXPLICIT_LEN);
	put_int(c, "impl_length", PROOF_IMPLICIT_LEN);
	put_int(c, "expl_length", PROOF_EXPLICIT_LEN);
	put_hex(c, "proved_packet_hash", hash->b, sizeof(hash->b));
}

void
cmd_wire_send_packet_with_proof_request(struct call *c)
{
	struct peer *p = peer_of(c);
	struct result *res;
	struct packet k;
	bool ok;

	if (p->iface.ifac_size > 0)
		fail(c, "NotImplementedError: behind an access code");
	p->sent_len = 0;
	res = peer_packet(c, p, true);
	must(c, packet_parse(&k, p->sent, p->sent_len), "what was sent");
	peer_wait(c, res);
	ok = res->done && res->status == RNS_RECEIPT_DELIVERED;
	put(c, "receipt_id", json_sprintf("%llu",
	    (unsigned long long)res->tag));
	put_bool(c, "delivered", ok);
	put_bool(c, "proved", ok);
	put_bool(c, "implicit_proof_config", p->r->cfg.implicit_proof);
	put_proof(c, p, &k.hash);
}

void
cmd_wire_send_link_data(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_SEND};
	struct bytes data = arg(c, "data");
	struct result *res = peer_result(c, p);
	bool receipt = arg_bool(c, "create_receipt", true);

	cmd.packet.dest = peer_open_link(c, p)->id;
	cmd.packet.data = data.p;
	cmd.packet.len = data.n;
	cmd.packet.receipt = receipt;
	cmd.packet.tag = res->tag;
	peer_submit(c, p, &cmd, "send");
	put_bool(c, "sent", true);
	put(c, "receipt_id", receipt ? json_sprintf("%llu",
	    (unsigned long long)res->tag) : json_null());
}

/*
 * One that an initiator would send, after a silence: a responder that has sent
 * something in the last `keepalive` seconds answers none.
 */
void
cmd_wire_send_keepalive_probe(struct call *c)
{
	static const uint8_t probe = 0xff;
	struct peer *p = peer_of(c);
	struct link *l = peer_open_link(c, p);
	struct mono in = l->last_in;
	size_t data = peer_delivered(p);
	uint8_t raw[HEADER_1_LEN + 1];
	struct packet k;
	bool answered;

	if (p->iface.ifac_size > 0)
		fail(c, "NotImplementedError: behind an access code");
	(void)packet_build(raw, sizeof(raw), PACKET_FLAGS(DEST_LINK,
	    PACKET_DATA), &l->id, CTX_KEEPALIVE, &probe, 1);
	put_int(c, "status_before", l->status);
	put_bool(c, "initiator", l->initiator);
	peer_turn(p);
	p->sent_len = 0;
	l->last_out = mono_add(mono_here(), -mono_seconds(l->keepalive + 1));
	(void)rns_recv(p->r, l->iface->cfg.id, raw, sizeof(raw), mono_here());
	peer_turn(p);
	l = peer_open_link(c, p);
	answered = packet_parse(&k, p->sent, p->sent_len) == RNS_OK &&
	    k.context == CTX_KEEPALIVE;
	put_bytes(c, "response", (struct bytes){(uint8_t *)k.data, k.data_len,
	    answered});
	put_bool(c, "answered", answered);
	put_bool(c, "last_inbound_advanced", l->last_in.us > in.us);
	put_bool(c, "last_data_advanced", peer_delivered(p) > data);
	put_int(c, "status_after", l->status);
}

/* Of a link between two of ours. */
static struct bytes
link_proof(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_OPEN};
	struct far f;

	far_start(c, &f, false);
	cmd.link_open.dest = f.dest;
	must(c, rns_submit(f.near, &cmd, mono_here()), "link");
	far_hear(f.far, far_next(c, f.near, PACKET_LINKREQUEST, CTX_NONE));
	return far_next(c, f.far, PACKET_PROOF, CTX_LRPROOF);
}

/* The last proof of a link that was sent, or one that is made for this. */
void
cmd_wire_capture_lrproof_frame(struct call *c)
{
	struct peer *p = peer_of(c);
	struct bytes raw = {p->lrproof, p->lrproof_len, true};
	struct packet k;

	if (raw.n == 0)
		raw = link_proof(c);
	must(c, packet_parse(&k, raw.p, raw.n), "link proof");
	put_bytes(c, "raw", raw);
	put_int(c, "flags", k.flags);
	put_hex(c, "link_id", k.dest->b, RNS_HASH);
	put_int(c, "packet_type", k.type);
	put_int(c, "context", k.context);
	put_int(c, "expected_link_dest_type", DEST_LINK);
	put_int(c, "truncated_hashlength", RNS_HASH);
}

/* ---- forged ---- */

/* The receiver cannot decrypt it: damaged behind the library, on its way. */
void
cmd_wire_send_undecryptable(struct call *c)
{
	struct peer *p = peer_of(c);
	bool cut = arg_is(c, "corruption", "truncate");
	struct mono until = peer_until(c, 0);
	struct result *res;
	bool ok;

	if (p->iface.ifac_size > 0)
		fail(c, "NotImplementedError: behind an access code");
	p->damage = cut ? DAMAGE_CUT : DAMAGE_TAIL;
	res = peer_packet(c, p, true);
	p->damage = DAMAGE_NONE;
	while (!res->done && !mono_reached(mono_here(), until))
		(void)peer_run(until, -1);
	ok = res->done && res->status == RNS_RECEIPT_DELIVERED;
	put(c, "receipt_id", json_sprintf("%llu",
	    (unsigned long long)res->tag));
	put_bool(c, "delivered", ok);
	put_str(c, "status", ok ? "delivered" : res->done ? "timeout" :
	    "pending");
}

/* Proofs that nobody signed, as if they had come in for that receipt. */
void
cmd_wire_inject_crafted_proof(struct call *c)
{
	static const struct {
		const char *name;
		size_t len;
		bool names, other; /* names the packet, or another one */
	} hows[] = {{"wrong_length_short", 32, true, false},
	    {"wrong_length_mid", 65, true, false},
	    {"wrong_length_long", 97, true, false},
	    {"forged_implicit", PROOF_IMPLICIT_LEN, false, false},
	    {"forged_explicit", PROOF_EXPLICIT_LEN, true, false},
	    {"wrong_hash_explicit", PROOF_EXPLICIT_LEN, true, true}};
	struct peer *p = peer_of(c);
	struct result *res = peer_receipt(c, p);
	const char *how = arg_str(c, "variant");
	uint8_t data[97], raw[HEADER_1_LEN + sizeof(data)];
	struct hash16 dest;
	size_t i = 0, n;

	while (i < NELEM(hows) && strcmp(hows[i].name, how) != 0)
		i++;
	if (i == NELEM(hows))
		fail(c, "ValueError: unknown variant");
	if (res->ifid == 0)
		fail(c, "KeyError: that packet did not leave");
	rand_fill(NULL, data, sizeof(data));
	if (hows[i].names && !hows[i].other)
		memcpy(data, res->packet.b, MIN_OF(hows[i].len,
		    sizeof(res->packet.b)));
	memcpy(dest.b, res->packet.b, RNS_HASH);
	n = packet_build(raw, sizeof(raw), PACKET_FLAGS(DEST_SINGLE,
	    PACKET_PROOF), &dest, CTX_NONE, data, hows[i].len);
	(void)rns_recv(p->r, res->ifid, raw, n, mono_here());
	peer_turn(p);
	put_str(c, "variant", how);
	put_bool(c, "validated", put_receipt(c, res));
	put_int(c, "proof_len", (int64_t)hows[i].len);
}
