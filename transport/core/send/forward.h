/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_SEND_FORWARD_H
#define WARREN_TRANSPORT_CORE_SEND_FORWARD_H

#include "transport/core/base/const.h"
#include "transport/core/base/crypt.h"
#include "transport/core/table/path.h"

/* The bytes of what is passed on; which interfaces get it is outbound.c's. */

/*
 * reticulum-transport.md 3.7 and 3.8: a packet as it is passed on: new first
 * byte, new hop byte, the transport id (or NULL), then what came behind it, in
 * at most three pieces. Errors are those of core_txv().
 */
int forward(struct rns *, struct iface *to, uint8_t flags, uint8_t hop,
    const uint8_t *transport_id, const struct iovec_c *rest, size_t count);

/* An announce as it is passed on; points into itself and into the path. */
struct announce_packet {
	uint8_t head[HEADER_2_LEN];
	uint8_t hops;
	struct iovec_c v[2];
};

/*
 * The hop byte with which a packet of so many hops leaves there: the delta of
 * reticulum-transport.md 5.4 for what begins here, if there is one.
 */
uint8_t hops_out(const struct rns *, const struct iface *to, uint8_t hops);

/*
 * The announce of a path (reticulum-transport.md 4.5, 4.6): header type 2, our
 * transport id. *out may not be copied, and the path may not change before it
 * is sent. RNS_EINVAL: hops that nobody would take; RNS_EPARSE: the path has
 * none (it came from storage); RNS_EBIG: no room for our transport id. Each is
 * a drop.
 */
int announce_pack(struct rns *, const struct path *, uint8_t hops,
    uint8_t context, struct announce_packet *out);
/* Send it there, and count it. Errors of core_txv(). */
int announce_tx(struct rns *, struct iface *, struct announce_packet *);

#endif
