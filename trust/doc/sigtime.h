/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_SIGTIME_H
#define WARREN_TRUST_DOC_SIGTIME_H

#include <stddef.h>
#include <stdint.h>

#include "trust/doc/sigroot.h"

/*
 * Timestamps (RFC 3161): a TimeStampResp that one of the roots' authorities has
 * signed over these bytes, while it and its certificates counted. By libcrypto:
 * a build without it believes none.
 */
#define SIGTIME_MAX 32768 /* ours: bytes of a response; it may bring its chain */

/* 0, or -1 and *why, a literal. */
int sigtime_check(int64_t *when, const uint8_t *der, size_t len,
    const void *signed_bytes, size_t signed_len, const struct sigroot *,
    const char **why);

#endif
