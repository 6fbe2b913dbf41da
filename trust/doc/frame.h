/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_FRAME_H
#define WARREN_TRUST_DOC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/doc/envelope.h"

/*
 * Signatures behind a compact frame (klp.md 2): count u8, then count times
 * fp4 and signature. Nothing allocates, nothing is verified here.
 */
#define FRAME_SIG_LEN (FP4_LEN + SIG_LEN)
/* A whole frame with so many signatures. */
#define FRAME_LEN(frame, sigs) ((frame) + 1 + (sigs) * FRAME_SIG_LEN)

/*
 * A frame of `frame` bytes and its signatures, nothing behind them, as an
 * envelope of that type, which env_verify() takes; it borrows buf. 0, or -1
 * with a literal in *why.
 */
int frame_parse(struct env *, const char *type, const uint8_t *buf, size_t len,
    size_t frame, const char **why);
/* Frame and signatures into out; its size, 0: does not fit, or no such count. */
size_t frame_put(uint8_t *out, size_t cap, const uint8_t *frame, size_t len,
    const struct env_signed *sigs, size_t nsigs);

#endif
