/* SPDX-License-Identifier: BSD-2-Clause */
/* Live: how links begin and end, genuine and damaged. */
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/peer.h"
#include "transport/core/base/announce.h"
#include "transport/core/base/const.h"
#include "transport/core/base/packet.h"
#include "transport/core/link/link.h"
#include "transport/core/table/dest.h"
#include "transport/core/table/iface.h"

/* The other side of these commands is a context that lives for the command. */
#define WAY 0x10001 /* the interface to it */
#define NAME "bridge.crafted"

static void
way_add(struct call *c, struct rns *r)
{
	struct rns_cmd cmd = {.type = RNS_CMD_IF_ADD};
	int err;

	cmd.iface.id = WAY;
	cmd.iface.mode = RNS_MODE_FULL;
	cmd.iface.out = cmd.iface.online = true;
	err = rns_submit(r, &cmd, mono_here());

	/* one may be left of a command that failed */
	must(c, err == RNS_EEXIST ? RNS_OK : err, "interface");
}

static void
way_del(struct call *c, struct peer *p)
{
	struct rns_cmd cmd = {.type = RNS_CMD_IF_DEL, .ifid = WAY};

	peer_submit(c, p, &cmd, "interface");
}

static void
hear(struct rns *r, struct bytes raw)
{
	(void)rns_recv(r, WAY, raw.p, raw.n, mono_here());
}

/* The next packet of that type that it sends, or a mistake. */
static struct bytes
sends(struct call *c, struct rns *r, uint8_t type)
{
	struct bytes out = {.set = true};
	struct packet k;
	struct rns_tx tx;

	out.p = call_alloc(c, RNS_MTU);
	while (rns_next_tx(r, &tx))
		if (out.n == 0 && tx.len <= RNS_MTU &&
		    packet_parse(&k, tx.data, tx.len) == RNS_OK &&
		    k.type == type) {
			memcpy(out.p, tx.data, tx.len);
			out.n = tx.len;
		}
	if (out.n == 0)
		fail(c, "RuntimeError: the library sends nothing");
	return out;
}

static struct hash16
dest_add(struct call *c, struct rns *r, const char *name, bool accept)
{
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	uint8_t pub[RNS_KEY];
	struct hash16 id, dest;

	rand_fill(NULL, cmd.dest.identity, RNS_KEY);
	cmd.dest.has_identity = true;
	cmd.dest.name = name;
	cmd.dest.accept_links = accept;
	must(c, rns_identity_derive(pub, &id, cmd.dest.identity), "identity");
	must(c, rns_dest_hash(&dest, name, &id), "name");
	must(c, rns_submit(r, &cmd, mono_here()), "destination");
	return dest;
}

static void
dest_del(struct call *c, struct rns *r, const struct hash16 *dest)
{
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_DEL, .hash = *dest};

	must(c, rns_submit(r, &cmd, mono_here()), "destination");
}

/* What `from` announces of its destination, heard by `to`. */
static void
tell(struct call *c, struct rns *from, const struct hash16 *dest,
    struct rns *to)
{
	const struct dest *d = dest_find(from, dest);
	struct bytes raw = {.p = call_alloc(c, RNS_MTU), .set = true};
	uint8_t random[5];

	rand_fill(NULL, random, sizeof(random));
	raw.n = announce_build(raw.p, &d->identity, dest, d->name_hash, random,
	    (uint64_t)(wall_here() / MONO_SECOND), NULL, NULL, 0, false);
	hear(to, raw);
}

static void
open_link(struct call *c, struct rns *r, const struct hash16 *dest)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_OPEN};

	cmd.link_open.dest = *dest;
	must(c, rns_submit(r, &cmd, mono_here()), "link");
}

static struct hash16
link_id_of(struct call *c, struct bytes request)
{
	struct packet k;
	struct hash16 id;

	must(c, packet_parse(&k, request.p, request.n), "link request");
	packet_link_id(&id, &k);
	return id;
}

/* ---- requests ---- */

/* A stranger's request for a link to a destination of r. */
static struct bytes
request_for(struct call *c, struct rns *r, const struct hash16 *dest)
{
	struct rns *other = scratch(c, wall_here());

	way_add(c, other);
	tell(c, r, dest, other);
	open_link(c, other, dest);
	return sends(c, other, PACKET_LINKREQUEST);
}

