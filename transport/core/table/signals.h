/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_SIGNALS_H
#define WARREN_TRANSPORT_CORE_TABLE_SIGNALS_H

#include "transport/core/base/ctx.h"

/*
 * How the last RNS_SIGNALS packets were received that an interface measured
 * (reticulum-transport.md 2.10). There is no memory for them before the first.
 */
void signals_add(struct rns *, const struct id32 *packet,
    const struct rns_signal *);
void signals_free(struct rns *);

#endif
