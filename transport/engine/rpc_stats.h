/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_RPC_STATS_H
#define WARREN_TRANSPORT_ENGINE_RPC_STATS_H

#include <stddef.h>
#include <stdint.h>

struct engine;

/*
 * The packed statistics map (reticulum-transport.md 13.6) of all interfaces,
 * *len bytes in a buffer of malloc that is the caller's; ENGINE_IFS bounds it.
 * NULL: no memory. For rnstatus here and from afar.
 */
uint8_t *rpc_stats(const struct engine *, size_t *len);
/* Once a second: what passed since the last time becomes the rates. */
void rpc_stats_tick(struct engine *);

#endif
