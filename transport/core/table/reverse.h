/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_REVERSE_H
#define WARREN_TRANSPORT_CORE_TABLE_REVERSE_H

#include <rns/hash.h>

#include "transport/core/base/ctx.h"

/* One entry, for who looks. */
struct reverse {
	struct hash16 hash;
	struct iface *in, *out;
	uint32_t newer; /* of those of `in` */
	struct mono at; /* of the millisecond */
};

/* Reverse table (reticulum-transport.md 2.3): the way back of proofs. */
int reverse_new(struct rns *);
void reverse_free(struct rns *);
/* The hash is cut to 16 bytes, as a proof is addressed. */
void reverse_add(struct rns *, const struct hash16 *hash, struct iface *in,
    struct iface *out);
/* Finds and removes; false: there is none. */
bool reverse_take(struct rns *, const struct hash16 *hash,
    struct iface **in, struct iface **out);
/* Where the packet came from, or NULL. */
/*
 * One that came in there will be added soon: where it goes, and what makes
 * room for it then.
 */
void reverse_soon(const struct rns *, const struct hash16 *hash);
void reverse_room_soon(const struct rns *, const struct iface *in);
const struct iface *reverse_in(const struct rns *,
    const struct hash16 *hash);
/* By its number, that of struct reverse_ages or of another entry; not 0. */
struct reverse reverse_entry(const struct rns *, uint32_t);
/* Ways through it are forgotten. */
void reverse_iface_gone(struct rns *, const struct iface *);

#endif
