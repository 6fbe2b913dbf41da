/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_FP_H
#define WARREN_COMMON_FP_H

#include <rns/hash.h>

#define FP_LEN 32 /* SHA-256 of multicodec prefix and raw key */

/* The fingerprint of a person's or a node's key: klp.md 2. */
struct fp {
	uint8_t b[FP_LEN];
};

HASH_FUNCTIONS(fp)

#endif
