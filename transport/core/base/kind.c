/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/kind.h"

#include "transport/core/base/const.h"

/* What keeps links and paths alive is little and waits for nobody's bulk. */
static bool
is_control(uint8_t flags, uint8_t context)
{
	return (flags & 3) != PACKET_DATA || (flags >> 2 & 3) == DEST_PLAIN ||
	    context >= CTX_KEEPALIVE || context == CTX_CACHE_REQUEST;
}

enum rns_kind
packet_kind(uint8_t flags, uint8_t context, bool passed, bool program)
{
	if ((flags & 3) == PACKET_ANNOUNCE)
		return passed && context != CTX_PATH_RESPONSE ? RNS_KIND_FAR :
		    RNS_KIND_NEAR;
	if (passed)
		return program && (flags & 3) == PACKET_DATA &&
		    context == CTX_RESOURCE ? RNS_KIND_JOBS : RNS_KIND_RELAY;
	return is_control(flags, context) ? RNS_KIND_CONTROL : RNS_KIND_JOBS;
}
