/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_LINK_RES_H
#define WARREN_TRANSPORT_CORE_LINK_RES_H

#include "transport/core/base/ctx.h"

/* What both directions of a resource (8) share. */

enum res_status { /* reticulum-endpoint.md 8.1 */
	RES_NONE = 0,
	RES_QUEUED = 1,
	RES_ADVERTISED = 2,
	RES_TRANSFERRING = 3,
	RES_AWAITING_PROOF = 4,
	RES_ASSEMBLING = 5,
	RES_COMPLETE = 6,
	RES_FAILED = 7,
	RES_CORRUPT = 8,
	RES_REJECTED = 9,
};

enum res_kind { RES_PLAIN, RES_REQUEST, RES_RESPONSE };

struct bytes { /* a malloc()ed buffer with its meaning inside */
	uint8_t *base;
	size_t off, len, cap;
};

#endif