static void
damage_request(struct call *c, const char *how, struct bytes *raw)
{
	uint8_t *mode = raw->p + HEADER_1_LEN + LINK_KEYS_LEN;

	if (raw->n != HEADER_1_LEN + LINK_KEYS_LEN + LINK_SIGNALLING_LEN)
		fail(c, "RuntimeError: a request of another length");
	if (strcmp(how, "valid64") == 0)
		raw->n -= LINK_SIGNALLING_LEN;
	else if (strcmp(how, "size_63") == 0)
		raw->n -= LINK_SIGNALLING_LEN + 1;
	else if (strcmp(how, "size_66") == 0)
		raw->n -= 1;
	else if (strcmp(how, "size_0") == 0)
		raw->n = HEADER_1_LEN;
	else if (strcmp(how, "bad_mode") == 0)
		*mode = (uint8_t)((*mode & 0x1f) | 2 << 5);
	else if (strcmp(how, "valid67") != 0)
		fail(c, "ValueError: unknown variant");
}

void
cmd_wire_inject_crafted_link_request(struct call *c)
{
	struct peer *p = peer_of(c);
	const char *how = arg_str(c, "variant");
	uint8_t hops = (uint8_t)arg_int_or(c, "hops", 0, RNS_HOPS_MAX, 0);
	struct hash16 dest, id;
	struct bytes raw;
	struct packet k;
	struct link *l = NULL;

	dest = dest_add(c, p->r, NAME, true);
	raw = request_for(c, p->r, &dest);
	damage_request(c, how, &raw);
	raw.p[1] = hops > 0 ? hops - 1 : 0; /* the way here is one */
	put_str(c, "variant", how);
	put_int(c, "data_len", (int64_t)raw.n - HEADER_1_LEN);
	way_add(c, p->r);
	hear(p->r, raw);
	if (packet_parse(&k, raw.p, raw.n) == RNS_OK) {
		packet_link_id(&id, &k);
		l = link_find(p->r, &id);
	}
	put_bool(c, "accepted", l != NULL);
	put_bool(c, "inbound_link_created", l != NULL);
	put(c, "establishment_timeout", l != NULL ?
	    json_real(l->establish) : json_null());
	put(c, "mode", l != NULL ? json_integer(LINK_MODE_AES256) :
	    json_null());
	put(c, "mtu", l != NULL ? json_integer(l->mtu) : json_null());
	put_num(c, "establishment_timeout_per_hop",
	    link_establish_responder(2) - link_establish_responder(1));
	put_num(c, "keepalive", link_establish_responder(0) -
	    (link_establish_responder(2) - link_establish_responder(1)));
	way_del(c, p);
	dest_del(c, p->r, &dest);
}

/* As it would stand in the packet; it is sent to nobody. */
void
cmd_wire_link_request_payload(struct call *c)
{
	struct rns *r = scratch(c, wall_here());
	struct hash16 dest;
	struct bytes raw;
	struct packet k;
	uint32_t mtu;
	uint8_t mode;

	(void)peer_of(c);
	way_add(c, r);
	dest = dest_add(c, r, arg_name(c), true);
	raw = request_for(c, r, &dest);
	must(c, packet_parse(&k, raw.p, raw.n), "link request");
	signalling_get(k.data + LINK_KEYS_LEN, &mtu, &mode);
	put_hex(c, "request_data_hex", k.data, k.data_len);
	put_hex(c, "pub_bytes", k.data, 32);
	put_hex(c, "sig_pub_bytes", k.data + 32, 32);
	put_hex(c, "signalling_bytes", k.data + LINK_KEYS_LEN,
	    LINK_SIGNALLING_LEN);
	put_int(c, "mtu", mtu);
	put_int(c, "mode", mode);
	put_int(c, "len", (int64_t)k.data_len);
	put_int(c, "ecpubsize", LINK_KEYS_LEN);
	put_int(c, "link_mtu_size", LINK_SIGNALLING_LEN);
	put_int(c, "reticulum_mtu", RNS_MTU);
}

/* ---- their proofs ---- */

