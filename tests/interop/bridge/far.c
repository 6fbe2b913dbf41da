/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/interop/bridge/far.h"

#include <string.h>

#include "transport/core/base/announce.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/packet.h"
#include "transport/core/link/link.h"
#include "transport/core/table/dest.h"

#define WAY 1 /* the interface to the other */
#define NAME "bridge.far"

static struct rns *
node_new(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_IF_ADD};
	struct rns *r = scratch(c, wall_here());

	cmd.iface.id = WAY;
	cmd.iface.mode = RNS_MODE_FULL;
	cmd.iface.out = cmd.iface.online = true;
	must(c, rns_submit(r, &cmd, mono_here()), "interface");
	return r;
}

void
far_hear(struct rns *r, struct bytes raw)
{
	(void)rns_recv(r, WAY, raw.p, raw.n, mono_here());
}

static bool
pass(struct rns *from, struct rns *to)
{
	uint8_t raw[RNS_MTU];
	struct rns_tx tx;
	bool any = false;

	while (rns_next_tx(from, &tx)) {
		if (tx.len > sizeof(raw))
			continue;
		memcpy(raw, tx.data, tx.len);
		far_hear(to, (struct bytes){raw, tx.len, true});
		any = true;
	}
	return any;
}

void
far_run(struct far *f)
{
	bool any;

	do {
		any = pass(f->near, f->far);
		any |= pass(f->far, f->near);
	} while (any);
}

void
far_start(struct call *c, struct far *f, bool up)
{
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	struct bytes raw = {.p = call_alloc(c, RNS_MTU), .set = true};
	uint8_t pub[RNS_KEY], random[5];
	const struct dest *d;
	struct rns_event ev;
	struct hash16 id;

	f->near = node_new(c);
	f->far = node_new(c);
	rand_fill(NULL, cmd.dest.identity, RNS_KEY);
	cmd.dest.has_identity = cmd.dest.accept_links = true;
	cmd.dest.name = NAME;
	cmd.dest.prove = RNS_PROVE_ALL;
	cmd.dest.resources = RNS_ACCEPT_ALL;
	must(c, rns_identity_derive(pub, &id, cmd.dest.identity), "identity");
	must(c, rns_dest_hash(&f->dest, NAME, &id), "name");
	must(c, rns_submit(f->far, &cmd, mono_here()), "destination");
	d = dest_find(f->far, &f->dest);
	rand_fill(NULL, random, sizeof(random));
	raw.n = announce_build(raw.p, &d->identity, &f->dest, d->name_hash,
	    random, (uint64_t)(wall_here() / MONO_SECOND), NULL, NULL, 0,
	    false);
	far_hear(f->near, raw);
	if (!up)
		return;
	cmd = (struct rns_cmd){.type = RNS_CMD_LINK_OPEN};
	cmd.link_open.dest = f->dest;
	cmd.link_open.resources = RNS_ACCEPT_ALL;
	must(c, rns_submit(f->near, &cmd, mono_here()), "link");
	far_run(f);
	while (rns_next_event(f->near, &ev))
		if (ev.type == RNS_EV_LINK_UP)
			f->id = ev.link.id;
	f->nl = link_find(f->near, &f->id);
	f->fl = link_find(f->far, &f->id);
	if (f->nl == NULL || f->fl == NULL || f->fl->status != LINK_ACTIVE)
		fail(c, "RuntimeError: no link between the two");
}

struct bytes
far_next(struct call *c, struct rns *r, int type, int context)
{
	struct bytes out = {.set = true};
	struct packet k;
	struct rns_tx tx;

	out.p = call_alloc(c, RNS_MTU);
	while (out.n == 0 && rns_next_tx(r, &tx))
		if (tx.len <= RNS_MTU && packet_parse(&k, tx.data, tx.len) ==
		    RNS_OK && (int)k.type == type &&
		    k.context == context) {
			memcpy(out.p, tx.data, tx.len);
			out.n = tx.len;
		}
	return out;
}

struct bytes
far_packet(struct call *c, const struct far *f, int type, uint8_t context,
    const void *p, size_t n)
{
	struct bytes out = {.n = HEADER_1_LEN + n, .set = true};

	out.p = call_alloc(c, out.n);
	(void)packet_head(out.p, PACKET_FLAGS(DEST_LINK, type), &f->id,
	    context);
	memcpy(out.p + HEADER_1_LEN, p, n);
	return out;
}

struct bytes
far_open(struct call *c, const struct far *f, struct bytes raw)
{
	struct bytes out = {.p = call_alloc(c, raw.n), .set = true};
	struct packet k;

	must(c, packet_parse(&k, raw.p, raw.n), "packet");
	must(c, token_decrypt(out.p, &out.n, raw.n, f->nl->key,
	    sizeof(f->nl->key), k.data, k.data_len), "decrypt");
	return out;
}

struct bytes
far_seal(struct call *c, const struct far *f, uint8_t context, const void *p,
    size_t n)
{
	size_t len = token_len(n);
	uint8_t *b = call_alloc(c, len), iv[16];

	rand_fill(NULL, iv, sizeof(iv));
	must(c, token_encrypt(b, &len, len, f->nl->key, sizeof(f->nl->key), iv,
	    p, n), "encrypt");
	return far_packet(c, f, PACKET_DATA, context, b, len);
}
