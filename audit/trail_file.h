/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_TRAIL_FILE_H
#define WARREN_AUDIT_TRAIL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * The files of a trail, for the writer and for those who only read:
 * <8 digits>.jsonl, `head`, `checkpoint`, `key`. dir is a directory descriptor.
 */
#define TRAIL_HEAD "head"	      /* seq and digest of the last line */
#define TRAIL_CHECKPOINT "checkpoint" /* the last signed one (note.h) */
#define TRAIL_KEY "key"		      /* 64 hex digits: public, of audit */
#define TRAIL_TMP "rewrite.tmp"
#define TRAIL_HEAD_LEN 86 /* 20 digits, space, 64 hex digits, newline */
#define TRAIL_NAME_MAX 24

struct trail_segs {
	uint32_t *number; /* ascending */
	size_t n;
};

/* 0 or -1 (errno). */
int trail_segs_list(int dir, struct trail_segs *);
/* What trail_segs_list() has filled; empty after it. */
void trail_segs_free(struct trail_segs *);
/* The file name of a segment. */
void trail_seg_name(char out[TRAIL_NAME_MAX], uint32_t number);
/* Never follows a link; -1. */
int trail_seg_open(int dir, uint32_t number, int flags);

/*
 * Calls fn with each line of a segment, without its newline; fn says false to
 * stop. A line over TRAIL_LINE_MAX comes once, cut. *whole: bytes up to the
 * last newline; *torn: bytes behind it. 0 or -1 (errno).
 */
typedef bool trail_scan_fn(void *arg, const char *line, size_t len);
int trail_seg_scan(int dir, uint32_t number, trail_scan_fn *, void *arg,
    uint64_t *whole, uint64_t *torn);

/* The text of the head: number and digest of the last line. */
void trail_head_put(char out[TRAIL_HEAD_LEN + 1], uint64_t seq,
    const struct id32 *digest);
/* false: there is none, or it has another form (*there: there is one). */
bool trail_head_get(int dir, uint64_t *seq, struct id32 *digest, bool *there);

#endif
