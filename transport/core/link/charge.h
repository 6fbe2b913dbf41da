/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_CHARGE_H
#define WARREN_TRANSPORT_CORE_LINK_CHARGE_H

#include "transport/core/base/ctx.h"

/*
 * Memory that peers make us hold, resources and messages before their turn:
 * one sum for all links under limits.resource_bytes, and beside it what each
 * holder has of it in *charged.
 */

/* Before n bytes are taken. false: the limit; counted, nothing changes. */
bool charge_add(struct rns *, uint64_t *charged, uint64_t n);
/* When they are given back. */
void charge_sub(struct rns *, uint64_t *charged, uint64_t n);

#endif
