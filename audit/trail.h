/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_TRAIL_H
#define WARREN_AUDIT_TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/witness.h"

/*
 * The spool of klp.md 7: an append-only chain of lines (trail_line.h) in
 * segments beneath one folder. One writer.
 *
 * A line is written whole or not at all: what a short write left is cut off at
 * once, and what a crash left is cut when the trail is opened. Lines of
 * severity 4 and 5 are synced before trail_append() returns, the others by
 * trail_sync(). Above the total bound the oldest lines of severity 1, then 2,
 * make room and leave tombstones; nothing else is ever dropped.
 */
#define TRAIL_SEGMENT (8u << 20)
#define TRAIL_TOTAL (64u << 20)
#define TRAIL_SYNC_SEVERITY 4
#define TRAIL_CHECKPOINT_LINES 1000
#define TRAIL_CHECKPOINT_S 3600

struct trail;

struct trail_limits {
	uint64_t segment, total; /* bytes */
};

/* What was found when it was opened; each is an event for the caller. */
struct trail_report {
	uint64_t lines;	      /* that are there, tombstones included */
	uint64_t torn;	      /* bytes of a torn last line, cut */
	uint64_t lost;	      /* lines that the head knew and that are gone */
	uint64_t bad;	      /* lines that do not follow */
	uint32_t bad_segment; /* of the first of them */
	uint64_t bad_line;    /* in that segment, from 1 */
	const char *why;      /* a literal; NULL: nothing is wrong */
	/* the last number of each program, in its last life */
	struct heard heard[PROGRAM_COUNT];
};

/* NULL with errno. dir stays the caller's and must outlive it. */
struct trail *trail_open(int dir, const struct trail_limits *,
    struct trail_report *);
void trail_close(struct trail *); /* syncs; NULL is fine */

/* The last line: its number (0: there is none) and its digest. */
void trail_tip(const struct trail *, uint64_t *seq, struct id32 *digest);
/* The number that the next line gets. */
uint64_t trail_next(const struct trail *);
/*
 * body: an object's JSON text without control characters. 0, or -1 with errno:
 * ENOSPC (disk full, or the bound is reached and nothing more may be dropped),
 * EFBIG, EMSGSIZE (longer than a line). Then nothing was written.
 */
int trail_append(struct trail *, unsigned severity, const char *body,
    size_t len, uint64_t *seq, struct id32 *digest);
/* What is not synced yet; 0 or -1. */
int trail_sync(struct trail *);
/* Is anything written that trail_sync() has still to sync? */
bool trail_dirty(const struct trail *);
/*
 * Tree of all lines, for a checkpoint; false: the chain was broken, so there is
 * nothing that could be vouched for.
 */
bool trail_root(const struct trail *, uint64_t *size, struct id32 *root);
/* It is not the trail that was signed: nothing more is vouched for. */
void trail_distrust(struct trail *);
/*
 * A checkpoint of this size is asked for, or signed and stored: lines that are
 * dropped later leave separate tombstones on its two sides, so that its root
 * can still be computed. (The stored one is read by trail_open().)
 */
void trail_mark(struct trail *, uint64_t size, bool is_signed);
/*
 * What a hub has taken, and what it may have: a tombstone that is made later
 * never joins lines on both sides of either.
 */
void trail_mark_hub(struct trail *, uint64_t acked, uint64_t sent);
/* Whether places of lines in segments are other than they were. */
uint64_t trail_rewrites(const struct trail *);
/* Of all segments together. */
uint64_t trail_bytes(const struct trail *);

#endif
