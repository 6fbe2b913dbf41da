/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_RPC_REQUEST_H
#define WARREN_TRANSPORT_ENGINE_RPC_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * A request of the RPC socket (reticulum-transport.md 13.4) as values. Pure;
 * to be called for what an authenticated program says, and for nothing else.
 * What a member has of another type or length is as if it was not there.
 */
struct rpc_request {
	char get[32], drop[32]; /* empty: not there */
	char destination_data[16], identity_data[16];
	struct hash16 destination, identity;
	bool has_destination, has_identity;
	bool has_max_hops;
	double max_hops;
};

/* false: no packed map of texts to plain values. */
bool rpc_request_parse(struct rpc_request *, const uint8_t *, size_t);

#endif
