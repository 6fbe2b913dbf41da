/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_TLOGWALK_H
#define WARREN_TRUST_DOC_TLOGWALK_H

#include "trust/doc/tlogedge.h"

/*
 * The proof that a log has grown, made from its tiles (C2SP tlog-tiles) where
 * nobody gives it ready (klp.md 8): which tiles that takes, in which order, and
 * what of them is true. First those of the right edge, from which the root
 * follows; then down to where the log ended earlier, each a hash of the one
 * above it. So every tile is verified as a whole, and none is asked for that no
 * verified one names. Pure; 128 KiB.
 */
#define TLOG_WALK_TILES (2 * TLOG_LEVELS)
#define TLOG_TILE_BYTES (TLOG_TILE * 32)

struct tlog_walk_tile {
	uint32_t level;
	uint64_t n;
	unsigned width;
	struct id32 hash[TLOG_TILE];
};

struct tlog_walk {
	uint64_t old;
	struct tlog_head head;
	unsigned n, at, edge; /* tiles; those that came; those of the edge */
	struct tlog_walk_tile tile[TLOG_WALK_TILES];
};

/*
 * From a log of this size to this head; false: there is no way, or nothing to
 * prove (0, or no less than the head's).
 */
bool tlog_walk_begin(struct tlog_walk *, uint64_t old,
    const struct tlog_head *);
/* The tile that comes next; NULL: all are here. */
const struct tlog_walk_tile *tlog_walk_next(const struct tlog_walk *);
/*
 * Its bytes: its hashes, or the whole tile that has taken the place of one that
 * was partial. NULL, or a literal: what is wrong; then the walk has ended, and
 * what it was, and those of the edge when they do not hold, are not among those
 * that came.
 */
const char *tlog_walk_take(struct tlog_walk *, const void *, size_t len);
/* When all are here: the earlier root and the proof, but for the note. */
bool tlog_walk_growth(struct tlog_walk *, struct tlog_growth *);

#endif
