/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_RPC_CALLS_H
#define WARREN_TRANSPORT_ENGINE_RPC_CALLS_H

#include <stddef.h>
#include <stdint.h>

struct engine;

/*
 * The response to a request (reticulum-transport.md 13.4, packed; 13.7, pickled)
 * of n bytes, in the same form, *len bytes in a buffer of malloc that is the caller's. NULL: not a
 * call that is answered here, malformed, or no memory; the connection closes
 * then, as the reference does.
 */
uint8_t *rpc_call(struct engine *, const uint8_t *, size_t n, size_t *len);

#endif
