/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_FILESUM_H
#define WARREN_AUDIT_FILESUM_H

#include <stddef.h>
#include <stdint.h>

#include <nettle/sha2.h>
#include <rns/hash.h>

/*
 * The digest of a file as fs-verity has it (SHA-256, blocks of 4096 bytes, no
 * salt): where the file system keeps one the kernel says it, and holds every
 * read to it; elsewhere the bytes give the same. `fsverity digest FILE` prints
 * it too. Pure.
 */
#define FILESUM_BLOCK 4096
#define FILESUM_FAN (FILESUM_BLOCK / 32)
#define FILESUM_LEVELS 8 /* of 128 each: more than a file can have */

struct filesum {
	struct sha256_ctx block; /* of data, begun */
	size_t in_block;
	uint64_t size;
	struct {
		uint64_t total; /* digests that have come to this level */
		unsigned n;	/* ... and are not hashed upwards yet */
		struct id32 v[FILESUM_FAN];
	} level[FILESUM_LEVELS];
};

void filesum_init(struct filesum *);
void filesum_add(struct filesum *, const void *, size_t);
/* The context is used up. */
void filesum_end(struct filesum *, struct id32 *out);
/* Of bytes in memory. */
void filesum_of(struct id32 *out, const void *, size_t);

#endif
