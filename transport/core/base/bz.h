/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_BZ_H
#define WARREN_TRANSPORT_CORE_BASE_BZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/core/base/crypt.h"

/*
 * bz2, level 9, single stream (reticulum-endpoint.md 16.47), always against a
 * ceiling.
 */

/*
 * Compress pieces that stand together. RNS_EBIG: it does not fit cap, which is
 * how "strictly shorter" is asked. RNS_ENOMEM.
 */
int bz_compress(uint8_t *out, size_t *out_len, size_t cap,
    const struct iovec_c *, size_t count);

/*
 * Decompress one whole stream of at most max bytes. *out is malloc()ed and the
 * caller's. charge(arg, n) is asked before the buffer grows by n bytes; false
 * ends it with RNS_ELIMIT. May be NULL. RNS_EBIG: longer than max. RNS_EPARSE:
 * not one whole stream. RNS_ENOMEM.
 */
int bz_decompress(uint8_t **out, size_t *out_len, size_t max,
    const uint8_t *in, size_t in_len, bool (*charge)(void *, size_t),
    void *arg);

#endif
