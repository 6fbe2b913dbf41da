/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_TRAIL_COMPACT_H
#define WARREN_AUDIT_TRAIL_COMPACT_H

#include "audit/trail_impl.h"

/*
 * Rewrites segment i without its events of this severity; sizes and counts
 * follow. 0 or -1 (errno); then the segment is as it was.
 */
int trail_compact_seg(struct trail *, size_t i, unsigned severity);

/*
 * The segment of this number as an export has it, into fd, which is taken:
 * lines that are not kept become tombstones, one alone too, so that the chain
 * and what is signed of it can still be verified and nothing else is told.
 * Nothing behind the line `last`. 0 or -1 (errno).
 */
typedef bool trail_keep_fn(void *arg, const struct trail_line *,
    const char *text, size_t len);
int trail_export_seg(const struct trail *, uint32_t number, uint64_t last,
    trail_keep_fn *, void *arg, int fd);

#endif
