/* SPDX-License-Identifier: BSD-2-Clause */
/* Headers: what parses lies inside its bytes, and builds again. */
#include <stdlib.h>
#include <string.h>

#include "transport/core/base/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *raw, size_t n)
{
	struct packet p;
	struct hash16 id;
	uint8_t out[1024];
	uint32_t mtu;
	uint8_t mode, back[3];

	if (packet_parse(&p, raw, n) != RNS_OK)
		return 0;
	if (p.data + p.data_len != raw + n || p.data_len == 0 || p.hops > 127)
		abort();
	packet_link_id(&id, &p);
	if (p.data_len >= 3) {
		signalling_get(p.data, &mtu, &mode);
		signalling_put(back, mtu, mode);
		if (memcmp(back, p.data, 3) != 0)
			abort();
	}
	if (!p.header_2 && p.hops == 0 && n <= sizeof(out) &&
	    (packet_build(out, sizeof(out), p.flags, p.dest, p.context, p.data,
		p.data_len) != n || memcmp(out, raw, n) != 0))
		abort();
	return 0;
}
