/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_MANIFEST_PARSE_H
#define WARREN_TRUST_DOC_MANIFEST_PARSE_H

#include "trust/doc/manifest.h"

/*
 * The payload of an envelope whose signature has been verified. 0, or -1:
 * why names the member. Form only: times, nonce reuse and who signed are the
 * caller's (manifest_times()). Clear in both cases.
 */
int manifest_parse(struct manifest *, const void *payload, size_t len,
    char why[MANIFEST_WHY]);

#endif
