/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The proof before RPC, message by message: each begins with a byte, its
 * length, or 255: what a client with the key would say. No other ever gets to
 * ask.
 */
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "transport/engine/rpc_auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const uint8_t key[32] = {1};

static size_t
right(const struct rpc_talk *t, uint8_t out[RPC_AUTH_MAX])
{
	switch (t->state) {
	case RPC_WAIT_RESPONSE:
		return rpc_auth_answer(out, key, sizeof(key), t->challenge,
		    sizeof(t->challenge));
	case RPC_WAIT_CHALLENGE:
		memcpy(out, t->challenge, sizeof(t->challenge));
		return sizeof(t->challenge);
	default:
		memcpy(out, RPC_WELCOME, 9);
		return 9;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint8_t random[40] = {9};
	uint8_t out[RPC_AUTH_MAX], own[RPC_AUTH_MAX], len;
	struct rd r = rd_make(p, n);
	enum rpc_step got;
	struct rpc_talk t;
	bool knows = false, asks = false;
	const uint8_t *msg;
	size_t m, out_len;

	(void)rpc_talk_open(&t, random, out);
	while (!asks && rd_u8(&r, &len)) {
		enum rpc_state was = t.state;

		m = len;
		msg = own;
		if (len == 255)
			m = right(&t, own);
		else if (!rd_ref(&r, &msg, m))
			break;
		got = rpc_talk_step(&t, key, sizeof(key), msg, m, out,
		    &out_len);
		if (out_len > sizeof(out))
			abort();
		/* nobody finds a SHA-256 or MD5 by chance */
		knows = knows || (was == RPC_WAIT_RESPONSE && len == 255);
		asks = got == RPC_ASKS;
		if (asks && (!knows || was != RPC_WAIT_REQUEST))
			abort();
		if (got == RPC_BREAK || got == RPC_REFUSE)
			break;
	}
	return 0;
}
