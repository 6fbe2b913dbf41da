/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_IMAGE_PULLED_H
#define WARREN_SANDBOX_IMAGE_PULLED_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * warren/images/pulled: an OCI layout of what registries have sent, for an
 * import to read. Blobs stay when they are whole, so that another image which
 * has them too need not fetch them, and when a pull was cut, so that it goes on
 * there; whoever reads one computes its digest. One pull at a time. Nothing in
 * it counts for jobs.
 */
#define PULLED_FOLDER "pulled"
#define PULLED_KEEP (2ull << 30) /* bytes, after a pull; ours */
#define PULLED_DAYS 14		 /* ... and so long */

struct pulled {
	int dir, blobs; /* locked, by dir */
};

/*
 * dir is warren/images; make: it may be a new one. 0; -1: errno, EWOULDBLOCK
 * when another one is at it.
 */
int pulled_open(struct pulled *, int dir, bool make);
/*
 * The file of a blob, to read and write, with what is there of it. -1: errno,
 * ENOSPC when size would not leave PULLED_SPARE of the disk.
 */
int pulled_blob(struct pulled *, const struct id32 *digest, uint64_t size);
#define PULLED_SPARE (64ull << 20) /* bytes */
/*
 * The layout's one image: its manifest, or an index on the way to it. type: of
 * that. 0; -1: errno, EINVAL where the type is none.
 */
int pulled_index(struct pulled *, const struct id32 *digest, uint64_t size,
    const char *type);
/*
 * Files that were not used for long go, the oldest first above keep bytes; dry:
 * are only counted. gone may be NULL. 0; -1: errno, not all went.
 */
struct pulled_gone {
	unsigned files;
	uint64_t bytes;
};
int pulled_prune(struct pulled *, uint64_t keep, bool dry,
    struct pulled_gone *gone);
void pulled_close(struct pulled *);

#endif
