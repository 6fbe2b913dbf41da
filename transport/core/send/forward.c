/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/send/forward.h"

#include <string.h>

#include "transport/core/send/txq.h"
#include "transport/core/table/iface.h"

uint8_t
hops_out(const struct rns *r, const struct iface *to, uint8_t hops)
{
	return hops == 0 && to->cfg.kind == RNS_IF_NET ? r->hops_delta : hops;
}

int
forward(struct rns *r, struct iface *to, uint8_t flags, uint8_t hop,
    const uint8_t *transport_id, const struct iovec_c *rest, size_t count)
{
	uint8_t head[2 + RNS_HASH] = {flags, hop};
	struct iovec_c v[4] = {{head, 2}};

	if (count > NELEM(v) - 1)
		return RNS_EINVAL;
	if (transport_id != NULL) {
		memcpy(head + 2, transport_id, RNS_HASH);
		v[0].n = sizeof(head);
	}
	for (size_t i = 0; i < count; i++)
		v[i + 1] = rest[i];
	return core_txv(r, to, v, count + 1);
}

int
announce_pack(struct rns *r, const struct path *path, uint8_t hops,
    uint8_t context, struct announce_packet *a)
{
	struct rd rd = path_announce(path);
	struct wr w = wr_make(a->head, sizeof(a->head));
	uint8_t flags;

	if (hops >= RNS_HOPS_MAX) { /* nobody would take it */
		(void)core_drop_of(r, RNS_DROP_ANNOUNCE_FAR, &path->dest, 0);
		return RNS_EINVAL;
	}
	if (!rd_u8(&rd, &flags) || !rd_skip(&rd, (flags & FLAG_HEADER_2) != 0 ?
	    HEADER_2_LEN - 1 : HEADER_1_LEN - 1)) {
		(void)core_drop_of(r, RNS_DROP_PATH_BARE, &path->dest, 0);
		return RNS_EPARSE;
	}
	if (rd_left(&rd) > RNS_MTU - HEADER_2_LEN) {
		/*
		 * an originator that left no room (reticulum-transport.md 5.4)
		 */
		(void)core_drop_of(r, RNS_DROP_ANNOUNCE_ROOM, &path->dest, 0);
		return RNS_EBIG;
	}
	a->v[0] = (struct iovec_c){a->head, sizeof(a->head)};
	a->v[1] = (struct iovec_c){rd.p, rd_left(&rd)};
	wr_u8(&w, (uint8_t)(FLAG_HEADER_2 | FLAG_TRANSPORT |
	    (flags & FLAG_CONTEXT) | PACKET_ANNOUNCE));
	wr_u8(&w, hops); /* or another by the interface: announce_tx() */
	a->hops = hops;
	wr_bytes(&w, HASH_BYTES(r->self.hash));
	wr_bytes(&w, HASH_BYTES(path->dest));
	wr_u8(&w, context);
	return RNS_OK;
}

int
announce_tx(struct rns *r, struct iface *to, struct announce_packet *a)
{
	int err;

	a->head[1] = hops_out(r, to, a->hops);
	r->passing = a->hops != 0;
	err = core_txv(r, to, a->v, NELEM(a->v));
	r->passing = false;
	if (err == RNS_OK)
		traffic_count(r, &to->traffic[TRAFFIC_ANNOUNCE_OUT],
		    a->v[0].n + a->v[1].n);
	return err;
}
