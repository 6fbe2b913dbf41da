/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_MANIFEST_RECORD_H
#define WARREN_TRUST_DOC_MANIFEST_RECORD_H

#include "trust/doc/manifest.h"

/* The record; 0: does not fit. Written by trust, read by node. */
size_t manifest_record_put(uint8_t *out, size_t cap, const struct manifest *);
/* false: malformed or out of a bound, and then nothing is held. */
bool manifest_record_get(struct manifest *, const uint8_t *buf, size_t len);

#endif
