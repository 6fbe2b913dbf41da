/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_VALUE_H
#define WARREN_TRANSPORT_CORE_BASE_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "transport/core/base/announce.h"
#include "transport/core/base/ctx.h"

/*
 * What the candidates for a proof of work in received packets are worth
 * (reticulum-1.6.md 4 to 6): counted, told to the caller's function, and of no
 * other effect. One hash each.
 */
void value_announce(struct rns *, const struct hash16 *dest,
    const struct announce *);
void value_path_request(struct rns *, const struct hash16 *dest,
    const uint8_t *tag, size_t n);
/* data: both keys of the initiator. */
void value_link_request(struct rns *, const struct hash16 *dest,
    const uint8_t data[64]);

#endif
