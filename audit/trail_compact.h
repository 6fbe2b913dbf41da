/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_TRAIL_COMPACT_H
#define WARREN_AUDIT_TRAIL_COMPACT_H

#include "audit/trail_impl.h"

/*
 * Rewrites segment i without its events of this severity; sizes and counts
 * follow. 0 or -1 (errno); then the segment is as it was.
 */
int trail_compact_seg(struct trail *, size_t i, unsigned severity);

#endif
