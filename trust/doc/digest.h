/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_DIGEST_H
#define WARREN_TRUST_DOC_DIGEST_H

#include <stddef.h>

#include <rns/hash.h>

/*
 * SHA-256 of a whole document or a line of the trail, by the CPU's instructions
 * where it has them: a graph of 32 MiB is hashed inside trust's loop, 64 MiB of
 * a trail twice at each start.
 */
void digest_of(struct id32 *out, const void *, size_t);

#endif
