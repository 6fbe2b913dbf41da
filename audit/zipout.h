/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_ZIPOUT_H
#define WARREN_AUDIT_ZIPOUT_H

#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * A zip archive whose last member, SHA256SUMS, has the digests of all others,
 * and whose comment is signed for all that stands before it. Names are the
 * caller's to make harmless (bundle_name.h).
 */
#define ZIPOUT_SUMS "SHA256SUMS"

struct zipout;

struct zipout_sum {
	uint64_t size;	    /* before the comment */
	struct id32 digest; /* of these bytes */
	struct id32 sums;   /* of the member SHA256SUMS */
	uint32_t members;   /* without it */
};

/*
 * fd is the caller's; most: bytes that the archive may have; comment: how long
 * the comment will be. NULL: out of memory.
 */
struct zipout *zipout_new(int fd, uint64_t most, uint32_t when,
    size_t comment);
/* Each 0, or -1 with errno (EFBIG: over most). size: what will follow. */
int zipout_begin(struct zipout *, const char *name, uint64_t size);
int zipout_data(struct zipout *, const void *, size_t);
int zipout_end(struct zipout *);
/* Begin, data and end of one. */
int zipout_put(struct zipout *, const char *name, const void *, size_t);
/* No member more. */
int zipout_close(struct zipout *, struct zipout_sum *);
/* Behind zipout_close(): of the length that was said. */
int zipout_comment(struct zipout *, const char *text, size_t);
void zipout_free(struct zipout *); /* NULL is fine */

#endif
