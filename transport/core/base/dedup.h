/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_DEDUP_H
#define WARREN_TRANSPORT_CORE_BASE_DEDUP_H

#include <rns/hash.h>

#include "transport/core/base/hashset.h"

/*
 * The packet filter's memory (reticulum-endpoint.md 3.5;
 * reticulum-transport.md 2.7, 3.3, 3.4).
 */
int dedup_new(struct rns *);
void dedup_free(struct rns *);
/* Was it taken already? */
bool dedup_has(const struct rns *, const struct id32 *hash);
/* That will be asked soon. */
void dedup_soon(const struct rns *, const struct id32 *hash);
/* Without memory it is a drop, and the packet may be taken twice. */
void dedup_add(struct rns *, const struct id32 *hash);
/* Both at once: false, it was taken already. */
bool dedup_take(struct rns *, const struct id32 *hash);
/* The next copy of it is taken again. */
void dedup_del(struct rns *, const struct id32 *hash);

#endif
