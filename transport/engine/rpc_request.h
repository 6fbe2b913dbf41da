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
	struct id32 packet;
	bool has_packet;
	/* the call to blackhole one, with these two, or to lift it */
	struct hash16 blackhole, unblackhole;
	bool has_blackhole, has_unblackhole;
	double until_s;    /* 0: not there, or nil */
	const char *reason; /* UTF-8, into the request; NULL: none */
	size_t reason_len;
	char manage[24], name[128];
	bool has_max_hops;
	double max_hops;
};

/* false: no packed map of texts to plain values. */
bool rpc_request_parse(struct rpc_request *, const uint8_t *, size_t);

#endif
