/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_ANCHORED_H
#define WARREN_COMMON_ANCHORED_H

#include <stdint.h>

#include <rns/hash.h>

/*
 * An image that transparency logs vouch for (klp.md 8), as trust tells node
 * (V_ANCHORED): in the order of the images, each once.
 */
#define ANCHORED_MAX 4096

struct anchored {
	struct id32 image;
	uint8_t logs; /* how many different ones, 1 or more */
};
_Static_assert(sizeof(struct anchored) == 33, "no holes: it is sent as it is");

#endif
