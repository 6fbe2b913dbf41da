/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/route/tunnel_in.h"

#include "transport/core/base/const.h"
#include "transport/core/base/dedup.h"
#include "transport/core/base/identity.h"
#include "transport/core/send/txq.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/tunnel.h"

/* public key, hash of the interface's name, random bytes, signature */
#define TUNNEL_ID_LEN (RNS_KEY + RNS_FULL_HASH)
#define TUNNEL_SIGNED (TUNNEL_ID_LEN + 16)
#define TUNNEL_LEN (TUNNEL_SIGNED + RNS_SIG)

/*
 * The packet names neither a time nor the connection, so whoever has seen one
 * could show it again and be given the paths of another. Its sender never
 * repeats one: what was seen is refused, as an announce is that came before.
 */
void
tunnel_in(struct rns *r, const struct packet *p)
{
	struct id32 id;

	if (p->type != PACKET_DATA || p->data_len != TUNNEL_LEN ||
	    p->rx->cfg.kind != RNS_IF_NET) {
		(void)core_drop(r, RNS_DROP_TUNNEL);
		return;
	}
	if (dedup_has(r, &p->hash)) {
		(void)core_drop(r, RNS_DROP_DUPLICATE);
		return;
	}
	if (!rns_identity_verify(p->data, p->data + TUNNEL_SIGNED, p->data,
	    TUNNEL_SIGNED)) {
		(void)core_drop(r, RNS_DROP_TUNNEL);
		return;
	}
	dedup_add(r, &p->hash);
	rns_sha256(&id, p->data, TUNNEL_ID_LEN);
	if (tunnel_up(r, &id, p->rx) == RNS_ENOMEM)
		(void)core_drop(r, RNS_DROP_MEMORY);
}

void
tunnel_show(struct rns *r, struct iface *i)
{
	uint8_t raw[HEADER_1_LEN + TUNNEL_LEN], *data = raw + HEADER_1_LEN;
	uint8_t random[TUNNEL_SIGNED - TUNNEL_ID_LEN];
	struct wr w = wr_make(data, TUNNEL_LEN);

	if (!i->cfg.wants_tunnel || !i->cfg.online ||
	    i->cfg.kind != RNS_IF_NET)
		return;
	(void)packet_head(raw, PACKET_FLAGS(DEST_PLAIN, PACKET_DATA),
	    &r->tunnel_dest, CTX_NONE);
	core_random(r, random, sizeof(random));
	wr_bytes(&w, r->self.pub, RNS_KEY);
	wr_bytes(&w, HASH_BYTES(i->cfg.name_hash));
	wr_bytes(&w, random, sizeof(random));
	identity_sign(&r->self, data + TUNNEL_SIGNED, data, TUNNEL_SIGNED);
	(void)core_tx(r, i, raw, sizeof(raw));
}