/* Another text in the place of the signed one, or another signature. */
static void
damage_proof(struct call *c, const char *how, const struct rns *other,
    const struct hash16 *dest, const struct hash16 *id, struct bytes *raw)
{
	uint8_t *sig = raw->p + HEADER_1_LEN, *more = sig + LINK_PROOF_LEN;
	uint8_t text[RNS_HASH + 64 + LINK_SIGNALLING_LEN];
	const struct dest *d = dest_find(other, dest);
	struct wr w = wr_make(text, sizeof(text));
	bool mode = strcmp(how, "mode_mismatch") == 0;

	if (strcmp(how, "forged_signature") == 0) {
		sig[5] ^= 1;
	} else if (strcmp(how, "wrong_size") == 0) {
		raw->n -= 8;
	} else if (mode || strcmp(how, "wrong_signed_data") == 0) {
		if (mode)
			*more = (uint8_t)((*more & 0x1f) | 2 << 5);
		wr_bytes(&w, HASH_BYTES(*id));
		wr_bytes(&w, sig + RNS_SIG, 32);
		wr_bytes(&w, d->identity.pub + 32, 32);
		wr_bytes(&w, more, LINK_SIGNALLING_LEN);
		if (!mode)
			text[0] ^= 1;
		identity_sign(&d->identity, sig, text, w.len);
	} else if (strcmp(how, "valid") != 0 &&
	    strcmp(how, "non_pending") != 0) {
		fail(c, "ValueError: unknown variant");
	}
}

void
cmd_wire_inject_crafted_lrproof(struct call *c)
{
	struct peer *p = peer_of(c);
	const char *how = arg_str(c, "variant");
	struct rns *other = scratch(c, wall_here());
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_CLOSE};
	struct hash16 dest, id;
	struct bytes raw;
	struct link *l;
	int status;

	way_add(c, other);
	dest = dest_add(c, other, NAME, true);
	way_add(c, p->r);
	tell(c, other, &dest, p->r);
	open_link(c, p->r, &dest);
	raw = sends(c, p->r, PACKET_LINKREQUEST);
	id = cmd.hash = link_id_of(c, raw);
	hear(other, raw);
	raw = sends(c, other, PACKET_PROOF);
	damage_proof(c, how, other, &dest, &id, &raw);
	if (strcmp(how, "non_pending") == 0)
		peer_submit(c, p, &cmd, "close");
	hear(p->r, raw);
	l = link_find(p->r, &id);
	status = l != NULL ? (int)l->status : LINK_CLOSED;
	put_str(c, "variant", how);
	put_bool(c, "activated", status == LINK_ACTIVE);
	put_int(c, "status", status);
	put_str(c, "status_name", status_names[status]);
	put(c, "mtu", l != NULL ? json_integer(l->mtu) : json_null());
	put_int(c, "mode", LINK_MODE_AES256);
	if (l != NULL)
		peer_submit(c, p, &cmd, "close");
	way_del(c, p);
}

/* ---- gates ---- */

static bool
link_from(struct call *c, struct rns *r, const struct hash16 *dest)
{
	struct bytes raw = request_for(c, r, dest);
	struct hash16 id = link_id_of(c, raw);

	hear(r, raw);
	return link_find(r, &id) != NULL;
}

void
cmd_wire_link_accept_gate(struct call *c)
{
	struct peer *p = peer_of(c);
	bool accepts = arg_bool(c, "accepts", true);
	struct hash16 dest = dest_add(c, p->r, NAME, accepts);

	way_add(c, p->r);
	put_bool(c, "accepts", accepts);
	put_int(c, "links_before", (int64_t)p->r->links->count);
	put_bool(c, "link_created", link_from(c, p->r, &dest));
	put_int(c, "links_after", (int64_t)p->r->links->count);
	way_del(c, p);
	dest_del(c, p->r, &dest);
}

/* How many packets that end a link go out when this one ends. */
static int
close_packets(struct call *c, struct peer *p, const struct hash16 *id)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_CLOSE, .hash = *id};
	struct packet k;

	p->sent_len = 0;
	must(c, rns_submit(p->r, &cmd, mono_here()), "close");
	peer_turn(p);
	return packet_parse(&k, p->sent, p->sent_len) == RNS_OK &&
	    k.context == CTX_LINKCLOSE;
}

void
cmd_wire_link_teardown_emission(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns *other = scratch(c, wall_here());
	struct link *l = peer_open_link(c, p);
	struct hash16 dest, id, active = l->id;

	put_str(c, "active_status_before", status_names[l->status]);
	way_add(c, other);
	dest = dest_add(c, other, NAME, true);
	way_add(c, p->r);
	tell(c, other, &dest, p->r);
	open_link(c, p->r, &dest);
	id = link_id_of(c, sends(c, p->r, PACKET_LINKREQUEST));
	put_int(c, "pending_linkclose_emitted", close_packets(c, p, &id));
	put_int(c, "active_linkclose_emitted", close_packets(c, p, &active));
	way_del(c, p);
}
