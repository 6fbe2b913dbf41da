/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of the storage folder, and the messages of the RPC's proof. */
#include <stddef.h>
#include <stdint.h>

#include "transport/engine/rpc_auth.h"
#include "transport/engine/store_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t key[32] = {1}, random[40];
	uint8_t challenge[RPC_CHALLENGE_LEN], out[RPC_AUTH_MAX];
	struct rd r = rd_make(data, n);
	struct codec_path p;
	struct codec_tunnel t;
	struct codec_hole h;
	const uint8_t *raw;
	size_t count, len;
	int rc;

	if (codec_paths_head(&r, &count))
		while (count-- > 0 && codec_path_get(&r, &p) != RNS_EPARSE)
			;
	r = rd_make(data, n);
	if (codec_paths_head(&r, &count))
		while (count-- > 0 && (rc = codec_tunnel_get(&r, &t)) !=
		    RNS_EPARSE)
			while (rc == RNS_OK && t.count-- > 0 &&
			    codec_path_get(&t.paths, &p) != RNS_EPARSE)
				;
	r = rd_make(data, n);
	if (codec_holes_head(&r, &count))
		while (count-- > 0 && codec_hole_get(&r, &h) != RNS_EPARSE)
			;
	(void)codec_announce_get(data, n, &raw, &len);
	rpc_auth_challenge(challenge, random);
	(void)rpc_auth_check(key, sizeof(key), challenge, data, n);
	(void)rpc_auth_answer(out, key, sizeof(key), data, n);
	return 0;
}
