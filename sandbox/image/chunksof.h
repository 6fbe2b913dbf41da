/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_IMAGE_CHUNKSOF_H
#define WARREN_SANDBOX_IMAGE_CHUNKSOF_H

#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * All that the files of all images hold, in chunks as compute.md 3.3 cuts them:
 * each file once (share.h), which takes as long as reading the store. dir: the
 * store. Until fn does not return 0. 0, what fn returned, or -1 with errno; no
 * files yet is no fault.
 */
typedef int chunks_of_fn(void *ctx, const struct id32 *, const uint8_t *,
    size_t);
int chunks_of_store(int dir, chunks_of_fn *fn, void *ctx);

#endif
