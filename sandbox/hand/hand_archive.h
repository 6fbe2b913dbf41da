/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_HAND_ARCHIVE_H
#define WARREN_SANDBOX_HAND_HAND_ARCHIVE_H

#include <sys/types.h>

#include <archive.h>
#include <archive_entry.h>
#include <nettle/sha2.h>
#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "sandbox/hand/hand_path.h"

/* Archives of strangers, read by libarchive: tar, gzip or zstd around it. */
#define READER_BLOCK 65536
struct reader {
	int fd;
	off_t off, size;
	struct archive *inner; /* takes the compression off, or NULL */
	bool in_data, ended;
	bool packed; /* by gzip or zstd */
	struct recipe_maker *maker; /* is fed with what is inside, or NULL */
	bool sums; /* every byte is read, and goes into the sum */
	struct sha256_ctx sum;
	struct sha256_ctx diff; /* of what inner gave, when there are sums */
	uint64_t inflated;	/* bytes of that */
	char last[80]; /* the member read before, for people */
	uint8_t buf[READER_BLOCK];
};

/* From the start of fd, a regular file; with its sum. NULL: why is set. */
struct archive *reader_open(struct import *, struct reader *, int fd,
    bool sums);
void reader_close(struct reader *, struct archive *);
/* 1: a member, 0: the end, -1 */
int reader_next(struct import *, struct reader *, struct archive *,
    struct archive_entry **);
/*
 * Each member in turn. want: the digest of the file as it was when it was
 * judged, or NULL: one that changes while it is read is refused. sums: of the
 * file as it was read, and of what is left without gzip or zstd; or NULL. 0,
 * or -1: why is set, by take() too.
 */
struct reader_sums {
	struct id32 raw, diff;
	uint64_t raw_bytes, diff_bytes;
};
typedef int reader_take(struct import *, struct reader *, struct archive *,
    struct archive_entry *);
int reader_each(struct import *, int fd, const struct id32 *want,
    struct reader_sums *sums, reader_take *);
/* One member more. -1: too many. */
int import_member(struct import *);
/* n more bytes of files, holes too. -1: over the limit, or the disk is full. */
int import_count(struct import *, uint64_t n);
/*
 * A member's content as a new file of the folder, instead of what is there.
 * 0, or -1 with errno, or why.
 */
int reader_file(struct import *, struct reader *, struct archive *,
    struct archive_entry *, int folder, const char *name, mode_t mode);

enum archive_kind {
	ARCHIVE_BAD,  /* why is set */
	ARCHIVE_ROOT, /* of a file system */
	ARCHIVE_DOCS, /* an image's documents and layers */
};
/* By the names at its top. */
enum archive_kind reader_kind(struct import *, int fd);
/* An archive's files and links into im->src, as they are named. */
int import_archive(struct import *, int fd);

#endif
