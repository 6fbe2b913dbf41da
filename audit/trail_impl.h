/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_TRAIL_IMPL_H
#define WARREN_AUDIT_TRAIL_IMPL_H

#include "audit/trail.h"
#include "audit/trail_line.h"

/* Inside audit/ only: the writer and its making of room. */
struct trail_seg {
	uint32_t number;
	uint64_t size;
	uint64_t count[TRAIL_SEVERITIES]; /* events of each severity */
	unsigned done;			  /* severity dropped so far */
};

struct trail {
	int dir;
	int fd;	  /* last segment; -1: none yet */
	int head; /* TRAIL_HEAD */
	bool dirty;
	bool ragged; /* a part of a line could not be cut off */
	uint64_t asked, marked; /* checkpoints: runs never cross them */
	uint64_t hub_acked, hub_sent; /* nor these */
	uint64_t rewrites; /* of segments, since it was opened */
	struct trail_limits limits;
	struct trail_walk walk;
	struct trail_seg *segs;
	size_t nsegs;
	uint64_t total;
};

#endif
